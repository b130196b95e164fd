"""Normalisation: mean 0 and variance 1 over some axes, then an affine map."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


@autograd.update
def _move(mean, var, g, var_now, *, momentum, scale):
    return (1 - momentum) * mean + momentum * g, (1 - momentum) * var + momentum * scale * var_now


def _track(
    mean: Tensor | None, var: Tensor | None, mean_now: Tensor, var_now: Tensor, momentum: float, scale: float = 1.0
) -> None:
    """running = (1 - momentum) * running + momentum * now, in place and outside the graph; ``scale`` makes of the
    variance now the one that is tracked.
    """
    if mean is None and var is None:
        return
    # One of them alone moves beside another that nobody keeps.
    mean, var = mean_now.clone() if mean is None else mean, var_now.clone() if var is None else var
    _move(mean, var, mean_now.to(mean.dtype), var_now.to(var.dtype), momentum=momentum, scale=scale)


def _check(op: str, input: Tensor, shape: tuple[int, ...], weight: Tensor | None, bias: Tensor | None) -> None:
    """Weight and bias have this shape and the dtype of the input."""
    dtype = input.array.dtype
    if weight is not None and (weight.array.shape != shape or weight.array.dtype != dtype):
        _refuse(op, "weight", weight, shape, input)
    if bias is not None and (bias.array.shape != shape or bias.array.dtype != dtype):
        _refuse(op, "bias", bias, shape, input)


def _refuse(op: str, name: str, given: Tensor, shape: tuple[int, ...], input: Tensor) -> None:
    if given.shape != shape:
        raise RuntimeError(f"{op}: the {name} must have shape {shape}; got {tuple(given.shape)}")
    raise RuntimeError(
        f"{op}: input and {name} must have one dtype; got {input.dtype} and {given.dtype}; convert one with to()"
    )


def _check_statistics(op: str, input: Tensor, mean: Tensor | None, var: Tensor | None) -> tuple[int, ...]:
    """The shape of what has one number for each channel of the input (n, c, *), as these have."""
    shape = input.array.shape[1:2]
    if mean is not None and mean.array.shape != shape:
        _refuse(op, "running_mean", mean, shape, input)
    if var is not None and var.array.shape != shape:
        _refuse(op, "running_var", var, shape, input)
    return shape


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
    if input.ndim < 2:
        raise ValueError(f"batch_norm: the input must have 2 or more axes; got shape {input.shape}")
    if eps < 0 or (training and not eps):
        raise ValueError(f"batch_norm: eps must {'be positive' if training else 'not be negative'}; got {eps}")
    shape = _check_statistics("batch_norm", input, running_mean, running_var)
    _check("batch_norm", input, shape, weight, bias)
    if training:
        count = input.array.size // max(input.shape[1], 1)
        if count == 1:
            raise ValueError(
                f"batch_norm: training needs more than one value for each channel; got shape {input.shape}"
            )
        moments = autograd.channel_moments(input)
        if count:
            _track(running_mean, running_var, *moments, momentum, count / (count - 1))
        return autograd.normalize_channels(input, weight, bias, eps, moments)
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: evaluation needs running_mean and running_var; got None")
    return autograd.normalize_channels(input, weight, bias, eps, (running_mean, running_var), fixed=True)


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
    count = math.prod(input.shape[2:])
    if count == 1:
        raise ValueError(f"instance_norm: more than one value for each channel is needed; got shape {input.shape}")
    shape = _check_statistics("instance_norm", input, running_mean, running_var)
    _check("instance_norm", input, shape, weight, bias)
    x: Any = input
    if count and (running_mean is not None or running_var is not None):
        values = x.detach().reshape(*x.shape[:2], count)
        _track(running_mean, running_var, values.mean((0, 2)), values.var(2).mean(0), momentum)
    count = count or 1  # of nothing any number of rows is nothing
    return autograd.normalize_rows(x, weight, bias, eps, count=count, groups=x.shape[1], length=count)


def _trailing(op: str, input: Tensor, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    """``normalized_shape``, which the last axes must have."""
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise RuntimeError(f"{op}: the last axes of the input must be {shape}; got shape {input.shape}")
    return shape


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
    shape = _trailing("layer_norm", input, normalized_shape)
    _check("layer_norm", input, shape, weight, bias)
    return autograd.normalize_rows(input, weight, bias, eps, count=math.prod(shape))


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last axes; eps is that of the dtype it is computed in unless given
    (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467).
    """
    shape = _trailing("rms_norm", input, normalized_shape)
    if weight is not None and weight.array.shape != shape:
        _refuse("rms_norm", "weight", weight, shape, input)
    small = float(np.finfo(np.promote_types(input.dtype, np.float32)).eps) if eps is None else eps
    return autograd.normalize_rows(input, weight, None, small, count=math.prod(shape), centred=False)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """The channels of (n, c, *) in ``num_groups`` groups, each group of each sample normalised; then weight and bias of
    each channel (Wu and He 2018, https://arxiv.org/abs/1803.08494).
    """
    if num_groups < 1:
        raise RuntimeError(f"group_norm: num_groups must be positive; got {num_groups}")
    if input.ndim < 2 or input.shape[1] % num_groups:
        raise RuntimeError(
            f"group_norm: the input must be (n, c, *) with c divisible by {num_groups}; got shape {input.shape}"
        )
    _check("group_norm", input, input.array.shape[1:2], weight, bias)
    length = math.prod(input.shape[2:])
    count = input.shape[1] // num_groups * length
    if input.shape[0] * count == 1:
        raise ValueError(f"group_norm: more than one value for each group is needed; got shape {input.shape}")
    if not length:  # of nothing any number of rows is nothing
        length, count = 1, input.shape[1] // num_groups
    return autograd.normalize_rows(input, weight, bias, eps, count=count, groups=num_groups, length=length)


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
