"""Questions answered element by element, logic, and bits."""

import math
from typing import Any

import numpy as np

from ..dtypes import float64
from .convert import cast
from .formula import elementwise
from .op import op
from .rounding import copysign

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "eq", "equal", "ge", "gt", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "le",
    "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne", "signbit",
]  # fmt: skip


@elementwise(ufunc=np.equal, result="bool")
def eq(input, other):
    """Whether input == other."""


@elementwise(ufunc=np.not_equal, result="bool")
def ne(input, other):
    """Whether input != other."""


@elementwise(ufunc=np.less, result="bool")
def lt(input, other):
    """Whether input < other."""


@elementwise(ufunc=np.less_equal, result="bool")
def le(input, other):
    """Whether input <= other."""


@elementwise(ufunc=np.greater, result="bool")
def gt(input, other):
    """Whether input > other."""


@elementwise(ufunc=np.greater_equal, result="bool")
def ge(input, other):
    """Whether input >= other."""


# --- what kind of number ---------------------------------------------------------------------------------------------


@elementwise(ufunc=np.isnan, result="bool")
def isnan(input):
    """Whether it is NaN."""
    return input != input


@elementwise(ufunc=np.isfinite, result="bool")
def isfinite(input):
    """Whether it is neither NaN nor infinite."""
    return (input - input) == 0


@elementwise(ufunc=np.isinf, result="bool")
def isinf(input):
    """Whether it is infinite."""
    return abs(input) == math.inf


@elementwise(ufunc=lambda x: x == math.inf, result="bool")
def isposinf(input):
    """Whether it is plus infinity."""
    return input == math.inf


@elementwise(ufunc=lambda x: x == -math.inf, result="bool")
def isneginf(input):
    """Whether it is minus infinity."""
    return input == -math.inf


@op()
def isreal(input):
    """Whether it is a real number: all of them are."""
    return np.ones(input.shape, bool)


@elementwise(ufunc=np.signbit, result="bool")
def signbit(input):
    """Whether the sign is minus; also of -0.0."""
    return copysign(1, input) < 0


# --- equality up to rounding -----------------------------------------------------------------------------------------


@elementwise(result="bool")
def near(input, other, rtol=1e-5, atol=1e-8):
    """Whether |input - other| <= atol + rtol * |other|; equal infinities are."""
    apart = abs(input - other)
    return (input == other) | ((apart <= atol + abs(rtol * other)) & (apart < math.inf))


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether |input - other| <= atol + rtol * |other|, element by element; equal infinities are, NaN if asked for."""
    if input.dtype != other.dtype:
        raise RuntimeError(f"isclose: the dtypes must be equal; got {input.dtype} and {other.dtype}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"isclose: rtol and atol must not be negative; got {rtol} and {atol}")
    if input.dtype.kind != "f":
        input, other = cast(input, float64), cast(other, float64)
    close = near(input, other, rtol, atol)
    return close | (isnan(input) & isnan(other)) if equal_nan else close


def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, see `isclose`; a Python bool.

    >>> from autograd import tensor
    >>> allclose(tensor([1.0]), tensor([1.0 + 1e-7]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input: Any, other: Any) -> bool:
    """Whether shape and all elements are equal; a Python bool."""
    return tuple(input.shape) == tuple(other.shape) and bool(eq(input, other).all())


# --- logic -----------------------------------------------------------------------------------------------------------


@elementwise(ufunc=np.logical_and, result="bool")
def logical_and(input, other):
    """Whether both are not zero."""


@elementwise(ufunc=np.logical_or, result="bool")
def logical_or(input, other):
    """Whether one or both are not zero."""


@elementwise(ufunc=np.logical_xor, result="bool")
def logical_xor(input, other):
    """Whether just one is not zero."""
    return (input != 0) != (other != 0)


@elementwise(ufunc=np.logical_not, result="bool")
def logical_not(input):
    """Whether it is zero."""


# --- bits ------------------------------------------------------------------------------------------------------------


@elementwise(ufunc=np.bitwise_and, result="same", takes="biu")
def bitwise_and(input, other):
    """Bit by bit and; of bools, both."""


@elementwise(ufunc=np.bitwise_or, result="same", takes="biu")
def bitwise_or(input, other):
    """Bit by bit or; of bools, one or both."""


@elementwise(ufunc=np.bitwise_xor, result="same", takes="biu")
def bitwise_xor(input, other):
    """Bit by bit exclusive or; of bools, just one."""


@elementwise(ufunc=np.invert, result="same", takes="biu")
def bitwise_not(input):
    """Every bit inverted; of a bool, not."""


@elementwise(ufunc=np.left_shift, result="same", takes="iu")
def bitwise_left_shift(input, other):
    """The bits moved other places up: input * 2^other."""


@elementwise(ufunc=np.right_shift, result="same", takes="iu")
def bitwise_right_shift(input, other):
    """The bits moved other places down: floor(input / 2^other)."""
