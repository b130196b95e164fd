"""Formulas run by numpy, operation by operation. Where every operation rounds exactly (arithmetic, comparisons, a
choice between two values) the result is that of the compiled loop to the last bit, so the first calls of such a
formula need no compiler: a script of a few lines never waits for one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .printer import expand
from .symbol import Symbol, topological

__all__ = ["interpret"]

UFUNCS: dict[str, Callable] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "neg": np.negative, "abs": np.abs,
    "sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "round": np.rint, "copysign": np.copysign,
    "fmod": np.fmod,
    "maximum": np.maximum, "minimum": np.minimum, "where": np.where,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_not": np.logical_not,
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.invert,
}  # fmt: skip
"""numpy's function for each operation that both round exactly."""


def interpret(inputs: Sequence[str], output: Symbol, result: np.dtype, dtype: np.dtype) -> Callable | None:
    """The formula as a function of arrays in ``dtype``, giving ``result``; None if an operation is not exact."""
    (root,) = expand([output])
    order = [s for s in topological([root]) if s.op != "input"]
    if any(s.op not in UFUNCS and s.op != "constant" for s in order):
        return None
    names = {s: s.args[0] for s in topological([root]) if s.op == "input"}
    constants = {s: np.array(s.args[0]).astype(dtype) for s in order if s.op == "constant"}
    steps = [(s, UFUNCS[s.op], s.operands) for s in order if s.op != "constant"]

    def run(*arrays: np.ndarray) -> Any:
        given = dict(zip(inputs, arrays, strict=True))
        values: dict[Symbol, Any] = {s: given[name] for s, name in names.items()}
        values.update(constants)
        with np.errstate(all="ignore"):
            for symbol, function, operands in steps:
                values[symbol] = function(*(values[a] for a in operands))
        out = np.asarray(values[root], result)
        # A formula that ignores an input still has the shape of all of them, and never their memory.
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        return out if steps and out.shape == shape else np.broadcast_to(out, shape).copy()

    return run
