"""Several tensors into one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import promote
from ..tensor import Tensor
from .convert import cast
from .dims import normal_dim, numpy_spelling
from .op import op

__all__ = ["cat", "concat", "concatenate", "stack"]


@op(xs=lambda g, index, shape, dim, starts: _part(g, dim, starts[index], shape[dim]))
def _cat(*xs, dim, starts):
    return np.concatenate(xs, dim)


@op(xs=lambda g, index, dim: _part(g, dim, index))
def _stack(*xs, dim):
    return np.stack(xs, dim)


def _part(g: Any, dim: int, start: int, length: int | None = None) -> Any:
    return g[(*[slice(None)] * dim, start if length is None else slice(start, start + length))]


def _same_dtype(op_name: str, tensors: Any) -> list:
    xs = list(tensors)
    if not xs:
        raise RuntimeError(f"{op_name}: at least one tensor is needed; got none")
    for i, x in enumerate(xs):
        if not isinstance(x, (Tensor, np.ndarray)):
            raise TypeError(f"{op_name}: a sequence of tensors is needed; got {type(x).__name__} at {i}")
    dtype = promote([x.array if isinstance(x, Tensor) else x for x in xs])
    return [cast(x, dtype) for x in xs]


@numpy_spelling
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after the other along an axis they have; their other lengths are equal.

    >>> cat([Tensor([1.0]), Tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    xs = _same_dtype("cat", tensors)
    # PyTorch lets an empty 1-d tensor stand among any others.
    kept = [x for x in xs if x.shape != (0,)] or xs[:1]
    shapes = [tuple(x.shape) for x in kept]
    if not kept[0].ndim:
        raise RuntimeError(f"cat: a 0-d tensor has no axis to join; got {shapes}; use stack()")
    at = normal_dim("cat", dim, kept[0].ndim)
    rests = {(*s[:at], *s[at + 1 :]) for s in shapes}
    if len(rests) != 1 or len({len(s) for s in shapes}) != 1:
        raise RuntimeError(f"cat: lengths must be equal except along dim {at}; got {', '.join(map(str, shapes))}")
    starts = np.cumsum([0, *(s[at] for s in shapes)]).tolist()
    return _cat(*kept, dim=at, starts=starts)


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
