"""Softmax and cross-entropy along the rows of a matrix, each in one pass over a row that stays in the cache."""

import numpy as np

from .hand import kernel
from .language import F, exp, log

__all__ = [
    "cross_entropy", "cross_entropy_backward", "log_softmax", "log_softmax_backward", "softmax", "softmax_backward",
]  # fmt: skip


@kernel
def softmax(x, out):
    """exp(x - max) / sum, for each row."""
    for i in range(x.shape[0]):
        top = F(-np.inf)
        for j in range(x.shape[1]):
            top = max(top, x[i, j])
        total = F(0)
        for j in range(x.shape[1]):
            e = exp(x[i, j] - top)
            out[i, j] = e
            total += e
        scale = F(1) / total
        for j in range(x.shape[1]):
            out[i, j] *= scale


@kernel
def softmax_backward(g, out, dx):
    """out * (g - sum(g * out)), for each row."""
    for i in range(g.shape[0]):
        dot = F(0)
        for j in range(g.shape[1]):
            dot += g[i, j] * out[i, j]
        for j in range(g.shape[1]):
            dx[i, j] = out[i, j] * (g[i, j] - dot)


@kernel
def log_softmax(x, out):
    """x - max - log(sum(exp(x - max))), for each row."""
    for i in range(x.shape[0]):
        top = F(-np.inf)
        for j in range(x.shape[1]):
            top = max(top, x[i, j])
        total = F(0)
        for j in range(x.shape[1]):
            total += exp(x[i, j] - top)
        shift = top + log(total)
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] - shift


@kernel
def log_softmax_backward(g, out, dx):
    """g - exp(out) * sum(g), for each row."""
    for i in range(g.shape[0]):
        total = F(0)
        for j in range(g.shape[1]):
            total += g[i, j]
        for j in range(g.shape[1]):
            dx[i, j] = g[i, j] - exp(out[i, j]) * total


@kernel
def cross_entropy(x, target, probabilities):
    """The mean of -log_softmax(x)[i, target[i]], and the row of a target that is no class or -1. Keeps the softmax."""
    n, classes = x.shape
    loss = 0.0
    bad = -1
    for i in range(n):
        top = F(-np.inf)
        for j in range(classes):
            top = max(top, x[i, j])
        total = F(0)
        for j in range(classes):
            e = exp(x[i, j] - top)
            probabilities[i, j] = e
            total += e
        scale = F(1) / total
        for j in range(classes):
            probabilities[i, j] *= scale
        t = target[i]
        if t < 0 or t >= classes:
            bad = i
        else:
            loss += log(total) + top - x[i, t]
    return F(loss / n), bad


@kernel
def cross_entropy_backward(probabilities, target, g, dx):
    """(softmax - onehot) * g / n."""
    n = probabilities.shape[0]
    scale = g[()] / F(n)
    for i in range(n):
        for j in range(probabilities.shape[1]):
            dx[i, j] = probabilities[i, j] * scale
        dx[i, target[i]] -= scale
