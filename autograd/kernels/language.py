"""The names that hand-written kernels use, for the eyes of people and linters. A kernel is compiled from its text,
where `F` is its number type and the scalar functions are the printer's; nothing here runs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "HIGH", "WIDE", "F", "I", "across", "copy_pieces", "copy_row", "cos_near", "cut", "exp", "exp_falling", "expm1",
    "formula", "gemm", "gemm_part", "keep_larger", "lanes", "log", "log1p", "multiply_block", "on_stack", "prange",
    "release", "scratch", "sin_near", "tanh", "tile_dots", "tile_products", "turn_square",
]  # fmt: skip

F: Any = np.float64
I: Any = np.int64
prange: Any = range
across: Any = range
"""What an innermost loop over a row goes through that may be short: the rest of whole vectors is done with masks."""
exp: Callable = np.exp
exp_falling: Callable = np.exp
"""Of what is not positive, or NaN."""
expm1: Callable = np.expm1
cos_near: Callable = np.cos
"""Of what is not far from 0, and `sin_near` too."""
log: Callable = np.log
log1p: Callable = np.log1p
sin_near: Callable = np.sin
tanh: Callable = np.tanh
formula: Callable = NotImplemented
"""What a name stands for that `Kernel.of` fills in."""


def gemm(a: Any, b: Any, adds: int, c: Any) -> None:
    """c = a @ b, added to what is there if ``adds``; a and b in any layout, and a row of c lies together."""


def cut(n: int, part: int, parts: int) -> Any:
    """The first and the end of the part-th of so many parts of range(n)."""


def gemm_part(a: Any, b: Any, c: Any, part: int, parts: int) -> Any:
    """One part of c = a @ b, cut along the longer side of c; returns the first and end of its rows and its columns."""


HIGH: Any = NotImplemented
WIDE: Any = NotImplemented
"""The rows and the columns of a tile of a product."""


def multiply_block(
    x: Any, x_at: int, x_pitch: int, x_down: int, x_right: int, y: Any, y_at: int, y_pitch: int, c: Any, c_at: int,
    c_down: int, rows: int, width: int, count: int, adds: int, packed: int,
) -> None:  # fmt: skip
    """c = x @ y, added to what is there if ``adds``, for x (rows, count) and y (count, width) in arrays of one axis.

    y is in panels, each ``y_pitch`` after the last: WIDE columns, the rows one after the other. Tiles of x, HIGH rows
    each, are ``x_pitch`` apart, and if it is ``packed``, the HIGH numbers of a column lie together in a tile.
    """


# Of `arrays`, `tile` and `panels`, which say what they do.
copy_pieces: Any = None
copy_row: Any = None
keep_larger: Any = None
lanes: Any = None
on_stack: Any = None
release: Any = None
scratch: Any = None
tile_dots: Any = None
tile_products: Any = None
turn_square: Any = None
