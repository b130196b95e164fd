"""Reductions and what is built on them."""

import numpy as np
from samples import b, call, n, row, transposed, x

_OVER = [{}, {"dim": 1}, {"dim": -1, "keepdim": True}]
for _name in ("sum", "mean", "amax", "amin"):
    row(
        _name,
        *[call(x(2, 3, 4), **over) for over in _OVER],
        call(x(2, 3, 4), dim=(0, 2)),
        call(x(2, 3), (0, 1), True),
        call(x()),
        call(transposed(4, 3), dim=0),
    )
row("sum", call(x(0, 3)), call(x(0, 3), dim=0), call(n(2, 3, high=9)), call(b(2, 3)), call(b(2, 3), dtype=np.dtype("float64")))
for _name in ("var", "std"):
    row(
        _name,
        *[call(x(2, 3, 4), **over) for over in _OVER],
        call(x(5), correction=0),
        call(x(3, 5), dim=1, correction=2, keepdim=True),
        call(x(3, 5), 1, unbiased=False),
    )
for _name in ("max", "min"):
    row(_name, call(x(2, 3, 4)), call(x(2, 3, 4), 1), call(x(2, 3), dim=-1, keepdim=True), call(x()), call(x(), 0), call(x(2, 3), x(2, 3, seed=1)))
for _name in ("argmax", "argmin"):
    row(_name, call(x(2, 3, 4)), call(x(2, 3, 4), 1), call(x(2, 3), dim=-1, keepdim=True), call(x()), differentiable=False)
for _name in ("any", "all"):
    row(_name, call(b(2, 3)), call(b(2, 3), 1), call(b(2, 3), dim=0, keepdim=True), call(n(2, 3, high=2)), differentiable=False)
row("count_nonzero", call(b(2, 3)), call(n(2, 3, high=2), dim=1), differentiable=False)
row("logsumexp", call(x(2, 3), 1), call(x(2, 3), dim=0, keepdim=True), call(x(2, 3, 2), (0, 2)), call(x(2, 3, low=900, high=999), 1))
for _name in ("softmax", "log_softmax"):
    row(_name, call(x(2, 3), 1), call(x(2, 3, 4), 1), call(x(5), 0), call(x(), 0), call(x(2, 3, low=900, high=999), -1), call(transposed(3, 4), dim=0))
