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
row(
    "sum",
    call(x(0, 3)),
    call(x(0, 3), dim=0),
    call(n(2, 3, high=9)),
    call(b(2, 3)),
    call(b(2, 3), dtype=np.dtype("float64")),
)
for _name in ("var", "std"):
    row(
        _name,
        *[call(x(2, 3, 4), **over) for over in _OVER],
        call(x(5), correction=0),
        call(x(3, 5), dim=1, correction=2, keepdim=True),
        call(x(3, 5), 1, unbiased=False),
    )
for _name in ("max", "min"):
    row(
        _name,
        call(x(2, 3, 4)),
        call(x(2, 3, 4), 1),
        call(x(2, 3), dim=-1, keepdim=True),
        call(x()),
        call(x(), 0),
        call(x(2, 3), x(2, 3, seed=1)),
    )
row(
    "sum",
    call(x(3, 0), 1),
    call(n(2, 3, high=9), dtype=np.dtype("float32")),
    call(np.array([1, 2], np.uint8)),
    call(x(600, 2, low=0.0), 0),
    call(x(2, 3), ()),
    call(n(2, 3, high=9), dtype=np.dtype("int32")),
    call(b(2, 3), 1, dtype=np.dtype("bool")),
)
row("mean", call(n(2, 3, high=9), dtype=np.dtype("float64")), call(x(0, 3), 1), call(x(600, 2, low=0.0), 0, True))
_HOLES = np.array([[1.0, np.nan, 2.0], [np.nan, 4.0, 0.5]])
for _name in ("nansum", "nanmean"):
    row(_name, call(_HOLES), call(_HOLES, 1), call(_HOLES, dim=0, keepdim=True), call(x(2, 3, 4), (0, 2)), call(x()))
row("nansum", call(n(2, 3, high=9)))
row("nansum", call(_HOLES, 1, dtype=np.dtype("int64")), differentiable=False)
row("prod", call(n(2, 3, high=9), dtype=np.dtype("int32")))
_ZEROS = np.array([[1.5, 0.0, 2.0, -0.5], [0.0, 0.0, 3.0, 1.0], [0.5, 2.0, -1.0, 3.0]])
row(
    "prod",
    call(x(2, 3)),
    call(x(2, 3, 4), 1),
    call(x(2, 3), -1, True),
    call(_ZEROS),
    call(_ZEROS, 0),
    call(_ZEROS, dim=1),
    call(x()),
    call(x(), 0),
    call(x(0, 3)),
    call(x(0, 3), 0),
    call(n(2, 3, high=5, low=1)),
    call(b(3)),
    call(n(3, high=4), dtype=np.dtype("float64")),
    call(transposed(3, 4), 0),
)
for _name in ("var", "std", "var_mean", "std_mean"):
    row(
        _name,
        call(x(2, 3), True),
        call(x(2, 3), False),
        call(x(2, 3), 0, False, True),
        call(x(2, 3, 4), (0, 2), correction=0),
        call(x(2, 3, 4), dim=(-1, 0), keepdim=True),
        call(transposed(4, 3), 0),
    )
row("std", call(np.ones((2, 3)), 1), call(np.ones((2, 3)), 1, correction=0), differentiable=False)
row("aminmax", call(x(2, 3)), call(x(2, 3), dim=1), call(x(2, 3, 4), dim=0, keepdim=True), call(x()), call(x(), dim=0))
for _name in ("amax", "amin"):
    row(_name, call(n(2, 3, high=9)), call(x(0, 3), 1), call(x(2, 3), ()))
    row(_name, call(_HOLES, 1), differentiable=False)
for _name in ("max", "min"):
    row(_name, call(n(2, 3, high=3), 1), call(x(0, 3), 1), call(b(2, 3), 0))
    row(_name, call(_HOLES, 1), call(_HOLES), differentiable=False)
for _name in ("argmax", "argmin"):
    row(
        _name,
        call(x(2, 3, 4)),
        call(x(2, 3, 4), 1),
        call(x(2, 3), dim=-1, keepdim=True),
        call(x()),
        call(_HOLES),
        call(n(3, 4, high=3), 1),
        call(x(2, 3), keepdim=True),
        call(x(0, 3), 1),
        differentiable=False,
    )
for _name in ("any", "all"):
    row(_name, call(b(2, 3), ()), call(x(2, 3), dim=(), keepdim=True), differentiable=False)
    row(
        _name,
        call(b(2, 3)),
        call(b(2, 3), 1),
        call(b(2, 3), dim=0, keepdim=True),
        call(n(2, 3, high=2)),
        call(_ZEROS, 1),
        call(x(0, 3)),
        call(np.array([0, 3], np.uint8)),
        call(b(2, 3), (0, 1)),
        call(np.array([np.nan])),
        differentiable=False,
    )
row(
    "count_nonzero",
    call(b(2, 3)),
    call(n(2, 3, high=2), dim=1),
    call(_ZEROS),
    call(_ZEROS, (0, 1)),
    differentiable=False,
)
row(
    "logsumexp",
    call(x(2, 3), 1),
    call(x(2, 3), dim=0, keepdim=True),
    call(x(2, 3, 2), (0, 2)),
    call(x(2, 3, low=900, high=999), 1),
    call(n(2, 3, high=9), 1),
    call(b(2, 3), 0),
    call(x(0, 3), 0),
    call(x(0, 3), 1, True),
)
for _name in ("softmax", "log_softmax"):
    row(_name, call(x(0, 3), 0), call(x(3, 0), 1))
    row(
        _name,
        call(x(2, 3), 1),
        call(x(2, 3, 4), 1),
        call(x(5), 0),
        call(x(), 0),
        call(x(2, 3, low=900, high=999), -1),
        call(transposed(3, 4), dim=0),
    )
row("softmax_cross_entropy", call(x(3, 4), n(3, high=4)))
