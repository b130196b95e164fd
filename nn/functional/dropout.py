"""Dropout: random zeros while training."""

import numpy as np

from autograd import Tensor
from autograd.random import default_generator

__all__ = ["dropout"]


def check_probability(op: str, p: float) -> None:
    """A probability is in [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"{op}: p must be in [0, 1]; got {p}")


def keep(shape: tuple[int, ...], p: float, dtype: np.dtype, scale: float) -> Tensor:
    """``scale`` in a random part 1 - p of the places, 0 in the others."""
    with default_generator._lock:
        drawn = default_generator.numpy.random(shape, np.float32)
    return Tensor(np.multiply(drawn >= p, scale, dtype=dtype))


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element 0 with probability p, else input / (1 - p), so that the mean stays; input itself unless ``training``
    (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html).
    """
    check_probability("dropout", p)
    if not training or p == 0:
        return input
    mask = keep(input.shape, p, input.dtype, 1 / (1 - p) if p < 1 else 0.0)
    return input.mul_(mask) if inplace else input * mask  # type: ignore[attr-defined, operator]
