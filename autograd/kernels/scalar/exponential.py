"""exp and its family: x = k ln 2 + r with |r| <= ln(2) / 2, a polynomial in r, and 2**k through the exponent's bits."""

import math

from ..symbol import Symbol
from .base import Precision, apply, polynomial, scalar, standin, where

__all__ = ["EXP2", "LN2", "clamp", "exp_scaled", "nearest", "power_of_two", "scale", "tiny", "zero_at"]

# ln 2 in two parts, the first with so few bits that k times it is exact for every k that occurs (Cody and Waite).
LN2 = {23: (0.693145751953125, 1.4286068203094173e-06), 52: (0.6931471805598903, 5.497923018708371e-14)}
LOG2_E = 1.4426950408889634

# (exp(r) - 1 - r) / r^2 on [-0.351, 0.351]; error relative to exp 2^-28.1 and 2^-63.8.
EXP = {
    23: (0.5, 0.16666508, 0.041666582, 0.008370199, 0.0013921758),
    52: (
        0.5, 0.16666666666666685, 0.0416666666666667, 0.008333333333316012, 0.0013888888888846716,
        0.00019841269898631932, 2.480158742933138e-05, 2.7557232732008143e-06, 2.755716658285902e-07,
        2.5112762674803285e-08, 2.0951984147107044e-09,
    ),
}  # fmt: skip

# The same on [-1/2, 1/2]: 2^-29.8 and 2^-63.1.
EXP_NEAR = {
    23: (0.50000006, 0.16666659, 0.04166512, 0.0083340606, 0.0014003301, 0.00019729239),
    52: (
        0.5, 0.1666666666666667, 0.04166666666666816, 0.00833333333333087, 0.0013888888888473787,
        0.00019841269845069975, 2.4801587818719957e-05, 2.755731660760887e-06, 2.7556997848063444e-07,
        2.505289481697927e-08, 2.0974182831858983e-09, 1.5996028035618197e-10,
    ),
}  # fmt: skip

# (exp(r) - 1 - r) / r^2 on [-0.351, 0.351], the error relative to exp(r) - 1: 2^-26.8 and 2^-61.5.
EXPM1 = {
    23: (0.5, 0.1666674, 0.041666612, 0.00831405, 0.0013917474, 0.00031115918),
    52: (
        0.5, 0.16666666666666677, 0.04166666666666675, 0.008333333333321284, 0.0013888888888827168,
        0.00019841269887274992, 2.4801587460962686e-05, 2.7557242827322015e-06, 2.7557142159830336e-07,
        2.5109585863376168e-08, 2.095940772174766e-09,
    ),
}  # fmt: skip

# (2^r - 1) / r for |r| <= 1/2; error relative to 2^r - 1: 2^-32.5 and 2^-57.4.
EXP2 = {
    23: (0.6931472, 0.2402265, 0.05550406, 0.009618086, 0.0013336611, 0.00015452757, 1.4696332e-05),
    52: (
        0.6931471805599453, 0.2402265069591015, 0.05550410866482406, 0.009618129107586222, 0.001333355814577454,
        0.00015403530467355143, 1.5252734480749038e-05, 1.3215430110604602e-06, 1.017778125108028e-07,
        7.074674220211032e-09, 4.4984001289107044e-10,
    ),
}  # fmt: skip

# (sinh(x) / x - 1) / x^2, a polynomial in x^2 <= 1; error relative to sinh 2^-31.5 and 2^-61.7.
SINH = {
    23: (0.16666667, 0.008333312, 0.00019842343, 2.7860626e-06),
    52: (
        0.16666666666666669, 0.008333333333332915, 0.00019841269841589204, 2.7557319108518475e-06,
        2.505213066625358e-08, 1.6056688183146013e-10, 7.775646989947532e-13,
    ),
}  # fmt: skip

# (2^r - 1) / r for |r| <= 1/2, error 2^-26.5: enough for tanh.
EXP2_SHORT = (0.6931472, 0.2402265, 0.055503573, 0.009618238, 0.0013390735, 0.00015403513)


def clamp(x: Symbol, low: float, high: float) -> Symbol:
    """x between the bounds; NaN stays NaN."""
    x = where(x < low, low, x)
    return where(x > high, high, x)


def zero_at(low: float, x: Symbol, y: Symbol) -> Symbol:
    """y, and 0 where x was clamped to ``low``: scaling another number down to 0 takes an Intel processor 150 cycles."""
    return where(x <= low, 0.0, y)


def nearest(x: Symbol, precision: Precision) -> tuple[Symbol, Symbol]:
    """The integer k nearest to x, |x| < 2**(mantissa - 2), as a number and as an integer whose lowest bits are k.

    The bits above are those of ``shifter``; they fall off when k is shifted to the place of the exponent.
    """
    shifted = x + precision.shifter
    return shifted - precision.shifter, apply("bits", shifted)


def power_of_two(k: Symbol, precision: Precision) -> Symbol:
    """2**k in the normal range, for k of ``nearest``."""
    return apply("from_bits", (k << precision.mantissa) + precision.bits(1.0))


def scale(y: Symbol, k: Symbol, precision: Precision) -> Symbol:
    """y * 2**k, rounded once, for y about 1 and k of ``nearest``.

    In two steps, since 2**k alone may overflow or be denormal where the product is not.
    """
    half = apply("to_int", k >> 1)
    return y * power_of_two(half, precision) * power_of_two(k - half, precision)


def exp_parts(x: Symbol, precision: Precision, tail: Symbol | None = None) -> tuple[Symbol, Symbol]:
    """(exp(r), k) for x + tail = k ln 2 + r, with a tail too small to change k."""
    whole, k = nearest(x * LOG2_E, precision)
    high, low = LN2[precision.mantissa]
    r = (x - whole * high) - whole * low
    if tail is not None:
        r = r + tail
    return 1.0 + (r + r * r * polynomial(r, EXP[precision.mantissa])), k


def exp_scaled(x: Symbol, precision: Precision, tail: Symbol | None = None, twos: int = 0) -> Symbol:
    """exp(x + tail) * 2**twos for -2 <= twos <= 0."""
    # exp of the bounds rounds to 0 and, still if divided by 4, to infinity.
    low, high = precision.pick((-104.0, 91.0), (-746.0, 712.0))
    x = clamp(x, low, high)
    y, k = exp_parts(x, precision, tail)
    return scale(zero_at(low, x, y), apply("to_int", k + twos) if twos else k, precision)


@scalar
def exp(x: Symbol, precision: Precision) -> Symbol:
    """exp(x) = 2**k exp(r); within 1 ULP, denormal results included."""
    return exp_scaled(x, precision)


@standin("exp", -0.5, 0.5)
def exp_near(x: Symbol, precision: Precision) -> Symbol:
    """exp(x) without a reduction, by a polynomial that is longer."""
    return polynomial(x, (1.0, 1.0, *EXP_NEAR[precision.mantissa]))


@standin("exp", -87.0, 88.0)
def exp_moderate(x: Symbol, precision: Precision) -> Symbol:
    """exp(x) where it is a normal number in either format."""
    y, k = exp_parts(x, precision)
    return y * power_of_two(k, precision)


@standin("exp", -math.inf, 64.0)
def exp_falling(x: Symbol, precision: Precision) -> Symbol:
    """exp(x) where it may underflow but not overflow: 2**k times so much that it is normal, and divided by that."""
    low, lift = precision.pick(-104.0, -746.0), precision.pick(32, 128)
    x = where(x < low, low, x)
    y, k = exp_parts(x, precision)
    return zero_at(low, x, y) * power_of_two(k + lift, precision) * 2.0**-lift


@scalar
def exp2(x: Symbol, precision: Precision) -> Symbol:
    """2**x = 2**k exp(r ln 2) with k the integer nearest to x; within 1 ULP, and exact for an integer x."""
    low, high = precision.pick((-151.0, 128.0), (-1076.0, 1024.0))
    x = clamp(x, low, high)
    whole, k = nearest(x, precision)
    r = x - whole
    return scale(zero_at(low, x, 1.0 + r * polynomial(r, EXP2[precision.mantissa])), k, precision)


def expm1_parts(x: Symbol, precision: Precision) -> tuple[Symbol, Symbol]:
    """(exp(r) - 1, k) for x = k ln 2 + r."""
    whole, k = nearest(x * LOG2_E, precision)
    high, low = LN2[precision.mantissa]
    r = (x - whole * high) - whole * low
    return r + r * r * polynomial(r, EXPM1[precision.mantissa]), k


def tiny(precision: Precision) -> float:
    """Below this the odd functions here and expm1 and log1p are their argument, rounded.

    Returning the argument keeps the sign of zero and the last bit of a denormal number.
    """
    return 2.0 ** -(precision.mantissa + 2)


@scalar
def expm1(x: Symbol, precision: Precision) -> Symbol:
    """exp(x) - 1 = 2**k (exp(r) - 1) + (2**k - 1); within 2 ULP."""
    # expm1 of the bounds rounds to -1 and to infinity.
    p, k = expm1_parts(clamp(x, *precision.pick((-20.0, 89.0), (-40.0, 710.0))), precision)
    # Half of 2**k, because k may be one more than the largest exponent.
    half = power_of_two(k - 1, precision)
    return where(abs(x) < tiny(precision), x, 2.0 * (half * p + (half - 0.5)))


@scalar
def tanh(x: Symbol, precision: Precision) -> Symbol:
    """tanh(x) = -e / (2 + e) with e = expm1(-2 |x|), and the sign of x; within 4 ULP."""
    p, k = precision.pick(_double_parts, _double_parts_exactly)(abs(x), precision)
    power = power_of_two(k, precision)
    e = power * p + (power - 1.0)
    return apply("copysign", e / (2.0 + e), x)


def _double_parts(x: Symbol, precision: Precision) -> tuple[Symbol, Symbol]:
    """`expm1_parts` of -2 x, by powers of 2 and in one step: the larger x, the less its rounding matters to tanh."""
    y = x * (-2.0 * LOG2_E)
    y = where(y < -29.0, -29.0, y)  # whose tanh rounds to 1
    whole, k = nearest(y, precision)
    r = y - whole
    return r * polynomial(r, EXP2_SHORT), k


def _double_parts_exactly(x: Symbol, precision: Precision) -> tuple[Symbol, Symbol]:
    y = -2.0 * x
    return expm1_parts(where(y < -40.0, -40.0, y), precision)


@scalar
def sinh(x: Symbol, precision: Precision) -> Symbol:
    """sinh(x) = (exp(x) - exp(-x)) / 2, below 1 an odd polynomial instead; within 2 ULP."""
    half = exp_scaled(abs(x), precision, twos=-1)
    z = x * x
    small = x + x * (z * polynomial(z, SINH[precision.mantissa]))
    return where(abs(x) < 1.0, small, apply("copysign", half - 0.25 / half, x))


@scalar
def cosh(x: Symbol, precision: Precision) -> Symbol:
    """cosh(x) = (exp(x) + exp(-x)) / 2; within 2 ULP."""
    half = exp_scaled(abs(x), precision, twos=-1)
    return half + 0.25 / half
