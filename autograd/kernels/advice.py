"""What LLVM is told about loops, or not told, so that it makes better code of them.

It works on four vectors of a row at a time, then on single ones, and computes what is left one by one: of 50 numbers
that takes half of the time. Where the processor has masks, it can be told to compute the rest with part of a vector.
"""

from typing import Any

from llvmlite import ir
from llvmlite.ir.values import MDValue
from numba.core import types
from numba.extending import intrinsic

__all__ = ["hidden", "masked_turn"]


@intrinsic
def hidden(typing, n):
    """n, which LLVM then does not know: it would write out a loop of few turns, all or several at a time, and make SIMD
    code of the loop around it, whose memory does not lie together.
    """

    def generate(context, builder, signature, args):
        kind = ir.FunctionType(args[0].type, [args[0].type])
        return builder.asm(kind, "", "=r,0", [args[0]], side_effect=False)

    return types.intp(types.intp), generate


@intrinsic
def masked_turn(typing):
    """As the last statement of an innermost loop: have it be one of vectors, the last of them masked."""

    def generate(context, builder, signature, args):
        latch = _Latch(builder.function, "latch")
        builder.function.blocks.append(latch)
        builder.branch(latch)
        builder.position_at_end(latch)
        return context.get_dummy_value()

    return types.void(), generate


class _Latch(ir.Block):
    """The last block of a loop's turn: its jump back, which numba writes later, carries what LLVM is told."""

    def __init__(self, function: Any, name: str) -> None:
        super().__init__(function, name)
        module = function.module
        wishes = (
            module.add_metadata(["llvm.loop.vectorize.predicate.enable", ir.IntType(1)(1)]),
            module.add_metadata(["llvm.loop.interleave.count", ir.IntType(32)(1)]),
        )
        self.told = MDValue(module, wishes, str(len(module.metadata)))
        self.told.operands = (self.told, *wishes)  # a loop is known by what names itself

    def descr(self, buf: Any) -> None:
        """Print the block."""
        self.terminator.set_metadata("llvm.loop", self.told)
        super().descr(buf)
