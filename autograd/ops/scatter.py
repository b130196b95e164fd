"""Scatter: each element to a place of its own along an axis, written, added or reduced into a copy."""

from typing import Any

import numpy as np

from ..dtypes import bool_, is_float
from ..kernels.scatter import flat_index, put_along
from ..tensor import Tensor
from .convert import cast, clone
from .dims import normal_dim, numpy_spelling
from .elementwise import floor_divide, where
from .gather import as_line, check_bounds, check_index, gather_along, scatter_zeros
from .op import op
from .shape import reshape, sum_to

__all__ = ["scatter", "scatter_add", "scatter_reduce"]


def check_dtype(name: str, input: Any, source: Any) -> None:
    if source.dtype != input.dtype:
        raise RuntimeError(f"{name}: both tensors have one dtype; got {input.dtype} and {source.dtype}")


def as_source(input: Any, value: Any) -> Any:
    """A number as an array of the dtype of ``input``; a tensor as it is."""
    return value if isinstance(value, Tensor) else np.asarray(value).astype(input.dtype)


def zero_like(g: Any) -> np.ndarray:
    return np.zeros((), g.dtype)


# --- by an index of as many axes -------------------------------------------------------------------------------------


@op(
    x=lambda g, index, dim: _scatter(g, zero_like(g), index, dim=dim),
    src=lambda g, index, dim, shape: sum_to(gather_along(g, index, dim=dim), shape),
)
def _scatter(x, src, index, *, dim):
    check_bounds("scatter", x, index, x.shape[dim], dim)
    return put_along(x, dim, index, src)


def _names_nothing(name: str, input: Any, dim: int, index: Any) -> bool:
    """An index without elements may have any number of axes, as in PyTorch."""
    normal_dim(name, dim, input.ndim)
    return 0 in index.shape and index.ndim != input.ndim


def _prepare(name: str, input: Any, dim: int, index: Any, src: Any) -> tuple[Any, Any, Any, int]:
    """The tensors as lines at least, src cut to the index, and the axis."""
    at = check_index(name, input, dim, index, src)
    check_dtype(name, input, src)
    index, src = as_line(index), as_line(src)
    return as_line(input), index, src[tuple(slice(n) for n in index.shape)] if src.shape != index.shape else src, at


@numpy_spelling
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Any:
    """A copy of ``input`` with each element of ``src`` (or one number) where ``index`` points along ``dim``.

    Of several elements for one place the last stays. ``reduce`` is "add" or "multiply" to combine with what is there.

    >>> scatter(Tensor([0.0, 0.0, 0.0]), 0, Tensor(np.array([2, 0])), Tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    given = value if src is None else src
    if given is None:
        raise TypeError("scatter: src or value is needed; got neither")
    if _names_nothing("scatter", input, dim, index):
        return clone(input)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f'scatter: reduce is "add" or "multiply"; got {reduce!r}')
        full = given if isinstance(given, Tensor) else Tensor(np.full(index.shape, given, input.dtype))
        return scatter_reduce(input, dim, index, full, {"add": "sum", "multiply": "prod"}[reduce])
    if isinstance(given, Tensor):
        x, index, part, at = _prepare("scatter", input, dim, index, given)
    else:
        x, part, at = as_line(input), as_source(input, given), check_index("scatter", input, dim, index)
        index = as_line(index)
    return as_input(_scatter(x, part, index, dim=at), input)


def as_input(out: Any, input: Any) -> Any:
    return out if input.ndim else reshape(out, ())


@numpy_spelling
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with each element of ``src`` added where ``index`` points along ``dim``.

    >>> scatter_add(Tensor([0.0, 0.0]), 0, Tensor(np.array([1, 1])), Tensor([5.0, 6.0]))
    tensor([ 0., 11.])
    """
    if _names_nothing("scatter_add", input, dim, index):
        return clone(input)
    x, index, part, at = _prepare("scatter_add", input, dim, index, src)
    return as_input(x + scatter_zeros(part, index, dim=at, to=tuple(x.shape)), input)


# --- reductions into places ------------------------------------------------------------------------------------------


def _hits(index: Any, dim: int, like: Any) -> Any:
    """How many elements go to each place of ``like``."""
    return scatter_zeros(np.ones(index.shape, like.dtype), index, dim=dim, to=tuple(like.shape))


def _reduce_at(ufunc: np.ufunc, x: Any, src: Any, index: Any, dim: int, start: Any) -> np.ndarray:
    """``ufunc`` of what goes to each place; ``start`` takes the place of what is there unless it is None."""
    check_bounds("scatter_reduce", x, index, x.shape[dim], dim)
    flat = flat_index(x.shape, dim, index)
    out = np.array(x, order="C")
    line = out.reshape(-1)
    if start is not None:
        line[flat] = start
    with np.errstate(all="ignore"):  # infinities and NaN are results like others
        ufunc.at(line, flat.reshape(-1), src.reshape(-1))
    return out


def _tied(g: Any, x: Any, src: Any, index: Any, out: Any, dim: int, include_self: bool) -> tuple:
    """Which elements attain the extremum, and the gradient each of those gets."""
    own = x == out
    if not include_self:
        own = own & (_hits(index, dim, out) == 0)
    theirs = src == gather_along(out, index, dim=dim)
    count = cast(own, g.dtype) + scatter_zeros(cast(theirs, g.dtype), index, dim=dim, to=tuple(out.shape))
    return own, theirs, g / count


def _extremum_to_x(g, x, src, index, out, dim, include_self, largest):
    own, _, share = _tied(g, x, src, index, out, dim, include_self)
    return where(own, share, 0.0)


def _extremum_to_src(g, x, src, index, out, dim, include_self, largest):
    _, theirs, share = _tied(g, x, src, index, out, dim, include_self)
    return where(theirs, gather_along(share, index, dim=dim), 0.0)


@op(x=_extremum_to_x, src=_extremum_to_src)
def _scatter_extremum(x, src, index, *, dim, include_self, largest):
    limits = np.array([-np.inf, np.inf]) if is_float(x.dtype) else _range(x.dtype)
    return _reduce_at(
        np.maximum if largest else np.minimum, x, src, index, dim, None if include_self else limits[0 if largest else 1]
    )


def _range(dtype: np.dtype) -> tuple[Any, Any]:
    return (False, True) if dtype == bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)


def _product_to_x(g, x, src, index, dim, include_self):
    if not include_self:
        return where(_hits(index, dim, x) == 0, g, 0.0)
    return g * _scatter_prod(np.ones(x.shape, x.dtype), src, index, dim=dim, include_self=True)


def _product_to_src(g, x, src, index, dim, include_self):
    """What the other factors are: the product divided by this one, or where this one is 0, that without the zeros."""
    zero = src == 0
    others = where(zero, 1.0, src)
    product = g * _scatter_prod(x, others, index, dim=dim, include_self=include_self)
    zeros = scatter_zeros(cast(zero, g.dtype), index, dim=dim, to=tuple(x.shape))
    alone = where(zero, gather_along(zeros, index, dim=dim) == 1, gather_along(zeros, index, dim=dim) == 0)
    return where(alone, gather_along(product, index, dim=dim) / others, 0.0)


@op(x=_product_to_x, src=_product_to_src)
def _scatter_prod(x, src, index, *, dim, include_self):
    return _reduce_at(np.multiply, x, src, index, dim, None if include_self else 1)


@numpy_spelling
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of ``input`` in which all elements of ``src`` that ``index`` sends to one place along ``dim`` are reduced
    to one: "sum", "prod", "mean", "amax" or "amin", together with what is there if ``include_self``.

    >>> scatter_reduce(Tensor([1.0, 9.0]), 0, Tensor(np.array([0, 0])), Tensor([2.0, 6.0]), "mean")
    tensor([3., 9.])
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"scatter_reduce: reduce is sum, prod, mean, amax or amin; got {reduce!r}")
    if _names_nothing("scatter_reduce", input, dim, index):
        return clone(input)
    x, index, part, at = _prepare("scatter_reduce", input, dim, index, src)
    if reduce == "prod":
        out = _scatter_prod(x, part, index, dim=at, include_self=include_self)
    elif reduce in ("amax", "amin"):
        out = _scatter_extremum(x, part, index, dim=at, include_self=include_self, largest=reduce == "amax")
    else:
        kept = x if include_self else _scatter(x, np.zeros((), x.dtype), index, dim=at)
        out = kept + scatter_zeros(part, index, dim=at, to=tuple(x.shape))
        if reduce == "mean":
            count = _how_many(index, dim=at, to=tuple(x.shape), dtype=x.dtype, include_self=include_self)
            out = out / count if is_float(x.dtype) else floor_divide(out, count)
    return as_input(out, input)


@op()
def _how_many(index, *, dim, to, dtype, include_self):
    hits = _hits(index, dim, np.empty(to, dtype))
    return hits + dtype.type(1) if include_self else np.maximum(hits, 1)
