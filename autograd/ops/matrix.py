"""What the operations on matrices share: checks, triangles and diagonals."""

from typing import Any

import numpy as np

from .elementwise import where
from .shape import transpose, unsqueeze

__all__ = ["as_diagonal", "diagonal", "lower", "mt", "require_floating", "require_matrices", "require_square", "upper"]


def require_floating(name: str, *xs: Any) -> None:
    """LAPACK computes in float32 and float64, and in one dtype at a time."""
    for x in xs:
        if x.dtype.kind != "f" or x.dtype.itemsize < 4:
            raise RuntimeError(f"{name}: the tensor must be float32 or float64; got {x.dtype}; convert it with to()")
        if x.dtype != xs[0].dtype:
            raise RuntimeError(
                f"{name}: the dtypes must be equal; got {xs[0].dtype} and {x.dtype}; convert one with to()"
            )


def require_matrices(name: str, *xs: Any) -> None:
    """A matrix or a stack of matrices, of floats."""
    for x in xs:
        if x.ndim < 2:
            raise RuntimeError(f"{name}: a matrix or a stack of matrices is needed; got shape {tuple(x.shape)}")
    require_floating(name, *xs)


def require_square(name: str, x: Any) -> None:
    """A square matrix or a stack of such, of floats."""
    require_matrices(name, x)
    if x.shape[-1] != x.shape[-2]:
        raise RuntimeError(f"{name}: the matrices must be square; got shape {tuple(x.shape)}")


def mt(x: Any) -> Any:
    """Matrices transposed."""
    return transpose(x, -2, -1)


def lower(x: Any, k: int = 0) -> Any:
    """The lower triangle, up to the diagonal ``k`` above the main one; zeros elsewhere."""
    return where(np.tri(x.shape[-2], x.shape[-1], k, dtype=bool), x, 0.0)


def upper(x: Any, k: int = 0) -> Any:
    """The upper triangle, from the diagonal ``k`` above the main one on; zeros elsewhere."""
    return where(np.tri(x.shape[-2], x.shape[-1], k - 1, dtype=bool), 0.0, x)


def diagonal(x: Any) -> Any:
    """The diagonals of matrices; (*, n, n) -> (*, n)."""
    along = np.arange(min(x.shape[-2:]))
    return x[..., along, along]


def as_diagonal(x: Any) -> Any:
    """Diagonal matrices; (*, n) -> (*, n, n)."""
    return where(np.eye(x.shape[-1], dtype=bool), unsqueeze(x, -2), 0.0)
