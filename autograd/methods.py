"""The page that binds operators and methods to Tensor. What is a function here is a method there."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import backprop, filled, sampling
from .door import NO_ATTRS, apply
from .inplace import detach_, in_another_shape, in_place, overwrite, setitem
from .kernels.broadcast import may_pay
from .ops import (
    convert,
    diagonal,
    distance,
    elementwise,
    flip,
    gather,
    grid,
    index,
    linalg,
    reduce,
    repeat,
    scan,
    scatter,
    search,
    shape,
    softmax,
    sort,
    split,
    statistics,
    strided,
    write,
)  # fmt: skip
from .ops.formula import Elementwise, constant
from .tensor import Tensor

ROOMS = (
    elementwise, reduce, shape, split, strided, diagonal, flip, repeat, grid, index, gather, scatter, write, linalg,
    softmax, scan, search, sort, statistics, distance, convert, sampling,
)  # fmt: skip
"""Where the functions live. One whose first parameter is called ``input`` is a method too, as in PyTorch."""

OPERATORS = {
    "add": elementwise.add, "sub": elementwise.sub, "mul": elementwise.mul, "truediv": elementwise.div,
    "floordiv": elementwise.floor_divide, "mod": elementwise.remainder, "pow": elementwise.pow,
    "matmul": linalg.matmul, "and": elementwise.bitwise_and, "or": elementwise.bitwise_or,
    "xor": elementwise.bitwise_xor, "lshift": elementwise.bitwise_left_shift,
    "rshift": elementwise.bitwise_right_shift,
}  # fmt: skip
ALSO_IN_PLACE = {
    elementwise: (
        "clamp", "clip", "eq", "ge", "gt", "le", "logical_and", "logical_not", "logical_or",
        "logical_xor", "lt", "ne", "pow",
    ),
    scan: ("cumprod", "cumsum"), distance: ("renorm",), diagonal: ("tril", "triu"), index: ("index_put",),
    scatter: ("scatter", "scatter_add", "scatter_reduce"),
    write: ("index_add", "index_copy", "index_fill", "masked_fill", "masked_scatter"),
}  # fmt: skip
"""What has a form in place beside the elementwise operations that keep their dtype."""
IN_ANOTHER_SHAPE = {
    shape: ("squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"), strided: ("as_strided",),
}  # fmt: skip
"""What changes the shape of the tensor itself in its form in place."""
COMPARISONS = {name: getattr(elementwise, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")}


def _operator(function: Callable, swapped: bool = False) -> Callable:
    """A method for an operator: what is no tensor, array or number is left to the other operand."""

    def method(self: Tensor, other: Any) -> Any:
        kind = type(other)
        if kind is not Tensor and kind is not float and kind is not int:
            other = _as_operand(other)
            if other is NotImplemented:
                return other
        return function(other, self) if swapped else function(self, other)

    return method


def _elementwise_operator(op: Elementwise, swapped: bool = False) -> Callable:
    """`_operator` for an operation on each element. What programs write most, a floating tensor with a number or with
    another one like it, takes the short way to the door.
    """
    slow, kernels = _operator(op, swapped), op.kernels

    def method(self: Tensor, other: Any) -> Any:
        array, kind = self.array, type(other)
        dtype = array.dtype
        kernel = kernels.get(dtype)
        if kernel is not None and dtype.kind == "f":
            if kind is float or kind is int:
                if other:  # 0.0 and -0.0 are one key
                    number = constant(other, dtype)
                    return apply(op, (number, self) if swapped else (self, number), NO_ATTRS, kernel)
            elif kind is Tensor:
                second = other.array
                if second.dtype is dtype and not may_pay(array, second):
                    try:
                        return apply(op, (other, self) if swapped else (self, other), NO_ATTRS, kernel)
                    except ValueError:  # the shapes do not broadcast, which the slow way says better
                        pass
        return slow(self, other)

    return method


def _as_operand(other: Any) -> Any:
    if type(other) is np.float64:
        return float(other)  # it is a Python float
    if isinstance(other, (np.ndarray, np.generic)):
        return Tensor(np.asarray(other))
    return other if isinstance(other, (Tensor, bool, int, float)) else NotImplemented


def fill_(self: Tensor, value: Any) -> Tensor:
    """Every element set to ``value``."""
    return overwrite(self, value, "fill_")


def zero_(self: Tensor) -> Tensor:
    """Every element set to 0."""
    return overwrite(self, 0, "zero_")


def copy_(self: Tensor, src: Tensor) -> Tensor:
    """The values of ``src``, broadcast and converted, with its history."""
    return overwrite(self, src, "copy_")


def _matrix_transpose(self: Tensor) -> Tensor:
    """The matrices in the last two axes transposed."""
    if self.ndim < 2:
        raise RuntimeError(f"mT: a matrix or a stack of them; got shape {self.shape}; use unsqueeze() first")
    return shape.transpose(self, -2, -1)


def _invert(self: Tensor) -> Tensor:
    """Every bit, or truth value, the other way."""
    if self.dtype.kind == "f":
        raise TypeError(f"~: bool or integer tensors are needed; got {self.dtype}")
    return elementwise.bitwise_not(self)


def _float_power_(self: Tensor, exponent: Any) -> Tensor:
    """`float_power` in place, of a tensor that can hold it."""
    if self.dtype != "float64":
        raise RuntimeError(f"float_power_: the result is float64; got a tensor of {self.dtype}; use float_power()")
    return in_place(elementwise.float_power, "float_power_")(self, exponent)


def _first_parameter(function: Any) -> str | None:
    """Its name, as `inspect.signature` has it after ten times as long."""
    if hasattr(function, "__signature__"):
        return next(iter(function.__signature__.parameters), None)
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_varnames[0] if code is not None and code.co_argcount else None


def _set(name: str, method: Any) -> None:
    setattr(Tensor, name, method)


def bind() -> None:
    """Put everything on Tensor; called once, when the package is imported."""
    for room in ROOMS:
        for name in room.__all__:
            function = getattr(room, name)
            if callable(function) and _first_parameter(function) == "input":
                _set(name, function if inspect.isfunction(function) else _method(function))
                if isinstance(function, Elementwise) and function.result != "bool":
                    _set(f"{name}_", in_place(function, f"{name}_"))
    for room, names in ALSO_IN_PLACE.items():
        for name in names:
            _set(f"{name}_", in_place(getattr(room, name), f"{name}_"))
    for room, names in IN_ANOTHER_SHAPE.items():
        for name in names:
            _set(f"{name}_", in_another_shape(getattr(room, name), f"{name}_"))
    for name in ("addmm", "addmv", "addr", "addbmm", "baddbmm"):
        _set(f"{name}_", in_place(getattr(linalg, name), f"{name}_"))
    for name, function in OPERATORS.items():
        operator = _elementwise_operator if isinstance(function, Elementwise) else _operator
        _set(f"__{name}__", operator(function))
        _set(f"__r{name}__", operator(function, swapped=True))
    for name, function in COMPARISONS.items():
        _set(f"__{name}__", _elementwise_operator(function))
    for name in OPERATORS.keys() - {"matmul"}:
        _set(f"__i{name}__", in_place(OPERATORS[name], f"__i{name}__"))
    for function in (fill_, zero_, copy_, detach_):
        _set(function.__name__, function)
    for name, function in {**convert.METHODS, **filled.METHODS, **sampling.METHODS}.items():
        _set(name, function)
    _set("where", lambda self, condition, other: elementwise.where(condition, self, other))
    for name, bound in (("polygamma", _method), ("polygamma_", partial(in_place, name="polygamma_"))):
        _set(name, bound(lambda self, n: elementwise.polygamma(n, self)))
    _set("__neg__", _method(elementwise.neg))
    _set("__abs__", _method(elementwise.abs))
    _set("__invert__", _invert)
    _set("float_power_", _float_power_)
    _set("__pos__", _method(elementwise.positive))
    _set("backward", backprop.backward)
    _set("__getitem__", index.getitem)
    _set("__setitem__", setitem)
    _set("dim", lambda self: self.array.ndim)
    _set("nelement", lambda self: self.array.size)
    _set("storage_offset", lambda self: strided.element_offset(self.array))
    _set("element_size", lambda self: self.array.itemsize)
    _set("data_ptr", lambda self: self.array.ctypes.data)
    _set("T", property(shape.reverse))
    _set("mT", property(_matrix_transpose))
    _set("nbytes", property(lambda self: self.array.nbytes))
    _set("itemsize", property(lambda self: self.array.itemsize))


def _method(function: Callable) -> Callable:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__doc__ = function.__doc__
    method.__name__ = getattr(function, "__name__", "method")
    return method


bind()
