"""The affine map of a layer, forward and backward, each as one call: on small layers the calls are what costs.

Results are written into arrays the caller made: returning a new array from a kernel costs more than `np.empty`.
"""

import numpy as np

from .hand import kernel

__all__ = ["linear", "linear_backward", "linear_backward_parameters"]


@kernel
def linear(x, weight, bias, out):
    """out = x @ weight.T + bias for x (n, i), weight (o, i), bias (o,), out (n, o)."""
    np.dot(x, weight.T, out)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += bias[j]


@kernel
def linear_backward(g, x, weight, dx, dweight, dbias):
    """The gradients of x, weight and bias from that of the output."""
    np.dot(g, weight, dx)
    np.dot(g.T, x, dweight)
    dbias[:] = 0
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            dbias[j] += g[i, j]


@kernel
def linear_backward_parameters(g, x, dweight, dbias):
    """The gradients of weight and bias alone, for the first layer."""
    np.dot(g.T, x, dweight)
    dbias[:] = 0
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            dbias[j] += g[i, j]
