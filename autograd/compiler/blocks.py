"""The blocks of memory that a watched function has touched, and references to parts of them."""

from typing import Any

import numpy as np

from ..writes import owner_of
from .program import Memory, Ref

__all__ = ["Blocks"]


class Blocks:
    """Memory by the array that owns it. Blocks keep their owners alive, so that none is taken for another."""

    def __init__(self) -> None:
        self.memories: dict[int, Memory] = {}
        self.constants: dict[int, np.ndarray] = {}  # numbers as arrays, by the memory they lie in

    def known(self, array: np.ndarray) -> Memory | None:
        """The block an array lies in, if it has been seen."""
        return self.memories.get(id(owner_of(array)))

    def memory_of(self, array: np.ndarray, kind: str) -> Memory:
        owner = owner_of(array)
        memory = self.memories.get(id(owner))
        if memory is None:
            memory = self.memories[id(owner)] = Memory(owner, kind)
        return memory

    def argument(self, array: np.ndarray) -> Memory:
        memory = self.memory_of(array, "input")
        memory.address = array.__array_interface__["data"][0]  # at each run it begins where the argument begins
        return memory

    def ref(self, array: np.ndarray, kind: str = "outside") -> Ref:
        """The reference to an array; memory not seen before is of this kind."""
        memory = self.memory_of(array, kind)
        size = array.dtype.itemsize
        at = array.__array_interface__["data"][0] - memory.address
        return Ref(memory, at // size, array.shape, tuple(s // size for s in array.strides), array.dtype)

    def made(self, array: np.ndarray) -> Ref:
        """The reference to what a step makes."""
        return self.ref(array, "own")

    def temporary(self, shape: tuple[int, ...], dtype: np.dtype) -> Ref:
        """Memory for a value between two steps."""
        return self.made(np.empty(shape, dtype))

    def constant(self, array: np.ndarray) -> np.ndarray:
        """An array of one element that stays what it is."""
        owner = owner_of(array)
        self.constants[id(owner)] = owner
        return array

    def operand(self, value: Any) -> Any:
        """A reference to an array; the number itself for one that can't change."""
        if not isinstance(value, np.ndarray):
            return value
        owner = self.constants.get(id(owner_of(value)))
        return self.ref(value) if owner is None else owner.item()
