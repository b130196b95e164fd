"""Activations. ``inplace=True``, or an underscore at the end of the name, writes the result over the input."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, default_generator, hardshrink, logsigmoid, sigmoid, softshrink, softsign, tanh, tanhshrink

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "leaky_relu", "leaky_relu_", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_", "selu",
    "selu_", "sigmoid", "silu", "softplus", "softshrink", "softsign", "step", "tanh", "tanhshrink", "threshold",
    "threshold_",
]  # fmt: skip


def _apply(op: Callable, inplace: bool, input: Tensor, *numbers: Any) -> Tensor:
    if not inplace:
        return op(input, *numbers)
    # Of a clone, because the derivative reads the input, which is overwritten.
    return input.copy_(op(input.clone(), *numbers))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0)."""
    return _apply(autograd.relu, True, input) if inplace else autograd.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(input, 0), 6)."""
    return _apply(autograd.relu6, inplace, input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """input between two bounds."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val must not be above max_val; got {min_val} and {max_val}")
    if input.dtype.kind in "iu":
        low, high = int(min_val), int(max_val)
        if input.dtype.kind == "u" and low < 0:
            raise RuntimeError(f"hardtanh: the bounds of {input.dtype} must not be negative; got {min_val}")
        return _apply(autograd.clamp, inplace, input, low, high)
    return _apply(autograd.hardtanh, inplace, input, min_val, max_val)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """input where it is above the threshold, else ``value``."""
    return _apply(_threshold, inplace, input, threshold, value)


def _threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    return autograd.where(input <= threshold, value, input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """input above 0, negative_slope * input below (Maas et al. 2013, "Rectifier nonlinearities improve neural network
    acoustic models").
    """
    return _apply(autograd.leaky_relu, inplace, input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`leaky_relu` with a slope that is learned, one for all or one for each channel, axis 1
    (He et al. 2015, https://arxiv.org/abs/1502.01852).
    """
    count = weight.array.size
    if count != 1 and (input.ndim < 2 or count != input.shape[1]):
        raise RuntimeError(f"prelu: weight must have one value, or one for each channel; got {count} for {input.shape}")
    if count == 1:
        return autograd.leaky_relu(input, weight.reshape(()))
    return autograd.leaky_relu(input, weight.reshape(-1, *[1] * (input.ndim - 2)))


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """`leaky_relu` with a slope drawn for each element from U(lower, upper) when ``training``, else their mean
    (Xu et al. 2015, https://arxiv.org/abs/1505.00853).
    """
    if lower > upper:
        raise ValueError(f"rrelu: lower must not be above upper; got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)

    def draw() -> np.ndarray:
        with default_generator._lock:
            return np.asarray(default_generator.numpy.uniform(lower, upper, input.shape), input.dtype)

    return _apply(autograd.leaky_relu, inplace, input, Tensor(autograd.each_run(draw)))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha * (exp(x) - 1) below (Clevert et al. 2015, https://arxiv.org/abs/1511.07289)."""
    return _apply(autograd.elu, inplace, input, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha * (exp(x / alpha) - 1) below (Barron 2017, https://arxiv.org/abs/1704.07483)."""
    return _apply(autograd.celu, inplace, input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 * elu(x, 1.6733), which keeps mean 0 and variance 1 (Klambauer et al. 2017,
    https://arxiv.org/abs/1706.02515).
    """
    return _apply(autograd.selu, inplace, input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x * P(X <= x) for a standard normal X, or with ``approximate="tanh"`` its approximation by tanh
    (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415).
    """
    if approximate == "none":
        return autograd.gelu_erf(input)
    if approximate == "tanh":
        return autograd.gelu_tanh(input)
    raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh'; got {approximate!r}")


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x) (Elfwing et al. 2017, https://arxiv.org/abs/1702.03118)."""
    return _apply(autograd.silu, inplace, input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x)) (Misra 2019, https://arxiv.org/abs/1908.08681)."""
    return _apply(autograd.mish, inplace, input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6."""
    return _apply(lambda x: autograd.relu6(x + 3) / 6, inplace, input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x) (Howard et al. 2019, https://arxiv.org/abs/1905.02244)."""
    return _apply(autograd.hardswish, inplace, input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold."""
    return autograd.softplus(input, beta, threshold)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), a and b the halves of the input along ``dim`` (Dauphin et al. 2016,
    https://arxiv.org/abs/1612.08083).
    """
    if not input.ndim:
        raise RuntimeError("glu: a 0-d tensor can't be halved; got shape ()")
    length = input.shape[dim]
    if length % 2:
        raise RuntimeError(f"glu: the length along dim {dim} must be even; got shape {input.shape}")
    at = dim % input.ndim
    before: tuple = (slice(None),) * at
    a, b = input[(*before, slice(length // 2))], input[(*before, slice(length // 2, None))]
    return a * sigmoid(b)


def step(input: Tensor, threshold: float = 0.0) -> Tensor:
    """1 where the input reaches the threshold, else 0: the unit of McCulloch and Pitts (1943). Its gradient is 0."""
    return autograd.clamp(autograd.sign(input - threshold) + 1, max=1)


def _written_over(function: Any) -> Any:
    def in_place(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return function(input, *args, **kwargs, inplace=True)

    in_place.__name__ = f"{function.__name__}_"
    in_place.__doc__ = f"`{function.__name__}` in place."
    return in_place


celu_ = _written_over(celu)
elu_ = _written_over(elu)
hardtanh_ = _written_over(hardtanh)
leaky_relu_ = _written_over(leaky_relu)
relu_ = _written_over(relu)
rrelu_ = _written_over(rrelu)
selu_ = _written_over(selu)
threshold_ = _written_over(threshold)
