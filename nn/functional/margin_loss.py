"""Losses that ask for a margin: between classes, in a ranking, between near and far."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .distance import pairwise_distance, safe_sqrt
from .reduction import legacy_reduction, reduce_loss

__all__ = [
    "cosine_embedding_loss", "margin_ranking_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """max(-target * (input1 - input2) + margin, 0): the first should rank higher where the target is 1, lower where it
    is -1.
    """
    loss = autograd.clamp(-target * (input1 - input2) + margin, min=0)
    return reduce_loss("margin_ranking_loss", loss, legacy_reduction(size_average, reduce, reduction), sample_weight)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """1 - cos where the target is 1, max(cos - margin, 0) where it is -1; (n, d), (n, d), (n,) -> (n,) or unbatched."""
    if target.ndim + 1 != max(input1.ndim, input2.ndim):
        raise RuntimeError(
            f"cosine_embedding_loss: the target must have one axis less than the inputs; "
            f"got {target.shape} for {input1.shape} and {input2.shape}"
        )
    x, y, t = input1, input2, target
    tiny = 1e-12  # keeps the cosine of a zero vector finite
    product: Any = (x * y).sum(-1)
    squares = ((x * x).sum(-1) + tiny) * ((y * y).sum(-1) + tiny)
    cosine = product / safe_sqrt(squares)
    apart = autograd.clamp(cosine - margin, min=0)
    loss = autograd.where(t == 1, 1 - cosine, 0.0) + autograd.where(t == -1, apart, 0.0)
    return reduce_loss("cosine_embedding_loss", loss, legacy_reduction(size_average, reduce, reduction), sample_weight)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0), d the p-norm of the difference; ``swap`` takes
    d(positive, negative) instead where it is the smaller (Balntas et al. 2016, http://www.bmva.org/bmvc/2016).
    """
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda x, y: pairwise_distance(x, y, p, eps),
        margin=margin,
        swap=swap,
        reduction=legacy_reduction(size_average, reduce, reduction),
        sample_weight=sample_weight,
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """`triplet_margin_loss` with a distance of your own, `pairwise_distance` if none is given."""
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin must be positive; got {margin}")
    distance: Any = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = autograd.minimum(far, distance(positive, negative))
    return reduce_loss("triplet_margin_loss", autograd.clamp(near - far + margin, min=0), reduction, sample_weight)


# --- many classes -----------------------------------------------------------------------------------------------------


@autograd.in_one_piece
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """The mean over classes i other than the target y of max(margin - x[y] + x[i], 0)^p, times weight[y]; (n, c) and
    classes (n,) -> (n,), or unbatched.
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2; got {p}")
    x, y = (input.reshape(1, -1), target.reshape(-1)) if input.ndim < 2 else (input, target)
    classes = _count_classes("multi_margin_loss", x)
    onehot = _classes("multi_margin_loss", y, x)
    own: Any = (x * Tensor(onehot.astype(x.dtype))).sum(-1, keepdim=True)
    short = autograd.clamp(margin - own + x, min=0)
    if p == 2:
        short = short * short
    if weight is not None:
        if weight.shape != (classes,) or weight.dtype != x.dtype:
            raise RuntimeError(
                f"multi_margin_loss: weight must have shape ({classes},) and the input's {x.dtype}; "
                f"got {tuple(weight.shape)} of {weight.dtype}"
            )
        short = short * Tensor(weight.array[y.array][..., None])
    loss = (autograd.where(Tensor(onehot), 0.0, short).sum(-1) / classes).reshape(target.shape)
    return reduce_loss("multi_margin_loss", loss, legacy_reduction(size_average, reduce, reduction), sample_weight)


def _count_classes(op: str, input: Tensor) -> int:
    if not input.shape[-1]:
        raise RuntimeError(f"{op}: there must be a class; got shape {tuple(input.shape)}")
    return input.shape[-1]


def _classes(op: str, target: Tensor, input: Tensor) -> np.ndarray:
    """Which element of the input is that of the target class."""
    classes = input.shape[-1]
    if target.shape != input.shape[:-1]:
        raise ValueError(f"{op}: the target must have the shape {input.shape[:-1]}; got {target.shape}")
    index = target.array
    if index.size and not (index.min() >= 0 and index.max() < classes):
        raise RuntimeError(f"{op}: a target must be a class, 0 to {classes - 1}; got {index.min()} to {index.max()}")
    return index[..., None] == np.arange(classes)


@autograd.in_one_piece
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """The sum over classes y of a sample and classes i not of it of max(1 - x[y] + x[i], 0) / c; each row of the target
    lists the classes of the sample and then, if there are fewer than c, -1; (n, c), (n, c) -> (n,), or unbatched.
    """
    if target.shape != input.shape:
        raise ValueError(
            f"multilabel_margin_loss: the target must have the shape of the input; got {target.shape} for {input.shape}"
        )
    x, y = (input, target.array) if input.ndim else (input.reshape(1), target.array.reshape(1))
    classes = _count_classes("multilabel_margin_loss", x)
    if y.size and not (y.min() >= -1 and y.max() < classes):
        raise RuntimeError(
            f"multilabel_margin_loss: a target must be a class, 0 to {classes - 1}, or -1; got {y.min()} to {y.max()}"
        )
    listed = np.cumprod(y >= 0, axis=-1).astype(bool)  # up to the first -1
    index = np.where(listed, y, 0)
    member = (listed[..., None] & (index[..., None] == np.arange(classes))).any(-2)
    own: Any = autograd.gather(x, -1, Tensor(index)).unsqueeze(-1)
    short = autograd.clamp(1 - own + x.unsqueeze(-2), min=0)
    counts = listed[..., None] & ~member[..., None, :]
    loss = autograd.where(Tensor(counts), short, 0.0).sum((-1, -2)) / classes
    return reduce_loss("multilabel_margin_loss", loss, legacy_reduction(size_average, reduce, reduction), sample_weight)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    *,
    sample_weight: Any = None,
) -> Tensor:
    """The mean over classes of -(t * log s(x) + (1 - t) * log s(-x)), s the sigmoid, times ``weight``;
    (n, c), (n, c) -> (n,).
    """
    x: Any = input
    loss = -(target * autograd.logsigmoid(x) + (1 - target) * autograd.logsigmoid(-x))
    if weight is not None:
        loss = loss * weight
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduce_loss("multilabel_soft_margin_loss", loss.mean(-1), reduction, sample_weight)
