"""Writes in place: `x.add_(1)`, `x[...] = v`, on tensors in the graph, on views and on what they are views of.

A write computes the new value out of place, puts it into the memory, and gives the tensor the history of that value.
Where nobody is to know, an elementwise operation writes there directly (`Elementwise.into`).
A write to a view is a write to its base: the base gets the node of "everything as before, but this part replaced",
and every view takes up the new history of its base when it is next used (`Tensor._refresh`). Graphs that saved the
old value notice through the clock in `writes`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .door import NO_ATTRS, intercepted
from .dtypes import category
from .graph import Node
from .modes import set_grad_enabled, state
from .ops import index
from .ops.convert import cast, nothing_of
from .ops.formula import Elementwise
from .ops.op import op
from .ops.shape import sum_to
from .tensor import Tensor, as_array
from .writes import note_write, tick

__all__ = ["assign", "detach_", "in_another_shape", "in_place", "overwrite", "setitem"]


# --- what a write leaves in the graph --------------------------------------------------------------------------------

Path = Sequence[tuple[Any, dict]]


def _follow(x: Any, path: Path) -> Any:
    """The view of x that the path leads to."""
    for operation, attrs in path:
        x = operation(x, **attrs)
    return x


@op(x=lambda g, path: erase(g, path))
def _erase(x, *, path):
    """x with the part that the path leads to set to zero."""
    out = x.copy()
    _follow(out, path)[...] = 0
    return out


def erase(x: Any, path: Path) -> Any:
    """x with the part that the path leads to set to zero."""
    return _erase(x, path=path)


@op(base=lambda g, path: erase(g, path), part=lambda g, path: _follow(g, path))
def _replace(base, part, *, path):
    """base with the part that the path leads to replaced."""
    out = base.copy()
    _follow(out, path)[...] = part
    return out


@op(x=lambda g: nothing_of(g), value=lambda g, shape: sum_to(g, shape))
def _overwrite(x, value):
    """value, broadcast to the shape of x."""
    return np.broadcast_to(value, x.shape).copy()


# --- writing ---------------------------------------------------------------------------------------------------------


def assign(x: Tensor, value: Tensor, name: str, since: float = math.inf) -> Tensor:
    """Write ``value``, computed from x, into the memory of x, which from now on has the history of ``value``. What was
    recorded ``since`` then, besides the last operation, is part of computing it.
    """
    if state.interceptors:
        intercepted(_Write(name), (x, value), NO_ATTRS)
        return x
    check_writable(x, name)
    if value.shape != x.shape:
        raise RuntimeError(f"{name}: the result must have the shape of the tensor; got {value.shape} for {x.shape}")
    if category(value.dtype) > category(x.dtype):
        raise RuntimeError(f"{name}: the result can't be written into the tensor; got {value.dtype} for {x.dtype}")
    value = cast(value, x.dtype)
    if x.array.size:
        _keep_what_was_read(value.node, x.array, since)
        x.array[...] = value.array
        note_write(x.array)
    if state.recording:
        _take_history(x, value)
    return x


class _Write:
    """A write as interceptors see it: an operation on the tensor and its new value."""

    def __init__(self, method: str) -> None:
        self.name = "assign"
        self.method = method

    def __call__(self, x: Tensor, value: Tensor) -> Tensor:
        return assign(x, value, self.method)


def check_writable(x: Tensor, name: str) -> None:
    """Refuse leaves that collect a gradient, memory that is several elements, and memory that is read-only."""
    if state.interceptors:
        return  # they know where the memory is; `assign` asks again when they have had their turn
    _check_leaf(x, name)
    array = x.array
    if (
        0 in array.strides
        and array.size
        and any(stride == 0 and length > 1 for stride, length in zip(array.strides, array.shape, strict=True))
    ):
        raise RuntimeError(
            f"{name}: several elements share one place in memory; got an expanded tensor of shape {x.shape}; clone() it"
        )
    if not array.flags.writeable:
        raise RuntimeError(f"{name}: the memory is read-only; got an array that numpy may not write to; clone() it")


def _check_leaf(x: Tensor, name: str) -> None:
    if state.recording and x.requires_grad:
        base = x if x._view is None else x._view.root()
        if base.node is None:
            what = "a leaf" if base is x else "a view of a leaf"
            raise RuntimeError(
                f"{name}: {what} that requires a gradient can't be changed in place; got one of shape {x.shape}; "
                "do it under no_grad(), or use the out-of-place operation"
            )


def _keep_what_was_read(node: Node | None, array: np.ndarray, since: float) -> None:
    """The rules of the operations read the values that stood here before: give them a copy."""
    waiting, seen = [node], {None, node}
    while waiting:
        node = waiting.pop()
        if type(node) is Node and node.saved:
            for i, saved in enumerate(node.saved):
                if isinstance(saved, np.ndarray) and np.may_share_memory(saved, array):
                    node.saved[i] = saved.copy()
                    if state.tracer is not None:
                        state.tracer.copy(saved, node.saved[i])
        for edge in node.edges if node is not None else ():
            if isinstance(edge, Node) and edge.number > since and edge not in seen:
                seen.add(edge)
                waiting.append(edge)


def _take_history(x: Tensor, value: Tensor) -> None:
    view = x._view
    base = x if view is None else view.root()
    if view is None:
        x.node, x._requires_grad = value.node, value._requires_grad
    elif value._requires_grad or base._requires_grad:
        edges = [(t.node or t) if t._requires_grad else None for t in (base, value)]
        base.node = Node(_replace, edges, [], {"path": view.path}, base.shape)
        base._requires_grad = True
    base._version += 1


def _source(x: Tensor, value: Any) -> Tensor:
    """What is to be written, as a tensor of the dtype of x; a number is exact, whatever the default dtype."""
    if not isinstance(value, Tensor):
        value = Tensor(np.asarray(value if isinstance(value, (int, float)) else as_array(value)))
    return cast(value, x.dtype)


def _is_seen(x: Tensor, *values: Any) -> bool:
    """Whether anybody is to know that something made of the values goes into x: the graph, or an interceptor."""
    if state.interceptors:
        return True
    return state.recording and (x.requires_grad or any(isinstance(v, Tensor) and v.requires_grad for v in values))


def overwrite(x: Tensor, value: Any, name: str) -> Tensor:
    """Write ``value``, broadcast and converted, over x; the gradient goes to it and no longer to what x was before."""
    check_writable(x, name)
    source = _source(x, value)
    try:
        if source.ndim <= x.ndim and not _is_seen(x, source):
            x.array[...] = source.array
            note_write(x.array)
            return x
        replaced = _overwrite(x, source)
    except ValueError:
        raise RuntimeError(
            f"{name}: the value does not broadcast to the tensor; got {source.shape} for {x.shape}"
        ) from None
    return assign(x, replaced, name)


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """``x[key] = value``: value, broadcast and converted, goes where the key points."""
    parts = index.plain_key(key, x.ndim) or index.split_key(key, x.shape, "setitem")
    if parts.picked is None:
        # Where no graph sees it, the part need not be known as a view.
        part = index.getitem(x, key) if _is_seen(x, value) else Tensor(index.getitem(x.array, key))
        overwrite(part, index.drop_leading_ones(value, part.ndim) if isinstance(value, Tensor) else value, "setitem")
        return
    check_writable(x, "setitem")
    source = index.drop_leading_ones(_source(x, value), index.count_axes(x.ndim, parts))
    if _is_seen(x, source):
        assign(x, index.setitem(x, source, key), "setitem")
    else:
        index.setitem(x.array, source.array, key, how=index.write)
        note_write(x.array)


def in_place(function: Callable, name: str) -> Callable:
    """The method that writes what ``function`` computes back into its first argument."""

    into = function.into if isinstance(function, Elementwise) else None

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not state.interceptors:
            since = tick()
            if into is not None and not _is_seen(self, *args, *kwargs.values()):
                check_writable(self, name)
                value = into(self, args, kwargs)
                if value is self:
                    note_write(self.array)
                    if state.recording:
                        _take_history(self, self)
                    return self
            else:
                value = function(self, *args, **kwargs)
            return assign(self, value, name, since)
        outer, state.overwritten = state.overwritten, self
        try:
            value = function(self, *args, **kwargs)
        finally:
            state.overwritten = outer
        return assign(self, value, name)

    method.__name__ = name
    method.__doc__ = f"`{name.strip('_')}` in place."
    return method


# --- another shape in place ------------------------------------------------------------------------------------------


def _in_lanes(x: Tensor) -> Any:
    """x if it is a tensor inside vmap, which has its lanes as ``value``."""
    return x if hasattr(x, "value") else None


def in_another_shape(function: Callable, name: str) -> Callable:
    """The method that makes a tensor what ``function`` makes of it, a view: the memory stays, its reading changes."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if (mapped := _in_lanes(self)) is not None:
            mapped.value = function(self, *args, **kwargs).value
            return self
        _check_leaf(self, name)
        before = self
        if self._view is None:
            # What the views of this tensor are views of from now on, as it is one itself.
            before = Tensor(self.array)
            before.node, before._requires_grad, before._version = self.node, self._requires_grad, self._version
        keeps_leaf = self._requires_grad and self.node is None
        with set_grad_enabled(not keeps_leaf):
            after = function(before, *args, **kwargs)
        self.array = after.array
        if not keeps_leaf:
            self.node, self._requires_grad, self._view = after.node, after._requires_grad, after._view
        if self.array.size:
            note_write(self.array)  # PyTorch counts it as a write
        return self

    method.__name__ = name
    method.__doc__ = f"`{name.strip('_')}` in place: the same memory, seen otherwise."
    return method


def detach_(self: Tensor) -> Tensor:
    """This tensor itself taken out of the graph: it is a leaf that needs no gradient."""
    if self._view is not None:
        raise RuntimeError(f"detach_: a view can't be detached in place; got one of shape {self.shape}; use detach()")
    if (mapped := _in_lanes(self)) is not None:
        mapped.value = mapped.value.detach()
    else:
        self.node, self._requires_grad = None, False
    return self
