"""Multi-head attention."""

from typing import Any

import autograd
from autograd import Tensor, linear

from . import functional as F
from . import init
from .errors import LayerError
from .functional.attention import additive
from .linear import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """concat(head_1, ..., head_h) W_o with head_i = softmax(q_i k_i^T / sqrt(d) + mask) v_i, where q_i, k_i and v_i are
    affine maps of query, key and value (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.2).

    Query (l, n, embed_dim), key (s, n, kdim) and value (s, n, vdim), the batch first with ``batch_first`` or left out
    -> (l, n, embed_dim) and the weights (n, l, s), the mean over heads, or (n, h, l, s), or None.

    ``key_padding_mask`` (n, s) and ``attn_mask`` (l, s) or (n h, l, s): True leaves out, numbers are added.
    ``add_bias_kv`` learns one more key and value, ``add_zero_attn`` appends zeros to both.

    >>> import nn
    >>> x = autograd.zeros(5, 2, 8)
    >>> output, weights = nn.MultiheadAttention(8, num_heads=2)(x, x, x)
    >>> output.shape, weights.shape
    ((5, 2, 8), (2, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter
    k_proj_weight: Parameter
    v_proj_weight: Parameter
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: num_heads must divide embed_dim; got {num_heads} heads, embed_dim={embed_dim}"
            )
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn

        def made(*shape: int) -> Parameter:
            return Parameter(autograd.empty(*shape, device=device, dtype=dtype))

        alike = self.kdim == self.vdim == embed_dim
        separate = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        for name, width in separate.items():
            self.register_parameter(name, None if alike else made(embed_dim, width))
        self.register_parameter("in_proj_weight", made(3 * embed_dim, embed_dim) if alike else None)
        self.register_parameter("in_proj_bias", made(3 * embed_dim) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, made(1, 1, embed_dim) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(output, weights); ``is_causal`` says that ``attn_mask`` is the causal one, which must be given."""
        single = query.ndim == 2
        self._check(query, key, value)
        if is_causal and attn_mask is None:
            raise RuntimeError("MultiheadAttention: is_causal is a hint about attn_mask; got none; pass the mask too")
        q, k, v = (
            t.unsqueeze(0) if single else t if self.batch_first else t.transpose(0, 1) for t in (query, key, value)
        )
        q, k, v = self._project(q, k, v)
        mask = self._mask(attn_mask, key_padding_mask, q, k, single)
        if self.bias_k is not None and self.bias_v is not None:
            k = autograd.cat([k, self.bias_k.expand(k.shape[0], 1, -1)], dim=1)
            v = autograd.cat([v, self.bias_v.expand(v.shape[0], 1, -1)], dim=1)
            mask = _one_more_key(mask)
        if self.add_zero_attn:
            k, v = (autograd.cat([t, autograd.zeros_like(t[:, :1])], dim=1) for t in (k, v))
            mask = _one_more_key(mask)
        heads, weights = self._attend(q, k, v, mask, need_weights)
        out = self.out_proj(heads.transpose(1, 2).reshape(*q.shape))
        if not self.batch_first and not single:
            out = out.transpose(0, 1)
        shown = None
        if need_weights:
            shown = weights.mean(dim=1) if average_attn_weights else weights
        return (out.squeeze(0), None if shown is None else shown.squeeze(0)) if single else (out, shown)

    def _project(self, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        e = self.embed_dim
        for name, parameter in (("in_proj_weight", self.in_proj_weight), ("in_proj_bias", self.in_proj_bias)):
            if parameter is not None and parameter.array.shape[:1] != (3 * e,):
                rule = f"{name} must have {3 * e} rows, got {tuple(parameter.shape)}"
                raise LayerError(self, self._said(), rule)
        biases = [None] * 3 if self.in_proj_bias is None else [self.in_proj_bias[i * e : (i + 1) * e] for i in range(3)]
        if self.in_proj_weight is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        elif q is k and k is v:
            joined = linear(q, self.in_proj_weight, self.in_proj_bias)
            return joined.split(e, -1)
        else:
            weights = [self.in_proj_weight[i * e : (i + 1) * e] for i in range(3)]  # type: ignore[misc]
        return tuple(linear(t, w, b) for t, w, b in zip((q, k, v), weights, biases))

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, need_weights: bool) -> tuple[Tensor, Any]:
        q, k, v = (t.reshape(*t.shape[:2], self.num_heads, self.head_dim).transpose(1, 2) for t in (q, k, v))
        if not need_weights and not (self.training and self.dropout):
            return autograd.attention(q, k, v, mask), None
        weights = F.attention.attention_weights(q, k, mask, False, None, "MultiheadAttention")
        if self.training and self.dropout:
            weights = F.dropout(weights, self.dropout)
        return weights @ v, weights

    def _mask(self, attn_mask: Any, padding: Any, q: Tensor, k: Tensor, single: bool) -> Tensor | None:
        """Both masks as numbers that broadcast to (n, heads, l, s)."""
        n, length, keys = q.shape[0], q.shape[1], k.shape[1]
        mask = additive(attn_mask, q.dtype)
        if mask is not None:
            if mask.ndim == 3:
                mask = mask.reshape(n, self.num_heads, *mask.shape[1:])
            if tuple(mask.shape[-2:]) != (length, keys):
                rule = f"attn_mask must be ({length}, {keys}) or {(n * self.num_heads, length, keys)}"
                raise LayerError(self, "MultiheadAttention", f"{rule}, got {tuple(attn_mask.shape)}")
        if padding is not None:
            wanted = (keys,) if single else (n, keys)
            if tuple(padding.shape) != wanted:
                rule = f"key_padding_mask must be {wanted}, got {tuple(padding.shape)}"
                raise LayerError(self, "MultiheadAttention", rule)
            rows = additive(padding, q.dtype).reshape(n, 1, 1, keys)
            mask = rows if mask is None else mask + rows
        return mask

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        for name, tensor, width in (
            ("query", query, self.embed_dim),
            ("key", key, self.kdim),
            ("value", value, self.vdim),
        ):
            if tensor.ndim not in (2, 3) or tensor.ndim != query.ndim or tensor.shape[-1] != width:
                rule = f"the last axis of 2 or 3 of the {name} must be {width}, got {tuple(tensor.shape)}"
                raise LayerError(self, self._said(), rule)

    def _said(self) -> str:
        return f"MultiheadAttention(embed_dim={self.embed_dim}, num_heads={self.num_heads})"


def _one_more_key(mask: Any) -> Any:
    return None if mask is None else autograd.pad(mask, (0, 1))
