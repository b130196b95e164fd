"""Number types and their promotion. A dtype is numpy's; how two of them combine is PyTorch's.

PyTorch ranks what takes part: tensors with axes, then 0-d tensors, then Python numbers. A lower rank changes the
result only by a higher category (bool < integer < float), so ``float32 * 2.5`` and ``float32 * float64_scalar_tensor``
stay float32, and an integer tensor times 2.5 becomes the default dtype.
(https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc)
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "bool_", "can_cast", "default_dtype", "finfo", "float16", "float32", "float64", "get_default_dtype", "iinfo",
    "int8", "int16", "int32", "int64", "is_float", "promote", "promote_types", "result_type", "set_default_dtype",
    "to_dtype", "uint8",
]  # fmt: skip

bool_ = np.dtype("bool")
uint8, int8, int16, int32, int64 = map(np.dtype, ("uint8", "int8", "int16", "int32", "int64"))
float16, float32, float64 = map(np.dtype, ("float16", "float32", "float64"))

SUPPORTED = (bool_, uint8, int8, int16, int32, int64, float16, float32, float64)
_OURS = {dtype: dtype for dtype in SUPPORTED}  # numpy's own objects, so that `is` compares
_default = float32
_PYTHON = {bool: bool_, int: int64, float: None}  # a Python float has the default dtype


def get_default_dtype() -> np.dtype:
    """The dtype of a tensor made from Python floats; float32 unless set."""
    return _default


default_dtype = get_default_dtype


def set_default_dtype(d: npt.DTypeLike) -> None:
    """Make the floating dtype ``d`` that of tensors made from Python floats from now on."""
    global _default
    dtype = to_dtype(d)
    if not is_float(dtype):
        raise TypeError(f"set_default_dtype: the default is a floating dtype; got {dtype}")
    _default = dtype


def to_dtype(dtype: Any) -> np.dtype:
    """The numpy dtype for a dtype, a Python type (float is the default dtype) or a name; TypeError for any other."""
    if isinstance(dtype, np.dtype) and dtype in _OURS:
        return _OURS[dtype]
    if dtype is float:
        return _default
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)  # not None, which numpy takes for float64 where it compares
    if dtype is None or found not in _OURS:
        names = ", ".join(d.name for d in SUPPORTED)
        raise TypeError(f"dtype: not a tensor dtype; got {dtype!r}; one of {names}")
    return _OURS[found]


def is_float(dtype: np.dtype) -> bool:
    """Whether the dtype is float16, float32 or float64: those that can carry a gradient."""
    return dtype.kind == "f"


def category(dtype: np.dtype) -> int:
    """0 for bool, 1 for the integers, 2 for the floats."""
    return {"b": 0, "i": 1, "u": 1, "f": 2}[dtype.kind]


def promote_types(type1: npt.DTypeLike, type2: npt.DTypeLike) -> np.dtype:
    """The smallest dtype that holds both as PyTorch sees it: a float wins over any integer.

    >>> promote_types("int64", "float32")
    dtype('float32')
    """
    a, b = to_dtype(type1), to_dtype(type2)
    if category(a) == 2 and category(b) < 2:
        return a
    if category(b) == 2 and category(a) < 2:
        return b
    return np.promote_types(a, b)


def promote(operands: Iterable) -> np.dtype:
    """The dtype in which an operation on these arrays and Python numbers is computed."""
    ranks: list[np.dtype | None] = [None, None, None]
    for x in operands:
        if isinstance(x, (np.ndarray, np.generic)):
            rank, dtype = (0 if x.ndim else 1), to_dtype(x.dtype)
        else:
            rank, dtype = 2, _PYTHON[type(x)] or _default
        held = ranks[rank]
        ranks[rank] = dtype if held is None else promote_types(held, dtype)
    result: np.dtype | None = None
    for ranked in ranks:
        if result is None:
            result = ranked
        elif ranked is not None and category(ranked) > category(result):
            result = promote_types(result, ranked)
    assert result is not None
    return result


def can_cast(from_: npt.DTypeLike, to: npt.DTypeLike) -> bool:
    """Whether ``from_`` may be written into ``to``: never to a lower category (float -> int, int -> bool)."""
    return category(to_dtype(from_)) <= category(to_dtype(to))


class FloatInfo(NamedTuple):
    """The limits of a floating dtype."""

    bits: int
    resolution: float
    min: float
    max: float
    eps: float
    smallest_normal: float
    tiny: float
    dtype: str


class IntegerInfo(NamedTuple):
    """The limits of an integer dtype."""

    bits: int
    min: int
    max: int
    dtype: str


def finfo(type: npt.DTypeLike | None = None) -> FloatInfo:
    """The limits of a floating dtype, the default one if none is given, as Python's numbers.

    >>> finfo("float32").eps
    1.1920928955078125e-07
    """
    dtype = _default if type is None else to_dtype(type)
    if not is_float(dtype):
        raise TypeError(f"finfo: a floating dtype is needed; got {dtype}; use iinfo()")
    found = np.finfo(dtype)
    low, high, eps, tiny = map(float, (found.min, found.max, found.eps, found.tiny))
    return FloatInfo(found.bits, float(str(found.resolution)), low, high, eps, tiny, tiny, dtype.name)


def iinfo(type: npt.DTypeLike) -> IntegerInfo:
    """The limits of an integer dtype.

    >>> iinfo("int8").max
    127
    """
    dtype = to_dtype(type)
    if category(dtype) != 1:
        raise TypeError(f"iinfo: an integer dtype is needed; got {dtype}")
    found = np.iinfo(dtype)
    return IntegerInfo(found.bits, int(found.min), int(found.max), dtype.name)


def result_type(tensor1: Any, tensor2: Any) -> np.dtype:
    """The dtype of an arithmetic operation on these two, tensors or Python numbers.

    >>> result_type(np.ones(2, np.int32), 1.5)
    dtype('float32')
    """
    return promote([getattr(x, "array", x) for x in (tensor1, tensor2)])
