"""Sorting, and what an order gives: the largest k, the k-th, the median, the most frequent."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..kernels.sort import FEW, LARGE, LONG, first_places, order_places
from ..tensor import Tensor
from .dims import normal_dim, numpy_spelling
from .extremum import share_ties
from .gather import as_line, gather_along
from .op import op
from .shape import reshape, squeeze

__all__ = ["argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "sort", "topk"]


class Ordered(NamedTuple):
    """Values picked out of a tensor and where each of them was; the gradient of a value goes to that place."""

    values: Tensor
    indices: Tensor


def _first(x: np.ndarray, dim: int, count: int) -> np.ndarray:
    return x[(*[slice(None)] * dim, slice(count))]


@op()
def _argsort(x, *, dim, descending):
    return order_places(x, dim, descending)


@op()
def _topk(x, *, dim, k, largest):
    n = x.shape[dim]
    if n < LONG or 4 * k > n:  # sorting everything is as fast as partitioning
        return _first(order_places(x, dim, largest), dim, k)
    if 0 < k <= FEW and x.size >= LARGE:
        return first_places(x, dim, k, largest)
    at = (*[slice(None)] * dim, slice(n - k, None) if largest else slice(k))
    places = np.argpartition(x, n - k if largest else max(k - 1, 0), axis=dim)[at]
    return np.take_along_axis(places, order_places(np.take_along_axis(x, places, dim), dim, largest), dim)


@op()
def _kth(x, *, dim, k):
    """Where the element of rank k (from 0) is; NaN has the highest rank."""
    return np.argpartition(x, k, axis=dim)[(*[slice(None)] * dim, slice(k, k + 1))]


@op()
def _median_place(x, *, dim, skip_nan):
    """Where the lower median is; without ``skip_nan`` the first NaN if there is one."""
    n = x.shape[dim]
    if x.dtype.kind != "f" or not (hole := np.isnan(x)).any():
        return _kth.forward(x, dim=dim, k=(n - 1) // 2)
    if not skip_nan:
        place = _kth.forward(x, dim=dim, k=(n - 1) // 2)
        return np.where(hole.any(dim, keepdims=True), hole.argmax(dim, keepdims=True), place)
    rank = np.maximum((~hole).sum(dim, keepdims=True) - 1, 0) // 2
    return np.take_along_axis(order_places(x, dim, False), rank, dim)


@op()
def _mode_place(x, *, dim):
    """Where the smallest of the most frequent values is, the last place of it."""
    order = np.moveaxis(order_places(x, dim, False), dim, -1)
    ranked = np.take_along_axis(np.moveaxis(x, dim, -1), order, -1)
    places = np.arange(x.shape[dim])
    starts = np.ones(ranked.shape, bool)
    starts[..., 1:] = ranked[..., 1:] != ranked[..., :-1]
    run = places - np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    longest = run.argmax(-1, keepdims=True)
    return np.moveaxis(np.take_along_axis(order, longest, -1), -1, dim)


@op(x=lambda g, x, out: share_ties(g, x, out, (x.ndim - 1,)))
def _median_of_rows(x, *, skip_nan):
    """The lower median of each row; (*, n) -> (*)."""
    if not x.shape[-1]:
        if x.dtype.kind != "f":
            raise RuntimeError("median: integers need an element; got none")
        return np.full(x.shape[:-1], np.nan, x.dtype)
    if x.dtype.kind != "f":
        middle = (x.shape[-1] - 1) // 2
        return np.partition(x, middle)[..., middle]
    numbers = np.count_nonzero(x == x, -1) if skip_nan else np.full(x.shape[:-1], x.shape[-1])
    middle = np.maximum(numbers - 1, 0) // 2
    picked = np.take_along_axis(np.partition(x, np.unique(middle)), middle[..., None], -1)[..., 0]
    return picked if skip_nan else np.where(np.isnan(x).any(-1), x.dtype.type(np.nan), picked)


def _pick(find: Callable, input: Any, dim: int, keepdim: bool | None, **attrs: Any) -> Ordered:
    """The values at the places that ``find`` gives; with ``keepdim`` None the axis stays whatever its length."""
    x = as_line(input)
    indices = find(x, dim=dim, **attrs)
    values = gather_along(x, indices, dim=dim)
    if not input.ndim:
        return Ordered(reshape(values, ()), reshape(indices, ()))
    if keepdim is None or keepdim:
        return Ordered(values, indices)
    return Ordered(squeeze(values, dim), squeeze(indices, dim))


def _axis(op_name: str, input: Any, dim: int) -> int:
    """The axis, along which there must be an element to choose."""
    at = normal_dim(op_name, dim, input.ndim)
    if input.ndim and not input.shape[at]:
        raise IndexError(f"{op_name}: nothing to choose from; got shape {tuple(input.shape)} over dim {at}")
    return at


@numpy_spelling
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Ordered:
    """The elements in order along ``dim`` (always stably, NaN as the largest) and where each was.

    >>> sort(Tensor([3.0, 1.0, 2.0])).indices
    tensor([1, 2, 0])
    """
    return _pick(_argsort, input, normal_dim("sort", dim, input.ndim), None, descending=descending)


@numpy_spelling
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort along ``dim``, always stably; NaN is the largest."""
    at = normal_dim("argsort", dim, input.ndim)
    return reshape(_argsort(as_line(input), dim=at, descending=descending), tuple(input.shape))


def msort(input: Tensor) -> Tensor:
    """The elements in order along the first axis."""
    return sort(input, 0).values


@numpy_spelling
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Ordered:
    """The k largest (or smallest) elements along ``dim``, from the most extreme on, and where they are.

    >>> topk(Tensor([3.0, 1.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    at = normal_dim("topk", dim, input.ndim)
    length = input.shape[at] if input.ndim else 1
    if input.dtype == np.bool_:
        raise NotImplementedError("topk: integer or floating tensors are needed; got bool")
    if not 0 <= k <= length:
        raise RuntimeError(f"topk: k must be in [0, {length}]; got {k} for shape {tuple(input.shape)} over dim {at}")
    # Of a 0-d tensor PyTorch gives its element also for k=0.
    return _pick(_topk, input, at, None, k=k if input.ndim else 1, largest=largest)


@numpy_spelling
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Ordered:
    """The k-th smallest element along ``dim``, counted from 1, and where it is."""
    at = _axis("kthvalue", input, dim)
    length = input.shape[at] if input.ndim else 1
    if not 1 <= k <= length:
        raise RuntimeError(
            f"kthvalue: k must be in [1, {length}]; got {k} for shape {tuple(input.shape)} over dim {at}"
        )
    return _pick(_kth, input, at, keepdim, k=k - 1)


@numpy_spelling
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median, of an even number of elements the lower of the two in the middle; NaN if there is one.

    Without ``dim`` of all elements, ties sharing the gradient; else the pair (values, indices).

    >>> median(Tensor([1.0, 5.0, 2.0, 4.0]))
    tensor(2.)
    """
    if dim is None:
        return _median_of_rows(reshape(input, -1), skip_nan=False)
    return _pick(_median_place, input, _axis("median", input, dim), keepdim, skip_nan=False)


@numpy_spelling
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The `median` of what is not NaN."""
    if dim is None:
        return _median_of_rows(reshape(input, -1), skip_nan=True)
    return _pick(_median_place, input, _axis("nanmedian", input, dim), keepdim, skip_nan=True)


@numpy_spelling
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Ordered:
    """The most frequent value along ``dim``, of several the smallest, and the last place where it is."""
    return _pick(_mode_place, input, _axis("mode", input, dim), keepdim)
