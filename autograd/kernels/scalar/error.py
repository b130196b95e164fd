"""erf and erfc: an odd polynomial near zero, beyond it exp(-x^2) times a slowly varying function."""

from ..symbol import Symbol
from .base import Precision, apply, polynomial, scalar, where
from .exponential import exp_scaled

__all__: list[str] = []

# erf(x) / x as a polynomial in x^2 <= 1; relative error 2^-24.1 and 2^-55.8.
ERF = {
    23: (1.1283791, -0.37612218, 0.11278968, -0.026661405, 0.0048239543, -0.0004817818, -2.6627431e-05),
    52: (
        1.1283791670955126, -0.37612638903183343, 0.11283791670936953, -0.026866170641960067, 0.00522397759674766,
        -0.0008548325485771478, 0.0001205528052600529, -1.4924466326176367e-05, 1.6444160501473476e-06,
        -1.6184078002301867e-07, 1.3617119079449717e-08, -7.608673282110987e-10,
    ),
}  # fmt: skip

# erfcx(x) (x + a) as a polynomial in t = (x - a) / (x + a), x from 1/2 to 10.2 (27.4); relative error 2^-25.7 and
# 2^-53.2. That a rational change of variable makes erfcx a short polynomial is from M. M. Shepherd and J. G. Laframboise,
# "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", Math. Comp. 36 (1981).
ERFCX_CENTRE = {23: 2.0, 52: 4.0}
ERFCX = {
    23: (
        1.0215827, -0.6871606, 0.27947047, -0.036443617, -0.021486849, 0.006482723, 0.0029709581, -0.0008222335,
        -0.00043076684,
    ),
    52: (
        1.095995661000491, -0.9765487290808824, 0.7732087022652575, -0.5408538313131976, 0.33085158787682917,
        -0.1740109372408781, 0.07638151493569569, -0.02637005333305105, 0.006112055358776797,
        -0.00028095892178335905, -0.00045505077771425837, 0.00017681297830862984, -3.6425654728716932e-06,
        -1.886109598179679e-05, 4.711981468585174e-06, 1.424239133016101e-06, -8.709644396645781e-07,
        -7.543235838642808e-08, 1.426227423842946e-07, 9.31621626382925e-10, -2.0160325660890986e-08,
    ),
}  # fmt: skip


def erfcx(a: Symbol, precision: Precision) -> Symbol:
    """exp(a^2) erfc(a) for 1/2 <= a, up to where erfc is zero."""
    centre = ERFCX_CENTRE[precision.mantissa]
    inverse = 1.0 / (a + centre)
    return inverse * polynomial((a - centre) * inverse, ERFCX[precision.mantissa])


@scalar
def erf(x: Symbol, precision: Precision) -> Symbol:
    """erf(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x; within 2 ULP."""
    a = abs(x)
    a = where(a > 6.0, 6.0, a)
    z = a * a
    small = x * polynomial(z, ERF[precision.mantissa])
    large = 1.0 - exp_scaled(-z, precision) * erfcx(a, precision)
    return where(a < 1.0, small, apply("copysign", large, x))


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
    large = gauss * erfcx(a, precision)
    small = 1.0 - x * polynomial(x * x, ERF[precision.mantissa])
    return where(abs(x) < 0.5, small, where(x > 0.0, large, 2.0 - large))
