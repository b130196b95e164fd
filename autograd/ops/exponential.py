"""Powers, exponentials and logarithms."""

import math
from typing import Any

import numpy as np

from ..dtypes import float64
from ..tensor import Tensor
from .convert import cast
from .formula import Meant, elementwise
from .selection import maximum, where

__all__ = [
    "exp", "exp2", "expm1", "float_power", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "logit", "pow",
    "reciprocal", "rsqrt", "sigmoid", "sqrt", "square", "xlogy",
]  # fmt: skip

LN2 = math.log(2)


def _whole_power(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """numpy's power, with 1 / a^-b rounded toward 0 for integers."""
    if a.dtype.kind != "i" or not np.less(b, 0).any():
        return np.power(a, b)
    ones = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b & 1), 0))
    return np.where(b < 0, ones, np.power(a, np.maximum(b, 0)))


@elementwise(
    input=lambda g, input, exponent: where(exponent == 0, 0.0, g * exponent * input ** (exponent - 1)),
    exponent=lambda g, input, exponent, out: where((input == 0) & (exponent >= 0), 0.0, g * out * log(input)),
    ufunc=_whole_power,
    result="same",
    takes="iuf",
)
def _pow(input, exponent):
    """input to the power exponent, as formulas write it."""


@elementwise(
    input=lambda g, input, exponent: where(exponent == 0, 0.0, g * exponent * power(input, exponent - 1)),
    exponent=lambda g, input, exponent, out: where((input == 0) & (exponent >= 0), 0.0, g * out * log(input)),
    ufunc=_whole_power,
    result="same",
    takes="iuf",
)
def power(input, exponent):
    """input to the power exponent, in a loop that vectorises."""


@elementwise(result="number", ufunc=np.square)
def square(input):
    """input * input."""
    return input * input


@elementwise(input=lambda g, input: g * (3 * input * input), result="number")
def cube(input):
    """input * input * input."""
    return input * input * input


@elementwise(input=lambda g, out: -g * out * out, ufunc=np.reciprocal)
def reciprocal(input):
    """1 / input."""
    return 1 / input


def pow(input: Any, exponent: Any) -> Any:
    """input to the power exponent; integers stay integers. A square, cube, root or inverse is computed as such.

    >>> from autograd import tensor
    >>> pow(tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if isinstance(exponent, (int, float)) and isinstance(input, (Tensor, np.ndarray)):
        if input.dtype.kind != "f" and type(exponent) is int and exponent < 0:
            raise RuntimeError(f"pow: integers have no negative powers; got {exponent} for {input.dtype}; use floats")
        simpler = _SIMPLER.get(exponent)
        if simpler is not None and (input.dtype.kind == "f" or (type(exponent) is int and exponent > 0)):
            return simpler(input)
    return power(input, exponent)


def float_power(input: Any, exponent: Any) -> Any:
    """input to the power exponent, computed in float64."""
    double = [cast(x, float64) if isinstance(x, Tensor) else np.float64(x) for x in (input, exponent)]
    return pow(*double)


@elementwise(input=lambda g, out: g / (2 * out), ufunc=np.sqrt)
def sqrt(input):
    """The square root; NaN below 0."""


@elementwise(input=lambda g, out: -0.5 * g * (out * out * out))
def rsqrt(input):
    """1 / sqrt(input)."""
    return 1 / sqrt(input)


_SIMPLER = {2: square, 3: cube, 0.5: sqrt, -1: reciprocal, -0.5: rsqrt}


@elementwise(input=lambda g, out: g * out)
def exp(input):
    """e to the power input."""


@elementwise(input=lambda g, out: g * out * LN2)
def exp2(input):
    """2 to the power input."""


@elementwise(input=lambda g, out: g * (out + 1))
def expm1(input):
    """exp(input) - 1, exact near 0."""


@elementwise(input=lambda g, input: g / input)
def log(input):
    """The natural logarithm; NaN below 0."""


@elementwise(input=lambda g, input: g / (input * LN2))
def log2(input):
    """The logarithm to base 2; NaN below 0."""


@elementwise(input=lambda g, input: g / (input * 2.302585092994046))
def log10(input):
    """The logarithm to base 10; NaN below 0."""


@elementwise(input=lambda g, input: g / (input + 1))
def log1p(input):
    """log(1 + input), exact near 0."""


@elementwise(
    input=lambda g, input, other: g / (1 + exp(other - input)),
    other=lambda g, input, other: g / (1 + exp(input - other)),
    takes="f",
)
def logaddexp(input, other):
    """log(exp(input) + exp(other)) without overflow."""
    # Equal ones apart: the difference of infinities is NaN.
    return maximum(input, other) + where(input == other, LN2, log1p(exp(-abs(input - other))))


@elementwise(
    input=lambda g, input, other: g / (1 + exp2(other - input)),
    other=lambda g, input, other: g / (1 + exp2(input - other)),
    takes="f",
)
def logaddexp2(input, other):
    """log2(2^input + 2^other) without overflow."""
    return maximum(input, other) + where(input == other, 1, log1p(exp2(-abs(input - other))) / LN2)


@elementwise(
    input=lambda g, input, other: where((input == 0) & (other <= 0), 0, g * log(other)),
    other=lambda g, input, other: g * (input / other),
)
def xlogy(input, other):
    """input * log(other), 0 where input is 0 (NaN stays NaN)."""
    return where(other != other, other, where(input == 0, 0, input * log(other)))


# --- the logistic function -------------------------------------------------------------------------------------------


@elementwise(input=lambda g, out: g * ((1 - out) * out))
def sigmoid(input):
    """1 / (1 + e^-x)."""
    return 1 / (1 + exp(-input))


# |x| where x would do, because the slope at -0.0 is plus infinity too.
@elementwise(input=lambda g, input: where((input < 0) | (input > 1), math.nan, g / (abs(input) * (1 - input))))
def logit(input):
    """log(x / (1 - x)), the inverse of `sigmoid`."""
    return log(input / (1 - input))


@elementwise(
    input=lambda g, input, eps: where((input < eps) | (input > 1 - eps), 0, g / (abs(input) * (1 - input))),
)
def logit_clamped(input, eps=0.0):
    """log(x / (1 - x)) of x brought into [eps, 1 - eps]."""
    z = where(input < eps, eps, where(input > 1 - eps, 1 - eps, input))
    return log(z / (1 - z))


@logit.otherwise
def _logit(input: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), the inverse of `sigmoid`; with eps x is first brought into [eps, 1 - eps].

    >>> from autograd import tensor
    >>> logit(tensor([0.0, 0.5]), eps=0.25)
    tensor([-1.0986,  0.0000])
    """
    return Meant(logit, (input,)) if eps is None else Meant(logit_clamped, (input, eps))
