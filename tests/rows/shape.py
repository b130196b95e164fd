"""Shapes, views and joins."""

from samples import call, n, row, transposed, x

row("reshape", call(x(2, 3), (3, 2)), call(x(2, 3), (-1,)), call(transposed(2, 3), (6,)), call(x(1), ()), call(x(0, 3), (3, 0)))
row("view", call(x(2, 3), 3, 2), call(x(2, 3), -1), oracle=lambda t, *s: t.view(*s))
row("flatten", call(x(2, 3, 4)), call(x(2, 3, 4), 1), call(x(2, 3, 4), 0, 1), call(x()))
row("squeeze", call(x(2, 1, 3, 1)), call(x(2, 1, 3), 1), call(x(2, 1, 3), 0), call(x(1, 2, 1), (0, 2)), call(x()))
row("unsqueeze", call(x(2, 3), 0), call(x(2, 3), -1), call(x(), 0))
row("permute", call(x(2, 3, 4), (2, 0, 1)), call(x(2, 3), (-1, 0)))
row("transpose", call(x(2, 3, 4), 0, 2), call(x(2, 3), -1, -2), call(x(), 0, 0))
row("swapaxes", call(x(2, 3, 4), 0, 2))
row("movedim", call(x(2, 3, 4), 0, 2), call(x(2, 3, 4), (0, 1), (2, 0)), call(x(2, 3, 4), -1, 0))
row("expand", call(x(3, 1), 3, 4), call(x(3), 2, -1), call(x(), 2, 2), oracle=lambda t, *s: t.expand(*s))
row("broadcast_to", call(x(3, 1), (2, 3, 4)))
row("cat", call([x(2, 3), x(1, 3)]), call([x(2, 3), x(2, 1), x(2, 2)], dim=1), call([x(2), x(0)]), call([x(2), n(2, high=5)]), method=False)
row("stack", call([x(2, 3), x(2, 3, seed=1)]), call([x(2), x(2, seed=1)], dim=-1), call([x(), x(seed=1)]), method=False)
