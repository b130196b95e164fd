"""Rounding, and division with a remainder."""

from typing import Any

import numpy as np

from .formula import Meant, elementwise
from .selection import where

__all__ = ["ceil", "copysign", "floor", "floor_divide", "fmod", "frac", "remainder", "round", "trunc"]


def _floats_only(ufunc: Any) -> Any:
    """The ufunc on floats; integers are whole already."""
    return lambda x: ufunc(x) if x.dtype.kind == "f" else x.copy()


@elementwise(input=lambda g: 0.0, ufunc=_floats_only(np.floor), result="same", takes="iuf")
def floor(input):
    """The largest integer not above."""


@elementwise(input=lambda g: 0.0, ufunc=_floats_only(np.ceil), result="same", takes="iuf")
def ceil(input):
    """The smallest integer not below."""


@elementwise(input=lambda g: 0.0, ufunc=_floats_only(np.trunc), result="same", takes="iuf")
def trunc(input):
    """The integer part: rounded toward 0."""


@elementwise(input=lambda g: 0.0, ufunc=_floats_only(np.rint), result="same", takes="iuf")
def round(input):
    """The nearest integer, of two the even one."""


@round.otherwise
def _round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest number with so many decimals (negative: tens, hundreds ...), of two the even one.

    >>> from autograd import tensor
    >>> round(tensor([2.5, 1.2345]), decimals=2)
    tensor([2.5000, 1.2300])
    """
    if decimals == 0 or input.dtype.kind != "f":
        return Meant(round, (input,))
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    return round(input * scale) / scale if decimals > 0 else round(input / scale) * scale


@elementwise(input=lambda g: g, takes="f")
def frac(input):
    """input - trunc(input), with the sign of input."""
    return input - trunc(input)


@elementwise(
    input=lambda g, input, out: where(input == 0, 0, g * (out / input)), other=lambda g: 0.0, ufunc=np.copysign
)
def copysign(input, other):
    """|input| with the sign of other."""


# --- division with a remainder ---------------------------------------------------------------------------------------


def whole(name: str, divide: Any) -> Any:
    """The division, refusing an integer 0 as Python does."""

    def checked(a: Any, b: Any) -> Any:
        if a.dtype.kind != "f" and not np.all(b) and 0 not in np.broadcast_shapes(a.shape, b.shape):
            raise RuntimeError(f"{name}: integers can't be divided by 0; got {b.dtype}; use floats")
        return divide(a, b)

    return checked


def _trunc_divide(a: Any, b: Any) -> Any:
    if a.dtype.kind == "f":
        return np.trunc(a / b)
    down = np.floor_divide(a, b)
    return down + ((down < 0) & (down * b != a))


@elementwise(
    input=lambda g: g,
    other=lambda g, input, other: -g * div_trunc(input, other),
    ufunc=whole("fmod", np.fmod),
    result="same",
    takes="iuf",
)
def fmod(input, other):
    """input - trunc(input / other) * other: the sign of input, as C's %."""


@elementwise(
    input=lambda g: g,
    other=lambda g, input, other: -g * div_floor(input, other),
    ufunc=whole("remainder", np.remainder),
    result="same",
    takes="iuf",
)
def remainder(input, other):
    """input - floor(input / other) * other: the sign of other, as Python's %."""
    rest = fmod(input, other)
    return where(rest == 0, copysign(0, other), where((rest < 0) != (other < 0), rest + other, rest))


@elementwise(input=lambda g: 0.0, other=lambda g: 0.0, ufunc=whole("div", _trunc_divide), result="same", takes="iuf")
def div_trunc(input, other):
    """input / other rounded toward 0."""
    return trunc(input / other)


@elementwise(input=lambda g: 0.0, other=lambda g: 0.0, ufunc=whole("div", np.floor_divide), result="same", takes="iuf")
def div_floor(input, other):
    """input / other rounded down, as Python's //."""
    rest = fmod(input, other)
    quotient = (input - rest) / other
    quotient = where((rest != 0) & ((rest < 0) != (other < 0)), quotient - 1, quotient)
    near = floor(quotient)
    near = where(quotient - near > 0.5, near + 1, near)
    return where(other == 0, input / other, where(quotient == 0, copysign(0, input / other), near))


@elementwise(ufunc=whole("floor_divide", np.floor_divide), result="same", takes="iuf", differentiable=False)
def floor_divide(input, other):
    """floor(input / other); not differentiable."""
    return div_floor(input, other)
