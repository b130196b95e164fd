"""The Python around a program, printed for each: what a call of it does, without a question whose answer is known."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..modes import state
from ..tensor import Tensor
from ..writes import note_again, note_write
from .program import Ref

if TYPE_CHECKING:
    from .variant import Variant

__all__ = ["print_run"]


def print_run(variant: "Variant") -> Callable[[Sequence[Tensor]], Any]:
    """The function of a variant that runs its program on tensors and returns what the user's function does."""
    return _Printer(variant).function()


class _Printer:
    """``x0``, ``x1`` ... are the arrays a program takes, its inputs and then its results, ``y0`` ... the outputs."""

    def __init__(self, variant: "Variant") -> None:
        self.variant = variant
        self.lines: list[str] = []
        self.known: dict[str, Any] = {
            "Tensor": Tensor, "contiguous": np.ascontiguousarray, "copy": np.copyto, "empty": np.empty,
            "note_again": note_again, "note_write": note_write, "part": _part, "state": state, "uint16": np.uint16,
        }  # fmt: skip
        self.inputs = [f"x{i}" for i in range(len(variant.stand_ins))]
        self.arrays = [f"x{i}" for i in range(len(self.inputs) + len(variant.runner.forms))]

    def name(self, kind: str, value: Any) -> str:
        """What a value is called in the text."""
        name = f"{kind}{len(self.known)}"
        self.known[name] = value
        return name

    def function(self) -> Callable[[Sequence[Tensor]], Any]:
        """The function, made of its text."""
        self.before()
        self.call()
        self.after()
        text = "".join(f"    {line}\n" for line in self.lines)
        exec(f"def run(tensors):\n{text}", self.known)
        return self.known["run"]

    def before(self) -> None:
        """Let the memory of the program be what it expects."""
        variant = self.variant
        if variant.captured.actions:
            self.lines.append(f"{self.name('feed', variant.feed)}()")
        for memory in variant.captured.resets:
            self.lines.append(f"copy({self.name('memory', memory.owner)}, {self.name('initial', memory.initial)})")
        for i, x in enumerate(self.inputs):
            self.lines.append(f"{x} = tensors[{i}].array")
            self.lines.append(f"if not {x}.flags.c_contiguous: {x} = contiguous({x})")
        for leaf, place, gradient in variant.leaves:
            self.set_grad(leaf, place, self.name("grad", gradient))
        for leaf, place in variant.forgotten:
            self.set_grad(leaf, place, "None")

    def set_grad(self, leaf: Tensor, place: int | None, gradient: str) -> None:
        """The gradient of a leaf, which may be an input, is another tensor."""
        owner = self.name("leaf", leaf) if place is None else f"tensors[{place}]"
        self.lines.append(f"{owner}._grad = {gradient}")

    def call(self) -> None:
        """Run the program."""
        runner = self.variant.runner
        for x, (shape, dtype) in zip(self.arrays[len(self.inputs) :], runner.forms, strict=True):
            self.lines.append(f"{x} = empty({shape!r}, {self.name('dtype', dtype)})")
        arrays = ", ".join(self.arrays)
        if runner.plain is None:
            self.lines += [f"arrays = [{arrays}]", f"{self.name('run', runner.run)}(arrays)"]
            if arrays:
                self.lines.append(f"{arrays}, = arrays")
            return
        given = [f"{x}.view(uint16)" if i in runner.halves else x for i, x in enumerate(self.arrays)]
        given = [self.name("table", runner.table), self.name("numbers", runner.numbers), *given]
        self.lines.append(f"code = {self.name('program', runner.plain)}({', '.join(given)})")
        self.lines.append(f"if code: {self.name('refuse', runner.refuse)}(code, [{arrays}])")

    def after(self) -> None:
        """Tell Python what the program did, and make the outputs."""
        variant = self.variant
        if variant.writes:
            self.lines.append(f"note_again({self.name('writes', variant.writes)}, {self.name('stamp', variant.stamp)})")
        for i in variant.written_inputs:
            self.lines.append(f"array = tensors[{i}].array")
            self.lines.append(f"if array is not x{i}: array[...] = x{i}")
            self.lines.append("note_write(array)")
        outputs = [f"y{n}" for n in range(len(variant.originals))]
        for n, tensor in enumerate(variant.originals):
            self.lines.append(f"y{n} = {self.output(n, tensor)}")
        for leaf, place, output in variant.returned_grads:
            self.set_grad(leaf, place, f"y{output}")
        made = f"[{', '.join(outputs)}]"
        if variant.captured.backward is not None:
            record, inputs = self.name("record", variant.record), ", ".join(self.inputs)
            self.lines.append(f"if state.recording: {record}({made}, tensors, [{inputs}])")
        self.lines.append("return y0" if variant.returns_one else f"return {self.name('fill', variant.fill)}({made})")

    def output(self, number: int, tensor: Tensor) -> str:
        """How an output is made."""
        variant, runner = self.variant, self.variant.runner
        place = variant.input_of.get(id(tensor))
        if place is not None:
            return f"tensors[{place}]"
        ref = variant.captured.program.outputs[number]
        if (given := runner.places.get(ref.memory)) is not None:
            if runner.plain is not None and variant.form(given) == (ref.shape, ref.dtype):
                return f"Tensor(x{given})"
            return f"Tensor(part({self.name('ref', ref)}, x{given}))"
        if ref.memory in variant.captured.resets or number in variant.captured.constants:
            return f"Tensor({self.name('array', runner.array(ref))}.copy())"
        return self.name("tensor", tensor)


def _part(ref: Ref, block: np.ndarray) -> np.ndarray:
    """The array that a reference stands for in a block, which may be the one that a call has brought."""
    return block if block.shape == ref.shape and block.dtype == ref.dtype else ref.array(block)
