"""How images lie in memory for a convolution, so that every tap of the kernel is a shift.

The rows of an image, its planes and the images of a group are laid one after the other, with zeros between them that
serve as padding on both sides. An output at position p then reads, for every tap, the input at p + shift, across the
ends of rows: a few outputs per row are computed for nothing and thrown away, and in return the innermost loop is as
long as the group. With a stride s, an axis is first split into s phases, every s-th element each; a tap reads one of
them. Images have three axes here; one or two are those with a length of 1 before them.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Layout", "Side", "layout"]

Triple = tuple[int, ...]


class Side(NamedTuple):
    """What a product of planes reads and writes, the forward one or the one that carries gradients back.

    ``taps`` has a row (tap, phase it reads, shift) for each tap, in the order of the phases written, which end at
    ``ends``. Element m of phase ``reads[f]`` is m * ``read_step`` + ``reads[f]`` of the input, and so for the output.
    """

    reads: np.ndarray
    read_step: Triple
    writes: np.ndarray
    write_step: Triple
    taps: np.ndarray
    ends: np.ndarray
    front: int
    back: int


class Layout(NamedTuple):
    """The shapes of input and output as volumes, the lengths of axes with the zeros between them, the two products."""

    sizes: Triple
    counts: Triple
    lengths: Triple
    forward: Side
    backward: Side


@functools.lru_cache(maxsize=1024)
def layout(
    sizes: Sequence[int],
    counts: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Layout:
    """The layout for an input of ``sizes`` and an output of ``counts``; ``padding`` is that in front."""
    if sizes == counts and not any(padding) and math.prod(kernel) == math.prod(stride) == 1:
        sizes = counts = (math.prod(sizes),)  # every element is by itself: all may be one row
    axes = [_Axis(*numbers) for numbers in zip(sizes, counts, kernel, stride, padding, dilation)]
    axes = [_Axis(1, 1, 1, 1, 0, 1)] * (3 - len(axes)) + axes
    lengths = tuple(axis.length for axis in axes)
    pitches = (lengths[1] * lengths[2], lengths[2], 1)
    steps = tuple(axis.stride for axis in axes)
    places = []
    for tap in itertools.product(*[axis.places for axis in axes]):
        phase, shift = zip(*tap)
        places.append((phase, sum(q * pitch for q, pitch in zip(shift, pitches))))
    used = sorted({phase for phase, _ in places})
    every = [*itertools.product(*map(range, steps))]
    ones, zero = (1, 1, 1), np.zeros((1, 3), np.int64)
    low = sum(axis.low * pitch for axis, pitch in zip(axes, pitches))
    high = sum(axis.high * pitch for axis, pitch in zip(axes, pitches))
    taps = [(k, used.index(phase), shift) for k, (phase, shift) in enumerate(places)]
    forward = Side(np.array(used), steps, zero, ones, np.array(taps), np.array([0, len(taps)]), -low, high)
    by_phase = [[(k, 0, -shift) for k, (phase, shift) in enumerate(places) if phase == wanted] for wanted in every]
    ends = np.cumsum([0, *map(len, by_phase)])
    back = np.array([*itertools.chain(*by_phase)])
    backward = Side(zero, ones, np.array(every), steps, back, ends, high, -low)
    ahead = (1,) * (3 - len(sizes))
    return Layout((*ahead, *sizes), (*ahead, *counts), lengths, forward, backward)


class _Axis:
    """One axis: tap j reads element stride * m + j * dilation - padding for output m, as a phase and a shift of m."""

    def __init__(self, size: int, count: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
        self.stride = stride
        self.places = [divmod(j * dilation - padding, stride)[::-1] for j in range(kernel)]
        shifts = [shift for _, shift in self.places]
        self.low, self.high = min(0, *shifts, 0), max(0, *shifts, 0)
        # Zeros enough after each row that neither side's shifts reach beyond them into the next one.
        self.length = max(math.ceil(size / stride) - self.low, count + self.high)
