"""Functions of one number as branch-free formulas, which LLVM turns into SIMD code.

numba's own ``math.exp`` is a call per element; these are a range reduction and a polynomial in straight-line code, 5
to 20 times as fast over an array. Each function builds Symbols for a precision; its coefficients are those of a
minimax approximation on the reduced range, found for these files by the Remez exchange. NaN, the infinities, the sign
of zero and gradual underflow come through as IEEE 754 has them.

base           the constants of a float format, the register of functions, polynomials
exponential    exp (and what may stand in for it), exp2, expm1, sinh, cosh, tanh
logarithm      log, log2, log10, log1p, asinh, acosh, atanh
division       fmod
error          erf, erfc, erfinv
gamma          lgamma
power          x to the power y
trigonometric  sin, cos, tan (of numbers beyond 2**19 the C library's), asin, acos, atan
"""

from . import division, error, exponential, gamma, logarithm, power, trigonometric
from .base import AS_WRITTEN, CHECKED, FUNCTIONS, STANDINS, Precision, build, read

__all__ = [
    "AS_WRITTEN", "CHECKED", "FUNCTIONS", "STANDINS", "Precision", "build", "division", "error", "exponential", "gamma",
    "logarithm", "power", "read", "trigonometric",
]  # fmt: skip
