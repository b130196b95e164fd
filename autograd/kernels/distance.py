"""Euclidean distances between the rows of matrices, from the differences, without keeping these."""

import numpy as np

from .hand import kernel
from .language import F, prange

__all__ = ["euclidean", "euclidean_backward"]


@kernel(work=8)
def euclidean(a, b, out):
    """The distance of every row of a to every row of b, matrix by matrix: (s, n, k), (s, m, k) -> (s, n, m). Sixteen
    rows of a stay in the cache while those of b pass over them, and four at a time meet each number of b.
    """
    rows, others = a.shape[1], b.shape[1]
    blocks = (rows + 15) // 16
    for turn in prange(a.shape[0] * blocks):
        s, first = turn // blocks, turn % blocks * 16
        end = min(first + 16, rows)
        fours = first + (end - first) // 4 * 4
        for j in range(others):
            y = b[s, j]
            for i in range(first, fours, 4):
                x0 = a[s, i]
                x1 = a[s, i + 1]
                x2 = a[s, i + 2]
                x3 = a[s, i + 3]
                t0, t1, t2, t3 = F(0), F(0), F(0), F(0)
                for k in range(y.size):
                    d0, d1, d2, d3 = x0[k] - y[k], x1[k] - y[k], x2[k] - y[k], x3[k] - y[k]
                    t0 += d0 * d0
                    t1 += d1 * d1
                    t2 += d2 * d2
                    t3 += d3 * d3
                out[s, i, j], out[s, i + 1, j] = np.sqrt(t0), np.sqrt(t1)
                out[s, i + 2, j], out[s, i + 3, j] = np.sqrt(t2), np.sqrt(t3)
            for i in range(fours, end):
                x = a[s, i]
                total = F(0)
                for k in range(y.size):
                    d = x[k] - y[k]
                    total += d * d
                out[s, i, j] = np.sqrt(total)


@kernel(work=8)
def euclidean_backward(g, a, b, out, da, db):
    """The gradients of both, added to what is there; 0 where the distance is 0."""
    for s in range(a.shape[0]):
        for i in range(a.shape[1]):
            for j in range(b.shape[1]):
                if out[s, i, j] != 0:
                    scale = g[s, i, j] / out[s, i, j]
                    for k in range(a.shape[2]):
                        d = scale * (a[s, i, k] - b[s, j, k])
                        da[s, i, k] += d
                        db[s, j, k] -= d
