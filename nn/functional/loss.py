"""Losses of regression and of yes-or-no answers, each computed element by element and then reduced."""

import math
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .reduction import legacy_reduction, reduce_loss

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "hinge_embedding_loss",
    "huber_loss", "kl_div", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss",
]  # fmt: skip


def broadcast(op: str, input: Tensor, target: Tensor) -> Sequence[Tensor]:
    """Both in one shape, with a warning: a target (n, 1) for an input (n,) broadcasts to (n, n), which is hardly ever
    meant.
    """
    if input.shape == target.shape:
        return input, target
    warnings.warn(
        f"{op}: the target should have the shape of the input; got {target.shape} for {input.shape}; "
        "they are broadcast",
        UserWarning,
        stacklevel=4,
    )
    return autograd.broadcast_tensors(input, target)


def _both(weight: Any, sample_weight: Any, loss: Tensor) -> Any:
    """Weights of elements and of samples as weights of elements."""
    if weight is None or sample_weight is None:
        return sample_weight if weight is None else weight
    per_sample = autograd.as_tensor(sample_weight)
    return weight * per_sample.reshape(*per_sample.shape, *[1] * (loss.ndim - per_sample.ndim))


# --- regression -------------------------------------------------------------------------------------------------------


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """(input - target)^2 for each element; ``weight`` weighs elements, and their sum is what "mean" divides by.

    >>> mse_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([0.0, 0.0]))
    tensor(2.5000)
    """
    input, target = broadcast("mse_loss", input, target)
    loss = autograd.squared_error(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("mse_loss", loss, reduction, _both(weight, sample_weight, loss))


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """abs(input - target) for each element; ``weight`` as for `mse_loss`."""
    input, target = broadcast("l1_loss", input, target)
    loss = autograd.absolute_error(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("l1_loss", loss, reduction, _both(weight, sample_weight, loss))


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Any = None,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """d^2 / 2 where d = abs(input - target) is below ``delta``, else delta * (d - delta / 2); ``weight`` multiplies
    the loss of each element (Huber 1964, https://doi.org/10.1214/aoms/1177703732).
    """
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive; got {delta}")
    input, target = broadcast("huber_loss", input, target)
    loss = autograd.huber_error(input, target, delta)
    if weight is not None:
        loss = loss * weight
    return reduce_loss("huber_loss", loss, reduction, sample_weight)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """`huber_loss` with delta = beta divided by beta; with beta 0 `l1_loss` (Girshick 2015,
    https://arxiv.org/abs/1504.08083).
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative; got {beta}")
    input, target = broadcast("smooth_l1_loss", input, target)
    loss = autograd.huber_error(input, target, beta) / beta if beta else autograd.absolute_error(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("smooth_l1_loss", loss, reduction, sample_weight)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """exp(input) - target * input, or with ``log_input=False`` input - target * log(input + eps); ``full`` adds
    Stirling's approximation of log(target!) where the target is above 1.
    """
    x: Any = input
    loss = autograd.exp(x) - target * x if log_input else x - target * autograd.log(x + eps)
    if full:
        t: Any = autograd.where(target > 1, target, 1.0)
        stirling = t * autograd.log(t) - t + 0.5 * autograd.log(2 * math.pi * t)
        loss = loss + autograd.where(target > 1, stirling, 0.0)
    return reduce_loss("poisson_nll_loss", loss, legacy_reduction(size_average, reduce, reduction), sample_weight)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """(log(v) + (input - target)^2 / v) / 2 with v = max(var, eps); ``full`` adds log(2 pi) / 2.

    ``var`` is a number, or has the shape of the input, or that without its last axis (or with that of length 1). The
    gradient with respect to ``var`` passes also where it was below eps (Nix and Weigend 1994,
    https://doi.org/10.1109/ICNN.1994.374138).
    """
    if not isinstance(var, Tensor):
        var = autograd.full((1,) * max(input.ndim, 1), float(var), dtype=input.dtype)
        var = var.expand(input.shape)
    if var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = var.unsqueeze(-1)
        elif var.shape != (*input.shape[:-1], 1):
            raise ValueError(
                f"gaussian_nll_loss: var must have the shape of the input, or 1 for its last axis; "
                f"got {var.shape} for {input.shape}"
            )
    autograd.of_arrays(_check_variance, var)
    v = var + autograd.clamp(eps - var.detach(), min=0)
    loss = 0.5 * (autograd.log(v) + autograd.square(input - target) / v)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduce_loss("gaussian_nll_loss", loss, reduction, sample_weight)


def _check_variance(var: np.ndarray) -> None:
    if (var < 0).any():
        raise ValueError(f"gaussian_nll_loss: var must not be negative; got {var.min()}")


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """t * (log t - input) for log-probabilities ``input`` and probabilities t (their logarithms with ``log_target``);
    "batchmean" divides the sum by the number of samples, which is the Kullback-Leibler divergence itself.
    """
    t: Any = target
    loss = autograd.exp(t) * (t - input) if log_target else _xlogx(t) - t * input
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction != "batchmean":
        return reduce_loss("kl_div", loss, reduction, sample_weight)
    total = reduce_loss("kl_div", loss, "sum", sample_weight)
    weight = None if sample_weight is None else autograd.as_tensor(sample_weight).sum()
    samples = loss.shape[0] if loss.ndim else 1
    return total / (samples if weight is None else weight.to(loss.dtype))


def _xlogx(t: Any) -> Any:
    positive = t > 0
    return autograd.where(positive, t * autograd.log(autograd.where(positive, t, 1.0)), 0.0)


# --- yes or no --------------------------------------------------------------------------------------------------------


def _check_shapes(op: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        raise ValueError(f"{op}: the target must have the shape of the input; got {target.shape} for {input.shape}")


def _check_probabilities(name: str, x: np.ndarray) -> None:
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise RuntimeError(
            f"binary_cross_entropy: the {name} must be in [0, 1]; got values from {x.min()} to {x.max()}"
        )


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """-(t * log(x) + (1 - t) * log(1 - x)) for probabilities x, the logarithms not below -100; ``weight`` multiplies
    the loss of each element. `binary_cross_entropy_with_logits` is exact where x would round to 0 or 1.
    """
    _check_shapes("binary_cross_entropy", input, target)
    autograd.of_arrays(partial(_check_probabilities, "input"), input)
    autograd.of_arrays(partial(_check_probabilities, "target"), target)
    loss = autograd.log_loss(input, target)
    if weight is not None:
        loss = loss * weight
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("binary_cross_entropy", loss, reduction, sample_weight)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """-(p * t * log s(x) + (1 - t) * log(1 - s(x))), s the sigmoid and p the ``pos_weight``, computed without
    overflow; ``weight`` multiplies the loss of each element.

    >>> binary_cross_entropy_with_logits(autograd.tensor([0.0]), autograd.tensor([1.0]))
    tensor(0.6931)
    """
    _check_shapes("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        loss = autograd.logistic_loss(input, target)
    else:
        loss = (1 - target) * input - autograd.logsigmoid(input) * ((pos_weight - 1) * target + 1)
    if weight is not None:
        loss = loss * weight
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("binary_cross_entropy_with_logits", loss, reduction, sample_weight)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """log(1 + exp(-target * input)) for targets 1 and -1."""
    loss = -autograd.logsigmoid(target * input)
    return reduce_loss("soft_margin_loss", loss, legacy_reduction(size_average, reduce, reduction), sample_weight)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """input where the target is 1, max(margin - input, 0) where it is -1; the input is a distance."""
    t: Any = target
    apart = autograd.where(t != 1, autograd.clamp(margin - input, min=0), 0.0)
    loss = apart + autograd.where(t != -1, input, 0.0)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("hinge_embedding_loss", loss, reduction, sample_weight)
