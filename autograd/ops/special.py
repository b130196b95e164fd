"""Special functions: those of the normal distribution and of the gamma family, and a Bessel function."""

from typing import Any

import numpy as np

from .exponential import exp
from .formula import elementwise
from .selection import where

__all__ = ["digamma", "erf", "erfc", "erfinv", "i0", "lgamma", "polygamma"]

TWO_OVER_SQRT_PI = 1.1283791670955126


@elementwise(input=lambda g, input: g * (TWO_OVER_SQRT_PI * exp(-input * input)))
def erf(input):
    """The error function 2/sqrt(pi) * integral of e^-t^2 from 0 to x."""


@elementwise(input=lambda g, input: g * (-TWO_OVER_SQRT_PI * exp(-input * input)))
def erfc(input):
    """1 - erf(x), exact for large x."""


@elementwise(input=lambda g, out: g * (exp(out * out) / TWO_OVER_SQRT_PI), ufunc="scipy.special.erfinv")
def erfinv(input):
    """The inverse of `erf`; NaN outside [-1, 1]."""


@elementwise(input=lambda g, input: g * digamma(input))
def lgamma(input):
    """log |Gamma(x)|."""


@elementwise(input=lambda g, input: g * polygamma_n(input, 1.0), ufunc="scipy.special.digamma")
def digamma(input):
    """The derivative of `lgamma`."""


def _polygamma(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    from scipy.special import polygamma

    return polygamma(n, x)


@elementwise(input=lambda g, input, n: g * polygamma_n(input, n + 1), ufunc=_polygamma)
def polygamma_n(input, n=1.0):
    """The derivative of order n of `digamma`."""


def polygamma(n: int, input: Any) -> Any:
    """The derivative of order n >= 0 of `digamma`."""
    if n < 0:
        raise RuntimeError(f"polygamma: the order must not be negative; got n={n}")
    return polygamma_n(input, float(n)) if n else digamma(input)


@elementwise(input=lambda g, input: g * i1(input), ufunc="scipy.special.i0")
def i0(input):
    """The modified Bessel function of the first kind of order 0."""


@elementwise(
    input=lambda g, input, out: g * where(abs(input) > 1e-7, i0(input) - out / input, 0.5), ufunc="scipy.special.i1"
)
def i1(input):
    """The modified Bessel function of the first kind of order 1."""
