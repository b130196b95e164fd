"""Matrix products."""

from typing import Any

import numpy as np

from ..kernels import linear as kernels
from ..tensor import Tensor
from .op import op
from .shape import reshape, squeeze, sum_to, transpose, unsqueeze

__all__ = ["linear", "matmul"]


def _mt(x: Any) -> Any:
    return transpose(x, -2, -1)


@op(
    a=lambda g, b, shape: sum_to(_matmul(g, _mt(b)), shape),
    b=lambda g, a, shape: sum_to(_matmul(_mt(a), g), shape),
)
def _matmul(a, b):
    return np.matmul(a, b)


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: of two vectors their dot product, of a matrix and a vector the vector, of stacks of matrices
    the stack of products, leading axes broadcast; (*, n, k) @ (*, k, m) -> (*, n, m).

    >>> matmul(Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    if not input.ndim or not other.ndim:
        raise RuntimeError(f"matmul: both tensors need an axis; got {tuple(input.shape)} @ {tuple(other.shape)}; use *")
    k, m = input.shape[-1], other.shape[-2 if other.ndim > 1 else -1]
    if k != m:
        got = f"{tuple(input.shape)} @ {tuple(other.shape)}, {k} != {m}"
        raise RuntimeError(f"matmul: inner sizes differ: {got}")
    if input.dtype != other.dtype:
        raise RuntimeError(f"matmul: the dtypes must be equal; got {input.dtype} and {other.dtype}; convert one with to()")
    a = unsqueeze(input, 0) if input.ndim == 1 else input
    b = unsqueeze(other, 1) if other.ndim == 1 else other
    try:
        out = _matmul(a, b)
    except ValueError:
        raise RuntimeError(
            f"matmul: the leading axes do not broadcast; got {tuple(input.shape)} @ {tuple(other.shape)}"
        ) from None
    if other.ndim == 1:
        out = squeeze(out, -1)
    return squeeze(out, -1 if other.ndim == 1 else -2) if input.ndim == 1 else out


def _rows(x: Any) -> Any:
    """(*, n) as a matrix (product of *, n)."""
    return x if x.ndim == 2 else reshape(x, -1, x.shape[-1])


@op(
    input=lambda g, weight: matmul(g, weight),
    weight=lambda g, input: matmul(_mt(_rows(g)), _rows(input)),
    bias=lambda g, shape: sum_to(g, shape),
)
def _linear(input, weight, bias):
    if input.ndim == 2 and input.flags.c_contiguous and weight.flags.c_contiguous and input.dtype.kind == "f":
        return kernels.linear(input, weight, bias)
    return np.matmul(input, weight.T) + bias


@_linear.by_hand
def _linear_backward(g, input, weight, needs):
    need_input, need_weight, need_bias = needs
    if not (need_weight and need_bias):
        return [
            matmul(g, weight) if need_input else None,
            matmul(_mt(_rows(g)), _rows(input)) if need_weight else None,
            sum_to(g, weight.shape[:1]) if need_bias else None,
        ]
    g2, x2 = np.ascontiguousarray(_rows(g)), np.ascontiguousarray(_rows(input))
    if not need_input:
        return [None, *kernels.linear_backward_parameters(g2, x2)]
    dx, dw, db = kernels.linear_backward(g2, x2, np.ascontiguousarray(weight))
    return [dx if g.ndim == 2 else dx.reshape(input.shape), dw, db]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias; (*, in) with weight (out, in) and bias (out,) -> (*, out).

    >>> linear(Tensor([1.0, 2.0]), Tensor([[3.0, 4.0]]), Tensor([0.5]))
    tensor([11.5000])
    """
    if not input.ndim or input.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            f"linear: the last axis of the input must be {weight.shape[-1]} (weight {tuple(weight.shape)}); "
            f"got {tuple(input.shape)}"
        )
    if input.dtype != weight.dtype:
        raise RuntimeError(f"linear: input and weight must have one dtype; got {input.dtype} and {weight.dtype}")
    if bias is None:
        return matmul(input, transpose(weight, 0, 1) if weight.ndim == 2 else weight)
    return _linear(input, weight, bias)
