"""Scans: every partial sum, product or extremum along an axis, forwards or backwards, by one loop for all kinds.

An array is seen as (outer, n, inner). A step waits for the one before, so where inner is 1 four rows go side by side.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import order
from .hand import Kernel, kernel
from .language import F, formula, on_stack, prange
from .symbol import Symbol

__all__ = ["INTEGER_SUMS", "LOG_SUMS", "PRODUCTS", "RECURRENCE", "SUMS", "extrema", "scan"]

start = step = key = formula


@kernel(work=4)
def scanning(x, a, outer, n, inner, reverse, out):
    """y = step(y, a, x) along the middle axis of flat (outer, n, inner), beginning with ``start``."""
    by = -1 if reverse else 1
    if inner == 1:
        first = n - 1 if reverse else 0
        for i in prange((outer + 3) // 4):
            at = i * 4 * n
            if i * 4 + 4 <= outer:
                x0, x1, x2, x3 = x[at : at + n], x[at + n : at + 2 * n], x[at + 2 * n : at + 3 * n], x[at + 3 * n :]
                a0, a1, a2, a3 = a[at : at + n], a[at + n : at + 2 * n], a[at + 2 * n : at + 3 * n], a[at + 3 * n :]
                o0, o1 = out[at : at + n], out[at + n : at + 2 * n]
                o2, o3 = out[at + 2 * n : at + 3 * n], out[at + 3 * n :]
                y0 = y1 = y2 = y3 = start()
                for j in range(n):
                    place = np.uint64(first + by * j)
                    y0 = step(y0, a0[place], x0[place])
                    y1 = step(y1, a1[place], x1[place])
                    y2 = step(y2, a2[place], x2[place])
                    y3 = step(y3, a3[place], x3[place])
                    o0[place] = F(y0)
                    o1[place] = F(y1)
                    o2[place] = F(y2)
                    o3[place] = F(y3)
            else:
                for row in range(i * 4, outer):
                    y = start()
                    for j in range(n):
                        place = np.uint64(row * n + first + by * j)
                        y = step(y, a[place], x[place])
                        out[place] = F(y)
    else:
        tiles = (inner + 1023) // 1024
        for i in prange(outer * tiles):
            first = i % tiles * 1024
            width = min(1024, inner - first)
            states = on_stack(1024, start())
            states[:width] = start()
            at = (i // tiles * n + (n - 1 if reverse else 0)) * inner + first
            for _ in range(n):
                row = x[at : at + width]
                factors = a[at : at + width]
                result = out[at : at + width]
                for k in range(width):
                    y = step(states[k], factors[k], row[k])
                    states[k] = y
                    result[k] = F(y)
                at += by * inner


def _double(x: Any) -> Any:
    return Symbol.apply("to_double", x)


def _log_add(y: Any, a: Any, x: Any) -> Any:
    """log(exp(y) + exp(x)), also where both are the same infinity."""
    apart = Symbol.apply("where", x == y, 0.0, -abs(y - x))
    return Symbol.apply("maximum", y, x) + Symbol.apply("log1p", Symbol.apply("exp", apart))


def _kind(name: str, begin: Callable, step: Callable) -> Kernel:
    return scanning.of(name, start=begin, step=step)


# Sums and products are taken in double precision, as PyTorch's are.
SUMS = _kind("sums", lambda: _double(0.0), lambda y, a, x: y + _double(x))
PRODUCTS = _kind("products", lambda: _double(1.0), lambda y, a, x: y * _double(x))
INTEGER_SUMS = _kind("integer_sums", lambda: 0, lambda y, a, x: y + x)
LOG_SUMS = _kind("log_sums", lambda: -math.inf, _log_add)
RECURRENCE = _kind("recurrence", lambda: 0.0, lambda y, a, x: x + a * y)


def _seen(shape: tuple[int, ...], dim: int) -> tuple[int, int, int]:
    return math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])


def scan(kind: Kernel, x: np.ndarray, dim: int, reverse: bool = False, a: np.ndarray | None = None) -> np.ndarray:
    """The scan along an axis, from the end if ``reverse``; ``a`` are the factors of a recurrence."""
    if x.dtype == np.float16:
        factors = None if a is None else a.astype(np.float32)
        return scan(kind, x.astype(np.float32), dim, reverse, factors).astype(np.float16)
    outer, n, inner = _seen(x.shape, dim)
    if kind is LOG_SUMS and inner == 1 and outer >= 8:  # SIMD pays for the turning round
        return scan(kind, x.reshape(outer, n).T, 0, reverse).T.reshape(x.shape)
    flat = x.reshape(-1)
    out = np.empty(x.size, x.dtype)
    kind(flat, flat if a is None else a.reshape(-1), outer, n, inner, reverse, out)
    return out.reshape(x.shape)


@kernel(work=8)
def running(x, outer, n, inner, out, places):
    """The element with the greatest ``key`` so far along the middle axis of flat (outer, n, inner), and the last place
    where one with this key is. Keys are integers: to choose between two takes a step of two cycles.
    """
    if inner == 1:
        for o in prange(outer):
            row = x[o * n : (o + 1) * n]
            result = out[o * n : (o + 1) * n]
            found = places[o * n : (o + 1) * n]
            best = key(row[0])
            place = 0
            for j in range(n):
                this = key(row[j])
                place = j if this >= best else place
                best = max(this, best)
                result[j] = row[np.uint64(place)]
                found[j] = place
    else:
        tiles = (inner + 1023) // 1024
        for i in prange(outer * tiles):
            first = i % tiles * 1024
            width = min(1024, inner - first)
            at = i // tiles * n * inner + first
            best, latest = on_stack(1024, x.dtype), on_stack(1024, np.int64)
            for k in range(width):
                best[k] = x[at + k]
                latest[k] = 0
            for j in range(n):
                row = x[at : at + width]
                result = out[at : at + width]
                found = places[at : at + width]
                for k in range(width):
                    won = key(row[k]) >= key(best[k])
                    best[k] = row[k] if won else best[k]
                    latest[k] = j if won else latest[k]
                    result[k] = best[k]
                    found[k] = latest[k]
                at += inner


MAXIMA = running.of("maxima", key=order.key)
MINIMA = running.of("minima", key=lambda x, precision: order.key(-x, precision))
INTEGER_MAXIMA = running.of("integer_maxima", key=lambda x: x)
INTEGER_MINIMA = running.of("integer_minima", key=lambda x: ~x)


def extrema(largest: bool, x: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """The extrema so far along an axis and the last place of each; NaN wins against all."""
    is_float = x.dtype.kind == "f"
    inner = (np.float64 if x.dtype.itemsize == 8 else np.float32) if is_float else np.int64
    flat = x.reshape(-1).astype(inner, copy=False)
    out, places = np.empty(x.size, inner), np.empty(x.size, np.int64)
    if x.size:
        kinds = (MAXIMA, MINIMA) if is_float else (INTEGER_MAXIMA, INTEGER_MINIMA)
        kinds[0 if largest else 1](flat, *_seen(x.shape, dim), out, places)
    return out.reshape(x.shape).astype(x.dtype, copy=False), places.reshape(x.shape)
