"""Convolution, over one, two or three axes, as matrix products of windows.

Three operations, each linear in both of its inputs and each other's derivatives: `_conv` of an input with a weight,
`_conv_input`, which carries a gradient of the output back to the input (and is the transposed convolution), and
`_conv_weight`, which carries it to the weight. Padding is an operation of its own.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .op import op
from .pad import pad
from .shape import reshape, squeeze, unsqueeze
from .windows import Sizes, add_windows, check_placements, output_sizes, spread, view_windows

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip


def _columns(x: np.ndarray, kernel: Sizes, stride: Sizes, dilation: Sizes, groups: int) -> np.ndarray:
    """(n, c, *) -> (n, groups, c / groups * k, l): what one output reads, as a column."""
    placed = view_windows(x, kernel, stride, dilation)
    n, c = x.shape[:2]
    taps = int(np.prod(kernel))
    return placed.reshape(n, groups, c // groups * taps, -1)


def _grouped(weight: np.ndarray, groups: int) -> np.ndarray:
    """(o, c / groups, *k) -> (groups, o / groups, c / groups * k)."""
    return weight.reshape(groups, weight.shape[0] // groups, -1)


@op(
    x=lambda g, weight, shape, stride, dilation, groups: _conv_input(
        g, weight, sizes=shape[2:], stride=stride, dilation=dilation, groups=groups
    ),
    weight=lambda g, x, shape, stride, dilation, groups: _conv_weight(
        g, x, kernel=shape[2:], stride=stride, dilation=dilation, groups=groups
    ),
)
def _conv(x, weight, *, stride, dilation, groups):
    kernel = weight.shape[2:]
    columns = _columns(x, kernel, stride, dilation, groups)
    out = np.matmul(_grouped(weight, groups), columns)
    return out.reshape(x.shape[0], weight.shape[0], *output_sizes(x.shape[2:], kernel, stride, dilation))


@op(
    part=lambda g, weight, stride, dilation, groups: _conv(g, weight, stride=stride, dilation=dilation, groups=groups),
    weight=lambda g, part, shape, stride, dilation, groups: _conv_weight(
        part, g, kernel=shape[2:], stride=stride, dilation=dilation, groups=groups
    ),
)
def _conv_input(part, weight, *, sizes, stride, dilation, groups):
    n, placements, kernel = part.shape[0], part.shape[2:], weight.shape[2:]
    grouped = part.reshape(n, groups, part.shape[1] // groups, -1)
    columns = np.matmul(_grouped(weight, groups).swapaxes(1, 2), grouped)
    columns = columns.reshape(n, weight.shape[1] * groups, *kernel, *placements)
    return add_windows(columns, tuple(sizes), kernel, stride, dilation)


@op(
    part=lambda g, x, stride, dilation, groups: _conv(x, g, stride=stride, dilation=dilation, groups=groups),
    x=lambda g, part, shape, stride, dilation, groups: _conv_input(
        part, g, sizes=shape[2:], stride=stride, dilation=dilation, groups=groups
    ),
)
def _conv_weight(part, x, *, kernel, stride, dilation, groups):
    n, channels = part.shape[:2]
    # One product over all samples and places: (o, n l) @ (n l, c k) for each group.
    left = part.reshape(n, groups, channels // groups, -1).transpose(1, 2, 0, 3).reshape(groups, channels // groups, -1)
    columns = _columns(x, kernel, stride, dilation, groups)
    right = columns.transpose(1, 0, 3, 2).reshape(groups, -1, columns.shape[2])
    return np.matmul(left, right).reshape(channels, x.shape[1] // groups, *kernel)


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
    _check_channels(name, rank, x, weight, bias, groups, weight.shape[1] * groups, weight.shape[0])
    steps, gaps = spread(name, stride, rank, "stride"), spread(name, dilation, rank, "dilation")
    x = pad(x, _padding(name, padding, weight.shape[2:], steps, gaps))
    check_placements(name, x.shape[2:], tuple(weight.shape[2:]), steps, gaps)
    out = _conv(x, weight, stride=steps, dilation=gaps, groups=groups)
    out = out if bias is None else out + reshape(bias, (-1, *(1,) * rank))
    return out if x.ndim == input.ndim else squeeze(out, 0)


def _batched(name: str, rank: int, input: Tensor) -> Tensor:
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}: the input must have {rank + 2} axes, or {rank + 1} without a batch; got {tuple(input.shape)}"
        )
    return input if input.ndim == rank + 2 else unsqueeze(input, 0)


def _check_channels(
    name: str, rank: int, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int, wanted: int, made: int
) -> None:
    if weight.ndim != rank + 2:
        raise RuntimeError(f"{name}: the weight must have {rank + 2} axes; got {tuple(weight.shape)}")
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


def _padding(name: str, padding: Any, kernel: Sequence[int], stride: Sizes, dilation: Sizes) -> list[int]:
    """``padding`` as `pad` takes it, the last axis first."""
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
    return [p for side in reversed(sides) for p in side]


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
    _check_channels(name, rank, x, weight, bias, groups, weight.shape[0], weight.shape[1] * groups)
    steps, gaps = spread(name, stride, rank, "stride"), spread(name, dilation, rank, "dilation")
    cut, more = spread(name, padding, rank, "padding"), spread(name, output_padding, rank, "output_padding")
    if any(m >= max(s, d) for m, s, d in zip(more, steps, gaps)):
        raise RuntimeError(
            f"{name}: output_padding must be smaller than stride or dilation; "
            f"got output_padding {more}, stride {steps}, dilation {gaps}"
        )
    reach = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], gaps)]
    whole = tuple((n - 1) * s + r for n, s, r in zip(x.shape[2:], steps, reach))
    out = _conv_input(x, weight, sizes=whole, stride=steps, dilation=gaps, groups=groups)
    # Padding takes away at both ends what a convolution would have padded; output_padding adds at the end.
    out = pad(out, [p for c, m in reversed(list(zip(cut, more))) for p in (-c, m - c)])
    if min(out.shape[2:]) <= 0:
        raise RuntimeError(f"{name}: the output would be empty; got input {tuple(x.shape)}, padding {cut}")
    out = out if bias is None else out + reshape(bias, (-1, *(1,) * rank))
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
