"""The largest and the smallest, and where they are."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..kernels import reduce as kernels
from ..kernels.places import extremum
from ..kernels.spread import SHARES, spread
from ..tensor import Tensor
from .convert import cast, clone
from .dims import normal_dim, normal_dims, numpy_spelling
from .gather import scatter_zeros
from .op import op
from .selection import maximum, minimum, where
from .shape import reshape
from .totals import count, repeat_along, sum

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "min"]

Dims = int | Sequence[int] | None


def share_ties(g: Any, x: Any, out: Any, dim: tuple[int, ...]) -> Any:
    """The gradient of an extremum, shared evenly among the places that attain it; NaN attains itself."""
    shape = tuple(x.shape)
    top = repeat_along(out, shape, dim)
    attained = (x == top) | ((x != x) & (top != top))
    count = repeat_along(cast(sum(attained, dim, True), g.dtype), shape, dim)
    return where(attained, repeat_along(g, shape, dim) / count, 0.0)


@op(x=share_ties)
def _amax(x, *, dim, keepdim):
    return kernels.reduce(kernels.MAXIMUM, x, dim, keepdim)


@op(x=share_ties)
def _amin(x, *, dim, keepdim):
    return kernels.reduce(kernels.MINIMUM, x, dim, keepdim)


@_amax.by_hand
@_amin.by_hand
def _extremum_backward(g, x, out, dim):
    count = kernels.reduce(kernels.ATTAINED, x, dim, centre=out)
    return [spread(SHARES, g.reshape(count.shape) / count, x, dim, out)]


@op(x=lambda g, out, shape, dim: _to_places(g, out, shape, dim))
def _largest(x, *, dim, keepdim):
    return extremum(True, x, dim, keepdim)


@op(x=lambda g, out, shape, dim: _to_places(g, out, shape, dim))
def _smallest(x, *, dim, keepdim):
    return extremum(False, x, dim, keepdim)


def _to_places(g: Any, out: tuple, shape: tuple[int, ...], dim: int) -> Any:
    """Zeros with the gradient of each extremum in its place."""
    kept = (*shape[:dim], 1, *shape[dim + 1 :])
    part, index = (t if t.shape == kept else reshape(t, kept) for t in (g[0], out[1]))
    return scatter_zeros(part, index, dim=dim, to=shape)


@op()
def _argmax(x, *, dim, keepdim):
    return _place(True, x, dim, keepdim)


@op()
def _argmin(x, *, dim, keepdim):
    return _place(False, x, dim, keepdim)


def _place(largest: bool, x: np.ndarray, dim: int | None, keepdim: bool) -> np.ndarray:
    if dim is not None:
        return extremum(largest, x, dim, keepdim)[1]
    place = extremum(largest, x.reshape(-1), 0, False)[1]
    return place.reshape((1,) * x.ndim) if keepdim else place


def check_not_empty(op_name: str, x: Any, dims: tuple[int, ...], error: type[Exception] = IndexError) -> None:
    """An extremum over no elements does not exist."""
    if not count(x.shape, dims):
        raise error(f"{op_name}: nothing to choose from; got shape {tuple(x.shape)} over dim {dims}")


def _over(op_name: str, function: Any, input: Any, dim: Dims, keepdim: bool) -> Any:
    dims = normal_dims(op_name, dim, input.ndim)
    check_not_empty(op_name, input, dims, RuntimeError if dim is None else IndexError)
    return function(input, dim=dims, keepdim=keepdim)


@numpy_spelling
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest value over ``dim``; places that tie share the gradient evenly."""
    return _over("amax", _amax, input, dim, keepdim)


@numpy_spelling
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest value over ``dim``; places that tie share the gradient evenly."""
    return _over("amin", _amin, input, dim, keepdim)


class MinMax(NamedTuple):
    """What `aminmax` gives."""

    min: Tensor
    max: Tensor


@numpy_spelling
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The pair (`amin`, `amax`) along ``dim`` or of all."""
    return MinMax(*(_over("aminmax", find, input, dim, keepdim) for find in (_amin, _amax)))


class Extremum(NamedTuple):
    """What `max` and `min` over one axis give: the values and where each was found."""

    values: Tensor
    indices: Tensor


def _arg(find: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    at = None if dim is None else normal_dim(find.name, dim, input.ndim)
    if not input.ndim:
        return find(input, dim=None, keepdim=False)
    check_not_empty(find.name, input, tuple(range(input.ndim)) if at is None else (at,))
    return find(input, dim=at, keepdim=keepdim)


def _check_ordered(op_name: str, input: Any) -> None:
    if input.dtype == np.bool_:
        raise NotImplementedError(f"{op_name}: integer or floating tensors are needed; got bool")


@numpy_spelling
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest value is, along ``dim`` or in the flattened tensor; int64, the first of equal ones."""
    _check_ordered("argmax", input)
    return _arg(_argmax, input, dim, keepdim)


@numpy_spelling
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest value is, along ``dim`` or in the flattened tensor; int64, the first of equal ones."""
    _check_ordered("argmin", input)
    return _arg(_argmin, input, dim, keepdim)


def _extremum(op_name: str, find: Any, input: Any, dim: int, keepdim: bool) -> Extremum:
    at = normal_dim(op_name, dim, input.ndim)
    if not input.ndim:
        return Extremum(clone(input), Tensor(np.zeros((), np.int64)))
    check_not_empty(op_name, input, (at,))
    return Extremum(*find(input, dim=at, keepdim=keepdim))


@numpy_spelling
def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value; with ``dim`` the pair (values, indices), the gradient going to the one index; with a second
    tensor the elementwise `maximum`.

    >>> max(Tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1).indices
    tensor([1, 0])
    """
    if isinstance(dim, Tensor):
        return maximum(input, dim)
    return _over("max", _amax, input, None, False) if dim is None else _extremum("max", _largest, input, dim, keepdim)


@numpy_spelling
def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value; with ``dim`` the pair (values, indices), the gradient going to the one index; with a second
    tensor the elementwise `minimum`.
    """
    if isinstance(dim, Tensor):
        return minimum(input, dim)
    return _over("min", _amin, input, None, False) if dim is None else _extremum("min", _smallest, input, dim, keepdim)
