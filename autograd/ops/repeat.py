"""Tensors repeated."""

from typing import Any

import numpy as np

from ..tensor import Tensor
from .convert import clone
from .dims import as_shape, normal_dim, numpy_spelling
from .gather import check_integers, index_select
from .op import op
from .shape import expand, ravel, reshape

__all__ = ["repeat", "repeat_interleave", "tile"]


def repeat(input: Tensor, *numbers: Any, repeats: Any = None) -> Tensor:
    """The tensor laid side by side so many times along each axis; more repeats than axes add axes in front.

    >>> repeat(Tensor([1.0, 2.0]), 2, 2)
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    times = as_shape(numbers if repeats is None else (repeats,))
    lead = len(times) - input.ndim
    if lead < 0 or min([0, *times]) < 0:
        raise RuntimeError(f"repeat: a number, not negative, for each axis; got {times} for shape {tuple(input.shape)}")
    shape = (*[1] * lead, *input.shape)
    between = [n for pair in zip([1] * len(shape), shape, strict=True) for n in pair]
    stretched = [n for pair in zip(times, shape, strict=True) for n in pair]
    out = clone(expand(reshape(input, between), stretched))
    return reshape(out, tuple(t * n for t, n in zip(times, shape, strict=True)))


def tile(input: Tensor, *numbers: Any, dims: Any = None) -> Tensor:
    """`repeat` in which fewer numbers than axes stand for the last axes."""
    times = as_shape(numbers if dims is None else (dims,))
    return repeat(input, (*[1] * (input.ndim - len(times)), *times))


@op()
def _spread_out(repeats, *, length):
    return np.repeat(np.arange(length), np.broadcast_to(repeats, length))


@numpy_spelling
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each part along ``dim`` (each element of the flattened tensor without it) repeated so many times in place.

    ``repeats`` is a number or a tensor with one for each part. With ``repeats`` alone: the place of each part.

    >>> repeat_interleave(Tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    """
    if repeats is None:
        check_integers("repeat_interleave", input)
        return _spread_out(input, length=input.shape[0])
    x = ravel(input) if dim is None or not input.ndim else input
    at = normal_dim("repeat_interleave", dim or 0, x.ndim)
    counts = repeats if isinstance(repeats, Tensor) else Tensor(np.asarray(repeats))
    check_integers("repeat_interleave", counts)
    n = x.shape[at]
    if counts.ndim > 1 or (counts.ndim and counts.shape[0] not in (1, n)):
        raise RuntimeError(f"repeat_interleave: one number for each of {n} parts; got shape {tuple(counts.shape)}")
    if counts.array.min(initial=0) < 0:
        raise RuntimeError(f"repeat_interleave: the numbers must not be negative; got {counts.array.min()}")
    return index_select(x, at, _spread_out(counts, length=n))
