"""`saved_tensors_hooks`: what is saved for backward is kept in a form of the user's choice."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import graph
from .graph import Node, Slot
from .modes import intercept, state
from .tensor import Tensor

__all__ = ["Packing", "saved_tensors_hooks"]


class saved_tensors_hooks:  # noqa: N801 (PyTorch's name)
    """Keep ``pack_hook(tensor)`` in the place of every tensor that operations save for backward in a ``with`` block;
    ``unpack_hook`` makes the tensor of it when backward comes there. Of nested blocks the innermost counts.

    >>> import autograd
    >>> half = saved_tensors_hooks(lambda t: t.half(), lambda t: t.float())
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> with half:
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook
        self.checks_writes = True
        self._entered: list[intercept] = []

    def __enter__(self) -> None:
        # An outer block must not pack again what this one has packed. Inside vmap the tensors of all lanes are packed,
        # so the hooks come after the map.
        others = [Aside(i.hooks) if isinstance(i, Packing) else i for i in state.interceptors]
        context = intercept((Packing(self), *others))
        context.__enter__()
        self._entered.append(context)

    def __exit__(self, *exc: object) -> None:
        self._entered.pop().__exit__(*exc)


class Packing:
    """The interceptor that packs what the nodes of an operation saved."""

    def __init__(self, hooks: saved_tensors_hooks) -> None:
        self.hooks = hooks

    def __call__(self, op: Any, inputs: Sequence, attrs: dict) -> Any:
        out = op(*inputs, **attrs)
        for tensor in out if isinstance(out, tuple) else (out,):
            node = tensor.node if isinstance(tensor, Tensor) and op.name != "assign" else None
            source = node.edges[0] if isinstance(node, Slot) else node
            if type(source) is Node and source.saved:
                saved = source.saved
                source.__class__ = PackedNode
                source.saved = _pack(_safe(saved), self.hooks)
        return out


class Aside(Packing):
    """The hooks of an outer block, which `checkpoint` asks for, while those of an inner one pack."""

    def __call__(self, op: Any, inputs: Sequence, attrs: dict) -> Any:
        return op(*inputs, **attrs)


class _Packed(NamedTuple):
    items: tuple
    hooks: saved_tensors_hooks


class _Item(NamedTuple):
    """What a hook made of an array, to tell it from what is saved but is no array."""

    packed: Any
    shape: tuple[int, ...]


def _pack(value: Any, hooks: saved_tensors_hooks) -> Any:
    if isinstance(value, list):
        return _Packed(tuple(_pack(v, hooks) for v in value), hooks)
    if type(value) is tuple:
        return tuple(_pack(v, hooks) for v in value)
    if isinstance(value, np.ndarray):
        return _Item(_with(hooks.pack_hook, Tensor(value)), value.shape)
    return value


def _unpack(value: Any, hooks: saved_tensors_hooks) -> Any:
    if type(value) is _Item:
        tensor = _with(hooks.unpack_hook, value.packed)
        if not isinstance(tensor, Tensor) or tensor.shape != value.shape:
            got = f"shape {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
            raise RuntimeError(
                f"saved_tensors_hooks: unpack_hook must return the tensor that was packed; got {got} for {value.shape}"
            )
        return tensor.array
    if type(value) is tuple:
        return tuple(_unpack(v, hooks) for v in value)
    return value


def _safe(saved: list) -> list:
    """The values, copies where they are about to be overwritten."""
    target = state.overwritten
    while hasattr(target, "value"):  # inside vmap: the tensor of all lanes
        target = target.value
    if target is None:
        return saved
    memory = target.array
    return [v.copy() if isinstance(v, np.ndarray) and np.may_share_memory(v, memory) else v for v in saved]


def _with(hook: Callable, value: Any) -> Any:
    """What a hook makes of a value; its own operations are neither packed nor recorded."""
    others = tuple(i for i in state.interceptors if not isinstance(i, Packing))
    outer = state.recording
    with intercept(others):
        state.recording = False
        try:
            return hook(value)
        finally:
            state.recording = outer


_slot: Any = vars(Node)["saved"]


class PackedNode(Node):
    """A node whose saved values are packed: reading them unpacks."""

    __slots__ = ()

    def check(self, saved: list | None) -> list:
        held = _slot.__get__(self)
        if saved is not None and isinstance(held, _Packed) and not held.hooks.checks_writes:
            return saved
        return super().check(saved)

    @property
    def saved(self) -> list | None:
        held = _slot.__get__(self)
        return [_unpack(item, held.hooks) for item in held.items] if isinstance(held, _Packed) else held

    @saved.setter
    def saved(self, value: Any) -> None:
        held = _slot.__get__(self)
        _slot.__set__(self, _pack(value, held.hooks) if isinstance(value, list) and type(held) is _Packed else value)


graph.saved_tensors_hooks = saved_tensors_hooks  # type: ignore[attr-defined]  # where PyTorch has it
