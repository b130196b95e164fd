"""Rows of a table, looked up and pooled in bags."""

from typing import Any

import numpy as np

from ..dtypes import float16, float32
from ..kernels import bags as kernels
from ..tensor import Tensor
from .convert import cast
from .dims import filled
from .gather import check_bounds, index_add_zeros, index_select_along, scatter_zeros
from .op import Kept, op
from .reduce import sum
from .selection import where
from .shape import reshape

__all__ = ["pool_rows"]


def _owners(starts: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The bag of each place, and whether it is in one."""
    owners = np.searchsorted(starts, np.arange(count), "right") - 1
    inside = (owners >= 0) & (owners < len(starts) - 1)
    return np.where(inside, owners, 0), inside


def _parts(g: Any, index: np.ndarray, starts: np.ndarray, skip: int, mean: bool) -> Any:
    """The gradient of each looked up row, factors apart."""
    if not len(starts) - 1:
        return np.zeros((len(index), g.shape[1]), g.dtype)
    owners, used = _owners(starts, len(index))
    used &= index != skip
    shares = used.astype(g.dtype)
    if mean:
        shares /= np.maximum(np.bincount(owners, used, len(starts) - 1), 1)[owners]
    return index_select_along(g, owners, dim=0) * shares[:, None]


def _arrays(*tensors: Any) -> list[np.ndarray]:
    return [t.array if isinstance(t, Tensor) else t for t in tensors]


def _table_gradient(g, factors, index, starts, shape, skip, mean):
    index, starts = _arrays(index, starts)
    parts = _parts(g, index, starts, skip, mean) * reshape(factors, -1, 1)
    return index_add_zeros(parts, index, dim=0, to=shape)


def _factor_gradient(g, table, index, starts, skip, mean):
    index, starts = _arrays(index, starts)
    return sum(_parts(g, index, starts, skip, mean) * index_select_along(table, index, dim=0), 1)


def _checked(table: np.ndarray, index: np.ndarray, starts: np.ndarray) -> list[np.ndarray]:
    """The places as the kernels read them, which is without looking."""
    check_bounds("pool_rows", table, index, table.shape[0], 0, IndexError)
    places, bounds, status = *[np.ascontiguousarray(x, np.int64) for x in (index, starts)], np.empty(1, np.int64)
    kernels.find_fall(table, bounds, len(index), status)
    if status[0]:
        raise RuntimeError(f"pool_rows: starts rise from 0 to {len(index)} at most; got {starts.tolist()!r:.60}")
    return [places, bounds]


@op(table=_table_gradient, factors=_factor_gradient)
def _sum_of_rows(table, factors, index, starts, *, skip, mean):
    index, starts = _checked(table, index, starts)
    out, shares = np.empty((len(starts) - 1, table.shape[1]), table.dtype), np.empty(len(index), table.dtype)
    kernels.sum_of_rows(np.ascontiguousarray(table), index, starts, factors, skip, mean, out, shares)
    return Kept(out, (index, starts, shares))


@_sum_of_rows.by_hand
def _sum_of_rows_backward(g, table, kept, needs, skip, mean):
    index, starts, shares = kept
    g = np.ascontiguousarray(g)
    dtable = dfactors = None
    if needs[0]:
        dtable = np.zeros(table.shape, g.dtype)
        kernels.add_to_rows(g, index, starts, shares, skip, dtable)
    if needs[1]:
        if mean:
            dfactors = _factor_gradient(g, table, index, starts, skip, mean)
        else:
            dfactors = np.zeros(len(index), g.dtype)
            kernels.products_of_rows(g, np.ascontiguousarray(table), index, starts, skip, dfactors)
    return [dtable, dfactors, None, None]


def _to_places(g, out, shape):
    (places,) = _arrays(out[1])
    part = where(places < 0, 0.0, g[0])
    return scatter_zeros(part, np.maximum(places, 0), dim=0, to=shape)


@op(table=_to_places)
def _largest_of_rows(table, index, starts, *, skip):
    index, starts = _checked(table, index, starts)
    shape = (len(starts) - 1, table.shape[1])
    out, places = np.empty(shape, table.dtype), np.empty(shape, np.int64)
    kernels.largest_of_rows(np.ascontiguousarray(table), index, starts, skip, out, places)
    return out, places


def pool_rows(
    table: Tensor,
    index: Tensor,
    starts: Tensor,
    factors: Tensor | None = None,
    *,
    mode: str = "sum",
    skip: int = -1,
) -> Tensor:
    """The "sum", "mean" or "max" of the rows of a table that each bag names: bag b has the places starts[b] up to
    starts[b + 1] of ``index``; (rows, d), integers (n,) and (bags + 1,) -> (bags, d). ``factors`` (n,) weigh the rows
    of a sum. A place that names the row ``skip`` is left out, and a bag with nothing in it gives 0.

    >>> from autograd import tensor
    >>> pool_rows(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([0, 1, 1]), tensor([0, 2, 3]))
    tensor([[4., 6.],
            [3., 4.]])
    """
    dtype = float32 if table.dtype == float16 else table.dtype
    x = cast(table, dtype)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f'pool_rows: mode is "sum", "mean" or "max"; got {mode!r}')
    if mode == "max":
        return cast(_largest_of_rows(x, index, starts, skip=skip)[0], table.dtype)
    by = filled(1.0, index.shape[0], dtype) if factors is None else cast(factors, dtype)
    return cast(_sum_of_rows(x, by, index, starts, skip=skip, mean=mode == "mean"), table.dtype)
