"""The clock, and what was written in place when.

Nodes of the graph and writes in place are numbered by one clock, so that "overwritten after it was saved" is a
comparison. A write is known by the memory it changed and by the line of the user's program that did it.
"""

import functools
import itertools
import math
import sys
import weakref
from collections.abc import Iterable
from types import CodeType
from typing import Any

import numpy as np

__all__ = [
    "Place", "Stamp", "Write", "clock", "is_ours", "line_at", "note_again", "note_write", "owner_of", "tick",
    "user_line", "user_place", "written_since",
]  # fmt: skip

Place = tuple[CodeType, int]  # of a running program

clock = itertools.count(1)


def tick() -> int:
    """A number for now: nodes made and writes done from here on have greater ones."""
    return next(clock)


# --- writes ----------------------------------------------------------------------------------------------------------

# Memory is known by the array that owns it. Only memory that was written to is in here, so recording costs nothing.
_writes: "dict[int, Write]" = {}
last_write = 0


def owner_of(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class Stamp:
    """When something was written, and where in the user's program."""

    __slots__ = ("number", "place")

    def __init__(self, number: int, place: Place) -> None:
        self.number = number
        self.place = place


_NEVER = Stamp(0, (tick.__code__, 0))


class Write:
    """The last write to one block of memory, while the block lives."""

    __slots__ = ("gone", "stamp")

    def __init__(self, gone: weakref.ref) -> None:
        self.gone = gone
        self.stamp = _NEVER

    @classmethod
    def to(cls, owner: np.ndarray) -> "Write":
        """The record of this block, which is kept from now on."""
        key = id(owner)
        if key not in _writes:
            _writes[key] = cls(weakref.ref(owner, functools.partial(_forget, key)))
        return _writes[key]


def note_write(*arrays: np.ndarray) -> None:
    """Remember that this memory changes now: a graph that saved it before must not use it any more."""
    global last_write
    stamp = Stamp(next(clock), user_place(3))
    last_write = stamp.number
    for array in arrays:
        owner = array if array.base is None else owner_of(array)
        write = _writes.get(id(owner)) or Write.to(owner)
        write.stamp = stamp


def note_again(writes: Iterable[Write], stamp: Stamp) -> None:
    """As `note_write` at the place of the stamp, for memory whose records are at hand, each time with this stamp."""
    global last_write
    if last_write != stamp.number:  # something was written since that may have put its own stamp on them
        for write in writes:
            write.stamp = stamp
    stamp.number = last_write = next(clock)


def _forget(key: int, _: weakref.ref) -> None:
    _writes.pop(key, None)


def written_since(array: np.ndarray, number: int, until: float = math.inf) -> str | None:
    """The line that last changed the memory of this array, if that was while the clock went from ``number`` on."""
    write = _writes.get(id(owner_of(array)))
    return line_at(write.stamp.place) if write is not None and number < write.stamp.number < until else None


# --- lines of the user's program -------------------------------------------------------------------------------------


def user_place(ours: int = 1) -> Place:
    """The place outside this library that is running: the code, and how far into it. The innermost ``ours`` calls, this
    one among them, are known to be of the library and are passed over.
    """
    try:
        frame = outermost = sys._getframe(ours)
    except ValueError:  # called by no Python code, as the first function of a thread may be
        frame = outermost = sys._getframe(1)
    while is_ours[frame.f_globals.get("__name__")]:
        outermost = frame
        frame = frame.f_back  # type: ignore[assignment]
        if frame is None:
            return outermost.f_code, outermost.f_lasti
    return frame.f_code, frame.f_lasti


class _Ours(dict[Any, bool]):
    """Whether a module is of this library, by its name; code that was put together from text has none and is."""

    packages = (__name__.partition(".")[0], "nn", "optim")

    def __missing__(self, name: Any) -> bool:
        self[name] = name is None or str(name).partition(".")[0] in self.packages
        return self[name]


is_ours = _Ours()


def line_at(place: Place) -> str:
    """The file and line of a place."""
    code, offset = place
    line = next((n for start, end, n in code.co_lines() if start <= offset < end), code.co_firstlineno)
    return f"{code.co_filename}:{line}"


def user_line() -> str:
    """The file and line outside this library that is running."""
    return line_at(user_place())
