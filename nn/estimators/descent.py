"""Stochastic gradient descent on batches: the steps, and the rate they are taken at."""

import math
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

import autograd
import nn
import optim
from autograd import Tensor

from .objectives import OBJECTIVES, Objective
from .penalty import Penalty

__all__ = ["Descent", "rows_of"]

LEAST_RATE = 1e-6
"""Where an adaptive rate ends."""


def rows_of(x: Any, rows: np.ndarray) -> Tensor:
    """These rows of an array or a sparse matrix."""
    return autograd.from_numpy(x.take(rows, 0) if isinstance(x, np.ndarray) else x[rows].toarray())


class Descent:
    """What descends: a network with its optimizer, as the options of an estimator say."""

    def __init__(self, options: Any, network: nn.Module, activation: str) -> None:
        self.options = options
        self.network = network
        self.activation = activation
        self.penalty = Penalty(network, options.alpha)
        weights = self.penalty.weights
        others = [p for p in network.parameters() if all(p is not w for w in weights)]
        self.optimizer = self._make_optimizer([{"params": weights}, {"params": others}])
        self.seen = 0  # rows, all epochs together
        self._program: Any = None

    def _make_optimizer(self, groups: list[dict]) -> optim.Optimizer:
        o = self.options
        rate: Any = o.learning_rate_init
        if o.solver == "adam":
            return optim.Adam(groups, lr=rate, betas=(o.beta_1, o.beta_2), eps=o.epsilon)
        return optim.SGD(groups, lr=rate, momentum=o.momentum, nesterov=o.nesterovs_momentum and o.momentum > 0)

    def __getstate__(self) -> dict:
        return {**vars(self), "_program": None}

    @property
    def objective(self) -> Objective:
        """What is minimised."""
        return OBJECTIVES[self.activation]

    # --- an epoch -----------------------------------------------------------------------------------------------------

    def epoch(self, x: Any, y: np.ndarray, weight: np.ndarray | None, order: np.ndarray, size: int) -> float:
        """One pass over the rows in this order, in batches of ``size``; the mean loss, each taken before its step."""
        total = 0.0
        self.network.train()
        try:
            # Batch norm learns nothing from one row alone.
            for batch in gen_batches(len(order), size, min_batch_size=2 if self.options.batch_norm and size > 1 else 0):
                rows = order[batch]
                if weight is not None and not weight[rows].any():
                    continue
                w = None if weight is None else autograd.from_numpy(weight[rows])
                step = self._step if len(rows) != size else self._compiled()
                total += self._learn(step, rows_of(x, rows), autograd.from_numpy(y[rows]), w) * len(rows)
                if not math.isfinite(total):
                    break
        finally:
            self.network.eval()
        return total / len(order)

    def _compiled(self) -> Any:
        """The step for batches of full size, which are compiled if the user wants that."""
        if not self.options.compile:
            return self._step
        if self._program is None:
            self._program = autograd.compile(self._step)
        return self._program

    def _learn(self, step: Any, x: Tensor, y: Tensor, weight: Tensor | None) -> float:
        decay = self.penalty.decay(x, weight)
        self.optimizer.param_groups[0]["weight_decay"] = decay
        penalty = self.penalty.cost(decay)
        loss = step(x, y, weight).item()
        return loss / (y.shape[1] if self.objective.shared else 1) + penalty

    def _step(self, x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        self.optimizer.zero_grad()
        loss = self.objective.loss(self.network(x), y, weight)
        loss.backward()
        self.optimizer.step()
        return loss

    # --- the rate -----------------------------------------------------------------------------------------------------

    def end_epoch(self, rows: int) -> None:
        """Lower a rate that falls with every epoch: lr / (rows seen + 1)^power_t."""
        self.seen += rows
        if self.options.solver == "sgd" and self.options.learning_rate == "invscaling":
            self._set_rate(self.options.learning_rate_init / (self.seen + 1) ** self.options.power_t)

    def gives_up(self) -> bool:
        """Whether to stop now that the loss falls no more; an adaptive rate becomes a fifth instead."""
        rate = self.optimizer.param_groups[0]["lr"]
        if self.options.solver != "sgd" or self.options.learning_rate != "adaptive" or rate <= LEAST_RATE:
            return True
        self._set_rate(rate / 5)
        return False

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            # In scikit-learn a velocity keeps the rate it was gained at; here it is multiplied by that of the step.
            for p in group["params"]:
                if (velocity := self.optimizer.state[p].get("momentum_buffer")) is not None:
                    velocity.mul_(group["lr"] / rate)
            group["lr"] = rate
