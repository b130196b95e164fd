"""Normalisation of rows and of channels."""

import torch
from samples import call, row, transposed, x

functional = torch.nn.functional


def _rows(t, weight, bias, eps):
    return functional.layer_norm(t, t.shape[1:], weight, bias, eps)


def _channels(t, weight, bias, eps):
    return functional.batch_norm(t, None, None, weight, bias, True, eps=eps)


def _moments(t):
    t, dims = t.detach(), [0, *range(2, t.ndim)]
    return t.mean(dims), t.var(dims, correction=0)


row(
    "normalize_rows",
    call(x(3, 4), x(4), x(4, seed=1), 1e-5),
    call(x(3, 4), None, None, 0.1),
    call(transposed(4, 3), x(3), None, 0.1),
    oracle=_rows,
    method=False,
)
row(
    "normalize_channels",
    call(x(3, 4), x(4), x(4, seed=1), 1e-5),
    call(x(2, 3, 4), x(3), x(3, seed=1), 0.1),
    call(x(2, 3, 2, 2), None, None, 0.1),
    call(transposed(4, 3), x(3), None, 0.1),
    oracle=_channels,
    method=False,
)
row(
    "channel_moments",
    call(x(3, 4)),
    call(x(2, 3, 4)),
    call(transposed(4, 3)),
    oracle=_moments,
    method=False,
    differentiable=False,
    ulps=1024,  # PyTorch's float32 sums are less exact
)
