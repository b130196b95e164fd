"""Norms and distances, differences, and areas under curves."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels import distance as kernels
from ..tensor import Tensor
from .comparison import ne
from .convert import cast, clone
from .dims import normal_dim, numpy_spelling
from .join import cat
from .matrix_functions import matrix_norm, vector_norm
from .op import op
from .products import matmul
from .scan import cumsum
from .selection import where
from .shape import expand, reshape, transpose, unsqueeze
from .split import narrow
from .totals import sum

__all__ = ["cdist", "cumulative_trapezoid", "diff", "dist", "norm", "renorm", "trapezoid"]


@numpy_spelling
def norm(
    input: Tensor, p: Any = "fro", dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(sum |x|^p)^(1/p) over ``dim`` or all elements; inf, -inf and 0 as in `vector_norm`, "fro" is 2, "nuc" the sum of
    the singular values of matrices. The gradient of a norm of 0 is 0.

    >>> norm(Tensor([3.0, 4.0]))
    tensor(5.)
    """
    if p == "nuc":
        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f'norm: p is a number, "fro" or "nuc"; got {p!r}')
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other."""
    return norm(input - other, p)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The p-norm distance of every row of x1 to every row of x2: (*, n, k), (*, m, k) -> (*, n, m).

    It is computed from the differences whatever ``compute_mode`` says: exact, and 0 for equal rows.
    """
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"cdist: rows must have equal lengths; got {tuple(x1.shape)} and {tuple(x2.shape)}")
    if p < 0:
        raise RuntimeError(f"cdist: p must not be negative; got {p}")
    if p != 2 or x1.dtype != x2.dtype or x1.dtype not in (np.float32, np.float64):
        return vector_norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)
    lead = np.broadcast_shapes(tuple(x1.shape[:-2]), tuple(x2.shape[:-2]))
    count, (n, k), m = math.prod(lead), x1.shape[-2:], x2.shape[-2]
    a = reshape(expand(x1, *lead, n, k), count, n, k)
    return reshape(_euclidean(a, reshape(expand(x2, *lead, m, k), count, m, k)), *lead, n, m)


def _share(g: Any, out: Any) -> Any:
    """g / out, 0 where the distance is 0."""
    return where(out == 0, 0.0, g / where(out == 0, 1.0, out))


@op(
    a=lambda g, a, b, out: sum(_share(g, out), -1, True) * a - matmul(_share(g, out), b),
    b=lambda g, a, b, out: sum(_share(g, out), -2)[..., None] * b - matmul(transpose(_share(g, out), -2, -1), a),
)
def _euclidean(a, b):
    out = np.empty((*a.shape[:2], b.shape[1]), a.dtype)
    kernels.euclidean(np.ascontiguousarray(a), np.ascontiguousarray(b), out)
    return out


@_euclidean.by_hand
def _euclidean_backward(g, a, b, out):
    da, db = np.zeros(a.shape, a.dtype), np.zeros(b.shape, b.dtype)
    kernels.euclidean_backward(*map(np.ascontiguousarray, (g, a, b, out)), da, db)
    return da, db


@numpy_spelling
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Every slice along ``dim`` whose p-norm is above ``maxnorm`` scaled down to that norm."""
    if maxnorm < 0 or p <= 0:
        raise RuntimeError(f"renorm: p must be positive and maxnorm not negative; got p={p} and maxnorm={maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: at least two axes are needed; got shape {tuple(input.shape)}")
    at = normal_dim("renorm", dim, input.ndim)
    size = vector_norm(input, p, tuple(d for d in range(input.ndim) if d != at), True)
    return input * where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)


# --- along an axis ---------------------------------------------------------------------------------------------------


@numpy_spelling
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """The differences of neighbours along ``dim``, n times over; ``prepend`` and ``append`` are joined on first.

    >>> diff(Tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    if not input.ndim:
        raise RuntimeError("diff: the tensor must have an axis; got a 0-d tensor")
    if n < 0:
        raise RuntimeError(f"diff: n must not be negative; got {n}")
    at = normal_dim("diff", dim, input.ndim)
    if n == 0:
        return clone(input)
    parts = [part for part in (prepend, input, append) if part is not None]
    x = cat(parts, at) if len(parts) > 1 else input
    for _ in range(n):
        if x.shape[at] == 0:
            break
        before, after = _neighbours(x, at)
        x = ne(after, before) if x.dtype == np.bool_ else after - before
    return x


def _neighbours(x: Any, dim: int) -> tuple[Any, Any]:
    length = max(x.shape[dim] - 1, 0)
    return narrow(x, dim, 0, length), narrow(x, dim, min(1, x.shape[dim]), length)


def _trapezoids(name: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """Twice the area of each trapezoid along the axis."""
    if x is not None and dx is not None:
        raise RuntimeError(f"{name}: either the points or their distance; got both x and dx")
    if not y.ndim:
        raise IndexError(f"{name}: the tensor must have an axis; got a 0-d tensor")
    at = normal_dim(name, dim, y.ndim)
    before, after = _neighbours(y, at)
    if x is None:
        return (before + after) * (1 if dx is None else dx), at
    if x.ndim == 1:
        if x.shape[0] != y.shape[at]:
            raise RuntimeError(f"{name}: one x for each y; got {x.shape[0]} for {y.shape[at]} along dim {at}")
        x = reshape(x, [-1 if d == at else 1 for d in range(y.ndim)])
    return (before + after) * diff(x, dim=at - y.ndim), at


@numpy_spelling
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The integral along ``dim`` by the trapezoidal rule, over points ``x`` or in steps of ``dx`` (1)."""
    areas, at = _trapezoids("trapezoid", y, x, dx, dim)
    total = sum(areas, at)
    return total / 2 if y.shape[at] else cast(total, y.dtype)  # as PyTorch has it, of no elements an integer


@numpy_spelling
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The integrals up to each point along ``dim`` by the trapezoidal rule; one element less than y."""
    areas, at = _trapezoids("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(areas, at) / 2
