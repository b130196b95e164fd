"""Windows of an image as columns, and back."""

import math
from collections.abc import Sequence

import autograd
from autograd import Tensor

__all__ = ["fold", "unfold"]

Pair = int | Sequence[int]


def _pairs(op: str, **given: Pair) -> list[tuple[int, int]]:
    """One number for both axes, or two."""
    pairs = []
    for name, value in given.items():
        pair = (value, value) if isinstance(value, int) else tuple(value)
        if len(pair) != 2:
            raise RuntimeError(f"{op}: {name} must be one number or 2; got {value}")
        pairs.append(pair)
    if min(pairs[0]) < 0:
        raise RuntimeError(f"{op}: padding must not be negative; got {pairs[0]}")
    return pairs


def unfold(input: Tensor, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> Tensor:
    """Every window of (n, c, h, w) as a column: (n, c * kh * kw, number of windows); also without n.

    >>> unfold(autograd.arange(4.0).reshape(1, 1, 2, 2), kernel_size=(1, 2))
    tensor([[[0., 2.],
             [1., 3.]]])
    """
    (top, left), kernel, gaps, steps = _pairs(
        "unfold", padding=padding, kernel_size=kernel_size, dilation=dilation, stride=stride
    )
    if input.ndim not in (3, 4):
        raise RuntimeError(f"unfold: the input must be (n, c, h, w) or (c, h, w); got {tuple(input.shape)}")
    padded = autograd.pad(input, (left, left, top, top)) if top or left else input
    sizes = autograd.placements("unfold", padded.shape[-2:], kernel, steps, gaps)
    placed = autograd.windows(padded, kernel, steps, gaps)
    return placed.reshape(*input.shape[:-3], input.shape[-3] * math.prod(kernel), math.prod(sizes))


def fold(
    input: Tensor, output_size: Pair, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Tensor:
    """Columns (n, c * kh * kw, l) added back into an image (n, c, h, w) where `unfold` took them; also without n.

    >>> fold(autograd.ones(1, 2, 2), output_size=(1, 3), kernel_size=(1, 2))
    tensor([[[[1., 2., 1.]]]])
    """
    (top, left), kernel, gaps, steps, size = _pairs(
        "fold", padding=padding, kernel_size=kernel_size, dilation=dilation, stride=stride, output_size=output_size
    )
    whole = (size[0] + 2 * top, size[1] + 2 * left)
    sizes = autograd.placements("fold", whole, kernel, steps, gaps)
    taps = math.prod(kernel)
    if input.ndim not in (2, 3) or input.shape[-2] % taps or input.shape[-1] != math.prod(sizes):
        raise RuntimeError(
            f"fold: the input must be (n, c * {taps}, {math.prod(sizes)}) for output_size {size} and kernel {kernel}; "
            f"got {tuple(input.shape)}"
        )
    placed = input.reshape(*input.shape[:-2], input.shape[-2] // taps, *kernel, *sizes)
    image = autograd.overlap_add(placed, whole, kernel, steps, gaps)
    return autograd.pad(image, (-left, -left, -top, -top)) if top or left else image
