"""One of several: by a condition, the larger, the smaller, what lies inside bounds."""

import math
from typing import Any

import numpy as np

from .formula import Meant, elementwise

__all__ = [
    "clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "heaviside", "maximum", "minimum",
    "nan_to_num", "where",
]  # fmt: skip


@elementwise(
    input=lambda g, condition: where(condition, g, 0),
    other=lambda g, condition: where(condition, 0, g),
    ufunc=np.where,
    result="same",
)
def where(condition: bool, input: float, other: float):  # type: ignore[no-untyped-def]
    """input where the condition holds, else other."""


@where.otherwise
def _where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where the condition holds, else other; of the condition alone the indices where it holds, axis by axis."""
    if input is None and other is None:
        from .gather import nonzero

        return nonzero(condition, as_tuple=True)
    return Meant(where, (condition, input, other))


@elementwise(
    input=lambda g, input, other: where(input == other, g / 2, where(input < other, 0, g)),
    other=lambda g, input, other: where(input == other, g / 2, where(input > other, 0, g)),
    ufunc=np.maximum,
    result="same",
)
def maximum(input, other):
    """The larger of the two; NaN if one is; a tie shares the gradient."""


@elementwise(
    input=lambda g, input, other: where(input == other, g / 2, where(input > other, 0, g)),
    other=lambda g, input, other: where(input == other, g / 2, where(input < other, 0, g)),
    ufunc=np.minimum,
    result="same",
)
def minimum(input, other):
    """The smaller of the two; NaN if one is; a tie shares the gradient."""


@elementwise(
    input=lambda g, input, other: where((input >= other) | (other != other), g, 0),
    other=lambda g, input, other: where((input >= other) | (other != other), 0, g),
    ufunc=np.fmax,
    result="same",
)
def fmax(input, other):
    """The larger of the two, of a NaN and a number the number; a tie gives input the gradient."""
    return where((input >= other) | (other != other), input, other)


@elementwise(
    input=lambda g, input, other: where((input <= other) | (other != other), g, 0),
    other=lambda g, input, other: where((input <= other) | (other != other), 0, g),
    ufunc=np.fmin,
    result="same",
)
def fmin(input, other):
    """The smaller of the two, of a NaN and a number the number; a tie gives input the gradient."""
    return where((input <= other) | (other != other), input, other)


# --- inside bounds ---------------------------------------------------------------------------------------------------


@elementwise(
    input=lambda g, input, min: where(input >= min, g, 0),
    min=lambda g, input, min: where(input < min, g, 0),
    ufunc=np.maximum,
    result="same",
)
def clamp_min(input, min):
    """input, but at least min; at the bound the gradient passes."""
    return maximum(input, min)


@elementwise(
    input=lambda g, input, max: where(input <= max, g, 0),
    max=lambda g, input, max: where(input > max, g, 0),
    ufunc=np.minimum,
    result="same",
)
def clamp_max(input, max):
    """input, but at most max; at the bound the gradient passes."""
    return minimum(input, max)


@elementwise(
    input=lambda g, input, min, max: where((input >= min) & (input <= max), g, 0),
    min=lambda g, input, min, max: where((input < min) & (min < max), g, 0),
    max=lambda g, input, min, max: where((input > max) | (max < min), g, 0),
    result="same",
)
def clamp(input, min: float, max: float):  # type: ignore[no-untyped-def]
    """input between min and max; max where they cross."""
    return minimum(maximum(input, min), max)


@clamp.otherwise
def _clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input brought into [min, max]; either bound may be None. The gradient passes where input is inside."""
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of min and max is needed; got None and None")
    if max is None:
        return Meant(clamp_min, (input, min))
    return Meant(clamp_max, (input, max)) if min is None else Meant(clamp, (input, min, max))


clip = clamp


@elementwise(
    input=lambda g, input: where((input - input) == 0, g, 0),
    nan=lambda g, input: where(input != input, g, 0),
    posinf=lambda g, input: where(input == math.inf, g, 0),
    neginf=lambda g, input: where(input == -math.inf, g, 0),
    result="same",
)
def nan_to_num(input, nan=0.0, posinf=math.inf, neginf=-math.inf):
    """nan, posinf and neginf in place of NaN and the infinities."""
    finite = where(input == math.inf, posinf, where(input == -math.inf, neginf, input))
    return where(input != input, nan, finite)


@nan_to_num.otherwise
def _nan_to_num(input: Any, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Numbers in place of NaN (0) and the infinities (the largest and the smallest number of the dtype)."""
    if input.dtype.kind != "f":
        return input.clone()
    limits = np.finfo(input.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    return Meant(nan_to_num, (input, 0.0 if nan is None else nan, high, low))


@elementwise(result="same")
def heaviside(input, values):
    """0 below 0, 1 above, and values at 0."""
    return where(input == 0, values, where(input > 0, 1, 0))
