"""Partial sums, products and extrema."""

import numpy as np
from samples import b, call, n, row, transposed, x

_ZEROS = np.array([[1.5, 0.0, 2.0, -0.5], [0.0, 0.0, 3.0, 1.0], [0.5, 2.0, -1.0, 3.0]])
for _name in ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"):
    row(
        _name,
        call(x(4), 0),
        call(x(2, 3), 1),
        call(x(2, 3, 4), 1),
        call(x(2, 3), dim=-2),
        call(x(), 0),
        call(x(0), 0),
        call(x(2, 0), 1),
        call(x(0, 2), 1),
        call(transposed(3, 4), 0),
    )
for _name in ("cumsum", "cumprod"):
    row(
        _name,
        call(n(2, 3, high=4, low=1), 1),
        call(b(4), 0),
        call(n(3, high=4), 0, dtype=np.dtype("float64")),
        call(np.array([1, 2], np.int32), 0),
    )
row("cumprod", call(_ZEROS, 0), call(_ZEROS, 1))
row("logcumsumexp", call(x(2, 3, low=900, high=999), 1))
row("logcumsumexp", call(np.array([-np.inf, -np.inf, 1.0, 2.0]), 0), differentiable=False)
_TIES = np.array([1.0, 3.0, 3.0, np.nan, 2.0, np.nan])
for _name in ("cummax", "cummin"):
    row(_name, call(_TIES, 0), call(_TIES[:3], 0), call(n(2, 5, high=3), 1), differentiable=False)
