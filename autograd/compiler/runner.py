"""Running a program: its memory, its compiled functions, and the ordinary calls between them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import float16
from ..func.tree import leaves, map_leaves
from ..kernels import threads
from ..kernels.memory import at_a_line
from ..writes import owner_of
from .capture import Program
from .emit import Emitted, emit
from .program import Call, Memory, Ref

__all__ = ["Runner"]


class Runner:
    """A program with its compiled functions, its block of memory, and the table of addresses they work with."""

    def __init__(self, name: str, program: Program, numbers: int) -> None:
        self.name = name
        self.program = program
        self.emitted: Emitted = self._emit(threads.count > 1)
        self.block = at_a_line(program.layout.size)
        self.table = np.zeros(len(program.table) + 1, np.intp)
        self.table[0] = self.block.ctypes.data
        self.numbers = np.zeros(max(numbers, 1), np.float64)
        self.storage: dict[Memory, np.ndarray] = {}  # what stands for each block, inputs aside
        for memory, place in program.table.items():
            if memory.kind not in ("input", "own"):
                self.storage[memory] = memory.owner
                self.table[place] = memory.owner.ctypes.data
        self.places = {m: i for i, m in enumerate(program.inputs)}
        # Those that numba, which knows no halves, is given as integers.
        self.halves = {i for i, m in enumerate(program.inputs) if m.owner.dtype == float16}
        self.forms = [self._form(memory) for memory in program.results]
        self.parts = self._prepare_all(self.emitted)
        plain = len(self.parts) == 1 and not self.emitted.on_pool
        self.plain = self.parts[0] if plain else None  # a program of one function that needs nothing around it
        self.fastest: dict[int, int] = {}  # the shortest time of each segment on the pool
        self.alone: dict[int, int] = {}  # and how long it took last on the calling thread
        self.slow: set[int] = set()  # the segments whose last run on the pool was too slow
        self.serial = None if self.emitted.on_pool else self.parts  # what runs where the pool can't be had

    def _form(self, memory: Memory) -> tuple[tuple[int, ...], np.dtype]:
        """The shape and dtype to make the memory of a result in: those of the result, if it is all that lies there."""
        refs = [ref for ref in self.program.outputs if ref.memory is memory]
        whole = len(refs) == 1 and refs[0].contiguous and refs[0].size * refs[0].dtype.itemsize == memory.nbytes
        whole = whole and refs[0].dtype != float16  # which numba does not know
        return (refs[0].shape, refs[0].dtype) if whole else ((memory.nbytes,), np.dtype(np.uint8))

    def _emit(self, parallel: bool) -> Emitted:
        program = self.program
        return emit(self.name, program.items, program.layout, program.table, program.inputs, parallel)

    def _prepare_all(self, emitted: Emitted) -> list[Any]:
        return [self._prepare(part) if isinstance(part, Call) else part for part in emitted.parts]

    def array(self, ref: Ref, inputs: Sequence[np.ndarray] = ()) -> np.ndarray:
        """The array a reference stands for."""
        memory = ref.memory
        if memory in self.program.layout.offsets:
            return ref.array(self.block[self.program.layout.offsets[memory] :])
        return ref.array(inputs[self.places[memory]] if memory in self.places else self.storage[memory])

    def _stays(self, memory: Memory) -> bool:
        """Whether a block is in the same place at every run."""
        return memory in self.program.layout.offsets or memory.kind not in ("input", "own")

    def _bind(self, memory: Memory, block: np.ndarray, inputs: list[np.ndarray]) -> None:
        """Let a block be where it is now."""
        self.table[self.program.table[memory]] = block.ctypes.data
        if memory in self.places:
            inputs[self.places[memory]] = block
        else:
            self.storage[memory] = block

    def _prepare(self, call: Call) -> Callable[[list[np.ndarray]], None]:
        """A function of the inputs that makes an ordinary call."""

        def fill(value: Any) -> Any:
            return self.array(value) if isinstance(value, Ref) and self._stays(value.memory) else value

        arguments = map_leaves(fill, call.arguments)
        varies = [any(isinstance(v, Ref) for v in leaves(argument)) for argument in arguments]

        def run(inputs: list[np.ndarray]) -> None:
            def find(value: Any) -> Any:
                return self.array(value, inputs) if isinstance(value, Ref) else value

            given = [map_leaves(find, a) if new else a for a, new in zip(arguments, varies, strict=True)]
            found: dict[Memory, list[tuple[Ref, np.ndarray]]] = {}
            for ref, result in zip(call.outs, call.function(*given), strict=False):
                if ref is None:
                    continue
                if ref.shape != result.shape:
                    raise RuntimeError(
                        f"{call.name}: the shape of a result must not depend on values in a compiled function; got "
                        f"{result.shape} where it was {ref.shape} before; compile the code around it"
                    )
                if ref.memory.kind == "own":
                    found.setdefault(ref.memory, []).append((ref, result))
                else:
                    np.copyto(self.array(ref, inputs), result)
            for memory, results in found.items():
                self._bind(memory, _block(memory, results), inputs)

        run.call = call  # type: ignore[attr-defined]
        return run

    def __call__(self, arguments: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Run the program on these arguments; returns them, and the memory of the results after them."""
        inputs: list[np.ndarray] = [*arguments, *[np.empty(shape, dtype) for shape, dtype in self.forms]]
        self.run(inputs)
        return inputs

    def run(self, inputs: list[np.ndarray]) -> None:
        """Run the program on these arrays, the last of them for its results; a call in it may replace some."""
        given: Sequence[np.ndarray] = inputs  # the first segment takes them
        if self.halves:
            given = [x.view(np.uint16) if i in self.halves else x for i, x in enumerate(inputs)]
        for i, part in enumerate(self.parts):
            if hasattr(part, "call"):
                part(inputs)
                continue
            if not self.emitted.on_pool:
                code = part(self.table, self.numbers, *given)
            elif threads.enter():
                try:
                    code = self._on_pool(i, part, given)
                finally:
                    threads.leave()
            else:
                if self.serial is None:
                    self.serial = self._prepare_all(self._emit(False))
                code, self.alone[i] = self._timed(self.serial[i], given)
            if code:
                self.refuse(code, inputs)
            given = ()

    def _on_pool(self, i: int, part: Callable, given: Sequence[np.ndarray]) -> int:
        """Run a segment on the pool, and look whether it took longer than it takes, there or alone.

        After a pause its data is far away, for a run or two: alone it would wait for them as long.
        """
        code, took = self._timed(part, given)
        fastest = self.fastest[i] = min(took, self.fastest.get(i, took))
        if took <= max(threads.SLOW, 2 * fastest, self.alone.get(i, 0)):
            self.slow.discard(i)
        elif i in self.slow:
            threads.strained()
        else:
            self.slow.add(i)
        return code

    def _timed(self, part: Callable, given: Sequence[np.ndarray]) -> tuple[int, int]:
        began = time.monotonic_ns()
        return part(self.table, self.numbers, *given), time.monotonic_ns() - began

    def refuse(self, code: int, inputs: Sequence[np.ndarray]) -> None:
        """Raise what the operation raises whose kernel reported a bad input."""
        function, arguments = self.emitted.checks[code - 1]
        function(*map_leaves(lambda v: self.array(v, inputs) if isinstance(v, Ref) else v, arguments))
        raise RuntimeError("compile: a kernel refused an input that its operation takes")


def _block(memory: Memory, results: Sequence[tuple[Ref, np.ndarray]]) -> np.ndarray:
    """The memory that results lie in, if it is laid out as it was before; else a block with copies of them."""
    block = owner_of(results[0][1])
    if block.nbytes == memory.nbytes and block.flags.c_contiguous:
        for ref, result in results:
            expected = ref.array(block)
            same = expected.__array_interface__["data"] == result.__array_interface__["data"]
            if not same or expected.strides != result.strides or expected.dtype != result.dtype:
                break
        else:
            return block
    block = np.empty(memory.nbytes, np.uint8)
    for ref, result in results:
        np.copyto(ref.array(block), result)
    return block
