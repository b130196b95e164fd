"""In which order the elements along an axis are, and which are the first of it."""

import numpy as np

from . import order
from .hand import Kernel, kernel
from .language import formula, on_stack, prange, release, scratch
from .reduce import layout

__all__ = ["FEW", "LARGE", "LONG", "first_places", "order_places"]

LARGE, LONG = 2**13, 64
"""Fewer elements are left to numpy, so that a script of a few lines never waits for a compiler, and shorter lines."""

FEW = 32
"""At most this many of the first are found in one pass, which keeps them in order."""

key = formula


@kernel(work=8)
def ordering(x, outer, n, inner, out):
    """The places of each line along the middle axis of flat (outer, n, inner) in the order of their ``key``, which is
    an integer; equal ones stay in their order.

    The keys are sorted by their bytes, from the last to the first (Knuth, The Art of Computer Programming, volume 3,
    section 5.2.5); a byte that all have in common is passed over.
    """
    for line in prange(outer * inner):
        start = line // inner * n * inner + line % inner
        keys, places = scratch(n, np.int64), scratch(n, np.int32)
        keys_then, places_then = scratch(n, np.int64), scratch(n, np.int32)
        counts = scratch((x.itemsize, 256), np.int32)
        counts[:] = 0
        for j in range(n):
            this = np.int64(key(x[start + j * inner]))
            keys[j] = this
            places[j] = j
            for byte in range(x.itemsize):
                counts[byte, (this >> 8 * byte) & 255] += 1
        for byte in range(x.itemsize):
            count = counts[byte]
            sign = 128 if byte == x.itemsize - 1 else 0  # negative keys come first
            if count[(keys[0] >> 8 * byte) & 255] < n:
                total = 0
                for value in range(256):
                    here = count[value ^ sign]
                    count[value ^ sign] = total
                    total += here
                for j in range(n):
                    this = keys[j]
                    value = (this >> 8 * byte) & 255
                    to = count[value]
                    count[value] = to + 1
                    keys_then[to] = this
                    places_then[to] = places[j]
                keys, keys_then = keys_then, keys
                places, places_then = places_then, places
        for j in range(n):
            out[start + j * inner] = places[j]
        release(keys, places, keys_then, places_then, counts)


@kernel(work=8)
def leading(x, outer, n, inner, count, out):
    """The places of the smallest ``count`` of each line, in order, the first of equal ones first: (outer, count, inner)
    from flat (outer, n, inner).
    """
    for line in prange(outer * inner):
        o, k = line // inner, line % inner
        best, places = on_stack(32, np.int64), on_stack(32, np.int64)
        for first in range(0, n, 64):
            end = min(first + 64, n)
            better = 1
            if inner == 1 and first >= count:  # SIMD looks whether there is anything
                better = 0
                last = best[count - 1]
                part = x[o * n + first : o * n + end]
                for j in range(part.size):
                    better += key(part[j]) < last
            if better:
                for j in range(first, end):
                    this = np.int64(key(x[(o * n + j) * inner + k]))
                    if j < count or this < best[count - 1]:
                        i = min(j, count - 1)
                        while i > 0 and best[i - 1] > this:
                            best[i] = best[i - 1]
                            places[i] = places[i - 1]
                            i -= 1
                        best[i] = this
                        places[i] = j
        for i in range(count):
            out[(o * count + i) * inner + k] = places[i]


def _kinds(of: Kernel) -> dict[tuple[bool, bool], Kernel]:
    """A kernel for floating numbers and for integers, upward and downward."""
    return {
        (True, False): of.of("upward", key=order.key),
        (True, True): of.of("downward", key=lambda x, precision: ~order.key(x, precision)),
        (False, False): of.of("integers_upward", key=lambda x: x),
        (False, True): of.of("integers_downward", key=lambda x: ~x),
    }


_ORDERING, _LEADING = _kinds(ordering), _kinds(leading)


def order_places(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The stable order along an axis, NaN as the largest; equal ones stay in their order both ways."""
    n = x.shape[dim]
    if x.size >= LARGE and LONG <= n < 2**31:
        out = np.empty(x.size, np.int64)
        flat, kind = _flat(x)
        seen = layout(x.shape, (dim,))
        _ORDERING[kind, descending](flat, seen.outer, n, seen.inner, out)
        return out.reshape(x.shape)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    return n - 1 - np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)


def first_places(x: np.ndarray, dim: int, count: int, descending: bool) -> np.ndarray:
    """The first of `order_places`, FEW at most."""
    flat, kind = _flat(x)
    seen = layout(x.shape, (dim,))
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :])
    out = np.empty(seen.outer * count * seen.inner, np.int64)
    _LEADING[kind, descending](flat, seen.outer, seen.n, seen.inner, count, out)
    return out.reshape(shape)


def _flat(x: np.ndarray) -> tuple[np.ndarray, bool]:
    """x in one row and in a dtype that kernels have, and whether that is a floating one."""
    is_float = x.dtype.kind == "f"
    if is_float:
        return x.ravel().astype(np.float64 if x.dtype.itemsize == 8 else np.float32, copy=False), True
    return x.ravel().astype(np.int64, copy=False), False
