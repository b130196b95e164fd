"""Kernels that change arrays in place: one pass over the memory of a parameter, its gradient and its state.

What a formula makes of its numbers alone, ``1 - beta2**t`` say, is a function of its own: it is called once for all
parameters and computes in double precision; the loops see its results in their own number type. (In float32 already
``1 - 0.999`` is off by a hundred units.)

The loops are functions on flat arrays, not ufuncs: a ufunc reads and writes through different pointers to the same
memory, which LLVM takes for a dependence, so its loop runs one number at a time (Adam on a million weights: 3.1 ms,
here 0.2), and a call with a dozen operands costs it 1.4 us, here 0.4.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from . import threads
from .loader import load
from .printer import expand, print_function, print_helpers, print_prologue
from .symbol import Symbol, topological

__all__ = ["UpdateKernel"]


class UpdateKernel:
    """What stores ``outputs``, formulas of ``arrays`` and ``numbers``, in the ``written`` arrays."""

    def __init__(
        self,
        name: str,
        arrays: Sequence[str],
        numbers: Sequence[str],
        outputs: Sequence[Symbol],
        written: Sequence[str],
    ) -> None:
        self.name = name
        self.arrays = arrays
        self.numbers = numbers
        self.written = written
        self._results, self._prepared = _split(expand(outputs), arrays)
        # What is read was last used a step ago, and comes from far: it counts twice.
        self.many = threads.elements(2 * len(arrays))

    def text_of_numbers(self) -> str:
        """The text of a function ``prepare`` that makes of the numbers the tuple of those that the loop takes."""
        dtype, scalars = np.dtype(np.float64), self._prepared
        text = [print_prologue(dtype), print_helpers([s.op for s in topological(scalars)], dtype)]
        if scalars:
            text.append(print_function("compute", self.numbers, _with_plain_literals(scalars)))
        # Arrays and numbers are prefixed, so that they may be called anything.
        given = ", ".join(f"c_{n}" for n in self.numbers)
        text.append(f"\n\n@njit(cache=True, **EXACT)\ndef prepare({given}):\n")
        results = f"compute({given})" if scalars else "()"
        text.append(f"    return ({results},)\n" if len(scalars) == 1 else f"    return {results}\n")
        return "".join(text)

    def text(self, dtype: np.dtype, parallel: bool = False) -> str:
        """The text of a function, by the name of this, of flat arrays of ``dtype`` and what ``prepare`` returns."""
        prepared = [f"n{i}" for i in range(len(self._prepared))]
        used = [s.op for s in topological(self._results)]
        formula = print_function("formula", [*self.arrays, *prepared], self._results)
        signature = ", ".join([*(f"a_{a}" for a in self.arrays), *prepared])
        text = [print_prologue(dtype), print_helpers(used, dtype), formula]
        text.append(f"\n\n@njit(cache=True{threads.options(parallel)}, **EXACT)\ndef {self.name}({signature}):\n")
        first, *others = [f"a_{a}.size" for a in self.arrays]
        if others:
            differ = " or ".join(f"{other} != {first}" for other in others)
            text.append(f'    if {differ}:\n        raise ValueError("sizes differ")\n')
        shared = " or ".join(f"a_{a}.strides[0] == 0" for a in self.written)
        text.append(f'    if {first} > 1 and ({shared}):\n        raise ValueError("elements share memory")\n')
        text.extend(f"    s_{n} = F({n})\n" for n in prepared)
        places = ", ".join(f"a_{a}[i]" for a in self.written)
        operands = ", ".join([*(f"a_{a}[i]" for a in self.arrays), *(f"s_{n}" for n in prepared)])
        text.append(f"    for i in prange({first}):\n        {places} = formula({operands})\n")
        return "".join(text)

    @functools.cached_property
    def prepare(self) -> Callable[..., tuple]:
        """What makes of the numbers those that the loop takes."""
        return load(f"{self.name}_numbers", self.text_of_numbers()).prepare

    def loops(self, dtype: np.dtype) -> tuple[Callable, Callable]:
        """The loop over arrays of ``dtype``: for the calling thread, and on the pool."""

        @functools.cache
        def compiled(parallel: bool) -> Callable:
            return getattr(load(self.name, self.text(dtype, parallel)), self.name)

        return compiled(False), functools.partial(threads.run, compiled, True)


def _split(roots: Sequence[Symbol], arrays: Sequence[str]) -> tuple[list[Symbol], list[Symbol]]:
    """The roots with what they compute from numbers alone made inputs n0, n1, ..., and those computations."""
    order = topological(roots)
    varies: set[Symbol] = set()
    for symbol in order:
        if (symbol.op == "input" and symbol.args[0] in arrays) or not varies.isdisjoint(symbol.operands):
            varies.add(symbol)
    scalars: dict[Symbol, Symbol] = {}

    def argument(symbol: Symbol) -> Symbol:
        if symbol in varies:
            return new[symbol]
        if symbol.op == "constant":
            return symbol
        return scalars.setdefault(symbol, Symbol.input(f"n{len(scalars)}"))

    new: dict[Symbol, Symbol] = {}
    for symbol in order:
        if symbol in varies:
            op, operands = symbol.op, symbol.operands
            if op == "div" and operands[1] not in varies:  # a product takes a tenth of the time
                op, operands = "mul", (operands[0], 1.0 / operands[1])
            new[symbol] = Symbol(op, tuple(map(argument, operands))) if operands else symbol
    return [argument(root) for root in roots], list(scalars)


def _with_plain_literals(roots: Sequence[Symbol]) -> list[Symbol]:
    """The same values with constants printed as they stand, in double precision, not in the number type of the loop."""
    new: dict[Symbol, Symbol] = {}
    for symbol in topological(roots):
        if symbol.op == "constant":
            new[symbol] = Symbol.input(repr(symbol.args[0]))
        else:
            new[symbol] = Symbol(symbol.op, tuple(new[a] for a in symbol.operands)) if symbol.operands else symbol
    return [new[root] for root in roots]
