"""Picking elements by their places: gather, take, select by mask, and finding the places."""

from typing import Any

import numpy as np

from ..dtypes import bool_
from ..kernels.scatter import add_along, add_at, are_places, take_along, take_parts
from ..tensor import Tensor
from .dims import normal_dim, numpy_spelling
from .index import getitem
from .op import op
from .shape import broadcast_for, expand, reshape, squeeze

__all__ = ["argwhere", "gather", "index_select", "isin", "masked_select", "nonzero", "take", "take_along_dim"]


def check_bounds(
    name: str, x: np.ndarray, index: np.ndarray, length: int, dim: int, error: type[Exception] = RuntimeError
) -> None:
    """The indices lie in [0, length); x is what is picked from or put there."""
    if not are_places(x, index, length):
        bad = index.min() if index.min() < 0 else index.max()
        raise error(f"{name}: an index must be in [0, {length}) for dim {dim}; got {bad}")


def check_integers(name: str, index: Any) -> None:
    """An index tensor holds integers."""
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: the index holds integers; got {index.dtype}")


def check_index(name: str, input: Any, dim: int, index: Any, src: Any = None) -> int:
    """The axis, after checking that an index tensor of gather or scatter fits the tensors."""
    at = normal_dim(name, dim, input.ndim)
    check_integers(name, index)
    for what, other, free in (("input", input, at), ("src", src, None)):
        if other is None:
            continue
        lengths, others = index.shape or (1,), other.shape or (1,)
        if len(lengths) != len(others):
            raise RuntimeError(
                f"{name}: index and {what} have as many axes; got {tuple(index.shape)} and {tuple(other.shape)}"
            )
        longer = any(m > n for i, (m, n) in enumerate(zip(lengths, others, strict=True)) if i != free)
        if longer and np.prod(lengths):
            where = "nowhere" if free is None else f"only along dim {at}"
            raise RuntimeError(
                f"{name}: the index may be longer than {what} {where}; "
                f"got {tuple(index.shape)} and {tuple(other.shape)}"
            )
    return at


def as_line(x: Any) -> Any:
    """A 0-d tensor as one of a single element, which is how it is indexed."""
    return x if x.ndim else reshape(x, (1,))


# --- by places along an axis -----------------------------------------------------------------------------------------


@op(x=lambda g, index, dim, shape: scatter_zeros(g, index, dim=dim, to=shape))
def gather_along(x, index, *, dim):
    """The elements of x at ``index`` along an axis; index is a tensor of as many axes."""
    check_bounds("gather", x, index, x.shape[dim], dim)
    if not x.size:
        return np.empty(index.shape, x.dtype)
    return take_along(x, dim, index)


@op(part=lambda g, index, dim: gather_along(g, index, dim=dim))
def scatter_zeros(part, index, *, dim, to):
    """Zeros of shape ``to`` with ``part`` added where ``index`` points along ``dim``."""
    check_bounds("scatter_add", part, index, to[dim], dim)
    return add_along(to, dim, index, part)


@numpy_spelling
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """``out[i][j][k] = input[index[i][j][k]][j][k]`` for dim 0, and so on; the shape of ``index``.

    >>> gather(Tensor([[1.0, 2.0], [3.0, 4.0]]), 1, Tensor(np.array([[1], [0]])))
    tensor([[2.],
            [3.]])
    """
    normal_dim("gather", dim, input.ndim)
    if 0 in index.shape and index.ndim != input.ndim:  # nothing is picked, which PyTorch allows
        return reshape(input, -1)[:0].reshape(index.shape)
    at = check_index("gather", input, dim, index)
    out = gather_along(as_line(input), as_line(index), dim=at)
    return out if index.ndim else squeeze(out, 0)


@numpy_spelling
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with the other axes broadcast; without ``dim`` from the flattened tensor.

    >>> x = Tensor([[1.0, 3.0, 2.0]])
    >>> take_along_dim(x, Tensor(np.array([[2]])), 1)
    tensor([[2.]])
    """
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    check_integers("take_along_dim", indices)
    shapes = f"{tuple(input.shape)} and {tuple(indices.shape)}"
    if input.ndim != indices.ndim:
        raise RuntimeError(f"take_along_dim: input and indices have as many axes; got {shapes}")
    at = normal_dim("take_along_dim", dim, input.ndim)
    try:
        rest = np.broadcast_shapes(*[(*x.shape[:at], 1, *x.shape[at + 1 :]) for x in (input, indices)])
    except ValueError:
        raise RuntimeError(f"take_along_dim: the shapes broadcast except along dim {at}; got {shapes}") from None
    x, places = (expand(t, *rest[:at], t.shape[at], *rest[at + 1 :]) for t in (input, indices))
    return gather(x, at, _from_the_end(places, length=input.shape[at]))


@op()
def _from_the_end(index, *, length):
    return np.where(index < 0, index + length, index) if index.size and index.min() < 0 else index


@op(x=lambda g, index, dim, shape: index_add_zeros(g, index, dim=dim, to=shape))
def index_select_along(x, index, *, dim):
    """The parts of x along an axis that the 1-d ``index`` names."""
    check_bounds("index_select", x, index, x.shape[dim], dim, IndexError)
    return take_parts(x, dim, index)


@op(part=lambda g, index, dim: index_select_along(g, index, dim=dim))
def index_add_zeros(part, index, *, dim, to):
    """Zeros of shape ``to`` with each part along ``dim`` added where the 1-d ``index`` says."""
    check_bounds("index_add", part, index, to[dim], dim)
    return add_at(to, (*[slice(None)] * dim, index), part)


def check_vector(name: str, input: Any, dim: int, index: Any) -> int:
    """The axis, after checking that the index is one along it."""
    check_integers(name, index)
    if index.ndim > 1:
        raise IndexError(f"{name}: the index is a vector; got shape {tuple(index.shape)}; use input[index] or gather()")
    return normal_dim(name, dim, input.ndim)


@numpy_spelling
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The parts along ``dim`` that the vector ``index`` names, in its order.

    >>> index_select(Tensor([1.0, 2.0, 3.0]), 0, Tensor(np.array([2, 0])))
    tensor([3., 1.])
    """
    at = check_vector("index_select", input, dim, index)
    out = index_select_along(as_line(input), as_line(index), dim=at)
    return out if input.ndim else squeeze(out, 0)


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of the flattened tensor at ``index``, in the shape of ``index``; negative ones count from the end.

    >>> take(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor(np.array([0, -1])))
    tensor([1., 4.])
    """
    check_integers("take", index)
    try:
        return reshape(getitem(reshape(input, -1), as_line(index)), tuple(index.shape))
    except IndexError:
        raise IndexError(
            f"take: an index must be in [{-input.array.size}, {input.array.size}); got {index.array.tolist()!r:.60}"
        ) from None


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask, broadcast, is true, along one axis.

    >>> masked_select(Tensor([1.0, 2.0, 3.0]), Tensor(np.array([True, False, True])))
    tensor([1., 3.])
    """
    if mask.dtype != bool_:
        raise RuntimeError(f"masked_select: the mask holds bools; got {mask.dtype}")
    x, where = broadcast_for("masked_select", (input, mask))
    return getitem(as_line(x), as_line(where))


# --- where things are ------------------------------------------------------------------------------------------------


@op()
def _argwhere(x):
    return np.argwhere(x)


@op()
def _nonzero(x):
    return tuple(np.nonzero(np.atleast_1d(x)))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where the elements are not zero: a row of indices for each, or with ``as_tuple`` an index tensor for each axis.

    >>> nonzero(Tensor([0.0, 5.0, 7.0]))
    tensor([[1],
            [2]])
    """
    return _nonzero(input) if as_tuple else _argwhere(input)


def argwhere(input: Tensor) -> Tensor:
    """A row of indices for each element that is not zero, (number, axes)."""
    return _argwhere(input)


@op()
def _isin(elements, test_elements, *, invert):
    return np.isin(elements, test_elements, invert=invert)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """For each element whether it is one of ``test_elements``; bool. One of the two may be a number.

    >>> isin(Tensor([1.0, 2.0, 3.0]), Tensor([2.0, 5.0]))
    tensor([False,  True, False])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin: one of the two is a tensor; got two numbers")
    return _isin(*(x if isinstance(x, Tensor) else np.asarray(x) for x in (elements, test_elements)), invert=invert)
