"""Euclidean distances between the rows of matrices, from the differences, without keeping these."""

import numpy as np

from .hand import kernel
from .language import F

__all__ = ["euclidean", "euclidean_backward"]


@kernel
def euclidean(a, b):
    """The distance of every row of a to every row of b, matrix by matrix: (s, n, k), (s, m, k) -> (s, n, m)."""
    out = np.empty((a.shape[0], a.shape[1], b.shape[1]), a.dtype)
    for s in range(a.shape[0]):
        for i in range(a.shape[1]):
            for j in range(b.shape[1]):
                total = F(0)
                for k in range(a.shape[2]):
                    d = a[s, i, k] - b[s, j, k]
                    total += d * d
                out[s, i, j] = np.sqrt(total)
    return out


@kernel
def euclidean_backward(g, a, b, out):
    """The gradients of both; 0 where the distance is 0."""
    da, db = np.zeros_like(a), np.zeros_like(b)
    for s in range(a.shape[0]):
        for i in range(a.shape[1]):
            for j in range(b.shape[1]):
                if out[s, i, j] != 0:
                    scale = g[s, i, j] / out[s, i, j]
                    for k in range(a.shape[2]):
                        d = scale * (a[s, i, k] - b[s, j, k])
                        da[s, i, k] += d
                        db[s, j, k] -= d
    return da, db
