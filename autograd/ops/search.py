"""Different values, and places in sorted ones."""

import math
from typing import Any

import numpy as np

from ..tensor import Tensor
from .dims import normal_dim, numpy_spelling
from .gather import gather_along
from .op import op

__all__ = ["bucketize", "searchsorted", "unique", "unique_consecutive"]


@op()
def _unique(input, *, dim):
    values, inverse, counts = np.unique(
        input, return_inverse=True, return_counts=True, axis=dim, equal_nan=False, sorted=True
    )
    return values, inverse.reshape(input.shape if dim is None else -1), counts


@op()
def _unique_consecutive(input, *, dim):
    x = input.reshape(-1) if dim is None else np.moveaxis(input, dim, 0)
    starts = np.ones(len(x), bool)
    if len(x) > 1:
        starts[1:] = (x[1:] != x[:-1]).reshape(len(x) - 1, math.prod(x.shape[1:])).any(1)
    inverse = np.cumsum(starts) - 1
    counts = np.diff(np.append(np.flatnonzero(starts), len(x)))
    if dim is None:
        return x[starts], inverse.reshape(input.shape), counts
    return np.moveaxis(x[starts], 0, dim), inverse, counts


def _wanted(outputs: tuple, return_inverse: bool, return_counts: bool) -> Any:
    values, inverse, counts = outputs
    chosen = (values, *([inverse] if return_inverse else []), *([counts] if return_counts else []))
    return chosen if len(chosen) > 1 else values


@numpy_spelling
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different values in rising order, or the different slices along ``dim``; not differentiable.

    With ``return_inverse`` also where each element went, with ``return_counts`` how often each value came.

    >>> unique(Tensor([3.0, 1.0, 3.0]), return_counts=True)
    (tensor([1., 3.]), tensor([1, 2]))
    """
    at = None if dim is None else normal_dim("unique", dim, input.ndim)
    return _wanted(_unique(input, dim=at), return_inverse, return_counts)


@numpy_spelling
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The values without those equal to the one before; `unique` of each run."""
    at = None if dim is None else normal_dim("unique_consecutive", dim, input.ndim)
    return _wanted(_unique_consecutive(input, dim=at), return_inverse, return_counts)


def _insertion_places(row: np.ndarray, values: np.ndarray, side: Any) -> np.ndarray:
    if row.dtype.kind != "f" or not np.isnan(row).any():
        return np.searchsorted(row, values, side)
    # Nothing is at most NaN, which for PyTorch's bisection means to look further up.
    low, high = np.zeros(values.shape, np.int64), np.full(values.shape, row.size)
    while (low < high).any():
        middle = (low + high) // 2
        found = row[np.minimum(middle, row.size - 1)]
        here = (found >= values) if side == "left" else (found > values)
        low, high = np.where(here | (low == high), low, middle + 1), np.where(here, middle, high)
    return low


@op()
def _searchsorted(sequence, values, *, side, dtype):
    if sequence.ndim == 1:
        return np.asarray(_insertion_places(sequence, values, side), dtype)
    rows = sequence.reshape(-1, sequence.shape[-1])
    columns = values.reshape(len(rows), -1)
    found = [_insertion_places(row, column, side) for row, column in zip(rows, columns, strict=True)]
    return np.array(found, dtype).reshape(values.shape)


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where each value would be inserted to keep the order: before equal ones, or after them if ``right``.

    The sequence has one axis, or the values have the same leading axes, and each row is searched in its own sequence.
    ``sorter`` holds the indices that sort a sequence which is not sorted.

    >>> from autograd import tensor
    >>> searchsorted(tensor([1, 3, 5]), tensor([3, 6]))
    tensor([1, 3])
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f'searchsorted: side must be "left" or "right"; got {side!r}')
    if side == "left" and right:
        raise RuntimeError('searchsorted: side and right disagree; got side="left" and right=True')
    values = input if isinstance(input, (Tensor, np.ndarray)) else Tensor(np.asarray(input))
    if sorter is not None:
        sorted_sequence = gather_along(sorted_sequence, sorter, dim=sorted_sequence.ndim - 1)
    shape = tuple(sorted_sequence.shape)
    if not shape or (len(shape) > 1 and shape[:-1] != tuple(values.shape[:-1])):
        raise RuntimeError(
            f"searchsorted: the sequence has one axis or the leading axes of the values; "
            f"got {shape} and {tuple(values.shape)}"
        )
    dtype = np.dtype(np.int32 if out_int32 else np.int64)
    return _searchsorted(sorted_sequence, values, side="right" if right or side == "right" else "left", dtype=dtype)


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Which of the intervals between ``boundaries`` each value is in; a boundary is in the interval below, or in the
    one above if ``right``.
    """
    if boundaries.ndim != 1:
        raise RuntimeError(f"bucketize: the boundaries have one axis; got shape {tuple(boundaries.shape)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
