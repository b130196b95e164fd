"""Circular functions and their inverses."""

import math

from ..symbol import Symbol
from .base import DOUBLE, SINGLE, Precision, apply, checked, polynomial, scalar, standin, where
from .exponential import nearest, tiny

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

# (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2 / 2) / r^4, polynomials in r^2 <= (pi/4)^2; error 2^-27.9 and 2^-33.1 in
# float32, 2^-58.0 and 2^-64.1 in float64.
SIN = {
    23: (-0.16666655, 0.0083321845, -0.00019517206),
    52: (
        -0.16666666666666632, 0.008333333333322486, -0.0001984126982985331, 2.755731370503179e-06,
        -2.505075988866504e-08, 1.589688696804065e-10,
    ),
}  # fmt: skip
COS = {
    23: (0.041666646, -0.0013887301, 2.4430661e-05),
    52: (
        0.0416666666666666, -0.001388888888887447, 2.4801587289666817e-05, -2.7557314399204037e-07,
        2.087572898109394e-09, -1.1359916487549937e-11,
    ),
}  # fmt: skip

# pi / 2 in four parts, of which three have 33 bits: n times these is exact for every n that occurs below FAR.
HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
FAR = 2.0**19
"""Arguments up to here are reduced by `quadrant`."""


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


def less(a: Symbol, b: Symbol) -> tuple[Symbol, Symbol]:
    """a - b rounded, and the rounding error (Dekker), for a larger a, or one so near to b that there is none."""
    difference = a - b
    return difference, (a - difference) - b


def quadrant(x: Symbol, precision: Precision) -> tuple[Symbol, Symbol, Symbol]:
    """(n, sin(r), cos(r)) for x = n pi/2 + r with |r| <= pi/4; the lowest two bits of the integer n count.

    The nearer x is to a multiple of pi/2 the more leading digits cancel, so n pi/2 is subtracted part by part and what
    the differences lack is kept (Cody and Waite). In float64 r is a number and a rest; for float32 one in float64 does.
    """
    first, second, third, fourth = (apply("to_double", part) for part in HALF_PI)
    x = apply("to_double", x)
    n, bits = nearest(x * apply("to_double", 2 / math.pi), DOUBLE)
    r = x - n * first
    if precision == SINGLE:
        r, rest = apply("to_real", r - n * (second + third)), None
        _, bits = nearest(apply("to_real", n), SINGLE)
    else:
        r, rest = less(r, n * second)
        r, more = less(r, n * third)
        r, rest = less(r, n * fourth - (rest + more))
    z = r * r
    half = 0.5 * z
    near_one = 1.0 - half
    sine = r * (z * polynomial(z, SIN[precision.mantissa]))
    cosine = z * z * polynomial(z, COS[precision.mantissa])
    if rest is not None:
        sine = sine + rest
        cosine = cosine - r * rest + ((1.0 - near_one) - half)
    return bits, r + sine, near_one + cosine


def signed(y: Symbol, n: Symbol, precision: Precision) -> Symbol:
    """y, or -y if bit 1 of n is set."""
    return apply("from_bits", apply("bits", y) ^ ((n & 2) << precision.pick(30, 62)))


@standin("sin", -FAR, FAR)
def sin_near(x: Symbol, precision: Precision) -> Symbol:
    """sin(x) or cos(x) of the reduced argument; within 2 ULP."""
    n, sine, cosine = quadrant(x, precision)
    return where(abs(x) < tiny(precision), x, signed(where((n & 1) == 1, cosine, sine), n, precision))


@standin("cos", -FAR, FAR)
def cos_near(x: Symbol, precision: Precision) -> Symbol:
    """cos(x) or sin(x) of the reduced argument; within 2 ULP."""
    n, sine, cosine = quadrant(x, precision)
    return signed(where((n & 1) == 1, sine, cosine), n + 1, precision)


@standin("tan", -FAR, FAR)
def tan_near(x: Symbol, precision: Precision) -> Symbol:
    """sin(r) / cos(r), or -cos(r) / sin(r); within 4 ULP."""
    n, sine, cosine = quadrant(x, precision)
    odd = (n & 1) == 1
    return where(abs(x) < tiny(precision), x, where(odd, -cosine, sine) / where(odd, sine, cosine))


def is_far(x: Symbol) -> Symbol:
    """Whether x is too large for `quadrant`."""
    return abs(x) > FAR


@checked("sin_near", is_far)
def sin(x: Symbol, precision: Precision) -> Symbol:
    """sin(x); beyond what `sin_near` takes it is the C library's."""
    return where(is_far(x), apply("math_sin", x), apply("sin_near", x))


@checked("cos_near", is_far)
def cos(x: Symbol, precision: Precision) -> Symbol:
    """cos(x); beyond what `cos_near` takes it is the C library's."""
    return where(is_far(x), apply("math_cos", x), apply("cos_near", x))


@checked("tan_near", is_far)
def tan(x: Symbol, precision: Precision) -> Symbol:
    """tan(x); beyond what `tan_near` takes it is the C library's."""
    return where(is_far(x), apply("math_tan", x), apply("tan_near", x))
