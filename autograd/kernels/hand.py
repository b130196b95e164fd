"""Hand-written kernels: loops over arrays that no formula says, such as a softmax along rows.

`kernel` takes the text of a function, puts the printer's prologue and the scalar functions it uses in front of it, and
compiles that for a dtype when an array of the dtype first comes along. So hand kernels and printed ones share one
loader, one cache and one set of scalar functions.
"""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from . import blas, scalar
from .loader import load
from .printer import print_helpers, print_prologue

__all__ = ["Kernel", "kernel"]

# Sums may be reordered, which is what lets them vectorise; NaN, infinities and the order of a formula stay.
_DECORATOR = '\n\n@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})\n'


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

    def text(self, dtype: np.dtype) -> str:
        """The kernel as it is compiled."""
        source = textwrap.dedent(inspect.getsource(self.function))
        source = source[source.index("def ") :]
        helpers = [name for name in self.function.__code__.co_names if name in scalar.FUNCTIONS]
        return print_prologue(dtype) + print_helpers(helpers, dtype) + _DECORATOR + source

    def _compile(self, dtype: np.dtype) -> Callable:
        if "dot" in self.function.__code__.co_names:
            blas.prepare()
        compiled = getattr(load(self.name, self.text(dtype)), self.name)
        self._compiled[dtype] = compiled
        return compiled


def kernel(function: Callable) -> Kernel:
    """Make the decorated function a kernel; its names beyond its own are those of `language` and numpy."""
    return Kernel(function)
