"""Minimising over all rows at once with SciPy's L-BFGS-B."""

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

import autograd
import nn
from autograd import Tensor

from .objectives import Objective

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
    decay = options.alpha / (len(x) if weight is None else weight.sum().item())

    def measure() -> Tensor:
        network.zero_grad()
        loss = objective.loss(network(x), y, weight)
        loss.backward()
        return loss

    run = autograd.compile(measure) if options.compile else measure

    def look(at: np.ndarray) -> tuple[float, np.ndarray]:
        vector[:] = at
        loss = run().item()
        gradients = []
        for p in parameters:
            gradient = p.grad.array  # type: ignore[union-attr]
            if p.ndim == 2:  # weights decay, biases do not
                loss += decay / 2 * float(np.vdot(p.array, p.array))
                gradient = gradient + decay * p.array
            gradients.append(gradient.ravel())
        return loss, np.concatenate(gradients).astype(np.float64)

    limits = {"maxfun": options.max_fun, "maxiter": options.max_iter, "gtol": options.tol}
    found = minimize(look, vector.astype(np.float64), jac=True, method="L-BFGS-B", options=limits)
    vector[:] = found.x
    network.zero_grad()
    return found
