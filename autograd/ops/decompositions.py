"""Matrices as products of simpler ones: Cholesky, QR, LU, eigenvalues, singular values.

Derivatives: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008), for eigenvalues and singular values; I. Murray, "Differentiation of the Cholesky decomposition" (2016);
S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
experimental design" (2013), for QR. The gradient of a factor that is not unique is that of the one computed: it
exists only while eigenvalues, or singular values, differ.
"""

from typing import Any, NamedTuple

import numpy as np

from ..kernels import lapack
from ..tensor import Tensor
from .diagonal import diag_embed, diagonal, tril, triu
from .join import cat
from .matrix import mt, require_matrices, require_square
from .op import op
from .products import matmul
from .shape import unsqueeze
from .solvers import _solve_triangular, inv

__all__ = [
    "EighResult", "LUFactorResult", "LUResult", "QRResult", "SVDResult", "cholesky", "cholesky_inverse",
    "cholesky_solve", "eigh", "eigvals", "eigvalsh", "lu", "lu_factor", "lu_solve", "qr", "svd", "svdvals",
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


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangle L with L L^T = A for a symmetric positive-definite A, or its transpose if ``upper``.

    Only the lower triangle of A is read (the upper one if ``upper``). A matrix that is not positive-definite is a
    `LinAlgError`.

    >>> cholesky(Tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    require_square("cholesky", A)
    return mt(_cholesky(mt(A))) if upper else _cholesky(A)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A X = B, from the Cholesky factor L of A; (*, n, k), (*, n, n) -> (*, n, k)."""
    require_matrices("cholesky_solve", L, B)
    require_square("cholesky_solve", L)
    if B.shape[-2] != L.shape[-1]:
        raise RuntimeError(f"cholesky_solve: the sizes differ; got {tuple(B.shape)} and {tuple(L.shape)}")
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


# --- eigenvalues -----------------------------------------------------------------------------------------------------


class EighResult(NamedTuple):
    """Eigenvalues in rising order, and eigenvectors in the columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def _gaps(values: Any) -> Any:
    """out[i, j] = values[j] - values[i]; 1 on the diagonal, to divide by."""
    return unsqueeze(values, -2) - unsqueeze(values, -1) + np.eye(values.shape[-1], dtype=values.dtype)


def _off_diagonal(x: Any) -> Any:
    return tril(x, -1) + triu(x, 1)


def _eigh_gradient(g: list, out: tuple) -> Any:
    values, q = out
    inner: Any = 0.0 if g[0] is None else diag_embed(g[0])
    if g[1] is not None:
        inner = _off_diagonal(matmul(mt(q), g[1])) / _gaps(values) + inner
    return matmul(q, matmul(inner, mt(q)))


@op(x=_eigh_gradient)
def _eigh(x, *, uplo):
    return lapack.eigh(x, uplo)


def eigh(A: Tensor, UPLO: str = "L") -> EighResult:
    """A = Q diag(eigenvalues) Q^T of symmetric matrices, whose lower triangle (or upper, with "U") is read;
    (*, n, n) -> (*, n), (*, n, n).

    >>> eigh(Tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    require_square("eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"eigh: UPLO must be 'L' or 'U'; got {UPLO!r}")
    return EighResult(*_eigh(A, uplo=UPLO.upper()))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, in rising order; (*, n, n) -> (*, n)."""
    return eigh(A, UPLO).eigenvalues


def _eig_gradient(g: list, out: tuple) -> Any:
    values, v = out
    inner: Any = 0.0 if g[0] is None else diag_embed(g[0])
    if g[1] is not None:
        # The columns of v have length 1: what would lengthen them is taken out.
        along = matmul(mt(v), g[1])
        along = along - matmul(mt(v), v * unsqueeze(diagonal(along, 0, -2, -1), -2))
        inner = _off_diagonal(along) / _gaps(values) + inner
    inverse = inv(v)
    return matmul(mt(inverse), matmul(inner, mt(v)))


@op(x=_eig_gradient)
def _eig(x):
    return lapack.eig(x)


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues of square matrices, which must be real (a `LinAlgError` if not); (*, n, n) -> (*, n).

    They are in the order LAPACK gives, and real where PyTorch's are complex numbers without imaginary part.
    """
    require_square("eigvals", A)
    return _eig(A)[0]


# --- singular values -------------------------------------------------------------------------------------------------


class SVDResult(NamedTuple):
    """U and Vh with orthonormal columns and rows, and the singular values S in falling order."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _svd_gradient(g: list, out: tuple) -> Any:
    gu, gs, gv = g
    s = out[1]
    k = s.shape[-1]
    # Columns beyond the singular values complete a basis, in no unique way; they get no gradient.
    u, vh = out[0][..., :k], out[2][..., :k, :]
    row, column = unsqueeze(s, -2), unsqueeze(s, -1)
    inner: Any = 0.0 if gs is None else diag_embed(gs)
    gaps = (row - column + np.eye(k, dtype=s.dtype)) * (row + column)
    if gu is not None:
        gu = gu[..., :k]
        along_u = matmul(mt(u), gu)
        turned = _off_diagonal(along_u) / gaps
        inner = (turned + mt(turned)) * row + inner
    if gv is not None:
        gv = gv[..., :k, :]
        along_v = matmul(vh, mt(gv))
        turned = _off_diagonal(along_v) / gaps
        inner = column * (turned + mt(turned)) + inner
    result = matmul(u, matmul(inner, vh))
    if gu is not None and u.shape[-2] > k:
        result = result + matmul((gu - matmul(u, along_u)) / row, vh)
    if gv is not None and vh.shape[-1] > k:
        result = result + matmul(u / row, gv - matmul(mt(along_v), vh))
    return result


@op(x=_svd_gradient)
def _svd(x, *, full):
    return tuple(lapack.svd(x, full))


def svd(A: Tensor, full_matrices: bool = True) -> SVDResult:
    """A = U diag(S) Vh; (*, m, n) -> (*, m, m), (*, min(m, n)), (*, n, n), or U (*, m, k) and Vh (*, k, n) with
    k = min(m, n) unless ``full_matrices``.

    Signs of the vectors are not unique; a loss should not depend on them.
    """
    require_matrices("svd", A)
    return SVDResult(*_svd(A, full=full_matrices))


def _svdvals_gradient(g: Any, x: Any) -> Any:
    u, _, vh = _svd(x, full=False)
    return matmul(u * unsqueeze(g, -2), vh)


@op(x=_svdvals_gradient)
def _svdvals(x):
    return lapack.svd(x, compute_uv=False)


def svdvals(A: Tensor) -> Tensor:
    """The singular values, in falling order; (*, m, n) -> (*, min(m, n))."""
    require_matrices("svdvals", A)
    return _svdvals(A)
