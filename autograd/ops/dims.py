"""What users say about axes and shapes, made definite."""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "as_dims",
    "as_shape",
    "filled",
    "fixed",
    "is_filled",
    "normal_dim",
    "normal_dims",
    "numpy_spelling",
    "remembered",
]

_NUMPY = {"axis": "dim", "keepdims": "keepdim", "axes": "dims"}


def numpy_spelling(function: Callable | None = None, /, **also: str) -> Any:
    """Accept numpy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``, and ``also`` these names for others."""
    if function is None:
        return functools.partial(numpy_spelling, **also)
    names = _NUMPY | also

    @functools.wraps(function)
    def spelled(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = {names.get(name, name): value for name, value in kwargs.items()}
        return function(*args, **kwargs)

    return spelled


remembered = functools.lru_cache(maxsize=1024, typed=True)
"""Keep what a function of names, numbers and shapes gave: the same ones come by in every step."""


def fixed(value: Any) -> Any:
    """A sequence as a tuple, which a cache can know again."""
    return value if value is None or isinstance(value, (int, float, str)) else tuple(value)


def normal_dim(op: str, dim: int, ndim: int) -> int:
    """The axis counted from the front; IndexError if there is none such. A 0-d tensor has the axis 0 as in PyTorch."""
    if type(dim) is not int:
        dim = _as_index(op, dim)
    count = max(ndim, 1)
    if not -count <= dim < count:
        raise IndexError(f"{op}: dim must be in [{-count}, {count - 1}]; got {dim}")
    return dim % count


def _as_index(op: str, dim: Any) -> int:
    try:
        if not isinstance(dim, bool):
            return operator.index(dim)
    except TypeError:
        pass
    raise TypeError(f"{op}: dim must be an integer; got {dim!r} of type {type(dim).__name__}")


def normal_dims(op: str, dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """The axes counted from the front, in rising order; None and () are all of them."""
    if dim is None:
        return tuple(range(ndim))
    if type(dim) is int:
        at = normal_dim(op, dim, ndim)
        return (at,) if ndim else ()
    several = dim if isinstance(dim, (tuple, list)) else (dim,)
    if not several:
        return tuple(range(ndim))
    dims = sorted([normal_dim(op, d, ndim) for d in several])
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"{op}: each dim may be named once; got dim={tuple(several)}")
    return tuple(dims) if ndim else ()


def as_shape(sizes: Any) -> tuple[int, ...]:
    """A shape from ``f(2, 3)``, ``f((2, 3))`` or ``f(6)``."""
    if len(sizes) == 1 and not isinstance(sizes[0], int) and hasattr(sizes[0], "__iter__"):
        sizes = sizes[0]
    return tuple(map(_length, sizes))


def _length(size: Any) -> int:
    if type(size) is int:
        return size
    try:
        return operator.index(size)
    except TypeError:
        raise TypeError(f"shape: lengths and dims are integers; got {size!r} of type {type(size).__name__}") from None


as_dims = as_shape


@functools.lru_cache(maxsize=64)
def filled(value: float, count: int, dtype: np.dtype) -> np.ndarray:
    """What stands for a weight or bias that was left out; made once, so nobody writes to it."""
    array = np.full(count, value, dtype)
    _filled[id(array)] = array
    return array


_filled: dict[int, np.ndarray] = {}


def is_filled(array: np.ndarray) -> bool:
    """Whether this is an array of `filled`, which holds the same for ever."""
    return id(array) in _filled
