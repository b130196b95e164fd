"""Normalisation."""

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["batch_norm"]


@autograd.update
def _move(p, g, *, momentum):
    return (1 - momentum) * p + momentum * g


def _along_channels(t: Tensor, ndim: int) -> Tensor:
    """(c,) as (1, c, 1, ...), to broadcast with (n, c, ...)."""
    return t if ndim == 2 else t.reshape(-1, *[1] * (ndim - 2))  # type: ignore[attr-defined]


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
    if ndim < 2:
        raise ValueError(f"batch_norm: the input must have 2 or more axes; got shape {input.shape}")
    if training:
        dims = (0, *range(2, ndim))
        count = input.array.size // max(input.shape[1], 1)
        if count <= 1:
            raise ValueError(f"batch_norm: training needs more than one value for each channel; got shape {input.shape}")
        centre = input.mean(dims, True)  # type: ignore[attr-defined]
        spread = input.var(dims, correction=0, keepdim=True)  # type: ignore[attr-defined]
        if running_mean is not None and running_var is not None:
            unbiased = spread.array.ravel() * (count / (count - 1))
            _run(running_mean, centre.array.ravel(), momentum)
            _run(running_var, unbiased, momentum)
    elif running_mean is None or running_var is None:
        raise ValueError("batch_norm: evaluation needs running_mean and running_var; got None")
    else:
        centre = _along_channels(running_mean, ndim)
        spread = _along_channels(running_var, ndim)
    out = (input - centre) / (spread + eps).sqrt()
    if weight is not None:
        out = out * _along_channels(weight, ndim)
    return out if bias is None else out + _along_channels(bias, ndim)


def _run(running: Tensor, now: np.ndarray, momentum: float) -> None:
    _move(running, Tensor(now.astype(running.dtype, copy=False)), momentum=momentum)
