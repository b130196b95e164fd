"""Products and linear algebra."""

import math
import warnings
from functools import partial

import numpy as np
import torch
from samples import call, n, row, transposed, x


def square(*shape, seed=0):
    """Well-conditioned matrices."""
    return x(*shape, low=-1.0, high=1.0, seed=seed) + 3 * np.eye(shape[-1])


def singular(k, rank):
    return x(k, rank) @ x(rank, k, seed=1)


def quietly(function):
    """A function that PyTorch warns is deprecated."""

    def call_it(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)

    return call_it


lapack_row = partial(row, ulps=1000)  # in a small element of a matrix the rounding errors of the large ones show

product_row = partial(row, terms=1.0)  # products of numbers around 1 that may cancel when they are summed

# --- products --------------------------------------------------------------------------------------------------------

product_row(
    "matmul",
    call(x(2, 3), x(3, 4)),
    call(x(3), x(3, seed=1)),
    call(x(3), x(3, 2)),
    call(x(2, 3), x(3)),
    call(x(4, 2, 3), x(3, 2)),
    call(x(2, 1, 2, 3), x(4, 3, 2)),
    call(x(3), x(2, 3, 2)),
    call(x(2, 2, 3), x(3)),
    call(transposed(2, 3), transposed(3, 2)),
    call(x(0, 3), x(3, 2)),
    call(x(2, 4, 3), x(3, 0)),
    call(x(2, 0), x(0, 2)),
    call(n(2, 3, high=9), n(3, 2, high=9)),
)
product_row("linalg.matmul", call(x(2, 3), x(3, 2)))
product_row("mm", call(x(2, 3), x(3, 4)), call(x(2, 0), x(0, 3)), call(transposed(2, 3), x(3, 2)))
product_row("bmm", call(x(2, 2, 3), x(2, 3, 4)), call(x(0, 2, 3), x(0, 3, 2)))
product_row("mv", call(x(2, 3), x(3)), call(x(2, 0), x(0)))
product_row("dot", call(x(3), x(3, seed=1)), call(x(0), x(0)), call(n(3, high=9), n(3, high=5)))
product_row("vdot", call(x(3), x(3, seed=1)))
product_row("inner", call(x(2, 3), x(4, 3)), call(x(3), x(3, seed=1)), call(x(), x(2, 3)), call(x(2, 2, 3), x(3)))
row("outer", call(x(2), x(3)), call(x(2), x(0)), call(n(2, high=5), n(3, high=5)))
row("ger", call(x(2), x(3)))
product_row("linalg.vecdot", call(x(2, 3), x(2, 3, seed=1)), call(x(2, 3), x(2, 1), dim=0))
for name, operands in {
    "addmm": (x(2, 3), x(3, 4)), "addmv": (x(2, 3), x(3)), "addr": (x(2), x(3)),
    "addbmm": (x(2, 2, 3), x(2, 3, 4)), "baddbmm": (x(2, 2, 3), x(2, 3, 4)),
}.items():  # fmt: skip
    last = operands[1].shape[-1:] if name not in ("addmv",) else (2,)
    product_row(
        name,
        call(x(*last, seed=1), *operands),
        call(x(1, seed=2), *operands, beta=0.5, alpha=2.0),
        call(np.array(np.nan), *operands, beta=0),
    )
row("addmm", call(n(2, 2, high=5), n(2, 3, high=5), n(3, 2, high=5), beta=2, alpha=3))
product_row(
    "chain_matmul",
    call(x(2, 3), x(3, 4), x(4, 2)),
    call(x(2, 3)),
    call(x(5, 2), x(2, 6), x(6, 1), x(1, 3)),
    oracle=quietly(torch.chain_matmul),
)
product_row(
    "linalg.multi_dot",
    call([x(2, 3), x(3, 4), x(4, 2)]),
    call([x(3), x(3, 4), x(4)]),
    call([x(5, 2), x(2, 6), x(6, 1), x(1, 3)]),
    call([x(2, 3), x(3)]),
    call([x(3), x(3, 2)]),
)
product_row(
    "tensordot",
    call(x(2, 3, 4), x(3, 4, 2)),
    call(x(2, 3), x(3, 2), dims=1),
    call(x(2), x(3), dims=0),
    call(x(2, 3, 4), x(4, 3, 2), dims=([1, 2], [1, 0])),
    call(x(2, 3), x(2, 3, seed=1)),
    call(x(2, 1), x(3, 2), dims=([1], [0])),
)
row(
    "kron",
    call(x(2, 3), x(3, 2)),
    call(x(2), x(2, 3)),
    call(x(2, 1, 2), x(3)),
    call(x(), x(2)),
    call(n(2, high=5), n(2, high=5)),
)
row(
    "cross",
    call(x(2, 3), x(2, 3, seed=1)),
    call(x(3, 2), x(3, 2, seed=1), dim=0),
    call(x(2, 3), x(1, 3)),
    oracle=quietly(torch.cross),
)
row("linalg.cross", call(x(2, 3), x(2, 3, seed=1)), call(x(3, 2), x(3, 1), dim=0), call(n(3, high=9), n(3, high=5)))
row("trace", call(x(3, 3)), call(x(2, 3)), call(n(3, 2, high=9)), call(x(0, 2)))

# --- einsum ----------------------------------------------------------------------------------------------------------

row(
    "einsum",
    call("ij,jk->ik", x(2, 3), x(3, 4)),
    call("ij,jk", x(2, 3), x(3, 4)),
    call("ba,ca", x(2, 3), x(4, 3)),
    call("i,i->", x(3), x(3, seed=1)),
    call("i,j->ij", x(2), x(3)),
    call("ij->ji", x(2, 3)),
    call("ij->", x(2, 3)),
    call("ij->j", transposed(2, 3)),
    call("ij->", np.full((2, 2), 100, np.int8)),
    call("ij->i", np.full((2, 2), 100, np.uint8)),
    call("ii", np.full((2, 2), 100, np.int8)),
    call("ij->j", n(2, 3, high=2) > 0),
    call("ij->ji", n(2, 3, high=2).astype(np.int8)),
    call("ij,k->", np.full((2, 2), 100, np.int8), np.ones(2, np.int8)),
    call("ij,jk->ik", np.full((2, 2), 100, np.int8), np.ones((2, 2), np.int8)),
    call("ij,j->j", np.full((2, 2), 100, np.int8), np.ones(2, np.int8)),
    call("ii->i", x(3, 3)),
    call("ii", x(3, 3)),
    call("iij,jk->ik", x(2, 2, 3), x(3, 2)),
    call("bij,bjk->bik", x(2, 2, 3), x(2, 3, 2)),
    call("bhqd,bhkd->bhqk", x(2, 2, 3, 2), x(2, 2, 2, 2)),
    call("...ij,...jk->...ik", x(2, 2, 3), x(3, 2)),
    call("...ij,...jk->...ik", x(2, 1, 2, 3), x(3, 3, 2)),
    call("...i->...", x(2, 3)),
    call("...,...->...", x(2, 3), x(3)),
    call("i...->", x(2, 3)),
    call("i...,j->j...", x(2, 3), x(2, seed=1)),
    call("ij,jk,kl->il", x(2, 3), x(3, 2), x(2, 4)),
    call("ij,ij,ij->ij", x(2, 3), x(2, 3, seed=1), x(2, 3, seed=2)),
    call("ij,kl->", x(2, 3), x(2, 2)),
    call("Ab,bC", x(2, 3), x(3, 2)),
    call("ij,jk->ik", x(2, 1), x(3, 2)),
    call("i,i->i", x(1), x(3)),
    call(" i j , j -> i ", x(2, 3), x(3)),
    call("ij,jk->ik", x(0, 3), x(3, 2)),
    call("ij,jk->ik", x(2, 0), x(0, 2)),
    call("ij,jk->ik", [x(2, 3), x(3, 4)]),
    call(x(2, 3), [0, 1], x(3, 4), [1, 2], [0, 2]),
    call(x(2, 3), [5, 1], x(3, 4), [1, 2]),
    call(x(2, 2, 3), [Ellipsis, 1], x(3), [1], [Ellipsis]),
    call("ij,jk->ik", n(2, 3, high=9), n(3, 2, high=9)),
    call(",i->i", x(), x(3)),
)

# --- inverses, determinants, systems of equations --------------------------------------------------------------------

for name in ("inverse", "linalg.inv"):
    lapack_row(name, call(square(3, 3)), call(square(2, 2, 2)), call(square(1, 1)), call(x(0, 0)), call(x(2, 0, 0)))
for name in ("det", "linalg.det"):
    lapack_row(name, call(x(3, 3)), call(x(2, 3, 2, 2)), call(x(1, 1)), call(x(0, 0)), call(transposed(3, 3)))
for name in ("slogdet", "linalg.slogdet"):
    lapack_row(name, call(x(3, 3)), call(square(2, 2, 2)), call(x(0, 0)))
lapack_row(
    "logdet", call(square(3, 3)), call(square(2, 2, 2)), call(np.zeros((2, 2))), call(-np.eye(3)), differentiable=False
)
lapack_row("logdet", call(square(3, 3)), call(square(2, 2, 2)))
lapack_row("pinverse", call(x(3, 2)), call(x(2, 3)))
lapack_row("linalg.pinv", call(x(3, 2)), call(x(2, 2, 3)), call(square(3, 3)), call(x(2, 0)), call(x(3, 3), rtol=1e-3))
lapack_row(
    "linalg.pinv", call(x(4, 3), atol=1.0), call(x(4, 3), 0.4), call(singular(3, 2), rtol=1e-4), differentiable=False
)
lapack_row("linalg.pinv", call(x(3, 3)), through=lambda f, m: f(m + m.mT, hermitian=True))
lapack_row(
    "linalg.solve",
    call(square(3, 3), x(3, 2)),
    call(square(3, 3), x(3)),
    call(square(2, 3, 3), x(2, 3)),
    call(square(2, 3, 3), x(3, 2)),
    call(square(3, 3), x(2, 3, 1)),
    call(square(2, 1, 2, 2), x(3, 2, 2)),
    call(square(3, 3), x(2, 3), left=False),
    call(square(2, 2, 2), x(3, 2), left=False),
    call(x(0, 0), x(0, 2)),
    call(square(2, 2), x(2, 0)),
    call(transposed(3, 3, low=1.0, high=4.0), transposed(3, 2)),
)
for options in (
    {"upper": True},
    {"upper": False},
    {"upper": True, "unitriangular": True},
    {"upper": False, "left": False},
):
    lapack_row(
        "linalg.solve_triangular",
        call(square(3, 3), x(3, 2) if options.get("left", True) else x(2, 3), **options),
        call(square(2, 1, 2, 2), x(3, 2, 2), **options),
    )
lapack_row("linalg.solve_triangular", call(x(0, 0), x(0, 2), upper=True), call(square(2, 2), x(2, 0), upper=False))
lapack_row(
    "linalg.solve_triangular",
    call(np.diag([1.0, 0.0, 2.0]), x(3, 1, low=1.0), upper=True),
    call(np.tril(x(3, 3)) * np.array([1.0, 0, 1]), x(3, 1, low=1.0), upper=False),
    differentiable=False,
)
lapack_row(
    "triangular_solve",
    call(x(3, 2), square(3, 3)),
    call(x(3, 2), square(3, 3), upper=False),
    call(x(3, 2), square(3, 3), transpose=True),
    call(x(2, 3, 1), square(3, 3), upper=False, transpose=True, unitriangular=True),
    oracle=quietly(torch.triangular_solve),
)
for driver in (None, "gels", "gelsy", "gelsd", "gelss"):
    lapack_row(
        "linalg.lstsq",
        call(x(4, 2), x(4, 3), driver=driver),
        call(x(2, 4, 2), x(2, 4, 1), driver=driver),
        call(x(2, 4), x(2, 1), driver=driver),
        call(square(2, 2), x(2, 2), driver=driver),
    )
lapack_row("linalg.lstsq", call(x(4, 2), x(4)), call(x(2, 3, 2), x(2, 3)), call(square(3, 3), x(3, 1), rcond=1e-3))
lapack_row("linalg.lstsq", call(singular(3, 2), x(3, 1), 1e-3, driver="gelsd"), differentiable=False)

# --- decompositions --------------------------------------------------------------------------------------------------


def positive(f, a, *args, **kwargs):
    """The function of a symmetric positive-definite matrix made from a."""
    return f(a @ a.mT + a.mT @ a, *args, **kwargs)


def symmetric(f, a, *args, **kwargs):
    """The function of a symmetric matrix made from a."""
    return f(a + a.mT, *args, **kwargs)


def without_signs(f, a, *args, **kwargs):
    """The function's factors, whose signs are not unique."""
    return tuple(abs(part) for part in f(a, *args, **kwargs))


LOWER, UPPER = np.tril(square(3, 3)), np.triu(square(3, 3))

for name, oracle in {"cholesky": quietly(torch.cholesky), "linalg.cholesky": torch.linalg.cholesky}.items():
    matrices = (call(square(3, 3)), call(square(2, 2, 2)), call(square(3, 3), upper=True))
    lapack_row(name, *matrices, through=positive, oracle=oracle)
lapack_row(
    "linalg.cholesky",
    call(x(0, 0)),
    call(x(2, 0, 0)),
    call(LOWER @ LOWER.T),
    call(UPPER.T @ UPPER, upper=True),
    differentiable=False,
)


def triangle(f, *args, upper=False):
    """The function of a triangle made from a matrix: PyTorch has gradients in the triangle that is not read, too."""
    *others, factor = args
    return f(*others, factor.triu() if upper else factor.tril(), upper=upper)


lapack_row(
    "cholesky_solve",
    call(x(3, 2), square(3, 3)),
    call(x(3, 2), square(3, 3), upper=True),
    call(x(2, 3, 1), square(2, 3, 3)),
    through=triangle,
)
lapack_row(
    "cholesky_inverse",
    call(square(3, 3)),
    call(square(3, 3), upper=True),
    call(square(2, 3, 3)),
    through=triangle,
)
lapack_row("qr", call(x(3, 2)), call(x(3, 3)), call(x(2, 3), some=False), call(x(2, 3, 2)), oracle=quietly(torch.qr))
lapack_row(
    "linalg.qr",
    call(x(4, 2)),
    call(x(2, 4)),
    call(x(3, 3)),
    call(x(2, 3, 2)),
    call(x(2, 3), mode="complete"),
    call(transposed(3, 2)),
)
lapack_row(
    "linalg.qr",
    call(x(3, 2), mode="r"),
    call(x(3, 2), mode="complete"),
    call(x(0, 2)),
    call(x(2, 0)),
    differentiable=False,
)
lapack_row("linalg.lu", call(x(3, 3)), call(x(4, 2)), call(x(2, 4)), call(x(2, 2, 2)))
lapack_row("linalg.lu", call(x(0, 2)), call(x(0, 0)), call(np.zeros((2, 2))), differentiable=False)
lapack_row("linalg.lu_factor", call(x(3, 3)), call(x(4, 2)), call(x(2, 4)), call(x(2, 2, 2)))
PIVOTS = np.array([2, 3, 3], np.int32)
lapack_row(
    "lu_solve",
    call(x(3, 2), square(3, 3), PIVOTS),
    call(x(2, 3, 1), square(2, 3, 3), np.stack([PIVOTS, PIVOTS])),
    oracle=quietly(torch.lu_solve),
)
lapack_row(
    "linalg.lu_solve",
    call(square(3, 3), PIVOTS, x(3, 2)),
    call(square(3, 3), PIVOTS, x(3, 2), adjoint=True),
    call(square(3, 3), PIVOTS, x(2, 3), left=False),
    call(square(3, 3), PIVOTS, x(2, 3), left=False, adjoint=True),
)
lapack_row("linalg.eigh", call(x(3, 3)), call(x(2, 2, 2)), through=lambda f, a: without_signs(f, a + a.mT))
lapack_row("linalg.eigh", call(x(3, 3), UPLO="U"), call(x(0, 0)), through=without_signs, differentiable=False)
lapack_row("linalg.eigvalsh", call(x(3, 3)), call(x(2, 2, 2)), call(x(3, 3), UPLO="U"), through=symmetric)
lapack_row(
    "linalg.eigvals",
    call(np.diag([1.0, 2.0, 4.0]) + 0.1 * x(3, 3, seed=1)),
    call(np.stack([np.diag([1.0, 3.0]), np.diag([4.0, 2.0])]) + 0.1 * x(2, 2, 2)),
    oracle=lambda a: torch.linalg.eigvals(a).real,
)
lapack_row("svd", call(x(3, 2)), call(x(2, 3)), call(x(3, 3)), call(x(2, 3, 2)), through=without_signs)
lapack_row(
    "svd", call(x(3, 2), some=False), call(x(2, 3), compute_uv=False), through=without_signs, differentiable=False
)
lapack_row("linalg.svd", call(x(3, 3)), call(x(2, 2, 2)), through=without_signs)
lapack_row("linalg.svd", call(x(4, 2), full_matrices=False), call(x(2, 4), full_matrices=False), through=without_signs)
lapack_row(
    "linalg.svd",
    call(x(3, 2)),
    call(x(2, 3)),
    call(x(0, 2)),
    call(x(2, 2, 0)),
    through=without_signs,
    differentiable=False,
)
lapack_row("linalg.svdvals", call(x(3, 2)), call(x(2, 3)), call(x(2, 2, 2)), call(x(0, 2)))

# --- norms and functions of matrices ---------------------------------------------------------------------------------

ZEROS = np.zeros((2, 3))
for ord in (2, 1, 0, math.inf, -math.inf, 3, 0.5, 1.5, -1, -2.5):
    lapack_row(
        "linalg.vector_norm",
        call(x(2, 3), ord),
        call(x(2, 3), ord, dim=1),
        call(x(2, 3, 2), ord, dim=(0, -1), keepdim=True),
    )
lapack_row("linalg.vector_norm", *[call(ZEROS, ord) for ord in (2, 1, 0, math.inf, 3, 1.5)], differentiable=False)
lapack_row(
    "linalg.vector_norm",
    call(x()),
    call(x(2, 3), dim=-1, keepdim=True),
    call(x(0)),
    call(x(0, 3), dim=0),
    call(x(2), 4),
)
lapack_row("linalg.vector_norm", call(x(3), dtype=np.dtype(np.float64)), differentiable=False)
for ord in ("fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf):
    lapack_row(
        "linalg.matrix_norm", call(x(2, 3), ord), call(x(2, 3, 2), ord, dim=(0, 2), keepdim=True), call(x(2, 2, 3), ord)
    )
    lapack_row("linalg.norm", call(x(2, 3), ord), call(x(2, 3, 2), ord, dim=(2, 0)))
    if ord not in ("nuc", 2, -2):
        row("linalg.matrix_norm", call(x(2, 3), ord), dtypes=("float16",), differentiable=False)
lapack_row(
    "linalg.norm", call(x(2, 3)), call(x(2, 3, 2)), call(x(3), 3), call(x(2, 3), 1, dim=0), call(x(2, 3), dim=(0, 1))
)
lapack_row("linalg.norm", call(x(3), 0), call(x(2, 3), 2, 1, True), call(x(2, 3, 2), dim=(0, 1), keepdim=True))
lapack_row(
    "linalg.matrix_rank",
    call(x(3, 3)),
    call(singular(3, 2), rtol=1e-4),
    call(x(2, 3, 2)),
    call(x(3, 3), 1.0),
    call(x(3, 3), atol=1.5),
    call(x(3, 3) + x(3, 3).T, hermitian=True),
    call(x(3, 3), atol=1.0, rtol=0.1),
    call(np.zeros((2, 2))),
)
for p in (None, 2, -2):
    lapack_row("linalg.cond", call(square(3, 3), p), call(square(2, 2, 2), p))
for p in ("fro", "nuc", 1, -1, math.inf, -math.inf):  # whose gradients PyTorch computes only sometimes
    lapack_row("linalg.cond", call(square(3, 3), p), call(square(2, 2, 2), p), differentiable=False)
lapack_row("linalg.cond", call(x(3, 2)), call(x(2, 3), -2))
lapack_row("linalg.cond", call(np.stack([np.zeros((2, 2)), np.eye(2)]), 1), differentiable=False)
for name in ("matrix_exp", "linalg.matrix_exp"):
    lapack_row(name, call(x(3, 3)), call(x(2, 2, 2)), call(x(1, 1)), call(x(0, 0)), call(x(2, 2) * 5))
for name in ("matrix_power", "linalg.matrix_power"):
    lapack_row(name, *[call(square(3, 3), k) for k in (0, 1, 2, 3, 5, -1, -3)], call(square(2, 2, 2), 3))
lapack_row("matrix_power", call(n(2, 2, high=4), 5))
lapack_row(
    "linalg.vander",
    call(x(3)),
    call(x(2, 3), N=2),
    call(x(3), N=5),
    call(n(3, high=5)),
    call(np.array([0.0, 1.0, -1.0])),
)
row(
    "linear",
    call(x(2, 3), x(4, 3), x(4)),
    call(x(2, 5, 3), x(4, 3)),
    call(x(3), x(4, 3), x(4)),
    call(transposed(2, 3), x(4, 3), x(4)),
    method=False,
)
