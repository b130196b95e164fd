"""Other dtypes, copies, and what a tensor is as numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..creation import check_device
from ..dtypes import bool_, float16, float32, float64, int8, int16, int32, int64, to_dtype, uint8
from ..kernels.quiet import quiet
from ..kernels.turn import row_major
from ..tensor import Tensor
from .op import op

__all__ = ["clone", "is_floating_point", "is_tensor", "numel"]


@op(x=lambda g, source: cast(g, source))
def _cast(x, *, dtype, source):
    return quiet.run(x.astype, dtype)  # what a number out of range becomes is left open, as in PyTorch


def cast(x: Any, dtype: np.dtype) -> Any:
    """x in another dtype, itself if it has that dtype; the gradient is cast back."""
    return x if x.dtype == dtype else _cast(x, dtype=dtype, source=x.dtype)


@op(input=lambda g: g)
def _clone(input):
    return row_major(input)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with memory of its own; the gradient passes through."""
    return _clone(input)


@op(x=lambda g: nothing_of(g))
def _nothing(x):
    return np.zeros_like(x)


def nothing_of(x: Any) -> Any:
    """Zeros whatever x is: infinity times 0 would be NaN."""
    return _nothing(x)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a floating one, which can carry a gradient."""
    return input.dtype.kind == "f"


def numel(input: Tensor) -> int:
    """The number of elements."""
    return int(np.prod(input.shape, dtype=np.int64))


def is_tensor(obj: Any) -> bool:
    """Whether this is a Tensor."""
    return isinstance(obj, Tensor)


# --- methods without a function --------------------------------------------------------------------------------------

TYPES = {
    float32: "Float", float64: "Double", float16: "Half", int64: "Long", int32: "Int", int16: "Short", int8: "Char",
    uint8: "Byte", bool_: "Bool",
}  # fmt: skip
"""What PyTorch calls a tensor of each dtype."""

_DEVICES = ("cpu", "cuda", "mps", "xpu", "meta")


def to(
    self: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """The tensor in another dtype (``to(float64)``), in that of another tensor, or on the device "cpu"."""
    flags = []
    for value in args:
        if isinstance(value, Tensor):
            dtype = value.dtype
        elif isinstance(value, str) and value.partition(":")[0] in _DEVICES:
            device = value
        elif isinstance(value, bool):
            flags.append(value)
        elif value is not None:
            dtype = value
    check_device("to", device)
    out = self if dtype is None else cast(self, to_dtype(dtype))
    return clone(out) if (copy or flags[1:2] == [True]) and out is self else out


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The tensor in another dtype, which may have PyTorch's old name ("torch.LongTensor"); that name without one."""
    if dtype is None:
        return f"torch.{TYPES[to_dtype(self.dtype)]}Tensor"
    if isinstance(dtype, str):
        old = dtype.removeprefix("torch.").removesuffix("Tensor")
        dtype = next((d for d, name in TYPES.items() if name == old), dtype)
    return cast(self, to_dtype(dtype))


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another."""
    return cast(self, other.dtype)


def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself if its memory is in row-major order, else a copy that is."""
    return self if self.array.flags.c_contiguous else clone(self)


def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in memory in row-major order."""
    return self.array.flags.c_contiguous


def stride(self: Tensor, dim: int | None = None) -> Any:
    """How many elements apart neighbours along an axis are in memory."""
    steps = tuple(s // self.array.itemsize for s in self.array.strides)
    return steps if dim is None else steps[dim]


def size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or one length of it."""
    if dim is not None and not -self.ndim <= dim < self.ndim:
        raise IndexError(f"size: dim must be in [{-self.ndim}, {self.ndim - 1}]; got {dim}")
    return self.shape if dim is None else self.shape[dim]


def cpu(self: Tensor) -> Tensor:
    """The tensor itself: there is no other device."""
    return self


def __dlpack__(self: Tensor, **kwargs: Any) -> Any:
    """The memory for another library, see `from_dlpack`."""
    if self.requires_grad:
        raise BufferError("dlpack: the tensor needs a gradient; got requires_grad=True; use detach()")
    return self.array.__dlpack__(**kwargs)


def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    """The CPU, in DLPack's numbers."""
    return self.array.__dlpack_device__()


def _in_dtype(dtype: np.dtype) -> Callable[..., Tensor]:
    def method(self: Tensor, memory_format: Any = None) -> Tensor:
        return cast(self, dtype)

    method.__doc__ = f"The tensor as {dtype.name}."
    return method


METHODS: dict[str, Callable] = {
    **{name.lower(): _in_dtype(dtype) for dtype, name in TYPES.items()},
    "to": to, "type": type_, "type_as": type_as, "contiguous": contiguous, "is_contiguous": is_contiguous,
    "stride": stride, "size": size, "cpu": cpu, "__dlpack__": __dlpack__, "__dlpack_device__": __dlpack_device__,
}  # fmt: skip
