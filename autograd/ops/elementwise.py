"""Elementwise operations, one row each: the formula, and the derivative where it is worth stating.

``g`` stands inside a rule: ``where(x > 0, g, 0)`` is exact where ``g * mask`` would make ``0 * inf``.
"""

from typing import Any

import numpy as np

from .formula import Elementwise, elementwise

# --- arithmetic ------------------------------------------------------------------------------------------------------


@elementwise(input=lambda g: g, other=lambda g: g, ufunc=np.add, result="same")
def add(input, other):
    """input + other."""


@elementwise(input=lambda g: g, other=lambda g: -g, ufunc=np.subtract, result="same")
def sub(input, other):
    """input - other."""


@elementwise(input=lambda g, other: g * other, other=lambda g, input: g * input, ufunc=np.multiply, result="same")
def mul(input, other):
    """input * other."""


@elementwise(input=lambda g, other: g / other, other=lambda g, other, out: -g * out / other, ufunc=np.true_divide)
def div(input, other):
    """input / other, a float also for integers."""


@elementwise(input=lambda g: -g, ufunc=np.negative, result="same")
def neg(input):
    """-input."""


@elementwise(
    input=lambda g, input, exponent: where(exponent == 0, 0.0, g * exponent * input ** (exponent - 1)),
    exponent=lambda g, input, exponent, out: where((input == 0) & (exponent >= 0), 0.0, g * out * log(input)),
    ufunc=np.power,
    result="same",
)
def pow(input, exponent):
    """input to the power exponent."""


@elementwise(input=lambda g, input: where(input > 0, g, where(input < 0, -g, 0)), ufunc=np.abs, result="same")
def abs(input):
    """|input|; the derivative at 0 is 0."""


@elementwise(input=lambda g: 0.0, result="same")
def sign(input):
    """-1, 0 or 1; 0 for NaN, as in PyTorch."""
    return where(input > 0, 1, where(input < 0, -1, 0))


@elementwise(input=lambda g, out: g / (2 * out), ufunc=np.sqrt)
def sqrt(input):
    """The square root; NaN below 0."""


@elementwise(result="number")
def square(input):
    """input * input."""
    return input * input


@elementwise()
def reciprocal(input):
    """1 / input."""
    return 1 / input


# --- exponentials and logarithms -------------------------------------------------------------------------------------


@elementwise(input=lambda g, out: g * out)
def exp(input):
    """e to the power input."""


@elementwise(input=lambda g, input: g / input)
def log(input):
    """The natural logarithm; NaN below 0."""


@elementwise(input=lambda g, out: g * (out + 1))
def expm1(input):
    """exp(input) - 1, exact near 0."""


@elementwise(input=lambda g, input: g / (input + 1))
def log1p(input):
    """log(1 + input), exact near 0."""


@elementwise(input=lambda g, out: g * (1 - out * out))
def tanh(input):
    """(e^x - e^-x) / (e^x + e^-x)."""


@elementwise(input=lambda g, out: g * ((1 - out) * out))
def sigmoid(input):
    """1 / (1 + e^-x)."""
    return 1 / (1 + exp(-input))


@elementwise(input=lambda g, input: g * (1.1283791670955126 * exp(-input * input)))
def erf(input):
    """The error function 2/sqrt(pi) * integral of e^-t^2 from 0 to x."""


# --- activations -----------------------------------------------------------------------------------------------------


@elementwise(input=lambda g, out: where(out <= 0, 0, g), result="same")
def relu(input):
    """max(input, 0); the derivative at 0 is 0 and NaN stays NaN."""
    return where(input <= 0, 0, input)


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


# --- the larger, the smaller, one of two -----------------------------------------------------------------------------


@elementwise(
    input=lambda g, input, other: where(input == other, g / 2, where(input < other, 0, g)),
    other=lambda g, input, other: where(input == other, g / 2, where(input > other, 0, g)),
    ufunc=np.maximum,
    result="same",
)
def maximum(input, other):
    """The larger of the two; NaN if one is; a tie shares the gradient."""


@elementwise(
    input=lambda g, input, other: where(input == other, g / 2, where(input > other, 0, g)),
    other=lambda g, input, other: where(input == other, g / 2, where(input < other, 0, g)),
    ufunc=np.minimum,
    result="same",
)
def minimum(input, other):
    """The smaller of the two; NaN if one is; a tie shares the gradient."""


@elementwise(
    input=lambda g, condition: where(condition, g, 0),
    other=lambda g, condition: where(condition, 0, g),
    ufunc=np.where,
    result="same",
)
def where(condition: bool, input, other):
    """input where the condition holds, else other."""


@elementwise(input=lambda g, input, min: where(input >= min, g, 0), min=lambda g, input, min: where(input < min, g, 0), result="same")
def clamp_min(input, min):
    """input, but at least min; at the bound the gradient passes."""
    return maximum(input, min)


@elementwise(input=lambda g, input, max: where(input <= max, g, 0), max=lambda g, input, max: where(input > max, g, 0), result="same")
def clamp_max(input, max):
    """input, but at most max; at the bound the gradient passes."""
    return minimum(input, max)


@elementwise(
    input=lambda g, input, min, max: where((input >= min) & (input <= max), g, 0),
    min=lambda g, input, min, max: where((input < min) & (min < max), g, 0),
    max=lambda g, input, min, max: where((input > max) | (max < min), g, 0),
    result="same",
)
def clamp_both(input, min, max):
    """input between min and max; max where they cross."""
    return minimum(maximum(input, min), max)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input brought into [min, max]; either bound may be None. The gradient passes where input is inside."""
    if min is None and max is None:
        raise ValueError("clamp: at least one of min and max is needed; got None and None")
    if max is None:
        return clamp_min(input, min)
    return clamp_max(input, max) if min is None else clamp_both(input, min, max)


clip = clamp

# --- questions -------------------------------------------------------------------------------------------------------


@elementwise(ufunc=np.equal, result="bool")
def eq(input, other):
    """Whether input == other."""


@elementwise(ufunc=np.not_equal, result="bool")
def ne(input, other):
    """Whether input != other."""


@elementwise(ufunc=np.less, result="bool")
def lt(input, other):
    """Whether input < other."""


@elementwise(ufunc=np.less_equal, result="bool")
def le(input, other):
    """Whether input <= other."""


@elementwise(ufunc=np.greater, result="bool")
def gt(input, other):
    """Whether input > other."""


@elementwise(ufunc=np.greater_equal, result="bool")
def ge(input, other):
    """Whether input >= other."""


@elementwise(ufunc=np.logical_and, result="bool")
def logical_and(input, other):
    """Whether both are not zero."""


@elementwise(ufunc=np.bitwise_and, result="same")
def bitwise_and(input, other):
    """Bit by bit and; of bools, both."""


@elementwise(ufunc=np.bitwise_or, result="same")
def bitwise_or(input, other):
    """Bit by bit or; of bools, one or both."""


@elementwise(ufunc=np.bitwise_xor, result="same")
def bitwise_xor(input, other):
    """Bit by bit exclusive or; of bools, just one."""


@elementwise(ufunc=np.invert, result="same")
def bitwise_not(input):
    """Every bit inverted; of a bool, not."""


@elementwise(result="bool")
def isnan(input):
    """Whether it is NaN."""
    return input != input


@elementwise(result="bool")
def isfinite(input):
    """Whether it is neither NaN nor infinite."""
    return (input - input) == 0


@elementwise(input=lambda g: 0.0, ufunc=np.floor, result="same")
def floor(input):
    """The largest integer not above."""


@elementwise(ufunc=np.floor_divide, result="same")
def floor_divide(input, other):
    """floor(input / other)."""


@elementwise(ufunc=np.remainder, result="same", input=lambda g: g, other=lambda g, input, other, out: -g * floor((input - out) / other + 0.5))
def remainder(input, other):
    """input - floor(input / other) * other: the sign of other, as Python's %."""

__all__ = [name for name, value in list(globals().items()) if isinstance(value, Elementwise)] + ["clamp", "clip"]
