"""The inner parts of a matrix product (`gemm`): a tile of the result, and operands brought into order for it."""

import itertools

from numba.core import types
from numba.extending import intrinsic

from .vectors import INDEX, Writer, as_passed

__all__ = ["copy_rows", "multiply_tile", "turn_square"]


@intrinsic(prefer_literal=True)
def multiply_tile(
    typing, rows, vectors, packed, a, a_at, a_down, a_right, b, b_at, b_down, c, c_at, c_down, columns, count, adds
):
    """c[i, j] = sum over p < count of a[i, p] b[p, j], from what is there if ``adds``, for i < rows and j < columns.

    The arrays have one axis, in which the matrices begin at ``_at``; their rows are ``_down`` apart, and the columns of
    a ``_right``. The first three arguments are constants, and ``columns`` fill so many vectors, the last perhaps in
    part. Where both are copies, the columns of a lie ``packed`` apart, its rows and the rows of b, two vectors each,
    side by side; it is 0 where they lie as the distances say.
    """
    names = (
        "rows", "vectors", "packed", "a", "a_at", "a_down", "a_right", "b", "b_at", "b_down", "c", "c_at", "c_down",
        "columns", "count", "adds",
    )  # fmt: skip
    given = (a, a_at, a_down, a_right, b, b_at, b_down, c, c_at, c_down, columns, count, adds)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, a, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        high, wide, apart = rows.literal_value, vectors.literal_value, packed.literal_value
        in_last = builder.sub(write["columns"], INDEX((wide - 1) * write.lanes))
        some = write.first(in_last)
        if apart:
            group, downs, a_right, b_down = high, [INDEX(i) for i in range(high)], INDEX(apart), INDEX(2 * write.lanes)
        else:
            # A pointer for three rows: x86 adds once or twice a distance on the way.
            group, downs = 3, [write.times(write["a_down"], i) for i in range(3)]
            a_right, b_down = write["a_right"], write["b_down"]
        lefts = [write.at("a", write["a_at"], write.times(write["a_down"], i)) for i in range(0, high, group)]
        out = [
            [write.at("c", write["c_at"], write.times(write["c_down"], i), v * write.lanes) for v in range(wide)]
            for i in range(high)
        ]

        def present():
            return [
                write.load_some(address, some) if v == wide - 1 else write.load(address)
                for row in out
                for v, address in enumerate(row)
            ]

        def step(turn, values):
            sums, left, right = values[: high * wide], values[high * wide : -1], values[-1]
            # If LLVM saw how far these pointers are from each other, it would have one for each row, and move them all.
            left = left if apart else [write.hide(address) for address in left]
            row = [write.load(builder.gep(right, [INDEX(v * write.lanes)])) for v in range(wide - 1)]
            last = builder.gep(right, [INDEX((wide - 1) * write.lanes)])
            row.append(write.load(last) if apart else write.load_some(last, some))
            new = []
            for i in range(high):
                factor = write.spread(builder.gep(left[i // group], [downs[i % group]]))
                new += [write.multiply_add(factor, row[v], sums[i * wide + v]) for v in range(wide)]
            return [*new, *(builder.gep(address, [a_right]) for address in left), builder.gep(right, [b_down])]

        nothing = [write.zero] * (high * wide)
        if apart:
            for address in itertools.chain.from_iterable(out):
                write.prefetch(address)
        sums = write.either(builder.icmp_signed("!=", write["adds"], INDEX(0)), present, lambda: nothing)
        sums = write.loop(write["count"], [*sums, *lefts, write.at("b", write["b_at"])], step)

        def finish(whole):
            for i, row in enumerate(out):
                for v, address in enumerate(row):
                    if v < wide - 1 or whole:
                        write.store(sums[i * wide + v], address)
                    else:
                        write.store_some(sums[i * wide + v], address, some)

        is_whole = builder.icmp_signed("==", in_last, INDEX(write.lanes))
        with builder.if_else(is_whole) as (then, otherwise):
            with then:
                finish(True)
            with otherwise:
                finish(False)
        return context.get_dummy_value()

    return types.void(rows, vectors, packed, *map(as_passed, given)), generate


@intrinsic(prefer_literal=True)
def copy_rows(typing, vectors, x, at, step, count, columns, out, to, pitch):
    """out[to + p pitch + j] = x[at + p step + j] for p < count and j < columns, and 0 up to so many whole vectors, a
    constant number. The arrays have one axis.
    """
    names = ("vectors", "x", "at", "step", "count", "columns", "out", "to", "pitch")
    given = (x, at, step, count, columns, out, to, pitch)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, x, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        wide = vectors.literal_value
        some = write.first(builder.sub(write["columns"], INDEX((wide - 1) * write.lanes)))

        def move(turn, addresses):
            source, target = addresses
            places = [INDEX(v * write.lanes) for v in range(wide)]
            values = [write.load(builder.gep(source, [place])) for place in places[:-1]]
            values.append(write.load_some(builder.gep(source, [places[-1]]), some))
            for value, place in zip(values, places, strict=True):
                write.store(value, builder.gep(target, [place]))
            return [builder.gep(source, [write["step"]]), builder.gep(target, [write["pitch"]])]

        write.loop(write["count"], [write.at("x", write["at"]), write.at("out", write["to"])], move)
        return context.get_dummy_value()

    return types.void(vectors, *map(as_passed, given)), generate


@intrinsic
def turn_square(typing, x, at, step, rows, columns, out, to, pitch):
    """out[to + p pitch + j] = x[at + j step + p] for j < rows and p < columns, both at most lanes(x), the number of
    columns and rows that are written. The arrays have one axis.
    """
    names = ("x", "at", "step", "rows", "columns", "out", "to", "pitch")
    given = (x, at, step, rows, columns, out, to, pitch)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, x, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        size = write.lanes
        some = write.first(write["columns"])
        lines = []
        for i in range(size):
            is_there = builder.icmp_signed("<", INDEX(i), write["rows"])
            down = builder.select(is_there, write.times(write["step"], i), INDEX(0))  # or any row that may be read
            lines.append(write.load_some(write.at("x", write["at"], down), some))
        # Where element (j, p) goes is a rotation of the bits of its place. Dealing out the first half of the rows among
        # the second, like cards, rotates them by one.
        halves = range(size // 2), range(size // 2, size)
        turns = size.bit_length() - 1
        for _ in range(turns):
            lines = [
                write.choose(a, b, [place for i in half for place in (i, size + i)])
                for a, b in zip(lines[: size // 2], lines[size // 2 :], strict=True)
                for half in halves
            ]
        for i, line in enumerate(lines):
            write.store(line, write.at("out", write["to"], write.times(write["pitch"], i)))
        return context.get_dummy_value()

    return types.void(*map(as_passed, given)), generate
