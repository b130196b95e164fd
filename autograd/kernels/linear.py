"""The affine map of a layer, forward and backward, each as one call: on small layers the calls are what costs."""

import numpy as np

from .hand import kernel

__all__ = ["linear", "linear_backward", "linear_backward_parameters"]


@kernel
def linear(x, weight, bias):
    """x @ weight.T + bias for x (n, i), weight (o, i), bias (o,)."""
    out = np.dot(x, weight.T)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += bias[j]
    return out


@kernel
def linear_backward(g, x, weight):
    """The gradients of x, weight and bias from that of the output."""
    bias = np.zeros_like(g[0])
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            bias[j] += g[i, j]
    return np.dot(g, weight), np.dot(g.T, x), bias


@kernel
def linear_backward_parameters(g, x):
    """The gradients of weight and bias alone, for the first layer."""
    bias = np.zeros_like(g[0])
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            bias[j] += g[i, j]
    return np.dot(g.T, x), bias
