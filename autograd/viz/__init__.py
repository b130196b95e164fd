"""Pictures of what a backward pass walks: graph -> DOT, SVG, PNG, PDF.

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

__all__ = ["backprop_graph"]


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
    if direction not in ("TB", "LR"):
        raise ValueError(f"backprop_graph: direction must be 'TB' or 'LR'; got {direction!r}")
    if limit < 1:
        raise ValueError(f"backprop_graph: limit must be at least 1; got {limit}")
    # Here and not above, so that importing the library does not import graphviz.
    from .drawing import draw
    from .scene import Scene

    return draw(Scene(loss, model, names or {}, limit), direction, legend)
