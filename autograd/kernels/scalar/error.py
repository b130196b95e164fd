"""erf, erfc and erfinv: odd polynomials; far from zero erf in float64 by log2(erfc), erfc as exp(-x^2) times erfcx,
erfinv by polynomials of a logarithm.
"""

import math

from ..symbol import Symbol
from .base import Precision, apply, polynomial, scalar, where
from .exponential import EXP2, exp_scaled, nearest, power_of_two
from .logarithm import log_of_sum, one_plus

__all__: list[str] = []

# erf(x) / x - 1 as a polynomial in x^2 <= 1; error relative to erf 2^-29.2 and 2^-55.9.
ERF = {
    23: (0.12837917, -0.37612626, 0.11283579, -0.026853347, 0.005187162, -0.00079978566, 7.806923e-05),
    52: (
        0.12837916709551256, -0.37612638903183343, 0.11283791670936953, -0.026866170641960067, 0.00522397759674766,
        -0.0008548325485771478, 0.0001205528052600529, -1.4924466326176367e-05, 1.6444160501473476e-06,
        -1.6184078002301867e-07, 1.3617119079449717e-08, -7.608673282110987e-10,
    ),
}  # fmt: skip

# erf(x) / x in float32, for all x whose erf is not 1 within an ULP: a polynomial in z = 2 (x / 3.87)^2 - 1, from -1 to
# 1; relative error 2^-28.
ERF_IS_ONE = 3.86
ERF_WHOLE = (
    0.3653901, -0.18237935, 0.13560262, -0.11005302, 0.09077152, -0.073406205, 0.05698232, -0.041971035, 0.028914023,
    -0.018346349, 0.011272455, -0.0070935288, 0.0035711133, -0.0010144155, 0.00061194645, -0.00072672113,
    0.0002724451,
)  # fmt: skip

# -log2(erfc(x)), a polynomial in x - 1 from 1 to 6; absolute error of erfc 2^-56.
LOG2_ERFC = (
    2.6684166967815997, 3.807225345853595, 1.216346657686912, 0.059959990019572154, -0.014475749869262282,
    0.0028535085004332346, -0.0003423760381594355, -3.7935636959333736e-05, 3.9236430494087855e-05,
    -1.3948539426856186e-05, 3.071716084737395e-06, -2.9271066132196034e-07, -8.509290991737107e-08,
    4.868452082783332e-08, -1.2420880618754144e-08, 1.925313226005767e-09, -1.7440098439095362e-10,
    7.12100725194063e-12,
)  # fmt: skip

# erfcx(x) (x + a) as a polynomial in t = (x - a) / (x + a), x from 0.8 to 10.2 (from 1/2 to 27.4); relative error
# 2^-29.1 and 2^-53.8. That this change of variable makes a short polynomial of erfcx is from M. M. Shepherd and J. G.
# Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", Math. Comp. 36 (1981).
ERFCX_CENTRE = {23: 1.5, 52: 4.0}
ERFCX = {
    23: (
        0.96475625, -0.50785, 0.07562159, 0.047767587, -0.008111749, -0.00945823, -0.00090419204, 0.0018693585,
        0.001188337, -0.00068632804,
    ),
    52: (
        1.095995661000491, -0.9765487290808824, 0.7732087022652575, -0.5408538313131975, 0.33085158787682944,
        -0.17401093724088154, 0.07638151493568152, -0.02637005332998787, 0.006112055359053363,
        -0.0002809589223606656, -0.00045505078034398895, 0.00017681298131504923, -3.64255156901998e-06,
        -1.886110535297174e-05, 4.711938513769722e-06, 1.4242564457237091e-06, -8.708873659566137e-07,
        -7.544982966641829e-08, 1.4254835710925146e-07, 9.39033058814997e-10, -2.013047138578951e-08,
    ),
}  # fmt: skip

# erfinv(x) / x as polynomials, first in w - centre with w = -log(1 - x^2), then in sqrt(w) - centre; that w makes them
# short is from M. Giles, "Approximating the erfinv function", GPU Computing Gems 2 (2011). Each for w up to the first
# number; relative error 2^-27.4 and 2^-26.5 in float32, 2^-58.2, 2^-59.8 and 2^-59.9 in float64.
ERFINV = {
    23: (
        (5.0, 2.5, (
            1.5014094, 0.24664028, -0.004177387, -0.0012527419, 0.00021834444, -4.9633445e-06, -3.4627049e-06,
            4.6616995e-07, 2.3232657e-08, -8.7910035e-09,
        )),
        (16.0, 3.2, (
            3.0336366, 1.0046926, 0.0059749023, -0.0042969612, 0.0029335942, -0.0019796854, 0.0011392742,
            -0.00038251723, -0.00010319545, 0.00011363972,
        )),
    ),
    52: (
        (6.25, 3.125, (
            1.6536545626831027, 0.24015818242558834, -0.006033670871426996, -0.0007407025341545542,
            0.00018673420802052946, -1.3882523394197313e-05, -1.3654691772640716e-06, 4.2347881712049237e-07,
            -2.9070389895494313e-08, -4.1126606428893705e-09, 1.0512225668215838e-09, -5.414294625812275e-11,
            -1.2978504127019261e-11, 2.630503456563883e-12, -8.079292879767239e-14, -4.001589840833896e-14,
            6.533343640187576e-15, -3.987788908505915e-17, -1.2344888056907417e-16, 1.5545190343409467e-17,
            6.956725807439633e-19, -3.4876446470652254e-19, 1.6539058856972604e-20, 3.2193619015440713e-21,
            -3.001576250222392e-22,
        )),
        (16.0, 3.25, (
            3.0838856104922208, 1.0052589676941655, 0.00537091455355509, -0.003751208508223809, 0.0024914420979534413,
            -0.0016882755354779486, 0.0009532893416628614, -0.0003550378133695904, 2.4031511867944983e-05,
            6.828711417770171e-05, -4.732067384920599e-05, 1.2465042822852452e-05, 2.9325502276920078e-06,
            -3.985745996547955e-06, 1.4816698951230539e-06, -2.7551885497907566e-08, -2.456092014245394e-07,
            1.315284711957977e-07, -2.0820123160624585e-08, -1.528358054570871e-08, 7.646139279256265e-09,
        )),
        (37.0, 5.0, (
            4.849906401408584, 1.0103004648645448, -0.0001387193183802824, -0.00021503011980269452,
            7.599527810031682e-05, -1.96817711338695e-05, 4.526052490128911e-06, -9.93025992561572e-07,
            2.2905300437372107e-07, -6.757058008364593e-08, 2.9018095796712198e-08, -1.5219147663032552e-08,
            7.822405740630808e-09, -3.5257353618974773e-09, 1.3150066592197633e-09, -3.8841789007566485e-10,
            7.010237711082964e-11, 1.8519188130055647e-11, -2.0510064778378378e-11, 5.091747705561389e-12,
        )),
    ),
}  # fmt: skip


def erf_small(x: Symbol, precision: Precision) -> Symbol:
    """erf(x) for |x| <= 1."""
    return x + x * polynomial(x * x, ERF[precision.mantissa])


@scalar
def erf(x: Symbol, precision: Precision) -> Symbol:
    """erf(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x; within 4 ULP."""
    return precision.pick(_erf_single, _erf_double)(x, precision)


def _erf_single(x: Symbol, precision: Precision) -> Symbol:
    z = x * x * (2.0 / 3.87**2) - 1.0
    return where(abs(x) >= ERF_IS_ONE, apply("copysign", 1.0, x), x * polynomial(z, ERF_WHOLE))


def _erf_double(x: Symbol, precision: Precision) -> Symbol:
    """Beyond 1 it is 1 - 2**log2(erfc)."""
    a = abs(x)
    clamped = where(a > 6.0, 6.0, a)
    exponent = -polynomial(clamped - 1.0, LOG2_ERFC)
    whole, k = nearest(exponent, precision)
    r = exponent - whole
    large = 1.0 - (1.0 + r * polynomial(r, EXP2[precision.mantissa])) * power_of_two(k, precision)
    return where(a < 1.0, erf_small(x, precision), apply("copysign", large, x))


@scalar
def erfc(x: Symbol, precision: Precision) -> Symbol:
    """erfc(x) = 1 - erf(x), for large x without the cancellation; within 4 ULP, denormal results included."""
    a = abs(x)
    bound = precision.pick(10.2, 27.4)  # whose erfc rounds to zero
    a = where(a > bound, bound, a)
    # exp(-a^2) = exp(-high^2) exp(-(a - high) (a + high)): high has so few bits that its square is exact.
    unused = precision.pick(12, 27)
    high = apply("from_bits", (apply("bits", a) >> unused) << unused)
    gauss = exp_scaled(-(high * high), precision, tail=-((a - high) * (a + high)))
    centre = ERFCX_CENTRE[precision.mantissa]
    t = (a - centre) / (a + centre)
    large = gauss * polynomial(t, ERFCX[precision.mantissa]) / (a + centre)
    return where(a < 0.85, 1.0 - erf_small(x, precision), where(x > 0.0, large, 2.0 - large))


@scalar
def erfinv(x: Symbol, precision: Precision) -> Symbol:
    """The y whose erf is x, NaN outside [-1, 1]; within 4 ULP."""
    a = abs(x)
    # 1 - x^2, for small x as 1 and what it lacks of that.
    small = a < 0.5
    u, error = one_plus(where(small, -x * x, 0.0))
    w = -log_of_sum(where(small, u, (1.0 - a) * (1.0 + a)), error, precision)
    root = apply("sqrt", w)
    table = zip((w, root, root), ERFINV[precision.mantissa], strict=False)
    *pieces, (_, ratio) = [(end, polynomial(t - centre, coefficients)) for t, (end, centre, coefficients) in table]
    for end, piece in reversed(pieces):
        ratio = where(w < end, piece, ratio)
    return where(a < 1.0, x * ratio, where(a == 1.0, x * math.inf, math.nan))
