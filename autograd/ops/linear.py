"""The affine map of a layer."""

import math
from typing import Any

import numpy as np

from ..door import apply
from ..kernels import linear as kernels
from ..kernels.hand import FLOATS
from ..modes import intercepting, state
from ..tensor import Tensor
from .formula import Elementwise
from .linalg import matmul
from .op import op, registry
from .shape import reshape, sum_to, transpose

__all__ = ["linear"]


def _rows(x: Any) -> Any:
    """(*, n) as a matrix (product of *, n)."""
    return x if x.ndim == 2 else reshape(x, math.prod(x.shape[:-1]), x.shape[-1])


@op(
    input=lambda g, weight: matmul(g, weight),
    weight=lambda g, input: matmul(transpose(_rows(g), 0, 1), _rows(input)),
    bias=lambda g, shape: sum_to(g, shape),
)
def _linear(input, weight, bias):
    if input.dtype not in FLOATS:
        return np.matmul(input, weight.T) + bias
    return _run(kernels.linear, input, weight, bias)


def _run(kernel, input, weight, bias):
    rows = input if input.ndim == 2 else _rows(input)
    out = np.empty((len(rows), len(weight)), input.dtype)
    kernel.doing(len(rows) * weight.size)(rows, weight, np.ascontiguousarray(bias), out)
    return out if rows is input else out.reshape(*input.shape[:-1], len(weight))


@_linear.by_hand
def _linear_backward(g, input, weight, needs):
    need_input, need_weight, need_bias = needs
    dtype = g.dtype
    if not (need_weight and need_bias) or dtype.itemsize < 4:
        return [
            matmul(g, weight) if need_input else None,
            matmul(_rows(g).T, _rows(input)) if need_weight else None,
            sum_to(g, weight.shape[:1]) if need_bias else None,
        ]
    rows, x = np.ascontiguousarray(_rows(g)), np.ascontiguousarray(_rows(input))
    dweight, dbias = np.empty(weight.shape, dtype), np.empty(len(weight), dtype)
    work = len(rows) * weight.size
    if not need_input:
        kernels.linear_backward_parameters.doing(work)(rows, x, dweight, dbias)
        return [None, dweight, dbias]
    dx = np.empty(input.shape, dtype)
    kernels.linear_backward.doing(work)(rows, x, weight, _rows(dx), dweight, dbias)
    return [dx, dweight, dbias]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: str | None = None) -> Tensor:
    """input @ weight.T + bias; (*, in) with weight (out, in) and bias (out,), or one that broadcasts, -> (*, out).

    ``activation`` names an elementwise operation of one input, ``"relu"`` say, to be applied to that. Where no graph is
    recorded it is one kernel.

    >>> linear(Tensor([1.0, 2.0]), Tensor([[3.0, 4.0]]), Tensor([0.5]))
    tensor([11.5000])
    >>> linear(Tensor([1.0, 2.0]), Tensor([[3.0, -4.0]]), Tensor([0.5]), activation="relu")
    tensor([0.])
    """
    x, w = input.array, weight.array
    if not x.shape or x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            f"linear: the last axis of the input must be {weight.shape[-1]} (weight {tuple(weight.shape)}); "
            f"got {tuple(input.shape)}"
        )
    if x.dtype != w.dtype:
        raise RuntimeError(f"linear: input and weight must have one dtype; got {input.dtype} and {weight.dtype}")
    if bias is not None:
        b = bias.array
        if b.dtype != x.dtype:
            raise RuntimeError(f"linear: input and bias must have one dtype; got {input.dtype} and {bias.dtype}")
        if b.ndim != 1 or b.size != len(w) or w.ndim != 2:
            return _with_broadcast(input, weight, bias, activation)
    if activation is not None:
        return _activated(input, weight, bias, activation)
    if bias is None:
        return matmul(input, transpose(weight, 0, 1) if weight.ndim == 2 else weight)
    return apply(_linear, (input, weight, bias))


def _with_broadcast(input: Tensor, weight: Tensor, bias: Tensor, activation: str | None) -> Tensor:
    if weight.ndim != 2:
        raise RuntimeError(f"linear: with a bias the weight must be (out, in); got {tuple(weight.shape)}")
    out = linear(input, weight)
    wanted, given = tuple(out.shape), tuple(bias.shape)
    lengths = zip(given[::-1], wanted[::-1])
    if len(given) > len(wanted) or any(m not in (1, n) for m, n in lengths):
        raise RuntimeError(f"linear: the bias must have shape ({wanted[-1]},), or broadcast to {wanted}; got {given}")
    out = out + bias
    return out if activation is None else _function(activation)(out)


def _function(activation: str) -> Elementwise:
    function = registry.get(activation)
    if not isinstance(function, Elementwise) or function.arity != 1:
        raise ValueError(f"linear: activation must name an elementwise operation of one input; got {activation!r}")
    return function


def _activated(input: Tensor, weight: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    function = _function(activation)
    tensors = (input, weight, bias)
    recorded = state.recording and any(t is not None and t.requires_grad for t in tensors)
    if bias is None or recorded or intercepting or input.dtype not in FLOATS or not function.fuses:
        return function(linear(input, weight, bias))
    return Tensor(_run(kernels.linear_activation(activation), input.array, weight.array, bias.array))
