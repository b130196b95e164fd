"""What an estimator minimises, by the name of its output's activation.

A loss takes the output of the last layer before that activation, for the sake of precision, and is the mean over the
rows, weighted if they have weights, of the sum over the outputs.
"""

from collections.abc import Callable
from typing import NamedTuple

import autograd
import nn.functional as F
from autograd import Tensor

__all__ = ["OBJECTIVES", "Objective"]

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]


class Objective(NamedTuple):
    """A loss of (outputs, targets, weights of rows or None), and what the outputs say once they are activated. What is
    told of the loss is with ``shared`` its mean over the outputs, not the sum.
    """

    loss: Loss
    activate: Callable[[Tensor], Tensor]
    shared: bool = False


def _cross_entropy(z: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    return F.cross_entropy(z, y, sample_weight=weight)


def _logistic(z: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    return F.binary_cross_entropy_with_logits(z, y, sample_weight=weight) * z.shape[1]


def _squared(z: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """Half of the squared error."""
    return F.mse_loss(z, y, sample_weight=weight) * (z.shape[1] / 2)


def _poisson(z: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """Half of the deviance."""
    rows = (autograd.exp(z) - y * z + autograd.xlogy(y, y) - y).sum(1)
    return rows.mean() if weight is None else (rows * weight).sum() / weight.sum()


OBJECTIVES = {
    "softmax": Objective(_cross_entropy, lambda z: F.softmax(z, 1)),
    "logistic": Objective(_logistic, autograd.sigmoid),
    "identity": Objective(_squared, lambda z: z, shared=True),
    "exp": Objective(_poisson, autograd.exp),
}
