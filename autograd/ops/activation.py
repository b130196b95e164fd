"""Activations of neural networks that have a row of their own.

Each is written so that neither its values nor its gradients overflow where the true ones are finite: an exponential
stands on the side where it is small.
"""

from typing import Any

from .arithmetic import abs
from .exponential import exp, expm1, log1p, sigmoid
from .formula import Meant, elementwise
from .selection import maximum, minimum, where
from .special import erf
from .trigonometric import tanh

__all__ = [
    "celu", "elu", "gelu_erf", "gelu_tanh", "hardshrink", "hardswish", "hardtanh", "leaky_relu",
    "logsigmoid", "mish", "relu", "relu6", "selu", "silu", "softplus", "softshrink", "softsign", "tanhshrink",
]  # fmt: skip


@elementwise(input=lambda g, out: where(out <= 0, 0, g), result="same", takes="iuf")
def relu(input):
    """max(input, 0); the derivative at 0 is 0 and NaN stays NaN."""
    return where(input <= 0, 0, input)


@elementwise(input=lambda g, input: where((input <= 0) | (input >= 6), 0, g), result="same")
def relu6(input):
    """min(max(input, 0), 6); the derivative at both bounds is 0."""
    return minimum(maximum(input, 0), 6)


@elementwise(
    input=lambda g, input, min_val, max_val: where((input <= min_val) | (input >= max_val), 0, g), result="same"
)
def hardtanh(input, min_val=-1.0, max_val=1.0):
    """input between two bounds; the derivative at both is 0."""
    return minimum(maximum(input, min_val), max_val)


@hardtanh.otherwise
def _hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """input between two bounds, integers staying integers; the derivative at both is 0."""
    as_bound = float if input.dtype.kind == "f" else int
    return Meant(hardtanh, (input, as_bound(min_val), as_bound(max_val)))


@elementwise(
    input=lambda g, input, negative_slope: where(input > 0, g, g * negative_slope),
    negative_slope=lambda g, input: where(input > 0, 0, g * input),
)
def leaky_relu(input, negative_slope=0.01):
    """input above 0, negative_slope * input below; a tensor of slopes makes it PReLU."""
    return where(input > 0, input, input * negative_slope)


# --- smooth steps and their products with the input -------------------------------------------------------------------


@elementwise(
    input=lambda g, input: g * (
        0.5 * (1 + erf(input * 0.7071067811865476)) + input * (0.3989422804014327 * exp(input * input * -0.5))
    )
)  # fmt: skip
def gelu_erf(input):
    """x * P(X <= x) for a standard normal X (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    return input * (0.5 * (1 + erf(input * 0.7071067811865476)))


@elementwise()
def gelu_tanh(input):
    """x / 2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), the approximation of the same paper."""
    return 0.5 * input * (1 + tanh(0.7978845608028654 * (input + 0.044715 * input * input * input)))


@elementwise(input=lambda g, input: g * (sigmoid(input) * (1 + input * (1 - sigmoid(input)))))
def silu(input):
    """x * sigmoid(x), also called swish (Elfwing et al. 2017, https://arxiv.org/abs/1702.03118)."""
    return input * sigmoid(input)


@elementwise(input=lambda g, input: g * _mish_slope(input, tanh(_softplus(input))))
def mish(input):
    """x * tanh(log(1 + e^x)) (Misra 2019, https://arxiv.org/abs/1908.08681)."""
    return input * tanh(_softplus(input))


def _mish_slope(x, t):
    return t + x * ((1 - t * t) * sigmoid(x))


def _softplus(x):
    return maximum(x, 0) + log1p(exp(-abs(x)))


@elementwise(
    input=lambda g, input, beta, threshold: where(input * beta > threshold, g, g * sigmoid(input * beta)),
)
def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + e^(beta * x)) / beta; x itself where beta * x is above the threshold."""
    return where(input * beta > threshold, input, _softplus(input * beta) / beta)


@elementwise(input=lambda g, input: g * sigmoid(-input))
def logsigmoid(input):
    """log(sigmoid(x)) without underflow."""
    return minimum(input, 0) - log1p(exp(-abs(input)))


@elementwise(
    input=lambda g, input: where(input <= -3, 0, where(input < 3, g * (input / 3 + 0.5), g)),
)
def hardswish(input):
    """x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, https://arxiv.org/abs/1905.02244)."""
    return input * minimum(maximum(input + 3, 0), 6) / 6


# --- exponential below 0 ----------------------------------------------------------------------------------------------


@elementwise(input=lambda g, input, alpha: where(input > 0, g, g * alpha * exp(where(input < 0, input, 0))))
def elu(input, alpha=1.0):
    """x above 0, alpha * (e^x - 1) below (Clevert et al. 2015, https://arxiv.org/abs/1511.07289)."""
    return where(input > 0, input, alpha * expm1(minimum(input, 0)))


@elementwise(input=lambda g, input, alpha: where(input > 0, g, g * exp(where(input < 0, input, 0) / alpha)))
def celu(input, alpha=1.0):
    """x above 0, alpha * (e^(x / alpha) - 1) below (Barron 2017, https://arxiv.org/abs/1704.07483)."""
    return where(input > 0, input, alpha * expm1(minimum(input, 0) / alpha))


@elementwise(
    input=lambda g, input: where(
        input <= 0, g * 1.7580993408473766 * exp(where(input < 0, input, 0)), g * 1.0507009873554805
    )
)
def selu(input):
    """1.0507 * x above 0, 1.0507 * 1.6733 * (e^x - 1) below, which keeps mean 0 and variance 1 through many layers
    (Klambauer et al. 2017, https://arxiv.org/abs/1706.02515).
    """
    return where(input > 0, input * 1.0507009873554805, 1.7580993408473766 * expm1(minimum(input, 0)))


# --- shrinking towards 0 ----------------------------------------------------------------------------------------------


@elementwise(input=lambda g, input, lambd: where((input >= -lambd) & (input <= lambd), 0, g))
def hardshrink(input, lambd=0.5):
    """0 where |x| <= lambd, else x."""
    return where((input >= -lambd) & (input <= lambd), 0, input)


@elementwise(input=lambda g, input, lambd: where((input >= -lambd) & (input <= lambd), 0, g))
def softshrink(input, lambd=0.5):
    """x moved towards 0 by lambd, and 0 where |x| <= lambd."""
    return where(input > lambd, input - lambd, where(input < -lambd, input + lambd, input * 0))


@elementwise(input=lambda g, input: g / ((1 + abs(input)) * (1 + abs(input))))
def softsign(input):
    """x / (1 + |x|)."""
    return input / (1 + abs(input))


@elementwise(input=lambda g, input: g * (tanh(input) * tanh(input)))
def tanhshrink(input):
    """x - tanh(x)."""
    return input - tanh(input)
