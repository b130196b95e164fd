"""Several tensors into one."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import promote
from ..tensor import Tensor
from .convert import cast
from .dims import normal_dim, numpy_spelling, remembered
from .op import op
from .shape import reshape, unsqueeze

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cat", "column_stack", "concat", "concatenate", "dstack",
    "hstack", "row_stack", "stack", "vstack",
]  # fmt: skip


@op(xs=lambda g, index, shape, dim, starts: _part(g, dim, starts[index], shape[dim]))
def _cat(*xs, dim, starts):
    return np.concatenate(xs, dim)


@op(xs=lambda g, index, dim: _part(g, dim, index))
def _stack(*xs, dim):
    return np.stack(xs, dim)


def _part(g: Any, dim: int, start: int, length: int | None = None) -> Any:
    return g[(*[slice(None)] * dim, start if length is None else slice(start, start + length))]


def _same_dtype(op_name: str, tensors: Any, empty: type[Exception] = RuntimeError) -> list:
    xs = list(tensors)
    if not xs:
        raise empty(f"{op_name}: at least one tensor is needed; got none")
    for i, x in enumerate(xs):
        if not isinstance(x, (Tensor, np.ndarray)):
            raise TypeError(f"{op_name}: a sequence of tensors is needed; got {type(x).__name__} at {i}")
    if len({x.dtype for x in xs}) == 1:
        return xs
    dtype = promote([x.array if isinstance(x, Tensor) else x for x in xs])
    return [cast(x, dtype) for x in xs]


@numpy_spelling
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after the other along an axis they have; their other lengths are equal.

    >>> cat([Tensor([1.0]), Tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    return _join("cat", tensors, dim)


def _join(op_name: str, tensors: Sequence[Tensor], dim: int) -> Tensor:
    xs = _same_dtype(op_name, tensors, ValueError)
    # PyTorch lets an empty 1-d tensor stand among any others.
    if len(xs) > 1 and any(x.shape == (0,) for x in xs):
        xs = [x for x in xs if x.shape != (0,)] or xs[:1]
    at = normal_dim(op_name, dim, xs[0].ndim)
    return _cat(*xs, dim=at, starts=_one_after_another(op_name, at, *[x.shape for x in xs]))


@remembered
def _one_after_another(op_name: str, at: int, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Where on the axis along which tensors are joined each begins."""
    if not shapes[0]:
        raise RuntimeError(f"{op_name}: a 0-d tensor has no axis to join; got {[*shapes]}; use stack()")
    rests = {(*s[:at], *s[at + 1 :]) for s in shapes}
    if len(rests) != 1 or len({len(s) for s in shapes}) != 1:
        raise RuntimeError(f"{op_name}: lengths must be equal except along dim {at}; got {', '.join(map(str, shapes))}")
    return tuple(itertools.accumulate([0, *(s[at] for s in shapes[:-1])]))


concat = concatenate = cat


@numpy_spelling
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape along a new axis.

    >>> stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])], dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = _same_dtype("stack", tensors)
    shapes = [tuple(x.shape) for x in xs]
    if len(set(shapes)) != 1:
        raise RuntimeError(f"stack: the shapes must be equal; got {', '.join(map(str, shapes))}")
    return _stack(*xs, dim=normal_dim("stack", dim, xs[0].ndim + 1))


# --- at least so many axes -------------------------------------------------------------------------------------------


def _each(function: Callable, tensors: tuple) -> Any:
    """A tensor for a tensor, a tuple for several or for a sequence of them."""
    several = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    made = tuple(function(x) for x in several)
    return made[0] if len(made) == 1 and several is tensors else made


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor, a 0-d one with an axis."""
    return _each(lambda x: x if x.ndim else unsqueeze(x, 0), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two axes; (n) -> (1, n)."""
    return _each(lambda x: x if x.ndim > 1 else reshape(x, (1, -1)), tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three axes; (n) -> (1, n, 1), (n, m) -> (n, m, 1)."""

    def lift(x: Any) -> Any:
        return x if x.ndim > 2 else unsqueeze(atleast_2d(x), -1)

    return _each(lift, tensors)


# --- along an axis by name -------------------------------------------------------------------------------------------


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side: along the second axis, vectors along their only one.

    >>> hstack([Tensor([1.0]), Tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    xs = [atleast_1d(x) for x in _some("hstack", tensors)]
    return _join("hstack", xs, 0 if xs[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors one below the other: along the first axis, a vector as a row.

    >>> vstack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return _join("vstack", [atleast_2d(x) for x in _some("vstack", tensors)], 0)


row_stack = vstack


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors one behind the other: along the third axis."""
    return _join("dstack", [atleast_3d(x) for x in _some("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side, a vector as a column."""
    return _join("column_stack", [x if x.ndim > 1 else reshape(x, (-1, 1)) for x in _some("column_stack", tensors)], 1)


def _some(op_name: str, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    if not len(tensors):
        raise RuntimeError(f"{op_name}: at least one tensor is needed; got none")
    return tensors


# --- along a diagonal ------------------------------------------------------------------------------------------------


@op(xs=lambda g, index, shape, corners: _block(g, corners[index], shape))
def _block_diag(*xs, corners):
    """Matrices in the last two axes; ``corners`` are the row and column where each begins."""
    rows, columns = (c + n for c, n in zip(corners[-1], xs[-1].shape[-2:], strict=True))
    out = np.zeros((*xs[0].shape[:-2], rows, columns), xs[0].dtype)
    for corner, x in zip(corners, xs, strict=True):
        _block(out, corner, x.shape)[...] = x
    return out


def _block(g: Any, corner: tuple[int, int], shape: tuple[int, ...]) -> Any:
    (r, c), (m, n) = corner, shape[-2:]
    return g[..., r : r + m, c : c + n]


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the tensors, of at most two axes, along its diagonal and zeros elsewhere.

    >>> block_diag(Tensor([[1.0]]), Tensor([[2.0, 3.0]]))
    tensor([[1., 0., 0.],
            [0., 2., 3.]])
    """
    for x in tensors:
        if x.ndim > 2:
            raise RuntimeError(f"block_diag: tensors of at most two axes; got shape {tuple(x.shape)}")
    xs = [atleast_2d(x) for x in _same_dtype("block_diag", tensors)]
    corners = [(0, 0)]
    for x in xs[:-1]:
        corners.append((corners[-1][0] + x.shape[0], corners[-1][1] + x.shape[1]))
    return _block_diag(*xs, corners=corners)
