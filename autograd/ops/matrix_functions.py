"""Norms of vectors and matrices, and functions of matrices: powers, the exponential, rank and condition."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import is_float, to_dtype
from ..kernels import lapack
from ..kernels.reduce import NORM, reduce
from ..kernels.spread import MULTIPLES, spread
from ..tensor import Tensor
from ..tracing import in_one_piece
from .convert import cast, clone, nothing_of
from .dims import normal_dim, normal_dims, numpy_spelling
from .elementwise import abs as abs_
from .elementwise import div, pow, sign, where
from .join import cat
from .matrix import mt, require_matrices, require_square
from .op import op
from .products import matmul
from .reduce import amax, amin
from .reduce import sum as sum_
from .scan import cumprod
from .shape import expand, movedim, reshape, unsqueeze
from .solvers import LinAlgError, inv
from .spectral import eigvalsh, svdvals

__all__ = [
    "cond", "linalg_norm", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "vander", "vector_norm",
]  # fmt: skip

Dims = int | Sequence[int] | None


# --- norms -----------------------------------------------------------------------------------------------------------


def _norm_gradient(g: Any, x: Any, out: Any, ord: float, dim: tuple[int, ...]) -> Any:
    kept = tuple(1 if i in dim else n for i, n in enumerate(x.shape))
    g, norm = (t if tuple(t.shape) == kept else reshape(t, kept) for t in (g, out))
    positive = where(norm == 0, 1.0, norm)  # a norm of 0 has the gradient 0, not 0 / 0
    if ord == 2:
        return x * where(norm == 0, 0.0, g / positive)
    size = where(x == 0, 1.0, abs_(x))
    slope = pow(size / positive, ord - 1) * g
    return where((x == 0) | (norm == 0), 0.0, slope * sign(x))


@op(x=_norm_gradient)
def _norm(x, *, ord, dim, keepdim):
    """(sum |x|^ord)^(1/ord) over the axes, ord a number other than 0, 1 and infinity."""
    if ord == 2:
        return reduce(NORM, x, dim, keepdim)
    with np.errstate(all="ignore"):
        return np.add.reduce(np.abs(x) ** x.dtype.type(ord), axis=dim, keepdims=keepdim) ** x.dtype.type(1 / ord)


@_norm.by_hand
def _norm_backward(g, x, out, ord, dim):
    if ord != 2:
        return [_norm_gradient(g, x, out, ord, dim)]
    return [spread(MULTIPLES, np.where(out == 0, out, g / out), x, dim)]


@numpy_spelling
def vector_norm(x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """(sum |x|^ord)^(1/ord) over ``dim``, or over all elements; inf and -inf give the largest and the smallest |x|,
    0 the number of elements that are not 0. The gradient of a norm of 0 is 0.

    >>> vector_norm(Tensor([3.0, 4.0]))
    tensor(5.)
    """
    if not is_float(x.dtype):
        raise RuntimeError(f"vector_norm: the tensor must be floating; got {x.dtype}; convert it with to()")
    x = x if dtype is None else cast(x, to_dtype(dtype))
    dims = normal_dims("vector_norm", dim, x.ndim)
    if ord in (math.inf, -math.inf) or ord < 0:
        if not math.prod(x.shape[d] for d in dims):
            raise RuntimeError(f"vector_norm: ord={ord} of no elements is not defined; got shape {tuple(x.shape)}")
        if math.isinf(ord):
            return (amax if ord > 0 else amin)(abs_(x), dims, keepdim) if dims else abs_(x)
    if ord == 0:
        ones = where(x != x, 1.0, sign(x) * sign(x))  # with a gradient, which is 0
        return sum_(ones, dims, keepdim) if dims else ones
    if ord == 1:
        return sum_(abs_(x), dims, keepdim) if dims else abs_(x)
    return _norm(x, ord=float(ord), dim=dims, keepdim=keepdim)


_MATRIX_ORDS = ("fro", "nuc", math.inf, -math.inf, 1, -1, 2, -2)


@numpy_spelling
def matrix_norm(
    input: Tensor, ord: Any = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of matrices: "fro" (the root of the sum of squares), "nuc" (the sum of singular values), 2 and -2 (the
    largest and the smallest one), 1 and -1 (of the columns' sums of |A|), inf and -inf (of the rows').
    """
    if input.ndim < 2 or not is_float(input.dtype):
        require_matrices("matrix_norm", input)
    if ord not in _MATRIX_ORDS:
        raise RuntimeError(f"matrix_norm: ord must be one of {', '.join(map(str, _MATRIX_ORDS))}; got {ord!r}")
    rows, columns = (normal_dim("matrix_norm", d, input.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"matrix_norm: dim must name two axes; got {tuple(dim)}")
    input = input if dtype is None else cast(input, to_dtype(dtype))
    if ord == "fro":
        return vector_norm(input, 2, (rows, columns), keepdim)
    x = movedim(input, (rows, columns), (-2, -1))
    if ord in ("nuc", 2, -2):
        require_matrices("matrix_norm", input)
        values = svdvals(x)
        out = sum_(values, -1) if ord == "nuc" else _extreme(values, ord)
    else:
        sums = sum_(abs_(x), -2 if abs(ord) == 1 else -1)
        out = _extreme(sums, ord)
    return reshape(out, tuple(1 if i in (rows, columns) else n for i, n in enumerate(input.shape))) if keepdim else out


def _extreme(x: Tensor, ord: float) -> Tensor:
    """The largest along the last axis (0 of none) or, for a negative ``ord``, the smallest."""
    return amin(x, -1) if ord < 0 else amax(x, -1) if x.shape[-1] else sum_(x, -1)


@numpy_spelling
def linalg_norm(
    input: Tensor, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The `matrix_norm` over two axes or the `vector_norm` over others; without ``dim`` what fits the tensor, and
    without ``ord`` the root of the sum of squares.
    """
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if dim is None and input.ndim not in (1, 2):
        raise RuntimeError(
            f"norm: with ord={ord!r} and no dim a vector or a matrix is needed; got {tuple(input.shape)}"
        )
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dim is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"norm: with ord={ord!r} dim must name one axis or two; got {dims}")
    if len(dims) == 2:
        return matrix_norm(input, ord, dims, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"norm: ord={ord!r} is a norm of matrices; got dim={dim} of shape {tuple(input.shape)}")
    return vector_norm(input, ord, dims, keepdim, dtype=dtype)


# --- rank and condition ----------------------------------------------------------------------------------------------


def matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values are above max(atol, rtol * largest), int64; (*, m, n) -> (*).

    ``tol`` is ``atol`` with rtol 0; ``rtol`` is by default max(m, n) * eps, or 0 where atol > 0.
    """
    (require_square if hermitian else require_matrices)("matrix_rank", input)
    atol, rtol = (tol, 0.0) if tol is not None else (atol, rtol)
    atol, rtol = (t.array if isinstance(t, Tensor) else t for t in (atol, rtol))
    values = abs_(eigvalsh(input)) if hermitian else svdvals(input)
    return _count_above(values, sizes=tuple(input.shape[-2:]), atol=atol, rtol=rtol)


@op()
def _count_above(values, *, sizes, atol, rtol):
    """How many singular values of matrices of this shape count as more than 0."""
    return np.count_nonzero(values > lapack.cutoff(values, sizes, atol, rtol), -1)


@in_one_piece
def cond(input: Tensor, p: Any = None) -> Tensor:
    """The condition number: the largest singular value over the smallest, or the norm ``p`` of A times that of its
    inverse (infinite for a singular matrix).
    """
    require_matrices("cond", input)
    if not input.shape[-1] * input.shape[-2]:
        return Tensor(np.zeros(input.shape[:-2], input.dtype))
    if p is None or p in (2, -2):
        values = svdvals(input)
        large, small = values[..., 0], values[..., -1]
        return div(small, large) if p == -2 else div(large, small)
    require_square("cond", input)
    try:
        return matrix_norm(input, p) * matrix_norm(inv(input), p)
    except LinAlgError:
        norms = [
            cond(m, p) if lapack.slogdet(m.array)[0] else Tensor(np.asarray(np.inf, input.dtype)) for m in _each(input)
        ]
        return reshape(cat([reshape(norm, 1) for norm in norms]), input.shape[:-2])


def _each(A: Tensor) -> Tensor:
    return reshape(A, -1, *A.shape[-2:])


# --- powers and the exponential --------------------------------------------------------------------------------------


def matrix_power(input: Tensor, n: int) -> Tensor:
    """A multiplied n times by itself, by repeated squaring; its inverse for n < 0; (*, m, m) -> (*, m, m)."""
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise RuntimeError(f"matrix_power: the matrices must be square; got shape {tuple(input.shape)}")
    if n < 0:
        return matrix_power(inv(input), -n)
    if n == 1:
        return clone(input)
    out = None
    while n:
        if n % 2:
            out = input if out is None else matmul(out, input)
        n //= 2
        if n:
            input = matmul(input, input)
    if out is None:
        return nothing_of(input) + np.eye(input.shape[-1], dtype=input.dtype)
    return out


def _matrix_exp_gradient(g: Any, x: Any) -> Any:
    # exp of [[X, G], [0, X]] holds the derivative of exp at X in the direction G (Mathias 1996).
    n = x.shape[-1]
    turned = mt(x)
    blocks = cat([cat([turned, g], -1), cat([turned * 0.0, turned], -1)], -2)
    return _matrix_exp(blocks)[..., :n, n:]


@op(x=_matrix_exp_gradient)
def _matrix_exp(x):
    return lapack.expm(x)


def matrix_exp(input: Tensor) -> Tensor:
    """The sum of A^k / k! over all k >= 0; (*, n, n) -> (*, n, n).

    >>> matrix_exp(Tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    require_square("matrix_exp", input)
    return _matrix_exp(input)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Powers of the elements: out[..., i, j] = x[..., i] ** j for j < N; (*, n) -> (*, n, N), N by default n.

    >>> vander(Tensor([1.0, 2.0, 3.0]))
    tensor([[1., 1., 1.],
            [1., 2., 4.],
            [1., 3., 9.]])
    """
    if not x.ndim:
        raise RuntimeError("vander: a vector or a stack of vectors is needed; got shape ()")
    count = x.shape[-1] if N is None else N
    if count < 1:
        raise RuntimeError(f"vander: N must be at least 1; got {count}")
    x = unsqueeze(cast(x, np.dtype(np.int64)) if x.dtype.kind in "biu" else x, -1)
    ones = Tensor(np.ones(x.shape, x.dtype))
    return cumprod(cat([ones, expand(x, *x.shape[:-1], count - 1)], -1), -1)
