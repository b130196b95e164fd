"""The tensor, and `apply`, the one door every operation goes through."""

import operator
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from . import graph
from .dtypes import is_float
from .graph import Node, Slot
from .hooks import Handle, Hooks
from .modes import enable_grad, intercept, intercepting, state

__all__ = ["NO_ATTRS", "Kept", "Tensor", "apply", "as_array", "grad"]

NO_ATTRS: dict[str, Any] = {}


class Tensor:
    """An array that remembers how it was computed.

    ``array`` is the numpy array itself, ``grad`` the gradient that `backward` left here, ``requires_grad`` whether
    operations on this tensor are recorded, and ``grad_fn`` the graph node it came from (None for a leaf).

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__dict__", "__weakref__", "_grad", "_hooks", "_requires_grad", "_version", "_view", "array", "node")
    __array_priority__ = 1000  # ndarray + Tensor is ours to compute

    node: Node | None
    _requires_grad: bool
    _grad: "Tensor | None"
    _hooks: Hooks | None
    _view: "View | None"  # whose memory this is, for a view
    _version: int  # counts the writes in place, for its views

    if TYPE_CHECKING:  # what the page `methods` binds

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, key: Any) -> "Tensor": ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def _binary(self, other: Any, /) -> "Tensor": ...
        def _unary(self) -> "Tensor": ...

        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _binary
        __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = _binary
        __rand__ = __ror__ = __rxor__ = __rlshift__ = __rrshift__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _binary  # type: ignore[assignment]
        __neg__ = __abs__ = __invert__ = _unary

    def __init__(self, data: Any = (), requires_grad: bool = False) -> None:
        self.array: np.ndarray = data if type(data) is ndarray else as_array(data)
        self.node = self._grad = self._hooks = self._view = None
        self._requires_grad = False
        self._version = 0
        if requires_grad:
            self.requires_grad = True

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        """The number type, a numpy dtype."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def device(self) -> str:
        """Always ``"cpu"``."""
        return "cpu"

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for a leaf."""
        if self._view is not None:
            self._refresh()
        return self.node

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self.grad_fn is None

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded. Only a leaf may change it."""
        if self._view is not None:
            self._refresh()
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.node is not None and not value:
            raise RuntimeError(
                f"requires_grad: only a leaf can change it; got the output of {self.node.op.name}; use detach()"
            )
        if value and not is_float(self.array.dtype):
            raise RuntimeError(f"requires_grad: only a floating dtype has gradients; got {self.array.dtype}")
        self._requires_grad = bool(value)

    @property
    def grad(self) -> "Tensor | None":
        """The gradient accumulated by `backward`, of this tensor's shape; None before."""
        return self._grad

    @grad.setter
    def grad(self, value: "Tensor | None") -> None:
        if value is not None and (value.shape != self.shape or value.dtype != self.dtype):
            raise RuntimeError(
                f"grad: a gradient has the shape and dtype of its tensor; got {value.shape} {value.dtype} "
                f"for {self.shape} {self.dtype}"
            )
        self._grad = value

    @property
    def data(self) -> "Tensor":
        """The same memory outside the graph. Assigning replaces the values, as optimizers of old did."""
        return Tensor(self.array)

    @data.setter
    def data(self, value: "Tensor") -> None:
        self.array = value.array

    # --- backpropagation ----------------------------------------------------------------------------------------------

    def backward(
        self,
        gradient: "Tensor | None" = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: "Sequence[Tensor] | None" = None,
    ) -> None:
        """Add d(self)/d(leaf) to the ``grad`` of every leaf this tensor was computed from, or of ``inputs`` alone.

        ``gradient`` is the derivative of what comes after with respect to this tensor; a tensor of one element needs
        none. The graph is freed unless ``retain_graph``; with ``create_graph`` the gradients have a graph themselves.
        """
        seeds = [(self, _seed(self, gradient))]
        if inputs is None:
            _walk(seeds, None, retain_graph, create_graph)
            return
        found = _walk(seeds, {_edge(x, "backward") for x in inputs}, retain_graph, create_graph)
        for x in inputs:
            if (gradient_ := found.get(_edge(x, "backward"))) is not None:
                x._receive(gradient_, False)

    def _receive(self, gradient: Any, fresh: bool) -> None:
        """Add to ``grad`` what a walk brought here: an array (kept without a copy if ``fresh``), or a tensor."""
        held = self._grad
        if held is None and fresh:
            self._grad = Tensor(gradient)
        elif isinstance(gradient, Tensor):
            self._grad = gradient if held is None else held + gradient
        elif held is None:
            self._grad = Tensor(gradient.copy())
        elif held.node is None:
            np.add(held.array, gradient, out=held.array)
        else:
            self._grad = Tensor(held.array + gradient)

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``grad`` although it is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: the tensor must require a gradient; got requires_grad=False")
        if self.node is None or self.retains_grad:
            return
        this = weakref.ref(self)

        def keep(gradient: Tensor) -> None:
            tensor = this()
            if tensor is not None:
                tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient

        keep.retains = this  # type: ignore[attr-defined]
        if self.node.hooks is None:
            self.node.hooks = Hooks()
        self.node.hooks.add(keep)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was asked for on this non-leaf tensor."""
        hooks = self.node.hooks if self.node is not None else None
        return hooks is not None and any(hasattr(hook, "retains") for hook in hooks.in_order())

    def register_hook(self, hook: "Callable[[Tensor], Tensor | None]") -> Handle:
        """Call ``hook(gradient)`` whenever the gradient of this tensor is computed; what it returns replaces it.

        Returns a handle whose ``remove()`` takes the hook away.
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: the tensor must require a gradient; got requires_grad=False")
        if self.node is None:
            hooks = self._hooks = self._hooks if self._hooks is not None else Hooks()
        else:
            hooks = self.node.hooks = self.node.hooks if self.node.hooks is not None else Hooks()
        return hooks.add(hook)

    def detach(self) -> "Tensor":
        """The same values in the same memory, outside the graph."""
        return Tensor(self.array)

    def _refresh(self) -> None:
        """Take up the history of the tensor this is a view of, if that was written to since."""
        view = self._view
        if view is not None and view.root()._version != view.version:
            view.version = view.base._version
            fresh = view.base
            with enable_grad():
                for op, attrs in view.path:
                    fresh = op(fresh, **attrs)
            self.node, self._requires_grad = fresh.node, fresh._requires_grad

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Set ``requires_grad`` and return this tensor."""
        self.requires_grad = requires_grad
        return self

    # --- out of the library -------------------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The array itself, sharing memory; an error for a tensor that needs a gradient unless ``force``."""
        if self.requires_grad and not force:
            raise RuntimeError("numpy: the tensor needs a gradient; got requires_grad=True; use detach().numpy()")
        return self.array

    def item(self) -> Any:
        """The one number of a tensor with one element, as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"item: the tensor must have one element; got shape {self.shape}; use tolist()")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iub" or self.array.size != 1:
            raise TypeError(
                f"index: only an integer tensor with one element can index; got {self.dtype} of shape {self.shape}"
            )
        return int(self.item())

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(f"bool: a tensor of shape {self.shape} is neither true nor false; use any() or all()")
        return bool(self.array.item())

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len: a 0-d tensor has no length")
        return len(self.array)

    def __iter__(self) -> "Iterator[Tensor]":
        if not self.array.ndim:
            raise TypeError("iter: a 0-d tensor can't be iterated over; use item()")
        return (self[i] for i in range(len(self.array)))

    __hash__ = object.__hash__  # __eq__ compares elements

    def __repr__(self) -> str:
        from .printing import describe

        return describe(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple:
        if self.node is not None:
            raise RuntimeError("pickle: only a leaf can be copied or pickled; got a tensor with a graph; detach() it")
        return type(self)._rebuild, (self.array, self._requires_grad)

    @classmethod
    def _rebuild(cls, array: np.ndarray, requires_grad: bool) -> "Tensor":
        from .creation import in_our_dtype

        return cls(in_our_dtype(array), requires_grad=requires_grad)

    def __deepcopy__(self, memo: dict) -> "Tensor":
        if self.node is not None:
            raise RuntimeError("deepcopy: only a leaf can be copied; got a tensor with a graph; detach() it")
        copy = memo[id(self)] = type(self)._rebuild(self.array.copy(), self._requires_grad)
        copy._grad = None if self._grad is None else Tensor(self._grad.array.copy())
        return copy


def as_array(data: Any) -> np.ndarray:
    """An array of the values with PyTorch's dtypes: Python floats become the default dtype, numpy's stay."""
    if isinstance(data, Tensor):
        return data.array
    if isinstance(data, (np.ndarray, np.generic)):
        return np.asarray(data)
    return _from_sequence(data)


def _from_sequence(data: Any) -> np.ndarray:
    from .creation import from_sequence

    return from_sequence(data)


class View:
    """Of which tensor another one is a view, by which operations, and the version of it whose history the view has."""

    __slots__ = ("base", "path", "version")

    def __init__(self, base: Tensor, path: tuple[tuple[Any, dict], ...]) -> None:
        self.base = base
        self.path = path
        self.version = base._version

    def root(self) -> Tensor:
        """The tensor whose memory it is; one that took another shape in place has become a view of what it was."""
        above = self.base._view
        if above is not None:
            self.base = above.base
        return self.base


class Kept(NamedTuple):
    """What a forward returns that keeps a value besides its output for the backward written by hand."""

    output: np.ndarray | tuple[np.ndarray, ...]
    value: Any


# --- the door --------------------------------------------------------------------------------------------------------


def apply(op: Any, inputs: Sequence, attrs: dict = NO_ATTRS, kernel: Callable | None = None) -> Any:
    """Run ``op`` on its inputs (tensors, and arrays as constants) and record it if an input needs a gradient.

    ``kernel`` computes the output when the caller has already chosen the one for the dtype.
    """
    if intercepting and state.interceptors:
        return intercepted(op, inputs, attrs)
    values: list[Any] = []
    edges: list[Any] = []  # where the gradient of each input goes, if it needs one
    needs, bit = 0, 1  # a bit for each input
    for x in inputs:
        edge = None
        if isinstance(x, Tensor):
            if x._view is not None:
                x._refresh()
            if x._requires_grad:
                edge = x.node or x
                needs += bit
            x = x.array
        values.append(x)
        edges.append(edge)
        bit += bit
    out = kernel(*values) if kernel is not None else op.forward(*values, **attrs)
    kept = None
    if type(out) is not ndarray:
        if type(out) is Kept:
            out, kept = out
        if type(out) is tuple:
            return _several(op, edges, needs and needs + bit, values, attrs, out, kept)
        if type(out) is not ndarray:
            out = np.asarray(out)  # a ufunc turns 0-d arrays into numpy's scalars
    result = Tensor(out)
    if needs and state.recording and out.dtype.kind == "f":
        values.append(out)
        if kept is not None:
            values.append(kept)
        result.node = Node(op, edges, op.keep(values, needs + bit), attrs, out.shape)
        result._requires_grad = True
    if op.views and out.base is not None:
        _note_view(op, inputs[0], attrs, result)
    return result


def intercepted(op: Any, inputs: Sequence, attrs: dict) -> Any:
    """What the innermost interceptor makes of an operation; it is on its own while it does that."""
    *outer, innermost = state.interceptors
    with intercept(tuple(outer)):
        return innermost(op, inputs, attrs)


def _note_view(op: Any, parent: Any, attrs: dict, result: Tensor) -> None:
    """Remember that the result shares the memory of its input: a write to one of them is a write to both."""
    array = result.array
    if isinstance(parent, Tensor) and (array.base is parent.array or array.base is parent.array.base):
        above = parent._view
        if above is None:
            result._view = View(parent, ((op, attrs),))
        else:
            result._view = View(above.root(), (*above.path, (op, attrs)))


def _several(op: Any, edges: list, needs: int, values: list, attrs: dict, outs: tuple, kept: Any) -> tuple:
    """The tensors of an operation with several outputs: each gets a Slot of the operation's node."""
    results = tuple(Tensor(np.asarray(out)) for out in outs)
    if needs and state.recording:
        values.append(outs)
        if kept is not None:
            values.append(kept)
        node = Node(op, edges, op.keep(values, needs), attrs, tuple(result.shape for result in results))
        for i, result in enumerate(results):
            if is_float(result.dtype):
                result.node = Slot.of(node, i)
                result._requires_grad = True
    return results


# --- walking back ----------------------------------------------------------------------------------------------------


def _wrap(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(value)


def _lift(node: Node, saved: list) -> list:
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
            return graph.backward(lifted, targets, retain_graph=retain, lift=_lift)
        roots: list[Any] = [(y.node or y, seed.array if isinstance(seed, Tensor) else seed) for y, seed in seeds]
        return _walk_on_arrays(roots, targets, retain_graph=retain, wrap=_wrap, unwrap=_array_of)
    finally:
        state.recording = outer


# Infinities and NaN are results like others.
_walk_on_arrays = np.errstate(all="ignore")(graph.backward)
_array_of = operator.attrgetter("array")


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
        results.append(None if value is None else _wrap(value))
    return tuple(results)
