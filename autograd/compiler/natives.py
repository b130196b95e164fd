"""Operations that become steps a program knows: formulas, sums, matrix products, copies.

All others are what their hand-written kernels are, or an ordinary call.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..door import apply
from ..kernels.hand import FLOATS
from ..kernels.printer import is_printable
from ..kernels.symbol import Symbol
from ..ops.formula import Elementwise
from ..ops.op import registry
from ..ops.shape import broadcast_axes
from ..tensor import Tensor
from .program import Copy, Formula, Product, Ref, Sum

__all__ = ["NATIVES", "in_numpy", "note_formula"]

_BOOL = np.dtype(bool)
_ADD: Any = registry["add"]


def note_formula(tracer: Any, op: Elementwise, arrays: list, out: np.ndarray) -> bool:
    """A step for an elementwise operation in one floating dtype, or on truth values alone."""
    values = [a for i, a in enumerate(arrays) if i not in op.conditions and isinstance(a, np.ndarray)]
    dtypes = {a.dtype for a in values}
    if len(dtypes) != 1 or not is_printable([Symbol.apply(op.name, *map(Symbol.input, op.inputs))]):
        return False
    (dtype,) = dtypes
    if dtype not in (*FLOATS, _BOOL) or out.dtype not in (dtype, _BOOL):
        return False
    operands = [tracer.operand(a) for a in arrays]
    target = tracer.made(out)
    reads = [r for r in operands if isinstance(r, Ref)]
    tracer.add(Formula(op, operands, target, dtype, reads=reads, writes=[target]))
    return True


# --- sums ------------------------------------------------------------------------------------------------------------


def _note_sum(tracer: Any, x: np.ndarray, out: np.ndarray, axes: tuple[int, ...], scale: float = 1.0) -> bool:
    if all(x.shape[axis] == 1 for axis in axes):  # each element is its own sum
        alone = np.squeeze(x, axes)
        return scale == 1 and _copied(tracer, None, [alone], {}, out.reshape(alone.shape))
    first, last = tuple(range(len(axes))), tuple(range(x.ndim - len(axes), x.ndim))
    if x.dtype not in FLOATS or not x.size or tuple(sorted(axes)) not in (first, last):
        return False
    source, target = tracer.ref(x), tracer.made(out)
    tracer.add(Sum(source, target, tuple(sorted(axes)), scale, reads=[source], writes=[target]))
    return True


def _sum(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    return _note_sum(tracer, arrays[0], out, attrs["dim"])


def _mean(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    return bool(attrs["count"]) and _note_sum(tracer, arrays[0], out, attrs["dim"], 1 / attrs["count"])


def _sum_to(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    return _note_sum(tracer, arrays[0], out, broadcast_axes(attrs["to"], arrays[0].shape))


# --- products --------------------------------------------------------------------------------------------------------


def _note_product(tracer: Any, a: Ref, b: Ref, out: Ref) -> None:
    tracer.add(Product(a, b, out, reads=[a, b], writes=[out]))


def _matmul(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    a, b = arrays
    if min(a.ndim, b.ndim) < 2 or a.dtype not in FLOATS or not (a.size and b.size):
        return False
    # Stacks of matrices broadcast: a stride of 0 repeats a matrix.
    a, b = (np.broadcast_to(x, (*out.shape[:-2], *x.shape[-2:])) for x in (a, b))
    _note_product(tracer, tracer.ref(a), tracer.ref(b), tracer.made(out))
    return True


def _linear(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    x, weight, bias = arrays
    if x.dtype not in FLOATS or not (x.size and weight.size) or weight.ndim != 2 or not x.flags.c_contiguous:
        return False
    rows = x.reshape(-1, x.shape[-1])
    product = tracer.temporary((rows.shape[0], weight.shape[0]), out.dtype)
    _note_product(tracer, tracer.ref(rows), tracer.ref(weight.T), product)
    target = tracer.made(out)
    flat = Ref(target.memory, target.offset, product.shape, product.strides, target.dtype)
    operands = [product, tracer.operand(bias)]
    tracer.add(Formula(_ADD, operands, flat, out.dtype, reads=operands, writes=[flat]))
    return True


# --- copies ----------------------------------------------------------------------------------------------------------


def _copied(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    """Another dtype, or the same elements in memory of their own."""
    tracer.copy(arrays[0], out)
    return True


def _reshape(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    """A reshape that could not be a view: the elements in row-major order."""
    x = arrays[0]
    target = tracer.made(out)
    strides = np.empty(x.shape, np.uint8).strides
    source, seen = tracer.operand(x), Ref(target.memory, target.offset, x.shape, strides, target.dtype)
    tracer.add(Copy(source, seen, reads=[source] if isinstance(source, Ref) else [], writes=[seen]))
    return True


def _ungetitem(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    tracer.copy(0, out)
    tracer.copy(arrays[0], out[attrs["key"]])
    return True


def _getitem(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    """One element, which numpy copies: with an ellipsis the same key gives a view of it."""
    if out.ndim:
        return False
    tracer.copy(arrays[0][(*attrs["key"], ...)], out)
    return True


def _nothing(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    tracer.copy(0, out)
    return True


def _overwrite(tracer: Any, op: Any, arrays: list, attrs: dict, out: np.ndarray) -> bool:
    value = arrays[1]
    tracer.copy(np.broadcast_to(value, out.shape) if value.ndim else value, out)
    return True


NATIVES: dict[str, Callable] = {
    "sum": _sum, "mean": _mean, "sum_to": _sum_to,
    "matmul": _matmul, "linear": _linear,
    "cast": _copied, "clone": _copied, "reshape": _reshape, "getitem": _getitem, "ungetitem": _ungetitem,
    "nothing": _nothing, "overwrite": _overwrite,
}  # fmt: skip
"""By name of the operation: a function that notes its steps, or answers False if it can't for these inputs."""


# --- while they are watched ------------------------------------------------------------------------------------------

_IN_NUMPY: dict[str, Callable] = {
    "matmul": np.matmul,
    "linear": lambda x, weight, bias: x @ weight.T + bias,
    "sum": lambda x, dim, keepdim: np.add.reduce(x, axis=dim, keepdims=keepdim),
    "sum_to": lambda x, to: np.add.reduce(x, axis=broadcast_axes(to, x.shape)).reshape(to),
}
"""Kernels that would run once, while a function is watched, and take a second to compile."""


def in_numpy(op: Any, inputs: Sequence, arrays: Sequence, attrs: dict) -> Tensor | None:
    """What the operation returns, and records, computed by numpy; None if it has no form in numpy."""
    function = _IN_NUMPY.get(op.name)
    if function is None or any(a.dtype not in FLOATS for a in arrays):
        return None
    return apply(op, inputs, attrs, functools.partial(function, **attrs))
