"""Tensors as text, in PyTorch's form."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .dtypes import bool_, get_default_dtype, int64

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["describe", "set_printoptions"]

_options = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
) -> None:
    """How tensors are printed: digits after the point, elements before it is abridged, how many at each edge, width."""
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    _options.update({name: value for name, value in given.items() if value is not None})


def _float_writer(array: np.ndarray) -> Callable[[float], str]:
    """Digits as PyTorch shows them: none if every number is whole, an exponent if they are very large or small."""
    finite = np.abs(array[np.isfinite(array) & (array != 0)].astype(np.float64))
    digits = _options["precision"]
    whole = not finite.size or bool(np.all(finite == np.floor(finite)))
    largest, smallest = (finite.max(), finite.min()) if finite.size else (0.0, 0.0)
    if largest > 1e8 or (not whole and (largest > 1000 * smallest or smallest < 1e-4)):
        return lambda x: _special(x) or f"{x:.{digits}e}"
    if whole:
        return lambda x: _special(x) or f"{x:.0f}."
    return lambda x: _special(x) or f"{x:.{digits}f}"


def _special(x: float) -> str | None:
    return None if np.isfinite(x) else "nan" if np.isnan(x) else "inf" if x > 0 else "-inf"


def _aligned(array: np.ndarray, prefix: str) -> str:
    shown = array
    if array.size > _options["threshold"]:
        edges = _options["edgeitems"]
        for axis, length in enumerate(array.shape):
            if length > 2 * edges:
                shown = np.take(shown, [*range(edges), *range(-edges, 0)], axis)
    write = _float_writer(shown) if array.dtype.kind == "f" else str
    width = max((len(write(x)) for x in shown.ravel()), default=0)
    return np.array2string(
        array,
        separator=", ",
        prefix=prefix,
        threshold=_options["threshold"],
        edgeitems=_options["edgeitems"],
        max_line_width=_options["linewidth"],
        formatter={"all": lambda x: write(x).rjust(width)},
    )


def describe(tensor: "Tensor") -> str:
    """``tensor([1., 2.], requires_grad=True)``: the values, and what is not the default of the rest."""
    array = tensor.array
    name = "Parameter containing:\n" if type(tensor).__name__ == "Parameter" else ""
    text = _aligned(array, "tensor(") if array.size or array.ndim == 1 else "[]"
    parts = [text]
    if not array.size and array.ndim != 1:
        parts.append(f"size={tuple(array.shape)}")
    if array.dtype not in (get_default_dtype(), int64, bool_) or (not array.size and array.dtype != get_default_dtype()):
        parts.append(f"dtype={array.dtype.name}")
    if tensor.node is not None:
        parts.append(f"grad_fn={tensor.node!r}")
    elif tensor.requires_grad:
        parts.append("requires_grad=True")
    return f"{name}tensor({', '.join(parts)})"
