"""The MLP's training step written out in numpy: the work itself, without an engine, and its matrix products alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.contenders import Step
from benchmarks.rows.row import initial, labels, normal


def shapes(sizes: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """The parameters' names and shapes, in the order of PyTorch's `parameters()`."""
    pairs = list(pairwise(sizes))
    return [
        entry
        for n, (fan_in, fan_out) in enumerate(pairs)
        for entry in ((f"{n}.weight", (fan_out, fan_in)), (f"{n}.bias", (fan_out,)))
    ]


def train(lib: Any, sizes: tuple[int, ...], batch: int) -> Step:
    """Forward, cross-entropy, backward and Adam by hand, float32, in place where that is natural."""
    parameters = list(initial(shapes(sizes)).values())
    x, y = normal(batch, sizes[0]), labels(batch, sizes[-1])
    rows = np.arange(batch)
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    depth = len(sizes) - 1
    beta1, beta2, lr, eps = 0.9, 0.999, 1e-3, 1e-8
    count = 0

    def step() -> Any:
        nonlocal count
        inputs = [x]
        for n in range(depth):
            out = inputs[-1] @ parameters[2 * n].T + parameters[2 * n + 1]
            inputs.append(np.maximum(out, 0) if n < depth - 1 else out)
        logits = inputs.pop()
        logits -= logits.max(axis=1, keepdims=True)
        exps = np.exp(logits)
        sums = exps.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(sums[:, 0]) - logits[rows, y])

        exps /= sums
        exps[rows, y] -= 1
        exps /= batch
        upstream = exps
        gradients: list[Any] = [None] * len(parameters)
        for n in reversed(range(depth)):
            gradients[2 * n] = upstream.T @ inputs[n]
            gradients[2 * n + 1] = upstream.sum(axis=0)
            if n:
                upstream = upstream @ parameters[2 * n]
                upstream *= inputs[n] > 0

        count += 1
        step_size, root = lr / (1 - beta1**count), np.float32((1 - beta2**count) ** 0.5)
        for p, g, m, v in zip(parameters, gradients, means, squares, strict=True):
            m += (1 - beta1) * (g - m)
            v *= beta2
            v += (1 - beta2) * (g * g)
            p -= step_size * m / (np.sqrt(v) / root + eps)
        return loss

    return step


def products(lib: Any, sizes: tuple[int, ...], batch: int) -> Step:
    """Only the matrix products of such a step: one forward and two backward a layer, one backward for the first."""
    weights = [values for values in initial(shapes(sizes)).values() if values.ndim == 2]
    inputs = [normal(batch, size) for size in sizes[:-1]]
    upstreams = [normal(batch, size) for size in sizes[1:]]

    def step() -> None:
        for w, x, g in zip(weights, inputs, upstreams, strict=True):
            x @ w.T
            g.T @ x
        for w, g in zip(weights[1:], upstreams[1:], strict=True):
            g @ w

    return step
