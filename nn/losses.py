"""Losses as modules: each is called with the input, the target and, if wanted, ``sample_weight=``.

With a weight for each sample, "mean" divides by the sum of the weights: a sample of weight 2 counts as two of them.
"""

from typing import Any

from autograd import Tensor

from . import functional as F
from .functional.reduction import legacy_reduction
from .module import Module

__all__ = ["BCEWithLogitsLoss", "CrossEntropyLoss", "MSELoss", "NLLLoss"]


class Loss(Module):
    """What losses have in common: ``reduction`` is "mean", "sum" or "none"."""

    reduction: str

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)


class _Weighted(Loss):
    weight: Tensor | None

    def __init__(self, weight: Tensor | None, size_average: bool | None, reduce: bool | None, reduction: str) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(Loss):
    """(x - t)^2; (*), (*) -> () or with reduction="none" (*).

    >>> import autograd
    >>> MSELoss()(autograd.tensor([1.0, 2.0]), autograd.tensor([0.0, 0.0]))
    tensor(2.5000)
    """

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The squared error of ``input``."""
        return F.mse_loss(input, target, reduction=self.reduction, sample_weight=sample_weight)


class NLLLoss(_Weighted):
    """-x[t] for log-probabilities (n, c, *) and classes (n, *), ``weight`` (c,) weighing the classes."""

    ignore_index: int

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the log-probabilities ``input``."""
        return F.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )


class CrossEntropyLoss(_Weighted):
    """-log softmax(x)[t] for scores (n, c, *) and targets that are classes (n, *) or probabilities (n, c, *).

    ``weight`` (c,) weighs the classes, targets equal to ``ignore_index`` count nothing, ``label_smoothing`` s mixes the
    targets with s times the uniform distribution. The gradient of the plain loss is (softmax(x) - onehot(t)) / n.

    >>> import autograd
    >>> CrossEntropyLoss()(autograd.zeros(3, 10), autograd.tensor([0, 1, 2]))
    tensor(2.3026)
    """

    ignore_index: int
    label_smoothing: float

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the scores ``input``."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            None,
            self.ignore_index,
            None,
            self.reduction,
            self.label_smoothing,
            sample_weight=sample_weight,
        )


class BCEWithLogitsLoss(_Weighted):
    """-(p * t * log s(x) + (1 - t) * log(1 - s(x))) with s the sigmoid and p the ``pos_weight``; (*), (*) -> ()."""

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the scores ``input``."""
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            reduction=self.reduction,
            pos_weight=self.pos_weight,
            sample_weight=sample_weight,
        )
