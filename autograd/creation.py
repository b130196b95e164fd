"""Tensors from data: Python's numbers, numpy's arrays, other libraries' memory."""

from typing import Any

import numpy as np

from .dtypes import bool_, category, get_default_dtype, int64, promote_types, to_dtype
from .tensor import Tensor

__all__ = [
    "as_tensor", "asarray", "check_device", "check_fits", "from_dlpack", "from_numpy", "from_sequence",
    "in_our_dtype", "make", "number_of", "tensor",
]  # fmt: skip


def check_device(op: str, device: Any) -> None:
    """Every tensor is on the CPU; anything else asked for is an error."""
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise RuntimeError(f'{op}: the only device is "cpu"; got {device!r}')


def check_fits(op: str, values: Any, dtype: np.dtype) -> None:
    """Numbers for an integer dtype are in its range. Negative ones wrap round in an unsigned dtype, as in PyTorch."""
    if category(dtype) == 1 and np.size(values):
        info = np.iinfo(dtype)
        low, high = np.min(values), np.max(values)
        if not (low >= (info.min or -info.max) and high <= info.max):
            bad = high if not high <= info.max else low
            raise RuntimeError(f"{op}: a number does not fit the dtype; got {bad} for {dtype}")


def number_of(op: str, value: Any, dtype: np.dtype) -> Any:
    """A factor as a number of the dtype: in an integer one it loses its fraction, as in PyTorch."""
    if dtype.kind == "f":
        return value
    check_fits(op, value, dtype)
    return bool(value) if dtype == bool_ else int(value)


def from_sequence(data: Any, dtype: Any = None) -> np.ndarray:
    """The array of a number or of nested sequences of them. Without a ``dtype``: floats have the default dtype,
    integers int64, and what numpy's scalars, arrays and tensors among them bring is promoted with that.
    """
    kinds: set = set()
    _look(data, kinds)
    if not kinds <= {bool, int, float}:
        data = _plain(data)
    try:
        array = np.array(data)
        if array.dtype.kind == "O":  # an integer beyond int64, which only floats have room for
            array = np.array(data, np.float64 if dtype is not None and to_dtype(dtype).kind == "f" else int64)
    except OverflowError:
        raise ValueError(f"tensor: an integer does not fit int64; got {data!r:.60}") from None
    except ValueError:
        raise ValueError("tensor: nested sequences have equal lengths; got ragged ones") from None
    found = _natural_dtype(kinds) if dtype is None else to_dtype(dtype)
    check_fits("tensor", array, found)
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(found, copy=False)


def _look(data: Any, kinds: set) -> None:
    """Collect what the numbers are: a Python type, or the dtype of what has one."""
    if isinstance(data, (list, tuple, range)):
        for x in data:
            kind = type(x)
            if kind is float or kind is int:
                kinds.add(kind)
            else:
                _look(x, kinds)
    elif isinstance(data, (Tensor, np.ndarray, np.generic)):
        kinds.add(to_dtype(data.dtype))
    elif isinstance(data, (bool, int, float)):
        kinds.add(next(kind for kind in (bool, int, float) if isinstance(data, kind)))
    else:
        error = TypeError if isinstance(data, str) else RuntimeError
        raise error(
            f"tensor: numbers, or nested sequences of them, are needed; got {data!r:.60} of {type(data).__name__}"
        )


def _natural_dtype(kinds: set) -> np.dtype:
    python = {bool: bool_, int: int64, float: get_default_dtype()}
    found = None
    for kind in kinds or {float}:
        dtype = python.get(kind, kind)
        found = dtype if found is None else promote_types(found, dtype)
    assert found is not None
    return found


def _plain(data: Any) -> Any:
    if isinstance(data, (list, tuple, range)):
        return [_plain(x) for x in data]
    return data.array if isinstance(data, Tensor) else data


def in_our_dtype(array: np.ndarray) -> np.ndarray:
    """The array with numpy's own object for its dtype, which operations compare by identity; pickle makes another."""
    dtype = to_dtype(array.dtype)
    return array if array.dtype is dtype else array.view(dtype)


def make(op: str, array: np.ndarray, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """The tensor of an array, in ``dtype`` if one is given."""
    check_device(op, device)
    found = in_our_dtype(array)
    return Tensor(found if dtype is None else found.astype(to_dtype(dtype), copy=False), requires_grad=requires_grad)


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor with a copy of ``data``: a number, nested sequences of numbers, an array or a tensor.

    Python's floats become the default dtype (float32), its integers int64; an array keeps its dtype.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if isinstance(data, (Tensor, np.ndarray, np.generic)):
        array = np.array(data.array if isinstance(data, Tensor) else data, order="C")
    else:
        array = from_sequence(data, dtype)
    return make("tensor", array, dtype, device, requires_grad)


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
    """A tensor of ``obj``, sharing its memory where it can; ``copy=True`` always copies, ``copy=False`` never."""
    made = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    if copy is False and not (isinstance(obj, (Tensor, np.ndarray)) and made.dtype == obj.dtype):
        raise ValueError(f"asarray: copy=False needs an array of the dtype; got {type(obj).__name__} for {made.dtype}")
    return made.requires_grad_() if requires_grad else made


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """The tensor that shares the memory of a numpy array; a write to one is seen in the other.

    >>> a = np.zeros(2)
    >>> x = from_numpy(a)
    >>> a[0] = 5
    >>> x
    tensor([5., 0.], dtype=float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: a numpy array is needed; got {type(ndarray).__name__}; use tensor()")
    return Tensor(in_our_dtype(ndarray))


def from_dlpack(ext_tensor: Any) -> Tensor:
    """The tensor that shares the memory of another library's array, by the DLPack protocol."""
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack: an object with __dlpack__ is needed; got {type(ext_tensor).__name__}")
    return from_numpy(np.from_dlpack(ext_tensor))
