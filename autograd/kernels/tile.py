"""Tiles: small blocks of a matrix product that stay in the processor's vector registers while they are summed.

Loops over arrays load and store a sum at every step, which is half of the work of a product, and numba has no variable
that is a vector; so these functions write LLVM's code themselves. The rows that they multiply need not be those of a
matrix: each begins where a list of offsets says, and a shifted image is a row as well.

A kernel that names them is printed with an import of this module, which is loaded with the kernel and not before.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["copy_row", "keep_larger", "lanes", "tile_dots", "tile_products"]

_INDEX, _SLOT = ir.IntType(64), ir.IntType(32)


def _vector_bytes() -> int:
    return 64 if binding.get_host_cpu_features().get("avx512f") else 32


class _Writer:
    """Writes operations on vectors of the numbers of one array type; arguments of a function are known by name."""

    def __init__(self, context: Any, builder: ir.IRBuilder, kind: Any, arguments: dict[str, tuple[Any, Any]]) -> None:
        number = context.get_value_type(kind.dtype)
        self.context = context
        self.builder = builder
        self.arguments = arguments
        self.size = context.get_abi_sizeof(number)
        self.lanes = _vector_bytes() // self.size
        self.vector = ir.VectorType(number, self.lanes)
        self.zero = ir.Constant(self.vector, [number(0)] * self.lanes)
        self.is_float = isinstance(kind.dtype, types.Float)

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name][1]

    def at(self, name: str, *places: Any) -> Any:
        """The address of element ``places``, their sum, of an array."""
        kind, value = self.arguments[name]
        data = self.context.make_array(kind)(self.context, self.builder, value).data
        for place in places:
            data = self.builder.gep(data, [_INDEX(place) if isinstance(place, int) else place])
        return data

    def times(self, a: Any, b: int | Any) -> Any:
        return self.builder.mul(a, _INDEX(b) if isinstance(b, int) else b)

    def load(self, address: Any) -> Any:
        return self.builder.load(self.builder.bitcast(address, self.vector.as_pointer()), align=self.size)

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self.builder.bitcast(address, self.vector.as_pointer()), align=self.size)

    def first(self, count: Any) -> Any:
        """A mask of the first ``count`` elements of a vector."""
        width = self.builder.trunc(count, _SLOT)
        return self.builder.icmp_signed(
            "<", ir.Constant(ir.VectorType(_SLOT, self.lanes), [*range(self.lanes)]), self.repeat(width)
        )

    def load_some(self, address: Any, mask: Any) -> Any:
        return self._masked("load", self.vector, address, [mask, self.zero])

    def store_some(self, value: Any, address: Any, mask: Any) -> None:
        self._masked("store", ir.VoidType(), address, [mask], value)

    def _masked(self, name: str, result: Any, address: Any, rest: list, *before: Any) -> Any:
        arguments = [*before, self.builder.bitcast(address, self.vector.as_pointer()), _SLOT(self.size), *rest]
        kind = ir.FunctionType(result, [a.type for a in arguments])
        letter = "f" if self.is_float else "i"
        full = f"llvm.masked.{name}.v{self.lanes}{letter}{8 * self.size}.p0"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, full), arguments)

    def spread(self, address: Any) -> Any:
        """A vector of the number that stands there."""
        return self.repeat(self.builder.load(address))

    def repeat(self, number: Any) -> Any:
        undefined = ir.Constant(ir.VectorType(number.type, self.lanes), ir.Undefined)
        alone = self.builder.insert_element(undefined, number, _SLOT(0))
        return self.builder.shuffle_vector(alone, undefined, ir.Constant(ir.VectorType(_SLOT, self.lanes), None))

    def choose(self, a: Any, b: Any, places: Sequence[int]) -> Any:
        """The elements at these places of two vectors, one behind the other."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_SLOT, self.lanes), [*places]))

    def add(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b, flags=("contract",)) if self.is_float else self.builder.add(a, b)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        product = self.builder.fmul(a, b, flags=("contract",)) if self.is_float else self.builder.mul(a, b)
        return self.add(c, product)

    def total(self, value: Any) -> Any:
        """The sum of a vector's elements, half added to half."""
        width = self.lanes
        while width > 1:
            width //= 2
            undefined = ir.Constant(value.type, ir.Undefined)
            halves = [
                self.builder.shuffle_vector(
                    value, undefined, ir.Constant(ir.VectorType(_SLOT, width), [*range(first, first + width)])
                )
                for first in (0, width)
            ]
            value = self.add(*halves)
        return self.builder.extract_element(value, _SLOT(0))

    def loop(self, count: Any, start: Sequence[Any], body: Any) -> list:
        """The values after ``count`` >= 1 turns of ``values = body(turn, values)``, ``start`` before the first."""
        builder, entry = self.builder, self.builder.block
        turns, after = builder.append_basic_block("turns"), builder.append_basic_block("after")
        builder.branch(turns)
        builder.position_at_end(turns)
        turn, values = builder.phi(_INDEX), [builder.phi(value.type) for value in start]
        new = body(turn, values)
        following = builder.add(turn, _INDEX(1))
        builder.cbranch(builder.icmp_signed("<", following, count), turns, after)
        for phi, before, later in zip([turn, *values], [_INDEX(0), *start], [following, *new], strict=True):
            phi.add_incoming(before, entry)
            phi.add_incoming(later, turns)
        builder.position_at_end(after)
        return new


@intrinsic
def lanes(typing, x):
    """How many elements of the array ``x`` a vector holds: 64 bytes of them where registers are as wide, else 32."""

    def generate(context, builder, signature, args):
        return _INDEX(_vector_bytes() // context.get_abi_sizeof(context.get_value_type(x.dtype)))

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
        write = _Writer(context, builder, source, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        more = write.repeat(write["plus"])
        every, into = read_step.literal_value, write_step.literal_value
        size = write.lanes

        def move(p, some):
            """Copy a vector, or with ``some`` what is left."""
            left = builder.sub(write["count"], p)
            read = []
            for part in range(every):
                address = write.at("source", write["start"], write.times(p, every), part * size)
                rest = builder.sub(write.times(left, every), _INDEX(every - 1 + part * size))
                read.append(write.load_some(address, write.first(rest)) if some else write.load(address))
            value = read[0] if every == 1 else write.choose(read[0], read[1], range(0, 2 * size, 2))
            value = write.add(value, more)
            for part in range(into):
                address = write.at("out", write["to"], write.times(p, into), part * size)
                if into == 1 and not some:
                    write.store(value, address)
                    continue
                wide = value
                mask = write.first(builder.sub(write.times(left, into), _INDEX(part * size)))
                if into == 2:
                    wide = write.choose(value, value, [(part * size + i) // 2 for i in range(size)])
                    mask = builder.and_(mask, ir.Constant(mask.type, [1, 0] * (size // 2)))
                write.store_some(wide, address, mask)

        whole = builder.udiv(write["count"], _INDEX(size))
        # With a step the last element of the last vector has nothing behind it that may be read: it goes with the rest.
        if every > 1:
            whole = builder.udiv(builder.sub(write["count"], _INDEX(1)), _INDEX(size))
        with builder.if_then(builder.icmp_signed(">", whole, _INDEX(0))):
            write.loop(whole, [], lambda turn, nothing: move(write.times(turn, size), False) or [])
        done = write.times(whole, size)
        with builder.if_then(builder.icmp_signed("<", done, write["count"])):
            move(done, True)
        return context.get_dummy_value()

    passed = [kind if kind is source.dtype else _as_passed(kind) for kind in given[2:]]
    return types.void(read_step, write_step, *passed), generate


@intrinsic
def keep_larger(typing, row, table, first, base, count, values, places):
    """Where row[k] is larger than values[k], or NaN, values[k] = row[k] and places[k] = base + table[first + k], for
    k < count and up to a whole vector. ``table`` and ``places`` have 32 bits.
    """
    names = ("row", "table", "first", "base", "count", "values", "places")
    given = (row, table, first, base, count, values, places)

    def generate(context, builder, signature, args):
        write = _Writer(context, builder, row, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
        start = write.repeat(builder.trunc(write["base"], _SLOT))
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

        write.loop(builder.udiv(builder.add(write["count"], _INDEX(write.lanes - 1)), _INDEX(write.lanes)), [], step)
        return context.get_dummy_value()

    return types.void(*map(_as_passed, given)), generate


@intrinsic(prefer_literal=True)
def tile_products(typing, rows, vectors, x, offsets, first, count, at, weight, place, out, to, pitch):
    """out[to + i pitch + p] = sum over r < count of weight[place + r rows + i] x[offsets[first + r] + at + p], for
    i < rows and p < vectors * lanes. The arrays have one axis; the first two arguments are constants.
    """
    names = ("rows", "vectors", "x", "offsets", "first", "count", "at", "weight", "place", "out", "to", "pitch")
    given = (rows, vectors, x, offsets, first, count, at, weight, place, out, to, pitch)

    def generate(context, builder, signature, args):
        write = _Writer(context, builder, x, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
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

    return types.void(*given[:2], *map(_as_passed, given[2:])), generate


@intrinsic(prefer_literal=True)
def tile_dots(typing, rows, columns, x, at, pitch, y, offsets, first, count, out, to, stride):
    """out[to + i stride + j] += sum over p < count * lanes of x[at + i pitch + p] y[offsets[first + j] + p], for
    i < rows and j < columns. The arrays have one axis; the first two arguments are constants.
    """
    names = ("rows", "columns", "x", "at", "pitch", "y", "offsets", "first", "count", "out", "to", "stride")
    given = (rows, columns, x, at, pitch, y, offsets, first, count, out, to, stride)

    def generate(context, builder, signature, args):
        write = _Writer(context, builder, x, dict(zip(names, zip(signature.args, args, strict=True), strict=True)))
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

    return types.void(*given[:2], *map(_as_passed, given[2:])), generate


def _as_passed(kind: Any) -> Any:
    """The type of an argument: an array, or a 64-bit integer. (A constant that code is written for keeps its own type,
    as numba takes functions with the same signature to be the same.)
    """
    return kind if isinstance(kind, types.Array) else types.int64
