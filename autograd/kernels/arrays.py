"""Arrays in kernels: at an address that the kernel is told, or in memory that it takes while it runs.

Nothing in a kernel counts who holds an array. Who calls it holds those it is given, and what it takes itself it gives
back. numba's own ``np.empty`` makes arrays that are counted, and then all others in the function are too, at every
slice, which makes short rows take up to five times as long. So kernels are compiled without that part of its runtime,
and make arrays with these functions; one that names them is printed with an import of this module.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.types.containers import BaseTuple, StarArgTuple, Tuple
from numba.extending import intrinsic

from .vectors import INDEX

__all__ = ["array_at", "at", "on_stack", "release", "scratch", "strided_at"]

LINE = 64
"""The bytes of a line of the cache, or more."""

_BYTES = ir.IntType(8).as_pointer()


@intrinsic
def at(typing, address):
    """The pointer to an address, which is an integer."""

    def generate(context, builder, signature, args):
        return builder.inttoptr(args[0], _BYTES)

    return types.voidptr(types.intp), generate


@intrinsic
def array_at(typing, address, shape, dtype):
    """The contiguous array that lies at an address, an integer or a pointer."""
    kind, given = _contiguous(shape, dtype)

    def generate(context, builder, signature, args):
        is_number = isinstance(args[0].type, ir.IntType)
        pointer = builder.inttoptr(args[0], _BYTES) if is_number else args[0]
        return _Contiguous(context, builder, kind, args[1]).at(pointer)

    return kind(address, given, dtype), generate


@intrinsic
def strided_at(typing, address, shape, strides, dtype):
    """The array that lies at an address, whose neighbours along each axis are so many bytes apart."""
    kind, given = _contiguous(shape, dtype)

    def generate(context, builder, signature, args):
        array = _Contiguous(context, builder, kind.copy(layout="A"), args[1])
        array.strides = cgutils.unpack_tuple(builder, args[2])
        return array.at(builder.inttoptr(args[0], _BYTES))

    return kind.copy(layout="A")(address, given, given, dtype), generate


@intrinsic(prefer_literal=True)
def on_stack(typing, count, dtype):
    """An array of ``count`` numbers, a constant, with anything in it, which is there until the function returns."""
    kind, _ = _contiguous(count, dtype)

    def generate(context, builder, signature, args):
        memory = cgutils.alloca_once(builder, context.get_data_type(kind.dtype), size=count.literal_value)
        memory.align = LINE
        return _Contiguous(context, builder, kind, INDEX(count.literal_value)).at(memory)

    return kind(count, dtype), generate


@intrinsic
def scratch(typing, shape, dtype):
    """A contiguous array with anything in it, which begins at a line of the cache and is there until `release`."""
    kind, given = _contiguous(shape, dtype)

    def generate(context, builder, signature, args):
        array = _Contiguous(context, builder, kind, args[0])
        room = builder.add(array.nbytes, INDEX(2 * LINE))
        memory = builder.call(_library(builder, "malloc", _BYTES, INDEX), [room])
        cgutils.guard_memory_error(context, builder, memory, "no memory for what a kernel needs while it runs")
        whole = builder.ptrtoint(memory, INDEX)
        first = builder.and_(builder.add(whole, INDEX(2 * LINE - 1)), INDEX(-LINE))
        builder.store(whole, _before(builder, first))  # what is to be freed
        return array.at(builder.inttoptr(first, _BYTES))

    return kind(given, dtype), generate


@intrinsic
def release(typing, *arrays):
    """Give the memory of arrays of `scratch` back."""

    def generate(context, builder, signature, args):
        for kind, value in zip(arrays, cgutils.unpack_tuple(builder, args[0]), strict=True):
            first = builder.ptrtoint(context.make_array(kind)(context, builder, value).data, INDEX)
            whole = builder.inttoptr(builder.load(_before(builder, first)), _BYTES)
            builder.call(_library(builder, "free", ir.VoidType(), _BYTES), [whole])
        return context.get_dummy_value()

    return types.void(StarArgTuple.from_types(arrays)), generate


def _contiguous(shape: Any, dtype: Any) -> tuple[Any, Any]:
    """The types of an array of a dtype (or of the type of a number), and of its shape: a number or a tuple of such."""
    lengths = len(shape) if isinstance(shape, BaseTuple) else 1
    given = Tuple([types.intp] * lengths) if isinstance(shape, BaseTuple) else types.intp
    return types.Array(getattr(dtype, "dtype", dtype), lengths, "C"), given


class _Contiguous:
    """Writes a contiguous array: its lengths, distances and bytes."""

    def __init__(self, context: Any, builder: ir.IRBuilder, kind: Any, shape: Any) -> None:
        self.context, self.builder, self.kind = context, builder, kind
        self.lengths: Sequence = [shape]
        if isinstance(shape.type, (ir.ArrayType, ir.LiteralStructType)):
            self.lengths = cgutils.unpack_tuple(builder, shape)
        self.size = INDEX(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        self.strides: list[Any] = []
        self.nbytes = self.size
        for length in reversed(self.lengths):
            self.strides.insert(0, self.nbytes)
            self.nbytes = builder.mul(self.nbytes, length)

    def at(self, pointer: Any) -> Any:
        """The array that lies there."""
        # Imported here, as it takes 0.1 s: a kernel that was compiled before does without.
        from numba.np.arrayobj import populate_array

        array = self.context.make_array(self.kind)(self.context, self.builder)
        data = self.builder.bitcast(pointer, array.data.type)
        populate_array(array, data, self.lengths, self.strides, self.size, None)
        return array._getvalue()


def _before(builder: ir.IRBuilder, address: Any) -> Any:
    """The pointer to the integer that lies before an address."""
    return builder.inttoptr(builder.sub(address, INDEX(INDEX.width // 8)), INDEX.as_pointer())


def _library(builder: ir.IRBuilder, name: str, result: Any, argument: Any) -> Any:
    """A function of the C library."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, [argument]), name)
