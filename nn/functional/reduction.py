"""From the loss of each element to one number, with a weight for each sample."""

from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["check_reduction", "legacy_reduction", "reduce_loss", "spread_weight"]


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """PyTorch's older spelling of ``reduction``, two flags, where it is used."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def check_reduction(op: str, reduction: str) -> None:
    """A reduction is none, mean or sum."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{op}: reduction must be 'none', 'mean' or 'sum'; got {reduction!r}")


def spread_weight(op: str, sample_weight: Any, loss: Any) -> Tensor:
    """The weights in the dtype of the loss, one for each sample (n,) brought to the axes of the loss (n, *)."""
    given = sample_weight if isinstance(sample_weight, Tensor) else Tensor(np.asarray(sample_weight))
    weight = given.detach().to(loss.dtype)
    if weight.shape == loss.shape:
        return weight
    if weight.shape != loss.shape[:1]:
        wanted = " or ".join(dict.fromkeys(map(str, (tuple(loss.shape[:1]), tuple(loss.shape)))))
        raise ValueError(f"{op}: sample_weight must have the shape {wanted}; got {weight.shape}")
    return weight.reshape(-1, *[1] * (loss.ndim - 1))


def reduce_loss(op: str, loss: Tensor, reduction: str, sample_weight: Any = None) -> Tensor:
    """The losses as they are, their sum, or their mean; a sample of weight w counts as w samples."""
    check_reduction(op, reduction)
    if sample_weight is None:
        if reduction == "mean":
            return loss.mean()
        return loss.sum() if reduction == "sum" else loss
    weight = spread_weight(op, sample_weight, loss)
    weighted = loss * weight
    if reduction == "none":
        return weighted
    total = weighted.sum()
    if reduction == "sum":
        return total
    return total / weight.expand(loss.shape).sum()
