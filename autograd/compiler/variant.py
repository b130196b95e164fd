"""One compiled form of a function: whether it still fits, what Python sees of a run, and the way back through it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..func.tree import leaves, map_leaves
from ..graph import Node, Slot
from ..modes import state
from ..tensor import Tensor
from ..writes import Stamp, Write, note_write, user_place
from .capture import Captured, tensors_in
from .entry import print_run
from .program import Ref
from .runner import Runner
from .trace import ANY

__all__ = ["Changed", "Variant", "overlaps"]


class Variant:
    """One compiled form of a function, for one kind of arguments and one state of the world."""

    def __init__(self, name: str, captured: Captured, inputs: Sequence[Tensor], lock: Any, arguments: Any) -> None:
        self.name = name
        self.captured = captured
        self.lock = lock
        self.stamp = Stamp(0, user_place())
        self.arguments = arguments  # kept alive: the key of a variant knows objects by their identity
        self.runner = Runner(name, captured.program, len(captured.numbers))
        for action in captured.actions:
            for value, place in zip(leaves(action.last), action.fed, strict=False):
                if type(place) is int:
                    self.runner.numbers[place] = value
        self.backward: Runner | None = None
        self.input_of = {id(t): i for i, t in enumerate(inputs)}
        self.stand_ins = list(inputs)
        returned = {id(t): i for i, t in enumerate(tensors_in(captured.result))}
        self.leaves: list[tuple[Tensor, int | None, Any]] = []
        self.returned_grads: list[tuple[Tensor, int | None, int]] = []
        self.forgotten: list[tuple[Tensor, int | None]] = []
        for leaf, start, end in captured.grads:
            place = self.input_of.get(id(leaf))
            if end is not start and id(end) in returned:
                # A new tensor at each run. If nobody asks for the last one, it may take that one's memory.
                self.returned_grads.append((leaf, place, returned[id(end)]))
                if start is ANY:
                    self.forgotten.append((leaf, place))
            elif end is not start:
                self.leaves.append((leaf, place, end))
        self.conditions = _guard(captured, self.input_of)
        self.holds = _all_hold(self.conditions)
        program = captured.program
        self.writes = [Write.to(m.owner) for m in program.written]
        self.written_inputs = [i for i, m in enumerate(program.inputs) if m.kind == "input" and program.writes(m)]
        used = [(self.input_of[id(leaf)], start) for leaf, start in captured.grads_used if id(leaf) in self.input_of]
        self.uses_grad = [place for place, _ in used]
        self.had_grad = any(start is not None for _, start in used)  # what it adds to is the first run's argument's
        self.random = [ref for action in captured.actions for ref in action.fed if isinstance(ref, Ref)]
        self.originals = tensors_in(captured.result)
        numbers = iter(range(len(self.originals)))
        self.template = map_leaves(lambda v: _Place(next(numbers)) if isinstance(v, Tensor) else v, captured.result)
        self.returns_one = type(self.template) is _Place
        captured.result, captured.grads = None, []  # their arrays are the first run's
        self.run = print_run(self)

    def reasons(self) -> list[str]:
        """What is not as it was when the function was captured."""
        return [c.why for c in self.conditions if getattr(c.owner, c.attribute) is not c.value]

    def source(self) -> str:
        """The text of the program, after that of the functions it calls."""
        emitted = self.runner.emitted
        texts = [f"# --- {name} ---\n\n{text}" for name, text in emitted.pieces.items()]
        return "\n\n".join([*texts, f"# --- {self.name} ---\n\n{emitted.source}"])

    # --- a run --------------------------------------------------------------------------------------------------------

    def first(self, tensors: Sequence[Tensor]) -> Any:
        """What the run that was watched has returned, as later runs return it."""
        for stand_in, tensor in zip(self.stand_ins, tensors, strict=True):
            if stand_in is not tensor and tensor.node is None:
                tensor._grad = stand_in._grad
        for i in self.written_inputs:
            if self.stand_ins[i].array is not tensors[i].array:
                tensors[i].array[...] = self.stand_ins[i].array
                note_write(tensors[i].array)
        results = self.captured.program.results
        made = []
        for i, (tensor, ref) in enumerate(zip(self.originals, self.captured.program.outputs, strict=True)):
            place = self.input_of.get(id(tensor))
            if place is not None:
                made.append(tensors[place])
            elif i in self.captured.constants:
                made.append(Tensor(tensor.array.copy()))
            else:
                made.append(Tensor(tensor.array) if ref.memory in results or tensor.node is not None else tensor)
        if self.captured.backward is not None and state.recording:
            arrays = [t.array for t in self.stand_ins]
            self.record(made, tensors, arrays)
        self.originals, self.stand_ins = [], []
        self.captured.program.release()
        return self.fill(made)

    def fits(self, tensors: Sequence[Tensor]) -> bool:
        """Whether the arguments may be what the program takes them for: those it writes to as memory that is in one
        piece and theirs alone, those whose gradient it adds to as without one.
        """
        arrays = [t.array for t in tensors]
        without = not self.had_grad and all(tensors[i]._grad is None for i in self.uses_grad)
        return without and not any(
            not arrays[i].flags.c_contiguous or overlaps(arrays[i], [*arrays[:i], *arrays[i + 1 :]])
            for i in self.written_inputs
        )

    def fill(self, made: Sequence[Tensor]) -> Any:
        """What the function returns, with these tensors in it."""
        return map_leaves(lambda v: made[v.number] if type(v) is _Place else v, self.template)

    def form(self, place: int) -> tuple[tuple[int, ...], np.dtype]:
        """The shape and dtype of an array that the program takes, by its place."""
        inputs = [(t.array.shape, t.array.dtype) for t in self.stand_ins]
        return [*inputs, *self.runner.forms][place]

    def feed(self) -> None:
        """Do what Python does before each run; numbers and arrays go where the program reads them."""
        numbers = self.runner.numbers
        for action in self.captured.actions:
            result = action.function()
            if action.last is not None:
                if result == action.last:
                    continue
                action.last = result
            values = leaves(result)
            if len(values) != len(action.fed):
                raise Changed
            for value, place in zip(values, action.fed, strict=True):
                if type(place) is int:
                    numbers[place] = self.captured.numbers[place] = value
                elif isinstance(place, Ref):
                    np.copyto(place.array(place.memory.owner), value)
                elif value is not place and (isinstance(value, Tensor) or value != place):
                    raise Changed

    # --- backward -----------------------------------------------------------------------------------------------------

    def record(self, made: list[Tensor], tensors: Sequence[Tensor], arrays: Sequence[np.ndarray]) -> None:
        """Give the outputs a node whose backward is the program of their gradients."""
        backward = self.captured.backward
        assert backward is not None
        edges = []
        for source in backward.sources:
            place = self.input_of.get(id(source))
            end = source if place is None else tensors[place]
            edges.append((end.node or end) if isinstance(end, Tensor) else end)
        fed = [ref.array(ref.memory.owner).copy() for ref in self.random]
        saved = [*arrays, *(m.owner for m in backward.program.table if m.kind == "outside")]
        attrs = {"numbers": self.runner.numbers.copy(), "fed": fed, "inputs": list(arrays)}
        outs = [made[i] for i in backward.of]
        node = Node(_CompiledOp(self), edges, saved, attrs, tuple(t.shape for t in outs))
        for i, out in enumerate(outs):
            out.node, out._requires_grad = Slot.of(node, i), True

    def walk_back(self, gradients: Sequence[Any], attrs: dict) -> list[np.ndarray]:
        """The gradients of all sources."""
        backward = self.captured.backward
        assert backward is not None
        with self.lock:
            if self.backward is None:
                self.backward = Runner(f"{self.name}_backward", backward.program, len(self.captured.numbers))
            runner = self.backward
            runner.numbers[:] = attrs["numbers"]
            for ref, values in zip(self.random, attrs["fed"], strict=True):
                np.copyto(ref.array(ref.memory.owner), values)
            refs = [self.captured.program.outputs[i] for i in backward.of]
            seeds = [
                np.zeros(ref.shape, ref.dtype) if g is None else np.ascontiguousarray(g)
                for g, ref in zip(gradients, refs, strict=True)
            ]
            arrays = runner([*attrs["inputs"], *seeds])
            new = backward.program.results
            found = [(ref.memory, runner.array(ref, arrays)) for ref in backward.program.outputs]
            return [array if memory in new else array.copy() for memory, array in found]


def overlaps(array: np.ndarray, others: Sequence[np.ndarray]) -> bool:
    """Whether an array shares memory with one of the others."""
    return any(np.may_share_memory(array, other) for other in others)


class _CompiledOp:
    """The operation of a node whose forward was a program."""

    views = shares = False

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.name = variant.name

    def backward(self, g: Any, saved: Any, attrs: dict, edges: Sequence) -> list:
        if any(isinstance(x, Tensor) for x in g):
            raise RuntimeError(
                f"{self.name}: gradients of a compiled function have no graph; got create_graph=True; "
                "compile the function that calls grad()"
            )
        found = self.variant.walk_back(g, attrs)
        return [None if edge is None else part for edge, part in zip(edges, found, strict=True)]

    def origins(self, node: Node) -> list:
        return []


class _Place:
    """Where an output goes in what a function returns."""

    def __init__(self, number: int) -> None:
        self.number = number


class Changed(RuntimeError):
    """Python did something else than when the function was captured."""


class Condition(NamedTuple):
    """An attribute that must be what it was when the function was captured, and what to say if it is not."""

    owner: Any
    attribute: str
    value: Any
    why: str = ""


def _all_hold(conditions: Sequence[Condition]) -> Callable[[], bool]:
    """Whether each attribute is its value; one expression, since a loop over them would take longer than the tests."""
    names: dict[str, Any] = {}
    for i, condition in enumerate(conditions):
        names[f"o{i}"], names[f"v{i}"] = condition.owner, condition.value
    text = " and ".join(f"o{i}.{condition.attribute} is v{i}" for i, condition in enumerate(conditions))
    return eval(f"lambda: {text or True}", names)


def _guard(captured: Captured, inputs: dict[int, int]) -> list[Condition]:
    """What must be as it was when the function was captured."""
    conditions: list[Condition] = []
    for ref, array, flag in captured.tensors:
        tensor = ref()
        if tensor is None or id(tensor) in inputs:
            continue
        what = f"a tensor of shape {array.shape} from outside"
        conditions.append(Condition(tensor, "array", array, f"{what} has another array"))
        if flag is not None:
            conditions.append(Condition(tensor, "_requires_grad", flag, f"{what} has requires_grad={not flag}"))
    # One that is looked at, and given up for another in the same run, is another at every run.
    assigned = {id(leaf) for leaf, start, _ in captured.grads if start is ANY}
    for leaf, start in captured.grads_used:
        if id(leaf) not in inputs and id(leaf) not in assigned:
            conditions.append(
                Condition(leaf, "_grad", start, f"the grad of a leaf of shape {leaf.shape} is another one")
            )
    for module, training, edition in captured.modules:
        what = type(module).__name__
        conditions.append(Condition(module, "training", training, f"{what}.training is {not training}"))
        conditions.append(Condition(module, "_edition", edition, f"{what} has other parts or other options"))
    return conditions
