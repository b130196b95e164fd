"""Which BLAS multiplies matrices, and with which instructions.

``np.dot`` in a kernel calls the OpenBLAS that SciPy carries. When it is first loaded it picks code for a processor
family from ``OPENBLAS_CORETYPE``; its own choice on recent AMD processors leaves AVX-512 unused, so the room chooses
before it is loaded. A value the user has set stays, and a SciPy that is loaded already is left alone.

It multiplies on one thread at a time. Its own threads and the pool of `threads` would fight for the cores, so a product
that is worth several threads is cut into parts, and each thread of the pool computes one of them.
"""

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .hand import Kernel

__all__ = ["PRODUCT", "SMALL", "WAKES_THREADS", "WORTH_THREADS", "multiply", "on_one_thread", "prepare"]

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
WORTH_THREADS = 2**20
"""From how many multiplications on OpenBLAS would use its threads, and from how many on the pool pays."""

SMALL = 1_000_000
"""OpenBLAS multiplies matrices with so many multiplications as they lie. The operands of a larger product are first
copied into an order that suits the registers, which pays for one that is much larger. So `add_product` cuts one that
lies between: 64x64x256 takes 13 us in one piece and 8.5 in two (AMD Zen 5, float32).
"""

PRODUCT = """

_gemm = types.ExternalFunction("numba_xxgemm", types.int32(
    types.char, types.char, types.char, types.intp, types.intp, types.intp, types.voidptr,
    types.voidptr, types.intp, types.voidptr, types.intp, types.voidptr, types.voidptr, types.intp))
_KIND = types.char(ord("s" if F is np.float32 else "d"))
_ZERO_ONE = np.array([0, 1], F)
SMALL = 1_000_000


@njit(forceinline=True, **EXACT)
def layout(x):
    rows, columns = x.shape
    size = x.itemsize
    down, right = x.strides
    if rows == 0 or columns == 0:  # numpy's strides of nothing are 0
        return max(columns, 1)
    if (columns == 1 or right == size) and (rows == 1 or (down >= columns * size and down % size == 0)):
        return down // size if rows > 1 else max(columns, 1)
    if (rows == 1 or down == size) and (columns == 1 or (right >= rows * size and right % size == 0)):
        return -(right // size if columns > 1 else max(rows, 1))
    return 0


@njit(forceinline=True, **EXACT)
def _transposed(layout):
    return types.char(78) if layout > 0 else types.char(84)  # N or T


@njit(forceinline=True, **EXACT)
def gemm(a, a_layout, b, b_layout, beta, c):
    m, n = c.shape
    if m > 0 and n > 0:
        # The BLAS counts down columns: to it these are c.T = b.T @ a.T.
        _gemm(_KIND, _transposed(b_layout), _transposed(a_layout), n, m, a.shape[1], _ZERO_ONE[1:].ctypes,
              b.ctypes, abs(b_layout), a.ctypes, abs(a_layout), _ZERO_ONE[beta:].ctypes, c.ctypes,
              max(n, c.strides[0] // c.itemsize))


@njit(**EXACT)
def add_product(a, b, c):
    rows, inner = a.shape
    a_layout, b_layout = layout(a), layout(b)
    pieces = max(1, -(-rows * inner * b.shape[1] // SMALL))
    if a_layout > 0:
        step = -(-rows // pieces)
        step = step if step >= 8 else max(1, rows)
        for i in range(0, rows, step):
            gemm(a[i:i + step], a_layout, b, b_layout, 1, c[i:i + step])
    else:
        step = -(-inner // pieces)
        step = step if step >= 16 else max(1, inner)
        for i in range(0, inner, step):
            gemm(a[:, i:i + step], a_layout, b[i:i + step], b_layout, 1, c)


@njit(forceinline=True, **EXACT)
def cut(n, part, parts):
    first = 0 if part == 0 else n * part // parts // 16 * 16
    return first, n if part == parts - 1 else n * (part + 1) // parts // 16 * 16


@njit(forceinline=True, **EXACT)
def gemm_part(a, a_layout, b, b_layout, c, part, parts):
    top, left = 0, 0
    bottom, end = c.shape
    if bottom >= end:
        top, bottom = cut(bottom, part, parts)
    else:
        left, end = cut(end, part, parts)
    gemm(a[top:bottom], a_layout, b[:, left:end], b_layout, 0, c[top:bottom, left:end])
    return top, bottom, left, end
"""
"""The functions of products that kernels see; `language` says what they do."""


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


def multiply(multiplications: int, kernel: "Kernel", *args: Any, times: int = 1) -> Any:
    """Run a kernel of ``times`` matrix products with so many multiplications each, on the pool where that pays."""
    pays = multiplications * times >= WORTH_THREADS
    if multiplications <= WAKES_THREADS:
        return kernel.on_pool(*args) if pays else kernel.serially(*args)
    threads = _threads()
    if threads is None:
        return kernel.serially(*args)
    _alone.begin(*threads)
    try:
        return kernel.on_pool(*args) if pays else kernel.serially(*args)
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


class on_one_thread:  # noqa: N801 (a context, used like a function)
    """The BLAS multiplies on the calling thread until the block ends."""

    def __enter__(self) -> None:
        self.threads = _threads()
        if self.threads is not None:
            _alone.begin(*self.threads)

    def __exit__(self, *exc: object) -> None:
        if self.threads is not None:
            _alone.end(self.threads[1])
