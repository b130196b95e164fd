"""The graph of what was computed, and the walk back over it.

Every operation on a tensor that needs a gradient leaves a `Node`: which operation, what it read, and an edge to where
each input came from. Nodes are numbered as they are made, so every node is younger than its inputs and "youngest
first" is a topological order. `backward` needs nothing else: no recursion, and a chain of a million nodes is as easy
as one of ten.
"""

import functools
import itertools
import math
import operator
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ContextDecorator
from heapq import heappop, heappush
from types import CodeType
from typing import Any, Protocol

import numpy as np

__all__ = [
    "Node", "enable_grad", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled", "no_grad",
    "set_grad_enabled",
]  # fmt: skip

Place = tuple[CodeType, int]  # of a running program
_clock = itertools.count(1)  # numbers nodes and in-place writes, so that "written after it was saved" is a comparison


class Leaf(Protocol):
    """What an edge ends in when nothing computed it: a tensor that collects its gradient."""

    _hooks: dict | None

    @property
    def shape(self) -> tuple[int, ...]: ...
    def _receive(self, gradient: Any, fresh: bool) -> None: ...


class Node:
    """One operation that ran: ``op`` with the values it ``saved`` (inputs, then the output, None where its derivative
    reads none) and, for each input, the ``edges`` entry the gradient goes to: a Node, a leaf tensor, or None.
    """

    __slots__ = ("__weakref__", "attrs", "edges", "hooks", "module", "number", "op", "place", "saved", "shape")

    def __init__(self, op: Any, edges: Sequence, saved: list | None, attrs: dict, shape: Any) -> None:
        self.op = op
        self.edges = edges
        self.saved = saved
        self.attrs = attrs
        self.shape = shape
        self.module = state.module
        self.hooks: list[Callable] | None = None
        self.number = number = next(_clock)
        self.place: Place | None = user_place() if number < _places_until else None

    def name(self) -> str:
        """The name of the operation, as in `repr` of a tensor and in pictures."""
        return self.op.name

    @property
    def next_functions(self) -> tuple:
        """The edges, in PyTorch's form: pairs of where the gradient goes and the number of the output there."""
        return tuple((edge, 0) for edge in self.edges)

    def __repr__(self) -> str:
        return f"<{self.op.name}Backward>"

    def check(self, saved: list | None) -> list:
        """What was saved, or an error if it was freed or written over since."""
        if saved is None:
            raise RuntimeError(
                f"backward: the graph was freed by an earlier backward; got a second walk through {self.op.name}; "
                "pass retain_graph=True to the first"
            )
        if _last_write > self.number:
            for array in _arrays(saved):
                if (where := written_since(array, self.number)) is not None:
                    raise RuntimeError(
                        f"{self.op.name}: a value saved for backward was changed in place afterwards; "
                        f"got a tensor of shape {array.shape} saved at {_saved_at(self)}, overwritten at {where}; "
                        "clone() it before the change, or use the out-of-place operation"
                    )
        return saved


def _arrays(saved: Iterable) -> Iterator[np.ndarray]:
    """The arrays among what was saved; the outputs of an operation with several are a tuple."""
    for value in saved:
        if isinstance(value, np.ndarray):
            yield value
        elif type(value) is tuple:
            yield from _arrays(value)


def _saved_at(node: Node) -> str:
    global _places_until
    if node.place is not None:
        return line_at(node.place)
    _places_until = math.inf
    return "a line (they are recorded from now on)"


class Slot(Node):
    """One output of an operation with several: it puts its gradient in place ``index`` of that operation's list."""

    __slots__ = ("index",)

    def __init__(self, source: Node, index: int) -> None:
        super().__init__(source.op, (source,), [], {}, source.shape[index])
        self.module = source.module
        self.index = index

    @classmethod
    def of(cls, source: Node, index: int) -> "Slot":
        """The one Slot of this output: a rule that reads the output leads to where the user's tensor leads."""
        slot = _slots.get((source.number, index))
        if slot is None:
            slot = _slots[source.number, index] = cls(source, index)
        return slot


_slots: weakref.WeakValueDictionary[tuple[int, int], Slot] = weakref.WeakValueDictionary()


# --- modes -----------------------------------------------------------------------------------------------------------


class _State(threading.local):
    """What each thread has switched on: recording, the module whose forward is running, and who looks on."""

    recording = True
    inference = False
    module: Any = None
    interceptors: tuple[Callable, ...] = ()
    watch: Callable | None = None  # is told of every node that a backward passes: (node, saved, gradient, parts)
    overwritten: Any = None  # the tensor whose new value is being computed, for interceptors that keep values
    on_draw: tuple[Callable, ...] = ()  # are told before random numbers are drawn


state = _State()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return state.recording


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference


class _Mode(ContextDecorator):
    """Switches of this thread, set at entry and put back at exit; a context or a decorator. None leaves one as it is."""

    def __init__(self, recording: bool, inference: bool | None = None) -> None:
        self.recording = recording
        self.inference = inference
        self._outer: list[tuple[bool, bool]] = []

    def _recreate_cm(self) -> "_Mode":
        # Each call of a decorated function, in whatever thread, keeps its own memory of what was set before.
        return _Mode(self.recording, self.inference)

    def __enter__(self) -> None:
        self._outer.append((state.recording, state.inference))
        state.recording = self.recording
        if self.inference is not None:
            state.inference = self.inference

    def __exit__(self, *exc: object) -> None:
        state.recording, state.inference = self._outer.pop()


def no_grad(function: Callable | None = None) -> Any:
    """Record nothing: ``with no_grad():``, ``@no_grad()`` or ``@no_grad``."""
    return _Mode(False) if function is None else _Mode(False)(function)


def enable_grad(function: Callable | None = None) -> Any:
    """Record again inside `no_grad`: ``with enable_grad():``, ``@enable_grad()`` or ``@enable_grad``."""
    return _Mode(True) if function is None else _Mode(True)(function)


def inference_mode(mode: bool | Callable = True) -> Any:
    """As `no_grad`, for code that never asks for a gradient; ``inference_mode(False)`` switches it off inside."""
    if callable(mode):
        return _Mode(False, True)(mode)
    return _Mode(not mode, mode)


class set_grad_enabled(_Mode):  # noqa: N801 (PyTorch's name)
    """Switch recording on or off at once; as a context until the block ends, as a decorator for each call.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self.__enter__()

    def __call__(self, function: Any) -> Any:
        self.__exit__()  # decorating switches nothing yet
        return _Mode(self.recording)(function)

    def __enter__(self) -> None:
        if not self._outer:
            super().__enter__()


# Not empty while any thread has interceptors: to look at a global costs less than to look at the thread's state.
intercepting: list[None] = []


class intercept:  # noqa: N801 (a context, used like a function)
    """Have these interceptors run every operation of this thread until the ``with`` block ends, the last one first.

    An interceptor is called as ``interceptor(op, inputs, attrs)`` and goes on with ``op(*inputs, **attrs)``, which
    reaches the interceptor before it, and from the first one the operation itself.
    """

    def __init__(self, interceptors: tuple[Callable, ...]) -> None:
        self.interceptors = interceptors

    def __enter__(self) -> None:
        self.outer = state.interceptors
        state.interceptors = self.interceptors
        intercepting.append(None)

    def __exit__(self, *exc: object) -> None:
        intercepting.pop()
        state.interceptors = self.outer


# --- writes in place -------------------------------------------------------------------------------------------------

# Memory is known by the array that owns it. Only memory that was written to is in here, so recording costs nothing.
_writes: dict[int, tuple[weakref.ref, int, Place]] = {}
_last_write = 0

# To note the line that runs an operation costs a quarter of a microsecond, and only a program that writes in place has
# a use for it: nodes note it at the beginning of a program, and for a good while after each write.
_A_WHILE = 20_000  # ticks of the clock
_places_until: float = _A_WHILE


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_write(*arrays: np.ndarray, routine: bool = False) -> None:
    """Remember that this memory changes now: a graph that saved it before must not use it any more. What happens in
    every training step, as an optimizer's update, is ``routine``.
    """
    global _last_write, _places_until
    _last_write = number = next(_clock)
    place = user_place()
    if not routine and _places_until < number + _A_WHILE:
        _places_until = number + _A_WHILE
    for array in arrays:
        owner = array if array.base is None else _owner(array)
        key = id(owner)
        held = _writes.get(key)
        gone = held[0] if held is not None else weakref.ref(owner, functools.partial(_forget, key))
        _writes[key] = (gone, number, place)


def _forget(key: int, _: weakref.ref) -> None:
    _writes.pop(key, None)


def written_since(array: np.ndarray, number: int, until: float = math.inf) -> str | None:
    """The line that last changed the memory of this array, if that was while the clock went from ``number`` on."""
    record = _writes.get(id(_owner(array)))
    return line_at(record[2]) if record is not None and number < record[1] < until else None


def tick() -> int:
    """A number for now: nodes made and writes done from here on have greater ones."""
    return next(_clock)


def user_place() -> Place:
    """The place outside this library that is running: the code, and how far into it."""
    frame = sys._getframe(3)  # the nearest that may be outside
    while _is_ours[frame.f_globals.get("__name__")]:
        frame = frame.f_back  # type: ignore[assignment]
    return frame.f_code, frame.f_lasti


class _Ours(dict[Any, bool]):
    """Whether a module is of this library, by its name."""

    packages = (__name__.partition(".")[0], "nn", "optim")

    def __missing__(self, name: Any) -> bool:
        self[name] = str(name).partition(".")[0] in self.packages
        return self[name]


_is_ours = _Ours()


def line_at(place: Place) -> str:
    """The file and line of a place."""
    code, offset = place
    line = next((n for start, end, n in code.co_lines() if start <= offset < end), code.co_firstlineno)
    return f"{code.co_filename}:{line}"


def user_line() -> str:
    """The file and line outside this library that is running."""
    return line_at(user_place())


# --- the walk --------------------------------------------------------------------------------------------------------

_youngest_first = operator.attrgetter("number")
_receiving = threading.RLock()  # two threads may walk back into the same leaf


def reachable(roots: Iterable[Any]) -> list[Node]:
    """Every node the roots come from, themselves included, youngest first."""
    seen = {root for root in roots if isinstance(root, Node)}
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if isinstance(edge, Node) and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return sorted(seen, key=_youngest_first, reverse=True)


def _on_a_path_to(targets: set, order: list[Node]) -> set:
    wanted = set(targets)
    for node in reversed(order):
        if any(edge in wanted for edge in node.edges):
            wanted.add(node)
    return wanted


def backward(
    roots: Iterable[tuple[Any, Any]],
    targets: set | None = None,
    *,
    retain_graph: bool = False,
    lift: Callable[[Node, list], list] | None = None,
    wrap: Callable[[Any], Any] = lambda g: g,
    unwrap: Callable[[Any], Any] = lambda g: g,
) -> dict[Any, Any]:
    """Walk from the roots, pairs (node or leaf, gradient), to the leaves, youngest node first.

    Gradients are arrays, and rules run on arrays; with ``lift``, which turns the saved arrays of a node into tensors
    that remember where they came from, gradients are tensors and the walk is itself recorded. Returns the gradients
    of ``targets``; without targets every leaf receives its own. ``wrap`` and ``unwrap`` are for hooks, which are
    given tensors.
    """
    pending: dict[Any, Any] = {}  # what has arrived so far, by node or leaf
    owned: set[Any] = set()  # of those, the arrays nobody else holds: they may be added to, or kept by a leaf
    waiting: list[tuple[int, Node]] = []  # the nodes in it, a heap with the youngest first
    found: dict[Any, Any] = {}
    edges: Sequence = [edge for edge, _ in roots]
    parts: Sequence = [part for _, part in roots]
    wanted = None if targets is None else _on_a_path_to(targets, reachable(edges))
    watch = state.watch
    op: Any = None
    gradient: Any = None
    shares = True  # who seeds the roots may hold the seeds

    while True:
        for i, edge in enumerate(edges):
            if edge is None or (part := parts[i]) is None:
                continue
            if part.shape != edge.shape:
                raise RuntimeError(
                    f"{op.name}: a gradient has the shape of its input; got {part.shape} for an input of "
                    f"shape {edge.shape}; the rule of {op.name} is wrong"
                )
            present = pending.get(edge)
            if present is None:
                pending[edge] = part
                if isinstance(edge, Node):
                    heappush(waiting, (-edge.number, edge))
                if not shares and part is not gradient and part.base is None:
                    owned.add(edge)
            elif lift is not None:
                pending[edge] = present + part
            elif edge in owned:
                np.add(present, part, out=present)
            else:
                pending[edge] = np.add(present, part, out=...)
                owned.add(edge)
        if not waiting:
            break
        # What is left of the graph is older than this node, so nothing more will arrive here.
        _, node = heappop(waiting)
        gradient = pending.pop(node)
        edges = parts = ()
        if wanted is not None and node not in wanted:
            continue
        if node.hooks:
            gradient = unwrap(run_hooks(node.hooks, wrap(gradient)))
        if targets is not None and node in targets:
            found[node] = gradient
            if wanted.isdisjoint(node.edges):  # type: ignore[union-attr]
                continue
        if type(node) is Slot:
            source = node.edges[0]
            if source not in pending:
                pending[source] = [None] * len(source.shape)
                heappush(waiting, (-source.number, source))
            pending[source][node.index] = gradient
            continue
        saved = node.saved
        if saved is None or _last_write > node.number:
            saved = node.check(saved)
        if saved and not retain_graph:
            node.saved = None
        if lift is not None:
            saved = lift(node, saved)
        op = node.op
        edges = node.edges if wanted is None else [edge if edge in wanted else None for edge in node.edges]
        parts = op.backward(gradient, saved, node.attrs, edges)
        shares = op.shares or lift is not None
        if watch is not None:
            watch(node, saved, gradient, parts)

    leaves = pending if targets is None else {leaf: g for leaf, g in pending.items() if leaf in targets}
    for leaf, gradient in leaves.items():
        if leaf._hooks:
            leaves[leaf] = unwrap(run_hooks(leaf._hooks.values(), wrap(gradient)))
            owned.discard(leaf)
    if targets is None:
        with _receiving:
            for leaf, gradient in leaves.items():
                leaf._receive(gradient, leaf in owned)
        return found
    return found | leaves


def run_hooks(hooks: Iterable[Callable], gradient: Any) -> Any:
    """The gradient after each hook has seen it; what a hook returns takes its place."""
    for hook in hooks:
        replaced = hook(gradient)
        if replaced is not None:
            gradient = replaced
    return gradient
