"""How an elementwise operation comes by its loop: its formula is printed and compiled, or run by numpy for a while."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import bool_
from ..kernels.exact import interpret
from ..kernels.printer import Argument, is_printable
from ..kernels.quiet import quiet
from ..kernels.symbol import Symbol
from ..kernels.ufuncs import compile_formula

__all__ = ["Loop", "NumpyFirst", "without_warnings"]

NUMPY_CALLS = 64
"""For this many calls numpy runs an exactly rounded formula: a script of a few lines never waits for a compiler."""

LARGE = 2048
"""Every so many elements of its result a call counts once more."""


class Loop:
    """The printed kernel of an operation for a dtype, made when called."""

    def __init__(self, op: Any, dtype: np.dtype) -> None:
        self.op, self.dtype = op, dtype
        self.out = bool_ if op.result == "bool" else dtype
        self.root = Symbol.apply(op.name, *map(Symbol.input, op.inputs))

    def possible(self) -> bool:
        return is_printable([self.root])

    def __call__(self) -> Callable:
        op = self.op
        arguments = [
            Argument(name, bool_ if i in op.conditions else self.dtype, i in op.numbers | op.either, i in op.either)
            for i, name in enumerate(op.inputs)
        ]
        return compile_formula(op.name, arguments, [self.root], [self.out], self.dtype)

    def by_numpy(self) -> Callable | None:
        return interpret(self.op.inputs, self.root, self.out, self.dtype)


def without_warnings(ufunc: Callable, dtype: np.dtype) -> Callable:
    """The ufunc without numpy's warnings about infinities and NaN, which are results like others here."""

    def call(*args: Any) -> Any:
        out = quiet.run(ufunc, *args)
        return out if out.dtype == dtype else out.astype(dtype)

    return call


class NumpyFirst:
    """The formula run by numpy for the first calls, then the compiled loop: they agree to the last bit."""

    def __init__(self, op: Any, dtype: np.dtype, by_numpy: Callable, compile_loop: Callable) -> None:
        self.op, self.dtype, self.compile_loop = op, dtype, compile_loop
        self.calls = 0
        self.by_numpy = by_numpy

    def __call__(self, *args: Any) -> Any:
        out = self.by_numpy(*args)
        # A large result alone is worth a compiled loop: numpy passes over memory once for each operation.
        self.calls += 1 + out.size // LARGE
        if self.calls > NUMPY_CALLS:
            self.op.kernels[self.dtype] = self.compile_loop()
        return out
