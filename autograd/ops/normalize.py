"""Normalisation to mean 0 and variance 1, of rows and of channels, with the affine map that follows: each one pass
forward and one back.
"""

import functools
import math
from typing import Any

import numpy as np

from ..dtypes import float16, float32
from ..kernels import normalize as kernels
from ..kernels.reduce import DEVIATIONS, SUM, reduce
from ..tensor import Tensor
from .convert import cast
from .dims import filled
from .exponential import sqrt
from .op import Kept, op
from .reduce import mean, sum, var
from .shape import reshape

__all__ = ["channel_moments", "normalize_channels", "normalize_rows"]


def _flat(x: np.ndarray) -> np.ndarray:
    """In one piece: to read a gradient that is one number everywhere at intervals of 0 takes four times as long."""
    return x.ravel()


def _parts(rows: int) -> int:
    """How many parts add up gradients of weight and bias by themselves; as many whatever the number of threads."""
    return min(-(-rows // 32), 64) or 1


def _in_float(function: Any, x: Any, weight: Any, bias: Any, count: int) -> Any:
    """Run on tensors of one dtype, which for float16 is float32, as its sums would overflow."""
    dtype = float32 if x.dtype == float16 else x.dtype
    weight = filled(1.0, count, dtype) if weight is None else cast(weight, dtype)
    bias = filled(0.0, count, dtype) if bias is None else cast(bias, dtype)
    return cast(function(cast(x, dtype), weight, bias), x.dtype)


# --- rows ------------------------------------------------------------------------------------------------------------


def _standardised(x: Any, groups: int, channels: int, length: int, centred: bool, eps: float) -> tuple[Any, Any]:
    """x as (n, groups, channels, length), normalised, and the factor of each (n, groups)."""
    x = reshape(x, -1, groups, channels, length)
    square = var(x, (2, 3), correction=0, keepdim=True) if centred else mean(x * x, (2, 3), True)
    scale = 1 / sqrt(square + eps)
    return ((x - mean(x, (2, 3), True)) if centred else x) * scale, scale


def _row_gradient(g, x, weight, shape, groups, channels, length, centred, eps):
    h, scale = _standardised(x, groups, channels, length, centred, eps)
    part = reshape(g, h.shape) * reshape(weight, groups, channels, 1)
    part = scale * ((part - mean(part, (2, 3), True) if centred else part) - h * mean(part * h, (2, 3), True))
    return reshape(part, shape)


def _row_weight_gradient(g, x, shape, groups, channels, length, centred, eps):
    h, _ = _standardised(x, groups, channels, length, centred, eps)
    return reshape(sum(reshape(g, h.shape) * h, (0, 3)), shape)


@op(
    x=_row_gradient,
    weight=_row_weight_gradient,
    bias=lambda g, shape, groups, channels, length: reshape(
        sum(reshape(g, -1, groups * channels, length), (0, 2)), shape
    ),
)
def _normalize_rows(x, weight, bias, *, groups, channels, length, centred, eps):
    if not weight.size == bias.size == groups * channels:
        shapes = f"{weight.shape} and {bias.shape}"
        raise RuntimeError(f"normalize_rows: weight and bias must have {groups * channels} numbers; got {shapes}")
    out = np.empty(x.shape, x.dtype)
    moments = np.empty((2, x.size // max(channels * length, 1)), x.dtype)
    kernels.normalize_rows(
        _flat(x), _flat(weight), _flat(bias), groups, channels, length, centred, eps, _flat(out), *moments
    )
    return Kept(out, moments)


@_normalize_rows.by_hand
def _normalize_rows_backward(g, x, weight, kept, groups, channels, length, centred):
    dx = np.empty(x.shape, g.dtype)
    sums = np.empty((_parts(kept.shape[1]), 2, groups * channels), g.dtype)
    kernels.normalize_rows_backward(
        _flat(g), _flat(x), _flat(weight), groups, channels, length, centred, *kept, _flat(dx), sums
    )
    dweight, dbias = sums[0] if len(sums) == 1 else reduce(SUM, sums, (0,))
    return [dx, dweight.reshape(weight.shape), dbias.reshape(weight.shape)]


def normalize_rows(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    *,
    count: int | None = None,
    groups: int = 1,
    length: int = 1,
    centred: bool = True,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias, mean and variance those of each row: ``count`` neighbouring
    elements, by default the last axis. Without weight and bias 1 and 0.

    A number of weight and bias belongs to ``length`` neighbours. Rows of ``groups`` kinds take turns, and each kind has
    its own numbers, groups * count / length altogether. Unless ``centred`` the mean is left where it is.

    >>> normalize_rows(Tensor([[0.0, 2.0], [5.0, 7.0]]), None, None, 0.0)
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """
    if not input.ndim:
        raise RuntimeError(f"normalize_rows: there must be an axis; got shape {tuple(input.shape)}")
    channels = (input.shape[-1] if count is None else count) // length
    run = functools.partial(
        _normalize_rows, groups=groups, channels=channels, length=length, centred=centred, eps=float(eps)
    )
    return _in_float(run, input, weight, bias, groups * channels)


# --- channels --------------------------------------------------------------------------------------------------------


def _seen(x: np.ndarray) -> tuple[int, int]:
    """n and the product of the axes * of (n, c, *)."""
    return x.shape[0], math.prod(x.shape[2:])


def _others(x: Any) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _wide(t: Any, ndim: int) -> Any:
    """(c,) as (c, 1, ...), to broadcast with (n, c, ...)."""
    return reshape(t, -1, *[1] * (ndim - 2))


@op()
def _channel_moments(x):
    n, length = _seen(x)
    if not x.size:  # any, but not NaN, which would become the gradient of weights
        return np.zeros(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype)
    if length == 1:
        rows = x.reshape(x.shape[:2])
        m = reduce(SUM, rows, (0,), False, float(n))
        return m, reduce(DEVIATIONS, rows, (0,), False, float(n), m)
    m, v = np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    kernels.channel_moments(_flat(x), n, length, m, v)
    return m, v


def channel_moments(input: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the variance (divisor m) of each channel of (n, c, *), outside the graph; -> (c,), (c,)."""
    x = input.detach()
    m, v = _channel_moments(cast(x, float32) if x.dtype == float16 else x)
    return cast(m, x.dtype), cast(v, x.dtype)


def _channel_values(x: Any, m: Any, v: Any, fixed: bool, eps: float) -> tuple[Any, Any]:
    """x normalised, and the factor of each channel."""
    if fixed:
        scale = _wide(1 / sqrt(v + eps), x.ndim)
        return (x - _wide(m, x.ndim)) * scale, scale
    scale = 1 / sqrt(var(x, _others(x), correction=0, keepdim=True) + eps)
    return (x - mean(x, _others(x), True)) * scale, scale


def _channel_gradient(g, x, weight, m, v, fixed, eps):
    h, scale = _channel_values(x, m, v, fixed, eps)
    part = g * _wide(weight, x.ndim)
    if fixed:
        return part * scale
    return scale * (part - mean(part, _others(x), True) - h * mean(part * h, _others(x), True))


@op(
    x=_channel_gradient,
    weight=lambda g, x, m, v, fixed, eps: sum(g * _channel_values(x, m, v, fixed, eps)[0], _others(x)),
    bias=lambda g: sum(g, _others(g)),
)
def _normalize_channels(x, weight, bias, m, v, *, fixed, eps):
    if not weight.shape == bias.shape == m.shape == v.shape == x.shape[1:2]:
        shapes = f"{weight.shape}, {bias.shape}, {m.shape} and {v.shape}"
        raise RuntimeError(f"normalize_channels: weight, bias and moments must have shape {x.shape[1:2]}; got {shapes}")
    out, scale = np.empty(x.shape, x.dtype), np.empty(x.shape[1], x.dtype)
    kernels.normalize_channels(_flat(x), *_seen(x), m, v, weight, bias, eps, _flat(out), scale)
    return Kept(out, scale)


@_normalize_channels.by_hand
def _normalize_channels_backward(g, x, weight, m, kept, fixed):
    n, length = _seen(x)
    sums = np.empty((_parts(n) + 1, 2, x.shape[1]), g.dtype)
    dweight, dbias = sums[0]
    dx = np.empty(x.shape, g.dtype)
    kernels.normalize_channels_backward(
        _flat(g), _flat(x), n, length, m, kept, weight, fixed, _flat(dx), dweight, dbias, sums[1:]
    )
    return [dx, dweight, dbias, None, None]


def normalize_channels(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    moments: tuple[Tensor, Tensor] | None = None,
    *,
    fixed: bool = False,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias, mean and variance those of each channel over the batch;
    (n, c, *), (c,), (c,) -> (n, c, *). ``moments`` are those of `channel_moments` if they are known, or, if they are
    ``fixed``, any others, which the gradient takes for constants.

    >>> normalize_channels(Tensor([[0.0, 5.0], [2.0, 7.0]]), None, None, 0.0)
    tensor([[-1., -1.],
            [ 1.,  1.]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"normalize_channels: the tensor must be (n, c, *); got shape {tuple(input.shape)}")
    found = channel_moments(input) if moments is None else moments

    def run(x: Any, weight: Any, bias: Any) -> Any:
        m, v = found
        return _normalize_channels(x, weight, bias, cast(m, x.dtype), cast(v, x.dtype), fixed=fixed, eps=float(eps))

    return _in_float(run, input, weight, bias, input.shape[1])
