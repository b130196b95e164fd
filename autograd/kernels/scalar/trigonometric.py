"""Circular functions and their inverses."""

import math

from ..symbol import Symbol
from .base import DOUBLE, SINGLE, Precision, apply, polynomial, scalar, where
from .exponential import tiny

__all__: list[str] = []

# (asin(x) / x - 1) / x^2, a polynomial in x^2 <= 1/4; error relative to asin 2^-31.7 and 2^-59.8.
ASIN = {
    23: (0.1666666, 0.07500521, 0.044513635, 0.031836044, 0.014329299, 0.03767286),
    52: (
        0.16666666666666763, 0.07499999999970117, 0.04464285717527323, 0.030381942675770282, 0.022372215894355476,
        0.017351595679791186, 0.013981016613914274, 0.011397307413476358, 0.010789246161162933,
        0.0036724530256177926, 0.021790022675617957, -0.021115864182124845, 0.03270164036632288,
    ),
}  # fmt: skip

# (atan(x) / x - 1) / x^2, a polynomial in x^2 <= tan(pi/8)^2; error relative to atan 2^-30.5 and 2^-63.8.
ATAN = {
    23: (-0.33333316, 0.1999853, -0.14244422, 0.10599357, -0.06090355),
    52: (
        -0.33333333333333326, 0.19999999999997095, -0.14285714285316395, 0.11111111083744958, -0.09090907985810201,
        0.07692279199086038, -0.06666174639281773, 0.05876515878017484, -0.052151763769720194,
        0.04490540031923696, -0.03317427688143269, 0.014892995144809825,
    ),
}  # fmt: skip

# (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2 / 2) / r^4, polynomials in r^2 <= (pi/4)^2; error 2^-27.9 and 2^-33.1.
SIN = (-0.16666655, 0.0083321845, -0.00019517206)
COS = (0.041666646, -0.0013887301, 2.4430661e-05)

# Rows (n, s, a, b, c): for |x| < 2**n, 2**s / (2 pi) = a + b + c less a whole number; a and b have 29 bits.
TURNS = (
    (48, 0, 0.15915494225919247, 8.327028684640414e-10, 5.69002518269599e-19),
    (75, 24, -0.14227956347167492, -6.307379930847734e-10, 1.19018493796901e-18),
    (102, 51, 0.1653437800705433, -3.059173678265914e-10, -1.2071264112128362e-18),
    (129, 78, 0.45894046500325203, 7.693048108270428e-10, -5.333449019995822e-19),
)


def multiple_of_pi(quarters: int, precision: Precision) -> tuple[float, float]:
    """quarters * pi / 4 as a number of the format and what it lacks."""
    quarter = {23: (0.7853981852531433, -2.1855695e-08), 52: (0.7853981633974483, 3.061616997868383e-17)}
    high, low = quarter[precision.mantissa]
    return quarters * high, quarters * low


def asin_rest(x: Symbol, z: Symbol, precision: Precision) -> Symbol:
    """asin(x) - x for z = x^2 <= 1/4."""
    return x * (z * polynomial(z, ASIN[precision.mantissa]))


@scalar
def asin(x: Symbol, precision: Precision) -> Symbol:
    """asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)) from 1/2 on; within 3 ULP."""
    a = abs(x)
    near_one = a > 0.5
    z = where(near_one, 0.5 - 0.5 * a, a * a)
    root = where(near_one, apply("sqrt", z), a)
    rest = asin_rest(root, z, precision)
    high, low = multiple_of_pi(2, precision)
    large = high - (2.0 * root + (2.0 * rest - low))
    return apply("copysign", where(near_one, large, root + rest), x)


@scalar
def acos(x: Symbol, precision: Precision) -> Symbol:
    """acos(x) = 2 asin(sqrt((1 - x) / 2)) from 1/2 on, pi less that of -x below -1/2, pi/2 - asin(x) between; 3 ULP."""
    a = abs(x)
    near_one = a > 0.5
    z = where(near_one, 0.5 - 0.5 * a, x * x)
    root = where(near_one, apply("sqrt", z), x)
    rest = asin_rest(root, z, precision)
    half_pi, half_low = multiple_of_pi(2, precision)
    pi, pi_low = multiple_of_pi(4, precision)
    middle = half_pi - (root + (rest - half_low))
    twice = 2.0 * (root + rest)
    return where(near_one, where(x > 0.0, twice, pi - (twice - pi_low)), middle)


@scalar
def atan(x: Symbol, precision: Precision) -> Symbol:
    """atan(x) = n pi/4 + atan of |x|, (|x| - 1) / (|x| + 1) or -1 / |x|, whichever is below tan(pi/8); within 3 ULP."""
    a = abs(x)
    steep, middle = a > math.tan(3 * math.pi / 8), a > math.tan(math.pi / 8)
    t = where(steep, -1.0, where(middle, a - 1.0, a)) / where(steep, a, where(middle, a + 1.0, 1.0))
    (quarter, quarter_low), (half, half_low) = multiple_of_pi(1, precision), multiple_of_pi(2, precision)
    high = where(steep, half, where(middle, quarter, 0.0))
    low = where(steep, half_low, where(middle, quarter_low, 0.0))
    z = t * t
    return apply("copysign", high + (t + (t * (z * polynomial(z, ATAN[precision.mantissa])) + low)), x)


def quadrant(x: Symbol) -> tuple[Symbol, Symbol, Symbol]:
    """(n, sin(r), cos(r)) for a float32 x = n pi/2 + r with |r| <= pi/4; the lowest two bits of the integer n count.

    In float64, x / (2 pi) is a sum of three products of which two are exact, so their whole parts can be dropped. For
    large x, which are integers times 2**s, whole parts of 2**s / (2 pi) are dropped in advance (Payne and Hanek).
    """
    *rest, (_, s, *parts) = TURNS
    scale, (a, b, c) = Symbol.of(2.0**-s), [apply("to_double", p) for p in parts]
    for limit, s, *parts in reversed(rest):
        below = abs(x) < 2.0**limit
        scale = where(below, 2.0**-s, scale)
        a, b, c = (where(below, p, q) for p, q in zip(parts, (a, b, c), strict=True))
    scaled = apply("to_double", x * scale)
    first, second = drop_whole(scaled * a), drop_whole(scaled * b)
    shifter = 1.5 * 2.0**52
    quarters = (4.0 * (first + second) + shifter) - shifter
    f = ((4.0 * first - quarters) + 4.0 * second) + 4.0 * (scaled * c)
    r = apply("to_real", f * (math.pi / 2))
    z = r * r
    sine = r + r * (z * polynomial(z, SIN))
    cosine = (1.0 - 0.5 * z) + z * z * polynomial(z, COS)
    return apply("bits", apply("to_real", quarters) + SINGLE.shifter), sine, cosine


def drop_whole(x: Symbol) -> Symbol:
    """x less the integer nearest to it, for a double |x| < 2**51."""
    shifter = 1.5 * 2.0**52
    return x - ((x + shifter) - shifter)


def signed(y: Symbol, n: Symbol) -> Symbol:
    """y, or -y if bit 1 of n is set."""
    return apply("from_bits", apply("bits", y) ^ ((n & 2) << 30))


@scalar
def sin(x: Symbol, precision: Precision) -> Symbol:
    """sin(x), float32 within 2 ULP for every x; float64 is the C library's."""
    if precision == DOUBLE:
        return apply("math_sin", x)
    n, sine, cosine = quadrant(x)
    return where(abs(x) < tiny(precision), x, signed(where((n & 1) == 1, cosine, sine), n))


@scalar
def cos(x: Symbol, precision: Precision) -> Symbol:
    """cos(x), float32 within 2 ULP for every x; float64 is the C library's."""
    if precision == DOUBLE:
        return apply("math_cos", x)
    n, sine, cosine = quadrant(x)
    return signed(where((n & 1) == 1, sine, cosine), n + 1)


@scalar
def tan(x: Symbol, precision: Precision) -> Symbol:
    """tan(x) = sin(x) / cos(x), float32 within 4 ULP for every x; float64 is the C library's."""
    if precision == DOUBLE:
        return apply("math_tan", x)
    n, sine, cosine = quadrant(x)
    odd = (n & 1) == 1
    return where(abs(x) < tiny(precision), x, where(odd, -cosine, sine) / where(odd, sine, cosine))
