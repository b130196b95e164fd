"""Watching a function run: every operation that comes through the engine's door becomes steps of a program.

The function runs eagerly while it is watched, once, with its real effects. Arrays are known by the memory they lie in,
so it does not matter through which tensor or view a step reaches them. Memory that no step has made is from outside:
parameters, constants, what a closure holds. A program reads and writes it in place at every run.

Backward runs its rules on tensors meanwhile, through the same door; where a rule by hand exists, its kernels are noted.
"""

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import graph
from ..dtypes import float16
from ..func.tree import leaves, map_leaves
from ..graph import Node
from ..kernels.hand import FLOATS
from ..modes import intercept, no_grad, state
from ..ops.formula import Elementwise
from ..ops.op import Kept, Op
from ..tensor import Tensor
from ..writes import owner_of, user_line
from .blocks import Blocks
from .kernel_runs import KernelRun, arrays_in, note_kernels
from .natives import NATIVES, in_numpy, note_formula
from .pieces import Piece, PieceOp, rebuild_tensors
from .program import Call, Copy, Fed, Memory, Ref, Step, Tally, UpdateCall

__all__ = ["ANY", "Action", "CannotCompile", "Tracer"]


class CannotCompile(RuntimeError):
    """A value was asked for that changes from run to run."""


class Action:
    """Something done in Python before each run, and where its results go."""

    def __init__(self, function: Callable[[], Any], result: Any, fed: list[Any]) -> None:
        self.function, self.fed = function, fed
        self.decides = not any(isinstance(place, (int, Ref)) for place in fed)
        # Where it returns numbers, the last ones; as long as they stay the same there is nothing to hand on.
        self.last = None if any(isinstance(place, Ref) for place in fed) else result


class Tracer(Blocks):
    """The interceptor that writes down the steps of one run of a function."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self.thread = threading.get_ident()
        self.steps: list[Step] = []
        # Those from outside, with their array and, if an operation may have recorded them, requires_grad.
        self.tensors: dict[int, tuple[weakref.ref, np.ndarray, bool | None]] = {}
        self.actions: list[Action] = []
        self.numbers: list[float] = []  # those that are fed
        self.modules: dict[int, Any] = {}
        self.grads_at_start: dict[int, tuple[Tensor, Any]] = {}
        self.grads_read: dict[int, tuple[Tensor, Any]] = {}  # the same where it was only looked at
        self.kernels: list[KernelRun] | None = None
        self.looked_at: list[tuple[Memory, str]] = []  # memory from outside that Python has read, and what to say
        self.draws_inside = False
        self.results: list[tuple[weakref.ref, np.ndarray]] = []  # the tensors that operations returned
        self.inputs = [self.argument(x.array) for x in inputs]

    # --- steps --------------------------------------------------------------------------------------------------------

    def outside(self, tensor: Tensor, recorded: bool = True) -> None:
        """Remember a tensor that no step has made: its array must stay the one that was captured."""
        held = self.tensors.get(id(tensor))
        if held is not None and held[0]() is tensor and (held[2] is not None or not recorded):
            return
        memory = self.known(tensor.array)
        if memory is None or memory.kind == "outside":
            flag = tensor._requires_grad if recorded else None
            self.tensors[id(tensor)] = (weakref.ref(tensor), tensor.array, flag)

    def add(self, step: Step) -> None:
        """Append a step."""
        for ref in step.writes:
            self._keep_initial(ref)
        step.line = user_line()
        self.steps.append(step)

    def _keep_initial(self, ref: Ref) -> None:
        memory = ref.memory
        if memory.kind == "outside" and memory.initial is None:
            memory.initial = memory.owner.copy()

    def before_write(self, array: np.ndarray) -> None:
        """An array is about to be changed: what it holds may have to be put back before the next run."""
        self._keep_initial(self.ref(array))

    # --- operations ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _collecting(self) -> Iterator[list[KernelRun]]:
        outer, self.kernels = self.kernels, []
        try:
            yield self.kernels
        finally:
            self.kernels = outer

    def watch_kernel(self, kernel: Any, args: Sequence[Any]) -> Any:
        """Called by every kernel before it runs, in whatever thread; what it returns may run it."""
        if self.kernels is None or threading.get_ident() != self.thread:
            return None
        run = KernelRun(kernel, args, self)
        self.kernels.append(run)
        return run.as_in_programs

    def __call__(self, op: Any, inputs: Sequence, attrs: dict) -> Any:
        if not hasattr(op, "forward") and op.name != "assign":
            return self.in_one_piece(op, inputs, attrs)  # a Function: its inside is its own
        for x in inputs:
            if isinstance(x, Tensor):
                self.outside(x)
        if op.name == "assign":
            self.before_write(inputs[0].array)
            out = op(*inputs, **attrs)
            if inputs[0].array.size:
                self.copy(inputs[1].array, inputs[0].array)
            return out
        arrays = []
        for x in inputs:
            if isinstance(x, np.ndarray) and x.size == 1 and self.known(x) is None:
                self.constant(x)  # a number of the formula
            arrays.append(x.array if isinstance(x, Tensor) else x)
        if (out := in_numpy(op, inputs, arrays, attrs)) is not None and self._note(op, arrays, attrs, [out.array]):
            self.results.append((weakref.ref(out), out.array))
            return out
        with self._collecting() as kernels:
            out = op(*inputs, **attrs)
        tensors = out if isinstance(out, tuple) else (out,)
        results = [t.array for t in tensors]
        self.results += [(weakref.ref(t), t.array) for t in tensors]
        if not self._note(op, arrays, attrs, results):
            kept = self._kept(out, [*arrays, *results])
            if not note_kernels(self, kernels, [*results, *kept], _forward(op), (tuple(arrays), attrs)):
                self.call(op.name, _forward(op), (tuple(arrays), attrs), [*results, *kept])
        return out

    def _note(self, op: Any, arrays: list, attrs: dict, results: list) -> bool:
        """Whether the operation has a form of its own in a program, which is noted."""
        if isinstance(op, Elementwise):
            return note_formula(self, op, arrays, results[0])
        if op.views and self._is_view(results[0], arrays[0]):
            return True
        native = NATIVES.get(op.name)
        return native is not None and native(self, op, arrays, attrs, results[0])

    def copy(self, source: Any, out: np.ndarray) -> None:
        """A step that copies an array, or one number, into another array."""
        if isinstance(source, np.ndarray) and source.shape != out.shape:
            source = np.broadcast_to(source, out.shape)
        operand = self.operand(source)
        target = self.made(out)
        reads = [operand] if isinstance(operand, Ref) else []
        if any(ref.dtype == float16 for ref in (target, *reads)):  # numba knows no halves
            arguments: Any = ((target, operand), {})
            self.add(Call("copy", _copy, arguments, [], reads=reads, writes=[target]))
        else:
            self.add(Copy(operand, target, reads=reads, writes=[target]))

    def _is_view(self, out: np.ndarray, x: np.ndarray) -> bool:
        return out is x or owner_of(out) is owner_of(x)

    def _kept(self, out: Any, others: Sequence[Any]) -> list[np.ndarray]:
        """What the node of the output keeps for its backward besides inputs and outputs."""
        node = (out[0] if isinstance(out, tuple) else out).node
        if isinstance(node, graph.Slot):
            node = node.edges[0]
        saved = [] if node is None else arrays_in(node.saved or [])
        return [a for a in saved if isinstance(a, np.ndarray) and not any(a is other for other in others)]

    def call(self, name: str, function: Callable, arguments: Any, results: Sequence[Any]) -> None:
        """A step that runs ``function(*arguments[0], **arguments[1])`` as it is, and copies what it returns."""
        nest = map_leaves(lambda a: self.ref(a) if isinstance(a, np.ndarray) else a, arguments)
        reads = [r for r in arrays_in(nest) if isinstance(r, Ref)]
        # A result in memory that is there already is (part of) an argument, handed on.
        fresh = [isinstance(a, np.ndarray) and self.known(a) is None for a in results]
        outs = [self.made(a) if is_new else None for a, is_new in zip(results, fresh, strict=True)]
        self.add(Call(name, function, nest, outs, reads=reads, writes=[o for o in outs if o is not None]))

    # --- backward -----------------------------------------------------------------------------------------------------

    def seed(self, seed: Any) -> Any:
        """Where a walk begins: with a gradient that was given, or with the number 1."""
        return self.constant(seed) if isinstance(seed, np.ndarray) else seed

    def lift(self, node: Node, saved: list) -> list:
        """The saved arrays as tensors without a graph."""
        return map_leaves(lambda a: Tensor(a) if isinstance(a, np.ndarray) else a, saved)

    def backward(self, op: Any, gradient: Any, saved: list, attrs: dict, edges: Sequence) -> list:
        """What `Op.backward` returns, its rules run on tensors, its kernel of one piece noted."""
        if not isinstance(op, Op) or (op.hand is not None and op.name not in NATIVES):
            return self._by_hand(op, gradient, saved, attrs, edges)
        parts = op.backward(gradient, saved, attrs, edges)
        return [Tensor(p) if isinstance(p, np.ndarray) else p for p in parts]

    def _by_hand(self, op: Any, gradient: Any, saved: list, attrs: dict, edges: Sequence) -> list:
        g, values = (map_leaves(lambda t: t.array if isinstance(t, Tensor) else t, v) for v in (gradient, saved))
        if isinstance(op, Op):
            with self._collecting() as kernels:
                parts = op.backward(g, values, attrs, edges)
        else:
            kernels = []
            with self._untraced(), intercept(()):
                parts = op.backward(g, values, attrs, edges)
        for array in (a for a in arrays_in([g, values]) if isinstance(a, np.ndarray)):
            self.ref(array)
        run = _backward(op, attrs, edges)
        arguments: Any = ((g, values), {})
        if not note_kernels(self, kernels, [p for p in parts if p is not None], run, arguments):
            self.call(f"{op.name}_backward", run, arguments, list(parts))
        return [None if p is None else Tensor(p) for p in parts]

    def receive(self, leaf: Tensor, gradient: Tensor) -> None:
        """Add to the ``grad`` of a leaf: a gradient kept there has memory of its own."""
        self.note_grad(leaf)
        held = leaf._grad
        if held is None:
            ref = self.ref(gradient.array)
            claimed = any(t._grad is not None and self.known(t._grad.array) is ref.memory for t in self._leaves())
            if ref.memory.kind != "own" or claimed or not ref.contiguous:
                fresh = np.empty(gradient.shape, gradient.dtype)
                fresh[...] = gradient.array
                self.copy(gradient.array, fresh)
                gradient = Tensor(fresh)
            leaf._grad = Tensor(gradient.array)
        elif held.node is None and gradient.node is None:
            with no_grad():
                held.add_(gradient)
        else:
            leaf._grad = held + gradient

    def _leaves(self) -> list[Tensor]:
        return [leaf for leaf, _ in self.grads_at_start.values()]

    def note_grad(self, leaf: Tensor, assigned: bool = False) -> None:
        """The ``grad`` of a leaf is read, or is being assigned, for the first time."""
        if id(leaf) not in self.grads_at_start:
            # What is overwritten unread need not be what it was: anything will do at the start of the next run.
            self.grads_at_start[id(leaf)] = (leaf, ANY if assigned else leaf._grad)

    def note_grad_read(self, leaf: Tensor) -> None:
        """Python looks at the ``grad`` of a leaf."""
        if id(leaf) not in self.grads_at_start:
            self.grads_read[id(leaf)] = (leaf, leaf._grad)

    # --- Python -------------------------------------------------------------------------------------------------------

    def each_run(self, function: Callable[[], Any]) -> Any:
        """Do something in Python now and before each run of the program; its numbers and arrays are fed to it."""
        if self.kernels is not None:
            self.draws_inside = True
            return function()  # inside an operation, which is called again as a whole
        result = self._run_untraced(function)
        if self.draws_inside and isinstance(result, np.ndarray):
            # An operation has drawn random numbers before: the stream is the same only in the same order.
            self.call("draw", lambda arrays, attrs: [function()], ((), {}), [result])
            return result
        fed: list[Any] = []

        def feed(value: Any) -> Any:
            if type(value) is float or type(value) is int:
                fed.append(len(self.numbers))
                self.numbers.append(value)
                return Fed.of(value, slot=fed[-1], numbers=self.numbers)
            if isinstance(value, np.ndarray):
                fed.append(self.ref(value, "fed"))
                return value
            fed.append(value)
            return value

        marked = map_leaves(feed, result)
        self.actions.append(Action(function, result, fed))
        return marked

    def in_one_piece(self, function: Callable, args: Sequence, kwargs: dict) -> Any:
        """Call a function of tensors as it stands, now and at its place in each run, with a backward of its own."""
        tensors = [t for t in leaves((args, kwargs)) if isinstance(t, Tensor)]
        for tensor in tensors:
            self.outside(tensor)
        piece = Piece(function, args, kwargs)
        with self._untraced(), intercept(()):
            outs = piece.forward([t.array for t in tensors], {})
        name = getattr(function, "name", getattr(function, "__name__", "function"))
        self.call(name, piece.forward, ([t.array for t in tensors], {}), outs)
        if not outs:  # it is there for what it does to them
            self.steps[-1].writes = self.steps[-1].reads
        results = [Tensor(out) for out in outs]
        self.results += [(weakref.ref(t), t.array) for t in results]
        edges = [(t.node or t) if t.requires_grad else None for t in tensors]
        if state.recording and any(edge is not None for edge in edges):
            # Its backward is that of the last forward, which must therefore run: it reads what that returned.
            node = Node(PieceOp(name, piece), edges, list(outs), {}, tuple(out.shape for out in outs))
            for i, result in enumerate(results):
                if piece.outs[i].requires_grad:
                    result.node, result._requires_grad = graph.Slot.of(node, i), True
        return rebuild_tensors(piece.result, results)

    def in_place(self, function: Callable[[], Any], tensors: Sequence[Tensor]) -> Any:
        """Run ``function``, which reads and changes these tensors, now and at its place in each run."""
        refs = []
        for tensor in tensors:
            self.outside(tensor)
            self.before_write(tensor.array)
            refs.append(self.ref(tensor.array))
        result = self._run_untraced(function)
        name = getattr(function, "__name__", "python")
        self.add(Call(name, lambda arrays, attrs: [function()][:0], ((), {}), [], reads=refs, writes=refs))
        return result

    def _run_untraced(self, function: Callable[[], Any]) -> Any:
        with self._untraced(), intercept(()):
            return function()

    def update(self, update: Any, rows: Sequence[Sequence[Tensor]], numbers: Sequence[Any]) -> None:
        """An update in place of the tensors of each row."""
        values = [*map(self._number, numbers)]
        for row in rows:
            for tensor in row:
                self.outside(tensor, recorded=False)
            refs = [self.ref(t.array) for t in row]
            written = [refs[i] for i in update.written]
            for ref in written:
                self._keep_initial(ref)
            numbers_read = [v for v in values if isinstance(v, Ref)]
            numbers_read += [v.ref for v in values if isinstance(v, Fed) and v.ref is not None]
            if all(r.contiguous for r in refs) and row[0].dtype in FLOATS:
                step: Step = UpdateCall(
                    update, refs, values, row[0].dtype, reads=[*refs, *numbers_read], writes=written
                )
            else:
                step = Call(
                    update.name,
                    _update_again(update, numbers),
                    (refs, {}),
                    [],
                    reads=[*refs, *numbers_read],
                    writes=written,
                )
            self.add(step)
        with self._untraced():
            update.each(rows, numbers)

    def _number(self, value: Any) -> Any:
        """A number of an update; one that is a tensor is read from its memory at every run."""
        if not isinstance(value, Tensor):
            return value
        self.outside(value, recorded=False)
        return self.ref(value.array)

    def tally(self, counter: Tensor) -> Fed:
        """1 is added to a counter."""
        self.outside(counter, recorded=False)
        ref = self.ref(counter.array)
        self.add(Tally(ref, reads=[ref], writes=[ref]))
        counter.array[()] += 1
        return Fed.of(counter.array.item(), ref=ref)

    @contextmanager
    def _untraced(self) -> Iterator[None]:
        outer, state.tracer = state.tracer, None
        try:
            yield
        finally:
            state.tracer = outer

    def note_module(self, module: Any) -> None:
        """A module is called: what it is made of, and whether it trains, decides what it does."""
        for part in module.modules():
            self.modules[id(part)] = part

    def refuse(self, tensor: Tensor, what: str) -> None:
        """A value is asked for in Python: an error if it changes from run to run."""
        memory = self.memory_of(tensor.array, "outside")
        message = (
            f"{what}: a compiled function can't read a value that changes from run to run; got a tensor of shape "
            f"{tensor.shape} at {user_line()}; use where(condition, a, b) for a branch, or return the tensor"
        )
        if memory.kind != "outside":
            raise CannotCompile(message)
        self.looked_at.append((memory, message))  # it may turn out that a step writes there


ANY = object()
"""A gradient that is overwritten before it is read."""


def _copy(arrays: Sequence, _: dict) -> list:
    out, source = arrays
    np.copyto(out, source, casting="unsafe")
    return []


def _forward(op: Op) -> Callable:
    def run(arrays: Sequence, attrs: dict) -> list:
        out = op.forward(*arrays, **attrs)
        if type(out) is not Kept:
            return list(arrays_in([out]))
        kept = [a for a in arrays_in([out.value]) if isinstance(a, np.ndarray)]
        return [*arrays_in([out.output]), *kept]

    return run


def _backward(op: Any, attrs: dict, edges: Sequence) -> Callable:
    ends = [None if edge is None else _End(edge.shape) for edge in edges]

    def run(arrays: Sequence, _: dict) -> list:
        g, saved = arrays
        return op.backward(g, saved, attrs, ends)

    return run


class _End:
    """What a backward is told of an edge: the shape of the input."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape


def _update_again(update: Any, numbers: Sequence[Any]) -> Callable:
    def run(arrays: Sequence, _: dict) -> list:
        now = [value.now() if isinstance(value, Fed) else value for value in numbers]
        update.each([[Tensor(a) for a in arrays]], now)
        return []

    return run
