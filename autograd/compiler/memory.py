"""Where values between steps are kept: one block, in which memory is used again once nobody needs what it holds."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ..kernels.memory import LINE
from .fuse import Group
from .program import Memory, Step

__all__ = ["Layout", "place"]


class Layout(NamedTuple):
    """Offsets in the block, its size, and what all values together would take."""

    offsets: dict[Memory, int]
    size: int
    unshared: int


def place(items: Sequence[Group | Step], results: Collection[Memory]) -> Layout:
    """First fit by age: each value takes the first gap that is free from its first use to its last. Results have
    memory of their own.
    """
    first: dict[Memory, int] = {}
    last: dict[Memory, int] = {}
    for i, item in enumerate(items):
        for ref in (*item.reads, *item.writes):
            if ref.memory.kind == "own" and ref.memory not in results:
                first.setdefault(ref.memory, i)
                last[ref.memory] = i
    offsets: dict[Memory, int] = {}
    living: list[tuple[int, int, int]] = []  # offset, end, last use
    size = unshared = 0
    for memory in sorted(first, key=first.__getitem__):
        wanted = -(-memory.nbytes // LINE) * LINE
        living = sorted(block for block in living if block[2] >= first[memory])
        at = 0
        for offset, end, _ in living:
            if offset - at >= wanted:
                break
            at = max(at, end)
        offsets[memory] = at
        living.append((at, at + wanted, last[memory]))
        size = max(size, at + wanted)
        unshared += wanted
    return Layout(offsets, size, unshared)
