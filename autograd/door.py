"""The one door every operation goes through: `apply` runs it on arrays and records it in the graph."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from .graph import Node, Slot
from .modes import intercept, intercepting, state
from .tensor import Tensor, View

__all__ = ["NO_ATTRS", "Kept", "apply", "intercepted", "note_view"]

NO_ATTRS: dict[str, Any] = {}


class Kept(NamedTuple):
    """What a forward returns that keeps a value besides its output for the backward written by hand."""

    output: np.ndarray | tuple[np.ndarray, ...]
    value: Any


def apply(op: Any, inputs: Sequence, attrs: dict = NO_ATTRS, kernel: Callable | None = None) -> Any:
    """Run ``op`` on its inputs (tensors, and arrays as constants) and record it if an input needs a gradient.

    ``kernel`` computes the output when the caller has already chosen the one for the dtype.
    """
    if intercepting and state.interceptors:
        return intercepted(op, inputs, attrs)
    values: list[Any] = []
    edges: list[Any] = []  # where the gradient of each input goes, if it needs one
    needs, bit = 0, 1  # a bit for each input
    for x in inputs:
        if isinstance(x, Tensor):
            if x._view is not None:
                x._refresh()
            values.append(x.array)
            if x._requires_grad:
                edges.append(x.node or x)
                needs += bit
            else:
                edges.append(None)
        else:
            values.append(x)
            edges.append(None)
        bit += bit
    out = kernel(*values) if kernel is not None else op.forward(*values, **attrs)
    kept = None
    if type(out) is not ndarray:
        if type(out) is Kept:
            out, kept = out
        if type(out) is tuple:
            return _several(op, edges, needs and needs + bit, values, attrs, out, kept)
        if type(out) is not ndarray:
            out = np.asarray(out)  # a ufunc turns 0-d arrays into numpy's scalars
    result = Tensor(out)
    if needs and state.recording and out.dtype.kind == "f":
        values.append(out)
        if kept is not None:
            values.append(kept)
        result.node = Node(op, edges, op.keep(values, needs + bit), attrs, out.shape)
        result._requires_grad = True
    if op.views and out.base is not None:
        note_view(op, inputs[0], attrs, result)
    return result


def intercepted(op: Any, inputs: Sequence, attrs: dict) -> Any:
    """What the innermost interceptor makes of an operation; it is on its own while it does that."""
    *outer, innermost = state.interceptors
    with intercept(tuple(outer)):
        return innermost(op, inputs, attrs)


def note_view(op: Any, parent: Any, attrs: dict, result: Tensor) -> None:
    """Remember that the result shares the memory of its input: a write to one of them is a write to both."""
    array = result.array
    if isinstance(parent, Tensor) and (array.base is parent.array or array.base is parent.array.base):
        above = parent._view
        if above is None:
            result._view = View(parent, ((op, attrs),))
        else:
            result._view = View(above.root(), (*above.path, (op, attrs)))


def _several(op: Any, edges: list, needs: int, values: list, attrs: dict, outs: tuple, kept: Any) -> tuple:
    """The tensors of an operation with several outputs: each gets a Slot of the operation's node."""
    results = tuple([Tensor(out if type(out) is ndarray else np.asarray(out)) for out in outs])
    if needs and state.recording:
        values.append(outs)
        if kept is not None:
            values.append(kept)
        node = Node(op, edges, op.keep(values, needs), attrs, tuple([result.array.shape for result in results]))
        for i, result in enumerate(results):
            if result.array.dtype.kind == "f":
                result.node = Slot.of(node, i)
                result._requires_grad = True
    return results
