"""Gradients of tensors: `grad`, and `backward`, which leaves them in the ``grad`` of the leaves.

Both walk the graph back on arrays. When the gradients are to have a graph themselves the walk is on tensors: what nodes
saved is lifted to tensors that know where they came from.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import graph
from .dtypes import is_float
from .graph import Node, Slot
from .modes import state
from .tensor import Tensor

__all__ = ["backward", "grad", "lift_saved"]


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Add d(self)/d(leaf) to the ``grad`` of every leaf this tensor was computed from, or of ``inputs`` alone.

    ``gradient`` is the derivative of what comes after with respect to this tensor; a tensor of one element needs
    none. The graph is freed unless ``retain_graph``; with ``create_graph`` the gradients have a graph themselves.
    """
    seeds = [(self, _seed(self, gradient))]
    if inputs is None:
        _walk(seeds, None, retain_graph, create_graph)
        return
    edges = [_edge(x, "backward") for x in inputs]
    found = _walk(seeds, set(edges), retain_graph, create_graph)
    with graph.receiving:
        for x, edge in zip(inputs, edges, strict=True):
            if edge in found:
                x._receive(found[edge], False)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of ``outputs`` (weighted by ``grad_outputs``) with respect to each of ``inputs``.

    Nothing is added to any ``grad``. An input the outputs do not depend on is an error, unless ``allow_unused`` (its
    gradient is None) or ``materialize_grads`` (zeros).

    >>> x = Tensor([3.0], requires_grad=True)
    >>> (dy,) = grad(x * x, x, create_graph=True)
    >>> grad(dy, x)
    (tensor([2.]),)
    """
    ys = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    gs = [grad_outputs] if grad_outputs is None or isinstance(grad_outputs, Tensor) else list(grad_outputs)
    gs = gs * len(ys) if grad_outputs is None else gs
    if len(gs) != len(ys):
        raise RuntimeError(f"grad: one gradient for each output; got {len(gs)} for {len(ys)}")
    edges = [_edge(x, "grad") for x in xs]
    found = _walk([(y, _seed(y, g)) for y, g in zip(ys, gs, strict=True)], set(edges), retain_graph, create_graph)
    results: list[Tensor | None] = []
    for i, (x, edge) in enumerate(zip(xs, edges, strict=True)):
        value = found.get(edge)
        if value is None and materialize_grads:
            value = np.zeros(x.shape, x.dtype)
        if value is None and not allow_unused:
            raise RuntimeError(
                f"grad: an output does not depend on this input; got no path to input {i} of shape {x.shape}; "
                "pass allow_unused=True to get None for it"
            )
        if value is not None:
            graph.check_gradient(value, x.shape)
        results.append(None if value is None else _wrap(value))
    return tuple(results)


# --- walking back ----------------------------------------------------------------------------------------------------


def _wrap(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(value)


def lift_saved(node: Node, saved: list) -> list:
    """The saved arrays as tensors that know where they came from, so that a rule run on them is recorded."""
    lifted: list[Any] = []
    for array, edge in zip(saved, node.op.origins(node), strict=False):
        if type(array) is tuple and edge is node:
            lifted.append(tuple(_come_from(Slot.of(node, i), x) for i, x in enumerate(array)))
        elif not isinstance(array, np.ndarray):
            lifted.append(array)
        else:
            lifted.append(edge if isinstance(edge, Tensor) else _come_from(edge, array))
    return lifted


def _come_from(node: Node | None, array: np.ndarray) -> Tensor:
    tensor = Tensor(array)
    if node is not None and is_float(array.dtype):
        tensor.node, tensor._requires_grad = node, True
    return tensor


def _edge(x: Tensor, op: str) -> Any:
    if not x.requires_grad:
        raise RuntimeError(f"{op}: an input must require a gradient; got requires_grad=False; call requires_grad_()")
    return x.node or x


def _seed(y: Tensor, gradient: Tensor | None) -> Any:
    if not y.requires_grad:
        raise RuntimeError(
            "backward: the tensor does not depend on anything that requires a gradient; "
            "got requires_grad=False and no grad_fn"
        )
    if gradient is None:
        if y.array.size != 1:
            raise RuntimeError(
                f"backward: a gradient can be left out only for a tensor of one element; got shape {y.shape}; "
                "pass gradient= or reduce it, with sum() say"
            )
        return np.array(1, y.dtype, ndmin=y.array.ndim)
    value = _wrap(gradient)
    if value.shape != y.shape:
        raise RuntimeError(f"backward: the gradient must have the shape of the tensor; got {value.shape} for {y.shape}")
    return value if value.dtype == y.dtype else Tensor(value.array.astype(y.dtype))


def _walk(
    seeds: list[tuple[Tensor, Any]], targets: set | None, retain_graph: bool | None, create_graph: bool
) -> dict[Any, Any]:
    retain = create_graph if retain_graph is None else retain_graph
    outer = state.recording
    state.recording = create_graph
    try:
        if create_graph:
            lifted = [(y.node or y, _wrap(seed)) for y, seed in seeds]
            return graph.backward(lifted, targets, retain_graph=retain, lift=lift_saved)
        if state.tracer is not None:
            tracer = state.tracer
            lifted = [(y.node or y, _wrap(tracer.seed(seed))) for y, seed in seeds]
            return graph.backward(lifted, targets, retain_graph=retain, lift=tracer.lift, call=tracer.backward)
        roots: list[Any] = [(y.node or y, seed.array if isinstance(seed, Tensor) else seed) for y, seed in seeds]
        return _walk_on_arrays(roots, targets, retain_graph=retain, wrap=_wrap, unwrap=_array_of)
    finally:
        state.recording = outer


# Infinities and NaN are results like others.
_walk_on_arrays = np.errstate(all="ignore")(graph.backward)
_array_of = operator.attrgetter("array")
