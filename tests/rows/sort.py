"""Sorting, ranks, different values, places in sorted ones."""

import numpy as np
from samples import b, call, n, row, transposed, x

_HOLES = np.array([[1.0, np.nan, 2.0, -1.0], [np.nan, 4.0, 0.5, np.nan]])
_TIES = n(3, 7, high=3)
_ALONG = [
    call(x(5)),
    call(x(2, 3), 0),
    call(x(2, 3, 4), 1),
    call(x()),
    call(x(0)),
    call(x(0, 3)),
    call(transposed(3, 4), 0),
]
for _name in ("sort", "argsort"):
    row(
        _name,
        *_ALONG,
        call(x(2, 3), dim=0, descending=True),
        call(_TIES, stable=True),
        call(_TIES, dim=1, descending=True, stable=True),
        call(_HOLES, 1),
        call(_HOLES, descending=True, stable=True),
        call(b(4), stable=True),
        differentiable=_name == "sort",
        gradcheck=False,
        method=False,
    )
row("msort", call(x(4, 3)), call(n(4, high=9)))
row(
    "topk",
    call(x(5), 2),
    call(x(2, 3, 4), 2, 1),
    call(x(2, 5), 3, dim=0 - 1, largest=False),
    call(x(2, 100), 3),
    call(x(100), 3, largest=False),
    call(x(100, 2), 99, 0),
    call(x(), 1),
    call(x(3), 0),
    call(n(40, high=1000), 5),
)
row("topk", call(x(), 0), call(x(), 1))
row("topk", call(_HOLES[0], 2), call(_HOLES[0], 2, largest=False), differentiable=False)
row(
    "kthvalue",
    call(x(5), 2),
    call(x(2, 3, 4), 2, 1),
    call(x(2, 5), 3, -1, True),
    call(x(2, 5), 1, 0),
    call(x(), 1),
    call(n(9, high=99), 4),
)
for _name in ("median", "nanmedian"):
    row(
        _name,
        call(x(5)),
        call(x(2, 4)),
        call(x(2, 3, 4), 1),
        call(x(2, 4), dim=-1, keepdim=True),
        call(x()),
        call(x(), 0),
        call(n(7, high=99)),
        call(n(2, 7, high=99), 1),
        call(x(0, 3), 1),
    )
    row(_name, call(_HOLES), call(_HOLES, 0), call(_HOLES, 1, True), call(x(0)), differentiable=False)
row("nanmedian", call(np.array([np.nan, np.nan]), 0), call(np.array([np.nan, np.nan])), differentiable=False)
row("sort", *_ALONG)
row("median", call(np.array([1.0, 2.0, 2.0, 2.0, 3.0])), gradcheck=False)
row(
    "mode",
    call(_TIES),
    call(_TIES, 0),
    call(x(4)),
    call(x()),
    call(n(2, 9, high=4), 1, True),
)
row("mode", call(np.array([3.0, 2.0, 2.0, 1.0, 1.0, 3.0, 0.0])), gradcheck=False)
_REPEATED = np.array([3.0, 1.0, 1.0, 3.0, 3.0, 2.0])
row(
    "unique",
    call(_REPEATED),
    call(_TIES, return_inverse=True),
    call(_TIES, True, True, True),
    call(_TIES[:, :2], dim=0, return_inverse=True, return_counts=True),
    call(n(2, 6, high=2), dim=1, return_counts=True),
    call(b(5)),
    call(x(0)),
    call(np.array([np.nan, 1.0, np.nan])),
    differentiable=False,
)
row(
    "unique_consecutive",
    call(_REPEATED),
    call(np.array(2.0), return_inverse=True, return_counts=True),
    call(_REPEATED, return_inverse=True),
    call(_TIES, True, True),
    call(_TIES[:, :1], dim=0, return_inverse=True, return_counts=True),
    call(n(2, 9, high=2), dim=1, return_counts=True),
    call(x(0)),
    differentiable=False,
)
_EDGES = np.array([-1.0, 0.0, 0.5, 1.0])
row(
    "searchsorted",
    call(_EDGES, x(2, 3)),
    call(_EDGES, _EDGES),
    call(_EDGES, _EDGES, right=True),
    call(_EDGES, _EDGES, side="right", out_int32=True),
    call(_EDGES, 0.25),
    call(_EDGES, x()),
    call(np.sort(n(2, 5, high=9)), n(2, 3, high=9)),
    *[
        call(np.array(row), np.array([1, 2, 3, np.nan, np.inf, 0]), right=right)
        for row in ([1, 2, np.nan], [1, np.nan, np.nan, np.nan], [1.0, 2, 3], [np.nan])
        for right in (False, True)
    ],
    call(np.array([[1, 2, np.nan], [1, 2, 3]]), np.array([[2, 3], [3, np.nan]])),
    call(n(5, high=9, seed=1), n(3, high=9), sorter=np.argsort(n(5, high=9, seed=1))),
    differentiable=False,
)
row(
    "bucketize",
    call(x(2, 3), _EDGES),
    call(_EDGES, _EDGES, right=True),
    call(0.25, _EDGES),
    call(n(3, high=3), _EDGES, out_int32=True),
    differentiable=False,
    method=False,
)
