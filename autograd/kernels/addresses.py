"""The text by which a kernel gets at memory whose address it is told, for programs that keep their own memory."""

__all__ = ["ADDRESSES", "IMPORTS"]

IMPORTS = "import numpy as np\nfrom numba import carray, njit, prange, types\n"

ADDRESSES = """
from llvmlite import ir
from numba.extending import intrinsic


@intrinsic
def at(typingctx, address):
    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))
    return types.voidptr(types.intp), codegen
"""
"""``carray(at(address), shape, dtype)`` is an array there; an address is an integer."""
