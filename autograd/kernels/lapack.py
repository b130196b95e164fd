"""Matrices factored and solved on arrays, by numpy's and SciPy's LAPACK; stacks of matrices in the leading axes.

SciPy is imported when one of its routines is first used.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "LinAlgError", "cholesky", "det", "eig", "eigh", "expm", "inv", "lstsq", "lu_factor", "pinv", "qr", "slogdet",
    "solve", "solve_triangular", "svd",
]  # fmt: skip


class LinAlgError(RuntimeError):
    """A matrix that the operation is not defined for, or a factorisation that did not converge."""


_quiet = np.errstate(all="ignore")  # infinities and NaN are results like others


def _element(bad: np.ndarray) -> str:
    """Which matrix of a stack is the first bad one; nothing for a single matrix."""
    at = np.argwhere(bad)
    return f" at batch element {', '.join(map(str, at[0]))}" if bad.ndim and len(at) else ""


def _singular(name: str, a: np.ndarray) -> LinAlgError:
    element = _element(slogdet(a)[0] == 0)
    return LinAlgError(f"{name}: the matrix must be invertible; got a singular one of shape {a.shape}{element}")


def inv(a: np.ndarray) -> np.ndarray:
    """The inverse."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise _singular("inv", a) from None


def solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """X with a @ X = b; b holds columns."""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise _singular("solve", a) from None


@_quiet
def det(a: np.ndarray) -> np.ndarray:
    """The determinant."""
    return np.asarray(np.linalg.det(a))


@_quiet
def slogdet(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sign of the determinant and the logarithm of its size."""
    sign, logabsdet = np.linalg.slogdet(a)
    return np.asarray(sign), np.asarray(logabsdet)


def cholesky(a: np.ndarray) -> np.ndarray:
    """The lower triangle L with a = L L^T, from the lower triangle of a."""
    factor = _cholesky(a)
    if factor is not None:
        return factor
    bad = np.array([_cholesky(one) is None for one in a.reshape(-1, *a.shape[-2:])]).reshape(a.shape[:-2])
    raise LinAlgError(
        f"cholesky: the matrix must be positive-definite; got one of shape {a.shape} that is not{_element(bad)}"
    )


@_quiet
def _cholesky(a: np.ndarray) -> np.ndarray | None:
    """The lower triangle, None if there is none; numpy takes NaN for positive."""
    try:
        factor = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return None
    return None if np.isnan(np.trace(factor, axis1=-2, axis2=-1)).any() else factor


def qr(a: np.ndarray, mode: Any) -> Any:
    """Q, R; with mode "r" R alone."""
    return np.linalg.qr(a, mode)


def _converged(name: str, routine: Callable, a: np.ndarray, *args: Any, read: Callable = np.asarray) -> Any:
    """What an iterative routine gives. With an infinity in what it is to ``read`` it might go on for ever."""
    bad = ~np.isfinite(read(a)).all((-2, -1))
    if not bad.any():
        try:
            return routine(a, *args)
        except np.linalg.LinAlgError:
            pass
    raise LinAlgError(
        f"{name}: the algorithm did not converge; got a matrix of shape {a.shape}{_element(bad)}; "
        "look for NaN and infinities in it"
    )


def svd(a: np.ndarray, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """U, S, Vh, or S alone."""
    return _converged("svd", np.linalg.svd, a, full_matrices, compute_uv)


def eigh(a: np.ndarray, uplo: str = "L") -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues in rising order and eigenvectors, from one triangle of a symmetric matrix."""
    return tuple(_converged("eigh", np.linalg.eigh, a, uplo, read=np.tril if uplo == "L" else np.triu))


def eig(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors, which must be real."""
    values, vectors = _converged("eigvals", np.linalg.eig, a)
    if np.iscomplexobj(values):
        bad = (values.imag != 0).any(-1)
        if bad.any():
            raise LinAlgError(
                f"eigvals: the eigenvalues must be real, there are no complex tensors; got a matrix of shape {a.shape} "
                f"with complex ones{_element(bad)}"
            )
        values, vectors = values.real, vectors.real
    return np.ascontiguousarray(values), np.ascontiguousarray(vectors)


def cutoff(s: np.ndarray, shape: tuple[int, ...], atol: Any, rtol: Any) -> Any:
    """The size below which singular values count as 0: max(atol, rtol * the largest); for each matrix a number.

    ``rtol`` None is eps * max(rows, columns), or 0 where ``atol`` > 0, as in PyTorch.
    """
    floor = np.asarray(0.0 if atol is None else atol, s.dtype)[..., None]
    if rtol is None:
        default = np.finfo(s.dtype).eps * max(shape[-2:])
        relative = np.where(floor > 0, 0.0, default).astype(s.dtype)
    else:
        relative = np.asarray(rtol, s.dtype)[..., None]
    return np.maximum(floor, relative * s.max(-1, keepdims=True, initial=0))


@_quiet
def pinv(a: np.ndarray, atol: Any, rtol: Any, hermitian: bool) -> np.ndarray:
    """The Moore-Penrose inverse."""
    if hermitian:
        values, q = eigh(a)
        keep = np.abs(values) > cutoff(np.abs(values), a.shape, atol, rtol)
        inverse = np.divide(1, values, out=np.zeros_like(values), where=keep)
        return (q * inverse[..., None, :]) @ q.mT
    u, s, vh = svd(a)
    keep = s > cutoff(s, a.shape, atol, rtol)
    inverse = np.divide(1, s, out=np.zeros_like(s), where=keep)
    return (vh.mT * inverse[..., None, :]) @ u.mT


def _each(routine: Callable, *stacks: np.ndarray, outputs: int = 1) -> Any:
    """A routine for single matrices applied to stacks, their leading axes broadcast."""
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in stacks))
    flat = [np.broadcast_to(x, (*lead, *x.shape[-2:])).reshape(-1, *x.shape[-2:]) for x in stacks]
    results = [routine(*matrices) for matrices in zip(*flat, strict=True)]
    if outputs == 1:
        results = [(result,) for result in results]
    joined = [np.stack(parts).reshape((*lead, *np.shape(parts[0]))) for parts in zip(*results, strict=True)]
    return joined[0] if outputs == 1 else tuple(joined)


def solve_triangular(a: np.ndarray, b: np.ndarray, upper: bool, unitriangular: bool) -> np.ndarray:
    """X with a @ X = b for a triangular a, whose other triangle (and diagonal, if 1) is not read.

    As in PyTorch a zero on the diagonal gives infinities, not an error.
    """
    from scipy.linalg import get_blas_funcs

    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if 0 in (*lead, *b.shape[-2:]):
        return np.empty((*lead, *b.shape[-2:]), b.dtype)
    if math.prod(lead) > 4 * a.shape[-1]:
        return _substitute(a, b, lead, upper, unitriangular)
    # Not LAPACK's trtrs: OpenBLAS wakes its threads for it, however small the matrix.
    (trsm,) = get_blas_funcs(("trsm",), (a, b))

    def one(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return trsm(1.0, a, b, lower=not upper, diag=unitriangular)

    return one(a, b) if not lead else _each(one, a, b)


@_quiet
def _substitute(a: np.ndarray, b: np.ndarray, lead: tuple[int, ...], upper: bool, unit: bool) -> np.ndarray:
    """Row after row, each for all of many small matrices."""
    x = np.empty((*lead, *b.shape[-2:]), b.dtype)
    n = a.shape[-1]
    for i in range(n)[:: -1 if upper else 1]:
        known = slice(i + 1, n) if upper else slice(i)
        row = b[..., i, :] - (a[..., i : i + 1, known] @ x[..., known, :])[..., 0, :]
        x[..., i, :] = row if unit else row / a[..., i, i, None]
    return x


def lu_factor(a: np.ndarray, pivot: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """L below the diagonal and U above, in one matrix, and the row each row was exchanged with, from 1 on."""
    from scipy.linalg import get_lapack_funcs

    m, n = a.shape[-2:]
    if 0 in a.shape:
        return a.copy(), np.empty((*a.shape[:-2], min(m, n)), np.int32)
    (getrf,) = get_lapack_funcs(("getrf",), (a,))

    def one(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lu, pivots, _ = getrf(a)
        return lu, pivots.astype(np.int32) + 1

    return _each(one if pivot else _eliminate, a, outputs=2)


def _eliminate(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian elimination without exchanging rows."""
    lu = a.copy()
    k = min(a.shape)
    with np.errstate(all="ignore"):
        for j in range(k):
            lu[j + 1 :, j] /= lu[j, j]
            lu[j + 1 :, j + 1 :] -= np.outer(lu[j + 1 :, j], lu[j, j + 1 :])
    return lu, np.arange(1, k + 1, dtype=np.int32)


def permutation(pivots: np.ndarray, rows: int) -> np.ndarray:
    """The order of the rows that the exchanges ``pivots`` make: (a[..., order, :] is L U)."""
    order = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    count = math.prod(pivots.shape[:-1])
    flat, exchanges = order.reshape(count, rows), pivots.reshape(count, pivots.shape[-1]) - 1
    every = np.arange(count)
    for i, j in enumerate(exchanges.T):
        flat[every, i], flat[every, j] = flat[every, j], flat[every, i]
    return order


def lstsq(a: np.ndarray, b: np.ndarray, rcond: float | None, driver: str) -> tuple[np.ndarray, ...]:
    """Least squares by a LAPACK driver: the solution, the rank, and the singular values if the driver finds them."""
    from scipy.linalg import get_lapack_funcs
    from scipy.linalg import lstsq as solve_one

    m, n = a.shape[-2:]
    relative = np.finfo(a.dtype).eps * max(m, n) if rcond is None else rcond
    if driver == "gels":  # for matrices of full rank
        rank = np.full(a.shape[:-2], min(m, n))
        return pinv(a, None, 0.0, False) @ b, rank, np.empty(0, a.dtype)

    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if 0 in (m, n, b.shape[-1], *lead):
        values = np.zeros((*lead, min(m, n)) if driver != "gelsy" else 0, a.dtype)
        return np.zeros((*lead, n, b.shape[-1]), a.dtype), np.zeros(lead, np.int64), values

    if driver == "gelsy":
        gelsy, find_size = get_lapack_funcs(("gelsy", "gelsy_lwork"), (a, b))
        size = int(find_size(m, n, b.shape[-1], relative)[0])

        def by_gelsy(a: np.ndarray, b: np.ndarray) -> tuple:
            rows = np.zeros((max(m, n), b.shape[-1]), b.dtype)
            rows[:m] = b
            _, x, _, rank, _ = gelsy(a, rows, np.zeros((n, 1), np.int32), relative, size)
            return x[:n], np.asarray(rank)

        return *_each(by_gelsy, a, b, outputs=2), np.empty(0, a.dtype)

    def one(a: np.ndarray, b: np.ndarray) -> tuple:
        solve = functools.partial(solve_one, b=b, cond=relative, lapack_driver=driver, check_finite=False)
        x, _, rank, s = _converged("lstsq", solve, a)
        return x, np.asarray(rank), s

    return _each(one, a, b, outputs=3)


@_quiet
def expm(a: np.ndarray) -> np.ndarray:
    """The matrix exponential."""
    from scipy.linalg import expm as routine

    return routine(a) if a.size else a.copy()
