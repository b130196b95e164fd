"""Pooling: one number for each window of the trailing axes."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .convert import clone
from .gather import gather
from .linalg import matmul
from .op import op
from .pad import pad
from .reduce import sum
from .shape import reshape, transpose
from .windows import Sizes, check_placements, spread, view_windows, windows

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d",
    "max_pool1d", "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

Size = int | Sequence[int]


def _check_axes(name: str, rank: int, input: Any) -> None:
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}: the input must have {rank + 2} axes, or {rank + 1} without a batch; got {tuple(input.shape)}"
        )


def _sides(
    name: str, sizes: Sequence[int], kernel: Sizes, stride: Sizes, padding: Sizes, gaps: Sizes, ceil: bool
) -> list:
    """(before, after) for each axis. Counting up (``ceil_mode``) takes more at the end, if a window starts inside."""
    if any(p < 0 or 2 * p > d * (k - 1) + 1 for p, k, d in zip(padding, kernel, gaps)):
        raise RuntimeError(f"{name}: padding must be from 0 to half of the kernel; got {padding} for kernel {kernel}")
    sides = []
    for n, k, s, p, d in zip(sizes, kernel, stride, padding, gaps):
        reach = d * (k - 1) + 1
        count = -(-(n + 2 * p - reach) // s) + 1
        if (count - 1) * s >= n + p:
            count -= 1
        sides.append((p, max(p, (count - 1) * s + reach - n - p) if ceil else p))
    return sides


def _as_pad(sides: Sequence[tuple[int, int]]) -> list[int]:
    return [p for side in reversed(sides) for p in side]


# --- the largest -----------------------------------------------------------------------------------------------------


@op()
def _max_places(x, *, kernel, stride, dilation, sides):
    """Where, in the flattened trailing axes, the largest element of each window is; the first NaN counts as largest."""
    lead = x.ndim - len(kernel)
    around = ((0, 0),) * lead + tuple(sides)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    padded = np.pad(x, around, constant_values=lowest)
    places = np.pad(np.arange(math.prod(x.shape[lead:])).reshape(x.shape[lead:]), sides, constant_values=-1)
    rows = _flat_windows(padded, kernel, stride, dilation, lead)
    which = np.argmax(rows, axis=lead)
    read = np.broadcast_to(_flat_windows(places, kernel, stride, dilation, 0), rows.shape)
    return np.take_along_axis(read, np.expand_dims(which, lead), lead).reshape(which.shape)


def _flat_windows(x: np.ndarray, kernel: Sizes, stride: Sizes, dilation: Sizes, lead: int) -> np.ndarray:
    placed = view_windows(x, kernel, stride, dilation)
    return placed.reshape(*placed.shape[:lead], math.prod(kernel), *placed.shape[lead + len(kernel) :])


def _pick(input: Any, places: Any, rank: int) -> Any:
    """The elements at these places of the flattened trailing axes."""
    lead = tuple(input.shape[:-rank])
    flat = gather(reshape(input, (*lead, -1)), -1, reshape(places, (*lead, -1)))
    return reshape(flat, tuple(places.shape))


def _max_pool(
    rank: int, input: Any, kernel: Size, stride: Any, padding: Size, dilation: Size, ceil: bool, indices: bool
) -> Any:
    name = f"max_pool{rank}d"
    _check_axes(name, rank, input)
    sizes = spread(name, kernel, rank, "kernel_size")
    steps = sizes if stride is None or stride == [] else spread(name, stride, rank, "stride")
    gaps = spread(name, dilation, rank, "dilation")
    lengths = input.shape[-rank:]
    sides = _sides(name, lengths, sizes, steps, spread(name, padding, rank, "padding"), gaps, ceil)
    check_placements(name, [n + a + b for n, (a, b) in zip(lengths, sides)], sizes, steps, gaps)
    places = _max_places(input, kernel=sizes, stride=steps, dilation=gaps, sides=sides)
    values = _pick(input, places, rank)
    return (values, places) if indices else values


# --- the mean --------------------------------------------------------------------------------------------------------


def _avg_pool(
    rank: int, input: Any, kernel: Size, stride: Any, padding: Size, ceil: bool, count_pad: bool, divisor: int | None
) -> Any:
    name = f"avg_pool{rank}d"
    _check_axes(name, rank, input)
    sizes = spread(name, kernel, rank, "kernel_size")
    steps = sizes if stride is None or stride == [] else spread(name, stride, rank, "stride")
    cut, ones = spread(name, padding, rank, "padding"), (1,) * rank
    lengths = input.shape[-rank:]
    sides = _sides(name, lengths, sizes, steps, cut, ones, ceil)
    padded = pad(input, _as_pad(sides))
    check_placements(name, padded.shape[-rank:], sizes, steps, ones)
    lead = input.ndim - rank
    total = sum(windows(padded, sizes, steps, ones), tuple(range(lead, lead + rank)))
    if divisor is not None:
        return total / divisor
    if not any(p for side in sides for p in side):
        return total / math.prod(sizes)
    # What counts is the input and, if so asked, the padding itself, but never what ceil_mode added beyond it.
    around = [(p if count_pad else 0, p if count_pad else 0) for p in cut]
    counted = np.pad(np.ones(lengths, input.dtype), around, constant_values=1)
    rest = [(before - a, after - b) for (before, after), (a, b) in zip(sides, around)]
    read = view_windows(np.pad(counted, rest), sizes, steps, ones)
    return total / Tensor(read.sum(tuple(range(rank)), dtype=counted.dtype))


# --- to a given size -------------------------------------------------------------------------------------------------


def _targets(name: str, rank: int, input: Any, size: Any) -> Sizes:
    _check_axes(name, rank, input)
    wanted = (size,) * rank if size is None or isinstance(size, int) else tuple(size)
    if len(wanted) != rank:
        raise RuntimeError(f"{name}: output_size must be one number or {rank}; got {size}")
    return tuple(n if w is None else int(w) for n, w in zip(input.shape[-rank:], wanted))


def _bins(n: int, count: int) -> list[tuple[int, int]]:
    """Bin i of ``count`` over n elements: floor(i n / count) up to ceil((i + 1) n / count)."""
    return [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def _adaptive_avg(rank: int, input: Any, size: Any) -> Any:
    targets = _targets(f"adaptive_avg_pool{rank}d", rank, input, size)
    out = input
    # Bins are boxes, so one axis after the other: a product with the matrix of their shares.
    for axis, (n, count) in enumerate(zip(input.shape[-rank:], targets), start=input.ndim - rank):
        if n == count:
            continue
        shares = np.zeros((n, count), input.dtype)
        for i, (start, end) in enumerate(_bins(n, count)):
            shares[start:end, i] = 1 / (end - start)
        out = transpose(matmul(transpose(out, axis, -1), Tensor(shares)), axis, -1)
    return clone(out) if out is input else out


@op()
def _adaptive_places(x, *, targets):
    rank = len(targets)
    lead, sizes = x.shape[:-rank], x.shape[-rank:]
    places = np.arange(math.prod(sizes)).reshape(sizes)
    out = np.empty((*lead, *targets), np.int64)
    bins = [_bins(n, count) for n, count in zip(sizes, targets)]
    for cell in np.ndindex(*targets):
        box = tuple(slice(*bins[axis][i]) for axis, i in enumerate(cell))
        which = np.argmax(x[(..., *box)].reshape(*lead, -1), axis=-1)
        out[(..., *cell)] = places[box].ravel()[which]
    return out


def _adaptive_max(rank: int, input: Any, size: Any, indices: bool) -> Any:
    places = _adaptive_places(input, targets=_targets(f"adaptive_max_pool{rank}d", rank, input, size))
    values = _pick(input, places, rank)
    return (values, places) if indices else values


# --- others ----------------------------------------------------------------------------------------------------------


def _lp_pool(rank: int, input: Any, norm_type: float, kernel: Size, stride: Any, ceil: bool) -> Any:
    sizes = spread(f"lp_pool{rank}d", kernel, rank, "kernel_size")
    mean = _avg_pool(rank, input**norm_type, kernel, stride, 0, ceil, True, None)
    return (mean.sign() * mean.abs().relu() * math.prod(sizes)) ** (1.0 / norm_type)


@op(x=lambda g, places, shape: reshape(gather(g, -1, places), shape))
def _put(x, places, *, name, wanted):
    """A row of zeros, as many as ``wanted`` has elements, with x at these places; of several the last one stays."""
    length = math.prod(wanted)
    if places.size and (places.min() < 0 or places.max() >= length):
        raise RuntimeError(f"{name}: indices must be in [0, {length - 1}] for output {wanted}; got {places.max()}")
    out = np.zeros((*x.shape[:-1], length), x.dtype)
    np.put_along_axis(out, places, x, -1)
    return out


def _max_unpool(rank: int, input: Any, indices: Any, kernel: Size, stride: Any, padding: Size, output_size: Any) -> Any:
    name = f"max_unpool{rank}d"
    _check_axes(name, rank, input)
    if tuple(indices.shape) != tuple(input.shape):
        raise RuntimeError(
            f"{name}: an index for each element; got {tuple(indices.shape)} for input {tuple(input.shape)}"
        )
    sizes = spread(name, kernel, rank, "kernel_size")
    steps = sizes if stride is None else spread(name, stride, rank, "stride")
    cut = spread(name, padding, rank, "padding")
    plain = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(input.shape[-rank:], steps, cut, sizes)]
    wanted = tuple(output_size)[-rank:] if output_size is not None else tuple(plain)
    if any(not p - s < w < p + s for w, p, s in zip(wanted, plain, steps)):
        raise ValueError(f"{name}: output_size must be within a stride of {tuple(plain)}; got {wanted}")
    lead = tuple(input.shape[:-rank])
    flat = _put(reshape(input, (*lead, -1)), reshape(indices, (*lead, -1)), name=name, wanted=wanted)
    return reshape(flat, (*lead, *wanted))


# --- PyTorch's names -------------------------------------------------------------------------------------------------


def _named(rank: int) -> list[Callable]:
    def max_pool(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return _max_pool(rank, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)

    def avg_pool(
        input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
    ):
        return _avg_pool(rank, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

    def lp_pool(input, norm_type, kernel_size, stride=None, ceil_mode=False):
        return _lp_pool(rank, input, norm_type, kernel_size, stride, ceil_mode)

    def adaptive_avg_pool(input, output_size):
        return _adaptive_avg(rank, input, output_size)

    def adaptive_max_pool(input, output_size, return_indices=False):
        return _adaptive_max(rank, input, output_size, return_indices)

    def max_unpool(input, indices, kernel_size, stride=None, padding=0, output_size=None):
        return _max_unpool(rank, input, indices, kernel_size, stride, padding, output_size)

    docs: dict[Any, str] = {
        max_pool: "The largest element of each window; with ``return_indices`` also its place in the flattened axes.",
        avg_pool: "The mean of each window; padding counts as zeros unless ``count_include_pad`` is off.",
        lp_pool: "(sum of x^p)^(1/p) over each window.",
        adaptive_avg_pool: "The mean over windows that divide each axis into ``output_size`` parts.",
        adaptive_max_pool: "The largest element of windows that divide each axis into ``output_size`` parts.",
        max_unpool: "Zeros, with each element where ``indices``, from max pooling, say it came from.",
    }
    shape = "(n, c, " + ", ".join("dhw"[3 - rank :]) + ")"
    for function, doc in docs.items():
        function.__name__ = function.__qualname__ = f"{function.__name__}{rank}d"
        function.__doc__ = f"{doc} Over {shape}, or without n."
    return [*docs]


max_pool1d, avg_pool1d, lp_pool1d, adaptive_avg_pool1d, adaptive_max_pool1d, max_unpool1d = _named(1)
max_pool2d, avg_pool2d, lp_pool2d, adaptive_avg_pool2d, adaptive_max_pool2d, max_unpool2d = _named(2)
max_pool3d, avg_pool3d, lp_pool3d, adaptive_avg_pool3d, adaptive_max_pool3d, max_unpool3d = _named(3)
