"""Windows over the trailing axes of a tensor: what convolution, pooling, fold and unfold are made of.

`windows` shows every placement of a kernel as new axes, and `overlap_add` adds placements back where they came from.
Each is the derivative of the other.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .op import op

__all__ = ["overlap_add", "placements", "windows"]

Sizes = tuple[int, ...]


def _count(sizes: Sequence[int], kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(sizes, kernel, stride, dilation))


def view_windows(x: np.ndarray, kernel: Sizes, stride: Sizes, dilation: Sizes) -> np.ndarray:
    """(*, n...) -> (*, k..., l...) without a copy: element [..., i, j] is x[..., j * stride + i * dilation]."""
    rank = len(kernel)
    lead, sizes = x.shape[:-rank], x.shape[-rank:]
    steps = x.strides[-rank:]
    strides = (*x.strides[:-rank], *(s * d for s, d in zip(steps, dilation)), *(s * t for s, t in zip(steps, stride)))
    shape = (*lead, *kernel, *_count(sizes, kernel, stride, dilation))
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def add_windows(parts: np.ndarray, sizes: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> np.ndarray:
    """(*, k..., l...) -> (*, n...): every element added where `view_windows` would have read it."""
    rank = len(kernel)
    lead, placements = parts.shape[: -2 * rank], parts.shape[-rank:]
    out = np.zeros((*lead, *sizes), parts.dtype)
    for offset in np.ndindex(*kernel):
        place: Any = tuple(
            slice(i * d, i * d + s * (count - 1) + 1, s) for i, d, s, count in zip(offset, dilation, stride, placements)
        )
        read: Any = (*(slice(None),) * len(lead), *offset)
        out[(..., *place)] += parts[read]
    return out


@op(x=lambda g, shape, kernel, stride, dilation: overlap_add(g, shape[-len(kernel) :], kernel, stride, dilation))
def _windows(x, *, kernel, stride, dilation):
    return view_windows(x, kernel, stride, dilation)


@op(x=lambda g, kernel, stride, dilation: windows(g, kernel, stride, dilation))
def _overlap_add(x, *, sizes, kernel, stride, dilation):
    return add_windows(x, sizes, kernel, stride, dilation)


def windows(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """Every placement of the kernel: (*, n...) -> (*, k..., l...). Read-only, and it copies nothing."""
    return _windows(x, kernel=kernel, stride=stride, dilation=dilation)


def overlap_add(x: Any, sizes: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """Placements added back where they came from: (*, k..., l...) -> (*, n...)."""
    return _overlap_add(x, sizes=tuple(sizes), kernel=kernel, stride=stride, dilation=dilation)


def spread(op_name: str, value: int | Sequence[int], rank: int, name: str) -> Sizes:
    """One number for every axis, or one for each."""
    try:
        values = (value,) * rank if isinstance(value, int) else tuple(map(operator.index, value))
    except TypeError:
        raise TypeError(f"{op_name}: {name} must be an integer or {rank} of them; got {value!r}") from None
    if len(values) == 1:
        values *= rank
    if len(values) != rank:
        raise RuntimeError(f"{op_name}: {name} must be one number or {rank}; got {value}")
    return values


def check_positive(op_name: str, **sizes: Sizes) -> None:
    """Refuse sizes below 1."""
    for name, values in sizes.items():
        if min(values) <= 0:
            raise RuntimeError(f"{op_name}: {name} must be positive; got {values}")


def placements(op_name: str, sizes: Sequence[int], kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """How many placements of a kernel there are along each axis: (n - dilation (k - 1) - 1) // stride + 1. Steps that
    are not positive, and a kernel that does not fit, are errors in the name of the operation.

    >>> placements("unfold", (5, 4), kernel=(2, 2), stride=(1, 2), dilation=(1, 1))
    (4, 2)
    """
    check_positive(op_name, kernel_size=kernel, stride=stride, dilation=dilation)
    counts = _count(sizes, kernel, stride, dilation)
    if min(counts) <= 0:
        reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation))
        raise RuntimeError(
            f"{op_name}: the kernel must fit into the padded input; got {reach} (dilation included) over {tuple(sizes)}"
        )
    return counts
