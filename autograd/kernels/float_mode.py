"""The register in which a thread keeps how its processor computes with floats."""

import platform
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["flush_denormals"]


def _call(builder: ir.IRBuilder, name: str, result: ir.Type, *arguments: Any) -> Any:
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}"), arguments)


class _X86:
    """MXCSR: FTZ makes results zero, DAZ operands."""

    word = ir.IntType(32)
    flushes = word(0x8000 | 0x0040)

    @staticmethod
    def read(builder: ir.IRBuilder) -> Any:
        space = cgutils.alloca_once(builder, _X86.word)
        _call(builder, "x86.sse.stmxcsr", ir.VoidType(), builder.bitcast(space, ir.IntType(8).as_pointer()))
        return builder.load(space)

    @staticmethod
    def write(builder: ir.IRBuilder, mode: Any) -> None:
        space = cgutils.alloca_once_value(builder, mode)
        _call(builder, "x86.sse.ldmxcsr", ir.VoidType(), builder.bitcast(space, ir.IntType(8).as_pointer()))


class _Arm:
    """FPCR: FZ makes both zero."""

    word = ir.IntType(64)
    flushes = word(1 << 24)

    @staticmethod
    def read(builder: ir.IRBuilder) -> Any:
        return _call(builder, "aarch64.get.fpcr", _Arm.word)

    @staticmethod
    def write(builder: ir.IRBuilder, mode: Any) -> None:
        _call(builder, "aarch64.set.fpcr", ir.VoidType(), mode)


@intrinsic
def flush_denormals(typing, wanted):
    """Have the thread that calls this take denormal numbers for zero, or no longer."""
    register = _Arm if platform.machine() in ("aarch64", "arm64") else _X86

    def generate(context, builder, signature, arguments):
        mode = register.read(builder)
        kept = builder.and_(mode, builder.not_(register.flushes))
        register.write(builder, builder.select(arguments[0], builder.or_(mode, register.flushes), kept))
        return context.get_dummy_value()

    return types.void(types.boolean), generate
