"""Losses as modules: each is called with the input, the target and, if wanted, ``sample_weight=``.

With a weight for each sample, "mean" divides by the sum of the weights: a sample of weight 2 counts as two of them.
"""

from typing import Any

from autograd import Tensor

from . import functional as F
from .functional.reduction import legacy_reduction
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CrossEntropyLoss", "GaussianNLLLoss", "HuberLoss", "KLDivLoss",
    "L1Loss", "MSELoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss",
]  # fmt: skip


class Loss(Module):
    """What losses have in common: ``reduction`` is "mean", "sum" or "none"."""

    reduction: str

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)


class WeightedLoss(Loss):
    """A loss with a ``weight`` that moves and is saved with the module."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
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


class L1Loss(Loss):
    """abs(x - t); (*), (*) -> ()."""

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The absolute error of ``input``."""
        return F.l1_loss(input, target, reduction=self.reduction, sample_weight=sample_weight)


class SmoothL1Loss(Loss):
    """(x - t)^2 / (2 * beta) where abs(x - t) < beta, else abs(x - t) - beta / 2; (*), (*) -> ()
    (Girshick 2015, https://arxiv.org/abs/1504.08083).
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The smooth error of ``input``."""
        return F.smooth_l1_loss(input, target, beta=self.beta, reduction=self.reduction, sample_weight=sample_weight)


class HuberLoss(Loss):
    """(x - t)^2 / 2 where abs(x - t) < delta, else delta * (abs(x - t) - delta / 2); (*), (*) -> ()
    (Huber 1964, https://doi.org/10.1214/aoms/1177703732).
    """

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The Huber loss of ``input``."""
        return F.huber_loss(input, target, delta=self.delta, reduction=self.reduction, sample_weight=sample_weight)


class PoissonNLLLoss(Loss):
    """exp(x) - t * x for logarithms of rates x, x - t * log(x + eps) for rates with ``log_input=False``; ``full`` adds
    an approximation of log(t!); (*), (*) -> ().
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the rates ``input``."""
        return F.poisson_nll_loss(
            input,
            target,
            self.log_input,
            self.full,
            eps=self.eps,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )


class GaussianNLLLoss(Loss):
    """(log(v) + (x - t)^2 / v) / 2 with v = max(var, eps); ``full`` adds log(2 pi) / 2; (*), (*), (*) -> ()
    (Nix and Weigend 1994, https://doi.org/10.1109/ICNN.1994.374138).
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Any, *, sample_weight: Any = None) -> Tensor:
        """The loss of the means ``input`` and the variances ``var``."""
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction, sample_weight=sample_weight
        )


class KLDivLoss(Loss):
    """t * (log t - x) for log-probabilities x and probabilities t (or logarithms: ``log_target``); (*), (*) -> ().

    ``reduction="batchmean"`` gives the Kullback-Leibler divergence, the sum divided by the number of samples.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The divergence of ``input`` from ``target``."""
        return F.kl_div(
            input, target, log_target=self.log_target, reduction=self.reduction, sample_weight=sample_weight
        )


class NLLLoss(WeightedLoss):
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


class CrossEntropyLoss(WeightedLoss):
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


class BCELoss(WeightedLoss):
    """-(t * log(x) + (1 - t) * log(1 - x)) for probabilities x; (*), (*) -> ()."""

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the probabilities ``input``."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction, sample_weight=sample_weight)


class BCEWithLogitsLoss(WeightedLoss):
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


class SoftMarginLoss(Loss):
    """log(1 + exp(-t * x)) for targets 1 and -1; (*), (*) -> ()."""

    def forward(self, input: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        """The loss of the scores ``input``."""
        return F.soft_margin_loss(input, target, reduction=self.reduction, sample_weight=sample_weight)


class CTCLoss(Loss):
    """-log of the probability that the outputs, repeats merged and blanks dropped, spell the target
    (Graves et al. 2006, https://doi.org/10.1145/1143844.1143891); log-probabilities (t, n, c) or (t, c), targets (n, s)
    or one after the other, and the lengths of both -> ().
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, *, sample_weight: Any = None
    ) -> Tensor:
        """The loss of ``log_probs``."""
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
            sample_weight=sample_weight,
        )
