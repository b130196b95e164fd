"""Where the largest or the smallest element is along an axis, and what it is."""

import numpy as np

from . import order
from .hand import kernel
from .language import formula, prange
from .reduce import layout

__all__ = ["INTEGER_LARGEST", "INTEGER_SMALLEST", "LARGEST", "SMALLEST", "extremum"]

key = formula


@kernel(work=8)
def placing(x, outer, n, inner, out, places):
    """The first element with the greatest ``key``, an integer, along the middle axis of flat (outer, n, inner)."""
    if inner == 1:
        for o in prange(outer):
            row = x[o * n : (o + 1) * n]
            best = key(row[0])
            for j in range(n):
                best = max(best, key(row[j]))
            at = 0
            while at < n:
                part = row[at : at + 256]
                found = 0
                for j in range(part.size):
                    found += key(part[j]) == best
                if found:
                    break
                at += 256
            while key(row[at]) != best:
                at += 1
            out[o] = row[at]
            places[o] = at
    else:
        tiles = (inner + 1023) // 1024
        for i in prange(outer * tiles):
            first = i % tiles * 1024
            width = min(1024, inner - first)
            o = i // tiles
            at = o * n * inner + first
            best = out[o * inner + first : o * inner + first + width]
            place = places[o * inner + first : o * inner + first + width]
            for k in range(width):
                best[k] = x[at + k]
                place[k] = 0
            for j in range(1, n):
                row = x[at + j * inner : at + j * inner + width]
                for k in range(width):
                    won = key(row[k]) > key(best[k])
                    best[k] = row[k] if won else best[k]
                    place[k] = j if won else place[k]


LARGEST = placing.of("largest", key=order.key)
SMALLEST = placing.of("smallest", key=lambda x, precision: order.key(-x, precision))
INTEGER_LARGEST = placing.of("integer_largest", key=lambda x: x)
INTEGER_SMALLEST = placing.of("integer_smallest", key=lambda x: ~x)


def extremum(largest: bool, x: np.ndarray, dim: int, keepdim: bool) -> tuple[np.ndarray, np.ndarray]:
    """The first of the largest or smallest elements along an axis, which is not empty, and where each is."""
    is_float = x.dtype.kind == "f"
    inner_type = (np.float64 if x.dtype.itemsize == 8 else np.float32) if is_float else np.int64
    kinds = (LARGEST, SMALLEST) if is_float else (INTEGER_LARGEST, INTEGER_SMALLEST)
    seen = layout(x.shape, (dim,))
    shape, count = seen.kept if keepdim else seen.squeezed, seen.outer * seen.inner
    out, places = np.empty(count, inner_type), np.empty(count, np.int64)
    flat = x.reshape(-1).astype(inner_type, copy=False)
    kinds[0 if largest else 1](flat, seen.outer, seen.n, seen.inner, out, places)
    return out.reshape(shape).astype(x.dtype, copy=False), places.reshape(shape)
