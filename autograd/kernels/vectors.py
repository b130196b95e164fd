"""Writing LLVM's code for the processor's vector registers: numba has no variable that is a vector."""

from collections.abc import Sequence
from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils, types

__all__ = ["INDEX", "SLOT", "Writer", "as_passed", "vector_bytes"]

INDEX, SLOT = ir.IntType(64), ir.IntType(32)


def vector_bytes() -> int:
    return 64 if binding.get_host_cpu_features().get("avx512f") else 32


class Writer:
    """Writes operations on vectors of the numbers of one array type; arguments of a function are known by name."""

    def __init__(self, context: Any, builder: ir.IRBuilder, kind: Any, arguments: dict[str, tuple[Any, Any]]) -> None:
        number = context.get_value_type(kind.dtype)
        self.context = context
        self.builder = builder
        self.arguments = arguments
        self.size = context.get_abi_sizeof(number)
        self.lanes = vector_bytes() // self.size
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
            data = self.builder.gep(data, [INDEX(place) if isinstance(place, int) else place])
        return data

    def hide(self, number: Any) -> Any:
        """The same number, of which LLVM does not know where it comes from."""
        return self.builder.asm(ir.FunctionType(number.type, [number.type]), "", "=r,0", [number], side_effect=False)

    def times(self, a: Any, b: int | Any) -> Any:
        return self.builder.mul(a, INDEX(b) if isinstance(b, int) else b)

    def load(self, address: Any) -> Any:
        return self.builder.load(self.builder.bitcast(address, self.vector.as_pointer()), align=self.size)

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self.builder.bitcast(address, self.vector.as_pointer()), align=self.size)

    def first(self, count: Any) -> Any:
        """A mask of the first ``count`` elements of a vector."""
        width = self.builder.trunc(count, SLOT)
        return self.builder.icmp_signed(
            "<", ir.Constant(ir.VectorType(SLOT, self.lanes), [*range(self.lanes)]), self.repeat(width)
        )

    def load_some(self, address: Any, mask: Any) -> Any:
        return self._masked("load", self.vector, address, [mask, self.zero])

    def store_some(self, value: Any, address: Any, mask: Any) -> None:
        self._masked("store", ir.VoidType(), address, [mask], value)

    def _masked(self, name: str, result: Any, address: Any, rest: list, *before: Any) -> Any:
        arguments = [*before, self.builder.bitcast(address, self.vector.as_pointer()), SLOT(self.size), *rest]
        kind = ir.FunctionType(result, [a.type for a in arguments])
        letter = "f" if self.is_float else "i"
        full = f"llvm.masked.{name}.v{self.lanes}{letter}{8 * self.size}.p0"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, full), arguments)

    def prefetch(self, address: Any) -> None:
        """Have the cache fetch an address that will be written."""
        kind = ir.FunctionType(ir.VoidType(), [address.type, SLOT, SLOT, SLOT])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        self.builder.call(function, [address, SLOT(1), SLOT(3), SLOT(1)])

    def spread(self, address: Any) -> Any:
        """A vector of the number that stands there."""
        return self.repeat(self.builder.load(address))

    def repeat(self, number: Any) -> Any:
        undefined = ir.Constant(ir.VectorType(number.type, self.lanes), ir.Undefined)
        alone = self.builder.insert_element(undefined, number, SLOT(0))
        return self.builder.shuffle_vector(alone, undefined, ir.Constant(ir.VectorType(SLOT, self.lanes), None))

    def choose(self, a: Any, b: Any, places: Sequence[int]) -> Any:
        """The elements at these places of two vectors, one behind the other."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(SLOT, self.lanes), [*places]))

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
                    value, undefined, ir.Constant(ir.VectorType(SLOT, width), [*range(first, first + width)])
                )
                for first in (0, width)
            ]
            value = self.add(*halves)
        return self.builder.extract_element(value, SLOT(0))

    def either(self, condition: Any, then: Any, otherwise: Any) -> list:
        """The values of ``then()`` or of ``otherwise()``."""
        with self.builder.if_else(condition) as (first, second):
            with first:
                ones, one = then(), self.builder.block
            with second:
                twos, two = otherwise(), self.builder.block
        found = []
        for a, b in zip(ones, twos, strict=True):
            phi = self.builder.phi(a.type)
            phi.add_incoming(a, one)
            phi.add_incoming(b, two)
            found.append(phi)
        return found

    def loop(self, count: Any, start: Sequence[Any], body: Any) -> list:
        """The values after ``count`` >= 1 turns of ``values = body(turn, values)``, ``start`` before the first."""
        builder, entry = self.builder, self.builder.block
        turns, after = builder.append_basic_block("turns"), builder.append_basic_block("after")
        builder.branch(turns)
        builder.position_at_end(turns)
        turn, values = builder.phi(INDEX), [builder.phi(value.type) for value in start]
        new = body(turn, values)
        following, end = builder.add(turn, INDEX(1)), builder.block
        builder.cbranch(builder.icmp_signed("<", following, count), turns, after)
        for phi, before, later in zip([turn, *values], [INDEX(0), *start], [following, *new], strict=True):
            phi.add_incoming(before, entry)
            phi.add_incoming(later, end)
        builder.position_at_end(after)
        return new


def as_passed(kind: Any) -> Any:
    """The type of an argument: an array, or a 64-bit integer. (A constant that code is written for keeps its own type,
    as numba takes functions with the same signature to be the same.)
    """
    return kind if isinstance(kind, types.Array) else types.int64
