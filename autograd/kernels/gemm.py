"""Matrix products: c = a @ b, or c += a @ b, for matrices in any layout.

The product is made of tiles of c, some rows by two vectors, which stay in registers while they are summed: for each p,
every row's number a[i, p] is multiplied with the two vectors of b's row p (`panels.multiply_tile`). Around that are the
loops of Goto and van de Geijn (2008, https://doi.org/10.1145/1356052.1356053). A block of b, `DEEP` rows by `BROAD`
columns, stays in the second cache while up to `TALL` rows of a pass over it; a tile's rows of a stay in the first while
they meet one *panel* of the block after the other, each two vectors wide. Where all rows that pass take no more than
`CLOSE` bytes, it is the other way round: a panel is copied, and stays in the first cache while they pass over it.
(`HIGH` and `WIDE` are what BLIS calls MR and NR; `DEEP`, `TALL` and `BROAD` its KC, MC and NC.)

Both are copied first, in the order in which they will be read, so that a panel lies in one piece, at whole lines of the
cache, and a tile's numbers are at constant distances (to find them elsewhere takes a twentieth of the time).
Memory is read fastest along a row: `STRIP` rows of all panels, then the next; and where columns lie in one piece, they
are turned. Where little is done with each number, copying does not pay: with few rows b is read where it lies, with few
columns a is, unless its rows are so far apart that the lines of the cache collide, or it is transposed and deep, so
that each column of a tile is in another page. With very few rows the product with a transposed b is sums along its
columns.

The order in which the terms of an element are added depends on how many there are, not on how the product is cut into
parts (unless a part has fewer rows than `DOTS`), so the number of threads does not change the result.

Compiled once for each number type. Kernels call it through its address, under the name of a C function that the linker
is told: so a kernel that multiplies is small, and compiled quickly.
"""

import functools
import textwrap
from collections.abc import Sequence

import numpy as np

from .loader import load
from .parts import addresses, import_of
from .printer import print_prologue

__all__ = ["WORTH_THREADS", "prepare", "print_calls", "print_product"]

WORTH_THREADS = 2**21
"""From how many multiplications on a product is cut into parts for the pool."""

_CALLS = """

HIGH, WIDE, SIZE = {high}, {wide}, {size}

_gemm = types.ExternalFunction("jitgrad_gemm_" + F.__name__, types.void(
    types.voidptr, types.intp, types.intp, types.voidptr, types.intp, types.intp, types.voidptr, types.intp,
    types.intp, types.intp, types.intp, types.intp))


@njit(**INSIDE, **EXACT)
def gemm(a, b, adds, c):
    _gemm(a.ctypes, a.strides[0] // SIZE, a.strides[1] // SIZE, b.ctypes, b.strides[0] // SIZE, b.strides[1] // SIZE,
          c.ctypes, c.strides[0] // SIZE, c.shape[0], c.shape[1], a.shape[1], adds)


@njit(**INSIDE, **EXACT)
def cut(n, part, parts):
    first = 0 if part == 0 else n * part // parts // 32 * 32
    return first, n if part == parts - 1 else n * (part + 1) // parts // 32 * 32


@njit(**INSIDE, **EXACT)
def cut_longer(m, n, part, parts):
    if m >= n:
        top, bottom = cut(m, part, parts)
        return top, bottom, 0, n
    left, end = cut(n, part, parts)
    return 0, m, left, end


@njit(**INSIDE, **EXACT)
def gemm_part(a, b, c, part, parts):
    top, bottom, left, end = cut_longer(c.shape[0], c.shape[1], part, parts)
    gemm(a[top:bottom], b[:, left:end], 0, c[top:bottom, left:end])
    return top, bottom, left, end


_block = types.ExternalFunction("jitgrad_block_" + F.__name__ + str(HIGH), types.void(*[types.intp] * 14))


@njit(**INSIDE, **EXACT)
def multiply_block(
    x, x_at, x_pitch, x_down, x_right, y, y_at, y_pitch, c, c_at, c_down, rows, width, count, adds, packed
):
    _block(x.ctypes.data + x_at * SIZE, x_pitch, x_down, x_right, y.ctypes.data + y_at * SIZE, y_pitch, WIDE,
           c.ctypes.data + c_at * SIZE, c_down, rows, width, count, adds, packed)
"""

_PACKING = """

@njit(no_cpython_wrapper=True, **EXACT)
def evenly(n, most, unit):
    # The size of parts of n that are as large as each other and no larger than ``most``, in units.
    if n > most:
        parts = (n + most - 1) // most
        n = (n + parts - 1) // parts
    return (n + unit - 1) // unit * unit


@njit(no_cpython_wrapper=True, **EXACT)
def pack(x, at, down, right, count, columns, out, to, pitch):
    # out[to + p pitch + j] = x[at + p down + j right] for p < count and j < columns, which are at most WIDE. Up to
    # LANES more rows and columns are written, which the next panel or tile overwrites.
    if right == 1 and columns > LANES:
        copy_rows(2, x, at, down, count, columns, out, to, pitch)
    elif right == 1:
        copy_rows(1, x, at, down, count, columns, out, to, pitch)
    elif down == 1:
        for p in range(0, count, LANES):
            for j in range((columns - 1) // LANES * LANES, -1, -LANES):
                some = min(LANES, columns - j)
                turn_square(x, at + j * right + p, right, some, min(LANES, count - p), out, to + p * pitch + j, pitch)
    elif right == 0:  # a gradient that was broadcast
        for p in range(count):
            value = x[np.uint64(at + p * down)]
            for j in range(columns):
                out[np.uint64(to + p * pitch + j)] = value
    else:
        for p in range(count):
            for j in range(columns):
                out[to + p * pitch + j] = x[np.uint64(at + p * down + j * right)]  # which may be before the first


@njit(no_cpython_wrapper=True, **EXACT)
def add_dots(a, a_down, b, b_right, c, c_down, m, n, k, adds):
    # c[i, j] is the sum of a row of a and a column of b, numbers that lie side by side in both.
    for i in range(m):
        x = array_at(a.ctypes.data + i * a_down * SIZE, k, F)
        for j in range(n):
            y = array_at(b.ctypes.data + j * b_right * SIZE, k, F)
            c[i * c_down + j] = (c[i * c_down + j] if adds else F(0)) + dot(x, y)


@njit(no_cpython_wrapper=True, fastmath={"contract", "reassoc", "nsz"}, **EXACT)
def dot(x, y):
    total = F(0)
    for p in range(x.size):
        total += x[p] * y[p]
    return total
"""

_GEMM = """

@cfunc(types.void(*[types.intp] * 14), cache=True, **EXACT)
def multiply_block(
    x_at, x_pitch, x_down, x_right, y_at, y_pitch, y_down, c_at, c_down, rows, width, count, adds, packed
):
    # c = x @ y, or c += x @ y, for matrices at these addresses. Each tile of x, and each panel of y, lies ``pitch``
    # numbers after the last; ``packed`` says that both are copies.
    x, y, c = array_at(x_at, count, F), array_at(y_at, count, F), array_at(c_at, rows, F)
    i = 0
    if packed:
{packed_tiles}
    elif width <= LANES and x_pitch == HIGH * x_down:  # eight sums keep the adders busy, and leave few rows over
        while i + 8 <= rows:
            multiply_tile(
                8, 1, 0, x, i * x_down, x_down, x_right, y, 0, y_down, c, i * c_down, c_down, width, count, adds
            )
            i += 8
{tiles}

# Through its address, or it would be compiled once more as part of the function that calls it. Its name says how high
# its tiles are, which who packs for it has to know.
BLOCK = f"jitgrad_block_{F.__name__}{HIGH}"
add_symbol(BLOCK, multiply_block.address)
_multiply_block = types.ExternalFunction(BLOCK, types.void(*[types.intp] * 14))


@cfunc(types.void(types.voidptr, types.intp, types.intp, types.voidptr, types.intp, types.intp, types.voidptr,
    types.intp, types.intp, types.intp, types.intp, types.intp), cache=True, **EXACT)
def gemm(a_address, a_down, a_right, b_address, b_down, b_right, c_address, c_down, m, n, k, adds):
    if m == 0 or n == 0:
        return
    a, b, c = array_at(a_address, m * k, F), array_at(b_address, k * n, F), array_at(c_address, m * n, F)
    if k == 0:
        for i in range(0 if adds else m):
            for j in range(n):
                c[i * c_down + j] = F(0)
        return
    # A vector that has but one element may lie in any layout.
    a_right = a_right if k > 1 else 1
    b_down, b_right = b_down if k > 1 else n, b_right if n > 1 else 1
    if b_right != 1 and m < DOTS and b_down == 1 and a_right == 1:
        add_dots(a, a_down, b, b_right, c, c_down, m, n, k, adds)
        return
    packs_b = b_right != 1 or m > FEW or (m > HIGH and b_down * SIZE % COLLIDING == 0)
    packs_a = n > MANY or (n > WIDE and (a_down * SIZE % COLLIDING == 0 if a_right == 1 else k > DEEP))
    if not packs_a and not packs_b and m <= TALL and n <= BROAD and k <= DEEP:
        x, y, to = a.ctypes.data, b.ctypes.data, c.ctypes.data
        _multiply_block(x, HIGH * a_down, a_down, a_right, y, WIDE, b_down, to, c_down, m, n, k, adds, 0)
        return
    depth, height = evenly(k, DEEP, 1), evenly(m, TALL, HIGH)
    breadth = WIDE if depth * height * SIZE <= CLOSE else evenly(n, BROAD, WIDE)
    panels = block = on_stack(PANEL, F)
    if packs_b and breadth > WIDE:
        panels = scratch((depth + LANES) * breadth, F)
    if packs_a:
        block = scratch((height + HIGH) * (depth + 2 * LANES), F)
    strip = STRIP if b_right == 1 else DEEP
    for top in range(0, m, height):
        rows = min(height, m - top)
        for first in range(0, k, depth):
            count = min(depth, k - first)
            from_a = top * a_down + first * a_right
            x, x_pitch, x_down, x_right = a.ctypes.data + from_a * SIZE, HIGH * a_down, a_down, a_right
            if packs_a:
                x, x_pitch, x_down, x_right = block.ctypes.data, HIGH * (count + 2 * LANES), 1, HIGH
                some = count if a_right == 1 else STRIP
                for p in range(0, count, some):
                    for i in range(0, rows, HIGH):
                        start, to = from_a + i * a_down + p * a_right, i // HIGH * x_pitch + p * HIGH
                        pack(a, start, a_right, a_down, min(some, count - p), min(HIGH, rows - i), block, to, HIGH)
            for left in range(0, n, breadth):
                width = min(breadth, n - left)
                y, y_pitch, y_down = b.ctypes.data + (first * b_down + left) * SIZE, WIDE, b_down
                if packs_b:
                    y, y_pitch, y_down = panels.ctypes.data, WIDE * count, WIDE
                    for p in range(0, count, strip):
                        for j in range(0, width, WIDE):
                            start, to = (first + p) * b_down + (left + j) * b_right, j * count + p * WIDE
                            some, columns = min(strip, count - p), min(WIDE, width - j)
                            pack(b, start, b_down, b_right, some, columns, panels, to, WIDE)
                to, adding = c.ctypes.data + (top * c_down + left) * SIZE, 1 if first else adds
                _multiply_block(
                    x, x_pitch, x_down, x_right, y, y_pitch, y_down, to, c_down, rows, width, count, adding,
                    packs_a and packs_b,
                )
    if packs_b and breadth > WIDE:
        release(panels)
    if packs_a:
        release(block)
"""


def _print_tiles(heights: Sequence[int], packed: int, indent: int) -> str:
    """The loops over the tiles of a block: of the highest as many as fit, and of the lower what is left."""
    lines = []
    for high in heights:
        lines.append(
            f"while i + {high} <= rows:\n    start = i // HIGH * x_pitch + i % HIGH * x_down\n"
            "    for j in range(0, width, WIDE):\n        columns = min(WIDE, width - j)\n"
        )
        for vectors, condition in ((2, "if columns > LANES"), (1, "else")):
            lines.append(
                f"        {condition}:\n"
                f"            multiply_tile({high}, {vectors}, {packed}, x, start, x_down, x_right, y, "
                "j // WIDE * y_pitch, y_down, c, i * c_down + j, c_down, columns, count, adds)\n"
            )
        lines.append(f"    i += {high}\n")
    return textwrap.indent("".join(lines), " " * indent)


def _tile(dtype: np.dtype) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """How many numbers a vector holds, how many rows tiles have, and those of copies, where the rest goes with the
    others. A tile of 12 rows fills 24 of 32 registers, one of 6 rows 12 of 16; 8 sums are enough to keep the adders
    busy.
    """
    from .vectors import vector_bytes

    heights, packed = ((12, 4, 1), (12, 8)) if vector_bytes() == 64 else ((6, 3, 1), (6,))
    return vector_bytes() // dtype.itemsize, heights, packed


def print_calls(dtype: np.dtype) -> str:
    """The functions of products that kernels see; `language` says what they do."""
    lanes, heights, _ = _tile(dtype)
    return _CALLS.format(high=heights[0], wide=2 * lanes, size=dtype.itemsize)


def _text(dtype: np.dtype) -> str:
    lanes, heights, packed_heights = _tile(dtype)
    constants = {
        "LANES": lanes, "WIDE": 2 * lanes, "HIGH": heights[0], "SIZE": dtype.itemsize,
        "DEEP": 512, "BROAD": 1536 // dtype.itemsize, "TALL": 1056, "STRIP": 32,
        "CLOSE": 2**18, "DOTS": 4, "FEW": 96, "MANY": 8 * lanes, "COLLIDING": 2048,
    }  # fmt: skip
    packed, tiles = _print_tiles(packed_heights, heights[0], 8), _print_tiles(heights, 0, 4)
    return "".join(
        [
            print_prologue(dtype),
            import_of("panels", ["copy_rows", "multiply_tile", "turn_square"]),
            "from llvmlite.binding import add_symbol\n",
            *(f"{name} = {value}\n" for name, value in constants.items()),
            "PANEL = (DEEP + LANES) * WIDE\n",
            import_of("arrays", ["array_at", "at", "on_stack", "release", "scratch"]),
            _PACKING,
            _GEMM.replace("{packed_tiles}", packed).replace("{tiles}", tiles),
        ]
    )


def print_product(dtype: np.dtype, axes: int, options: str) -> str:
    """The text of a function ``product`` of addresses, and of the numbers that say how the matrices there lie. With
    ``axes`` > 0 they are stacks of as many axes, whose lengths and distances, in bytes, come first.
    """
    lead = [f"{name}{d}" for d in range(axes) for name in ("n", "a_step", "b_step", "o_step")]
    operands = ["a", "a_down", "a_right", "b", "b_down", "b_right", "o", "o_down"]
    names = [*lead, *operands, "m", "n", "k", "parts"]
    # Without a signature numba compiles a function once for each constant it is called with.
    lines = [f"@njit(types.void({', '.join(['types.intp'] * len(names))}), cache=True{options}, **EXACT)"]
    lines += [f"def product({', '.join(names)}):"]
    pad = "    "
    for d in range(axes):
        lines += [f"{pad}for turn{d} in {'range' if d else 'prange'}(n{d}):", f"{pad}    i{d} = np.intp(turn{d})"]
        pad += "    "
    if axes:
        at_a, at_b, at_o = ("".join(f" + i{d} * {x}_step{d}" for d in range(axes)) for x in "abo")
        extent = "m, n"
    else:
        lines += ["    for turn in prange(parts):"]
        lines += ["        top, bottom, left, end = cut_longer(m, n, np.intp(turn), parts)"]
        size = dtype.itemsize
        pad += "    "
        at_a, at_b = f" + top * a_down * {size}", f" + left * b_right * {size}"
        at_o, extent = f" + (top * o_down + left) * {size}", "bottom - top, end - left"
    lines.append(
        f"{pad}_gemm(at(a{at_a}), a_down, a_right, at(b{at_b}), b_down, b_right, at(o{at_o}), o_down, {extent}, k, 0)"
    )
    return "".join([print_prologue(dtype), addresses(), print_calls(dtype), "\n\n", "\n".join(lines), "\n"])


@functools.cache
def prepare(dtype: np.dtype) -> None:
    """Have the product of this number type ready under its name, before a kernel that calls it is loaded."""
    import llvmlite.binding

    llvmlite.binding.add_symbol(f"jitgrad_gemm_{dtype.name}", load("gemm", _text(dtype)).gemm.address)
