"""Diagonals and triangles."""

from typing import Any

import numpy as np

from ..dtypes import to_dtype
from ..tensor import Tensor
from .convert import clone
from .dims import normal_dim
from .op import op
from .shape import reshape

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "tril", "tril_indices", "triu", "triu_indices",
]  # fmt: skip


def _view(x: np.ndarray, offset: int, dim1: int, dim2: int) -> np.ndarray:
    """numpy's diagonal, writable where x is."""
    out = np.diagonal(x, offset, dim1, dim2)
    if x.flags.writeable:
        out.flags.writeable = True
    return out


@op(view=True, x=lambda g, shape, offset, dim1, dim2: _undiagonal(g, offset=offset, dim1=dim1, dim2=dim2, to=shape))
def _diagonal(x, *, offset, dim1, dim2):
    return _view(x, offset, dim1, dim2)


@op(part=lambda g, offset, dim1, dim2: _diagonal(g, offset=offset, dim1=dim1, dim2=dim2))
def _undiagonal(part, *, offset, dim1, dim2, to):
    """Zeros of shape ``to`` with ``part`` on a diagonal."""
    out = np.zeros(to, part.dtype)
    _view(out, offset, dim1, dim2)[...] = part
    return out


@op(
    x=lambda g, offset, dim1, dim2: _diagonal_scatter(g, np.zeros((), g.dtype), offset=offset, dim1=dim1, dim2=dim2),
    src=lambda g, offset, dim1, dim2: _diagonal(g, offset=offset, dim1=dim1, dim2=dim2),
)
def _diagonal_scatter(x, src, *, offset, dim1, dim2):
    out = x.copy()
    _view(out, offset, dim1, dim2)[...] = src
    return out


def _two_dims(name: str, dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    if ndim < 2:
        raise IndexError(f"{name}: at least two axes; got {ndim}")
    a, b = normal_dim(name, dim1, ndim), normal_dim(name, dim2, ndim)
    if a == b:
        raise RuntimeError(f"{name}: dim1 and dim2 differ; got {dim1} and {dim2}")
    return a, b


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of the matrices in axes ``dim1`` and ``dim2``, in a new last axis; a view.

    ``offset`` counts the diagonals above the main one.

    >>> diagonal(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    a, b = _two_dims("diagonal", dim1, dim2, input.ndim)
    return _diagonal(input, offset=offset, dim1=a, dim2=b)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last axis of ``input`` on the diagonal, in the axes ``dim1`` and ``dim2`` of the result."""
    if not input.ndim:
        raise IndexError("diag_embed: at least one axis; got a 0-d tensor")
    a, b = _two_dims("diag_embed", dim1, dim2, input.ndim + 1)
    n = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for place in sorted((a, b)):
        shape.insert(place, n)
    return _undiagonal(input, offset=offset, dim1=a, dim2=b, to=tuple(shape))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, copied, or the matrix with a vector on its diagonal.

    >>> diag(Tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag: a vector or a matrix; got shape {tuple(input.shape)}; use diagonal()")
    return clone(_diagonal(input, offset=diagonal, dim1=0, dim2=1))


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of ``input`` on its diagonal."""
    return diag_embed(reshape(input, -1), offset)


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``input`` with ``src`` over what `diagonal` gives."""
    a, b = _two_dims("diagonal_scatter", dim1, dim2, input.ndim)
    place = tuple(_diagonal(np.empty(input.shape, bool), offset=offset, dim1=a, dim2=b).shape)
    if tuple(src.shape) != place:
        raise RuntimeError(f"diagonal_scatter: src has the shape of the diagonal; got {tuple(src.shape)} for {place}")
    return _diagonal_scatter(input, src, offset=offset, dim1=a, dim2=b)


# --- triangles -------------------------------------------------------------------------------------------------------


@op(x=lambda g, diagonal: _tril(g, diagonal=diagonal))
def _tril(x, *, diagonal):
    return np.tril(x, diagonal)


@op(x=lambda g, diagonal: _triu(g, diagonal=diagonal))
def _triu(x, *, diagonal):
    return np.triu(x, diagonal)


def _matrices(name: str, input: Any) -> Any:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: at least two axes; got shape {tuple(input.shape)}")
    return input


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrices with zeros above a diagonal.

    >>> tril(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 0.],
            [3., 4.]])
    """
    return _tril(_matrices("tril", input), diagonal=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrices with zeros below a diagonal."""
    return _triu(_matrices("triu", input), diagonal=diagonal)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = "int64", device: Any = None) -> Tensor:
    """Where the elements of the lower triangle of a row by col matrix are: their rows and their columns, (2, n)."""
    return Tensor(np.stack(np.tril_indices(row, offset, col)).astype(to_dtype(dtype)))


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = "int64", device: Any = None) -> Tensor:
    """Where the elements of the upper triangle of a row by col matrix are: their rows and their columns, (2, n)."""
    return Tensor(np.stack(np.triu_indices(row, offset, col)).astype(to_dtype(dtype)))
