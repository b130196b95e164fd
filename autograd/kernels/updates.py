"""Kernels that change arrays in place: one pass over the memory of a parameter, its gradient and its state.

What a formula makes of its numbers alone, ``1 - beta2**t`` say, is computed once per call and in double precision;
the loop sees the result in its own number type. (In float32 already ``1 - 0.999`` is off by a hundred units.)

These are functions on flat arrays, not ufuncs: a ufunc reads and writes through different pointers to the same memory,
which LLVM takes for a dependence, so its loop runs one number at a time (Adam on a million weights: 3.1 ms, here 0.2),
and a call with a dozen operands costs it 1.4 us, here 0.4.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import threads
from .loader import load
from .printer import expand, print_function, print_helpers, print_prologue
from .symbol import Symbol, topological

__all__ = ["compile_update", "print_update"]


def print_update(
    name: str,
    arrays: Sequence[str],
    numbers: Sequence[str],
    outputs: Sequence[Symbol],
    written: Sequence[str],
    dtype: np.dtype,
    parallel: bool = False,
) -> str:
    """The text of a function of flat ``arrays`` and ``numbers`` that stores ``outputs`` in the ``written`` arrays."""
    results, scalars = _split(expand(outputs), arrays)
    hoisted = [f"n{i}" for i in range(len(scalars))]
    used = [s.op for s in topological([*results, *scalars])]
    text = [print_prologue(dtype), print_helpers(used, dtype), print_function("formula", [*arrays, *hoisted], results)]
    if scalars:
        text.append(print_function("prepare", numbers, _with_plain_literals(scalars)))
    # Arrays and numbers are prefixed, so that an input may be called anything.
    signature = ", ".join([*(f"a_{a}" for a in arrays), *(f"c_{n}" for n in numbers)])
    options = f", {threads.OPTIONS}" if parallel else ""
    text.append(f"\n\n@njit(cache=True{options}, **EXACT)\ndef {name}({signature}):\n")
    first, *others = [f"a_{a}.size" for a in arrays]
    if others:
        differ = " or ".join(f"{other} != {first}" for other in others)
        text.append(f'    if {differ}:\n        raise ValueError("sizes differ")\n')
    if scalars:
        text.append(f"    {', '.join(hoisted)} = prepare({', '.join(f'c_{n}' for n in numbers)})\n")
        text.extend(f"    s_{n} = F({n})\n" for n in hoisted)
    places = ", ".join(f"a_{a}[i]" for a in written)
    operands = ", ".join([*(f"a_{a}[i]" for a in arrays), *(f"s_{n}" for n in hoisted)])
    text.append(f"    for i in prange({first}):\n        {places} = formula({operands})\n")
    return "".join(text)


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


def compile_update(
    name: str,
    arrays: Sequence[str],
    numbers: Sequence[str],
    outputs: Sequence[Symbol],
    written: Sequence[str],
    dtype: np.dtype,
) -> tuple[Callable, Callable]:
    """The function that `print_update` describes, for arrays of ``dtype``: for the calling thread, and on the pool."""

    @functools.cache
    def compiled(parallel: bool) -> Callable:
        return getattr(load(name, print_update(name, arrays, numbers, outputs, written, dtype, parallel)), name)

    def on_pool(*args: Any) -> None:
        if threads.enter():
            try:
                compiled(True)(*args)
            finally:
                threads.leave()
        else:
            compiled(False)(*args)

    return compiled(False), on_pool
