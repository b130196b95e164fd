"""The logarithm of the gamma function: a polynomial near its zeros, Stirling's series for large numbers."""

import math

from ..symbol import Symbol
from .base import Precision, apply, polynomial, scalar, where
from .exponential import tiny
from .logarithm import log

__all__: list[str] = []

# lgamma(2 + t) / (t (1 + t)), a polynomial in t from -0.8 to 0.5; relative error 2^-27.1 and 2^-57.6.
NEAR_TWO = {
    23: (
        0.42278433, -0.10031733, 0.03296529, -0.012383005, 0.0049933423, -0.002123411, 0.00094459904, -0.00032654422,
        0.00014257364, -0.00023010097,
    ),
    52: (
        0.42278433509846713, -0.10031730167435386, 0.0329650006211552, -0.012384192193382482, 0.004998641164756083,
        -0.0021081308332714156, 0.0009153769202995546, -0.000405707417009319, 0.0001825526673510317,
        -8.309481967204615e-05, 3.816873777397119e-05, -1.766453020165806e-05, 8.221589056628482e-06,
        -3.83141605284291e-06, 1.8204544767081935e-06, -9.034037415359364e-07, 3.370427005430828e-07,
        -1.1765986810564344e-07, 2.5411141713138306e-07, -4.1435004396794174e-08, -1.3175209340110006e-07,
        -1.0283046680954644e-07,
    ),
}  # fmt: skip

# What Stirling's formula lacks, times x, a polynomial in 1 / x^2 for x >= 8; error relative to lgamma 2^-31.4, 2^-60.7.
SERIES = {
    23: (0.083333306, -0.0027655193),
    52: (
        0.0833333333333333, -0.0027777777776099785, 0.0007936506668540801, -0.0005952029356858042,
        0.0008373083045454809, -0.0016532356354241884,
    ),
}  # fmt: skip
STIRLING = 0.5 * math.log(2.0 * math.pi) - 0.5


@scalar
def lgamma(x: Symbol, precision: Precision) -> Symbol:
    """log |Gamma(x)|, infinite at 0, -1, -2, ...; within 4 ULP for x > 0, below that of the larger of the two numbers
    whose difference it is there.

    Gamma(x) = (x - 1) Gamma(x - 1) leads to a number from 1.2 to 2.5; from 8 on Stirling's formula is used. For a
    negative x, Gamma(x) Gamma(1 - x) = pi / sin(pi x).
    """
    a = where(x < 0.0, 1.0 - x, x)
    t = where(a < 0.5, a, where(a < 1.2, a - 1.0, a - 2.0))
    factor = where(a < 0.5, a * (a + 1.0), where(a < 1.2, a, 1.0))
    for _ in range(6):
        above = t > 0.5
        t = where(above, t - 1.0, t)
        factor = where(above, factor * (t + 2.0), factor)
    large = a >= 8.0
    logarithm = log(where(large, a, factor), precision)
    near = t * (t + 1.0) * polynomial(t, NEAR_TWO[precision.mantissa])
    inverse = 1.0 / a
    rest = STIRLING + inverse * polynomial(inverse * inverse, SERIES[precision.mantissa])
    value = where(large, (a - 0.5) * (logarithm - 1.0) + rest, where(a < 1.2, near - logarithm, near + logarithm))
    turn = x - apply("round", x)
    sine = where(abs(turn) < tiny(precision), turn, apply("sin_near", math.pi * turn) / math.pi)
    reflected = -log(abs(sine), precision) - value
    pole = (turn == 0.0) | (x == -math.inf)  # so is every large number, where the difference would be inf - inf
    return where(x < 0.0, where(pole, math.inf, reflected), value)
