"""Grids: every combination of the elements of several tensors."""

import itertools
from typing import Any

import numpy as np

from ..tensor import Tensor
from .gather import index_select
from .join import stack
from .shape import expand, reshape

__all__ = ["cartesian_prod", "combinations", "meshgrid"]


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """A tensor for each of these vectors, that varies along an axis of its own and is repeated along the others.

    With ``indexing="xy"`` the first two axes are exchanged.

    >>> x, y = meshgrid(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    >>> x
    tensor([[1., 1.],
            [2., 2.]])
    """
    xs = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    if not xs:
        raise RuntimeError("meshgrid: at least one tensor is needed; got none")
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing is "ij" or "xy"; got {indexing!r}')
    for x in xs:
        if x.ndim > 1:
            raise RuntimeError(f"meshgrid: vectors are needed; got shape {tuple(x.shape)}")
    place = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        place[:2] = 1, 0
    sizes = [x.shape[0] if x.ndim else 1 for x in xs]
    shape = [sizes[place.index(axis)] for axis in range(len(xs))]
    return tuple(
        expand(reshape(x, tuple(n if axis == at else 1 for axis in range(len(xs)))), shape)
        for x, n, at in zip(xs, sizes, place, strict=True)
    )


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every combination of an element of each vector, a row for each; of one vector the vector.

    >>> cartesian_prod(Tensor([1.0, 2.0]), Tensor([3.0]))
    tensor([[1., 3.],
            [2., 3.]])
    """
    for x in tensors:
        if x.ndim != 1:
            raise RuntimeError(f"cartesian_prod: vectors are needed; got shape {tuple(x.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(grid, -1) for grid in meshgrid(*tensors)], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of r elements of a vector in their order, a row for each.

    >>> combinations(Tensor([1.0, 2.0, 3.0]))
    tensor([[1., 2.],
            [1., 3.],
            [2., 3.]])
    """
    if input.ndim != 1:
        raise RuntimeError(f"combinations: a vector is needed; got shape {tuple(input.shape)}")
    if r < 0:
        raise RuntimeError(f"combinations: r must not be negative; got {r}")
    if r == 0:
        return input[:0]
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    return reshape(index_select(input, 0, Tensor(places.reshape(-1))), places.shape)
