"""Tensors as text, in PyTorch's form."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .dtypes import bool_, get_default_dtype, int64

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["describe", "set_printoptions"]

_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options: dict[str, Any] = {**_PROFILES["default"], "sci_mode": None}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors are printed: digits after the point, elements before it is abridged, how many at each edge, width.

    ``profile`` sets all four: "default", "short" or "full". ``sci_mode`` writes exponents always or never; left out,
    where the numbers call for it.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile is one of {', '.join(_PROFILES)}; got {profile!r}")
        _options.update(_PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    _options.update({name: value for name, value in given.items() if value is not None})
    _options["sci_mode"] = sci_mode


class _Writer(NamedTuple):
    """How the numbers of one tensor are written: each of them, and how wide the widest is."""

    number: Callable[[Any], str]
    width: int

    def __call__(self, x: Any) -> str:
        return self.number(x).rjust(self.width)


def _writer(values: np.ndarray) -> _Writer:
    if values.dtype.kind != "f":
        return _Writer(str, max(len(str(x)) for x in values.flat))
    # Zeros, NaN and infinities take the room they need, but don't decide how the others are written.
    decisive = values[np.isfinite(values) & (values != 0)].astype(np.float64)
    number = _float_writer(decisive)
    return _Writer(number, max((len(number(x)) for x in decisive), default=1))


def _float_writer(decisive: np.ndarray) -> Callable[[float], str]:
    """Digits as PyTorch shows them: none if every number is whole, an exponent if they are far apart."""
    digits = _options["precision"]
    sizes = np.abs(decisive)
    whole = bool(np.all(sizes == np.floor(sizes)))
    exponent = _options["sci_mode"]
    if not sizes.size:
        exponent = False
    elif exponent is None:
        low, high = sizes.min(), sizes.max()
        exponent = bool(high > 1000 * low or high > 1e8 or (not whole and low < 1e-4))
    if exponent:
        return lambda x: f"{x:.{digits}e}"
    if whole:
        return lambda x: f"{x:.0f}." if math.isfinite(x) else f"{x:.0f}"
    return lambda x: f"{x:.{digits}f}"


def _abridged(array: np.ndarray) -> np.ndarray:
    """The elements that are shown of a large tensor."""
    edge = _options["edgeitems"]
    for axis, length in enumerate(array.shape):
        if length > 2 * edge:
            array = np.take(array, [*range(edge), *range(length - edge, length)], axis)
    return array


def _nested(array: np.ndarray, write: _Writer, indent: int, abridge: bool) -> str:
    """The brackets of an array, whose first stands in column ``indent``."""
    if not array.ndim:
        return write(array.item())
    edge = _options["edgeitems"]
    length = len(array)
    cut = abridge and length > 2 * edge
    places = [*range(edge), *range(length - edge, length)] if cut else range(length)
    if array.ndim > 1:
        parts = [_nested(array[i], write, indent + 1, abridge) for i in places]
        if cut:
            parts.insert(edge, "...")
        return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"
    words = [write(array[i].item()) for i in places]
    if cut:
        words.insert(edge, " ...")
    room = max(1, (_options["linewidth"] - indent) // (write.width + 2))
    rows = [", ".join(words[i : i + room]) for i in range(0, len(words), room)]
    return "[" + (",\n" + " " * (indent + 1)).join(rows) + "]"


def _traits(tensor: "Tensor") -> list[str]:
    """What is not the default: the shape of an empty tensor, the dtype, where it came from."""
    array, found = tensor.array, []
    if not array.size and array.ndim != 1:
        found.append(f"size={tuple(array.shape)}")
    usual = (get_default_dtype(), int64, bool_) if array.size else (get_default_dtype(),)
    if array.dtype not in usual:
        found.append(f"dtype={array.dtype.name}")
    if tensor.grad_fn is not None:
        found.append(f"grad_fn={tensor.grad_fn!r}")
    elif tensor.requires_grad:
        found.append("requires_grad=True")
    return found


def describe(tensor: "Tensor") -> str:
    """``tensor([1., 2.], requires_grad=True)``: the values, and what is not the default of the rest."""
    array = tensor.array
    opening = "tensor("
    if array.size:
        abridge = array.size > _options["threshold"]
        write = _writer(_abridged(array) if abridge else array)
        text = opening + _nested(array, write, len(opening), abridge)
    else:
        text = opening + "[]"
    used = len(text) - text.rfind("\n") + 1
    for trait in _traits(tensor):
        if used + len(trait) + 2 > _options["linewidth"]:
            text += ",\n" + " " * len(opening) + trait
            used = len(opening) + len(trait)
        else:
            text += ", " + trait
            used += len(trait) + 2
    return f"{text})"
