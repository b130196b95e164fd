"""Convolution, over one, two or three axes.

Three operations, each linear in both of its factors and each other's derivatives: `_conv` of an input with a weight,
`_conv_input`, which carries a gradient of the output back to the input (and is the transposed convolution), and
`_conv_weight`, which carries it to the weight. ``padding`` is what is read in front of the input as zeros, ``counts``
and ``sizes`` are the lengths of output and input. The kernels are in `kernels.conv`.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import bool_, float16, float32
from ..kernels import threads
from ..kernels.columns import add_parts, convolve_columns, correlate_columns, find_cuts
from ..kernels.conv import convolve, correlate
from ..kernels.hand import Kernel
from ..kernels.planes import Layout, layout
from ..tensor import Tensor
from .dims import fixed, remembered
from .op import op
from .reduce import sum
from .shape import squeeze, unsqueeze
from .windows import Sizes, check_positive, placements, spread, view_windows

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

_GROUP = 1024
"""About how many positions are worked on together, so that the buffers stay in the cache."""

_MANY, _MANY_GRADIENTS = 96, 32
"""With at least this many outputs of a group columns are copied for products of matrices, and for weight gradients."""


def _volumes(x: np.ndarray, sizes: Sizes) -> np.ndarray:
    """(n, c, *) as contiguous (n, c, d, h, w) of these sizes."""
    return np.ascontiguousarray(x).reshape(*x.shape[:2], *sizes)


def _images(n: int, found: Layout, least: int) -> int:
    """How many images are worked on together: nearly as many in each group, of which there are so many at ``least``."""
    groups = -(-n // max(1, _GROUP // math.prod(found.lengths)))
    return -(-n // max(groups, min(least, n)))


def _chunks(n: int, images: int) -> int:
    """Into how many parts the work is cut for threads, whatever their number."""
    return min(-(-n // images), 16)


def _run(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, out: np.ndarray, groups: int, found: Layout, back: bool
) -> None:
    """Fill ``out``: the forward product, or with ``back`` that of gradients with the transposed weight."""
    if not out.size:
        return
    made, taps = weight[0].size, math.prod(weight.shape[2:])
    side = found.backward if back else found.forward
    strides = (weight.size // groups, taps, made) if back else (weight.size // groups, made, taps)
    images = _images(x.shape[0], found, threads.count)
    chunks, outputs = _chunks(x.shape[0], images), out.shape[1] // groups
    read, written = (found.counts, found.sizes) if back else (found.sizes, found.counts)
    _shared(convolve_columns if outputs >= _MANY else convolve, chunks, outputs)(
        _volumes(x, read), np.ascontiguousarray(weight).reshape(-1), strides, np.ascontiguousarray(bias),
        _volumes(out, written), groups, found.lengths, *side, images, chunks,
    )  # fmt: skip


def _shared(kernel: Kernel, chunks: int, outputs: int) -> Callable[..., None]:
    """The kernel, or its call on this thread where it has but one part."""
    return kernel if chunks > 1 or find_cuts.function(chunks, outputs) > 1 else kernel.serially


def _in_float32(compute: Callable) -> Callable:
    """float16 is summed in float32, which it would overflow, and no processor adds it up quickly."""

    @functools.wraps(compute)
    def run(*arrays: np.ndarray, **attrs: Any) -> np.ndarray:
        if arrays[0].dtype != float16:
            return compute(*arrays, **attrs)
        return compute(*(a.astype(float32) for a in arrays), **attrs).astype(float16)

    return run


@op(
    x=lambda g, weight, shape, stride, padding, dilation, groups: _conv_input(
        g, weight, _no_bias(weight, groups), sizes=shape[2:], stride=stride, padding=padding, dilation=dilation,
        groups=groups,
    ),
    weight=lambda g, x, shape, stride, padding, dilation, groups: _conv_weight(
        g, x, kernel=shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    bias=lambda g: sum(g, (0, *range(2, g.ndim))),
)  # fmt: skip
@_in_float32
def _conv(x, weight, bias, *, counts, stride, padding, dilation, groups):
    found = layout(x.shape[2:], tuple(counts), weight.shape[2:], stride, padding, dilation)
    out = np.empty((x.shape[0], weight.shape[0], *counts), x.dtype)
    _run(x, weight, bias, out, groups, found, back=False)
    return out


@op(
    part=lambda g, weight, shape, stride, padding, dilation, groups: _conv(
        g, weight, np.zeros(weight.shape[0], weight.dtype), counts=shape[2:], stride=stride, padding=padding,
        dilation=dilation, groups=groups,
    ),
    weight=lambda g, part, shape, stride, padding, dilation, groups: _conv_weight(
        part, g, kernel=shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    bias=lambda g: sum(g, (0, *range(2, g.ndim))),
)  # fmt: skip
@_in_float32
def _conv_input(part, weight, bias, *, sizes, stride, padding, dilation, groups):
    found = layout(tuple(sizes), part.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = np.empty((part.shape[0], weight.shape[1] * groups, *sizes), part.dtype)
    _run(part, weight, bias, out, groups, found, back=True)
    return out


@op(
    part=lambda g, x, shape, stride, padding, dilation, groups: _conv(
        x, g, np.zeros(g.shape[0], g.dtype), counts=shape[2:], stride=stride, padding=padding, dilation=dilation,
        groups=groups,
    ),
    x=lambda g, part, shape, stride, padding, dilation, groups: _conv_input(
        part, g, _no_bias(g, groups), sizes=shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
)  # fmt: skip
@_in_float32
def _conv_weight(part, x, *, kernel, stride, padding, dilation, groups):
    shape = (part.shape[1], x.shape[1] // groups, *kernel)
    if not part.size or not x.size:
        return np.zeros(shape, x.dtype)
    found = layout(x.shape[2:], part.shape[2:], tuple(kernel), stride, padding, dilation)
    images = _images(x.shape[0], found, 4)  # as many whatever the number of threads, as they are added up
    outputs, width = shape[0] // groups, math.prod(shape[1:])
    by_columns = outputs >= _MANY_GRADIENTS
    room = (groups * width, outputs) if by_columns else (shape[0], -(-width // 3) * 3)
    chunks = _chunks(x.shape[0], images)
    parts = np.zeros((chunks, *room), x.dtype)
    side = found.forward
    _shared(correlate_columns if by_columns else correlate, chunks, outputs)(
        _volumes(x, found.sizes), _volumes(part, found.counts), parts, groups, found.lengths, side.reads,
        side.read_step, side.taps, side.front, side.back, images,
    )  # fmt: skip
    if by_columns:
        out = np.empty(shape, x.dtype)
        add_parts(parts.reshape(-1, groups, width, outputs), out.reshape(groups, outputs, width))
    else:
        out = np.add.reduce(parts, 0, dtype=x.dtype)[:, :width].reshape(shape)
    return out if np.isfinite(out).all() else _exact_weight(part, x, shape, stride, padding, dilation, groups)


def _exact_weight(part, x, shape, stride, padding, dilation, groups):
    """The same, where an infinity or NaN must not meet the zeros that the kernel multiplies between rows."""
    kernel, counts = shape[2:], part.shape[2:]
    reach = [(m - 1) * s + (k - 1) * d + 1 for m, s, k, d in zip(counts, stride, kernel, dilation)]
    sides = [(p, max(r - p - n, 0)) for p, r, n in zip(padding, reach, x.shape[2:])]
    placed = view_windows(np.pad(x, ((0, 0), (0, 0), *sides)), kernel, stride, dilation)
    where: Any = (..., *(slice(m) for m in counts))
    placed = placed[where]
    left = part.reshape(part.shape[0], groups, -1, math.prod(counts))
    right = placed.reshape(x.shape[0], groups, -1, left.shape[-1])
    return np.einsum("ngol,ngkl->gok", left, right).reshape(shape)


def _no_bias(weight: Any, groups: int) -> np.ndarray:
    return np.zeros(weight.shape[1] * groups, weight.dtype)


def _convolve(
    rank: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    name = f"conv{rank}d"
    x = _batched(name, rank, input)
    _check_channels(name, rank, x, weight, bias, groups)
    placed = _placements(name, x.shape[2:], weight.shape[2:], fixed(stride), fixed(padding), fixed(dilation))
    out = _conv(
        x, weight, np.zeros(weight.shape[0], weight.dtype) if bias is None else bias, **placed, groups=groups
    )  # fmt: skip
    return out if x.ndim == input.ndim else squeeze(out, 0)


@remembered
def _placements(name: str, sizes: Sizes, kernel: Sizes, stride: Any, padding: Any, dilation: Any) -> dict[str, Sizes]:
    """How many placements there are along each axis, and what was said about them, a number for each axis."""
    steps, gaps = spread(name, stride, len(kernel), "stride"), spread(name, dilation, len(kernel), "dilation")
    sides = _padding(name, padding, kernel, steps, gaps)
    padded = [n + before + after for n, (before, after) in zip(sizes, sides)]
    counts = placements(name, padded, kernel, steps, gaps)
    return {"counts": counts, "stride": steps, "padding": tuple(before for before, _ in sides), "dilation": gaps}


def _batched(name: str, rank: int, input: Tensor) -> Tensor:
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}: the input must have {rank + 2} axes, or {rank + 1} without a batch; got {tuple(input.shape)}"
        )
    return input if input.ndim == rank + 2 else unsqueeze(input, 0)


def _check_channels(
    name: str, rank: int, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int, transposed: bool = False
) -> None:
    if weight.ndim != rank + 2:
        raise RuntimeError(f"{name}: the weight must have {rank + 2} axes; got {tuple(weight.shape)}")
    if not isinstance(groups, (int, np.integer)):
        raise TypeError(f"{name}: groups must be an integer; got {groups!r}")
    if groups < 1:
        raise RuntimeError(f"{name}: groups must be positive; got {groups}")
    wanted, made = weight.shape[1] * groups, weight.shape[0]
    if transposed:
        wanted, made = made, wanted
    if x.shape[1] != wanted:
        raise RuntimeError(
            f"{name}: the input must have {wanted} channels (weight {tuple(weight.shape)}, groups={groups}); "
            f"got {x.shape[1]} in {tuple(x.shape)}"
        )
    if weight.shape[0] % groups:
        raise RuntimeError(f"{name}: groups must divide the channels; got {weight.shape[0]} channels, groups={groups}")
    if bias is not None and tuple(bias.shape) != (made,):
        raise RuntimeError(f"{name}: the bias must have shape ({made},); got {tuple(bias.shape)}")
    if x.dtype != weight.dtype:
        raise RuntimeError(f"{name}: input and weight must have one dtype; got {x.dtype} and {weight.dtype}")
    if x.dtype == bool_:
        raise NotImplementedError(f"{name}: the tensors must hold numbers; got bool; convert them, with float() say")
    if bias is not None and bias.dtype != x.dtype:
        raise RuntimeError(f"{name}: input and bias must have one dtype; got {x.dtype} and {bias.dtype}")


def _padding(name: str, padding: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> list[tuple[int, int]]:
    """``padding`` as (before, after) for each axis."""
    rank = len(stride)
    if padding == "valid":
        padding = 0
    if padding == "same":
        if max(stride) > 1:
            raise RuntimeError(f"{name}: padding='same' needs stride 1; got stride {stride}")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation)]
        sides = [(total // 2, total - total // 2) for total in totals]
    elif isinstance(padding, str):
        raise RuntimeError(f"{name}: padding must be numbers, 'same' or 'valid'; got {padding!r}")
    else:
        sides = [(p, p) for p in spread(name, padding, rank, "padding")]
        if min(p for side in sides for p in side) < 0:
            raise RuntimeError(f"{name}: padding must not be negative; got {padding}")
    return sides


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of (n, c, l) with weight (o, c / groups, k): out[o, j] = sum of w[o, c, i] x[c, j s + i d].

    Length (l + 2 padding - dilation (k - 1) - 1) // stride + 1; padding may be 'same' or 'valid'.
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of (n, c, h, w) with weight (o, c / groups, kh, kw); sizes as in `conv1d`."""
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of (n, c, d, h, w) with weight (o, c / groups, kd, kh, kw); sizes as in `conv1d`."""
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


def _transposed(
    rank: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    name = f"conv_transpose{rank}d"
    x = _batched(name, rank, input)
    _check_channels(name, rank, x, weight, bias, groups, transposed=True)
    steps, gaps = spread(name, stride, rank, "stride"), spread(name, dilation, rank, "dilation")
    cut, more = spread(name, padding, rank, "padding"), spread(name, output_padding, rank, "output_padding")
    check_positive(name, kernel_size=tuple(weight.shape[2:]), stride=steps, dilation=gaps)
    if min(*cut, *more) < 0:
        raise RuntimeError(f"{name}: padding and output_padding must not be negative; got {cut} and {more}")
    if any(m >= max(s, d) for m, s, d in zip(more, steps, gaps)):
        raise RuntimeError(
            f"{name}: output_padding must be smaller than stride or dilation; "
            f"got output_padding {more}, stride {steps}, dilation {gaps}"
        )
    reach = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], gaps)]
    # Padding takes away at both ends what a convolution would have padded; output_padding adds at the end.
    sizes = tuple((n - 1) * s + r - 2 * c + m for n, s, r, c, m in zip(x.shape[2:], steps, reach, cut, more))
    if min(sizes) <= 0:
        raise RuntimeError(f"{name}: the output would be empty; got input {tuple(x.shape)}, padding {cut}")
    out = _conv_input(
        x, weight, _no_bias(weight, groups) if bias is None else bias, sizes=sizes, stride=steps, padding=cut,
        dilation=gaps, groups=groups,
    )  # fmt: skip
    return out if x.ndim == input.ndim else squeeze(out, 0)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """What `conv1d` does to gradients: (n, c, l) with weight (c, o / groups, k) -> (n, o, l'), where
    l' = (l - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1.
    """
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """What `conv2d` does to gradients: weight (c, o / groups, kh, kw); sizes as in `conv_transpose1d`."""
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """What `conv3d` does to gradients: weight (c, o / groups, kd, kh, kw); sizes as in `conv_transpose1d`."""
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)
