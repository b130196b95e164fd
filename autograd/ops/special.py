"""Special functions: those of the normal distribution and of the gamma family, and a Bessel function."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .exponential import exp, log
from .formula import elementwise
from .rounding import round
from .selection import where
from .trigonometric import sin, tan

__all__ = ["digamma", "erf", "erfc", "erfinv", "i0", "lgamma", "polygamma"]

TWO_OVER_SQRT_PI = 1.1283791670955126


@elementwise(input=lambda g, input: g * (TWO_OVER_SQRT_PI * exp(-input * input)))
def erf(input):
    """The error function 2/sqrt(pi) * integral of e^-t^2 from 0 to x."""


@elementwise(input=lambda g, input: g * (-TWO_OVER_SQRT_PI * exp(-input * input)))
def erfc(input):
    """1 - erf(x), exact for large x."""


@elementwise(input=lambda g, out: g * (exp(out * out) / TWO_OVER_SQRT_PI))
def erfinv(input):
    """The inverse of `erf`; NaN outside [-1, 1]."""


@elementwise(input=lambda g, input: g * digamma(input))
def lgamma(input):
    """log |Gamma(x)|."""


# Both are moved up by the recurrence to where their asymptotic series, in Bernoulli numbers, has converged, and
# reflected to the right for negative x (Abramowitz and Stegun, 6.3 and 6.4).
STEPS = 8
DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)


def _series(coefficients: Sequence[float], t: Any) -> Any:
    """c0 t + c1 t^2 + c2 t^3 + ..."""
    total: Any = 0.0
    for c in reversed(coefficients):
        total = (total + c) * t
    return total


@elementwise(input=lambda g, input: g * trigamma(input))
def digamma(input):
    """The derivative of `lgamma`; NaN at the negative integers."""
    x = where(input < 0, 1 - input, input)
    z = x + STEPS
    steps = 1 / x
    for i in range(1, STEPS):
        steps = steps + 1 / (x + i)
    right = log(z) - 0.5 / z - _series(DIGAMMA, 1 / (z * z)) - steps
    part = input - round(input)
    return where(input < 0, where(part == 0, math.nan, right - math.pi / tan(math.pi * part)), right)


@elementwise(input=lambda g, input: g * polygamma_n(input, 2.0))
def trigamma(input):
    """The derivative of `digamma`; infinite at 0 and the negative integers."""
    x = where(input < 0, 1 - input, input)
    z = x + STEPS
    steps = 1 / (x * x)
    for i in range(1, STEPS):
        steps = steps + 1 / ((x + i) * (x + i))
    right = steps + (1 + 0.5 / z + _series(TRIGAMMA, 1 / (z * z))) / z
    s = sin(math.pi * (input - round(input)))
    return where(input < 0, math.pi * math.pi / (s * s) - right, right)


def _polygamma(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    from scipy.special import polygamma

    return polygamma(n, x)


@elementwise(input=lambda g, input, n: g * polygamma_n(input, n + 1), ufunc=_polygamma)
def polygamma_n(input, n=1.0):
    """The derivative of order n > 0 of `digamma`."""


def polygamma(n: int, input: Any) -> Any:
    """The derivative of order n >= 0 of `digamma`."""
    if n < 0:
        raise RuntimeError(f"polygamma: the order must not be negative; got n={n}")
    return digamma(input) if n == 0 else trigamma(input) if n == 1 else polygamma_n(input, float(n))


@elementwise(input=lambda g, input: g * i1(input), ufunc="scipy.special.i0")
def i0(input):
    """The modified Bessel function of the first kind of order 0."""


@elementwise(
    input=lambda g, input, out: g * where(abs(input) > 1e-7, i0(input) - out / input, 0.5), ufunc="scipy.special.i1"
)
def i1(input):
    """The modified Bessel function of the first kind of order 1."""
