"""log and its family: x = 2**k m with m about 1, a polynomial in f = m - 1, and k ln 2 in two parts."""

import math

from ..symbol import Symbol
from .base import Precision, apply, polynomial, scalar, where
from .exponential import LN2, tiny

__all__ = ["log_of_sum", "normal", "one_plus", "split"]

# float32: (log(1 + f) - f + f^2 / 2) / f^3 for 1 + f in [sqrt(1/2), sqrt(2)]; error relative to f 2^-28.6.
# float64: (log(1 + f) / s - 2) / s^2, a polynomial in s^2 with s = f / (2 + f); error relative to f 2^-59.5.
LOG = {
    23: (
        0.3333331, -0.25000298, 0.20002496, -0.16652392, 0.14198624, -0.12663296, 0.12299814, -0.10329545,
        0.04218563,
    ),
    52: (
        0.6666666666666734, 0.39999999999416413, 0.28571428742112476, 0.22222198593751985, 0.18183563553029516,
        0.15314064344991063, 0.14795861228184984,
    ),
}  # fmt: skip

# 1 / log(2) and 1 / log(10) as a number of the format and what it lacks.
LOG2_E = {23: (1.442695, 1.925963033500011e-08), 52: (1.4426950408889634, 2.0355273740931033e-17)}
LOG10_E = {23: (0.4342945, -1.0103049952192578e-08), 52: (0.4342944819032518, 1.098319650216765e-17)}
# log10(2), the first part short enough for its product with k to be exact.
LOG10_2 = {23: (0.301025390625, 4.605038981195214e-06), 52: (0.3010299956640665, -8.532344317057107e-14)}

# (asinh(x) / x - 1) / x^2, a polynomial in x^2 <= 1/4; error relative to asinh 2^-29.6 and 2^-60.4.
ASINH = {
    23: (-0.16666643, 0.07498638, -0.0443824, 0.028156932, -0.013214064),
    52: (
        -0.1666666666666661, 0.074999999999844, -0.04464285712780386, 0.030381943714736567, -0.022372138306943477,
        0.01735238601790928, -0.013960221478792171, 0.0115129038417542, -0.009533756384436405,
        0.0074644403390718575, -0.0047455385082454974, 0.00171662936308043,
    ),
}  # fmt: skip


def split(x: Symbol, precision: Precision) -> tuple[Symbol, Symbol]:
    """(m, k) with x = 2**k m and sqrt(1/2) <= m < sqrt(2), for a normal x > 0; k is an integer."""
    half = precision.bits(math.sqrt(0.5))
    offset = apply("to_int", apply("bits", x) - half)
    k = apply("to_int", offset >> precision.mantissa)
    return apply("from_bits", apply("bits", x) - (k << precision.mantissa)), k


def normal(x: Symbol, precision: Precision) -> tuple[Symbol, Symbol]:
    """(x, 0.0), or (2**n x, -n) where x is denormal."""
    lift = precision.mantissa + 2
    denormal = x < 2.0 ** (1 - precision.bias)
    return where(denormal, x * 2.0**lift, x), where(denormal, -float(lift), 0.0)


def log_rest(f: Symbol, precision: Precision) -> Symbol:
    """log(1 + f) - f on the interval of the polynomials."""
    c = LOG[precision.mantissa]
    square = 0.5 * f * f
    if precision.mantissa == 23:
        return f * f * (f * polynomial(f, c)) - square
    s = f / (2.0 + f)
    z = s * s
    return s * (square + z * polynomial(z, c)) - square


def guard(y: Symbol, x: Symbol) -> Symbol:
    """y where 0 < x < inf; else what a logarithm of x is: -inf at 0, NaN below it, inf at inf, NaN of NaN."""
    return where(x < math.inf, where(x > 0.0, y, where(x == 0.0, -math.inf, math.nan)), x)


@scalar
def log(x: Symbol, precision: Precision) -> Symbol:
    """log(x) = k ln 2 + log(1 + f); within 1 ULP."""
    lifted, extra = normal(x, precision)
    m, k = split(lifted, precision)
    whole = apply("to_real", k) + extra
    high, low = LN2[precision.mantissa]
    f = m - 1.0
    return guard(whole * high + (f + (log_rest(f, precision) + whole * low)), x)


def log_in_base(x: Symbol, precision: Precision, unit: float, rest: float, two: tuple[float, float]) -> Symbol:
    """log(x) / log(base), where unit + rest = 1 / log(base) and the sum of ``two`` is the logarithm of 2."""
    lifted, extra = normal(x, precision)
    m, k = split(lifted, precision)
    whole = apply("to_real", k) + extra
    f = m - 1.0
    small = f * rest + (log_rest(f, precision) * unit + whole * two[1])
    return guard(whole * two[0] + (f * unit + small), x)


@scalar
def log2(x: Symbol, precision: Precision) -> Symbol:
    """log2(x) = k + log(1 + f) / log(2); within 2 ULP, and exact for a power of two."""
    return log_in_base(x, precision, *LOG2_E[precision.mantissa], (1.0, 0.0))


@scalar
def log10(x: Symbol, precision: Precision) -> Symbol:
    """log10(x) = k log10(2) + log(1 + f) / log(10); within 2 ULP."""
    return log_in_base(x, precision, *LOG10_E[precision.mantissa], LOG10_2[precision.mantissa])


def log_of_sum(u: Symbol, error: Symbol | None, precision: Precision, extra: Symbol | None = None) -> Symbol:
    """log(u + error) + extra * ln 2 for a normal u and an error less than its last bit."""
    m, k = split(u, precision)
    whole = apply("to_real", k)
    if extra is not None:
        whole = whole + extra
    high, low = LN2[precision.mantissa]
    f = m - 1.0
    if error is not None:
        # error * 2**-k; half of it times 2**(1 - k), which is still finite for the largest k
        f = f + 0.5 * error * apply("from_bits", precision.bits(2.0) - (k << precision.mantissa))
    return guard(whole * high + (f + (log_rest(f, precision) + whole * low)), u)


def one_plus(x: Symbol) -> tuple[Symbol, Symbol]:
    """1 + x rounded, and the rounding error (Knuth)."""
    u = 1.0 + x
    back = u - 1.0
    return u, (1.0 - (u - back)) + (x - back)


@scalar
def log1p(x: Symbol, precision: Precision) -> Symbol:
    """log(1 + x), as log of u = 1 + x rounded, the rounding error added to f; within 2 ULP."""
    return where(abs(x) < tiny(precision), x, log_of_sum(*one_plus(x), precision))


@scalar
def asinh(x: Symbol, precision: Precision) -> Symbol:
    """asinh(x) = log(a + sqrt(1 + a^2)), a = |x|; log(2 a) for a large a, a polynomial below 1/2; within 4 ULP."""
    a = abs(x)
    z = a * a
    large = a > 2.0 ** (precision.mantissa + 2)
    u = where(large, a, a + apply("sqrt", 1.0 + z))
    y = log_of_sum(u, None, precision, where(large, 1.0, 0.0))
    small = a + a * (z * polynomial(z, ASINH[precision.mantissa]))
    return apply("copysign", where(a < 0.5, small, y), x)


@scalar
def acosh(x: Symbol, precision: Precision) -> Symbol:
    """acosh(x) = log(1 + t + sqrt(2 t + t^2)), t = x - 1, where x is large log(2 x); within 4 ULP."""
    t = x - 1.0
    u, error = one_plus(t + apply("sqrt", 2.0 * t + t * t))
    large = x > 2.0 ** (precision.mantissa + 2)
    y = log_of_sum(where(large, x, u), where(large, 0.0, error), precision, where(large, 1.0, 0.0))
    return where(x >= 1.0, y, math.nan)


@scalar
def atanh(x: Symbol, precision: Precision) -> Symbol:
    """atanh(x) = log(1 + 2 a / (1 - a)) / 2, a = |x|, and the sign of x; within 4 ULP."""
    a = abs(x)
    y = 0.5 * log_of_sum(*one_plus(2.0 * a / (1.0 - a)), precision)
    return where(a < tiny(precision), x, apply("copysign", y, x))
