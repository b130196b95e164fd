"""Attention."""

import math
from typing import Any

import numpy as np

from ..dtypes import bool_, float16, float32, is_float
from ..kernels import attention as kernels
from ..kernels.products import as_stacks
from ..tensor import Tensor
from .comparison import eq
from .convert import cast
from .op import Kept, op
from .products import matmul
from .reduce import all as all_
from .reduce import sum as sum_
from .selection import where
from .shape import sum_to, transpose
from .softmax import softmax

__all__ = ["attention", "check_attention"]


def _mt(x: Any) -> Any:
    return transpose(x, -2, -1)


def _weights(query: Any, key: Any, mask: Any, scale: float, causal: bool) -> Any:
    scores = matmul(query, _mt(key)) * scale
    if mask is not None:
        scores = scores + mask
    if causal:
        scores = where(np.tri(scores.shape[-2], scores.shape[-1]) > 0, scores, -math.inf)
    blind = all_(eq(scores, -math.inf), -1, True)  # a query that sees no key
    return where(blind, 0.0, softmax(where(blind, 0.0, scores), -1))


def _score_gradient(g: Any, query: Any, key: Any, value: Any, mask: Any, scale: float, causal: bool) -> Any:
    weights = _weights(query, key, mask, scale, causal)
    along = matmul(g, _mt(value))
    return weights * (along - sum_(along * weights, -1, True))


@op(
    query=lambda g, query, key, value, mask, scale, causal, shape: sum_to(
        matmul(_score_gradient(g, query, key, value, mask, scale, causal), key) * scale, shape
    ),
    key=lambda g, query, key, value, mask, scale, causal, shape: sum_to(
        matmul(_mt(_score_gradient(g, query, key, value, mask, scale, causal)), query) * scale, shape
    ),
    value=lambda g, query, key, mask, scale, causal, shape: sum_to(
        matmul(_mt(_weights(query, key, mask, scale, causal)), g), shape
    ),
    mask=lambda g, query, key, value, mask, scale, causal, shape: sum_to(
        _score_gradient(g, query, key, value, mask, scale, causal), shape
    ),
)
def _attention(query, key, value, mask, *, scale, causal):
    if query.dtype == float16:
        made = _attention.forward(*_single(query, key, value, mask), scale=scale, causal=causal)
        return Kept(made.output.astype(float16), made.value)
    stacks = _Stacks(query, key, value, mask)
    lead, (queries, keys, width) = stacks.lead, stacks.sizes
    if len(lead) == 2:  # in memory the heads of a position lie together, as the layer that comes next wants them
        out = np.empty((lead[0], queries, lead[1], value.shape[-1]), query.dtype).transpose(0, 2, 1, 3)
    else:
        out = np.empty((*lead, queries, value.shape[-1]), query.dtype)
    stacked = as_stacks(out, lead)
    logsum = np.empty(stacked.shape[:3], query.dtype)
    arguments = (*stacks.arrays, stacks.mask, scale, mask is not None, causal, stacks.block, stacked, logsum)
    kernels.attention.doing(stacks.blocks * stacks.block * keys * width)(*arguments)
    return Kept(out, logsum)


@_attention.by_hand
def _attention_backward(g, query, key, value, mask, scale, causal, kept, needs):
    if needs[3]:
        return _with_mask(g, query, key, value, mask, scale, causal)
    if query.dtype == float16:
        single = [*_single(g, query, key, value, mask), scale, causal, kept]
        return [d.astype(float16) for d in _backward(*single)] + [None]
    return [*_backward(g, query, key, value, mask, scale, causal, kept), None]


def _with_mask(g: Any, query: Any, key: Any, value: Any, mask: Any, scale: float, causal: bool) -> list:
    """The gradients of all four inputs, by the rules."""
    dscores = _score_gradient(g, query, key, value, mask, scale, causal)
    gradients = [
        matmul(dscores, key) * scale,
        matmul(_mt(dscores), query) * scale,
        matmul(_mt(_weights(query, key, mask, scale, causal)), g),
        dscores,
    ]
    return [sum_to(d, x.shape) for d, x in zip(gradients, (query, key, value, mask), strict=True)]


def _backward(g: Any, query: Any, key: Any, value: Any, mask: Any, scale: float, causal: bool, logsum: Any) -> list:
    stacks = _Stacks(query, key, value, mask)
    lead, (_, keys, width) = stacks.lead, stacks.sizes
    gradients = [_like(x, lead) for x in (query, key, value)]
    kernels.attention_backward.doing(2 * stacks.blocks * stacks.block * keys * width)(
        as_stacks(g, lead),
        *stacks.arrays,
        stacks.mask,
        logsum,
        scale,
        mask is not None,
        causal,
        stacks.block,
        *(as_stacks(d, lead) for d in gradients),
    )
    return [sum_to(d, x.shape) for d, x in zip(gradients, (query, key, value), strict=True)]


class _Stacks:
    """The inputs as the kernels read them."""

    def __init__(self, query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | None) -> None:
        inputs = (query, key, value)
        others = () if mask is None else (mask.shape[:-2],)
        self.lead = lead = np.broadcast_shapes(*(x.shape[:-2] for x in inputs), *others)
        self.arrays = tuple(as_stacks(x, lead) for x in inputs)
        queries, keys = query.shape[-2], key.shape[-2]
        self.sizes = queries, keys, query.shape[-1]
        self.block = max(min(queries, kernels.SCORES // max(keys, 1)), min(queries, 16), 1)
        self.blocks = math.prod(lead) * -(-queries // self.block)
        if mask is None:
            self.mask = np.empty((1, 1, 1, 1), query.dtype)
        else:
            if len(lead) > 2:
                mask = np.broadcast_to(mask, (*lead, *mask.shape[-2:])).reshape(-1, lead[-1], *mask.shape[-2:])
            mask = mask.reshape((1,) * (4 - mask.ndim) + mask.shape)
            self.mask = np.ascontiguousarray(np.broadcast_to(mask, (*mask.shape[:-1], keys)))


def _like(x: np.ndarray, lead: tuple[int, ...]) -> np.ndarray:
    """Memory for the gradient of x, in the order of its axes if that keeps rows together."""
    if len(lead) == 2 and x.shape[:-2] == lead:
        made = np.empty_like(x)  # which puts an axis that was expanded last
        if made.strides[-1] == made.itemsize:
            return made
    return np.empty((*lead, *x.shape[-2:]), x.dtype)


def _single(*arrays: np.ndarray | None) -> tuple:
    return tuple(x if x is None else x.astype(np.float32) for x in arrays)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(q k^T * scale + mask) v (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.1), with
    scale 1 / sqrt(e) unless given; (*, l, e), (*, s, e), (*, s, v) -> (*, l, v), leading axes broadcast.

    A mask of truth values, which broadcasts to (*, l, s), says which keys take part, one of numbers is added;
    ``is_causal`` lets query i see the keys up to i. A query that sees no key gets zeros. The weights are never in
    memory all at once.

    >>> attention(Tensor([[1.0]]), Tensor([[1.0], [1.0]]), Tensor([[2.0], [4.0]]))
    tensor([[3.]])
    """
    check_attention("attention", query, key, value, mask)
    if mask is not None:
        if mask.dtype == bool_:
            mask = where(mask, 0.0, -math.inf)
        mask = cast(mask, query.dtype)
        if mask.ndim < 2:
            mask = mask.reshape(1, -1)
    # Of products of nothing, which are 0, any scale will do.
    scale = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else float(scale)
    return _attention(query, key, value, mask, scale=scale, causal=bool(is_causal))


def check_attention(name: str, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> None:
    """Refuse, in the name of a function, what does not go together: kernels would read past the end of it.

    >>> x = Tensor([[1.0]])
    >>> check_attention("attention", x, x, x, None)
    """
    q, k, v = query.array.shape, key.array.shape, value.array.shape
    if len(q) < 2 or len(k) < 2 or len(v) < 2:
        raise RuntimeError(f"{name}: query, key and value must have two or more axes; got {q}, {k}, {v}")
    if q[-1] != k[-1] or k[-2] != v[-2]:
        raise RuntimeError(
            f"{name}: query and key must agree in the last axis, key and value in the one before; got {q}, {k}, {v}"
        )
    dtype = query.dtype
    if not dtype == key.dtype == value.dtype or not is_float(dtype):
        raise RuntimeError(
            f"{name}: query, key and value must have one floating dtype; got {dtype}, {key.dtype}, {value.dtype}"
        )
    if mask is None:
        return
    if mask.dtype not in (bool_, float32, dtype):
        raise RuntimeError(f"{name}: the mask must be of bool, float32 or the query's {dtype}; got {mask.dtype}")
    m = mask.array.shape
    if m[-1:] not in ((), (1,), k[-2:-1]) or m[-2:-1] not in ((), (1,), q[-2:-1]):
        raise RuntimeError(f"{name}: the mask must broadcast to (*, {q[-2]}, {k[-2]}); got {m}")
