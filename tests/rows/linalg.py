"""Products."""

from samples import call, row, transposed, x

row(
    "matmul",
    call(x(2, 3), x(3, 4)),
    call(x(3), x(3, seed=1)),
    call(x(3), x(3, 2)),
    call(x(2, 3), x(3)),
    call(x(4, 2, 3), x(3, 2)),
    call(x(2, 1, 2, 3), x(4, 3, 2)),
    call(x(3), x(2, 3, 2)),
    call(x(2, 2, 3), x(3)),
    call(transposed(2, 3), transposed(3, 2)),
    call(x(0, 3), x(3, 2)),
    call(x(2, 0), x(0, 2)),
)
