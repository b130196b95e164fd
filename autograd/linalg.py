"""Linear algebra: `autograd.linalg.X` is what `torch.linalg.X` is.

Matrices may be stacked in leading axes, which broadcast. What a matrix does not allow is a `LinAlgError`.
"""

from .ops.contractions import linalg_cross as cross
from .ops.contractions import multi_dot
from .ops.decompositions import cholesky, lu, lu_factor, lu_solve, qr
from .ops.matrix_functions import cond, matrix_exp, matrix_norm, matrix_power, matrix_rank, vander, vector_norm
from .ops.matrix_functions import linalg_norm as norm
from .ops.products import matmul, vecdot
from .ops.solvers import LinAlgError, det, inv, lstsq, pinv, slogdet, solve, solve_triangular
from .ops.spectral import eigh, eigvals, eigvalsh, svd, svdvals

__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "lu", "lu_factor",
    "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr",
    "slogdet", "solve", "solve_triangular", "svd", "svdvals", "vander", "vecdot", "vector_norm",
]  # fmt: skip
