"""Linear algebra under the names it has outside `autograd.linalg`, where their arguments differ from those there."""

from typing import NamedTuple

import numpy as np

from ..tensor import Tensor
from . import decompositions, matrix_functions, solvers, spectral
from .contractions import chain_matmul, cross, inner, kron, tensordot, trace
from .decompositions import QRResult
from .einsum import einsum
from .matrix import mt
from .products import addbmm, addmm, addmv, addr, baddbmm, bmm, dot, ger, matmul, mm, mv, outer, vdot
from .solvers import SlogdetResult, TriangularSolveResult

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cholesky", "cholesky_inverse",
    "cholesky_solve", "cross", "det", "dot", "einsum", "ger", "inner", "inverse", "kron", "logdet", "lu_solve",
    "matmul", "matrix_exp", "matrix_power", "mm", "mv", "outer", "pinverse", "qr", "slogdet", "svd", "tensordot",
    "trace", "triangular_solve", "vdot",
]  # fmt: skip


def inverse(input: Tensor) -> Tensor:
    """The inverse of square matrices: `linalg.inv`."""
    return solvers.inv(input)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse: `linalg.pinv`; singular values up to ``rcond`` times the largest count as 0."""
    return solvers.pinv(input, rcond)


def det(input: Tensor) -> Tensor:
    """The determinant: `linalg.det`."""
    return solvers.det(input)


def slogdet(input: Tensor) -> SlogdetResult:
    """The sign and the logarithm of the absolute value of the determinant: `linalg.slogdet`."""
    return solvers.slogdet(input)


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where it is negative, -inf where it is 0."""
    return solvers.logdet(input)


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The Cholesky factor: `linalg.cholesky`."""
    return decompositions.cholesky(input, upper=upper)


def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """X with A X = input, from the Cholesky factor of A, ``input2``; (*, n, k), (*, n, n) -> (*, n, k)."""
    return decompositions.cholesky_solve(input, input2, upper)


def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A from its Cholesky factor; (*, n, n) -> (*, n, n)."""
    return decompositions.cholesky_inverse(input, upper)


def qr(input: Tensor, some: bool = True) -> QRResult:
    """Q and R: `linalg.qr`, in mode "reduced" if ``some``, else "complete"."""
    return decompositions.qr(input, "reduced" if some else "complete")


class SVDResult(NamedTuple):
    """U and V with orthonormal columns, and the singular values S in falling order."""

    U: Tensor
    S: Tensor
    V: Tensor


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> SVDResult:
    """input = U diag(S) V^T, with V where `linalg.svd` has its transpose; without ``compute_uv`` U and V are zeros."""
    if not compute_uv:
        *lead, m, n = input.shape
        u, v = (Tensor(np.zeros((*lead, size, size), input.dtype)) for size in (m, n))
        return SVDResult(u, spectral.svdvals(input), v)
    u, s, vh = spectral.svd(input, full_matrices=not some)
    return SVDResult(u, s, mt(vh))


def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """X with A X = input, from the LU decomposition of A: `linalg.lu_solve`."""
    return decompositions.lu_solve(LU_data, LU_pivots, input)


def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolveResult:
    """X with A X = input, or A^T X = input with ``transpose``, for triangular A: see `linalg.solve_triangular`."""
    return solvers.triangular_solve(input, A, upper, transpose, unitriangular)


def matrix_exp(input: Tensor) -> Tensor:
    """The matrix exponential: `linalg.matrix_exp`."""
    return matrix_functions.matrix_exp(input)


def matrix_power(input: Tensor, n: int) -> Tensor:
    """Square matrices to an integer power: `linalg.matrix_power`."""
    return matrix_functions.matrix_power(input, n)
