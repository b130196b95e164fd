"""Parts written into a copy: at a vector of places along an axis, at a mask, over a slice. x.f_() writes into x."""

from typing import Any

import numpy as np

from ..creation import number_of
from ..dtypes import bool_, is_float
from ..tensor import Tensor
from .convert import cast
from .dims import normal_dim, numpy_spelling
from .elementwise import mul, where
from .gather import as_line, check_bounds, check_vector, index_add_zeros, index_select_along
from .index import _setitem, split_key
from .op import op
from .scatter import as_input, as_source, check_dtype, zero_like
from .shape import broadcast_for, common_shape, sum_to
from .split import along

__all__ = [
    "index_add", "index_copy", "index_fill", "masked_fill", "masked_scatter", "select_scatter", "slice_scatter",
]  # fmt: skip


# --- by a vector of places along an axis -----------------------------------------------------------------------------


def _check_parts(name: str, input: Any, dim: int, index: Any, source: Any) -> int:
    at = check_vector(name, input, dim, index)
    check_dtype(name, input, source)
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
    part = as_line(source if alpha == 1 else mul(source, number_of("index_add", alpha, source.dtype)))
    x = as_line(input)
    return as_input(x + index_add_zeros(part, as_line(index), dim=at, to=tuple(x.shape)), input)


@op(
    x=lambda g, index, dim, name: _index_write(g, zero_like(g), index, dim=dim, name=name),
    source=lambda g, index, dim, shape: sum_to(index_select_along(g, index, dim=dim), shape),
)
def _index_write(x, source, index, *, dim, name):
    check_bounds(name, x, index, x.shape[dim], dim, IndexError)
    out = x.copy()
    out[along(dim, index)] = source
    return out


@numpy_spelling
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with the parts along ``dim`` that ``index`` names replaced by those of ``source``."""
    at = _check_parts("index_copy", input, dim, index, source)
    return as_input(_index_write(as_line(input), as_line(source), as_line(index), dim=at, name="index_copy"), input)


@numpy_spelling
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with the parts along ``dim`` that ``index`` names filled with a number or 0-d tensor."""
    at = check_vector("index_fill", input, dim, index)
    _check_single("index_fill", value)
    source = cast(as_source(input, value), input.dtype)
    return as_input(
        _index_write(as_line(input), source, _wrapped(as_line(index), input, at), dim=at, name="index_fill"), input
    )


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
    if mask.shape != input.shape:
        common_shape("masked_fill", [tuple(input.shape), tuple(mask.shape)])
    if not is_float(input.dtype) or isinstance(value, Tensor):
        value = cast(as_source(input, value), input.dtype)
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
    check_dtype("masked_scatter", input, source)
    x, where_ = broadcast_for("masked_scatter", (input, mask))
    return _masked_scatter(x, where_, source)


# --- over a part -----------------------------------------------------------------------------------------------------


def _over(name: str, input: Tensor, src: Tensor, key: tuple) -> Tensor:
    part = np.broadcast_to(np.zeros(()), input.shape)[key].shape
    if tuple(src.shape) != part:
        raise RuntimeError(f"{name}: src has the shape of the part it replaces; got {tuple(src.shape)} for {part}")
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
