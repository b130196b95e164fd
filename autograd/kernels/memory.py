"""Freed memory stays with the process, where the C library allows to say so (glibc's ``mallopt``).

A training step frees what it allocated, some megabytes in pieces of a hundred kilobytes and more. glibc gives such
memory back to the system at once, and the next step gets it page by page, each with a fault of 0.2 to 1 us: more than
it costs to write the page. Up to `KEEP` bytes of freed memory are kept instead, until `empty_cache` is called. What the
user has set in the environment stays.
"""

import ctypes
import functools
import os
import sys
from collections.abc import Callable

import numpy as np

__all__ = ["LINE", "at_a_line", "empty_cache", "keep_freed"]

LINE = 64
"""The bytes of a line of the cache, and of the widest vector."""

KEEP = 2**29
LARGEST = 2**25
"""Beyond this glibc maps and unmaps every array on its own; it allows no more."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@functools.cache
def keep_freed() -> None:
    """Have it so from now on; called before the first kernel."""
    if sys.platform != "linux" or any(variable in os.environ for variable in _VARIABLES):
        return
    mallopt = _of_the_c_library("mallopt")
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGEST)
        mallopt(_TRIM_THRESHOLD, KEEP)


def at_a_line(nbytes: int) -> np.ndarray:
    """New memory of this many bytes that begins at a line of the cache."""
    room = np.empty(nbytes + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + nbytes]


def empty_cache() -> None:
    """Give the memory of tensors that are no more back to the system. It is kept, up to 512 MB, because the next step
    of a training needs as much again.
    """
    trim = _of_the_c_library("malloc_trim") if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _of_the_c_library(name: str) -> Callable | None:
    return getattr(ctypes.CDLL(None), name, None)
