"""Dropout: random zeros whose mask is a function of a key, so that nothing is kept of it."""

import numpy as np

from ..dtypes import float16, float32
from ..kernels.noise import dropout as kernel
from ..random import Generator, draw_stream
from ..tensor import Tensor
from .op import op

__all__ = ["dropout"]


@op(x=lambda g, state, p: _dropout(g, state, p=p))
def _dropout(x, state, *, p):
    """x / (1 - p), or 0 in a part p of the places: which, say ``state``, two uint64 of `draw_stream`, and the place of
    the element. Whoever runs this again with another state (a compiled step, say) has drawn another mask.
    """
    if x.dtype == float16:
        return _dropout.forward(x.astype(float32), state, p=p).astype(float16)
    out = np.empty(x.shape, x.dtype)
    keep = 1 / (1 - p) if p < 1 else 0.0
    kernel(x.ravel(), state, min(round(p * 2**32), 2**32 - 1), keep, out.reshape(-1))
    return out


def dropout(input: Tensor, p: float, train: bool, *, generator: Generator | None = None) -> Tensor:
    """Each element 0 with probability p, else input / (1 - p), so that the mean stays; ``input`` itself unless
    ``train`` (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html).

    The mask is not stored: backward computes it again from the two numbers that were drawn for it.

    >>> dropout(Tensor([1.0, 2.0]), 0.5, train=False)
    tensor([1., 2.])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be in [0, 1]; got {p}")
    if not train or p == 0:
        return input
    return _dropout(input, draw_stream(generator), p=p)
