"""The affine map of a layer, forward and backward, each as one call: on small layers the calls are what costs.

Results are written into arrays the caller made: returning a new array from a kernel costs more than `np.empty`.
"""

import functools

from .hand import Kernel, kernel
from .language import cut, formula, gemm_part, prange
from .parts import Part
from .printer import expand
from .symbol import Symbol

__all__ = ["linear", "linear_activation", "linear_backward", "linear_backward_parameters", "sum_rows"]

activation = formula


@kernel(layouts="A2 A2 R1 C2")
def affine(x, weight, bias, out, parts):
    """out = activation(x @ weight.T + bias) for x (n, i), weight (o, i), bias (o,), out (n, o)."""
    for part in prange(parts):
        top, bottom, left, end = gemm_part(x, weight.T, out, part, parts)
        shift = bias[left:end]
        for i in range(top, bottom):
            row = out[i, left:end]
            for j in range(row.size):
                row[j] = activation(row[j] + shift[j])


linear = affine.of("linear", activation=lambda x: x)


@functools.cache
def linear_activation(name: str) -> Kernel:
    """The affine map with an elementwise operation applied to it."""
    return affine.of(name, activation=lambda x: expand([Symbol.apply(name, x)])[0])


@Part
def sum_rows(x, sums, part, parts):
    """The sums of a part of the columns of x."""
    first, end = cut(x.shape[1], part, parts)
    total = sums[first:end]
    total[:] = 0
    for i in range(x.shape[0]):
        row = x[i, first:end]
        for j in range(row.size):
            total[j] += row[j]


@kernel(layouts="R2 R2 A2 C2 C2 C1")
def linear_backward(g, x, weight, dx, dweight, dbias, parts):
    """The gradients of x, weight and bias from that of the output."""
    for part in prange(parts):
        gemm_part(g, weight, dx, part, parts)
        gemm_part(g.T, x, dweight, part, parts)
        sum_rows(g, dbias, part, parts)


@kernel(layouts="R2 R2 C2 C1")
def linear_backward_parameters(g, x, dweight, dbias, parts):
    """The gradients of weight and bias alone, for the first layer."""
    for part in prange(parts):
        gemm_part(g.T, x, dweight, part, parts)
        sum_rows(g, dbias, part, parts)
