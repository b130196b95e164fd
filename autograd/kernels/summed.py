"""An elementwise loop whose results are added up over the rows, as it is for the gradient of an operand that was
broadcast: of the whole result no more than a tile is ever there.
"""

import functools
import itertools
import math
from collections.abc import Callable

import numpy as np

from . import threads
from .broadcast import GATHER, TILE, loop_of, strides_of
from .loader import load
from .parts import import_of
from .reduce import COLUMN_BLOCK, SUM, reduce
from .share import CALLS, objects

__all__ = ["summed"]

LONG = 2**14
"""A row of more numbers does not stay in the cache."""

_SHARED = threads.elements(2)

_SUMS = """

@njit(cache=True{options}, **EXACT)
def run_sums(inner, objects, m, downs, n, steps, sizes, height, block, sums):
    count = downs.size
    for chunk in prange(sums.shape[0]):
        here, result = scratch(count + 2, np.intp), scratch(height * n, sums.dtype)
        tiles, held = scratch((count, height * n if height > 1 else 0), np.int64), scratch((count, 2), np.intp)
        held[:] = 0
        total = sums[chunk]
        total[:] = 0
        end = min(m, (chunk + 1) * block)
        for row in range(chunk * block, end, height):
            rows = min(height, end - row)
            for i in range(count):
                here[i] = data_of(objects[i]) + row * downs[i]
            if height > 1:
                gather(here, rows, n, downs, steps[:count], sizes, tiles, held)
            here[count] = result.ctypes.data
            here[count + 1] = rows * n
            along = sizes if height > 1 else steps
            call(inner, (here.ctypes.data, here.ctypes.data + 8 * (count + 1), along.ctypes.data, 0))
            while rows > 1:  # one half of the rows is added to the other
                half = (rows + 1) // 2
                upper = result[half * n : rows * n]
                for k in range(upper.size):
                    result[k] += upper[k]
                rows = half
            for k in range(n):
                total[k] += result[k]
        release(here, result, tiles, held)
"""


@functools.cache
def _run_sums(parallel: bool) -> Callable:
    imports = import_of("arrays", ["array_at", "release", "scratch"])
    return load("run_sums", CALLS + imports + GATHER + _SUMS.format(options=threads.options(parallel))).run_sums


def summed(kernel: Callable, arrays: tuple[np.ndarray, ...], shape: tuple[int, ...]) -> np.ndarray | None:
    """``kernel(*arrays)`` summed to ``shape`` over leading axes; None where this way does not pay.

    The order in which numbers are added does not depend on the number of threads.
    """
    found = loop_of(kernel)
    walk = _walk(shape, *((x.shape, x.strides) for x in arrays))
    if found is None or walk is None:
        return None
    address, dtype = found
    m, downs, n, along = walk
    height = max(1, TILE // n)
    block = height * max(8, COLUMN_BLOCK // height)
    sums = np.empty((-(-m // block), n), dtype)
    sizes = np.array([*(x.itemsize for x in arrays), dtype.itemsize], np.intp)
    steps = np.array([*along, dtype.itemsize], np.intp)
    arguments = (address, objects(*arrays), m, np.array(downs, np.intp), n, steps, sizes, height, block, sums)
    threads.run(_run_sums, m * n >= _SHARED, *arguments)
    total = sums[0] if len(sums) == 1 else reduce(SUM, sums, (0,))
    return (total if n == math.prod(shape) else reduce(SUM, total, (0,))).reshape(shape)


@functools.lru_cache(maxsize=1024)
def _walk(
    shape: tuple[int, ...], *layouts: tuple[tuple[int, ...], tuple[int, ...]]
) -> tuple[int, tuple[int, ...], int, tuple[int, ...]] | None:
    """How many rows there are, the steps of each array from one to the next, their length, and the steps in them."""
    full = np.broadcast_shapes(*(layout[0] for layout in layouts))
    kept = (1,) * (len(full) - len(shape)) + shape
    lead = max([axis + 1 for axis, n in enumerate(full) if n != kept[axis]])
    lead = min(lead, len(full) - 1)
    n, m = math.prod(full[lead:]), math.prod(full[:lead])
    if math.prod(kept[:lead]) != 1 or not 0 < n <= LONG or m < 8:
        return None
    strides = [strides_of(own, steps, full) for own, steps in layouts]
    axes = [[axis for axis in part if full[axis] != 1] or [part[-1]] for part in (range(lead), range(lead, len(full)))]
    for walk in strides:
        for part in axes:
            for a, b in itertools.pairwise(part):
                if walk[a] != walk[b] * full[b]:
                    return None
    return m, tuple(walk[axes[0][-1]] for walk in strides), n, tuple(walk[axes[1][-1]] for walk in strides)
