"""The graph of what was computed, and the walk back over it.

Every operation on a tensor that needs a gradient leaves a `Node`: which operation, what it read, and an edge to where
each input came from. Nodes are numbered as they are made, so every node is younger than its inputs and "youngest
first" is a topological order. `backward` needs nothing else: no recursion, and a chain of a million nodes is as easy
as one of ten.
"""

import operator
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from . import writes
from .hooks import Hooks
from .modes import state
from .writes import Place, clock, line_at, user_place, written_since

__all__ = ["Node", "Slot", "backward", "check_gradient", "reachable"]


class Node:
    """One operation that ran: ``op`` with the values it ``saved`` (inputs, then the output, None where its derivative
    reads none, then what the forward kept besides) and, for each input, the ``edges`` entry the gradient goes to: a
    Node, a leaf tensor, or None.
    """

    __slots__ = (
        "__weakref__", "attrs", "code", "data", "edges", "hooks", "module", "number", "offset", "op", "saved", "shape",
        "slots",
    )  # fmt: skip
    code: CodeType
    offset: int

    def __init__(self, op: Any, edges: Sequence, saved: list | None, attrs: dict, shape: Any) -> None:
        self.op = op
        self.edges = edges
        self.saved = saved
        self.attrs = attrs
        self.shape = shape
        self.module, place = state.within
        self.code, self.offset = place or user_place(4)  # not as a pair: the garbage collector would count it
        self.hooks: Hooks | None = None
        self.data: dict[int, Any] | None = None
        self.slots: list[Callable[[], Slot | None]] | None = None
        self.number = next(clock)

    @property
    def place(self) -> Place:
        """The place in the user's program where the operation ran."""
        return self.code, self.offset

    def name(self) -> str:
        """The name of the operation, as in `repr` of a tensor and in pictures."""
        return self.op.name

    @property
    def next_functions(self) -> tuple:
        """The edges, in PyTorch's form: pairs of where the gradient goes and the number of the output there."""
        return tuple((edge, 0) for edge in self.edges)

    def __repr__(self) -> str:
        return f"<{self.op.name}Backward>"

    def remember(self, place: int, value: Any) -> None:
        """Keep what pictures show of an input that needs no gradient, as its values go: a constant, or the shape."""
        if type(value) is np.ndarray:
            kept = value if not value.ndim else Freed(value.shape, weakref.ref(value))
            if self.data is None:
                self.data = {}
            self.data[place] = kept

    def check(self, saved: list | None) -> list:
        """What was saved, or an error if it was freed or written over since."""
        if saved is None:
            raise RuntimeError(
                f"backward: the graph was freed by an earlier backward; got a second walk through {self.op.name}; "
                "pass retain_graph=True to the first"
            )
        if writes.last_write > self.number:
            for array in _arrays(saved):
                if array.size and (where := written_since(array, self.number)) is not None:
                    raise RuntimeError(
                        f"{self.op.name}: a value saved for backward was changed in place afterwards; "
                        f"got a tensor of shape {array.shape} saved at {line_at(self.place)}, overwritten at {where}; "
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


class Freed(NamedTuple):
    """What is left of an array that was freed: its shape, and the array as long as somebody else holds it."""

    shape: tuple[int, ...]
    array: weakref.ref


class Slot(Node):
    """One output of an operation with several: it puts its gradient in place ``index`` of that operation's list."""

    __slots__ = ("index",)

    def __init__(self, source: Node, index: int) -> None:
        # Not as a Node begins, which looks for its place in the program: that is the source's.
        self.op = source.op
        self.edges = (source,)
        self.saved = []
        self.attrs = {}
        self.shape = source.shape[index]
        self.module = source.module
        self.code, self.offset = source.code, source.offset
        self.hooks = self.data = self.slots = None
        self.number = next(clock)
        self.index = index

    @classmethod
    def of(cls, source: Node, index: int) -> "Slot":
        """The one Slot of this output: a rule that reads the output leads to where the user's tensor leads."""
        if source.slots is None:
            source.slots = [_gone] * len(source.shape)
        slot = source.slots[index]()
        if slot is None:
            slot = cls(source, index)
            source.slots[index] = weakref.ref(slot)
        return slot


def _gone() -> None:
    """What a reference to a Slot gives that was not made yet, or is no more."""


def check_gradient(gradient: Any, shape: tuple[int, ...]) -> None:
    """A gradient that arrived has the shape of its tensor; numpy would broadcast another one without a word."""
    if gradient.shape != shape:
        raise RuntimeError(
            f"backward: the gradient of a tensor must have its shape; got {gradient.shape} for {shape}; "
            "in detect_anomaly() the operation is named whose rule gave it"
        )


# --- the walk --------------------------------------------------------------------------------------------------------

_youngest_first = operator.attrgetter("number")
receiving = threading.RLock()  # two threads may walk back into the same leaf


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
    call: Callable[..., Any] | None = None,
) -> dict[Any, Any]:
    """Walk from the roots, pairs (node or leaf, gradient), to the leaves, youngest node first.

    Gradients are arrays, and rules run on arrays; with ``lift``, which turns the saved arrays of a node into tensors
    that remember where they came from, gradients are tensors and the walk is itself recorded. Returns the gradients
    of ``targets``; without targets every leaf receives its own. ``wrap`` and ``unwrap`` are for hooks, which are
    given tensors. ``call`` runs the backward of an operation, for those who want to see it.
    """
    pending: dict[Any, Any] = {}  # what has arrived so far, by node or leaf
    owned: set[Any] = set()  # of those, the arrays nobody else holds: they may be added to, or kept by a leaf
    waiting: list[tuple[int, Node]] = []  # the nodes in it, a heap with the youngest first
    found: dict[Any, Any] = {}
    edges: Sequence = [edge for edge, _ in roots]
    parts: Sequence = [part for _, part in roots]
    wanted = None if targets is None else _on_a_path_to(targets, reachable(edges))
    watch = state.watch
    gradient: Any = None
    shares = True  # who seeds the roots may hold the seeds

    node: Any = None
    saved: Any = ()
    freed: Any = False  # whether the node that was passed last has no values any more

    while True:
        for i, edge in enumerate(edges):
            if edge is None or (part := parts[i]) is None:
                if freed and edge is None and i < len(saved):
                    node.remember(i, saved[i])
                continue
            if edge not in pending:
                pending[edge] = part
                if isinstance(edge, Node):
                    heappush(waiting, (-edge.number, edge))
                if not shares and part is not gradient and part.base is None:
                    owned.add(edge)
            elif lift is not None:
                pending[edge] = pending[edge] + part
            elif edge in owned:
                np.add(pending[edge], part, out=pending[edge])
            else:
                pending[edge] = np.add(pending[edge], part, out=...)
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
            gradient = unwrap(node.hooks.replace(wrap(gradient)))
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
        if saved is None or writes.last_write > node.number:
            saved = node.check(saved)
        freed = saved and not retain_graph
        if freed:
            node.saved = None
        if lift is not None:
            saved = lift(node, saved)
        op = node.op
        edges = node.edges if wanted is None else [edge if edge in wanted else None for edge in node.edges]
        if call is None:
            parts = op.backward(gradient, saved, node.attrs, edges)
        else:
            parts = call(op, gradient, saved, node.attrs, edges)
        shares = op.shares or lift is not None
        if watch is not None:
            watch(node, saved, gradient, parts)

    leaves = pending if targets is None else {leaf: g for leaf, g in pending.items() if leaf in targets}
    for leaf, gradient in leaves.items():
        if leaf._hooks:
            leaves[leaf] = unwrap(leaf._hooks.replace(wrap(gradient)))
            owned.discard(leaf)
    if targets is None:
        with receiving:
            for leaf, gradient in leaves.items():
                leaf._receive(gradient, leaf in owned)
        return found
    return found | leaves
