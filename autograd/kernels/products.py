"""Products of matrices: numpy's for small ones, kernels around `gemm` for the others, a loop for those of integers.

A product is cut along the longer side of the result: each part of the pool then reads all of one operand, the smaller.
The order in which an element's terms are added does not depend on the cut.
"""

import math

import numpy as np

from .hand import FLOATS, kernel
from .language import gemm, gemm_part, prange
from .quiet import quiet

__all__ = ["as_stacks", "matmul"]

SMALL = 2**17
"""For a product of at most this many multiplications numpy is called, since its call costs less."""


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The products of two stacks of matrices of one dtype, leading axes broadcast: (*, m, k) @ (*, k, n)."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    dtype = a.dtype
    if a.ndim == b.ndim == 2:
        multiplications = m * k * n
        if multiplications <= SMALL:
            return quiet.run(np.dot, a, b)  # the cheaper call of the two
        if dtype in FLOATS:
            out = np.empty((m, n), dtype)
            product.doing(multiplications)(a, b, out)
            return out
    elif b.ndim == 2 and a.flags.c_contiguous and a.size:
        return matmul(a.reshape(-1, k), b).reshape(*a.shape[:-1], n)
    if dtype == np.float16:
        return matmul(a.astype(np.float32), b.astype(np.float32)).astype(dtype)
    lead = a.shape[:-2] if a.shape[:-2] == b.shape[:-2] else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    times = math.prod(lead)
    if m * k * n * times <= SMALL or dtype.kind == "b":
        return quiet.run(np.matmul, a, b)
    out = np.empty((*lead, m, n), dtype)
    stacks = (as_stacks(a, lead), as_stacks(b, lead), as_stacks(out, lead))
    if dtype in FLOATS:
        products.doing(m * k * n * times)(*stacks)
    else:
        integer_products(*stacks)
    return out


def as_stacks(x: np.ndarray, lead: tuple[int, ...]) -> np.ndarray:
    """x broadcast, as stacks of stacks of matrices: the heads of attention are two axes that no one stride joins."""
    if x.shape[:-2] != lead:
        x = np.broadcast_to(x, (*lead, *x.shape[-2:]))
    if len(lead) == 2:
        return x
    if len(lead) == 1:
        return x[None]
    return x.reshape(math.prod(lead[:-1]), *(lead[-1:] or (1,)), *x.shape[-2:])


@kernel(layouts="A2 A2 C2")
def product(a, b, out, parts):
    """out = a @ b."""
    for part in prange(parts):
        gemm_part(a, b, out, part, parts)


@kernel(layouts="A4 A4 C4")
def products(a, b, out, parts):
    """out[s, t] = a[s, t] @ b[s, t]."""
    stacks, each = out.shape[:2]
    cuts = max(parts // (stacks * each), 1)
    for task in prange(stacks * each * cuts):
        s, t, part = task // cuts // each, task // cuts % each, task % cuts
        if cuts == 1:
            gemm(a[s, t], b[s, t], 0, out[s, t])
        else:
            gemm_part(a[s, t], b[s, t], out[s, t], part, cuts)


@kernel(work=8)
def integer_products(a, b, out):
    """out[s, t] = a[s, t] @ b[s, t], row by row: sums of multiples of the rows of b, four at a time."""
    stacks, each, m, n = out.shape
    inner = a.shape[3]
    for row in prange(stacks * each * m):
        s, t, i = row // m // each, row // m % each, row % m
        total = out[s, t, i]
        total[:] = 0
        for k in range(0, inner - 3, 4):
            x, y, z, w = a[s, t, i, k], a[s, t, i, k + 1], a[s, t, i, k + 2], a[s, t, i, k + 3]
            for j in range(n):
                total[j] += x * b[s, t, k, j] + y * b[s, t, k + 1, j] + z * b[s, t, k + 2, j] + w * b[s, t, k + 3, j]
        for k in range(inner - inner % 4, inner):
            x = a[s, t, i, k]
            for j in range(n):
                total[j] += x * b[s, t, k, j]
