"""Circular and hyperbolic functions."""

import math
from typing import Any

import numpy as np

from .exponential import rsqrt
from .formula import elementwise
from .rounding import copysign
from .selection import where

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "deg2rad", "rad2deg", "sin", "sinc",
    "sinh", "tan", "tanh",
]  # fmt: skip


@elementwise(input=lambda g, input: g * cos(input))
def sin(input):
    """The sine."""


@elementwise(input=lambda g, input: -g * sin(input))
def cos(input):
    """The cosine."""


@elementwise(input=lambda g, out: g * (1 + out * out))
def tan(input):
    """The tangent."""


@elementwise(input=lambda g, input: g * rsqrt(1 - input * input))
def asin(input):
    """The angle in [-pi/2, pi/2] whose sine is input; NaN outside [-1, 1]."""


@elementwise(input=lambda g, input: -g * rsqrt(1 - input * input))
def acos(input):
    """The angle in [0, pi] whose cosine is input; NaN outside [-1, 1]."""


@elementwise(input=lambda g, input: g / (input * input + 1))
def atan(input):
    """The angle in [-pi/2, pi/2] whose tangent is input."""


@elementwise(
    input=lambda g, input, other: g * _per_square(other, input, other),
    other=lambda g, input, other: g * _per_square(-input, input, other),
)
def atan2(input, other):
    """The angle in [-pi, pi] of the point (other, input); the derivatives at the origin are 0."""
    high, low = abs(input), abs(other)
    steep = high > low
    ratio = where(steep, low / high, high / low)
    ratio = where(high == low, where(high == 0, 0, 1), ratio)  # 0 / 0 and inf / inf have an angle too
    angle = where(steep, 0.5 * math.pi - atan(ratio), atan(ratio))
    angle = where(copysign(1, other) < 0, math.pi - angle, angle)
    return where((input != input) | (other != other), input + other, copysign(angle, input))


def _per_square(part: Any, input: Any, other: Any) -> Any:
    """part / (input^2 + other^2), 0 at the origin."""
    square = input * input + other * other
    return where(square == 0, 0, part / square)


@elementwise(input=lambda g, input: g * cosh(input))
def sinh(input):
    """(e^x - e^-x) / 2."""


@elementwise(input=lambda g, input: g * sinh(input))
def cosh(input):
    """(e^x + e^-x) / 2."""


@elementwise(input=lambda g, out: g * (1 - out * out))
def tanh(input):
    """(e^x - e^-x) / (e^x + e^-x)."""


@elementwise(input=lambda g, input: g * rsqrt(input * input + 1))
def asinh(input):
    """log(x + sqrt(x^2 + 1)), the inverse of `sinh`."""


@elementwise(input=lambda g, input: g * rsqrt(input * input - 1))
def acosh(input):
    """log(x + sqrt(x^2 - 1)), the inverse of `cosh`; NaN below 1."""


@elementwise(input=lambda g, input: g / (1 - input * input))
def atanh(input):
    """log((1 + x) / (1 - x)) / 2, the inverse of `tanh`; NaN outside [-1, 1]."""


@elementwise(
    input=lambda g, input: where(
        input * input == 0,
        0,
        g * ((math.pi * input * cos(math.pi * input) - sin(math.pi * input)) / (math.pi * input * input)),
    )
)
def sinc(input):
    """sin(pi x) / (pi x), 1 at 0."""
    return where(input == 0, 1, sin(math.pi * input) / (math.pi * input))


@elementwise(ufunc=np.deg2rad)
def deg2rad(input):
    """Degrees to radians."""
    return input * (math.pi / 180)


@elementwise(ufunc=np.rad2deg)
def rad2deg(input):
    """Radians to degrees."""
    return input * (180 / math.pi)
