"""The MLP's training step for MyGrad. It has no Adam, so the optimizer is the same lines of numpy as by hand."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contenders import Step
from benchmarks.rows.mlp_numpy import shapes
from benchmarks.rows.row import initial, labels, normal


def train(mygrad: Any, sizes: tuple[int, ...], batch: int) -> Step:
    """The graph and its gradients by MyGrad, Adam on the arrays."""
    nnet: Any = import_module("mygrad.nnet")
    parameters = [mygrad.tensor(values) for values in initial(shapes(sizes)).values()]
    x, y = normal(batch, sizes[0]), labels(batch, sizes[-1])
    means = [np.zeros_like(p.data) for p in parameters]
    squares = [np.zeros_like(p.data) for p in parameters]
    depth = len(sizes) - 1
    beta1, beta2, lr, eps = 0.9, 0.999, 1e-3, 1e-8
    count = 0

    def step() -> Any:
        nonlocal count
        out = x
        for n in range(depth):
            out = out @ parameters[2 * n].T + parameters[2 * n + 1]
            out = nnet.relu(out) if n < depth - 1 else out
        loss = nnet.softmax_crossentropy(out, y)
        loss.backward()
        count += 1
        step_size, root = lr / (1 - beta1**count), np.float32((1 - beta2**count) ** 0.5)
        for p, m, v in zip(parameters, means, squares, strict=True):
            g = p.grad
            m += (1 - beta1) * (g - m)
            v *= beta2
            v += (1 - beta2) * (g * g)
            p.data -= step_size * m / (np.sqrt(v) / root + eps)
        return loss.data

    return step
