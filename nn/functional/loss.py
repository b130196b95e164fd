"""Losses of regression and of yes-or-no answers."""

import warnings
from typing import Any

import autograd
from autograd import Tensor

from .cross_entropy import cross_entropy, nll_loss
from .reduction import legacy_reduction, reduce_loss

__all__ = ["binary_cross_entropy_with_logits", "cross_entropy", "mse_loss", "nll_loss"]


def warn_of_broadcast(op: str, input: Tensor, target: Tensor) -> None:
    """A target (n, 1) for an input (n,) broadcasts to (n, n), which is hardly ever meant."""
    if input.shape != target.shape:
        warnings.warn(
            f"{op}: the target should have the shape of the input; got {target.shape} for {input.shape}; "
            "they are broadcast",
            UserWarning,
            stacklevel=4,
        )


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
    warn_of_broadcast("mse_loss", input, target)
    loss = autograd.square(input - target)  # type: ignore[operator]
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("mse_loss", loss, reduction, _both(weight, sample_weight, loss))


def _both(weight: Any, sample_weight: Any, loss: Tensor) -> Any:
    """Weights of elements and of samples as weights of elements."""
    if weight is None or sample_weight is None:
        return sample_weight if weight is None else weight
    per_sample = autograd.as_tensor(sample_weight)
    return weight * per_sample.reshape(*per_sample.shape, *[1] * (loss.ndim - per_sample.ndim))  # type: ignore[attr-defined]


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
    if input.shape != target.shape:
        raise ValueError(
            f"binary_cross_entropy_with_logits: the target must have the shape of the input; "
            f"got {target.shape} for {input.shape}"
        )
    log_part = softplus_of_minus(input)
    if pos_weight is not None:
        log_part = log_part * ((pos_weight - 1) * target + 1)  # type: ignore[operator]
    loss = (1 - target) * input + log_part  # type: ignore[operator]
    if weight is not None:
        loss = loss * weight
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("binary_cross_entropy_with_logits", loss, reduction, sample_weight)


def softplus_of_minus(x: Tensor) -> Tensor:
    """log(1 + exp(-x)) without overflow."""
    return autograd.relu(-x) + autograd.log1p(autograd.exp(-autograd.abs(x)))  # type: ignore[operator]
