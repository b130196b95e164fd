"""Losses of classifiers: negative log-likelihood and cross-entropy."""

from typing import Any

import numpy as np

import autograd
from autograd import Tensor, softmax_cross_entropy

from .reduction import check_reduction, legacy_reduction, spread_weight

__all__ = ["cross_entropy", "nll_loss"]

_INT64 = np.dtype(np.int64)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """-log softmax(input)[target], for scores (c,), (n, c) or (n, c, *) and targets that are classes (), (n,) or
    (n, *), or probabilities of the shape of ``input``.

    ``weight`` (c,) weighs the classes and ``sample_weight`` (n,) the samples: with "mean" the sum of weighted losses is
    divided by the sum of the weights (where targets are probabilities, by that of the samples alone). Targets equal to
    ``ignore_index`` count nothing. ``label_smoothing`` s replaces a target t by (1 - s) * t + s / c
    (https://arxiv.org/abs/1512.00567).

    >>> cross_entropy(autograd.tensor([[0.0, 0.0]]), autograd.tensor([1]))
    tensor(0.6931)
    """
    if not isinstance(target, Tensor):
        raise TypeError(f"cross_entropy: the target must be a Tensor; got {type(target).__name__}; use as_tensor()")
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be in [0, 1]; got {label_smoothing}")
    x, t = input.array, target.array
    if (
        t.dtype is _INT64 and x.ndim >= 2 and t.shape == x.shape[:1] + x.shape[2:] and sample_weight is None
        and x.dtype in (autograd.float32, autograd.float64)
        and (weight is None or (weight.shape == x.shape[1:2] and weight.dtype == x.dtype))
    ):  # fmt: skip
        rows, classes = input, target
        if x.ndim > 2:
            rows, classes = input.movedim(1, -1).reshape(-1, x.shape[1]), target.reshape(-1)
        loss = softmax_cross_entropy(
            rows, classes, weight, ignore_index=ignore_index, label_smoothing=label_smoothing, reduction=reduction
        )
        return loss.reshape(t.shape) if reduction == "none" and x.ndim > 2 else loss
    dim = _class_dim("cross_entropy", input)
    log_p = autograd.log_softmax(input, dim)
    if target.shape == input.shape and target.dtype.kind == "f":
        return _soft_targets(log_p, target, dim, weight, reduction, label_smoothing, sample_weight)
    loss, counts = _pick("cross_entropy", log_p, target, dim, weight, ignore_index)
    if label_smoothing:
        scaled = log_p if weight is None else log_p * _along(weight, log_p, dim)
        kept = autograd.where(target == ignore_index, 0.0, -scaled.sum(dim))
        loss = loss * (1 - label_smoothing) + kept * (label_smoothing / input.shape[dim])
    return _reduce("cross_entropy", loss, counts, reduction, sample_weight)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """-input[target] for log-probabilities (c,), (n, c) or (n, c, *) and classes (), (n,) or (n, *); the weights and
    ``ignore_index`` are those of `cross_entropy`.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction("nll_loss", reduction)
    dim = _class_dim("nll_loss", input)
    loss, counts = _pick("nll_loss", input, target, dim, weight, ignore_index)
    return _reduce("nll_loss", loss, counts, reduction, sample_weight)


def _class_dim(op: str, input: Tensor) -> int:
    if not input.ndim:
        raise RuntimeError(f"{op}: the input must be (c,), (n, c) or (n, c, *); got shape ()")
    return 0 if input.ndim == 1 else 1


def _along(weight: Tensor, x: Tensor, dim: int) -> Tensor:
    return weight.reshape(-1, *[1] * (x.ndim - 1 - dim))


def _check_weight(op: str, weight: Tensor | None, classes: int) -> None:
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"{op}: weight must have one value for each of the {classes} classes; got shape {weight.shape}"
        )


def _pick(
    op: str, log_p: Tensor, target: Tensor, dim: int, weight: Tensor | None, ignore_index: int
) -> tuple[Tensor, Tensor]:
    """The weighted loss of each target, and what each counts: its class's weight, 0 if it is ignored."""
    shape, classes = log_p.shape, log_p.shape[dim]
    wanted = (*shape[:dim], *shape[dim + 1 :])
    if target.shape != wanted:
        raise ValueError(f"{op}: the target must have the shape {wanted} for an input {shape}; got {target.shape}")
    if target.dtype.kind not in "iu":
        raise RuntimeError(f"{op}: classes must be integers; got {target.dtype}; convert with long()")
    _check_weight(op, weight, classes)
    dtype = log_p.dtype
    if weight is not None and weight.dtype != dtype:
        raise RuntimeError(f"{op}: input and weight must have one dtype; got {dtype} and {weight.dtype}")

    def read(target: np.ndarray, *weights: np.ndarray) -> tuple[np.ndarray, ...]:
        ignored = target == ignore_index
        index = np.where(ignored, 0, target)
        if index.size and not (index.min() >= 0 and index.max() < classes):
            bad = next(i for i in index.ravel() if not 0 <= i < classes)
            raise IndexError(f"{op}: a target must be a class, 0 to {classes - 1}; got {bad}")
        counts = np.where(ignored, 0, weights[0][index] if weights else 1).astype(dtype)
        return ignored, np.expand_dims(index, dim), counts

    ignored, index, counts = autograd.of_arrays(read, target, *([] if weight is None else [weight]))
    picked = autograd.gather(log_p, dim, index).squeeze(dim)
    # Not a product with the counts: an ignored log-probability may be -inf.
    return autograd.where(ignored, 0.0, picked * -counts), counts


def _reduce(op: str, loss: Tensor, counts: Tensor, reduction: str, sample_weight: Any) -> Tensor:
    if sample_weight is not None:
        weights = spread_weight(op, sample_weight, loss)
        loss = loss * weights
        counts = counts * weights
    if reduction == "none":
        return loss
    total = loss.sum()
    return total if reduction == "sum" else total / counts.sum()


def _soft_targets(
    log_p: Tensor,
    target: Tensor,
    dim: int,
    weight: Tensor | None,
    reduction: str,
    label_smoothing: float,
    sample_weight: Any,
) -> Tensor:
    _check_weight("cross_entropy", weight, log_p.shape[dim])
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / log_p.shape[dim]
    product = log_p * target
    if weight is not None:
        product = product * _along(weight, log_p, dim)
    loss = -product.sum(dim)
    return _reduce("cross_entropy", loss, autograd.ones(loss.shape, dtype=loss.dtype), reduction, sample_weight)
