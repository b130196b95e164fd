"""Matrix products."""

from typing import Any

import numpy as np

from ..tensor import Tensor
from .op import op
from .shape import squeeze, sum_to, transpose, unsqueeze

__all__ = ["matmul"]


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
