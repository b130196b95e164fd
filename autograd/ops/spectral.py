"""Eigenvalues and singular values.

Derivatives: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008). The gradient of vectors that are not unique is that of the ones computed: it exists only while eigenvalues, or
singular values, differ.
"""

from typing import Any, NamedTuple

import numpy as np

from ..kernels import lapack
from ..tensor import Tensor
from .diagonal import diag_embed, diagonal, tril, triu
from .matrix import mt, require_matrices, require_square
from .op import op
from .products import matmul
from .shape import unsqueeze
from .solvers import inv

__all__ = ["EighResult", "SVDResult", "eigh", "eigvals", "eigvalsh", "svd", "svdvals"]


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


def eigh(input: Tensor, UPLO: str = "L") -> EighResult:
    """A = Q diag(eigenvalues) Q^T of symmetric matrices, whose lower triangle (or upper, with "U") is read;
    (*, n, n) -> (*, n), (*, n, n).

    >>> eigh(Tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    require_square("eigh", input)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"eigh: UPLO must be 'L' or 'U'; got {UPLO!r}")
    return EighResult(*_eigh(input, uplo=UPLO.upper()))


def eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, in rising order; (*, n, n) -> (*, n)."""
    return eigh(input, UPLO).eigenvalues


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


def _check_driver(name: str, driver: str | None) -> None:
    if driver is not None:
        raise RuntimeError(f"{name}: a driver can be chosen on GPUs only; got driver={driver!r}")


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> SVDResult:
    """A = U diag(S) Vh; (*, m, n) -> (*, m, m), (*, min(m, n)), (*, n, n), or U (*, m, k) and Vh (*, k, n) with
    k = min(m, n) unless ``full_matrices``.

    Signs of the vectors are not unique; a loss should not depend on them.
    """
    require_matrices("svd", A)
    _check_driver("svd", driver)
    return SVDResult(*_svd(A, full=full_matrices))


def _svdvals_gradient(g: Any, x: Any) -> Any:
    u, _, vh = _svd(x, full=False)
    return matmul(u * unsqueeze(g, -2), vh)


@op(x=_svdvals_gradient)
def _svdvals(x):
    return lapack.svd(x, compute_uv=False)


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values, in falling order; (*, m, n) -> (*, min(m, n))."""
    require_matrices("svdvals", A)
    _check_driver("svdvals", driver)
    return _svdvals(A)
