"""Pooling: one number for each window of the trailing axes."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import bool_, float16, float32, int64, is_float
from ..kernels import pool as kernels
from .dims import fixed
from .op import op
from .windows import Sizes, placements, spread

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


class Windows(NamedTuple):
    """Where the windows over trailing axes of ``sizes`` lie, ``lengths`` of them: from where up to where in ``axes``,
    three that together are as long as ``volume``; and the counts a mean over them is divided by. One window over
    everything, ``whole``, is one over a single axis. ``missed`` tells which windows step over the whole input, and the
    places at which PyTorch has their largest element, -inf.
    """

    sizes: Sizes
    lengths: Sizes
    volume: Sizes
    axes: tuple[np.ndarray, ...]
    dilation: Sizes
    counts: tuple[np.ndarray, ...]
    whole: bool
    missed: tuple[np.ndarray, np.ndarray] | None


def _windows(sizes: Sizes, axes: list[np.ndarray], counts: list[np.ndarray], dilation: Sizes) -> Windows:
    lengths = tuple(map(len, axes))
    volume = sizes
    whole = all(len(w) == 1 and w[0, 0] == 0 and w[0, 1] == n for w, n in zip(axes, sizes)) and max(dilation) == 1
    if whole:
        size = math.prod(sizes)
        volume, axes, dilation = (size,), [np.array([[0, size]])], (1,)
        counts = [np.array([math.prod(int(c[0]) for c in counts)])]
    missed = None if whole else _missed(sizes, axes)
    if missed:  # the kernel looks at the first element instead
        axes = [np.where(w[:, :1] < w[:, 1:], w, [0, 1]) for w in axes]
    more = 3 - len(axes)
    return Windows(
        sizes,
        lengths,
        (1,) * more + tuple(volume),
        (np.array([[0, 1]]),) * more + tuple(axes),
        (1,) * more + tuple(dilation),
        (np.array([1]),) * more + tuple(counts),
        whole,
        missed,
    )


def _missed(sizes: Sizes, axes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """Windows that have no element along one of the axes, and the place where each begins."""
    gone = functools.reduce(np.logical_or.outer, [w[:, 0] >= w[:, 1] for w in axes])
    if not gone.any():
        return None
    steps = [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
    return gone, functools.reduce(np.add.outer, [w[:, 0] * step for w, step in zip(axes, steps)])[gone]


@functools.lru_cache(maxsize=1024)
def _sliding(
    name: str, sizes: Sizes, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, count_pad: bool,
    divisor: int | None,
) -> Windows:  # fmt: skip
    """Windows of one size at even steps. Counting up (``ceil``) takes one more at the end, if it starts inside."""
    rank = len(sizes)
    shape = spread(name, kernel, rank, "kernel_size")
    steps = shape if stride is None or stride == () else spread(name, stride, rank, "stride")
    sides, gaps = spread(name, padding, rank, "padding"), spread(name, dilation, rank, "dilation")
    if any(p < 0 or 2 * p > k for p, k in zip(sides, shape)):
        raise RuntimeError(f"{name}: padding must be from 0 to half of the kernel; got {sides} for kernel {shape}")
    if 0 in sizes:
        raise RuntimeError(f"{name}: no axis to pool over may be empty; got sizes {sizes}")
    reach = [d * (k - 1) + 1 for k, d in zip(shape, gaps)]
    axes, counts, most = [], [], []
    for n, r, s, p, d in zip(sizes, reach, steps, sides, gaps):
        count = (n + 2 * p - r + (s - 1) * ceil) // max(s, 1) + 1
        if ceil and (count - 1) * s >= n + p:
            count -= 1
        most.append(max(n + 2 * p, (count - 1) * s + r if ceil else 0))
        starts = np.arange(count) * s - p
        ends = starts + r
        # Padding is never the largest: a window begins with the first of its elements that is not padding.
        inside = np.stack([np.where(starts < 0, starts % max(d, 1), starts), np.minimum(ends, n)], 1)
        axes.append(inside)
        # What counts is the input and, if so asked, the padding itself, but never what ceil_mode added beyond it.
        counts.append(np.minimum(ends, n + p) - starts if count_pad else inside[:, 1] - inside[:, 0])
    placements(name, most, shape, steps, gaps)  # refuses what does not fit
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor_override must not be 0; got {divisor}")
    if divisor is not None:
        counts = [np.full(len(w), divisor if axis == 0 else 1) for axis, w in enumerate(axes)]
    return _windows(sizes, axes, counts, gaps)


@functools.lru_cache(maxsize=1024)
def _bins(name: str, sizes: Sizes, size: Any) -> Windows:
    """Windows that divide each axis of length n into parts: from floor(i n / count) up to ceil((i + 1) n / count)."""
    wanted = (size,) * len(sizes) if size is None or isinstance(size, int) else size
    if len(wanted) != len(sizes):
        raise RuntimeError(f"{name}: output_size must be one number or {len(sizes)}; got {size}")
    if any(w is not None and w < 0 for w in wanted):
        raise RuntimeError(f"{name}: output_size must not be negative; got {size}")
    if 0 in sizes and (set(wanted) != {1} or "max" in name):
        raise RuntimeError(f"{name}: no axis to pool over may be empty; got sizes {sizes}")
    axes = []
    for n, w in zip(sizes, wanted):
        count = n if w is None else int(w)
        i = np.arange(count)
        axes.append(np.stack([i * n // max(count, 1), -(-(i + 1) * n // max(count, 1))], 1))
    return _windows(sizes, axes, [w[:, 1] - w[:, 0] for w in axes], (1,) * len(sizes))


def _check_dtype(name: str, input: Any, *others: Any) -> None:
    if not is_float(input.dtype) and input.dtype not in others:
        raise NotImplementedError(
            f"{name}: the tensor must be floating; got {input.dtype}; convert it, with float() say"
        )


def _planes(x: np.ndarray, rank: int, volume: Sizes) -> np.ndarray:
    """(*, d, h, w) as contiguous (planes, d, h, w) of these sizes."""
    return np.ascontiguousarray(x).reshape(math.prod(x.shape[:-rank]), *volume)


def _outputs(x: np.ndarray, windows: Windows) -> np.ndarray:
    """One number a window as (planes, d, h, w)."""
    return _planes(x, len(windows.sizes), tuple(map(len, windows.axes)))


# --- the largest -----------------------------------------------------------------------------------------------------


@op(x=lambda g, out, windows: _add_places(g[0], out[1], sizes=windows.sizes))
def _max_pool(x, *, windows):
    """The largest element of each window, and where it is in the flattened trailing axes."""
    if x.dtype == float16:
        values, places = _max_pool.forward(x.astype(float32), windows=windows)
        return values.astype(x.dtype), places
    rank = len(windows.sizes)
    shape = (*x.shape[:-rank], *windows.lengths)
    out, places = np.empty(shape, x.dtype), np.empty(shape, int64)
    planes, values, where = _planes(x, rank, windows.volume), _outputs(out, windows), _outputs(places, windows)
    if windows.whole:
        np.argmax(planes, -1, out=where[..., 0])
        values[:] = np.take_along_axis(planes, where, -1)
    if not windows.whole or np.isnan(values).any():
        kernels.max_windows(planes, *windows.axes, windows.dilation, values, where)
    if windows.missed:
        gone, begins = windows.missed
        out[..., gone] = -np.inf if out.dtype.kind == "f" else np.iinfo(out.dtype).min
        places[..., gone] = begins
    return out, places


@op(x=lambda g, places, sizes: _add_places(g, places, sizes=sizes))
def _read_places(x, places, *, sizes):
    """The elements at these places of the flattened trailing axes, which have these sizes; 0 for a place beyond."""
    if x.dtype == float16:
        return _read_places.forward(x.astype(float32), places, sizes=sizes).astype(float16)
    rank = len(sizes)
    out = np.empty(places.shape, x.dtype)
    kernels.pick(_rows(x, rank), _rows(places, rank), _rows(out, rank))
    return out


@op(x=lambda g, places, sizes: _read_places(g, places, sizes=sizes))
def _add_places(x, places, *, sizes):
    """Zeros of these trailing sizes, with the elements of x added at their places; a place beyond is no element's."""
    rank = len(sizes)
    out = np.empty((*x.shape[:-rank], *sizes), x.dtype)
    if x.dtype == float16:
        return _add_places.forward(x.astype(float32), places, sizes=sizes).astype(float16)
    kernels.place(_rows(x, rank), _rows(places, rank), _rows(out, rank))
    return out


def _rows(x: np.ndarray, rank: int) -> np.ndarray:
    return np.ascontiguousarray(x).reshape(math.prod(x.shape[:-rank]), math.prod(x.shape[-rank:]))


def _max_pool_over(rank: int, input: Any, indices: bool, *window: Any) -> Any:
    name = f"max_pool{rank}d"
    _check_axes(name, rank, input)
    windows = _sliding(name, input.shape[-rank:], *map(fixed, window), False, None)
    if input.dtype == bool_:
        _check_dtype(name, input)
    values, places = _max_pool(input, windows=windows)
    return (values, places) if indices else values


def _adaptive_max(rank: int, input: Any, size: Any, indices: bool) -> Any:
    name = f"adaptive_max_pool{rank}d"
    _check_axes(name, rank, input)
    _check_dtype(name, input)
    values, places = _max_pool(input, windows=_bins(name, input.shape[-rank:], fixed(size)))
    return (values, places) if indices else values


# --- the mean --------------------------------------------------------------------------------------------------------


@op(x=lambda g, windows: _spread_mean(g, windows=windows))
def _mean_pool(x, *, windows):
    """The sum of each window over the product of its counts."""
    if x.dtype == float16:
        return _mean_pool.forward(x.astype(float32), windows=windows).astype(float16)
    rank = len(windows.sizes)
    out = np.empty((*x.shape[:-rank], *windows.lengths), x.dtype)
    planes = _planes(x, rank, windows.volume)
    kernels.mean_windows(planes, *windows.axes, *windows.counts, _outputs(out, windows))
    return out


@op(x=lambda g, windows: _mean_pool(g, windows=windows))
def _spread_mean(x, *, windows):
    """What carries a gradient of `_mean_pool` back: every element's shares, added up."""
    if x.dtype == float16:
        return _spread_mean.forward(x.astype(float32), windows=windows).astype(float16)
    rank = len(windows.sizes)
    out = np.empty((*x.shape[:-rank], *windows.sizes), x.dtype)
    planes = _planes(out, rank, windows.volume)
    kernels.spread_windows(_outputs(x, windows), *windows.axes, *windows.counts, planes)
    return out


def _avg_pool(
    rank: int, input: Any, kernel: Size, stride: Any, padding: Size, ceil: bool, count_pad: bool, divisor: int | None
) -> Any:
    name = f"avg_pool{rank}d"
    _check_axes(name, rank, input)
    _check_dtype(name, input, int64)
    kernel, stride, padding = fixed(kernel), fixed(stride), fixed(padding)
    windows = _sliding(name, input.shape[-rank:], kernel, stride, padding, 1, ceil, count_pad, divisor)
    return _mean_pool(input, windows=windows)


def _adaptive_avg(rank: int, input: Any, size: Any) -> Any:
    name = f"adaptive_avg_pool{rank}d"
    _check_axes(name, rank, input)
    _check_dtype(name, input)
    return _mean_pool(input, windows=_bins(name, input.shape[-rank:], fixed(size)))


# --- others ----------------------------------------------------------------------------------------------------------


def _lp_pool(rank: int, input: Any, norm_type: float, kernel: Size, stride: Any, ceil: bool) -> Any:
    sizes = spread(f"lp_pool{rank}d", kernel, rank, "kernel_size")
    mean = _avg_pool(rank, input**norm_type, kernel, stride, 0, ceil, True, None)
    return (mean.sign() * mean.abs().relu() * math.prod(sizes)) ** (1.0 / norm_type)


@op(x=lambda g, places, sizes: _read_places(g, places, sizes=sizes))
def _put(x, places, *, name, sizes):
    """Zeros of these trailing sizes, with the elements of x at their places, the last one where places repeat."""
    length = math.prod(sizes)
    if places.size and (places.min() < 0 or places.max() >= length):
        raise RuntimeError(f"{name}: indices must be in [0, {length - 1}] for output {sizes}; got {places.max()}")
    if x.dtype == float16:
        return _put.forward(x.astype(float32), places, name=name, sizes=sizes).astype(float16)
    rank = len(sizes)
    out = np.empty((*x.shape[:-rank], *sizes), x.dtype)
    kernels.put(_rows(x, rank), _rows(places, rank), _rows(out, rank))
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
    return _put(input, indices, name=name, sizes=wanted)


# --- PyTorch's names -------------------------------------------------------------------------------------------------


def _named(rank: int) -> list[Callable]:
    def max_pool(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return _max_pool_over(rank, input, return_indices, kernel_size, stride, padding, dilation, ceil_mode)

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
