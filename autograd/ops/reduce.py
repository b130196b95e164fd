"""Reductions: one number out of many, over some axes or all."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import is_float, to_dtype
from ..tensor import Tensor
from .convert import cast, clone
from .dims import normal_dim, normal_dims, numpy_spelling
from .elementwise import maximum, minimum, sqrt, where
from .gather import gather
from .op import op
from .shape import expand, reshape, squeeze

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "std",
    "sum", "var",
]  # fmt: skip

Dims = int | Sequence[int] | None


def _spread(g: Any, shape: tuple[int, ...], dim: tuple[int, ...]) -> Any:
    """A reduced tensor repeated along the axes it was reduced over, whether or not it kept them."""
    kept = tuple(1 if i in dim else n for i, n in enumerate(shape))
    return expand(g if g.shape == kept else reshape(g, kept), shape)


@op(x=lambda g, shape, dim: _spread(g, shape, dim))
def _sum(x, *, dim, keepdim):
    with np.errstate(all="ignore"):
        return np.add.reduce(x, axis=dim, keepdims=keepdim)


@op(x=lambda g, shape, dim, count: _spread(g / count, shape, dim))
def _mean(x, *, dim, keepdim, count):
    with np.errstate(all="ignore"):
        return np.add.reduce(x, axis=dim, keepdims=keepdim) / x.dtype.type(count)


@op(x=lambda g, x, shape, dim, divisor: _spread(g, shape, dim) * ((x - mean(x, dim, True)) * (2 / divisor)))
def _var(x, *, dim, keepdim, divisor):
    with np.errstate(all="ignore"):
        d = x - np.mean(x, axis=dim, keepdims=True)
        return np.add.reduce(d * d, axis=dim, keepdims=keepdim) / x.dtype.type(divisor)


def _share_ties(g: Any, x: Any, out: Any, dim: tuple[int, ...]) -> Any:
    """The gradient of an extremum, shared evenly among the places that attain it."""
    shape = tuple(x.shape)
    attained = x == _spread(out, shape, dim)
    count = _spread(cast(sum(attained, dim, True), g.dtype), shape, dim)
    return where(attained, _spread(g, shape, dim) / count, 0.0)


@op(x=_share_ties)
def _amax(x, *, dim, keepdim):
    with np.errstate(all="ignore"):
        return np.maximum.reduce(x, axis=dim, keepdims=keepdim)


@op(x=_share_ties)
def _amin(x, *, dim, keepdim):
    with np.errstate(all="ignore"):
        return np.minimum.reduce(x, axis=dim, keepdims=keepdim)


def _in_dtype(input: Any, dtype: Any, floating: bool = False) -> Any:
    if dtype is not None:
        return cast(input, to_dtype(dtype))
    if floating and not is_float(input.dtype):
        raise RuntimeError(f"mean: the tensor must be floating; got {input.dtype}; pass dtype= or convert it")
    return input


@numpy_spelling
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` (an axis, several, or all); integers and bools are summed as int64.

    >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    x = _in_dtype(input, dtype)
    if x.dtype.kind in "biu":
        x = cast(x, to_dtype("int64"))
    return _sum(x, dim=normal_dims("sum", dim, x.ndim), keepdim=keepdim)


@numpy_spelling
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim`` (an axis, several, or all) of a floating tensor; NaN over no elements."""
    x = _in_dtype(input, dtype, floating=True)
    dims = normal_dims("mean", dim, x.ndim)
    return _mean(x, dim=dims, keepdim=keepdim, count=math.prod(x.shape[d] for d in dims))


@numpy_spelling
def var(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False, unbiased: bool = True) -> Tensor:
    """The variance over ``dim``: sum of (x - mean)^2 / (n - correction)."""
    dims = normal_dims("var", dim, input.ndim)
    count = math.prod(input.shape[d] for d in dims)
    divisor = _at_least_0(count - (correction if unbiased else 0))
    return _var(input, dim=dims, keepdim=keepdim, divisor=divisor)


def _at_least_0(value: float) -> float:
    return value if value > 0 else 0.0


@numpy_spelling
def std(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False, unbiased: bool = True) -> Tensor:
    """The standard deviation over ``dim``: the square root of `var`."""
    return sqrt(var(input, dim, correction=correction, keepdim=keepdim, unbiased=unbiased))


@numpy_spelling
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest value over ``dim``; places that tie share the gradient evenly."""
    return _amax(_not_empty("amax", input, dim), dim=normal_dims("amax", dim, input.ndim), keepdim=keepdim)


@numpy_spelling
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest value over ``dim``; places that tie share the gradient evenly."""
    return _amin(_not_empty("amin", input, dim), dim=normal_dims("amin", dim, input.ndim), keepdim=keepdim)


def _not_empty(op_name: str, x: Any, dim: Dims) -> Any:
    dims = normal_dims(op_name, dim, x.ndim)
    if not math.prod(x.shape[d] for d in dims):
        raise IndexError(f"{op_name}: nothing to choose from; got shape {tuple(x.shape)} over dim {dims}")
    return x


class Extremum(NamedTuple):
    """What `max` and `min` over one axis give: the values and where each was found."""

    values: Tensor
    indices: Tensor


@op()
def _argmax(x, *, dim, keepdim):
    return np.argmax(x, axis=dim, keepdims=keepdim)


@op()
def _argmin(x, *, dim, keepdim):
    return np.argmin(x, axis=dim, keepdims=keepdim)


@op()
def _any(x, *, dim, keepdim):
    return np.any(x, axis=dim, keepdims=keepdim)


@op()
def _all(x, *, dim, keepdim):
    return np.all(x, axis=dim, keepdims=keepdim)


@op()
def _count_nonzero(x, *, dim):
    return np.count_nonzero(x, axis=dim)


def _arg(find: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    _not_empty(find.name, input, dim)
    at = dim if dim is None or not input.ndim else normal_dim(find.name, dim, input.ndim)
    return find(input, dim=at if input.ndim else None, keepdim=keepdim)


@numpy_spelling
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest value is, along ``dim`` or in the flattened tensor; int64, the first of equal ones."""
    return _arg(_argmax, input, dim, keepdim)


@numpy_spelling
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest value is, along ``dim`` or in the flattened tensor; int64, the first of equal ones."""
    return _arg(_argmin, input, dim, keepdim)


def _extremum(find: Any, input: Any, dim: int, keepdim: bool) -> Extremum:
    if not input.ndim:
        return Extremum(clone(input), find(input, dim=None, keepdim=False))
    indices = _arg(find, input, dim, True)
    values = gather(input, dim, indices)
    return Extremum(values, indices) if keepdim else Extremum(squeeze(values, dim), squeeze(indices, dim))


@numpy_spelling
def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value; with ``dim`` the pair (values, indices), the gradient going to the one index; with a second
    tensor the elementwise `maximum`.
    """
    if isinstance(dim, Tensor):
        return maximum(input, dim)
    return amax(input) if dim is None else _extremum(_argmax, input, dim, keepdim)


@numpy_spelling
def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value; with ``dim`` the pair (values, indices), the gradient going to the one index; with a second
    tensor the elementwise `minimum`.
    """
    if isinstance(dim, Tensor):
        return minimum(input, dim)
    return amin(input) if dim is None else _extremum(_argmin, input, dim, keepdim)


@numpy_spelling
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether an element along ``dim`` is not zero."""
    return _any(input, dim=normal_dims("any", dim, input.ndim), keepdim=keepdim)


@numpy_spelling
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element along ``dim`` is not zero."""
    return _all(input, dim=normal_dims("all", dim, input.ndim), keepdim=keepdim)


@numpy_spelling
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements along ``dim`` are not zero."""
    return _count_nonzero(input, dim=normal_dims("count_nonzero", dim, input.ndim))
