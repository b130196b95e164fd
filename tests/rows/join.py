"""Several tensors into one, and grids of them."""

from samples import b, call, n, row, x

for _name in ("cat", "concat", "concatenate"):
    row(
        _name,
        call([x(2, 3), x(1, 3)]),
        call([x(2, 3), x(2, 1), x(2, 2)], dim=1),
        call([x(2), x(0)]),
        call([x(2), n(2, high=5)]),
        method=False,
    )
row("cat", call([b(2), n(2, high=5)]), call([x(2, 3), x(0)], -1), call([x(0), x(0)]), method=False)
row("stack", call([x(2, 3), x(2, 3, seed=1)]), call([x(2), x(2, seed=1)], dim=-1), call([x(), x(seed=1)]), method=False)
row("hstack", call([x(2), x(3)]), call([x(2, 1), x(2, 3)]), call([x(), x(2)]), method=False)
for _name in ("vstack", "row_stack"):
    row(_name, call([x(2), x(3, 2)]), call([x(), x(seed=1)]), method=False)
row("dstack", call([x(2), x(2, seed=1)]), call([x(2, 3), x(2, 3, 2)]), method=False)
row("column_stack", call([x(2), x(2, 3)]), call([x(), x(seed=1)]), method=False)
row("block_diag", call(x(2, 3), x(2, 2)), call(x(2), x(), x(0, 2)), call(n(2, high=4), x(1, 1)), method=False)
row(
    "meshgrid",
    call(x(2), x(3), indexing="ij"),
    call(x(2), x(3), x(1), indexing="xy"),
    call([x(2), x()], indexing="ij"),
    method=False,
)
row("cartesian_prod", call(x(2), x(3)), call(x(2)), call(x(2), x(1), x(3)), method=False)
row(
    "combinations",
    call(x(4)),
    call(x(3), 3),
    call(x(3), with_replacement=True),
    call(x(3), 0),
    call(x(2), 3),
    call(x(3), 1),
    method=False,
)
