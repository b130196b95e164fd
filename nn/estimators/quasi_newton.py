"""Minimising over all rows at once with SciPy's L-BFGS-B."""

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

import autograd
import nn
from autograd import Tensor

from .objectives import Objective
from .penalty import Penalty

__all__ = ["minimise"]


def minimise(
    options: Any, network: nn.Module, objective: Objective, x: Tensor, y: Tensor, weight: Tensor | None
) -> OptimizeResult:
    """Bring the network to the least loss that can be found; what SciPy says of it."""
    parameters = list(network.parameters())
    vector = np.concatenate([p.array.ravel() for p in parameters])
    places = np.cumsum([p.numel() for p in parameters])
    for p, end in zip(parameters, places, strict=True):
        p.data = autograd.from_numpy(vector[end - p.numel() : end].reshape(p.shape))  # so one copy moves them all
    penalty = Penalty(network, options.alpha)
    decay = penalty.decay(x, weight)
    rates = [decay if any(p is w for w in penalty.weights) else 0.0 for p in parameters]

    def measure() -> Tensor:
        network.zero_grad()
        loss = objective.loss(network(x), y, weight)
        loss.backward()
        return loss

    run = autograd.compile(measure) if options.compile else measure

    def look(at: np.ndarray) -> tuple[float, np.ndarray]:
        vector[:] = at
        loss = run().item() + penalty.cost(decay)
        gradients = [p.grad.array + rate * p.array for p, rate in zip(parameters, rates, strict=True)]  # type: ignore[union-attr]
        return loss, np.concatenate([g.ravel() for g in gradients]).astype(np.float64)

    limits = {"maxfun": options.max_fun, "maxiter": options.max_iter, "gtol": options.tol}
    found = minimize(look, vector.astype(np.float64), jac=True, method="L-BFGS-B", options=limits)
    vector[:] = found.x
    network.zero_grad()
    return found
