"""The affine map of a layer."""

from typing import Any

import numpy as np

from ..kernels import linear as kernels
from ..kernels.blas import multiply
from ..tensor import Tensor
from .linalg import matmul
from .op import op
from .shape import reshape, sum_to, transpose

__all__ = ["linear"]


def _rows(x: Any) -> Any:
    """(*, n) as a matrix (product of *, n)."""
    return x if x.ndim == 2 else reshape(x, -1, x.shape[-1])


@op(
    input=lambda g, weight: matmul(g, weight),
    weight=lambda g, input: matmul(transpose(_rows(g), 0, 1), _rows(input)),
    bias=lambda g, shape: sum_to(g, shape),
)
def _linear(input, weight, bias):
    if input.dtype.kind != "f" or input.dtype.itemsize < 4:
        return np.matmul(input, weight.T) + bias
    if input.ndim == 2:
        out = rows = np.empty((input.shape[0], weight.shape[0]), input.dtype)
    else:
        out = np.empty((*input.shape[:-1], weight.shape[0]), input.dtype)
        rows = _rows(out)
    multiply(rows.shape[0] * weight.size, kernels.linear, _rows(input), weight, np.ascontiguousarray(bias), rows)
    return out


def _contiguous_rows(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x if x.ndim == 2 else x.reshape(-1, x.shape[-1]))


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
    rows, x = _contiguous_rows(g), _contiguous_rows(input)
    dweight, dbias = np.empty(weight.shape, dtype), np.empty(weight.shape[0], dtype)
    if not need_input:
        multiply(rows.shape[0] * weight.size, kernels.linear_backward_parameters, rows, x, dweight, dbias)
        return [None, dweight, dbias]
    dx = np.empty(input.shape, dtype)
    arrays = (rows, x, weight, dx if dx.ndim == 2 else _rows(dx), dweight, dbias)
    multiply(rows.shape[0] * weight.size, kernels.linear_backward, *arrays)
    return [dx, dweight, dbias]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias; (*, in) with weight (out, in) and bias (out,) -> (*, out).

    >>> linear(Tensor([1.0, 2.0]), Tensor([[3.0, 4.0]]), Tensor([0.5]))
    tensor([11.5000])
    """
    x, w = input.array, weight.array
    if not x.shape or x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            f"linear: the last axis of the input must be {weight.shape[-1]} (weight {tuple(weight.shape)}); "
            f"got {tuple(input.shape)}"
        )
    if x.dtype != w.dtype:
        raise RuntimeError(f"linear: input and weight must have one dtype; got {input.dtype} and {weight.dtype}")
    if bias is None:
        return matmul(input, transpose(weight, 0, 1) if weight.ndim == 2 else weight)
    return _linear(input, weight, bias)
