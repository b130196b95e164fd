"""Elements in another order along their axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .dims import as_dims, normal_dim, numpy_spelling
from .op import op
from .shape import ravel, reshape, transpose

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90"]


@op(x=lambda g, dims: _flip(g, dims=dims))
def _flip(x, *, dims):
    return np.flip(x, dims).copy()


@op(x=lambda g, shifts, dims: _roll(g, shifts=tuple(-s for s in shifts), dims=dims))
def _roll(x, *, shifts, dims):
    return np.roll(x, shifts, dims)


@numpy_spelling
def flip(input: Tensor, *named: Any, dims: Any = None) -> Tensor:
    """The order reversed along these axes; a copy.

    >>> flip(Tensor([1.0, 2.0, 3.0]), 0)
    tensor([3., 2., 1.])
    """
    wanted = as_dims(named if dims is None else (dims,))
    axes = [normal_dim("flip", d, input.ndim) for d in wanted]
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"flip: each axis is named once; got dims={wanted}")
    return _flip(input, dims=tuple(axes) if input.ndim else ())


def flipud(input: Tensor) -> Tensor:
    """The order of the first axis reversed."""
    if not input.ndim:
        raise RuntimeError("flipud: at least one axis; got a 0-d tensor")
    return _flip(input, dims=(0,))


def fliplr(input: Tensor) -> Tensor:
    """The order of the second axis reversed."""
    if input.ndim < 2:
        raise RuntimeError(f"fliplr: at least two axes; got shape {tuple(input.shape)}")
    return _flip(input, dims=(1,))


@numpy_spelling
def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved on along these axes, those that leave at the end come in at the front; without ``dims`` as if
    the tensor were flat.

    >>> roll(Tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    along = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if not along and len(by) == 1:
        return reshape(_roll(ravel(input), shifts=by, dims=(0,)), tuple(input.shape))
    if len(by) != len(along):
        raise RuntimeError(f"roll: one axis for each shift; got shifts={by} and dims={along}")
    if not input.ndim:
        raise IndexError(f"roll: a 0-d tensor has no axis; got dims={along}")
    return _roll(input, shifts=by, dims=tuple(normal_dim("roll", d, input.ndim) for d in along))


@numpy_spelling
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Rotated k times by 90 degrees in the plane of two axes, from the first towards the second.

    >>> rot90(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    if len(dims) != 2 or input.ndim < 2:
        raise RuntimeError(f"rot90: a plane of two axes; got dims={tuple(dims)} for shape {tuple(input.shape)}")
    a, b = (normal_dim("rot90", d, input.ndim) for d in dims)
    if a == b:
        raise RuntimeError(f"rot90: the two axes differ; got dims={tuple(dims)}")
    if k % 4 == 2:
        return _flip(input, dims=(a, b))
    if k % 2 == 0:
        return _flip(input, dims=())
    return transpose(_flip(input, dims=(b if k % 4 == 1 else a,)), a, b)
