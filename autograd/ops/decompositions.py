"""Matrices as products of triangles and others: Cholesky, QR, LU.

Derivatives: I. Murray, "Differentiation of the Cholesky decomposition" (2016); S. Walter and L. Lehmann, "Algorithmic
differentiation of linear algebra functions with application in optimum experimental design" (2013), for QR.
"""

from typing import Any, NamedTuple

import numpy as np

from ..kernels import lapack
from ..tensor import Tensor
from .diagonal import tril, triu
from .join import cat
from .matrix import mt, require_matrices, require_square
from .op import op
from .products import matmul
from .solvers import _solve_triangular, with_broadcast

__all__ = [
    "LUFactorResult", "LUResult", "QRResult", "cholesky", "cholesky_inverse", "cholesky_solve", "lu", "lu_factor",
    "lu_solve", "qr",
]  # fmt: skip


def _triangular(a: Any, b: Any, up: bool = False, unit: bool = False) -> Any:
    return _solve_triangular(a, b, up=up, unit=unit)


# --- Cholesky --------------------------------------------------------------------------------------------------------


def _cholesky_gradient(g: Any, out: Any) -> Any:
    inner = tril(matmul(mt(out), tril(g)))
    symmetric = (inner + mt(tril(inner, -1))) / 2
    left = _triangular(mt(out), symmetric, up=True)
    return mt(_triangular(mt(out), mt(left), up=True))


@op(x=_cholesky_gradient)
def _cholesky(x):
    return lapack.cholesky(x)


def cholesky(input: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangle L with L L^T = A for a symmetric positive-definite A, or its transpose if ``upper``.

    Only the lower triangle of A is read (the upper one if ``upper``). A matrix that is not positive-definite is a
    `LinAlgError`.

    >>> cholesky(Tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    require_square("cholesky", input)
    return mt(_cholesky(mt(input))) if upper else _cholesky(input)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A X = B, from the Cholesky factor L of A; (*, n, k), (*, n, n) -> (*, n, k)."""
    require_matrices("cholesky_solve", L, B)
    require_square("cholesky_solve", L)
    if B.shape[-2] != L.shape[-1]:
        raise RuntimeError(f"cholesky_solve: the sizes differ; got {tuple(B.shape)} and {tuple(L.shape)}")
    with_broadcast("cholesky_solve", B, L)
    factor = mt(L) if upper else L
    return _triangular(mt(factor), _triangular(factor, B), up=True)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A from its Cholesky factor L; (*, n, n) -> (*, n, n)."""
    require_square("cholesky_inverse", L)
    return cholesky_solve(Tensor(np.eye(L.shape[-1], dtype=L.dtype)), L, upper)


# --- QR --------------------------------------------------------------------------------------------------------------


class QRResult(NamedTuple):
    """Q with orthonormal columns and the upper triangle R."""

    Q: Tensor
    R: Tensor


def _qr_gradient(g: list, out: tuple, mode: str) -> Any:
    if mode == "r":
        raise RuntimeError("qr: the gradient reads Q; got mode='r', which does not compute it; use mode='reduced'")
    q, r = out
    gq, gr = g
    m, k = q.shape[-2:]
    n = r.shape[-1]
    if mode == "complete" and m > n:
        raise RuntimeError(
            f"qr: with mode='complete' a matrix with more rows than columns has no gradient; got {(m, n)}; "
            "use mode='reduced'"
        )
    if n <= k:
        return _tall_qr_gradient(gq, gr, q, r)
    # A is wide: its first columns alone make Q, the others are Q times those of R.
    gr_first, gr_rest = (None, None) if gr is None else (gr[..., :k], gr[..., k:])
    if gr_rest is None:
        first = _tall_qr_gradient(gq, None, q, r[..., :k])
        return cat([first, first[..., :1] * np.zeros(n - k, first.dtype)], -1)
    rest = matmul(q, gr_rest)
    through_q = matmul(matmul(q, r[..., k:]), mt(gr_rest))
    first = _tall_qr_gradient(through_q if gq is None else gq + through_q, gr_first, q, r[..., :k])
    return cat([first, rest], -1)


def _tall_qr_gradient(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    m: Any = 0.0 if gr is None else matmul(r, mt(gr))
    if gq is not None:
        m = m - matmul(mt(gq), q)
    symmetric = tril(m) + mt(tril(m, -1))
    right = matmul(q, symmetric)
    if gq is not None:
        right = right + gq
    return mt(_triangular(r, mt(right), up=True))


@op(x=_qr_gradient)
def _qr(x, *, mode):
    if mode == "r":
        return np.empty(0, x.dtype), lapack.qr(x, "r")
    return tuple(lapack.qr(x, mode))


def qr(A: Tensor, mode: str = "reduced") -> QRResult:
    """A = Q R; (*, m, n) -> (*, m, k), (*, k, n) with k = min(m, n), or k = m in mode "complete".

    Mode "r" computes R alone and leaves Q empty. Of a matrix with more rows than columns only "reduced" has a gradient.
    """
    require_matrices("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr: mode must be 'reduced', 'complete' or 'r'; got {mode!r}")
    return QRResult(*_qr(A, mode=mode))


# --- LU --------------------------------------------------------------------------------------------------------------


class LUFactorResult(NamedTuple):
    """L (below the diagonal, whose ones are not stored) and U in one matrix, and each row's exchange, from 1 on."""

    LU: Tensor
    pivots: Tensor


class LUResult(NamedTuple):
    """A = P L U: a permutation, a lower triangle with ones on the diagonal, and an upper triangle."""

    P: Tensor
    L: Tensor
    U: Tensor


def _lu_gradient(g: list, out: tuple) -> Any:
    factors, pivots = out
    gradient = g[0]
    m, n = factors.shape[-2:]
    k = min(m, n)
    square = factors[..., :k, :k]
    up, gl, gu = triu(square), tril(gradient[..., :k, :k], -1), triu(gradient[..., :k, :k])
    if n > m:  # the further columns are L times those of U
        beyond = _triangular(mt(square), gradient[..., k:], up=True, unit=True)
        gl = tril(gl - matmul(beyond, mt(factors[..., k:])), -1)
    elif m > n:  # the further rows are those of L times U
        beyond = mt(_triangular(square, mt(gradient[..., k:, :]), up=True))
        gu = triu(gu - matmul(mt(factors[..., k:, :]), beyond))
    unit = tril(square, -1)
    inner = tril(matmul(mt(unit), gl) + gl, -1) + triu(matmul(gu, mt(up)))
    left = _triangular(mt(square), inner, up=True, unit=True)
    result = mt(_triangular(square, mt(left), up=True))
    if m != n:
        result = cat([result, beyond], -1 if n > m else -2)
    return matmul(_permutation(pivots, rows=m, dtype=result.dtype), result)


@op()
def _permutation(pivots, *, rows, dtype):
    """P as LAPACK's exchanges of rows make it."""
    return np.ascontiguousarray(np.eye(rows, dtype=dtype)[lapack.permutation(pivots, rows)].mT)


@op(x=_lu_gradient)
def _lu_factor(x, *, pivot):
    return lapack.lu_factor(x, pivot)


def lu_factor(A: Tensor, *, pivot: bool = True) -> LUFactorResult:
    """The LU decomposition in compact form; (*, m, n) -> (*, m, n), (*, min(m, n)). See `lu` and `lu_solve`."""
    require_matrices("lu_factor", A)
    return LUFactorResult(*_lu_factor(A, pivot=pivot))


def lu(A: Tensor, *, pivot: bool = True) -> LUResult:
    """A = P L U with partial pivoting; P is (*, m, m), or empty unless ``pivot``, which exchanges rows."""
    require_matrices("lu", A)
    factors, pivots = _lu_factor(A, pivot=pivot)
    m, n = A.shape[-2:]
    k = min(m, n)
    low = tril(factors[..., :k], -1) + np.eye(m, k, dtype=A.dtype)
    order = _permutation(pivots, rows=m, dtype=A.dtype) if pivot else Tensor(np.empty(0, A.dtype))
    return LUResult(order, low, triu(factors[..., :k, :]))


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """X with A X = B from the `lu_factor` of A; X A = B unless ``left``, A^T instead of A with ``adjoint``."""
    require_matrices("lu_solve", LU, B)
    require_square("lu_solve", LU)
    if B.shape[-2 if left else -1] != LU.shape[-1]:
        raise RuntimeError(f"lu_solve: the sizes differ; got {tuple(LU.shape)} and {tuple(B.shape)}")
    if not left:  # X A = B is A^T X^T = B^T
        return mt(lu_solve(LU, pivots, mt(B), adjoint=not adjoint))
    p = _permutation(pivots, rows=LU.shape[-1], dtype=LU.dtype)
    if adjoint:
        y = _triangular(mt(LU), B)
        return matmul(p, _triangular(mt(LU), y, up=True, unit=True))
    return _triangular(LU, _triangular(LU, matmul(mt(p), B), unit=True), up=True)
