"""Affine and bilinear maps."""

from typing import Any

from autograd import Tensor, linear

__all__ = ["bilinear", "linear"]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1 @ weight[k] @ x2 + bias[k] for every output k; (*, i), (*, j) with weight (o, i, j) -> (*, o)."""
    w: Any = weight
    outs, ins1, ins2 = w.shape
    if input1.shape[:-1] != input2.shape[:-1] or input1.shape[-1] != ins1 or input2.shape[-1] != ins2:
        raise RuntimeError(
            f"bilinear: the inputs must be (*, {ins1}) and (*, {ins2}); got {input1.shape} and {input2.shape}"
        )
    half: Any = linear(input1, w.transpose(1, 2).reshape(outs * ins2, ins1))
    out = (half.reshape(*input1.shape[:-1], outs, ins2) * input2.unsqueeze(-2)).sum(-1)
    return out if bias is None else out + bias
