"""x to the power y, for real numbers."""

import math
from collections.abc import Sequence

from ..symbol import Symbol
from .base import SINGLE, Precision, apply, as_written, scalar, where
from .exponential import EXP2, clamp, nearest, scale, zero_at
from .logarithm import normal, split

__all__: list[str] = []

# log2((1 + s) / (1 - s)) / s as a polynomial in s^2 for the s of 1/sqrt(2) to sqrt(2); relative error 2^-36.
LOG2 = (2.8853900817901525, 0.9617966732682324, 0.5770835977007052, 0.41167201352236765, 0.34074231745838185)

# (atanh(s) / s - 1) / s^2 = 1/3 + s^2 times a polynomial in s^2; error relative to atanh 2^-65.9. Then 1/3 and
# 2 / log(2) as a number and what it lacks.
ATANH = (
    0.20000000000001136, 0.14285714285045595, 0.11111111260746014, 0.0909089211200402, 0.07693382013262755,
    0.06628332553197544, 0.06598830908030986,
)  # fmt: skip
THIRD, THIRD_REST = 0.3333333333333333, 1.850371707708594e-17
TWO_LOG2_E, TWO_LOG2_E_REST = 2.8853900817779268, 4.0710547481862066e-17


def fma(a: Symbol, b: Symbol | float, c: Symbol | float) -> Symbol:
    """a * b + c, rounded once."""
    return apply("fma", a, b, c)


def polynomial(x: Symbol, coefficients: Sequence[float]) -> Symbol:
    """``c0 + c1 x + c2 x^2 + ...``, each step rounded once."""
    *rest, result = map(Symbol.of, coefficients)
    for c in reversed(rest):
        result = fma(x, result, c)
    return result


def product(a: Symbol, b: Symbol | float, rest: Symbol) -> tuple[Symbol, Symbol]:
    """a * b rounded, and the rounding error plus ``rest``."""
    rounded = a * b
    return rounded, fma(a, b, -rounded) + rest


def total(a: Symbol | float, b: Symbol, rest: Symbol | float) -> tuple[Symbol, Symbol]:
    """a + b rounded, and the rounding error plus ``rest``, for the larger a first, or 0 (Dekker)."""
    rounded = a + b
    return rounded, ((a - rounded) + b) + rest


def log2_pair(m: Symbol, k: Symbol) -> tuple[Symbol, Symbol]:
    """k + log2(m) as a number and what it lacks, 12 bits more: log2(m) = 2 atanh(s) / log(2), s = (m - 1) / (m + 1)."""
    f = m - 1.0
    d, d_rest = total(2.0, f, 0.0)
    inverse = 1.0 / d
    s = f * inverse
    s_rest = (fma(-s, d, f) - s * d_rest) * inverse
    z, z_rest = product(s, s, 2.0 * s * s_rest)
    t, t_rest = total(THIRD, z * polynomial(z, ATANH), THIRD_REST)
    cube, cube_rest = product(s, z, s * z_rest + s_rest * z)
    tail, tail_rest = product(cube, t, cube * t_rest + cube_rest * t)
    atanh, rest = total(s, tail, s_rest + tail_rest)
    log2, rest = product(atanh, TWO_LOG2_E, atanh * TWO_LOG2_E_REST + rest * TWO_LOG2_E)
    return total(k, log2, rest)


@as_written
@scalar
def power(x: Symbol, y: Symbol, precision: Precision) -> Symbol:
    """x**y as C's pow has it: 1 for y = 0 or x = 1 whatever the other is, NaN for x < 0 unless y is a whole number.

    2**(y log2 |x|), the logarithm and the product in float64, for float64 with what that lacks; within 2 ULP.
    """
    size = abs(x)
    lifted, extra = normal(size, precision)
    m, k = split(lifted, precision)
    k = apply("to_double", apply("to_real", k) + extra)
    if precision == SINGLE:
        f = apply("to_double", m) - 1.0
        s = f / (f + 2.0)
        log2, rest = k + s * polynomial(s * s, LOG2), None
    else:
        log2, rest = log2_pair(m, k)
    # 0, inf and NaN have no k and m.
    log2 = where(size == 0.0, apply("to_double", -math.inf), where(size < math.inf, log2, apply("to_double", size)))
    y_double = apply("to_double", y)
    exponent = y_double * log2
    # The powers of two of these round to 0 and infinity.
    low, high = precision.pick((-152.0, 129.0), (-1077.0, 1025.0))
    if rest is not None:
        rest = where(abs(exponent) < 2048.0, fma(y_double, log2, -exponent) + y_double * rest, 0.0)
    exponent = clamp(exponent, low, high)
    exponent = where(size == 1.0, apply("to_double", 0.0), exponent)  # also for an infinite y
    shifter = 1.5 * 2.0**52
    whole = (exponent + shifter) - shifter
    r = exponent - whole
    r = apply("to_real", r if rest is None else r + rest)
    _, n = nearest(apply("to_real", whole), precision)
    result = scale(zero_at(low, exponent, fma(r, polynomial(r, EXP2[precision.mantissa]), 1.0)), n, precision)
    is_whole = apply("floor", y) == y
    half = 0.5 * y
    odd = apply("logical_and", is_whole, apply("floor", half) != half)
    negative = apply("logical_and", x < 0.0, x > -math.inf)
    result = where(apply("logical_and", negative, apply("logical_not", is_whole)), math.nan, result)
    result = where(odd, apply("copysign", result, x), result)
    return where(apply("logical_or", x == 1.0, y == 0.0), 1.0, result)
