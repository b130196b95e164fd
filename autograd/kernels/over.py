"""An elementwise loop whose result goes over its first operand.

The loop of a ufunc reads and writes through pointers of its own: where they meet, LLVM can't know that a number is read
before another is written over it, and takes one at a time. So the result goes into a tile, which stays in the nearest
cache, and from there to its place.
"""

import functools
from collections.abc import Callable

import numpy as np

from . import threads
from .broadcast import TILE, loop_of
from .loader import load
from .parts import import_of
from .share import CALLS, objects

__all__ = ["over"]

LARGE = 4 * TILE
"""Fewer numbers are computed into an array of their own, and copied."""

_SHARED = threads.elements(3)

_OVER = """

@njit(cache=True{options}, **EXACT)
def run_over(inner, objects, steps, out, parts):
    count, n = steps.size, out.size
    for part in prange(parts):
        end = n * (part + 1) // parts
        here, tile = scratch(count + 1, np.intp), scratch({tile}, out.dtype)
        for start in range(n * part // parts, end, {tile}):
            result = out[start : min(start + {tile}, end)]
            for i in range(count - 1):
                here[i] = data_of(objects[i]) + start * steps[i]
            here[count - 1] = tile.ctypes.data
            here[count] = result.size
            call(inner, (here.ctypes.data, here.ctypes.data + 8 * count, steps.ctypes.data, 0))
            for k in range(result.size):
                result[k] = tile[k]
        release(here, tile)
"""


@functools.cache
def _run_over(parallel: bool) -> Callable:
    imports = import_of("arrays", ["release", "scratch"])
    return load("run_over", CALLS + imports + _OVER.format(options=threads.options(parallel), tile=TILE)).run_over


def over(kernel: Callable, first: np.ndarray, *others: np.ndarray) -> bool:
    """Write ``kernel(first, *others)`` over ``first``; False if it has another shape, or if large arrays lie so that
    another way is better.
    """
    if first.size < LARGE:
        result = kernel(first, *others)
        if result.shape == first.shape:
            first[...] = result
        return result.shape == first.shape
    found = loop_of(kernel) if first.flags.carray else None  # contiguous and writable
    between = [_step(x, first) for x in others]
    if found is None or None in between:
        return False
    steps = np.array([first.itemsize, *between, first.itemsize], np.intp)
    arguments = (found[0], objects(first, *others), steps, first.reshape(-1), threads.count)
    threads.run(_run_over, first.size >= _SHARED, *arguments)
    return True


def _step(x: np.ndarray, first: np.ndarray) -> int | None:
    """How far one number of an operand is from the next, None if it can't be read while ``first`` is written."""
    meets = np.may_share_memory(x, first)
    if not x.ndim:
        return None if meets else 0
    if x.shape != first.shape or not x.flags.c_contiguous:
        return None
    # Where it is the same memory, each number is read before it is written over.
    same = meets and x.__array_interface__["data"] == first.__array_interface__["data"]
    return x.itemsize if same or not meets else None
