"""From one watched run to a program: what it reads and writes from outside, what it hands back, and its steps."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import graph
from ..func.tree import leaves
from ..graph import Node
from ..kernels import hand
from ..modes import intercept, no_grad, state
from ..tensor import Tensor
from .fuse import Group, arrange, overlap
from .memory import Layout, place
from .program import Call, KernelCall, Memory, Ref, Step
from .trace import ANY, Action, CannotCompile, Tracer

__all__ = ["Backward", "Captured", "Program", "capture", "tensors_in"]


class watching:  # noqa: N801 (a context, used like a function)
    """Have a tracer see all that this thread does until the block ends."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.intercepting = intercept((tracer,))

    def __enter__(self) -> None:
        self.outer = state.tracer
        state.tracer = self.tracer
        hand.watchers.append(self.tracer.watch_kernel)
        self.intercepting.__enter__()

    def __exit__(self, *exc: object) -> None:
        self.intercepting.__exit__(*exc)
        hand.watchers.remove(self.tracer.watch_kernel)
        state.tracer = self.outer


class Program:
    """Steps in their final order, with the memory they need. ``outputs`` are what it computes; those in memory of their
    own, the ``results``, get new memory at each run, which is handed in after the ``arguments``.
    """

    def __init__(self, steps: Sequence[Step], arguments: Sequence[Memory], outputs: Sequence[Ref]) -> None:
        self.outputs = list(outputs)
        self.results = dict.fromkeys(ref.memory for ref in outputs if ref.memory.kind == "own")
        self.inputs = [*arguments, *self.results]
        self.items: list[Group | Step] = arrange(steps, self.results)
        # What an ordinary call returns stays where it is.
        returned = {ref.memory for item in self.items if isinstance(item, Call) for ref in item.outs if ref is not None}
        self.layout: Layout = place(self.items, {*self.results, *returned})
        memories: dict[Memory, None] = dict.fromkeys([*self.inputs, *(ref.memory for ref in outputs)])
        for item in self.items:
            memories |= dict.fromkeys(r.memory for r in (*item.reads, *item.writes))
        self.table = {m: i for i, m in enumerate((m for m in memories if m not in self.layout.offsets), 1)}
        self.written = [m for m in self.table if m.kind == "outside" and self.writes(m)]

    def writes(self, memory: Memory) -> bool:
        """Whether a step changes this memory."""
        return any(ref.memory is memory for item in self.items for ref in item.writes)

    def release(self) -> None:
        """Let go of the arrays of the watched run; the program has a block of its own."""
        for item in self.items:
            for ref in (*item.reads, *item.writes):
                if ref.memory.kind == "own":
                    ref.memory.owner = None  # type: ignore[assignment]


class Captured:
    """All that one run of a function told: the program, and what must hold for it to be run again."""

    def __init__(self, program: Program, tracer: Tracer, result: Any) -> None:
        self.program = program
        self.result = result
        # What decides whether the program fits is asked first, before random numbers are drawn and steps are counted.
        self.actions: list[Action] = sorted(tracer.actions, key=lambda action: not action.decides)
        self.numbers = tracer.numbers
        self.modules = [(m, m.training, m._edition) for m in tracer.modules.values()]
        self.tensors = [(ref, array, flag) for ref, array, flag in tracer.tensors.values() if ref() is not None]
        self.grads = [(leaf, start, leaf._grad) for leaf, start in tracer.grads_at_start.values()]
        # The leaves for which it matters what gradient they come with, and that.
        added_to = [(leaf, start) for leaf, start, _ in self.grads if start is not ANY]
        self.grads_used: list[tuple[Tensor, Tensor | None]] = [*tracer.grads_read.values(), *added_to]
        self.resets = [m for m in tracer.memories.values() if m.kind == "outside" and m.initial is not None]
        self.backward: Backward | None = None
        self.constants: set[int] = set()  # the outputs that the function makes anew of nothing that it is given


class Backward(NamedTuple):
    """The program of the gradients of a function's outputs: it computes again what it needs of the forward."""

    program: Program
    of: list[int]  # the outputs that have a graph; the last inputs of the program are their gradients
    sources: list[Any]  # where gradients go: leaves, and nodes of tensors from outside


def prune(steps: Sequence[Step], wanted: Sequence[Ref], persistent: bool = True) -> list[Step]:
    """The steps that ``wanted`` depends on, and with ``persistent`` those that change what outlives the run."""
    by_memory: dict[Memory, list[Ref]] = {}
    for ref in wanted:
        by_memory.setdefault(ref.memory, []).append(ref)
    kept: list[Step] = []
    for step in reversed(steps):
        refuses = isinstance(step, KernelCall) and step.status is not None
        effect = refuses or (isinstance(step, Call) and not step.outs)
        lasting = persistent and (effect or any(r.memory.kind != "own" for r in step.writes))
        if lasting or any(overlap(w, r) for w in step.writes for r in by_memory.get(w.memory, ())):
            kept.append(step)
            for ref in step.reads:
                by_memory.setdefault(ref.memory, []).append(ref)
    return kept[::-1]


def capture(function: Callable[[], Any], inputs: Sequence[Tensor]) -> Captured:
    """Run a function once, watched."""
    tracer = Tracer(inputs)
    arrays = [x.array for x in inputs]
    with watching(tracer):
        result = function()
        outputs = tensors_in(result)
        for output in outputs:
            output._refresh()  # what it is a view of may have been written to since
    _check(tracer, [x.array is array for x, array in zip(inputs, arrays, strict=True)])
    _settle(tracer, outputs)
    refs = [tracer.ref(t.array) for t in outputs]
    constants = {
        i for i, ref in enumerate(refs) if ref.memory.kind == "outside" and sys.getrefcount(ref.memory.owner) <= _OWN
    }
    forward = tracer.steps
    tracer.steps = []
    backward = _capture_backward(tracer, outputs, forward)
    captured = Captured(Program(prune(forward, refs), tracer.inputs, refs), tracer, result)
    captured.backward, captured.constants = backward, constants
    return captured


def _check(tracer: Tracer, kept: Sequence[bool]) -> None:
    """Refuse what later runs would not do as this one did."""
    if not all(kept):
        raise CannotCompile(
            f"compile: a compiled function can't give its arguments other memory or another shape; got argument "
            f"{kept.index(False)} changed by t_(), unsqueeze_(), data= or the like; return the tensor instead"
        )
    written = {ref.memory for step in tracer.steps for ref in step.writes}
    for memory, message in tracer.looked_at:
        if memory in written:
            raise CannotCompile(message)


def tensors_in(result: Any) -> list[Tensor]:
    """The tensors of what a function returns, from left to right."""
    return [leaf for leaf in leaves(result) if isinstance(leaf, Tensor)]


_OWN = 3  # references to the memory of such an output: the tensor's, the program's, and that of the call that counts
_REFERENCES = 4  # to a tensor that nobody else holds: the result, the list of outputs, the loop, the call that counts


def _settle(tracer: Tracer, outputs: Sequence[Tensor]) -> None:
    """Say of each memory whether it outlives the run: gradients and tensors that somebody still holds do."""
    returned = {id(t) for t in outputs}
    for output in outputs:
        view = output._view
        while view is not None:  # a view holds what it is a view of
            returned.add(id(view.base))
            view = view.base._view
    for ref, array in tracer.results:
        tensor = ref()
        memory = tracer.known(array)
        if tensor is not None and id(tensor) not in returned and memory is not None and memory.kind == "own":
            memory.kind = "outside"
    for leaf, _ in tracer.grads_at_start.values():
        if leaf._grad is not None and id(leaf._grad) not in returned:
            memory = tracer.known(leaf._grad.array)
            if memory is not None and memory.kind == "own":
                memory.kind = "outside"
                memory.initial = None
    # What only the result holds was made by the function, and is made anew at each run.
    local = {id(t) for t in outputs if sys.getrefcount(t) <= _REFERENCES}
    living = {
        tracer.known(array) for ref, array, _ in tracer.tensors.values() if ref() is not None and id(ref()) not in local
    }
    for memory in tracer.memories.values():
        if memory in living:
            memory.initial = None


def _capture_backward(tracer: Tracer, outputs: Sequence[Tensor], forward: Sequence[Step]) -> Backward | None:
    """Walk back from the outputs that have a graph, and note how."""
    alive = [i for i, t in enumerate(outputs) if t._requires_grad and t.node is not None and _has_graph(t.node)]
    if not alive:
        return None
    given = {ref().node for ref, _, _ in tracer.tensors.values() if ref() is not None and ref().node is not None}  # type: ignore[union-attr]
    roots: list[tuple[Any, Tensor]] = [
        (outputs[i].node, Tensor(np.ones(outputs[i].shape, outputs[i].dtype))) for i in alive
    ]
    sources = _sources([node for node, _ in roots], given)
    seeds = [tracer.memory_of(seed.array, "input") for _, seed in roots]
    with watching(tracer), no_grad():
        found = graph.backward(roots, set(sources), retain_graph=True, lift=tracer.lift, call=tracer.backward)
    reached = [source for source in sources if source in found]
    refs = [tracer.ref(found[source].array) for source in reached]
    steps = prune([*forward, *tracer.steps], refs, persistent=False)
    program = Program(steps, [*tracer.inputs, *seeds], refs)
    return Backward(program, alive, reached)


def _has_graph(node: Any) -> bool:
    """Whether a backward inside the function has not freed the graph."""
    return all(n.saved is not None for n in graph.reachable([node]) if type(n) is Node)


def _sources(roots: Sequence[Any], given: set[Any]) -> list[Any]:
    """The leaves that nodes come from, and nodes that were there before."""
    found: dict[Any, None] = {}
    seen, stack = set(roots), list(roots)
    while stack:
        for edge in stack.pop().edges:
            if isinstance(edge, Tensor) or edge in given:
                found[edge] = None
            elif edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return list(found)
