"""Quantiles, histograms, covariances, distances, and what is computed along an axis."""

import numpy as np
from samples import b, call, n, row, transposed, x

_HOLES = np.array([[1.0, np.nan, 2.0, -1.0], [np.nan, 4.0, 0.5, np.nan]])
_LEVELS = np.array([0.1, 0.55, 0.77])
for _name in ("quantile", "nanquantile"):
    row(
        _name,
        call(x(7), 0.4),
        call(x(2, 3), 0.5),
        call(x(2, 5, 3), 0.3, 1),
        call(x(2, 5, 3), 0.3, dim=-2, keepdim=True),
        call(x(2, 5), _LEVELS, 1),
        call(x(2, 5), _LEVELS, 0, True),
        call(x(2, 5), _LEVELS, keepdim=True),
        call(x(2, 5), 0.5, keepdim=True),
        call(x(), 0.5),
        call(transposed(4, 3), 0.6, 0),
        *[call(x(6), 0.33, interpolation=how) for how in ("lower", "higher", "nearest", "midpoint", "linear")],
    )
    row(_name, call(_HOLES, 0.4), call(_HOLES, 0.4, 1), call(_HOLES, _LEVELS, 0), differentiable=False)
_COUNTED = n(12, high=6)
row(
    "bincount",
    call(_COUNTED),
    call(_COUNTED, minlength=9),
    call(_COUNTED, n(12, high=4)),
    call(n(0, high=2)),
    differentiable=False,
)
row("bincount", call(_COUNTED, x(12)), differentiable=False)
_DATA = np.array([0.1, 0.5, 0.9, 0.9, 1.7, 2.0, -0.3, 3.0])
row(
    "histc",
    call(_DATA, 5),
    call(_DATA, 4, 0, 2),
    call(_DATA, bins=3, min=-1, max=4),
    call(np.ones(3), 4),
    call(_DATA.reshape(2, 4), 4),
    differentiable=False,
)
row(
    "histogram",
    call(_DATA, 5),
    call(_DATA, 4, range=(0.0, 2.0)),
    call(_DATA, np.array([-1.0, 0.0, 0.5, 3.0])),
    call(_DATA, 4, weight=None, density=True),
    call(x(), 3),
    call(x(0), 2),
    differentiable=False,
)
row(
    "cov",
    call(x(3, 5)),
    call(x(5)),
    call(x(1, 5)),
    call(x(3, 5), correction=0),
    call(x(3, 5), fweights=np.array([1, 2, 1, 3, 1])),
    call(n(3, 5, high=9)),
    call(transposed(3, 5)),
)
row("corrcoef", call(x(3, 5)), call(x(2, 5)), call(x(5)))
row(
    "diff",
    call(x(5)),
    call(x(2, 5), 2),
    call(x(2, 5), dim=0),
    call(x(2, 5), 1, 1, x(2, 1), x(2, 2)),
    call(n(5, high=9)),
    call(b(5)),
    call(x(2), n=3),
    call(x(0)),
    call(x(3), n=0),
    call(x(2), n=0, prepend=x(1), append=x(1)),
)
for _name in ("trapezoid", "cumulative_trapezoid"):
    row(
        _name,
        call(x(5)),
        call(x(2, 5, low=0.0), dx=0.5),
        call(x(2, 5), x(5, seed=1)),
        call(x(2, 5), x(2, 5, seed=1)),
        call(x(3, 5), dim=0),
        call(x(3, 5), x(3, seed=1), dim=0),
        call(n(5, high=9)),
        call(x(1)),
        call(n(2, 0, high=9).astype(np.int32)),
        call(n(2, 0, high=9), dx=0.5),
        call(x(0, 2), dim=0),
    )
for _p in (0, 1, 1.5, 2, 3, float("inf"), float("-inf")):
    row("norm", call(x(2, 3), _p), call(x(2, 3), _p, 1), call(x(2, 3), p=_p, dim=(0, 1), keepdim=True))
    row("dist", call(x(2, 3), x(2, 3, seed=1), _p), call(x(2, 3), x(3, seed=1), _p), differentiable=_p != 0)
row(
    "norm",
    call(x(2, 3)),
    call(x(2, 3), dim=0),
    call(x(2, 3), "fro", (0, 1)),
    call(x()),
    call(x(2, 3), "nuc"),
)
row(
    "norm",
    call(np.zeros(3)),
    call(np.zeros((2, 3)), 2, 1),
    call(np.zeros(3), 1),
    call(np.zeros(3), 3),
    call(np.zeros(0)),
    differentiable=False,
)
for _p in (0.0, 0.5, 1.0, 2.0, 3.0, float("inf")):
    row("cdist", call(x(3, 4), x(2, 4, seed=1), _p), call(x(2, 3, 4), x(2, 5, 4, seed=1), p=_p), differentiable=_p != 0)
row("cdist", call(x(3, 4), x(1, 2, 4, seed=1)), call(x(0, 4), x(2, 4)), call(x(35, 3), x(2, 3, seed=1)))
for _p in (1, 2, 2.5):
    row(
        "renorm",
        call(x(3, 4), _p, 0, 2.0),
        call(x(2, 3, 2), _p, 1, 1.5),
        call(x(2, 3), p=_p, dim=-1, maxnorm=100.0),
        ulps=1e6,
    )
