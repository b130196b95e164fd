"""Which BLAS multiplies matrices, and with which instructions.

``np.dot`` in a kernel calls the OpenBLAS that SciPy carries. When it is first loaded it picks code for a processor
family from ``OPENBLAS_CORETYPE``; its own choice on recent AMD processors leaves AVX-512 unused, so the room chooses
before it is loaded. A value the user has set stays, and a SciPy that is loaded already is left alone.

OpenBLAS wakes its threads for any product of more than 2^18 multiplications, which costs more than it gives up to some
millions, and very much more when the machine has other work: those run on the calling thread alone.
"""

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["multiply", "prepare"]

_VARIABLE = "OPENBLAS_CORETYPE"


@functools.cache
def _has_avx512() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return all(f" {flag}" in flags for flag in ("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"))


@functools.cache
def prepare() -> None:
    """Load SciPy's BLAS with the core type that suits this processor; called before the first kernel that needs it."""
    choose = _VARIABLE not in os.environ and "scipy.linalg.cython_blas" not in sys.modules and _has_avx512()
    if choose:
        os.environ[_VARIABLE] = "SkylakeX"
    try:
        import scipy.linalg.cython_blas
    finally:
        if choose:
            del os.environ[_VARIABLE]
    assert scipy.linalg.cython_blas is not None


WAKES_THREADS = 2**18
WORTH_THREADS = 2**23
"""From how many multiplications on OpenBLAS uses its threads, and from how many on that pays."""


@functools.cache
def _threads() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How to read and set the number of threads of SciPy's OpenBLAS; None for another BLAS."""
    prepare()
    import scipy.linalg.cython_blas

    library = ctypes.CDLL(scipy.linalg.cython_blas.__file__)
    for prefix in ("scipy_openblas", "openblas"):
        try:
            return getattr(library, f"{prefix}_get_num_threads"), getattr(library, f"{prefix}_set_num_threads")
        except AttributeError:
            continue
    return None


def multiply(multiplications: int, kernel: Callable, *args: Any) -> None:
    """Run a kernel of matrix products with so many multiplications each, on one thread where more don't pay."""
    if multiplications <= WAKES_THREADS or multiplications >= WORTH_THREADS or (threads := _threads()) is None:
        kernel(*args)
        return
    _alone.begin(*threads)
    try:
        kernel(*args)
    finally:
        _alone.end(threads[1])


class _Alone:
    """Has the BLAS use one thread while any call is running here; the last one to end puts back what was set."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = 0
        self.before = 0

    def begin(self, get: Callable[[], int], set_: Callable[[int], None]) -> None:
        with self.lock:
            if not self.running:
                self.before = get()
                set_(1)
            self.running += 1

    def end(self, set_: Callable[[int], None]) -> None:
        with self.lock:
            self.running -= 1
            if not self.running:
                set_(self.before)


_alone = _Alone()
