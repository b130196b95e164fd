"""Indexing: ``x[...]``, gather and scatter."""

from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor
from .dims import normal_dim, numpy_spelling
from .op import op
from .shape import sum_to

__all__ = ["gather", "scatter_add"]


_ZERO = np.zeros(())


class Place(NamedTuple):
    """Stands in a key for the index array that is an input of its own."""

    number: int


def _fill(key: tuple, indices: tuple) -> tuple:
    return tuple(indices[k.number] if isinstance(k, Place) else k for k in key) if indices else key


@op(view=True, x=lambda g, indices, key, shape: _ungetitem(g, *indices, key=key, to=shape))
def _getitem(x, *indices, key):
    return x[_fill(key, indices)]


@op(part=lambda g, indices, key: _getitem(g, *indices, key=key))
def _ungetitem(part, *indices, key, to):
    """Zeros of shape ``to`` with ``part`` added where the key points."""
    out = np.zeros(to, part.dtype)
    if indices:
        np.add.at(out, _fill(key, indices), part)
    else:
        out[key] = part
    return out


def split_key(key: Any) -> tuple[tuple, list[np.ndarray]]:
    """An index as written, as a tuple of plain parts and Places, and the index arrays that go there."""
    parts = list(key) if isinstance(key, tuple) else [key]
    arrays: list[np.ndarray] = []
    for i, part in enumerate(parts):
        if isinstance(part, Tensor):
            part = part.array
        elif isinstance(part, (list, range)):
            part = np.asarray(part) if len(part) else np.zeros(0, np.int64)
        if isinstance(part, np.ndarray):
            if part.dtype.kind not in "iub":
                raise IndexError(f"index: an index tensor must hold integers or bools; got {part.dtype}")
            if part.ndim == 0 and part.dtype.kind != "b":
                part = int(part)
            else:
                arrays.append(part)
                part = Place(len(arrays) - 1)
        elif isinstance(part, (float, str)):
            raise IndexError(f"index: integers, slices, None, ..., masks and integer tensors index; got {part!r}")
        parts[i] = part
    if not arrays and not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)  # with it, numpy gives a view where it would give a number
    return tuple(parts), arrays


def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]``: integers, slices, None and Ellipsis give a view; masks and integer tensors a copy."""
    parts, arrays = split_key(key)
    try:
        return _getitem(x, *arrays, key=parts)
    except IndexError as error:
        raise IndexError(f"index: {error}; got shape {tuple(x.shape)} and index {key!r}") from None


@op(
    x=lambda g, indices, key: _setitem(g, _ZERO.astype(g.dtype), *indices, key=key),
    value=lambda g, indices, key, shape: sum_to(_getitem(g, *indices, key=key), shape),
)
def _setitem(x, value, *indices, key):
    out = x.copy()
    out[_fill(key, indices)] = value
    return out


def setitem(x: Tensor, value: Tensor, key: Any) -> Tensor:
    """A copy of x with ``value``, broadcast, at ``x[key]``."""
    parts, arrays = split_key(key)
    try:
        return _setitem(x, value, *arrays, key=parts)
    except IndexError as error:
        raise IndexError(f"setitem: {error}; got shape {tuple(x.shape)} and index {key!r}") from None
    except ValueError:
        shape = np.shape(np.empty(x.shape, bool)[_fill(parts, tuple(arrays))])
        raise RuntimeError(
            f"setitem: the value does not broadcast to the place; got {tuple(value.shape)} for {shape}"
        ) from None


@op(x=lambda g, index, dim, shape: _scatter_add_zeros(g, index, dim=dim, to=shape))
def _gather(x, index, *, dim):
    return np.take_along_axis(x, index, dim) if _same_rest(x, index, dim) else x[_grid(index, dim)]


@op(part=lambda g, index, dim: _gather(g, index, dim=dim))
def _scatter_add_zeros(part, index, *, dim, to):
    out = np.zeros(to, part.dtype)
    np.add.at(out, _grid(index, dim), part)
    return out


def _same_rest(x: np.ndarray, index: np.ndarray, dim: int) -> bool:
    return x.shape[:dim] == index.shape[:dim] and x.shape[dim + 1 :] == index.shape[dim + 1 :]


def _grid(index: np.ndarray, dim: int) -> tuple:
    """The full index of the elements that ``index`` names along ``dim``."""
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def _check_index(name: str, shape: tuple[int, ...], dim: int, index: Any) -> int:
    at = normal_dim(name, dim, len(shape))
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: the index must hold integers; got {index.dtype}")
    if index.ndim != len(shape):
        raise RuntimeError(f"{name}: index and tensor must have as many axes; got {tuple(index.shape)} and {shape}")
    if any(m > n for i, (m, n) in enumerate(zip(index.shape, shape, strict=True)) if i != at):
        raise RuntimeError(
            f"{name}: the index may be longer than the tensor only along dim {at}; got {tuple(index.shape)} and {shape}"
        )
    array = index.array if isinstance(index, Tensor) else index
    if array.size and not (array.min() >= 0 and array.max() < shape[at]):
        bad = array.min() if array.min() < 0 else array.max()
        raise RuntimeError(f"{name}: an index is out of bounds for dim {at} of length {shape[at]}; got {bad}")
    return at


@numpy_spelling
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """``out[i][j][k] = input[index[i][j][k]][j][k]`` for dim 0, and so on; the shape of ``index``.

    >>> gather(Tensor([[1.0, 2.0], [3.0, 4.0]]), 1, Tensor(np.array([[1], [0]])))
    tensor([[2.],
            [3.]])
    """
    return _gather(input, index, dim=_check_index("gather", tuple(input.shape), dim, index))


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with each element of ``src`` added where ``index`` points along ``dim``."""
    at = _check_index("scatter_add", tuple(input.shape), dim, index)
    part = src[tuple(slice(n) for n in index.shape)]
    return input + _scatter_add_zeros(part, index, dim=at, to=tuple(input.shape))
