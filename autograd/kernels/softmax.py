"""Softmax and cross-entropy along the rows of a matrix, each in one pass over a row that stays in the cache."""

import numpy as np

from .hand import kernel
from .language import F, exp, log

__all__ = ["cross_entropy", "cross_entropy_backward", "log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]


@kernel
def softmax(x):
    """exp(x - max) / sum, for each row."""
    out = np.empty_like(x)
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
    return out


@kernel
def softmax_backward(g, out):
    """out * (g - sum(g * out)), for each row."""
    dx = np.empty_like(out)
    for i in range(g.shape[0]):
        dot = F(0)
        for j in range(g.shape[1]):
            dot += g[i, j] * out[i, j]
        for j in range(g.shape[1]):
            dx[i, j] = out[i, j] * (g[i, j] - dot)
    return dx


@kernel
def log_softmax(x):
    """x - max - log(sum(exp(x - max))), for each row."""
    out = np.empty_like(x)
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
    return out


@kernel
def log_softmax_backward(g, out):
    """g - exp(out) * sum(g), for each row."""
    dx = np.empty_like(out)
    for i in range(g.shape[0]):
        total = F(0)
        for j in range(g.shape[1]):
            total += g[i, j]
        for j in range(g.shape[1]):
            dx[i, j] = g[i, j] - exp(out[i, j]) * total
    return dx


@kernel
def cross_entropy(x, target):
    """The mean of -log_softmax(x)[i, target[i]], with the softmax kept for backward; -1 for a bad target's row."""
    n, classes = x.shape
    probabilities = np.empty_like(x)
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
    return F(loss / n), probabilities, bad


@kernel
def cross_entropy_backward(probabilities, target, g):
    """(softmax - onehot) * g / n."""
    n = probabilities.shape[0]
    scale = g / F(n)
    dx = np.empty_like(probabilities)
    for i in range(n):
        for j in range(probabilities.shape[1]):
            dx[i, j] = probabilities[i, j] * scale
        dx[i, target[i]] -= scale
    return dx
