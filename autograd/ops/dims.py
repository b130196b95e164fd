"""What users say about axes and shapes, made definite."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["as_dims", "as_shape", "normal_dim", "normal_dims", "numpy_spelling"]

_NUMPY = {"axis": "dim", "keepdims": "keepdim", "axes": "dims"}


def numpy_spelling(function: Callable) -> Callable:
    """Accept numpy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``."""

    @functools.wraps(function)
    def spelled(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = {_NUMPY.get(name, name): value for name, value in kwargs.items()}
        return function(*args, **kwargs)

    return spelled


def normal_dim(op: str, dim: int, ndim: int) -> int:
    """The axis counted from the front; IndexError if there is none such. A 0-d tensor has the axis 0 as in PyTorch."""
    count = max(ndim, 1)
    if not -count <= dim < count:
        raise IndexError(f"{op}: dim must be in [{-count}, {count - 1}]; got {dim}")
    return dim % count


def normal_dims(op: str, dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """The axes counted from the front, in rising order; None and () are all of them."""
    if dim is None or (not isinstance(dim, int) and len(dim) == 0):
        return tuple(range(ndim))
    dims = sorted(normal_dim(op, d, ndim) for d in ([dim] if isinstance(dim, int) else dim))
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"{op}: each dim may be named once; got dim={tuple(dim)}")  # type: ignore[arg-type]
    return tuple(dims) if ndim else ()


def as_shape(sizes: Any) -> tuple[int, ...]:
    """A shape from ``f(2, 3)``, ``f((2, 3))`` or ``f(6)``."""
    if len(sizes) == 1 and not isinstance(sizes[0], int) and hasattr(sizes[0], "__iter__"):
        sizes = sizes[0]
    return tuple(int(size) for size in sizes)


as_dims = as_shape
