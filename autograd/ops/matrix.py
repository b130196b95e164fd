"""What the operations on matrices share: checks and the transpose."""

from typing import Any

from .shape import transpose

__all__ = ["mt", "require_floating", "require_matrices", "require_square"]


def require_floating(name: str, *xs: Any) -> None:
    """LAPACK computes in float32 and float64, and in one dtype at a time."""
    for x in xs:
        if x.dtype.kind != "f" or x.dtype.itemsize < 4:
            raise NotImplementedError(
                f"{name}: the tensor must be float32 or float64; got {x.dtype}; convert it with to()"
            )
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
