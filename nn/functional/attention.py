"""Attention."""

import math
from typing import Any

import autograd
from autograd import Tensor

from .dropout import dropout

__all__ = ["scaled_dot_product_attention"]


def attention_weights(
    query: Tensor, key: Tensor, mask: Tensor | None, is_causal: bool, scale: float | None, name: str
) -> Tensor:
    """softmax(q k^T * scale + mask) over the keys; a mask of truth values says which keys take part."""
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale)
    if is_causal:
        if mask is not None:
            raise RuntimeError(f"{name}: is_causal takes the place of a mask; got both")
        mask = autograd.ones(query.shape[-2], key.shape[-2], dtype=autograd.bool).tril()
    if mask is not None:
        if mask.dtype == autograd.bool:
            scores = autograd.where(mask, scores, float("-inf"))
        else:
            scores = scores + mask
    return autograd.softmax(scores, dim=-1)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q k^T / sqrt(e) + mask) v (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.1);
    (*, l, e), (*, s, e), (*, s, v) -> (*, l, v).

    A mask of truth values says which keys take part, one of numbers is added; ``is_causal`` lets query i see the keys
    up to i. ``dropout_p`` always acts. With ``enable_gqa`` several heads of the query share one of key and value.
    """
    name = "scaled_dot_product_attention"
    autograd.check_attention(name, query, key, value, attn_mask)
    if enable_gqa:
        key, value = (_shared_heads(name, t, query) for t in (key, value))
    if dropout_p:
        weights = attention_weights(query, key, attn_mask, is_causal, scale, name)
        return dropout(weights, dropout_p) @ value
    if is_causal and attn_mask is not None:
        raise RuntimeError(f"{name}: is_causal takes the place of a mask; got both")
    return autograd.attention(query, key, value, attn_mask, is_causal, scale)


def _shared_heads(name: str, tensor: Tensor, query: Tensor) -> Tensor:
    """A key or value with each of its heads as often as heads of the query share it."""
    if min(tensor.ndim, query.ndim) < 3:
        raise IndexError(f"{name}: enable_gqa needs an axis of heads; got {tuple(tensor.shape)}, {tuple(query.shape)}")
    heads, wanted = tensor.shape[-3], query.shape[-3]
    if not heads or wanted % heads:
        raise RuntimeError(
            f"{name}: with enable_gqa the heads of key and value must divide those of the query; "
            f"got {heads} and {wanted}"
        )
    return tensor.repeat_interleave(wanted // heads, dim=-3)


def additive(mask: Any, dtype: Any) -> Any:
    """A mask as numbers to add: where True, which here means "leave out", minus infinity."""
    if mask is None or mask.dtype != autograd.bool:
        return mask
    return autograd.where(mask, autograd.tensor(float("-inf"), dtype=dtype), 0.0)
