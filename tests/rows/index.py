"""Gather, take, masks and places; writing at places."""

import numpy as np
import torch
from samples import b, call, n, row, x

row(
    "gather",
    call(x(2, 3), 1, n(2, 2, high=3)),
    call(x(3, 3), 0, n(1, 2, high=3)),
    call(x(), 0, n(2, high=1)),
    call(x(2), -1, n(high=2)),
    call(x(2, 3, 2), 1, n(1, 4, 2, high=3)),
    call(x(2, 3), 1, n(0, 3, high=3)),
    call(x(2, 3), 1, n(0, high=3)),
)
row(
    "take_along_dim",
    call(x(2, 3), n(2, 1, high=3), 1),
    call(x(3, 1, 2), n(1, 2, 2, high=3), 0),
    call(x(2, 3), n(4, high=6)),
)
row(
    "index_select",
    call(x(3, 2), 0, n(4, high=3)),
    call(x(2, 3), -1, np.array(2)),
    call(x(), 0, np.array([0])),
    call(x(2, 3), 1, n(0, high=2)),
)
row("take", call(x(2, 3), n(2, 2, low=-6, high=6)), call(x(2), n(high=2)), call(x(), np.array([0, 0])))
row(
    "masked_select",
    call(x(2, 3), b(2, 3)),
    call(x(2, 3), b(3)),
    call(x(3), b(2, 3)),
    call(x(), np.array(True)),
    call(x(2), np.array([False, False])),
)
row(
    "nonzero",
    call(b(2, 3)),
    call(b(2, 3), as_tuple=True),
    call(np.array(1.0)),
    call(np.array(0.0)),
    call(np.array(1), as_tuple=True),
    call(x(2)),
    differentiable=False,
)
row("argwhere", call(b(2, 3)), call(x(2)), differentiable=False)
row(
    "isin",
    call(n(2, 3, high=9), n(4, high=9)),
    call(n(3, high=4), n(2, high=4), invert=True),
    call(n(3, high=4), 2),
    call(2, n(3, high=4)),
    call(x(3), x(2, 3)),
    differentiable=False,
)

# --- at places along an axis ---

row(
    "scatter",
    call(x(2, 3), 1, np.array([[2, 0], [1, 2]]), x(2, 2, seed=1)),
    call(x(2, 3), 1, np.array([[0], [1]]), 1.5),
    call(x(2, 3), 1, n(0, high=3), 1.5),
    call(x(2, 3), 1, np.array([[0], [1]]), value=2),
    call(x(), 0, np.array([0]), x(1)),
    call(n(2, 3, high=9), 1, np.array([[0], [1]]), 7),
)
row("scatter", call(x(3, 3), 0, np.array([[2, 0]]), x(2, 4, seed=1)), torch_fails="invalid gradient")
row("scatter", call(x(2, 3), 1, n(2, 4, high=3), 3.0, reduce="multiply"), differentiable=False)
row(
    "scatter_add",
    call(x(2, 3), 1, n(2, 4, high=3), x(2, 4)),
    call(x(2, 3), 1, n(0, high=3), x(0)),
    call(x(), 0, np.array([0]), x(1)),
    call(n(3, high=4), 0, n(5, high=3), n(5, high=4)),
)
row("scatter_add", call(x(3, 3), 0, n(2, 2, high=3), x(2, 3)), torch_fails="invalid gradient")
for _how in ("sum", "mean", "amax", "amin", "prod"):
    row(
        "scatter_reduce",
        call(x(2, 3), 1, n(2, 4, high=3), x(2, 4), _how),
        call(x(4, 3), 0, n(3, 2, high=4), x(3, 2), _how, include_self=False),
        call(x(3), 0, np.array([0, 0, 0, 2]), x(4), reduce=_how),
        call(n(3, low=1, high=9), 0, np.array([0, 0, 0, 2]), n(4, low=1, high=9), reduce=_how, include_self=False),
    )
    row(
        "scatter_reduce",
        call(x(4, 3), 0, n(3, 2, high=4), x(3, 3), _how),
        torch_fails="invalid gradient|size of tensor a",
    )
row(
    "scatter_reduce",
    call(np.array([1.0, 2.0]), 0, np.array([0, 0, 1]), np.array([1.0, 1.0, 3.0]), "amax"),
    gradcheck=False,
)
row(
    "scatter_reduce",
    call(np.array([1.0, 2.0]), 0, np.array([0, 0, 1, 1]), np.array([0.0, 3.0, 0.0, 0.0]), "prod"),
    gradcheck=False,
    torch_fails="Double backward",
)

# --- parts along an axis ---

row(
    "index_add",
    call(x(3, 2), 0, n(4, high=3), x(4, 2)),
    call(x(2, 3), -1, np.array([2, 0]), x(2, 2), alpha=2.5),
    call(x(), 0, np.array([0]), x()),
    call(n(3, high=4), 0, np.array([1, 1]), n(2, high=5), alpha=2),
    call(n(3, high=4), 0, np.array([1, 1]), n(2, high=5), alpha=2.5),
    call(b(3), 0, np.array([1, 2]), b(2), alpha=2),
    call(b(3), 0, np.array([1, 2]), b(2), alpha=0),
)
row(
    "index_copy",
    call(x(3, 2), 0, np.array([2, 0]), x(2, 2)),
    call(x(2, 3), -1, np.array([1]), x(2, 1)),
    call(x(), 0, np.array([0]), x(1)),
)
row(
    "index_fill",
    call(x(3, 2), 0, np.array([2, 0]), 1.5),
    call(x(), 0, np.array([0]), 1.5),
    call(n(3, high=4), 0, np.array(1), 7),
)
row("index_fill", call(x(2, 3), 1, np.array([0, -1]), np.array(2.0)), torch_fails="INDICES element")
row(
    "index_put",
    call(x(3, 2), (np.array([2, 0]),), x(2, 2)),
    call(x(3, 2), (np.array([1, 1]),), x(2), accumulate=True),
    call(x(3, 2), (np.array([2, 0]), np.array([1, 1])), x(1), accumulate=True),
    call(x(2, 3), (b(2, 3),), x(), accumulate=True),
    call(x(2, 3), (b(2, 3),), x()),
)

# --- masks ---

row(
    "masked_fill",
    call(x(2, 3), b(2, 3), 1.5),
    call(x(2, 3), b(3), np.array(2.0)),
    call(x(3, 1), b(4), 0),
    call(n(3, high=4), b(3), 1.5),
    call(b(3), b(3, seed=1), True),
)
row("masked_scatter", call(x(2, 3), b(2, 3), x(7)), call(x(2, 3), b(3), x(3, 3)), call(x(2, 3), b(2, 1), x(6)))

# --- parts ---

row("select_scatter", call(x(2, 3), x(3), 0, 1), call(x(2, 3), x(2), 1, -1))
row("slice_scatter", call(x(4, 3), x(2, 3), 0, 1, 3), call(x(2, 5), x(2, 2), 1, 1, None, 2), call(x(2, 3), x(2, 3)))


def _bags(table, index, starts, factors=None, *, mode="sum"):
    return torch.nn.functional.embedding_bag(
        index, table, starts, mode=mode, per_sample_weights=factors, include_last_offset=True
    )


_INDEX, _STARTS = np.array([0, 3, 3, 1, 4]), np.array([0, 2, 2, 5])
row(
    "pool_rows",
    call(x(5, 3), _INDEX, _STARTS),
    call(x(5, 3), _INDEX, _STARTS, x(5)),
    call(x(5, 3), _INDEX, _STARTS, mode="mean"),
    call(x(5, 3), _INDEX, _STARTS, mode="max"),
    oracle=_bags,
    method=False,
    torch_fails="derivative|second",
)
