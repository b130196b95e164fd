"""Whether denormal numbers count as zero: a mode of the processor that each thread has for itself."""

import platform
from typing import Any

from . import threads
from .loader import load
from .parts import import_of

__all__ = ["set_flush_denormal"]

_MACHINES = ("x86_64", "AMD64", "aarch64", "arm64")

_ALONE = """from numba import cfunc, types


@cfunc(types.void(types.boolean, types.intp), cache=True)
def set_mode(flush, parts):
    flush_denormals(flush)
"""

_POOL = f"""from numba import cfunc, njit, prange, types

set_num_threads = types.ExternalFunction("set_num_threads", types.void(types.int32))
get_num_threads = types.ExternalFunction("get_num_threads", types.int32())


@njit({threads.OPTIONS})
def set_each(flush, parts):
    for part in prange(parts):
        flush_denormals(flush)


@cfunc(types.void(types.boolean, types.intp), cache=True)
def set_mode(flush, parts):
    before = get_num_threads()
    set_num_threads(parts)
    set_each(flush, parts)
    set_num_threads(before)
"""


def set_flush_denormal(mode: bool) -> bool:
    """Take denormal numbers for zero from now on, in results and in operands, or compute with them again.

    Denormal are the numbers nearest to zero, below 1.2e-38 in float32 and 2.2e-308 in float64. Gradients that fade out
    and moments of an optimizer that decay become such numbers, and an Intel processor takes about 150 cycles for an
    operation on them: a training step may take twice as long. The mode holds for the calling thread, whatever computes
    on it (numpy too), and for the threads that it shares large operations with, as in PyTorch.

    Returns whether this processor has the mode: those of x86-64 and AArch64 have.

    >>> import autograd
    >>> autograd.set_flush_denormal(True)
    True
    >>> autograd.tensor([1e-40]) * 2
    tensor([0.])
    >>> autograd.set_flush_denormal(False)
    True
    >>> autograd.tensor([1e-40]) * 2
    tensor([2.0000e-40])
    """
    if not isinstance(mode, bool):
        raise TypeError(f"set_flush_denormal: the mode is a bool; got {type(mode).__name__}")
    if platform.machine() not in _MACHINES:
        return False
    size = threads.pool_size()
    text = import_of("float_mode", ["flush_denormals"]) + (_POOL if size > 1 else _ALONE)
    setter: Any = load("denormals", text).set_mode
    setter.ctypes(mode, size)
    return True
