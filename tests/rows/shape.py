"""Shapes and views."""

import numpy as np
import torch
from samples import call, n, row, transposed, x

row(
    "reshape",
    call(x(2, 3), (3, 2)),
    call(x(2, 3), (-1,)),
    call(transposed(2, 3), (6,)),
    call(x(1), ()),
    call(x(0, 3), (3, 0)),
)
row("view", call(x(2, 3), 3, 2), call(x(2, 3), -1), call(x(4), (2, 2)), oracle=torch.Tensor.view)
row(
    "view",
    call(x(2, 4), np.dtype("int32")),
    dtypes=("float32",),
    differentiable=False,
    oracle=lambda t, d: t.view(torch.int32),
)
row("view_as", call(x(2, 3), x(3, 2)), oracle=lambda t, o: t.view(o.shape))
row("reshape_as", call(transposed(2, 3), x(6)), oracle=lambda t, o: t.reshape(o.shape))
row("ravel", call(x(2, 3)), call(transposed(2, 3)), call(x()), call(x(3)), call(x(0, 2)))
row("flatten", call(x(2, 3, 4)), call(x(2, 3, 4), 1), call(x(2, 3, 4), 0, 1), call(x()))
row("unflatten", call(x(2, 6), 1, (2, 3)), call(x(2, 6), -1, (-1, 2)), call(x(6), 0, (1, 6)), call(x(0, 4), 1, (2, 2)))
row("squeeze", call(x(2, 1, 3, 1)), call(x(2, 1, 3), 1), call(x(2, 1, 3), 0), call(x(1, 2, 1), (0, 2)), call(x()))
row("unsqueeze", call(x(2, 3), 0), call(x(2, 3), -1), call(x(), 0))
row("permute", call(x(2, 3, 4), (2, 0, 1)), call(x(2, 3), (-1, 0)))
row("transpose", call(x(2, 3, 4), 0, 2), call(x(2, 3), -1, -2), call(x(), 0, 0))
row("t", call(x(2, 3)), call(x(3)), call(x()))
for _name in ("swapaxes", "swapdims"):
    row(_name, call(x(2, 3, 4), 0, 2))
for _name in ("movedim", "moveaxis"):
    row(_name, call(x(2, 3, 4), 0, 2), call(x(2, 3, 4), (0, 1), (2, 0)), call(x(2, 3, 4), -1, 0), call(x(), 0, 0))
row(
    "expand",
    call(x(3, 1), 3, 4),
    call(x(3), 2, -1),
    call(x(), 2, 2),
    call(x(0, 1), (-1, 3)),
    oracle=torch.Tensor.expand,
)
row("expand_as", call(x(3, 1), x(2, 3, 4)), oracle=lambda t, o: t.expand(o.shape))
row("broadcast_to", call(x(3, 1), (2, 3, 4)))
row("broadcast_tensors", call(x(3, 1), x(2, 1, 4)), call(x(), x(2)), method=False)
row("atleast_1d", call(x()), call(x(2), x()), call([x(), x(2, 3)]), method=False)
row("atleast_2d", call(x()), call(x(2), x(2, 3)), method=False)
row("atleast_3d", call(x()), call(x(2), x(2, 3), x(1, 2, 3)), method=False)
row(
    "unfold",
    call(x(5), 0, 2, 1),
    call(x(2, 7), 1, 3, 2),
    call(x(7, 2), -2, 2, 3),
    call(x(), 0, 1, 1),
    call(transposed(3, 4), 0, 2, 1),
    call(x(3), 0, 0, 2),
    oracle=torch.Tensor.unfold,
)
row(
    "as_strided",
    call(x(2, 3), (2, 2), (1, 1)),
    call(x(6), (2, 2), (3, 1), 1),
    call(x(2, 3), (3, 3), (1, 0)),
    call(x(4), (), ()),
    call(x(4), (0, 2), (1, 1)),
)

# --- parts ---

row("narrow", call(x(3, 4), 1, 1, 2), call(x(3, 4), 0, -2, 1), call(x(3), 0, 3, 0))
row("select", call(x(3, 4), 1, -1), call(x(3), 0, 1))
row(
    "split",
    call(x(5, 2), 2),
    call(x(2, 5), 3, 1),
    call(x(5), (1, 4)),
    call(x(2, 5), [2, 0, 3], -1),
    call(x(0, 2), 3),
    call(transposed(4, 2), 2),
)
row("chunk", call(x(5), 2), call(x(2, 5), 3, 1), call(x(2), 5), call(x(0), 2))
row(
    "tensor_split",
    call(x(7), 3),
    call(x(2, 5), 7, 1),
    call(x(7), (2, 5)),
    call(x(7, 2), [5, 2]),
    call(x(5), n(2, high=5)),
)
row("hsplit", call(x(4), 2), call(x(2, 4), [1, 3]))
row("vsplit", call(x(4, 2), 2), call(x(4, 2), [1]))
row("dsplit", call(x(2, 1, 4), 2), call(x(2, 1, 4), [1, 2]))
row("unbind", call(x(3, 2)), call(x(2, 3), -1), call(x(0, 2)), call(transposed(2, 3)))

# --- repeated ---

row(
    "repeat",
    call(x(2), 3),
    call(x(2, 3), 2, 1, 2),
    call(x(2, 3), (1, 0)),
    call(x(), 2),
    call(x(2), 1),
    oracle=torch.Tensor.repeat,
)
row("tile", call(x(2, 3), (2,)), call(x(2), (2, 2)), call(x(), (3,)), call(x(2), ()))
row(
    "repeat_interleave",
    call(x(3), 2),
    call(x(2, 3), 2, 1),
    call(x(2, 3), np.array([1, 2]), 0),
    call(x(2, 3), np.array([2]), dim=-1),
    call(x(2, 2), 2),
    call(n(3, high=4)),
    call(x(3), np.array([0, 0, 2]), 0),
    call(x(3), 0),
)

# --- another order ---

row(
    "flip",
    call(x(2, 3), (0,)),
    call(x(2, 3), (0, -1)),
    call(x(2, 3), ()),
    call(x(), (0,)),
    call(transposed(2, 3), (1,)),
)
row("fliplr", call(x(2, 3)))
row("flipud", call(x(2, 3)), call(x(3)))
row("roll", call(x(2, 3), 1), call(x(2, 3), 1, 1), call(x(2, 3), (1, -4), (0, 1)), call(x(0, 3), 1), call(x(), 1))
row("rot90", call(x(2, 3)), call(x(2, 3), 2), call(x(2, 3), -1), call(x(2, 3), 4), call(x(2, 3, 4), 1, (1, 2)))

# --- diagonals ---

row(
    "diagonal",
    call(x(3, 4)),
    call(x(3, 4), 1),
    call(x(3, 4), -2),
    call(x(2, 3, 4), 0, 0, -1),
    call(x(2, 3, 4), 1, 2, 1),
    call(x(2, 3), 5),
)
row("diag", call(x(3)), call(x(2), -1), call(x(3, 4)), call(x(3, 4), 2))
row("diag_embed", call(x(3)), call(x(2, 3), 1), call(x(2, 3), -1, 0, 2), call(x(2, 3), 0, -1, 0))
row("diagflat", call(x(3)), call(x(2, 2), 1), call(x()))
row("diagonal_scatter", call(x(3, 3), x(3)), call(x(3, 4), x(3), 1), call(x(2, 3, 4), x(3, 2), 0, 0, 2))
for _name in ("tril", "triu"):
    row(_name, call(x(3, 4)), call(x(2, 3, 3), 1), call(x(3, 3), -1), call(n(3, 3, high=9)))
