"""What is to be seen: the boxes and arrows of a graph and the module each box belongs to; nothing of how it looks."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import Freed, Node, Slot, reachable
from ..tensor import Tensor

__all__ = ["Box", "Group", "Scene"]


@dataclass
class Box:
    """A tensor or an operation. ``kind`` is leaf, data, op, output (one of several), loss or rest."""

    id: str
    kind: str
    title: str
    detail: str = ""
    gradient: float | None = None
    tooltip: str = ""


@dataclass
class Group:
    """A module: its boxes, and the modules inside it."""

    title: str
    boxes: list[Box] = field(default_factory=list)
    groups: dict[Any, "Group"] = field(default_factory=dict)


class Scene:
    """The graph of ``loss``: ``root`` holds every box, ``arrows`` are (from, to, whether a gradient comes back)."""

    def __init__(self, loss: Tensor, model: Any, names: Mapping[str, Tensor], limit: int) -> None:
        self.root = Group("")
        self.arrows: list[tuple[str, str, bool]] = []
        self.names: dict[int, str] = {}  # of leaves, arrays and nodes, by identity
        self.owners: dict[int, Any] = {}  # the module each named parameter belongs to
        self.paths: dict[Any, str] = {}
        self._boxes: dict[Any, Box] = {}
        self._references: list[weakref.ref] = []  # to the data that have boxes
        self._limit = limit
        self._left_out: set[Any] = set()
        assert loss.node is not None
        order = reachable([loss.node])
        self._learn_names(model, names, order)
        self._draw_loss(loss, loss.node)
        for node in order:
            self._draw_node(node)
        if self._left_out:
            self._draw_rest()

    # --- names --------------------------------------------------------------------------------------------------------

    def _learn_names(self, model: Any, names: Mapping[str, Tensor], order: list[Node]) -> None:
        for name, tensor in names.items():
            for key in (tensor, tensor.array, tensor.node):
                if key is not None:
                    self.names[id(key)] = name
        if model is not None:
            self.paths = {module: path for path, module in model.named_modules()}
        # Modules outside the model, a loss say, are known by the operations they ran.
        ran = dict.fromkeys(node.module for node in reversed(order))
        for module in [*self.paths, *ran]:
            if module is None:
                continue
            for name, parameter in module.named_parameters(recurse=False):
                path = self.paths.get(module)
                self.names.setdefault(id(parameter), f"{path}.{name}" if path else name)
                self.owners.setdefault(id(parameter), module)

    def _group(self, module: Any) -> Group:
        """The group of a module, inside those of the modules above it."""
        group = self.root
        if module is None:
            return group
        path = self.paths.get(module)
        if path is None:
            return group.groups.setdefault(module, Group(type(module).__name__))
        by_path = {p: m for m, p in self.paths.items()}
        steps = path.split(".") if path else []
        for depth in range(len(steps) + 1):
            above = ".".join(steps[:depth])
            kind = type(by_path[above]).__name__
            group = group.groups.setdefault(above, Group(f"{above}: {kind}" if above else kind))
        return group

    # --- boxes --------------------------------------------------------------------------------------------------------

    def _add(self, key: Any, module: Any, kind: str, *content: Any, **more: Any) -> Box:
        box = self._boxes[key] = Box(f"{kind}{len(self._boxes)}", kind, *content, **more)
        self._group(module).boxes.append(box)
        return box

    def _draw_loss(self, loss: Tensor, node: Node) -> None:
        if loss.array.size == 1:
            box = self._add("loss", None, "loss", f"loss = {loss.item():.4g}")
        else:
            box = self._add("loss", None, "loss", "output", str(loss.shape))
        self._draw_edge(node, box, node)

    def _draw_node(self, node: Node) -> None:
        """The arrows into a node that an arrow led to; one that no arrow was drawn from is beyond the limit."""
        box = self._boxes.get(node)
        if box is None:
            self._left_out.add(node)
            self._left_out.update(edge for edge in node.edges if edge is not None and edge not in self._boxes)
            return
        saved = node.saved
        values = dict(enumerate(saved)) if saved else node.data or {}
        for i, edge in enumerate(node.edges):
            if edge is not None:
                self._draw_edge(edge, box, node)
            elif self._room():
                data = self._draw_data(node, values.get(i))
                self.arrows.append((data.id, box.id, False))

    def _room(self) -> bool:
        return len(self._boxes) <= self._limit

    def _draw_edge(self, source: Any, target: Box, node: Node) -> None:
        box = self._boxes.get(source)
        if box is None and self._room():
            box = self._draw_operation(source) if isinstance(source, Node) else self._draw_leaf(source, node)
        self.arrows.append((box.id if box is not None else "rest", target.id, True))
        if box is None:
            self._left_out.add(source)

    def _draw_operation(self, node: Node) -> Box:
        gradient = _norm(_retained(node))
        if isinstance(node, Slot):
            return self._add(node, node.module, "output", f"[{node.index}]", str(node.shape), gradient)
        title, name = node.name(), self.names.get(id(node))
        several = isinstance(node.shape, tuple) and any(isinstance(n, tuple) for n in node.shape)
        detail = ", ".join(map(str, node.shape)) if several else str(node.shape)
        formula = (node.op.__doc__ or title).partition("\n")[0]
        return self._add(
            node, node.module, "op", f"{name} = {title}" if name else title, detail, gradient, tooltip=formula
        )

    def _draw_leaf(self, leaf: Tensor, node: Node) -> Box:
        owner = self.owners.get(id(leaf))
        if owner is None and id(leaf) not in self.names:
            owner = node.module
        title = self.names.get(id(leaf), "tensor")
        tooltip = f"{title}: {leaf.array.size:,} numbers, {leaf.dtype}"
        return self._add(leaf, owner, "leaf", title, str(leaf.shape), _norm(leaf.grad), tooltip=tooltip)

    def _draw_data(self, node: Node, value: Any) -> Box:
        """What an operation read that needs no gradient: an array, or what backward left of it."""
        if not isinstance(value, (np.ndarray, Freed)):
            return self._add(object(), node.module, "data", "data", tooltip="no gradient wanted")
        reference = value.array if isinstance(value, Freed) else weakref.ref(value)  # there is one to an array
        array = reference()
        title = None if array is None else self.names.get(id(array))
        if title is None and isinstance(value, np.ndarray) and not value.ndim:
            return self._add(object(), node.module, "data", f"{value.item():.6g}", tooltip="a constant")
        known = self._boxes.get(id(reference))
        if known is not None:
            return known
        self._references.append(reference)
        return self._add(id(reference), None, "data", title or "data", str(value.shape), tooltip="no gradient wanted")

    def _draw_rest(self) -> None:
        box = Box("rest", "rest", f"{len(self._left_out):,} more", f"limit={self._limit}; a larger one draws them")
        self.root.boxes.append(box)
        self.arrows = list(dict.fromkeys(self.arrows))  # one arrow, however many boxes it stands for


def _retained(node: Node) -> Tensor | None:
    """The gradient that `retain_grad` kept of a node's output, if its tensor is still there."""
    for hook in (node.hooks or {}).values():
        tensor = hook.retains() if hasattr(hook, "retains") else None
        if tensor is not None:
            return tensor.grad
    return None


def _norm(gradient: Tensor | None) -> float | None:
    if gradient is None:
        return None
    return float(np.linalg.norm(gradient.detach().array.astype(np.float64).reshape(-1)))
