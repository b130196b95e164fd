"""Pictures of what a backward pass walks, and of compiled programs: graph -> DOT, SVG, PNG, PDF.

>>> import autograd
>>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> picture = autograd.viz.backprop_graph(loss, names={"w": w})
>>> "‖grad‖ 4.47" in picture.source
True
"""

from collections.abc import Mapping
from typing import Any

from ..tensor import Tensor

__all__ = ["backprop_graph", "program_graph"]


def backprop_graph(
    loss: Tensor,
    model: Any = None,
    *,
    names: Mapping[str, Tensor] | None = None,
    direction: str = "TB",
    legend: bool = True,
    limit: int = 400,
) -> Any:
    """The graph that ``loss.backward()`` walks, as a `graphviz.Digraph` that a notebook shows as it is.

    Drawn are the leaves (the parameters of ``model`` by name and grouped by module), the data, every operation with
    the shape of its output, and the loss. After ``backward()`` each leaf, and each tensor whose gradient was retained,
    shows the norm of its gradient, the darker the larger. The graph can be drawn before and after ``backward()``.

    ``names`` gives names to other tensors: leaves, data, results on the way. ``direction`` is that of the forward
    pass: "TB" for downwards, "LR" for rightwards. Of a graph with more than ``limit`` boxes the part next to the loss
    is drawn, and a note counts the rest.

    ``save("graph.svg")`` writes the picture; the suffix (svg, png, pdf, dot) chooses the format. All but .dot need the
    program ``dot`` of Graphviz.
    """
    if not isinstance(loss, Tensor):
        raise TypeError(f"backprop_graph: loss must be a tensor; got {type(loss).__name__}")
    if loss.node is None:
        raise RuntimeError(
            f"backprop_graph: no recorded operation made the tensor; got a leaf of shape {loss.shape}; "
            "compute it, outside no_grad(), from tensors that require a gradient"
        )
    if model is not None and not hasattr(model, "named_modules"):
        raise TypeError(f"backprop_graph: model must be a module; got {type(model).__name__}; names= takes a dict")
    if direction not in ("TB", "LR"):
        raise ValueError(f"backprop_graph: direction must be 'TB' or 'LR'; got {direction!r}")
    if limit < 1:
        raise ValueError(f"backprop_graph: limit must be at least 1; got {limit}")
    # Here and not above, so that importing the library does not import graphviz.
    from .drawing import draw
    from .scene import Scene

    return draw(Scene(loss, model, names or {}, limit), direction, legend)


def program_graph(compiled: Any, number: int = 0, *, direction: str = "TB") -> Any:
    """What a function compiled by `autograd.compile` does at each run, as a `graphviz.Digraph` like `backprop_graph`'s.

    A box is a loop, with the operations that were fused into it, a matrix product, a kernel, an update, or an ordinary
    call; an arrow is memory that one writes and another reads. ``number`` chooses among several programs.

    >>> import autograd
    >>> double = autograd.compile(lambda x: (x * 2 + 1).sum())
    >>> double(autograd.ones(3))
    tensor(9.)
    >>> "mul<br/>add<br/>sum" in program_graph(double).source
    True
    """
    if not hasattr(compiled, "variants"):
        raise TypeError(f"program_graph: a compiled function is needed; got {type(compiled).__name__}; compile() it")
    programs = [variant for variants in compiled.variants.values() for variant in variants]
    if not -len(programs) <= number < len(programs):
        raise IndexError(
            f"program_graph: there are {len(programs)} programs; got number {number}; call the function first"
        )
    from .programs import draw_program

    return draw_program(programs[number], direction)
