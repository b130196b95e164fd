"""Tensors filled with one value, spaced, and like another."""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .creation import check_device, check_fits, from_sequence, make, tensor
from .dtypes import get_default_dtype, int64, to_dtype
from .tensor import Tensor

__all__ = [
    "arange", "as_size", "empty", "empty_like", "eye", "full", "full_like", "linspace", "logspace", "ones", "ones_like",
    "zeros", "zeros_like",
]  # fmt: skip


def as_size(op: str, size: tuple) -> tuple[int, ...]:
    """A shape from ``f(2, 3)`` or ``f((2, 3))``."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        (size,) = size
    try:
        shape = tuple(map(operator.index, size))
    except TypeError:
        raise TypeError(f"{op}: the lengths are integers; got {size}") from None
    if min([0, *shape]) < 0:
        raise RuntimeError(f"{op}: lengths must not be negative; got {shape}")
    return shape


def _filled(op: str, value: Any, shape: tuple, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    check_device(op, device)
    found = get_default_dtype() if dtype is None else to_dtype(dtype)
    if type(value) is int and value == 0:
        return Tensor(np.zeros(shape, found), requires_grad=requires_grad)
    check_fits(op, value, found)
    with np.errstate(over="ignore"):
        one = np.asarray(value).astype(found)
    if np.isinf(one) and not np.isinf(value):
        raise RuntimeError(f"{op}: a number does not fit the dtype; got {value} for {found}")
    return Tensor(np.full(shape, one), requires_grad=requires_grad)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, (Tensor, np.ndarray, np.generic)) else value


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any) -> Tensor:
    """Zeros of this shape, ``zeros(2, 3)`` or ``zeros((2, 3))``; float32 unless ``dtype`` says otherwise."""
    return _filled("zeros", 0, as_size("zeros", _named("zeros", size, named)), dtype, device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any) -> Tensor:
    """Ones of this shape."""
    return _filled("ones", 1, as_size("ones", _named("ones", size, named)), dtype, device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any) -> Tensor:
    """A tensor of this shape whose values are not set."""
    check_device("empty", device)
    shape = as_size("empty", _named("empty", size, named))
    return Tensor(
        np.empty(shape, get_default_dtype() if dtype is None else to_dtype(dtype)), requires_grad=requires_grad
    )


def _named(op: str, size: tuple, named: dict) -> tuple:
    """The shape given as ``size=`` instead."""
    if not named:
        return size
    if size or named.keys() != {"size"}:
        raise TypeError(f"{op}: takes the shape, dtype, device and requires_grad; got {', '.join(named)}")
    return (named["size"],)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of this shape filled with one value, in the dtype of the value.

    >>> full((2,), 3)
    tensor([3, 3])
    """
    found = from_sequence(fill_value).dtype if dtype is None else dtype
    return _filled("full", _number(fill_value), as_size("full", (size,)), found, device, requires_grad)


def _beside(input: Any, size: tuple[int, ...], made: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
    """A tensor made of this size; if ``input`` has lanes, as inside vmap, one with as many."""
    if not hasattr(type(input), "value"):
        return made(size)
    return type(input)(input.level, _beside(input.value, (input.value.shape[0], *size), made))


def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of ``input``."""
    found = dtype or input.dtype
    return _beside(input, input.shape, lambda size: _filled("zeros_like", 0, size, found, device, requires_grad))


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of ``input``."""
    found = dtype or input.dtype
    return _beside(input, input.shape, lambda size: _filled("ones_like", 1, size, found, device, requires_grad))


def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of the shape and dtype of ``input`` whose values are not set."""
    options = {"dtype": dtype or input.dtype, "device": device, "requires_grad": requires_grad}
    return _beside(input, input.shape, lambda size: empty(size, **options))


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of the shape and dtype of ``input`` filled with one value."""
    value, found = _number(fill_value), dtype or input.dtype
    return _beside(input, input.shape, lambda size: _filled("full_like", value, size, found, device, requires_grad))


# --- spaced ----------------------------------------------------------------------------------------------------------


def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``start, start + step, ...`` up to but without ``end``; ``arange(5)`` starts at 0. int64 if all are integers.

    >>> arange(4)
    tensor([0, 1, 2, 3])
    """
    if end is None:
        start, end = 0, start
    start, end, step = map(_number, (start, end, step))
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"arange: step must lead from start to end; got start={start}, end={end}, step={step}")
    integers = all(isinstance(x, int) for x in (start, end, step))
    found = to_dtype(dtype) if dtype is not None else int64 if integers else get_default_dtype()
    if integers:
        array = np.arange(start, end, step)
    elif found.kind == "f":
        array = start + step * np.arange(math.ceil((end - start) / step), dtype=np.float64)
    else:  # each of the three is rounded first, as in PyTorch
        array = int(start) + int(step) * np.arange(math.ceil((end - start) / step))
    return make("arange", array, found, device, requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` values at equal distances from ``start`` to ``end``, both included.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    found = get_default_dtype() if dtype is None else to_dtype(dtype)
    return make("linspace", _spaced("linspace", start, end, steps, found), found, device, requires_grad)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` values from base^start to base^end whose logarithms are at equal distances.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    found = get_default_dtype() if dtype is None else to_dtype(dtype)
    with np.errstate(all="ignore"):
        array = base ** _spaced("logspace", start, end, steps, found)
    return make("logspace", array, found, device, requires_grad)


def _spaced(op: str, start: Any, end: Any, steps: int, dtype: np.dtype) -> np.ndarray:
    """``steps`` numbers at equal distances; for an integer dtype the ends lose their fractions first, as in PyTorch."""
    if steps < 0:
        raise RuntimeError(f"{op}: steps must not be negative; got {steps}")
    start, end = _number(start), _number(end)
    if steps == 1:
        return np.array([float(start)])
    if dtype.kind in "iu":
        start, end = int(start), int(end)
        check_fits(op, [start, end], dtype)
    places = np.arange(steps)
    step = (end - start) / max(steps - 1, 1)
    return np.where(places < steps // 2, start + step * places, end - step * (steps - 1 - places))


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The identity matrix, n by n or n by m.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    rows, columns = as_size("eye", (n, n if m is None else m))
    array = np.eye(rows, columns, dtype=get_default_dtype() if dtype is None else to_dtype(dtype))
    return make("eye", array, None, device, requires_grad)


# --- methods: in the dtype of a tensor -------------------------------------------------------------------------------


def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`tensor` in the dtype of this one."""
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_full(
    self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`full` in the dtype of this tensor."""
    options = {"dtype": dtype or self.dtype, "device": device, "requires_grad": requires_grad}
    return _beside(self, as_size("new_full", (size,)), lambda size: full(size, fill_value, **options))


def _new(make_tensor: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def method(self: Tensor, *size: Any, dtype: Any = None, **options: Any) -> Tensor:
        named = {"size": options.pop("size")} if "size" in options else {}
        shape = as_size(f"new_{make_tensor.__name__}", _named(make_tensor.__name__, size, named))
        return _beside(self, shape, lambda size: make_tensor(size, dtype=dtype or self.dtype, **options))

    method.__doc__ = f"`{make_tensor.__name__}` in the dtype of this tensor."
    return method


METHODS: dict[str, Callable] = {
    "new_tensor": new_tensor, "new_full": new_full, "new_zeros": _new(zeros), "new_ones": _new(ones),
    "new_empty": _new(empty),
}  # fmt: skip
