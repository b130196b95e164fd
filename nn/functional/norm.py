"""Normalisation: mean 0 and variance 1 over some axes, then an affine map."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


@autograd.update
def _move(p, g, *, momentum):
    return (1 - momentum) * p + momentum * g


def _track(mean: Tensor | None, var: Tensor | None, now: tuple[np.ndarray, np.ndarray], momentum: float) -> None:
    """running = (1 - momentum) * running + momentum * now for both, in place and outside the graph."""
    pairs = [(r, Tensor(n.astype(r.dtype, copy=False))) for r, n in zip((mean, var), now) if r is not None]
    if pairs:
        _move.each(pairs, {"momentum": momentum})


def _check_dtype(op: str, input: Tensor, weight: Tensor | None) -> None:
    if weight is not None and weight.dtype != input.dtype:
        raise RuntimeError(
            f"{op}: input and weight must have one dtype; got {input.dtype} and {weight.dtype}; convert one with to()"
        )


def _along_channels(t: Tensor, ndim: int) -> Tensor:
    """(c,) as (c, 1, ...), to broadcast with (n, c, ...)."""
    return t if ndim == 2 else t.reshape(-1, *[1] * (ndim - 2))


def _affine(x: Any, weight: Any, bias: Any) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _per_channel(x: Any, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    ndim = x.ndim
    return _affine(
        x,
        None if weight is None else _along_channels(weight, ndim),
        None if bias is None else _along_channels(bias, ndim),
    )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel of (n, c, *), the mean and variance those of the
    batch when ``training``, the running ones otherwise (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167).

    When training, running = (1 - momentum) * running + momentum * that of the batch, the variance with divisor m - 1.
    """
    ndim = input.ndim
    _check_dtype("batch_norm", input, weight)
    if ndim < 2:
        raise ValueError(f"batch_norm: the input must have 2 or more axes; got shape {input.shape}")
    if training:
        count = input.array.size // max(input.shape[1], 1)
        if count <= 1:
            raise ValueError(
                f"batch_norm: training needs more than one value for each channel; got shape {input.shape}"
            )
        moments = autograd.channel_moments(input)
        mean, var = moments.array
        _track(running_mean, running_var, (mean, var * (count / (count - 1))), momentum)
        return autograd.normalize_channels(input, weight, bias, eps, moments)
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: evaluation needs running_mean and running_var; got None")
    centre, spread = _along_channels(running_mean, ndim), _along_channels(running_var, ndim)
    return _per_channel((input - centre) / autograd.sqrt(spread + eps), weight, bias)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`batch_norm` with the mean and variance of each sample's channel by itself, for (n, c, *)
    (Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022).
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if input.ndim < 3:
        raise ValueError(f"instance_norm: the input must be (n, c, *); got shape {input.shape}")
    count = int(np.prod(input.shape[2:]))
    if count <= 1:
        raise ValueError(f"instance_norm: more than one value for each channel is needed; got shape {input.shape}")
    x: Any = input
    if running_mean is not None or running_var is not None:
        values = x.array.reshape(*x.shape[:2], count)
        now = values.mean((0, 2)), values.var(2, ddof=1).mean(0)
        _track(running_mean, running_var, now, momentum)
    rows = autograd.normalize_rows(x.reshape(-1, count), None, None, eps)
    return _per_channel(rows.reshape(x.shape), weight, bias)


def _check_trailing(op: str, input: Tensor, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    """The axes that ``normalized_shape`` names, counted from the back."""
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise RuntimeError(f"{op}: the last axes of the input must be {shape}; got shape {input.shape}")
    return tuple(range(-len(shape), 0))


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes, which are ``normalized_shape``
    (Ba et al. 2016, https://arxiv.org/abs/1607.06450).
    """
    dims = _check_trailing("layer_norm", input, normalized_shape)
    _check_dtype("layer_norm", input, weight)
    x: Any = input
    count = int(np.prod(x.shape[-len(dims) :]))
    w, b = (None if t is None else t.reshape(count) for t in (weight, bias))
    return autograd.normalize_rows(x.reshape(x.array.size // max(count, 1), count), w, b, eps).reshape(x.shape)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last axes; eps is the dtype's unless given
    (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467).
    """
    dims = _check_trailing("rms_norm", input, normalized_shape)
    x: Any = input
    small = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _affine(x / autograd.sqrt((x * x).mean(dims, True) + small), weight, None)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """The channels of (n, c, *) in ``num_groups`` groups, each group of each sample normalised; then weight and bias of
    each channel (Wu and He 2018, https://arxiv.org/abs/1803.08494).
    """
    if input.ndim < 2 or input.shape[1] % num_groups:
        raise RuntimeError(
            f"group_norm: the input must be (n, c, *) with c divisible by {num_groups}; got shape {input.shape}"
        )
    _check_dtype("group_norm", input, weight)
    x: Any = input
    groups = x.shape[0] * num_groups
    rows = autograd.normalize_rows(x.reshape(groups, x.array.size // max(groups, 1)), None, None, eps)
    return _per_channel(rows.reshape(x.shape), weight, bias)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha * mean of x^2 over ``size`` neighbouring channels)^beta, channels beyond the ends being 0
    (Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks").
    """
    if input.ndim < 3:
        raise ValueError(f"local_response_norm: the input must be (n, c, *); got shape {input.shape}")
    x: Any = input
    n, channels, *rest = input.shape

    def border(count: int) -> Tensor:
        return autograd.zeros(n, count, *rest, dtype=x.dtype)

    padded = autograd.cat([border(size // 2), x * x, border((size - 1) // 2)], 1)
    total = padded[:, :channels]
    for i in range(1, size):
        total = total + padded[:, i : i + channels]
    return x / (total * (alpha / size) + k) ** beta
