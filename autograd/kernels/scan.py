"""The linear recurrence along the rows of a matrix, which the derivatives of scans are made of."""

import numpy as np

from .hand import kernel
from .language import F

__all__ = ["recurrence"]


@kernel
def recurrence(a, b):
    """y[k] = b[k] + a[k] * y[k - 1], for each row."""
    out = np.empty_like(b)
    for i in range(b.shape[0]):
        y = F(0)
        for k in range(b.shape[1]):
            y = b[i, k] + a[i, k] * y
            out[i, k] = y
    return out
