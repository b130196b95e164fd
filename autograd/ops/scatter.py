"""Writing into a copy at places along an axis, at a mask, or over a part; x.f_() writes into x itself."""

from typing import Any

import numpy as np

from ..dtypes import bool_, is_float
from ..kernels.scatter import flat_index
from ..tensor import Tensor, as_array
from .convert import cast
from .dims import normal_dim, numpy_spelling
from .elementwise import floor_divide, where
from .gather import (
    as_line,
    check_bounds,
    check_index,
    check_vector,
    gather_along,
    index_add_zeros,
    index_select_along,
    scatter_zeros,
)  # fmt: skip
from .index import _setitem, split_key
from .op import op
from .shape import broadcast_tensors, reshape, sum_to
from .split import along

__all__ = [
    "index_add", "index_copy", "index_fill", "masked_fill", "masked_scatter", "scatter", "scatter_add",
    "scatter_reduce", "select_scatter", "slice_scatter",
]  # fmt: skip


def _same_dtype(name: str, input: Any, source: Any) -> None:
    if source.dtype != input.dtype:
        raise RuntimeError(f"{name}: both tensors have one dtype; got {input.dtype} and {source.dtype}")


def _as_source(input: Any, value: Any) -> Any:
    """A number as an array of the dtype of ``input``; a tensor as it is."""
    return value if isinstance(value, Tensor) else np.asarray(value).astype(input.dtype)


def _zero_like(g: Any) -> np.ndarray:
    return np.zeros((), g.dtype)


# --- by an index of as many axes -------------------------------------------------------------------------------------


@op(
    x=lambda g, index, dim: _scatter(g, _zero_like(g), index, dim=dim),
    src=lambda g, index, dim, shape: sum_to(gather_along(g, index, dim=dim), shape),
)
def _scatter(x, src, index, *, dim):
    check_bounds("scatter", index, x.shape[dim], dim)
    out = np.array(x, order="C")
    out.reshape(-1)[flat_index(x.shape, dim, index)] = src
    return out


def _prepare(name: str, input: Any, dim: int, index: Any, src: Any) -> tuple[Any, Any, Any, int]:
    """The tensors as lines at least, src cut to the index, and the axis."""
    at = check_index(name, input, dim, index, src)
    _same_dtype(name, input, src)
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
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f'scatter: reduce is "add" or "multiply"; got {reduce!r}')
        full = given if isinstance(given, Tensor) else Tensor(np.full(index.shape, given, input.dtype))
        return scatter_reduce(input, dim, index, full, {"add": "sum", "multiply": "prod"}[reduce])
    if isinstance(given, Tensor):
        x, index, part, at = _prepare("scatter", input, dim, index, given)
    else:
        x, part, at = as_line(input), _as_source(input, given), check_index("scatter", input, dim, index)
        index = as_line(index)
    return _like_input(_scatter(x, part, index, dim=at), input)


def _like_input(out: Any, input: Any) -> Any:
    return out if input.ndim else reshape(out, ())


@numpy_spelling
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with each element of ``src`` added where ``index`` points along ``dim``.

    >>> scatter_add(Tensor([0.0, 0.0]), 0, Tensor(np.array([1, 1])), Tensor([5.0, 6.0]))
    tensor([ 0., 11.])
    """
    x, index, part, at = _prepare("scatter_add", input, dim, index, src)
    return _like_input(x + scatter_zeros(part, index, dim=at, to=tuple(x.shape)), input)


# --- reductions into places ------------------------------------------------------------------------------------------


def _hits(index: Any, dim: int, like: Any) -> Any:
    """How many elements go to each place of ``like``."""
    return scatter_zeros(np.ones(index.shape, like.dtype), index, dim=dim, to=tuple(like.shape))


def _reduce_at(ufunc: np.ufunc, x: Any, src: Any, index: Any, dim: int, start: Any) -> np.ndarray:
    """``ufunc`` of what goes to each place; ``start`` takes the place of what is there unless it is None."""
    check_bounds("scatter_reduce", index, x.shape[dim], dim)
    flat = flat_index(x.shape, dim, index)
    out = np.array(x, order="C")
    line = out.reshape(-1)
    if start is not None:
        line[flat] = start
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
    return _like_input(out, input)


@op()
def _how_many(index, *, dim, to, dtype, include_self):
    hits = _hits(index, dim, np.empty(to, dtype))
    return hits + dtype.type(1) if include_self else np.maximum(hits, 1)


# --- by a vector of places along an axis -----------------------------------------------------------------------------


def _check_parts(name: str, input: Any, dim: int, index: Any, source: Any) -> int:
    at = check_vector(name, input, dim, index)
    _same_dtype(name, input, source)
    x, count = as_line(input), as_line(index).shape[0]
    wanted = (*x.shape[:at], count, *x.shape[at + 1 :])
    if tuple(as_line(source).shape) != wanted:
        raise RuntimeError(
            f"{name}: the source has the shape of input, with the length of the index along dim {at}; "
            f"got {tuple(source.shape)} for {wanted}"
        )
    return at


@numpy_spelling
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy of ``input`` with ``alpha`` times the parts of ``source`` added to the parts that ``index`` names.

    >>> index_add(Tensor([1.0, 1.0]), 0, Tensor(np.array([1, 1])), Tensor([5.0, 6.0]))
    tensor([ 1., 12.])
    """
    at = _check_parts("index_add", input, dim, index, source)
    part = as_line(source if alpha == 1 else source * alpha)
    x = as_line(input)
    return _like_input(x + index_add_zeros(part, as_line(index), dim=at, to=tuple(x.shape)), input)


@op(
    x=lambda g, index, dim: _index_write(g, _zero_like(g), index, dim=dim),
    source=lambda g, index, dim, shape: sum_to(index_select_along(g, index, dim=dim), shape),
)
def _index_write(x, source, index, *, dim):
    check_bounds("index_copy", index, x.shape[dim], dim, IndexError)
    out = x.copy()
    out[along(dim, index)] = source
    return out


@numpy_spelling
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with the parts along ``dim`` that ``index`` names replaced by those of ``source``."""
    at = _check_parts("index_copy", input, dim, index, source)
    return _like_input(_index_write(as_line(input), as_line(source), as_line(index), dim=at), input)


@numpy_spelling
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with the parts along ``dim`` that ``index`` names filled with a number or 0-d tensor."""
    at = check_vector("index_fill", input, dim, index)
    _check_single("index_fill", value)
    source = cast(_as_source(input, value), input.dtype)
    return _like_input(_index_write(as_line(input), source, _wrapped(as_line(index), input, at), dim=at), input)


def _wrapped(index: Any, input: Any, dim: int) -> Any:
    """Only index_fill takes negative indices, as PyTorch's does."""
    return where(index < 0, index + as_line(input).shape[dim], index)


def _check_single(name: str, value: Any) -> None:
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"{name}: the value is a number or a 0-d tensor; got shape {tuple(value.shape)}")


# --- by a mask -------------------------------------------------------------------------------------------------------


def _check_mask(name: str, mask: Any) -> None:
    if mask.dtype != bool_:
        raise RuntimeError(f"{name}: the mask holds bools; got {mask.dtype}")


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value``, a number or a 0-d tensor, where the mask, broadcast, is true, and ``input`` elsewhere.

    >>> masked_fill(Tensor([1.0, 2.0]), Tensor(np.array([True, False])), 0)
    tensor([0., 2.])
    """
    _check_mask("masked_fill", mask)
    _check_single("masked_fill", value)
    if not is_float(input.dtype) or isinstance(value, Tensor):
        value = cast(_as_source(input, value), input.dtype)
    return where(mask, value, input)


@op(
    x=lambda g, mask: where(mask, 0.0, g),
    source=lambda g, mask, shape: _masked_gather(g, mask, to=shape),
)
def _masked_scatter(x, mask, source):
    count = int(np.count_nonzero(mask))
    if count > source.size:
        raise RuntimeError(
            f"masked_scatter: an element of source for each true of the mask; got {source.size} for {count}"
        )
    out = x.copy()
    out[mask] = source.reshape(-1)[:count]
    return out


@op(part=lambda g, mask: _masked_scatter(np.zeros(mask.shape, g.dtype), mask, g))
def _masked_gather(part, mask, *, to):
    """Zeros of shape ``to`` whose first elements are those of part where the mask is true."""
    out = np.zeros(to, part.dtype)
    picked = part[mask]
    out.reshape(-1)[: picked.size] = picked
    return out


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with the elements of ``source``, in order, where the mask, broadcast, is true.

    >>> masked_scatter(Tensor([1.0, 2.0, 3.0]), Tensor(np.array([True, False, True])), Tensor([7.0, 8.0]))
    tensor([7., 2., 8.])
    """
    _check_mask("masked_scatter", mask)
    _same_dtype("masked_scatter", input, source)
    x, where_ = broadcast_tensors(input, mask)
    return _masked_scatter(x, where_, source)


# --- over a part -----------------------------------------------------------------------------------------------------


def _over(name: str, input: Tensor, src: Tensor, key: tuple) -> Tensor:
    part = as_array(input)[key]
    if tuple(src.shape) != part.shape:
        raise RuntimeError(
            f"{name}: src has the shape of the part it replaces; got {tuple(src.shape)} for {part.shape}"
        )
    return _setitem(input, cast(src, input.dtype), basic=key, picked=None)


@numpy_spelling
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``input`` with ``src`` over what `select` gives."""
    at = normal_dim("select_scatter", dim, input.ndim)
    n = input.shape[at]
    if not -n <= index < n:
        raise IndexError(f"select_scatter: index must be in [{-n}, {n - 1}] for dim {at}; got {index}")
    return _over("select_scatter", input, src, along(at, int(index)))


@numpy_spelling
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of ``input`` with ``src`` over ``input[start:end:step]``, along ``dim``."""
    at = normal_dim("slice_scatter", dim, input.ndim)
    key = split_key(slice(start, end, step), (input.shape[at],), "slice_scatter").basic
    assert key is not None
    return _over("slice_scatter", input, src, along(at, key[0]))
