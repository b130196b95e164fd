"""Tensors from nothing: from Python's numbers, filled, spaced, and like another."""

import math
from typing import Any

import numpy as np

from .dtypes import SUPPORTED, float64, get_default_dtype, is_float, to_dtype
from .tensor import Tensor

__all__ = [
    "arange", "as_tensor", "asarray", "check_device", "empty", "empty_like", "eye", "from_numpy", "from_sequence", "full",
    "full_like", "linspace", "logspace", "make", "ones", "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def check_device(op: str, device: Any) -> None:
    """Every tensor is on the CPU; anything else asked for is an error."""
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise RuntimeError(f'{op}: the only device is "cpu"; got {device!r}')


def from_sequence(data: Any) -> np.ndarray:
    """The array of a Python number or nested sequence: floats in the default dtype, integers in int64."""
    if isinstance(data, (list, tuple)) and any(isinstance(x, (Tensor, np.ndarray)) for x in _flat(data)):
        data = _plain(data)
    try:
        array = np.array(data)
    except ValueError:
        raise ValueError("tensor: nested sequences must have equal lengths; got ragged ones") from None
    if array.dtype == float64 or not array.size:
        return array.astype(get_default_dtype())
    if array.dtype not in SUPPORTED:
        raise TypeError(f"tensor: numbers, or nested sequences of them, are needed; got {type(data).__name__} {data!r:.60}")
    return array


def _flat(data: Any) -> Any:
    for x in data:
        if isinstance(x, (list, tuple)):
            yield from _flat(x)
        else:
            yield x


def _plain(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return [_plain(x) for x in data]
    return data.tolist() if isinstance(data, (Tensor, np.ndarray)) else data


def make(op: str, array: np.ndarray, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """The tensor of an array, in ``dtype`` if one is given."""
    check_device(op, device)
    if dtype is not None:
        array = array.astype(to_dtype(dtype), copy=False)
    elif array.dtype not in SUPPORTED:
        to_dtype(array.dtype)
    return Tensor(array, requires_grad=requires_grad)


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A tensor with a copy of ``data``: a number, nested sequences of numbers, an array or a tensor.

    Python's floats become the default dtype (float32), its integers int64; an array keeps its dtype.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if isinstance(data, (Tensor, np.ndarray, np.generic)):
        array = np.array(data.array if isinstance(data, Tensor) else data)
    else:
        array = from_sequence(data) if dtype is None else _in_dtype(data, dtype)
    return make("tensor", array, dtype, device, requires_grad)


def _in_dtype(data: Any, dtype: Any) -> np.ndarray:
    # Straight to the dtype: by way of float32 a float64 would lose digits.
    array = np.array(_plain(data))
    return array if array.dtype == float64 and is_float(to_dtype(dtype)) else from_sequence(data).astype(to_dtype(dtype))


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor that shares memory with ``data`` where it can: ``data`` itself if it is a tensor of the dtype."""
    if isinstance(data, Tensor):
        from .ops.convert import cast

        check_device("as_tensor", device)
        return data if dtype is None else cast(data, to_dtype(dtype))
    if isinstance(data, np.ndarray):
        return make("as_tensor", data, dtype, device, False)
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of ``obj``, sharing its memory where it can unless ``copy``."""
    made = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    return made.requires_grad_() if requires_grad else made


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """The tensor that shares the memory of a numpy array; a write to one is seen in the other."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: a numpy array is needed; got {type(ndarray).__name__}; use tensor()")
    to_dtype(ndarray.dtype)
    return Tensor(ndarray)


def _size(op: str, size: tuple) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        (size,) = size
    shape = tuple(int(n) for n in size)
    if min([0, *shape]) < 0:
        raise RuntimeError(f"{op}: lengths must not be negative; got {shape}")
    return shape


def _filled(op: str, value: Any, shape: tuple, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    check_device(op, device)
    found = get_default_dtype() if dtype is None else to_dtype(dtype)
    array = np.zeros(shape, found) if value == 0 else np.full(shape, value, found)
    return Tensor(array, requires_grad=requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of this shape, ``zeros(2, 3)`` or ``zeros((2, 3))``; float32 unless ``dtype`` says otherwise."""
    return _filled("zeros", 0, _size("zeros", size), dtype, device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of this shape."""
    return _filled("ones", 1, _size("ones", size), dtype, device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of this shape whose values are not set."""
    check_device("empty", device)
    array = np.empty(_size("empty", size), get_default_dtype() if dtype is None else to_dtype(dtype))
    return Tensor(array, requires_grad=requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of this shape filled with one value, in the dtype of the value."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    found = from_sequence(value).dtype if dtype is None else dtype
    return _filled("full", value, _size("full", (size,) if isinstance(size, int) else size), found, device, requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of ``input``."""
    return _filled("zeros_like", 0, input.shape, dtype or input.dtype, device, requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of ``input``."""
    return _filled("ones_like", 1, input.shape, dtype or input.dtype, device, requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of the shape and dtype of ``input`` whose values are not set."""
    return empty(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of the shape and dtype of ``input`` filled with one value."""
    return _filled("full_like", fill_value, input.shape, dtype or input.dtype, device, requires_grad)


def arange(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``start, start + step, ...`` up to but without ``end``; ``arange(5)`` starts at 0. int64 if all are integers.

    >>> arange(4)
    tensor([0, 1, 2, 3])
    """
    if end is None:
        start, end = 0, start
    start, end, step = (x.item() if isinstance(x, Tensor) else x for x in (start, end, step))
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"arange: step must lead from start to end; got start={start}, end={end}, step={step}")
    integers = all(isinstance(x, (int, np.integer)) for x in (start, end, step))
    found = to_dtype(dtype) if dtype is not None else to_dtype("int64") if integers else get_default_dtype()
    if integers:
        array = np.arange(start, end, step)
    else:
        array = start + step * np.arange(math.ceil((end - start) / step), dtype=np.float64)
    return make("arange", array, found, device, requires_grad)


def linspace(
    start: float, end: float, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` values at equal distances from ``start`` to ``end``, both included.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if steps < 0:
        raise RuntimeError(f"linspace: steps must not be negative; got {steps}")
    return make("linspace", np.linspace(start, end, steps), dtype or get_default_dtype(), device, requires_grad)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` values from base^start to base^end whose logarithms are at equal distances."""
    array = np.logspace(start, end, steps, base=base)
    return make("logspace", array, dtype or get_default_dtype(), device, requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The identity matrix, n by n or n by m."""
    array = np.eye(n, m, dtype=get_default_dtype() if dtype is None else to_dtype(dtype))
    return make("eye", array, None, device, requires_grad)
