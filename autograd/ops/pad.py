"""Padding of the trailing axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .convert import clone
from .op import op

__all__ = ["pad"]

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _inside(sides: Sequence[tuple[int, int]], sizes: Sequence[int]) -> tuple[slice, ...]:
    """Where, in a padded array, the original lies, as far as it was not cut away."""
    return tuple(slice(max(before, 0), before + n + min(after, 0)) for (before, after), n in zip(sides, sizes))


def _kept(sides: Sequence[tuple[int, int]], sizes: Sequence[int]) -> tuple[slice, ...]:
    """Which part of the original a negative padding leaves."""
    return tuple(slice(max(-before, 0), n - max(-after, 0)) for (before, after), n in zip(sides, sizes))


@op(x=lambda g, sides: _pad(g, sides=tuple((-a, -b) for a, b in sides), value=0.0))
def _pad(x, *, sides, value):
    shape = tuple(max(n + before + after, 0) for n, (before, after) in zip(x.shape, sides))
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    if out.size:
        out[_inside(sides, x.shape)] = x[_kept(sides, x.shape)]
    return out


@op(x=lambda g, shape, sides, mode: _unpad(g, sides=sides, mode=mode, to=shape))
def _pad_repeating(x, *, sides, mode):
    return np.pad(x, sides, mode)


@op(x=lambda g, sides, mode: _pad_repeating(g, sides=sides, mode=mode))
def _unpad(x, *, sides, mode, to):
    """Every element of the padded array added to the one that it repeats."""
    for axis, (side, n) in enumerate(zip(sides, to)):
        if side != (0, 0):
            source = np.pad(np.arange(n), side, mode)
            before, end = side[0], side[0] + n
            lines = np.moveaxis(x, axis, 0)
            folded = np.array(lines[before:end])
            for i in (*range(before), *range(end, len(lines))):
                folded[source[i]] += lines[i]
            x = np.moveaxis(folded, 0, axis)
    return x


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """``input`` with more at its ends: ``pad`` gives (before, after) of the last axis, then of the one before, ...

    ``mode`` "constant" fills with ``value`` (0), "reflect" mirrors without the edge, "replicate" repeats the edge,
    "circular" begins again at the other end. A negative length cuts away: of what "reflect" and "replicate" made of
    the whole, and what is left begins again with "circular".

    >>> pad(Tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    if len(pad) % 2 or len(pad) // 2 > input.ndim:
        raise RuntimeError(f"pad: a pair of lengths for each padded axis; got {tuple(pad)} for {input.ndim} axes")
    pairs = [(int(a), int(b)) for a, b in zip(pad[::2], pad[1::2])][::-1]
    sides = ((0, 0),) * (input.ndim - len(pairs)) + tuple(pairs)
    if mode == "constant":
        if min((n + a + b for n, (a, b) in zip(input.shape, sides)), default=0) < 0:
            raise RuntimeError(f"pad: no more can be cut away than is there; got {tuple(pad)} for {tuple(input.shape)}")
        return _pad(input, sides=sides, value=value or 0.0) if any(map(any, sides)) else clone(input)
    if mode not in MODES:
        raise NotImplementedError(f"pad: mode must be constant, reflect, replicate or circular; got {mode!r}")
    if value:
        raise ValueError(f"pad: only mode constant takes a value; got value={value} with mode {mode!r}")
    if len(pairs) not in (1, 2, 3) or input.ndim - len(pairs) not in (1, 2):
        raise NotImplementedError(
            f"pad: with mode {mode!r} the last one, two or three axes are padded, after one or two others; "
            f"got {tuple(pad)} for {tuple(input.shape)}"
        )
    cut = tuple((min(a, 0), min(b, 0)) for a, b in sides)
    more = tuple((max(a, 0), max(b, 0)) for a, b in sides)
    if mode == "circular":
        return _repeat(_cut(input, cut), more, mode)
    return _cut(_repeat(input, more, mode), cut)


def _cut(input: Any, sides: tuple[tuple[int, int], ...]) -> Any:
    if not any(map(any, sides)):
        return input
    for axis, ((before, after), n) in enumerate(zip(sides, input.shape)):
        if (before or after) and n + before + after < 1:
            raise RuntimeError(f"pad: something must be left of axis {axis}; got {(before, after)} for length {n}")
    return _pad(input, sides=sides, value=0.0)


def _repeat(input: Any, sides: tuple[tuple[int, int], ...], mode: str) -> Any:
    if not any(map(any, sides)):
        return clone(input)
    for axis, (side, n) in enumerate(zip(sides, input.shape)):
        most = {"reflect": n - 1, "circular": n, "replicate": max(side) if n else 0}[mode]
        if max(side) > max(most, 0):
            raise RuntimeError(
                f"pad: with mode {mode!r} axis {axis} of length {n} can be padded by at most {max(most, 0)}; got {side}"
            )
    return _pad_repeating(input, sides=sides, mode=MODES[mode])
