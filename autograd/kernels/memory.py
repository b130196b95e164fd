"""Freed memory stays with the process, where the C library allows to say so (glibc's ``mallopt``).

A training step frees what it allocated, some megabytes in pieces of a hundred kilobytes and more. glibc gives such
memory back to the system at once, and the next step gets it page by page, each with a fault of 0.2 to 1 us: more than
it costs to write the page. Up to `KEEP` bytes of freed memory are kept instead. What the user has set in the
environment stays.
"""

import functools
import os
import sys

__all__ = ["keep_freed"]

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
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGEST)
        mallopt(_TRIM_THRESHOLD, KEEP)
