"""What all transformations of functions do: make inputs to differentiate by, and walk back from the outputs.

A function is run on fresh tensors, cut off from where they came from unless a gradient is wanted there too. Whether
the gradients need a graph is then seen from the graph itself: they do if it reaches anything besides these tensors.
Inside `vmap` every fresh tensor has lanes of its own, so that each example has its own gradient.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..backprop import grad, lift_saved
from ..dtypes import is_float
from ..modes import enable_grad, set_grad_enabled, state
from ..ops.convert import cast
from ..ops.shape import reshape
from ..tensor import Tensor
from .lanes import Batched, absorb, base_of, expose, levels_of, lift, outer_levels
from .tree import leaves, map_leaves

__all__ = ["Recording", "check_float", "walk_back", "zeros"]


class Recording:
    """One run of a function on fresh inputs, with what may be asked of it afterwards."""

    def __init__(
        self,
        name: str,
        func: Callable,
        args: Sequence[Any],
        places: Sequence[int],
        has_aux: bool,
        floating: bool = True,
    ) -> None:
        self.name = name
        track = state.recording
        fresh: list[Tensor] = []

        def freshen(x: Any) -> Tensor:
            check_float(name, x, "inputs")
            fresh.append(_fresh(x, track))
            return fresh[-1]

        called = list(args)
        for place in places:
            called[place] = map_leaves(freshen, args[place])
        with enable_grad():
            out = func(*called)
        self.aux: Any = None
        if has_aux:
            if not isinstance(out, tuple) or len(out) != 2:
                got = f"a tuple of {len(out)}" if isinstance(out, tuple) else type(out).__name__
                raise RuntimeError(f"{name}: with has_aux the function must return (output, aux); got {got}")
            out, self.aux = out
        self.inputs = fresh
        self.output = out
        self.outputs: list[Tensor] = leaves(out)
        for y in self.outputs:
            check_float(name, y, "outputs", floating)
        own = {id(base_of(x)) for x in fresh}
        # Under no_grad outside, nothing may be traced back to what was before.
        self.create_graph = track and _reaches_others(map(base_of, self.outputs), own)

    def value(self, tree: Any) -> Any:
        """What the function returned, without the graph if only the fresh inputs are in it."""
        return tree if self.create_graph else map_leaves(lambda y: y.detach() if isinstance(y, Tensor) else y, tree)

    def pull(self, cotangents: Sequence[Tensor], create_graph: bool | None = None) -> list[Tensor]:
        """The products of cotangents of the outputs with the Jacobian: a gradient for every fresh input."""
        create = self.create_graph if create_graph is None else create_graph
        return walk_back(self.outputs, self.inputs, cotangents, create)

    def pusher(self) -> Callable[[Sequence[Tensor]], list[Tensor]]:
        """The function from tangents of the inputs to tangents of the outputs.

        The gradients are linear in the cotangents: their derivative by these, back from the inputs, is the Jacobian
        times a tangent.
        """
        floating = [y for y in self.outputs if is_float(y.dtype)]
        cotangents = [_fresh(zeros(y), False) for y in floating]
        pulled = walk_back(floating, self.inputs, cotangents, True)

        def push(tangents: Sequence[Tensor]) -> list[Tensor]:
            found = iter(walk_back(pulled, cotangents, tangents, self.create_graph))
            return [next(found) if is_float(y.dtype) else zeros(y) for y in self.outputs]

        return push


def check_float(name: str, x: Any, what: str, floating: bool = True) -> None:
    """Derivatives are of floating tensors by floating tensors; a tangent, if not ``floating``, of any."""
    if not isinstance(x, Tensor) or (floating and not is_float(x.dtype)):
        got = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise RuntimeError(f"{name}: the {what} must be {'floating ' * floating}tensors; got {got}")


def zeros(x: Tensor) -> Tensor:
    """Zeros like x."""
    return Tensor(np.zeros(x.shape, x.dtype))


def _fresh(x: Tensor, track: bool) -> Tensor:
    """A tensor of the values of x to differentiate by, with the lanes of every running map."""
    for level, lanes in outer_levels():
        x = lift(x, level, lanes)
    return _fresh_base(x, track)


def _fresh_base(x: Tensor, track: bool) -> Tensor:
    if isinstance(x, Batched):
        return Batched(x.level, _fresh_base(x.value, track))
    if track and x.requires_grad:
        return reshape(x, x.shape)
    return Tensor(x.array, requires_grad=True)


def _reaches_others(outputs: Iterable[Tensor], own: set[int]) -> bool:
    roots = [y.node or y for y in outputs if y.requires_grad]
    edges = [edge for node in graph.reachable(roots) for edge in node.edges]
    return any(isinstance(edge, Tensor) and id(edge) not in own for edge in [*roots, *edges])


def walk_back(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], cotangents: Sequence[Tensor], create_graph: bool
) -> list[Tensor]:
    """The gradients of the outputs, weighted by cotangents, by the inputs: zeros where nothing depends on them. Each
    may have lanes; the graph stays.
    """
    levels = levels_of(inputs[0]) if inputs else []
    ys, xs, gs = list(outputs), list(inputs), [cast(g, y.dtype) for g, y in zip(cotangents, outputs, strict=True)]
    for level, lanes in reversed(levels):
        ys, xs, gs = ([expose(t, level, lanes) for t in ts] for ts in (ys, xs, gs))
    pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if y.requires_grad]
    found: Sequence[Tensor | None]
    if any(isinstance(g, Batched) for _, g in pairs):
        found = _walk_in_lanes(pairs, xs, create_graph)
    elif pairs:
        found = grad([y for y, _ in pairs], xs, [g for _, g in pairs], True, create_graph, allow_unused=True)
    else:
        found = [None] * len(xs)
    gradients: list[Tensor] = [zeros(x) if g is None else g for g, x in zip(found, xs, strict=True)]
    for level, _ in levels:
        gradients = [absorb(g, level) for g in gradients]
    return gradients


def _walk_in_lanes(pairs: list[tuple[Tensor, Tensor]], xs: list[Tensor], create_graph: bool) -> list[Tensor | None]:
    """One walk for all lanes of the cotangents: the rules run on tensors, as for second derivatives."""
    edges = [x.node or x for x in xs]
    with set_grad_enabled(create_graph):
        roots = [(y.node or y, g) for y, g in pairs]
        found = graph.backward(roots, set(edges), retain_graph=True, lift=lift_saved)
    gradients = [found.get(edge) for edge in edges]
    return [Tensor(g) if isinstance(g, np.ndarray) else g for g in gradients]
