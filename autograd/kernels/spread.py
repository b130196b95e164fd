"""What undoes a reduction: the gradients of many numbers from that of the one they were reduced to, by one loop."""

import math
from collections.abc import Callable

import numpy as np

from .hand import FLOATS, Kernel, kernel
from .language import F, formula, prange
from .reduce import COLUMN_BLOCK, ROW_BLOCK, attains, layout
from .symbol import Symbol

__all__ = ["DIFFERENCES", "EXPONENTIALS", "MULTIPLES", "QUOTIENTS", "SHARES", "spread"]

pull = formula


@kernel
def spreading(g, x, centre, outer, n, inner, block, chunks, factor, dx):
    """``pull(g, x, centre, factor)`` for flat x (outer, n, inner), g and centre (outer, inner)."""
    by = F(factor)
    if inner == 1:
        for i in prange(outer * chunks):
            o = i // chunks
            at = o * n + i % chunks * block
            row = x[at : min(at + block, o * n + n)]
            result = dx[at : min(at + block, o * n + n)]
            share = g[o]
            c = centre[o]
            for j in range(row.size):
                result[j] = pull(share, row[j], c, by)
    else:
        for i in prange(outer * chunks):
            o = i // chunks
            shares = g[o * inner : (o + 1) * inner]
            centres = centre[o * inner : (o + 1) * inner]
            for j in range(i % chunks * block, min(i % chunks * block + block, n)):
                at = (o * n + j) * inner
                row = x[at : at + inner]
                result = dx[at : at + inner]
                for k in range(inner):
                    result[k] = pull(shares[k], row[k], centres[k], by)


def _kind(name: str, pull: Callable) -> Kernel:
    return spreading.of(name, pull=pull)


DIFFERENCES = _kind("differences", lambda g, x, c, factor: g * ((x - c) * factor))
MULTIPLES = _kind("multiples", lambda g, x, c, factor: g * x)
QUOTIENTS = _kind("quotients", lambda g, x, c, factor: g / x)
SHARES = _kind("shares", lambda g, x, c, factor: Symbol.apply("where", attains(x, c), g, 0.0))
EXPONENTIALS = _kind("exponentials", lambda g, x, c, factor: g * Symbol.apply("exp", x - c))


def spread(
    kind: Kernel,
    g: np.ndarray,
    x: np.ndarray,
    dims: tuple[int, ...],
    centre: np.ndarray | None = None,
    factor: float = 1.0,
) -> np.ndarray:
    """The gradient of x from g, that of its reduction over these axes; ``centre`` has a number for each result."""
    if x.dtype not in FLOATS:
        single = np.float32
        centre = None if centre is None else centre.astype(single)
        return spread(kind, g.astype(single), x.astype(single), dims, centre, factor).astype(x.dtype)
    outer, n, inner, gap, _, squeezed = layout(x.shape, dims)
    order = None
    if gap:
        order = [*(i for i in range(x.ndim) if i not in dims), *dims]
        x = x.transpose(order)
        outer = math.prod(squeezed)
        n, inner = x.size // max(outer, 1), 1
    block = ROW_BLOCK if inner == 1 else COLUMN_BLOCK
    flat, g = x.reshape(-1), g.reshape(-1)
    dx = np.empty(x.shape, x.dtype)
    centre = g if centre is None else centre.reshape(-1)
    kind(g, flat, centre, outer, n, inner, block, -(-n // block), factor, dx.reshape(-1))
    return dx if order is None else dx.transpose(np.argsort(order))
