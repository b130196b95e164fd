"""Copies of arrays in row-major order, of those too whose last axis does not lie together, such as a transposed matrix.

numpy goes along the rows of the copy, and reads from another line of the cache for every number: a matrix of 1024
columns takes it eight times as long as its memory needs. Here squares of it are turned in registers.
"""

import math

import numpy as np

from .hand import kernel
from .language import lanes, prange, turn_square

__all__ = ["LARGE", "row_major", "turned"]

LARGE = 2**16
"""With at least this many elements a kernel is called; fewer lie in the cache, and the call takes longer than numpy."""


@kernel(layouts="R1 I I C1")
def turn(x, n, m, out):
    """out (*, m, n) from x (*, n, m), both flat."""
    side = lanes(x)
    strips = -(-n // side)
    for strip in prange(x.size // (n * m) * strips):
        first, i = strip // strips * n * m, strip % strips * side
        rows = min(side, n - i)
        whole = m // side * side if rows == side else 0
        for j in range(0, whole, side):
            turn_square(x, first + i * m + j, m, side, side, out, first + j * n + i, n)
        for j in range(whole, m):
            for k in range(i, i + rows):
                out[first + j * n + k] = x[first + k * m + j]


def row_major(x: np.ndarray) -> np.ndarray:
    """A copy of x in row-major order."""
    copy = turned(x)
    return x.copy() if copy is None else copy


def turned(x: np.ndarray) -> np.ndarray | None:
    """A copy of x in row-major order, if x is large and squares of it can be turned."""
    if x.size < LARGE or x.itemsize not in (4, 8) or x.dtype.kind not in "iuf" or (found := _find_turn(x)) is None:
        return None
    source, n, m = found
    out = np.empty(x.shape, x.dtype)
    turn(source, n, m, out.reshape(-1))
    return out


def _find_turn(x: np.ndarray) -> tuple[np.ndarray, int, int] | None:
    """The memory of x, and the lengths of the axes that change places, if it is all that x is made of."""
    axes = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    lead = next((i for i, axis in enumerate(axes) if axis != i), x.ndim)
    if lead == x.ndim:
        return None
    middle, source = axes[lead], x.transpose(axes)
    if axes[lead:] != [*range(middle, x.ndim), *range(lead, middle)] or not source.flags.c_contiguous:
        return None
    return source.reshape(-1), math.prod(x.shape[middle:]), math.prod(x.shape[lead:middle])
