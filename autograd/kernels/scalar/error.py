"""erf and erfc: odd polynomials; far from zero erf in float64 through log2(erfc), erfc as exp(-x^2) times erfcx."""

from ..symbol import Symbol
from .base import Precision, apply, polynomial, scalar, where
from .exponential import EXP2, exp_scaled, nearest, power_of_two

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
