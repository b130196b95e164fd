"""A compiled loop -> a numpy ufunc, through numpy's public C interface.

A ufunc call costs 0.3 us with its output allocated, and numpy brings broadcasting, strides, ``out=`` and overlap; our
loop only has to be fast over one axis. ``PyUFunc_FromFuncAndData`` is reached through ctypes, so nothing is built.
"""

import ctypes
import functools
from collections.abc import Callable, Sequence

import numpy as np

from . import broadcast, threads
from .loader import load
from .printer import Argument, print_loop
from .share import loop_address
from .symbol import Symbol

__all__ = ["compile_formula", "make_ufunc"]

# numpy keeps pointers into these for as long as a ufunc lives, and kernels live as long as the process.
_kept_alive: list[tuple] = []

_FROM_FUNC_AND_DATA = 1  # the place of PyUFunc_FromFuncAndData in numpy's table of functions
_NO_IDENTITY = -1


@functools.cache
def _from_func_and_data() -> Callable:
    from numpy._core._multiarray_umath import _UFUNC_API

    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = ctypes.cast(pointer(_UFUNC_API, None), ctypes.POINTER(ctypes.c_void_p))
    loops, loop_data, types = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
    counts = [ctypes.c_int] * 4  # of loops, inputs, outputs; the identity
    text = ctypes.c_char_p
    prototype = ctypes.PYFUNCTYPE(ctypes.py_object, loops, loop_data, types, *counts, text, text, ctypes.c_int)
    return prototype(table[_FROM_FUNC_AND_DATA])


def make_ufunc(name: str, address: int, inputs: Sequence[np.dtype], outputs: Sequence[np.dtype]) -> np.ufunc:
    """The ufunc that runs the inner loop at ``address`` on arguments of exactly these dtypes."""
    arguments = len(inputs) + len(outputs)
    told = (ctypes.c_ssize_t * 3)(address, arguments, ctypes.addressof(threads.state))
    loops = (ctypes.c_void_p * 1)(loop_address())
    data = (ctypes.c_void_p * 1)(ctypes.addressof(told))
    types = ctypes.create_string_buffer(bytes(dtype.num for dtype in (*inputs, *outputs)))
    title = name.encode()
    _kept_alive.append((told, loops, data, types, title))
    at = ctypes.addressof
    return _from_func_and_data()(
        at(loops), at(data), at(types), 1, len(inputs), len(outputs), _NO_IDENTITY, title, b"", 0
    )


def compile_formula(
    name: str, inputs: Sequence[Argument], outputs: Sequence[Symbol], dtypes: Sequence[np.dtype], dtype: np.dtype
) -> np.ufunc:
    """The ufunc that computes these Symbols; ``dtypes`` are those of the outputs, ``dtype`` that of the arithmetic."""
    module = load(name, print_loop(name, inputs, outputs, dtypes, dtype))
    address = getattr(module, name).address
    ufunc = make_ufunc(name, address, [a.dtype for a in inputs], dtypes)
    if len(dtypes) == 1:
        broadcast.register(ufunc, address, dtypes[0])
    return ufunc
