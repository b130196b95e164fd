"""The rest of a division, exact as the standard demands."""

import math

from ..symbol import Symbol
from .base import SINGLE, Precision, apply, checked, scalar, where

__all__: list[str] = []

LARGE = 2.0**29
"""Below this a rounded quotient is at most 1 too large, and for float32 its product with the divisor exact in float64.
"""


@scalar
def fmod_near(x: Symbol, y: Symbol, precision: Precision) -> Symbol:
    """x - trunc(x / y) y where that quotient is below `LARGE`."""
    a, b = abs(x), abs(y)
    if precision == SINGLE:
        a, b = apply("to_double", a), apply("to_double", b)
    quotient = apply("trunc", a / b)
    rest = a - quotient * b if precision == SINGLE else apply("fma", -quotient, b, a)
    rest = where(rest < 0.0, rest + b, rest)
    return apply("copysign", apply("to_real", where(b == math.inf, a, rest)), x)


def is_large(x: Symbol, y: Symbol) -> Symbol:
    """Whether the quotient is too large for `fmod_near`."""
    return abs(x) >= abs(y) * LARGE


@checked("fmod_near", is_large)
def fmod(x: Symbol, y: Symbol, precision: Precision) -> Symbol:
    """x - trunc(x / y) y with the sign of x; where the quotient is large it is the C library's."""
    return where(is_large(x, y), apply("c_fmod", x, y), apply("fmod_near", x, y))
