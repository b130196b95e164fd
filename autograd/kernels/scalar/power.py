"""x to the power y, for real numbers."""

import math

from ..symbol import Symbol
from .base import DOUBLE, SINGLE, Precision, apply, polynomial, scalar, where
from .exponential import EXP2, clamp, nearest, scale, zero_at
from .logarithm import normal, split

__all__: list[str] = []

# log2((1 + s) / (1 - s)) / s as a polynomial in s^2 for the s of 1/sqrt(2) to sqrt(2); relative error 2^-36.
LOG2 = (2.8853900817901525, 0.9617966732682324, 0.5770835977007052, 0.41167201352236765, 0.34074231745838185)


@scalar
def power(x: Symbol, y: Symbol, precision: Precision) -> Symbol:
    """x**y as C's pow has it: 1 for y = 0 or x = 1 whatever the other is, NaN for x < 0 unless y is a whole number.

    float32: 2**(y log2 |x|), the logarithm and the product in float64, within 2 ULP; float64 is the C library's.
    """
    if precision == DOUBLE:
        return apply("pow", x, y)
    size = abs(x)
    lifted, extra = normal(size, precision)
    m, k = split(lifted, precision)
    f = apply("to_double", m) - 1.0
    s = f / (f + 2.0)
    log2 = apply("to_double", apply("to_real", k) + extra) + s * polynomial(s * s, LOG2)
    # 0, inf and NaN have no k and m.
    log2 = where(size == 0.0, apply("to_double", -math.inf), where(size < math.inf, log2, apply("to_double", size)))
    exponent = apply("to_double", y) * log2
    exponent = clamp(exponent, -152.0, 129.0)  # the powers of two of these round to 0 and infinity
    exponent = where(size == 1.0, apply("to_double", 0.0), exponent)  # also for an infinite y
    shifter = 1.5 * 2.0**52
    whole = (exponent + shifter) - shifter
    r = apply("to_real", exponent - whole)
    _, n = nearest(apply("to_real", whole), SINGLE)
    result = scale(zero_at(-152.0, exponent, 1.0 + r * polynomial(r, EXP2[precision.mantissa])), n, precision)
    is_whole = apply("floor", y) == y
    half = 0.5 * y
    odd = apply("logical_and", is_whole, apply("floor", half) != half)
    negative = apply("logical_and", x < 0.0, x > -math.inf)
    result = where(apply("logical_and", negative, apply("logical_not", is_whole)), math.nan, result)
    result = where(odd, apply("copysign", result, x), result)
    return where(apply("logical_or", x == 1.0, y == 0.0), 1.0, result)
