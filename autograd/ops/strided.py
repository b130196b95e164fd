"""Views by strides: windows along an axis, and any other regular walk over the memory of a tensor."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .dims import normal_dim
from .index import Place, _pick, _unpick
from .op import op
from .shape import reshape, unsqueeze
from .split import along

__all__ = ["as_strided", "unfold"]


def _walk(x: np.ndarray, shape: Sequence[int], strides: Sequence[int], start: int = 0) -> np.ndarray:
    """The view of the memory of x with these strides, beginning ``start`` after x, in bytes."""
    root = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    order = np.argsort([-s for s in root.strides], kind="stable")
    memory = root.transpose(order)  # an array of its own may have its axes in any order
    if not memory.flags.c_contiguous:
        raise RuntimeError(f"as_strided: the memory must be contiguous; got strides {root.strides}; use contiguous()")
    start += x.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    span = sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    if math.prod(shape) and not 0 <= start <= root.nbytes - x.itemsize - span:
        raise ValueError("beyond the memory")
    return np.ndarray(shape, x.dtype, memory, start, strides)


# --- windows ---------------------------------------------------------------------------------------------------------


@op(view=True, x=lambda g, shape, dim, size, step: _fold(g, dim=dim, size=size, step=step, to=shape))
def _unfold(x, *, dim, size, step):
    count = (x.shape[dim] - size) // step + 1
    shape, strides = [*x.shape, size], [*x.strides, x.strides[dim]]
    shape[dim], strides[dim] = count, x.strides[dim] * step
    return _walk(x, shape, strides)


@op(windows=lambda g, dim, size, step: _unfold(g, dim=dim, size=size, step=step))
def _fold(windows, *, dim, size, step, to):
    """Zeros of shape ``to`` with every window added where it came from."""
    out = np.zeros(to, windows.dtype)
    span = (windows.shape[dim] - 1) * step + 1
    for i in range(size):
        out[along(dim, slice(i, i + span, step))] += windows[..., i]
    return out


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of ``size`` along an axis, one every ``step``, in a new last axis; a view.

    >>> unfold(Tensor([1.0, 2.0, 3.0]), 0, 2, 1)
    tensor([[1., 2.],
            [2., 3.]])
    """
    at = normal_dim("unfold", dimension, input.ndim)
    length = input.shape[at] if input.ndim else 1
    if not 0 <= size <= length:
        raise RuntimeError(f"unfold: size must be in [0, {length}], the length of dim {at}; got {size}")
    if step < 1:
        raise RuntimeError(f"unfold: step must be positive; got {step}")
    if input.ndim:
        return _unfold(input, dim=at, size=size, step=step)
    return unsqueeze(input, 0)[:size]


# --- any strides -----------------------------------------------------------------------------------------------------


def _places(shape: Sequence[int], strides: Sequence[int]) -> np.ndarray:
    """How far from the start each element is, in elements, flattened."""
    places = np.zeros((1,) * len(shape), np.int64)
    for axis, (length, stride) in enumerate(zip(shape, strides, strict=True)):
        places = places + (np.arange(length) * stride).reshape((-1,) + (1,) * (len(shape) - axis - 1))
    return places.reshape(-1)


def _through_memory(g: Any, shape: tuple, size: tuple, stride: tuple, start: int, own: tuple) -> Any:
    """The gradient of as_strided: added up in memory, and read from there as the input was laid out."""
    written, read = _places(size, stride) + start, _places(shape, own)
    if not written.size or not read.size:
        return np.zeros(shape, g.dtype)
    first = min(written.min(), read.min())
    length = int(max(written.max(), read.max()) - first) + 1
    key = (Place(0),)
    memory = _unpick(reshape(g, -1), written - first, key=key, to=(length,))
    part = reshape(_pick(memory, read - first, key=key), shape)
    times = np.bincount(read - first)[read - first].reshape(shape)
    return part if times.max() == 1 else part * (1 / times).astype(g.dtype)


@op(view=True, x=_through_memory)
def _as_strided(x, *, size, stride, start, own):
    try:
        return _walk(x, size, [s * x.itemsize for s in stride], start * x.itemsize)
    except (TypeError, ValueError):
        raise RuntimeError(
            f"as_strided: size and stride must stay within the memory; got size {size}, stride {stride}, "
            f"{start} elements after the start of a tensor of {x.size}"
        ) from None


def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """The memory of ``input`` with another shape and other strides, in elements; a view. ``storage_offset`` counts
    from where the memory begins, and is that of ``input`` if left out.

    >>> as_strided(Tensor([1.0, 2.0, 3.0]), (2, 2), (1, 1))
    tensor([[1., 2.],
            [2., 3.]])
    """
    size, stride = tuple(map(int, size)), tuple(map(int, stride))
    if len(size) != len(stride):
        raise RuntimeError(f"as_strided: one stride for each length; got size {size} and stride {stride}")
    if min([0, *size, *stride]) < 0:
        raise RuntimeError(f"as_strided: lengths and strides must not be negative; got {size} and {stride}")
    start = 0 if storage_offset is None else storage_offset - element_offset(input.array)
    own = tuple(s // input.array.itemsize for s in input.array.strides)
    return _as_strided(input, size=size, stride=stride, start=start, own=own)


def element_offset(x: np.ndarray) -> int:
    """How many elements after the start of its memory the array begins."""
    root = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    if root is x:
        return 0
    return (x.__array_interface__["data"][0] - root.__array_interface__["data"][0]) // x.itemsize
