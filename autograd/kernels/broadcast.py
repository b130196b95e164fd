"""Elementwise loops over arrays that are broadcast: a matrix times a row, a column or a stack of these; or that lie
differently: a matrix and a transposed one.

numpy calls the loop of a ufunc once for each row then, on one thread, and takes 5 to 10 ns to get from one row to the
next: as long as some ten numbers need. This walks over the rows itself, and several threads share them. Short rows are
taken many at a time: what of an operand does not lie together is copied into a tile, in which it is repeated as the
rows ask for it.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import threads
from .loader import load
from .parts import import_of
from .share import CALLS, MANY, objects
from .turn import LARGE, turned

__all__ = ["GATHER", "LENGTH", "TILE", "WALKED", "broadcasting", "loop_of", "may_pay", "register", "strides_of"]

ROWS, SIZE = 2**9, 2**15
"""With at least this many rows, or numbers, the detour pays: it takes 3 us."""

WALKED, LENGTH = 2**14, 2**8
"""How many numbers two arrays make at most, or each of them has, for it to be worth a look how they lie."""

SHORT, TILE = 256, 1024
"""Rows of fewer numbers are taken together, so many numbers at a time."""

_SHARED = threads.elements(2)

_LOOP = """

@njit(cache=True{options}, **EXACT)
def run_rows(inner, objects, outer, strides, steps, n, parts):
    count, axes = strides.shape
    total = 1
    for axis in range(axes):
        total *= outer[axis]
    for part in prange(parts):
        first, end = total * part // parts, total * (part + 1) // parts
        here, place = scratch(count + 1, np.intp), scratch(axes, np.intp)
        for i in range(count):
            here[i] = data_of(objects[i])
        here[count] = n
        rest = first
        for axis in range(axes - 1, -1, -1):
            place[axis] = rest % outer[axis]
            rest //= outer[axis]
            for i in range(count):
                here[i] += place[axis] * strides[i, axis]
        for _ in range(first, end):
            call(inner, (here.ctypes.data, here.ctypes.data + 8 * count, steps.ctypes.data, 0))
            for axis in range(axes - 1, -1, -1):
                place[axis] += 1
                for i in range(count):
                    here[i] += strides[i, axis]
                if place[axis] < outer[axis]:
                    break
                place[axis] = 0
                for i in range(count):
                    here[i] -= strides[i, axis] * outer[axis]
        release(here, place)
"""

GATHER = """

@njit(no_cpython_wrapper=True, **EXACT)
def fill(kind, to, source, rows, n, down, right):
    tile = array_at(to, rows * n, kind)
    done = 0
    if down == 0:  # one row, and then twice as much each time
        for k in range(n):
            tile[k] = array_at(source + k * right, 1, kind)[0]
        done = n
        while done < rows * n:
            copy = tile[done : min(2 * done, rows * n)]
            for k in range(copy.size):
                copy[k] = tile[k]
            done *= 2
    for row in range(rows if done == 0 else 0):
        if right == 0:
            value = array_at(source + row * down, 1, kind)[0]
            for k in range(n):
                tile[row * n + k] = value
        else:
            for k in range(n):
                tile[row * n + k] = array_at(source + row * down + k * right, 1, kind)[0]


@njit(no_cpython_wrapper=True, **EXACT)
def gather(here, rows, n, downs, steps, sizes, tiles, held):
    for i in range(steps.size):
        if steps[i] != sizes[i] or downs[i] != n * steps[i]:
            tile = tiles[i].ctypes.data
            if held[i, 0] != here[i] or held[i, 1] < rows:
                held[i, 0] = here[i]
                held[i, 1] = rows
                if sizes[i] == 4:
                    fill(np.uint32, tile, here[i], rows, n, downs[i], steps[i])
                elif sizes[i] == 8:
                    fill(np.uint64, tile, here[i], rows, n, downs[i], steps[i])
                else:
                    fill(np.uint8, tile, here[i], rows, n, downs[i], steps[i])
            here[i] = tile
"""
"""``gather`` turns addresses of rows into addresses where these lie one after the other: for operands that don't, those
of their tiles, for which ``held`` says from which address how many rows are in them.
"""

_TILES = """

@njit(cache=True{options}, **EXACT)
def run_tiles(inner, objects, outer, strides, m, downs, n, steps, sizes, height, parts):
    count, axes = strides.shape
    blocks = (m + height - 1) // height
    total = blocks
    for axis in range(axes):
        total *= outer[axis]
    for part in prange(parts):
        here, held = scratch(count + 1, np.intp), scratch((count, 2), np.intp)
        tiles = scratch((count, height * n), np.int64)
        held[:] = 0
        for task in range(total * part // parts, total * (part + 1) // parts):
            row = task % blocks * height
            rows = min(height, m - row)
            rest = task // blocks
            for i in range(count):
                here[i] = data_of(objects[i]) + row * downs[i]
            for axis in range(axes - 1, -1, -1):
                for i in range(count):
                    here[i] += rest % outer[axis] * strides[i, axis]
                rest //= outer[axis]
            gather(here, rows, n, downs, steps, sizes, tiles, held)
            here[count] = rows * n
            call(inner, (here.ctypes.data, here.ctypes.data + 8 * count, sizes.ctypes.data, 0))
        release(here, held, tiles)
"""

_loops: dict[np.ufunc, tuple[int, np.dtype]] = {}


def register(ufunc: np.ufunc, address: int, output: np.dtype) -> None:
    """Tell the address of a ufunc's loop and the dtype of its only output."""
    _loops[ufunc] = address, output


def loop_of(ufunc: Callable) -> tuple[int, np.dtype] | None:
    """The address of a ufunc's loop and the dtype of its output, if it was registered."""
    return _loops.get(ufunc)  # type: ignore[call-overload]


def broadcasting(kernel: Callable) -> Callable:
    """The kernel for inputs that differ in size."""
    return functools.partial(_run, kernel) if kernel in _loops else kernel


@functools.cache
def _run_rows(parallel: bool) -> Callable:
    imports = import_of("arrays", ["release", "scratch"])
    return load("run_rows", CALLS + imports + _LOOP.format(options=threads.options(parallel))).run_rows


@functools.cache
def _run_tiles(parallel: bool) -> Callable:
    imports = import_of("arrays", ["array_at", "release", "scratch"])
    return load("run_tiles", CALLS + imports + GATHER + _TILES.format(options=threads.options(parallel))).run_tiles


def may_pay(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether `broadcasting` may do something for two arrays, by their sizes and how they lie."""
    if a.size == b.size:
        return a.size >= LENGTH and a.strides != b.strides and (a.size >= WALKED or a.shape != b.shape)
    if a.size * b.size < WALKED:
        return False
    large, small = (a, b) if a.size > b.size else (b, a)
    if large.size >= SIZE or large.ndim < small.ndim or 1 in large.shape:
        return True
    return large.size >= ROWS * large.shape[-1]


def _run(kernel: Any, *arrays: np.ndarray) -> Any:
    address, dtype = _loops[kernel]
    plan = _plan(dtype.itemsize, *[(x.shape, x.strides, x.itemsize) for x in arrays])
    if plan is None:
        return kernel(*_alike(arrays))
    out = np.empty(plan.shape, dtype)
    threads.run(plan.kernel_of, out.size >= _SHARED, address, objects(*arrays, out), *plan.arguments, threads.count)
    return out


def _alike(arrays: tuple[np.ndarray, ...]) -> Sequence[np.ndarray]:
    """The arrays, of which those that are large and transposed are copied where another one is not."""
    n = max([x.size for x in arrays])
    if n < LARGE or not any(x.size == n and x.flags.c_contiguous for x in arrays):
        return arrays
    return [x if (copy := turned(x)) is None else copy for x in arrays]


class _Plan(NamedTuple):
    """How to walk over arrays: the shape of the result, the kernel, and what it is told of the walk."""

    shape: tuple[int, ...]
    kernel_of: Callable[[bool], Callable]
    arguments: tuple


@functools.lru_cache(maxsize=1024)
def _plan(size: int, *layouts: tuple[tuple[int, ...], tuple[int, ...], int]) -> _Plan | None:
    """The walk over arrays of these shapes, strides and sizes of a number, and a result with numbers of this size; None
    where numpy's own is as good.
    """
    shape = np.broadcast_shapes(*(layout[0] for layout in layouts))
    out = tuple(size * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    walks = [strides_of(*layout[:2], shape) for layout in layouts] + [out]
    axes: list[tuple[int, ...]] = []  # (length, stride of each array), neighbours that are one walk joined
    for length, *strides in zip(shape, *walks, strict=True):
        if length == 1:
            continue
        if axes and all(above == length * stride for above, stride in zip(axes[-1][1:], strides, strict=True)):
            axes[-1] = (axes[-1][0] * length, *strides)
        else:
            axes.append((length, *strides))
    if len(axes) < 2 or not math.prod(shape):
        return None
    n, *steps = axes.pop()
    rows = math.prod(axis[0] for axis in axes)
    vectorises = any(steps[:-1]) and all(step in (0, layout[2]) for step, layout in zip(steps, layouts, strict=False))
    if n >= MANY or not vectorises or (rows < ROWS and rows * n < SIZE):
        return None
    outer = np.array([axis[0] for axis in axes], np.intp)
    along = np.array([axis[1:] for axis in axes], np.intp).T
    if n >= SHORT:
        return _Plan(shape, _run_rows, (outer, along.copy(), np.array(steps, np.intp), n))
    m, sizes = outer[-1], np.array([*(layout[2] for layout in layouts), size], np.intp)
    walk = (outer[:-1], along[:, :-1].copy(), m, along[:, -1].copy(), n, np.array(steps, np.intp))
    return _Plan(shape, _run_tiles, (*walk, sizes, min(m, TILE // n)))


def strides_of(own: tuple[int, ...], strides: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array of shape ``own`` that is broadcast to ``shape``."""
    lead = len(shape) - len(own)
    return (0,) * lead + tuple(
        0 if n == 1 and shape[lead + i] != 1 else s for i, (n, s) in enumerate(zip(own, strides, strict=True))
    )
