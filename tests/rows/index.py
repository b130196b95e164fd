"""Indexing, gather and scatter."""

from samples import call, n, row, x

row("gather", call(x(2, 3), 1, n(2, 2, high=3)), call(x(3, 3), 0, n(1, 2, high=3)))
row("scatter_add", call(x(2, 3), 1, n(2, 4, high=3), x(2, 4)), call(x(3, 3), 0, n(2, 2, high=3), x(2, 2)))
