"""Losses that ask for a margin, as modules."""

from collections.abc import Callable
from typing import Any

from autograd import Tensor

from . import functional as F
from .losses import Loss, WeightedLoss

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


class HingeEmbeddingLoss(Loss):
    """x where the target is 1, max(margin - x, 0) where it is -1; (*), (*) -> ()."""

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the distances ``input``."""
        return F.hinge_embedding_loss(
            input, target, margin=self.margin, reduction=self.reduction, sample_weight=sample_weight
        )


class MarginRankingLoss(Loss):
    """max(-t * (x1 - x2) + margin, 0) for targets 1 (x1 ranks higher) and -1; (*), (*), (*) -> ()."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the two scores."""
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction, sample_weight=sample_weight
        )


class CosineEmbeddingLoss(Loss):
    """1 - cos(x1, x2) where the target is 1, max(cos - margin, 0) where it is -1; (n, d), (n, d), (n,) -> ()."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the two vectors."""
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction, sample_weight=sample_weight
        )


class MultiMarginLoss(WeightedLoss):
    """The mean over the other classes i of max(margin - x[t] + x[i], 0)^p; scores (n, c) and classes (n,) -> ()."""

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the scores ``input``."""
        return F.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction, sample_weight=sample_weight
        )


class MultiLabelMarginLoss(Loss):
    """The sum over classes y of a sample and classes i not of it of max(1 - x[y] + x[i], 0) / c; (n, c), (n, c) -> ().

    Each row of the target lists the classes of the sample, then -1.
    """

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the scores ``input``."""
        return F.multilabel_margin_loss(input, target, reduction=self.reduction, sample_weight=sample_weight)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """The mean over classes of -(t * log s(x) + (1 - t) * log s(-x)), s the sigmoid; (n, c), (n, c) -> ()."""

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the scores ``input``."""
        return F.multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction, sample_weight=sample_weight
        )


class TripletMarginLoss(Loss):
    """max(d(a, p) - d(a, n) + margin, 0), d the p-norm of the difference, for an anchor, something near it and
    something far; (n, d), (n, d), (n, d) -> ().

    ``swap`` uses d(p, n) in place of d(a, n) where it is smaller (Balntas et al. 2016, "Learning local feature
    descriptors with triplets and shallow convolutional neural networks").
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the three vectors."""
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            self.margin,
            self.p,
            self.eps,
            self.swap,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )


class TripletMarginWithDistanceLoss(Loss):
    """TripletMarginLoss with a distance of your own: ``distance_function(x, y)`` -> (n,)."""

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.distance_function = F.pairwise_distance if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the three vectors."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )
