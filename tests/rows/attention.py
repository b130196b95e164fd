"""Attention."""

import numpy as np
import torch
from samples import b, call, row, transposed, x


def _attention(query, key, value, mask=None, is_causal=False, scale=None):
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, mask, 0.0, is_causal, scale=scale)


_blind = b(3, 5)
_blind[1] = False  # a query that sees no key
_q, _k, _v = x(2, 2, 3, 4), x(2, 2, 5, 4, seed=1), x(2, 2, 5, 3, seed=2)

row(
    "attention",
    call(x(3, 4), x(5, 4, seed=1), x(5, 2, seed=2)),
    call(x(2, 3, 4), x(2, 5, 4, seed=1), x(2, 5, 3, seed=2), scale=0.7),
    call(_q, _k, _v, is_causal=True),
    call(_q, _k, _v, _blind),
    call(_q, _k, _v, b(2, 1, 1, 5) | (np.arange(5) == 0)),
    call(_q, _k, _v, x(2, 3, 5)),
    call(x(2, 1, 2, 3, 4), x(2, 2, 1, 5, 4), x(1, 2, 2, 5, 3)),
    call(transposed(2, 3, 4, 2), x(2, 3, 5, 2), transposed(2, 3, 5, 3)),
    oracle=_attention,
    terms=2.0,
    method=False,
)
