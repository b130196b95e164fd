"""Hand-written kernels: loops over arrays that no formula says, such as a softmax along rows.

`kernel` takes the text of a function, puts the printer's prologue and the scalar functions it uses in front of it, and
compiles that for a dtype when an array of the dtype first comes along. So hand kernels and printed ones share one
loader, one cache and one set of scalar functions.

An outermost loop whose turns don't depend on each other is written ``for i in prange(n)``. The text is compiled as it
stands, and for large arrays a second time with that loop shared out over the pool of `threads`.
"""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from . import blas, scalar, threads
from .loader import load
from .printer import print_helpers, print_prologue

__all__ = ["Kernel", "kernel"]

# Sums may be reordered, which is what lets them vectorise; NaN, infinities and the order of a formula stay.
_FLAGS = 'cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"}'
# Of what numba can make parallel only the loops that say so; others would be regions of their own. On the pool a kernel
# lets other Python threads run meanwhile.
_PARTS = ("comprehension", "fusion", "inplace_binop", "numpy", "reduction", "setitem", "stencil")
_PARALLEL = f', nogil=True, parallel={{"prange": True, {", ".join(f"{part!r}: False" for part in _PARTS)}}}'


class Kernel:
    """A function on arrays, compiled for the dtype of its first argument."""

    def __init__(self, function: Callable) -> None:
        self.name = function.__name__
        self.__doc__ = function.__doc__
        self.function = function
        self._compiled: dict[np.dtype, Callable] = {}

    def __call__(self, first: np.ndarray, *rest: Any) -> Any:
        compiled = self._compiled.get(first.dtype)
        if compiled is None:
            compiled = self._compile(first.dtype)
        return compiled(first, *rest)

    def text(self, dtype: np.dtype, parallel: bool = False) -> str:
        """The kernel as it is compiled."""
        source = textwrap.dedent(inspect.getsource(self.function))
        source = source[source.index("def ") :]
        helpers = [name for name in self.function.__code__.co_names if name in scalar.FUNCTIONS]
        decorator = f"\n\n@njit({_FLAGS}{_PARALLEL if parallel else ''})\n"
        return print_prologue(dtype) + print_helpers(helpers, dtype) + decorator + source

    def _compile(self, dtype: np.dtype) -> Callable:
        compiled = self._compiled[dtype] = self._load(dtype)
        return compiled

    def _load(self, dtype: np.dtype, parallel: bool = False) -> Callable:
        if "dot" in self.function.__code__.co_names:
            blas.prepare()
        return getattr(load(self.name, self.text(dtype, parallel)), self.name)


class ParallelKernel(Kernel):
    """A kernel with a ``prange``: on the pool where ``work``, a function of its arguments, is at least `threads.GRAIN`.

    By default that is the size of the largest array.
    """

    def __init__(self, function: Callable, work: Callable[..., float] | None = None) -> None:
        super().__init__(function)
        self._is_large: Callable[..., bool] | None = work and (lambda *args: work(*args) >= threads.GRAIN)
        self._parallel: dict[np.dtype, Callable] = {}

    def __call__(self, *args: Any) -> Any:
        dtype = args[0].dtype
        is_large = self._is_large or self._find_arrays(args)
        if threads.count > 1 and is_large(*args) and threads.enter():
            try:
                compiled = self._parallel.get(dtype)
                if compiled is None:
                    compiled = self._parallel[dtype] = self._load(dtype, parallel=True)
                return compiled(*args)
            finally:
                threads.leave()
        compiled = self._compiled.get(dtype)
        if compiled is None:
            compiled = self._compile(dtype)
        return compiled(*args)

    def _find_arrays(self, args: tuple) -> Callable[..., bool]:
        """Whether one of the arrays, which are in the same places in every call, is large."""
        names = self.function.__code__.co_varnames[: len(args)]
        arrays = [name for name, value in zip(names, args, strict=True) if isinstance(value, np.ndarray)]
        large = " or ".join(f"{array}.size >= {threads.GRAIN}" for array in arrays)
        self._is_large = found = eval(f"lambda {', '.join(names)}: {large}")
        return found


def kernel(function: Callable | None = None, *, work: Callable[..., float] | None = None) -> Any:
    """Make the decorated function a kernel; its names beyond its own are those of `language` and numpy. ``work`` tells
    from its arguments how many elements a ``prange`` in it goes through, if that is not the size of the largest array.
    """
    if function is None:
        return lambda function: kernel(function, work=work)
    return ParallelKernel(function, work) if "prange" in function.__code__.co_names else Kernel(function)
