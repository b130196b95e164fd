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
    decay = options.alpha / (len(x) if weight is None else weight.sum().item())

    def measure() -> Tensor:
        network.zero_grad()
        loss = objective.loss(network(x), y, weight)
        loss.backward()
        return loss

    run = autograd.compile(measure) if options.compile else measure

    def look(vector: np.ndarray) -> tuple[float, np.ndarray]:
        put(vector)
        loss = run().item()
        gradients = [p.grad.array for p in parameters]  # type: ignore[union-attr]
        for i, p in enumerate(parameters):
            if p.ndim == 2:  # weights decay, biases do not
                loss += decay / 2 * float(np.vdot(p.array, p.array))
                gradients[i] = gradients[i] + decay * p.array
        return loss, np.concatenate([g.ravel() for g in gradients]).astype(np.float64)

    def put(vector: np.ndarray) -> None:
        parts = np.split(vector, np.cumsum([p.numel() for p in parameters])[:-1])
        with autograd.no_grad():
            for p, part in zip(parameters, parts, strict=True):
                p.copy_(autograd.from_numpy(part.reshape(p.shape)))

    start = np.concatenate([p.array.ravel() for p in parameters]).astype(np.float64)
    limits = {"maxfun": options.max_fun, "maxiter": options.max_iter, "gtol": options.tol}
    found = minimize(look, start, jac=True, method="L-BFGS-B", options=limits)
    put(found.x)
    network.zero_grad()
    return found
