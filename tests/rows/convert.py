"""Copies and conversions."""

from samples import call, row, transposed, x

row("clone", call(x(2, 3)), call(transposed(2, 3)))
