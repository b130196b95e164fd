"""Attention and transformers."""

from nn_table import module
from samples import b, x

ONCE = {"second": False, "training": [False], "check": False}
_q, _k, _v = x(3, 2, 4), x(4, 2, 4, seed=1), x(4, 2, 4, seed=2)
_padding = b(2, 4)
_padding[:, 0] = False  # a query that sees nothing has no weights

module("MultiheadAttention", 4, 2, inputs=[(_q, _k, _v), (_q[:, 0], _k[:, 0], _v[:, 0])], options=ONCE)
module("MultiheadAttention", 4, 2, inputs=[(_q, _k, _v, _padding, True, x(3, 4), False)], options=ONCE)
module("MultiheadAttention", 4, 2, inputs=[(_q, _k, _v, None, True, x(4, 3, 4))], options=ONCE)
module("MultiheadAttention", 4, 1, kdim=3, vdim=2, bias=False, inputs=[(_q, x(4, 2, 3), x(4, 2, 2))], options=ONCE)
module(
    "MultiheadAttention", 4, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True,
    inputs=[(x(2, 3, 4), x(2, 4, 4), x(2, 4, 4), _padding)], options=ONCE,
)  # fmt: skip

_src, _tgt = x(3, 2, 4), x(2, 2, 4, seed=1)
for _options in ({}, {"norm_first": True, "activation": "gelu", "bias": False}):
    module("TransformerEncoderLayer", 4, 2, 8, **_options, inputs=[(_src,), (_src, x(3, 3))], options=ONCE)
    module("TransformerDecoderLayer", 4, 2, 8, **_options, inputs=[(_tgt, _src), (_tgt, _src, x(2, 2))], options=ONCE)
module("TransformerEncoderLayer", 4, 2, 8, dropout=0.0, inputs=[(_src,)], options={**ONCE, "training": [True]})
module("Transformer", 4, 2, 1, 2, 8, batch_first=True, inputs=[(x(2, 3, 4), x(2, 2, 4, seed=1))], options=ONCE)
