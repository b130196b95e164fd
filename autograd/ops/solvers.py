"""Inverses, determinants and systems of linear equations.

Derivatives: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008); of the pseudo-inverse, G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least
squares problems whose variables separate" (1973).
"""

from typing import Any, NamedTuple

import numpy as np

from ..kernels import lapack
from ..kernels.lapack import LinAlgError
from ..tensor import Tensor
from .convert import cast
from .diagonal import tril, triu
from .elementwise import where
from .matrix import mt, require_floating, require_matrices, require_square
from .op import op
from .products import matmul
from .shape import expand, squeeze, sum_to, unsqueeze

__all__ = [
    "LinAlgError", "LstsqResult", "SlogdetResult", "TriangularSolveResult", "det", "inv", "logdet", "lstsq", "pinv",
    "slogdet", "solve", "solve_triangular", "triangular_solve",
]  # fmt: skip


# --- the inverse -----------------------------------------------------------------------------------------------------


@op(x=lambda g, out: -matmul(mt(out), matmul(g, mt(out))))
def _inv(x):
    return lapack.inv(x)


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices; (*, n, n) -> (*, n, n). A singular one is a `LinAlgError`.

    >>> inv(Tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    require_square("inv", A)
    return _inv(A)


def _pinv_gradient(g: Any, x: Any, out: Any) -> Any:
    beside = matmul(mt(out), matmul(g, mt(out)))
    left = matmul(mt(g), matmul(out, mt(out)))
    right = matmul(matmul(mt(out), out), mt(g))
    return left - matmul(x, matmul(out, left)) + right - matmul(matmul(right, out), x) - beside


# The gradient does not know that a matrix said to be symmetric is: it is that of any other.
@op(x=lambda g, x, out: _pinv_gradient(g, x, out))
def _pinv(x, *, atol, rtol, hermitian):
    return lapack.pinv(x, atol, rtol, hermitian)


def pinv(input: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The Moore-Penrose inverse; (*, m, n) -> (*, n, m).

    Singular values up to max(atol, rtol * largest) count as 0; ``rtol`` (or ``rcond``) is by default
    max(m, n) * eps, or 0 where atol > 0.
    """
    (require_square if hermitian else require_matrices)("pinv", input)
    return _pinv(input, atol=_number(atol), rtol=_number(rcond if rtol is None else rtol), hermitian=hermitian)


def _number(value: Any) -> Any:
    return value.array if isinstance(value, Tensor) else value


# --- determinants ----------------------------------------------------------------------------------------------------


def _each(x: Any) -> Any:
    """A number for each matrix, ready to be multiplied with the matrix."""
    return unsqueeze(unsqueeze(x, -1), -1)


@op(x=lambda g, x: _each(g) * _cofactors(x))
def _det(x):
    return lapack.det(x)


def _cofactors_gradient(g: Any, x: Any, out: Any) -> Any:
    turned = mt(_inv(x))
    along = (g * turned).sum((-2, -1))
    return _each(along) * out - matmul(turned, matmul(mt(g), out))


@op(x=_cofactors_gradient)
def _cofactors(x):
    """d det(x) / dx: det(x) times the transposed inverse, and what that tends to where x is singular."""
    det = lapack.det(x)
    if np.all(det != 0):
        return det[..., None, None] * lapack.inv(x).mT
    u, s, vh = lapack.svd(x)
    sign = np.asarray(np.linalg.det(u) * np.linalg.det(vh), x.dtype)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), x.dtype.type(1), s[..., None, :]).prod(-1)
    return sign[..., None, None] * ((u * others[..., None, :]) @ vh)


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices; (*, n, n) -> (*). Its gradient is that of a polynomial, also at a singular
    matrix.

    >>> det(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(-2.)
    """
    require_square("det", A)
    return _det(A)


class SlogdetResult(NamedTuple):
    """The sign (-1, 0 or 1) of a determinant and the logarithm of its absolute value (-inf where it is 0)."""

    sign: Tensor
    logabsdet: Tensor


@op(x=lambda g, x: None if g[1] is None else _each(g[1]) * mt(_inv(x)))
def _slogdet(x):
    return lapack.slogdet(x)


def slogdet(A: Tensor) -> SlogdetResult:
    """The sign and the logarithm of the absolute value of the determinant; (*, n, n) -> (*), (*)."""
    require_square("slogdet", A)
    return SlogdetResult(*_slogdet(A))


def logdet(A: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where it is negative, -inf where it is 0."""
    require_square("logdet", A)
    sign, logabsdet = _slogdet(A)
    return where(sign < 0, np.nan, logabsdet)


# --- systems of equations --------------------------------------------------------------------------------------------


def _solve_gradient(g: Any, a: Any, out: Any, shape: tuple[int, ...]) -> Any:
    return sum_to(-matmul(_solve(mt(a), g), mt(out)), shape)


@op(a=_solve_gradient, b=lambda g, a, shape: sum_to(_solve(mt(a), g), shape))
def _solve(a, b):
    return lapack.solve(a, b)


def _is_vector(a: Any, b: Any) -> bool:
    """Whether the right-hand side is one vector for each matrix, as PyTorch tells it from a matrix."""
    return b.ndim == 1 or (b.ndim == a.ndim - 1 and tuple(b.shape) == tuple(a.shape[:-1]))


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B, or X A = B unless ``left``; A (*, n, n) with B (*, n) or (*, n, k), stacks broadcast.

    >>> solve(Tensor([[2.0, 0.0], [0.0, 4.0]]), Tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    require_square("solve", A)
    require_floating("solve", A, B)
    vector = _is_vector(A, B)
    b = unsqueeze(B, -1) if vector else B
    axis = -2 if left else -1
    if b.ndim < 2 or (b.shape[-2] if vector else b.shape[axis]) != A.shape[-1]:
        raise RuntimeError(f"solve: A and B must have as many rows; got {tuple(A.shape)} and {tuple(B.shape)}")
    if vector and not left:
        raise RuntimeError(f"solve: with left=False B must be a matrix; got {tuple(B.shape)}")
    with_broadcast("solve", A, b)
    out = _solve(A, b) if left else mt(_solve(mt(A), mt(b)))
    return squeeze(out, -1) if vector else out


def with_broadcast(name: str, a: Any, b: Any) -> tuple[int, ...]:
    """The leading axes of two stacks, broadcast."""
    try:
        return np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise RuntimeError(
            f"{name}: the leading axes do not broadcast; got {tuple(a.shape)} and {tuple(b.shape)}"
        ) from None


def _triangular_gradient(g: Any, a: Any, out: Any, up: bool, unit: bool, shape: tuple[int, ...]) -> Any:
    whole = -matmul(_solve_triangular(mt(a), g, up=not up, unit=unit), mt(out))
    return sum_to(triu(whole, int(unit)) if up else tril(whole, -int(unit)), shape)


@op(
    a=_triangular_gradient,
    b=lambda g, a, up, unit, shape: sum_to(_solve_triangular(mt(a), g, up=not up, unit=unit), shape),
)
def _solve_triangular(a, b, *, up, unit):
    return lapack.solve_triangular(a, b, up, unit)


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """X with A X = B for triangular A, or X A = B unless ``left``; (*, n, n), (*, n, k) -> (*, n, k), stacks broadcast.

    The other triangle of A, and with ``unitriangular`` the diagonal, is not read: it counts as 0 and 1.
    """
    require_square("solve_triangular", A)
    require_matrices("solve_triangular", A, B)
    if B.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(f"solve_triangular: the sizes differ; got {tuple(A.shape)} and {tuple(B.shape)}")
    with_broadcast("solve_triangular", A, B)
    if left:
        return _solve_triangular(A, B, up=upper, unit=unitriangular)
    return mt(_solve_triangular(mt(A), mt(B), up=not upper, unit=unitriangular))


class TriangularSolveResult(NamedTuple):
    """The solution of `triangular_solve`, and a copy of the matrix."""

    solution: Tensor
    cloned_coefficient: Tensor


def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolveResult:
    """X with A X = input, or A^T X = input with ``transpose``; A is triangular. See `solve_triangular`."""
    if transpose:
        solution = solve_triangular(mt(A), input, upper=not upper, unitriangular=unitriangular)
    else:
        solution = solve_triangular(A, input, upper=upper, unitriangular=unitriangular)
    lead = with_broadcast("triangular_solve", A, input)
    return TriangularSolveResult(solution, expand(A, *lead, *A.shape[-2:]).clone())


# --- least squares ---------------------------------------------------------------------------------------------------


class LstsqResult(NamedTuple):
    """What `lstsq` gives: the solution, the sums of squared residuals of its columns (where A has more rows than
    columns and full rank), the ranks, and the singular values; what the driver does not compute is empty.
    """

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


@op(
    a=lambda g, a, b, shape: sum_to(_pinv_gradient(matmul(g[0], mt(b)), a, _pinv(a, **_EXACT)), shape),
    b=lambda g, a, shape: sum_to(matmul(mt(_pinv(a, **_EXACT)), g[0]), shape),
)
def _lstsq(a, b, *, rcond, driver):
    return lapack.lstsq(a, b, rcond, driver)


_EXACT: dict[str, Any] = {"atol": None, "rtol": None, "hermitian": False}
_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def lstsq(input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None) -> LstsqResult:
    """X that minimises ||input X - b||_F; (*, m, n), (*, m, k) -> (*, n, k).

    ``driver`` is a LAPACK routine: gelsy (the default), gels for matrices of full rank, gelsd or gelss. Singular values
    up to ``rcond`` times the largest count as 0. The solution has a gradient.
    """
    require_matrices("lstsq", input)
    require_floating("lstsq", input, b)
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(f"lstsq: driver must be one of {', '.join(_DRIVERS)}; got {driver!r}")
    vector = _is_vector(input, b)
    right = unsqueeze(b, -1) if vector else b
    if right.ndim < 2 or right.shape[-2] != input.shape[-2]:
        raise RuntimeError(f"lstsq: A and B must have as many rows; got {tuple(input.shape)} and {tuple(b.shape)}")
    with_broadcast("lstsq", input, right)
    driver = driver or "gelsy"
    solution, rank, values = _lstsq(input, right, rcond=rcond, driver=driver)
    m, n = input.shape[-2:]
    residuals = Tensor(np.empty(0, input.dtype))
    if m > n and (driver == "gels" or (driver != "gelsy" and np.all(rank.array == n))):
        difference = matmul(input, solution) - right
        residuals = (difference * difference).sum(-2)
    ranks = Tensor(np.empty(0, np.int64)) if driver == "gels" else cast(rank, np.dtype(np.int64))
    return LstsqResult(squeeze(solution, -1) if vector else solution, residuals, ranks, values.detach())
