"""Elementwise loops on several threads: a loop of a ufunc over very many elements is run by the pool in parts.

numpy calls the loop of a ufunc with pointers and a count. `LOOP` stands between the two: a short count it hands to the
loop as it came, for 2 ns; a long one it cuts into a part for each thread, and calls the loop on each. So one small
kernel serves all formulas, numpy still brings broadcasting and overlap, and a small call pays nothing.

What the loop is told through its ``data`` is the address of the real loop, the number of its arguments, and where
`threads` keeps its state.
"""

import ctypes
import functools
import sys
from typing import Any

import numpy as np

from . import threads
from .loader import load
from .parts import import_of
from .printer import EXACT

__all__ = ["CALLS", "MANY", "loop_address", "objects"]

MANY = 2**16
"""At least this many elements are shared out: 3 us or more for one thread; a region of the pool costs 1 to 2 us."""

_CLOCKS = sys.platform == "linux"  # 1 is the time, 3 the time that this thread has run

CALLS = f"""import numpy as np
from llvmlite import ir
from numba import cfunc, njit, prange, types
from numba.extending import intrinsic

{EXACT}
INT = types.intp
LOOP = types.void(INT, INT, INT, INT)


@intrinsic
def call(context, function, arguments):
    def generate(context, builder, signature, values):
        word = values[0].type
        unpacked = [builder.extract_value(values[1], i) for i in range(arguments.count)]
        kind = ir.FunctionType(ir.VoidType(), [word] * arguments.count)
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), unpacked)
        return context.get_dummy_value()

    return types.void(INT, arguments), generate


@intrinsic
def read(context, address):
    def generate(context, builder, signature, values):
        return builder.load(builder.inttoptr(values[0], values[0].type.as_pointer()))

    return INT(INT), generate


@njit(**EXACT)
def data_of(array):
    return read(array + {object.__basicsize__})


@intrinsic
def swap(context, address, value):
    def generate(context, builder, signature, values):
        place = builder.inttoptr(values[0], values[0].type.as_pointer())
        return builder.atomic_rmw("xchg", place, values[1], "acq_rel")

    return INT(INT, INT), generate
"""


def objects(*arrays: np.ndarray) -> np.ndarray:
    """Where arrays are as objects: ``data_of`` finds their memory from there, which numpy's binary interface has as the
    first field of an array. To ask for ``ctypes.data`` takes a microsecond each.
    """
    return np.array([*map(id, arrays)], np.intp)


_OFFSETS = "".join(
    f"{name} = {8 * getattr(threads, name)}\n" for name in ("BUSY", "SHARE", "START", "REST", "WATCHED", "NEXT")
)
"""Where each of what `threads` keeps is in its state, in bytes."""

_LOOP = f"""
{_OFFSETS}
clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, INT))


@njit(**EXACT)
def clock(kind):
    now = on_stack(2, np.intp)
    clock_gettime(kind, now.ctypes.data)
    return now[0] * 1_000_000_000 + now[1]


@njit(**EXACT)
def watch(began, began_running, state):
    # As `_Pool.end` and `_Pool.judge` in threads, which say why; how long to rest is counted apart.
    took = clock(1) - began
    watched, slow = read(state + WATCHED), took > {threads.SLOW}
    rest = max(read(state + NEXT), {threads.FIRST_REST})
    if not slow:
        rest //= 2
    elif watched:
        waited = 2 * (clock(3) - began_running) < took
        if waited:
            swap(state + REST, clock(1) + rest)
        rest = min(2 * rest, {threads.LONGEST_REST}) if waited else 0
    swap(state + WATCHED, 1 if slow else 0)
    swap(state + NEXT, rest)


@cfunc(LOOP, cache=True, **EXACT)
def loop(args, dims, steps, data):
    inner, count, state = read(data), read(data + 8), read(data + 16)
    n, parts = read(dims), read(state)
    # A result that stands still is a reduction's: its parts are not independent.
    if n >= {MANY} and parts > 1 and read(steps + 8 * (count - 1)) != 0:
        resting = read(state + REST)
        if {_CLOCKS} and resting > 0:
            if clock(1) < resting:
                call(inner, (args, dims, steps, 0))
                return
            swap(state + REST, 0)
        if read(state + SHARE) == 0:
            call(read(state + START), (0,))
        share = read(state + SHARE)
        if share != 0 and swap(state + BUSY, 1) == 0:
            began = clock(1) if {_CLOCKS} else 0
            began_running = clock(3) if {_CLOCKS} and read(state + WATCHED) else 0
            call(share, (inner, count, args, n, steps, parts))
            if {_CLOCKS}:
                watch(began, began_running, state)
            swap(state + BUSY, 0)
            return
    call(inner, (args, dims, steps, 0))
"""

_SHARE = f"""
set_num_threads = types.ExternalFunction("set_num_threads", types.void(types.int32))
get_num_threads = types.ExternalFunction("get_num_threads", types.int32())


@njit({threads.OPTIONS}, **EXACT)
def run_parts(inner, count, args, n, steps, parts):
    block = (n + 16 * parts - 1) // (16 * parts) * 16
    for part in prange(parts):
        first = part * block
        here = scratch(count + 1, np.intp)
        for i in range(count):
            here[i] = read(args + 8 * i) + first * read(steps + 8 * i)
        here[count] = min(block, n - first)
        if here[count] > 0:
            call(inner, (here.ctypes.data, here.ctypes.data + 8 * count, steps, 0))
        release(here)


@cfunc(types.void(INT, INT, INT, INT, INT, INT), cache=True, **EXACT)
def share(inner, count, args, n, steps, parts):
    before = get_num_threads()
    set_num_threads(parts)
    run_parts(inner, count, args, n, steps, parts)
    set_num_threads(before)
"""


@functools.cache
def loop_address() -> int:
    """The loop that stands before the loops of all ufuncs."""
    threads.state[threads.START] = ctypes.cast(_start, ctypes.c_void_p).value or 0
    return load("share_loop", CALLS + import_of("arrays", ["on_stack"]) + _LOOP).loop.address


def _start_sharing(_: int) -> None:
    """Called from the first loop that is long enough."""
    if threads.enter():
        try:
            text = CALLS + import_of("arrays", ["release", "scratch"]) + _SHARE
            threads.state[threads.SHARE] = load("share", text).share.address
        finally:
            threads.leave()


_start: Any = ctypes.CFUNCTYPE(None, ctypes.c_ssize_t)(_start_sharing)
