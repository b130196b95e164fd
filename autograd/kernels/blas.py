"""Which BLAS multiplies matrices, and with which instructions.

``np.dot`` in a kernel calls the OpenBLAS that SciPy carries. When it is first loaded it picks code for a processor
family from ``OPENBLAS_CORETYPE``; its own choice on recent AMD processors leaves AVX-512 unused, so the room chooses
before it is loaded. A value the user has set stays, and a SciPy that is loaded already is left alone.
"""

import functools
import os
import sys
from pathlib import Path

__all__ = ["prepare"]

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
