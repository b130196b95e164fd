"""Normalisation to mean 0 and variance 1, of rows and of channels, with the affine map that follows: each one pass
forward and one back.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import float16, float32
from ..kernels import normalize as kernels
from ..tensor import Tensor
from .convert import cast
from .exponential import sqrt
from .op import Kept, op
from .reduce import mean, sum, var
from .shape import reshape, sum_to

__all__ = ["channel_moments", "normalize_channels", "normalize_rows"]


def _standardised(x: Any, dims: Sequence[int], eps: float) -> tuple[Any, Any]:
    """(x - mean) / sqrt(variance + eps) and 1 / sqrt(variance + eps)."""
    scale = 1 / sqrt(var(x, dims, correction=0, keepdim=True) + eps)
    return (x - mean(x, dims, True)) * scale, scale


def _through(g: Any, x: Any, weight: Any, dims: Sequence[int], eps: float) -> Any:
    """The gradient of x: what is left of that of the output without its mean and its part along the output."""
    h, scale = _standardised(x, dims, eps)
    part = g * weight
    return scale * (part - mean(part, dims, True) - h * mean(part * h, dims, True))


# --- rows ------------------------------------------------------------------------------------------------------------


@op(
    x=lambda g, x, weight, eps: _through(g, x, weight, (1,), eps),
    weight=lambda g, x, eps: sum(g * _standardised(x, (1,), eps)[0], 0),
    bias=lambda g, shape: sum_to(g, shape),
)
def _normalize_rows(x, weight, bias, *, eps):
    x = np.ascontiguousarray(x)
    out, moments = np.empty(x.shape, x.dtype), np.empty((2, x.shape[0]), x.dtype)
    kernels.normalize_rows(x, weight, bias, eps, out, *moments)
    return Kept(out, moments)


@_normalize_rows.by_hand
def _normalize_rows_backward(g, x, weight, kept):
    dx = np.empty(x.shape, g.dtype)
    dweight, dbias = np.zeros((2, x.shape[1]), g.dtype)
    kernels.normalize_rows_backward(
        np.ascontiguousarray(g), np.ascontiguousarray(x), weight, kept[0], kept[1], dx, dweight, dbias
    )
    return [dx, dweight, dbias]


def normalize_rows(input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias, mean and variance those of each row; (r, n), (n,), (n,) ->
    (r, n). Without weight and bias 1 and 0.

    >>> normalize_rows(Tensor([[0.0, 2.0], [5.0, 7.0]]), None, None, 0.0)
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """
    if input.ndim != 2:
        raise RuntimeError(f"normalize_rows: a matrix is needed; got shape {tuple(input.shape)}")
    return _in_float(_normalize_rows, input, weight, bias, input.shape[1], eps)


def _in_float(function: Any, x: Any, weight: Any, bias: Any, count: int, eps: float) -> Any:
    """Run on tensors of one dtype, which for float16 is float32, as its sums would overflow."""
    dtype = float32 if x.dtype == float16 else x.dtype
    weight = np.ones(count, dtype) if weight is None else cast(weight, dtype)
    bias = np.zeros(count, dtype) if bias is None else cast(bias, dtype)
    return cast(function(cast(x, dtype), weight, bias, eps=eps), x.dtype)


# --- channels --------------------------------------------------------------------------------------------------------


def _by_channel(x: np.ndarray) -> np.ndarray:
    """(n, c, *) as (n, c, product of *)."""
    return np.ascontiguousarray(x).reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _others(x: Any) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _wide(t: Any, ndim: int) -> Any:
    """(c,) as (c, 1, ...), to broadcast with (n, c, ...)."""
    return reshape(t, -1, *[1] * (ndim - 2))


@op()
def _channel_moments(x):
    moments = np.zeros((2, x.shape[1]), np.float64)
    kernels.channel_moments(_by_channel(x), *moments)
    return moments.astype(x.dtype)


def channel_moments(input: Tensor) -> Tensor:
    """The mean and the variance (divisor m) of each channel of (n, c, *), outside the graph; -> (2, c)."""
    x = input.detach()
    return cast(_channel_moments(cast(x, float32)), x.dtype) if x.dtype == float16 else _channel_moments(x)


@op(
    x=lambda g, x, weight, eps: _through(g, x, _wide(weight, x.ndim), _others(x), eps),
    weight=lambda g, x, eps: sum(g * _standardised(x, _others(x), eps)[0], _others(x)),
    bias=lambda g: sum(g, _others(g)),
)
def _normalize_channels(x, weight, bias, moments, *, eps):
    out = np.empty(x.shape, x.dtype)
    scale = (1 / np.sqrt(moments[1] + eps)).astype(x.dtype)
    kernels.normalize_channels(_by_channel(x), np.ascontiguousarray(moments[0]), scale * weight, bias, _by_channel(out))
    return Kept(out, scale)


@_normalize_channels.by_hand
def _normalize_channels_backward(g, x, weight, moments, kept):
    dx = np.empty(x.shape, g.dtype)
    dweight, dbias = np.zeros((2, x.shape[1]), g.dtype)
    arrays = (np.ascontiguousarray(moments[0]), kept, weight, _by_channel(dx), dweight, dbias)
    kernels.normalize_channels_backward(_by_channel(g), _by_channel(x), *arrays)
    return [dx, dweight, dbias, None]


def normalize_channels(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, moments: Tensor | None = None
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias, mean and variance those of each channel over the batch;
    (n, c, *), (c,), (c,) -> (n, c, *). ``moments`` are those of `channel_moments`, if they are known.

    >>> normalize_channels(Tensor([[0.0, 5.0], [2.0, 7.0]]), None, None, 0.0)
    tensor([[-1., -1.],
            [ 1.,  1.]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"normalize_channels: the tensor must be (n, c, *); got shape {tuple(input.shape)}")
    found = channel_moments(input) if moments is None else moments

    def run(x: Any, weight: Any, bias: Any, eps: float) -> Any:
        return _normalize_channels(x, weight, bias, cast(found, x.dtype), eps=eps)

    return _in_float(run, input, weight, bias, input.shape[1], eps)
