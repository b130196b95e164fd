"""Parts of a function that a program calls as they stand: forward, and backward through their own graph."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backprop import grad
from ..func.tree import leaves, map_leaves
from ..modes import enable_grad
from ..tensor import Tensor

__all__ = ["Piece", "PieceOp", "rebuild_tensors"]


class Piece:
    """A function with its arguments, run on other arrays each time; the last run is kept for its backward."""

    def __init__(self, function: Callable, args: Sequence, kwargs: dict) -> None:
        self.function = function
        self.arguments = (tuple(args), kwargs)
        self.inputs: list[Tensor] = []
        self.outs: list[Tensor] = []
        self.result: Any = None
        self._needs = [t.requires_grad for t in leaves(self.arguments) if isinstance(t, Tensor)]

    def forward(self, arrays: Sequence[np.ndarray], attrs: dict) -> list[np.ndarray]:
        """The arrays that the function returns, of tensors with these arrays in the places of its own."""
        self.inputs = [Tensor(a, requires_grad=need) for a, need in zip(arrays, self._needs, strict=True)]
        fresh = iter(self.inputs)
        args, kwargs = map_leaves(lambda t: next(fresh) if isinstance(t, Tensor) else t, self.arguments)
        with enable_grad():
            self.result = self.function(*args, **kwargs)
        self.outs = [t for t in leaves(self.result) if isinstance(t, Tensor)]
        return [t.array for t in self.outs]

    def backward(self, gradients: Sequence[Any]) -> list[np.ndarray | None]:
        """The gradient of each input, zeros where nothing depends on it."""
        pairs = [(t, g) for t, g in zip(self.outs, gradients, strict=True) if g is not None and t.requires_grad]
        wanted = [t for t in self.inputs if t.requires_grad]
        outs, seeds = [t for t, _ in pairs], [Tensor(g) for _, g in pairs]
        found = iter(grad(outs, wanted, seeds, retain_graph=True, materialize_grads=True))
        return [next(found).array if t.requires_grad else None for t in self.inputs]  # type: ignore[union-attr]


class PieceOp:
    """The operation of a piece's node."""

    views = False
    shares = True

    def __init__(self, name: str, piece: Piece) -> None:
        self.name = name
        self.piece = piece

    def backward(self, g: Sequence[Any], saved: Any, attrs: dict, edges: Sequence) -> list:
        """The gradients of the last run."""
        parts = self.piece.backward(g)
        return [None if edge is None else part for edge, part in zip(edges, parts, strict=True)]


def rebuild_tensors(tree: Any, new: Sequence[Tensor]) -> Any:
    """The nest with other tensors in the place of its own."""
    tensors = iter(new)
    return map_leaves(lambda leaf: next(tensors) if isinstance(leaf, Tensor) else leaf, tree)
