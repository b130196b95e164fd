"""Tiles: small blocks of a matrix product that stay in the processor's vector registers while they are summed.

Loops over arrays load and store a sum at every step, which is half of the work of a product; so these functions write
LLVM's code themselves. The rows that they multiply need not be those of a matrix: each begins where a list of offsets
says, and a shifted image is a row as well.

A kernel that names them is printed with an import of this module, which is loaded with the kernel and not before.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .vectors import INDEX, SLOT, Writer, as_passed, vector_bytes

__all__ = ["copy_pieces", "copy_row", "keep_larger", "lanes", "tile_dots", "tile_products"]


@intrinsic
def lanes(typing, x):
    """How many elements of the array ``x`` a vector holds: 64 bytes of them where registers are as wide, else 32."""

    def generate(context, builder, signature, args):
        return INDEX(vector_bytes() // context.get_abi_sizeof(context.get_value_type(x.dtype)))

    return types.int64(x), generate


@intrinsic(prefer_literal=True)
def copy_row(typing, read_step, write_step, source, start, count, plus, out, to):
    """out[to + i write_step] = source[start + i read_step] + plus for i < count, which is at least 1; the steps are
    constants, 1 or 2, and not both 2. (The loops of LLVM go one by one where less is left than several vectors, and the
    rows of images are as short.)
    """
    names = ("read_step", "write_step", "source", "start", "count", "plus", "out", "to")
    given = (read_step, write_step, source, start, count, source.dtype, out, to)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, source, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        more = write.repeat(write["plus"])
        every, into = read_step.literal_value, write_step.literal_value
        size = write.lanes

        def move(p, some):
            """Copy a vector, or with ``some`` what is left."""
            left = builder.sub(write["count"], p)
            read = []
            for part in range(every):
                address = write.at("source", write["start"], write.times(p, every), part * size)
                rest = builder.sub(write.times(left, every), INDEX(every - 1 + part * size))
                read.append(write.load_some(address, write.first(rest)) if some else write.load(address))
            value = read[0] if every == 1 else write.choose(read[0], read[1], range(0, 2 * size, 2))
            value = write.add(value, more)
            for part in range(into):
                address = write.at("out", write["to"], write.times(p, into), part * size)
                if into == 1 and not some:
                    write.store(value, address)
                    continue
                wide = value
                mask = write.first(builder.sub(write.times(left, into), INDEX(part * size)))
                if into == 2:
                    wide = write.choose(value, value, [(part * size + i) // 2 for i in range(size)])
                    mask = builder.and_(mask, ir.Constant(mask.type, [1, 0] * (size // 2)))
                write.store_some(wide, address, mask)

        whole = builder.udiv(write["count"], INDEX(size))
        # With a step the last element of the last vector has nothing behind it that may be read: it goes with the rest.
        if every > 1:
            whole = builder.udiv(builder.sub(write["count"], INDEX(1)), INDEX(size))
        with builder.if_then(builder.icmp_signed(">", whole, INDEX(0))):
            write.loop(whole, [], lambda turn, nothing: move(write.times(turn, size), False) or [])
        done = write.times(whole, size)
        with builder.if_then(builder.icmp_signed("<", done, write["count"])):
            move(done, True)
        return context.get_dummy_value()

    passed = [kind if kind is source.dtype else as_passed(kind) for kind in given[2:]]
    return types.void(read_step, write_step, *passed), generate


@intrinsic
def copy_pieces(typing, x, offsets, first, count, starts, places, pieces, out, to, pitch):
    """out[to + r pitch + places[k] + i] = x[offsets[first + r] + starts[k] + i] for r < count, k < pieces and
    i < lanes, one after the other: where a piece ends before a whole vector, the next one overwrites the rest. Both
    counts are at least 1.
    """
    names = ("x", "offsets", "first", "count", "starts", "places", "pieces", "out", "to", "pitch")
    given = (x, offsets, first, count, starts, places, pieces, out, to, pitch)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, x, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))

        def row(r, nothing):
            source = write.at("x", builder.load(write.at("offsets", write["first"], r)))
            into = write.at("out", write["to"], write.times(r, write["pitch"]))

            def copy(k, nothing):
                start, place = (builder.load(write.at(name, k)) for name in ("starts", "places"))
                write.store(write.load(builder.gep(source, [start])), builder.gep(into, [place]))
                return []

            return write.loop(write["pieces"], [], copy)

        write.loop(write["count"], [], row)
        return context.get_dummy_value()

    return types.void(*map(as_passed, given)), generate


@intrinsic
def keep_larger(typing, row, table, first, base, count, values, places):
    """Where row[k] is larger than values[k], or NaN, values[k] = row[k] and places[k] = base + table[first + k], for
    k < count and up to a whole vector. ``table`` and ``places`` have 32 bits.
    """
    names = ("row", "table", "first", "base", "count", "values", "places")
    given = (row, table, first, base, count, values, places)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, row, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        start = write.repeat(builder.trunc(write["base"], SLOT))
        slots = start.type.as_pointer()

        def step(turn, nothing):
            k = write.times(turn, write.lanes)
            new, old = (write.load(write.at(name, k)) for name in ("row", "values"))
            here = builder.load(builder.bitcast(write.at("table", write["first"], k), slots), align=4)
            into = builder.bitcast(write.at("places", k), slots)
            if write.is_float:
                better = builder.or_(builder.fcmp_ordered(">", new, old), builder.fcmp_unordered("uno", new, new))
            else:
                better = (builder.icmp_signed if row.dtype.signed else builder.icmp_unsigned)(">", new, old)
            write.store(builder.select(better, new, old), write.at("values", k))
            place = builder.select(better, builder.add(start, here), builder.load(into, align=4))
            builder.store(place, into, align=4)
            return []

        write.loop(builder.udiv(builder.add(write["count"], INDEX(write.lanes - 1)), INDEX(write.lanes)), [], step)
        return context.get_dummy_value()

    return types.void(*map(as_passed, given)), generate


@intrinsic(prefer_literal=True)
def tile_products(typing, rows, vectors, x, offsets, first, count, at, weight, place, out, to, pitch):
    """out[to + i pitch + p] = sum over r < count of weight[place + r rows + i] x[offsets[first + r] + at + p], for
    i < rows and p < vectors * lanes. The arrays have one axis; the first two arguments are constants.
    """
    names = ("rows", "vectors", "x", "offsets", "first", "count", "at", "weight", "place", "out", "to", "pitch")
    given = (rows, vectors, x, offsets, first, count, at, weight, place, out, to, pitch)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, x, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        high, wide = rows.literal_value, vectors.literal_value

        def step(r, sums):
            start = builder.load(write.at("offsets", write["first"], r))
            row = [write.load(write.at("x", write["at"], start, v * write.lanes)) for v in range(wide)]
            factors = write.times(r, high)
            new = []
            for i in range(high):
                factor = write.spread(write.at("weight", write["place"], factors, i))
                new += [write.multiply_add(factor, row[v], sums[i * wide + v]) for v in range(wide)]
            return new

        sums = write.loop(write["count"], [write.zero] * (high * wide), step)
        for i in range(high):
            base = write.times(write["pitch"], i)
            for v in range(wide):
                write.store(sums[i * wide + v], write.at("out", write["to"], base, v * write.lanes))
        return context.get_dummy_value()

    return types.void(*given[:2], *map(as_passed, given[2:])), generate


@intrinsic(prefer_literal=True)
def tile_dots(typing, rows, columns, x, at, pitch, y, offsets, first, count, out, to, stride):
    """out[to + i stride + j] += sum over p < count * lanes of x[at + i pitch + p] y[offsets[first + j] + p], for
    i < rows and j < columns. The arrays have one axis; the first two arguments are constants.
    """
    names = ("rows", "columns", "x", "at", "pitch", "y", "offsets", "first", "count", "out", "to", "stride")
    given = (rows, columns, x, at, pitch, y, offsets, first, count, out, to, stride)

    def generate(context, builder, signature, args):
        write = Writer(context, builder, x, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        high, wide = rows.literal_value, columns.literal_value
        left = [write.at("x", write["at"], write.times(write["pitch"], i)) for i in range(high)]
        right = [write.at("y", builder.load(write.at("offsets", write["first"], j))) for j in range(wide)]

        def step(turn, sums):
            p = write.times(turn, write.lanes)
            read = [write.load(builder.gep(address, [p])) for address in right]
            new = []
            for i in range(high):
                factor = write.load(builder.gep(left[i], [p]))
                new += [write.multiply_add(factor, read[j], sums[i * wide + j]) for j in range(wide)]
            return new

        sums = write.loop(write["count"], [write.zero] * (high * wide), step)
        for i in range(high):
            for j in range(wide):
                address = write.at("out", write["to"], write.times(write["stride"], i), j)
                builder.store(write.add(builder.load(address), write.total(sums[i * wide + j])), address)
        return context.get_dummy_value()

    return types.void(*given[:2], *map(as_passed, given[2:])), generate
