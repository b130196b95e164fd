"""Reductions: many numbers to one, along any axes, by one loop for all kinds.

An array is seen as (outer, n, inner), and the axis in the middle is reduced. Where inner is 1 the loop runs along
rows, with the accumulators of SIMD, or where they are short across many of them; otherwise whole rows are added to one
another, four at a time. More than a block is reduced in blocks, and these again: a rounding error grows with the
logarithm of n, and threads have something to share. The blocks don't depend on the number of threads, nor does the
result.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .hand import FLOATS, kernel
from .language import F, across, formula, on_stack, prange
from .order import rank, unrank
from .quiet import quiet
from .symbol import Symbol

__all__ = [
    "ATTAINED", "DEVIATIONS", "EXPONENTIALS", "MAXIMUM", "MINIMUM", "NORM", "PRODUCT", "SUM", "Layout", "Reduction",
    "attains", "layout", "reduce",
]  # fmt: skip

ROW_BLOCK, COLUMN_BLOCK = 4096, 128
SMALL = 64
"""At most this many elements are left to numpy, so that a script of a few lines never waits for a compiler."""

start = value = merge = pack = pick = unpack = finish = formula


@kernel(work=1)
def reduction(x, centre, outer, n, inner, block, chunks, divisor, out):
    """``merge`` of ``value(x, centre)`` over blocks of the middle axis of flat (outer, n, inner); -> (outer, chunks,
    inner). ``finish`` is for the last of the passes, in which there is one chunk.
    """
    if inner == 1 and n < 16:  # a number of each of many rows at a time
        for part in prange((outer + 63) // 64):
            first = part * 64
            rows = min(64, outer - first)
            results = out[first : first + rows]
            centres = centre[first : first + rows]
            column = on_stack(64, F)
            for r in range(rows):
                results[r] = start()
            for j in range(n):
                numbers = x[first * n + j : (first + rows - 1) * n + j + 1]
                for r in range(rows):
                    column[r] = numbers[r * n]
                for r in range(rows):
                    results[r] = merge(results[r], value(column[r], centres[r]))
            for r in range(rows):
                results[r] = finish(results[r], F(divisor), centres[r])
    elif inner == 1:
        for i in prange(outer * chunks):
            o, at, end = i, i * n, i * n + n
            if chunks > 1:
                o = i // chunks
                at = o * n + i % chunks * block
                end = min(at + block, o * n + n)
            row = x[at:end]
            c = centre[o]
            total = pack(start())
            for j in across(row.size):
                total = pick(total, pack(value(row[j], c)))
            result = unpack(total)
            out[i] = finish(result, F(divisor), c) if chunks == 1 else result
    else:
        for i in prange(outer * chunks):
            o = i // chunks
            at = i % chunks * block
            rows = min(block, n - at)
            total = out[i * inner : (i + 1) * inner]
            c = centre[o * inner : (o + 1) * inner]
            for k in range(inner):
                total[k] = start()
            a = (o * n + at) * inner
            for _ in range(rows // 4):
                part = x[a : a + 4 * inner]
                for k in range(inner):
                    first = merge(value(part[k], c[k]), value(part[inner + k], c[k]))
                    second = merge(value(part[2 * inner + k], c[k]), value(part[3 * inner + k], c[k]))
                    total[k] = merge(total[k], merge(first, second))
                a += 4 * inner
            for _ in range(rows % 4):
                part = x[a : a + inner]
                for k in range(inner):
                    total[k] = merge(total[k], value(part[k], c[k]))
                a += inner
            if chunks == 1:
                for k in range(inner):
                    total[k] = finish(total[k], F(divisor), c[k])


def _same(x: Any) -> Any:
    return x


def _add(a: Any, b: Any) -> Any:
    return a + b


def _larger(a: Any, b: Any) -> Any:
    return Symbol.apply("maximum", a, b)


def _smaller(a: Any, b: Any) -> Any:
    return Symbol.apply("minimum", a, b)


def _quotient(total: Any, divisor: Any, c: Any) -> Any:
    return total / divisor


class Reduction:
    """One kind of reduction, stated by formulas.

    ``value`` is what counts of an element x, given a centre c; ``merge`` makes one of two, beginning with ``start``,
    and ``finish`` the result of the last. Rows are merged by ``pick`` in the form that ``pack`` gives the values and
    ``unpack`` takes back. ``ufunc`` is numpy's reduction for the dtypes that have no kernel.
    """

    def __init__(
        self,
        name: str,
        ufunc: np.ufunc | None,
        start: float,
        merge: Callable,
        value: Callable = lambda x, c: x,
        finish: Callable = lambda total, divisor, c: total,
        work: int = 1,
        **rows: Callable,
    ) -> None:
        self.ufunc = ufunc
        rows = {"pack": _same, "pick": merge, "unpack": _same} | rows
        formulas: dict[str, Callable] = {"start": lambda: start, "merge": merge, "finish": finish, **rows}
        self.first = reduction.of(name, work=work, value=value, **formulas)
        self.rest = reduction.of(f"{name}_merged", value=lambda x, c: x, **formulas)


SUM = Reduction("sum", np.add, 0.0, _add, finish=_quotient)
PRODUCT = Reduction("product", np.multiply, 1.0, lambda a, b: a * b)
MAXIMUM = Reduction("maximum", np.maximum, -math.inf, _larger, work=2, pack=rank, pick=_larger, unpack=unrank)
MINIMUM = Reduction(
    "minimum", np.minimum, math.inf, _smaller, work=2,
    pack=lambda x, precision: rank(-x, precision), pick=_larger, unpack=lambda k, precision: -unrank(k, precision),
)  # fmt: skip
NORM = Reduction("norm", None, 0.0, _add, lambda x, c: x * x, lambda total, divisor, c: Symbol.apply("sqrt", total))
"""The square root of the sum of squares."""
DEVIATIONS = Reduction("deviations", None, 0.0, _add, lambda x, c: (x - c) * (x - c), _quotient)
"""The sum of squared differences from the centre."""
EXPONENTIALS = Reduction(
    "exponentials", None, 0.0, _add,
    lambda x, c: Symbol.apply("exp", x - c), lambda total, divisor, c: Symbol.apply("log", total) + c, work=4,
)  # fmt: skip
"""log(sum(exp(x))), given a centre that keeps it from overflowing."""


def attains(x: Any, c: Any) -> Any:
    """Whether x is c; NaN is NaN."""
    return Symbol.apply("bitwise_or", x == c, Symbol.apply("bitwise_and", x != x, c != c))


ATTAINED = Reduction("attained", None, 0.0, _add, lambda x, c: Symbol.apply("where", attains(x, c), 1.0, 0.0))
"""How many elements are the centre."""


class Layout(NamedTuple):
    """How a shape is seen for a reduction: as (outer, n, inner), unless other axes lie between the reduced ones, of
    which those from number ``gap`` on lie behind the last gap; and the shapes of the result with and without them.
    """

    outer: int
    n: int
    inner: int
    gap: int
    kept: tuple[int, ...]
    squeezed: tuple[int, ...]


@functools.lru_cache(maxsize=1024)
def layout(shape: tuple[int, ...], dims: tuple[int, ...]) -> Layout:
    """The `Layout` for axes in rising order."""
    first, end = (dims[0], dims[-1] + 1) if dims else (0, 0)
    gap = next((i for i in range(len(dims) - 1, 0, -1) if dims[i - 1] + 1 != dims[i]), 0)
    kept = tuple(1 if i in dims else n for i, n in enumerate(shape))
    squeezed = tuple(n for i, n in enumerate(shape) if i not in dims)
    return Layout(math.prod(shape[:first]), math.prod(shape[first:end]), math.prod(shape[end:]), gap, kept, squeezed)


def reduce(
    kind: Reduction,
    x: np.ndarray,
    dims: tuple[int, ...],
    keepdim: bool = False,
    divisor: float = 1.0,
    centre: np.ndarray | None = None,
) -> np.ndarray:
    """The reduction over these axes, in rising order; ``centre`` has a number for each result."""
    dtype = x.dtype
    if dtype not in FLOATS:
        if dtype.kind != "f":
            assert kind.ufunc is not None
            return np.asarray(kind.ufunc.reduce(x, dims, dtype, keepdims=keepdim))
        centre = None if centre is None else centre.astype(np.float32)
        return reduce(kind, x.astype(np.float32), dims, keepdim, divisor, centre).astype(dtype)
    if x.size <= SMALL and kind.ufunc is not None:
        out = np.asarray(quiet.run(kind.ufunc.reduce, x, dims, None, None, keepdim))
        return out if divisor == 1 else quiet.run(np.divide, out, divisor, out)
    outer, n, inner, gap, kept, squeezed = layout(x.shape, dims)
    shape = kept if keepdim else squeezed
    if gap:
        if centre is None:  # the axes behind the gap, then the others: after the first pass little is left
            return reduce(kind, reduce(kind, x, dims[gap:], True), dims[:gap], True, divisor).reshape(shape)
        others = [i for i in range(x.ndim) if i not in dims]
        x = x.transpose(*others, *dims)
        outer = math.prod(squeezed)
        n, inner = x.size // max(outer, 1), 1
    elif not x.flags.c_contiguous and x.flags.f_contiguous and centre is None:
        return reduce(kind, x.T, tuple(x.ndim - 1 - d for d in reversed(dims)), keepdim, divisor).T
    if centre is not None:
        centre = centre.reshape(-1)
    flat, run = x.reshape(-1), kind.first
    block = ROW_BLOCK if inner == 1 else COLUMN_BLOCK
    while True:
        chunks = -(-n // block) or 1
        out = np.empty(outer * chunks * inner, dtype)
        run(flat, out if centre is None else centre, outer, n, inner, block, chunks, divisor, out)
        if chunks == 1:
            return out.reshape(shape)
        flat, n, run = out, chunks, kind.rest
