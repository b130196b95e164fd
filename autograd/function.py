"""`Function`: an operation of the user's own."""

from typing import Any

from .door import NO_ATTRS, intercepted
from .dtypes import is_float
from .graph import Node, Slot
from .modes import no_grad, state
from .tensor import Tensor

__all__ = ["Function"]


class _Context:
    """What forward leaves for backward: tensors through `save_for_backward`, anything else as attributes."""

    def __init__(self) -> None:
        self._saved: tuple[Tensor | None, ...] = ()
        self._nondifferentiable: tuple[int, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs of forward; a change to one of them in place before backward is an error there."""
        self._saved = tensors

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say that these outputs have no gradient."""
        self._nondifferentiable = tuple(map(id, outputs))

    saved_tensors: tuple[Tensor | None, ...]


class _Whole:
    """A Function as interceptors see it: an operation whose inside is its own."""

    def __init__(self, function: type["Function"]) -> None:
        self.function = function
        self.name = function.__name__

    def __call__(self, *args: Any) -> Any:
        return self.function.apply(*args)


class _FunctionOp:
    """The operation that a Function's node carries."""

    shares = True  # backward is the user's, and may return anything it holds

    def __init__(self, function: type["Function"], context: _Context, several: bool) -> None:
        self.function = function
        self.context = context
        self.several = several
        self.name = function.__name__

    def origins(self, node: Node) -> list:
        """Where each saved tensor came from: an edge, an output of the node itself, or nowhere."""

        def output(i: int) -> Node:
            return Slot.of(node, i) if self.several else node

        return [output(origin) if isinstance(origin, int) else origin for origin in node.attrs["origins"]]

    def backward(self, g: Any, saved: list, attrs: dict, edges: list) -> list:
        gs = g if self.several else [g]
        recorded = any(isinstance(x, Tensor) for x in gs)
        self.context.saved_tensors = tuple(map(_as_tensor, saved))
        try:
            returned = self.function.backward(self.context, *map(_as_tensor, gs))
        finally:
            del self.context.saved_tensors
        parts = returned if isinstance(returned, tuple) else (returned,)
        if len(parts) != attrs["count"]:
            raise RuntimeError(
                f"{self.name}.backward: one gradient for each argument of forward; "
                f"got {len(parts)} for {attrs['count']}"
            )
        wanted = [parts[i] for i in attrs["places"]]
        for part, edge in zip(wanted, edges, strict=True):
            if part is not None and edge is not None and part.shape != edge.shape:
                raise RuntimeError(
                    f"{self.name}.backward: a gradient has the shape of its input; got {part.shape} for an input of "
                    f"shape {edge.shape}; sum it over the axes that were broadcast"
                )
        return [p if p is None or recorded else p.array for p in wanted]


def _as_tensor(value: Any) -> Tensor | None:
    return value if value is None or isinstance(value, Tensor) else Tensor(value)


class Function:
    """An operation with a forward and a backward of the user's own, called through ``apply``.

    >>> class Double(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = Tensor([1.0], requires_grad=True)
    >>> Double.apply(x).sum().backward()
    >>> x.grad
    tensor([2.])

    ``forward(ctx, *args)`` runs unrecorded and returns a tensor or a tuple of them; ``backward(ctx, *grads)`` gets a
    gradient for each output and returns one (or None) for each argument of forward. Written with tensor operations,
    backward can itself be differentiated.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the output from the arguments."""
        raise NotImplementedError("Function: define a static forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients of the arguments from those of the outputs."""
        raise NotImplementedError("Function: define a static backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward and record it."""
        if state.interceptors:
            return intercepted(_Whole(cls), args, NO_ATTRS)
        context = _Context()
        context.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        with no_grad():
            returned = cls.forward(context, *args)
        several = isinstance(returned, tuple)
        outs = returned if several else (returned,)
        for out in outs:
            if not isinstance(out, Tensor):
                raise TypeError(f"{cls.__name__}.forward: tensors are returned; got {type(out).__name__}")
        if not (state.recording and any(context.needs_input_grad)):
            return returned
        places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        results = _record(
            _FunctionOp(cls, context, several), context, [args[i] for i in places], places, len(args), outs
        )
        return results if several else results[0]


def _record(
    op: _FunctionOp, context: _Context, inputs: list[Tensor], places: list[int], count: int, outs: tuple
) -> tuple:
    edges = [(x.node or x) if x.requires_grad else None for x in inputs]
    shapes = tuple(out.shape for out in outs) if op.several else outs[0].shape
    saved, origins = [], []
    for tensor in context._saved:
        # Outputs are named by number: the node in its own attributes would be a reference cycle.
        origin = next((edge for x, edge in zip(inputs, edges, strict=True) if x is tensor), None)
        saved.append(None if tensor is None else tensor.array)
        origins.append(next((i for i, out in enumerate(outs) if out is tensor), origin))
    context._saved = ()
    attrs = {"count": count, "places": places, "origins": origins}
    node = Node(op, edges, saved, attrs, shapes)
    # An input that comes back as an output is a new tensor, so that its own history stays as it is.
    results = [Tensor(out.array) if any(out is x for x in inputs) else out for out in outs]
    for i, (out, result) in enumerate(zip(outs, results, strict=True)):
        if id(out) not in context._nondifferentiable and is_float(result.dtype):
            result.node = Slot.of(node, i) if op.several else node
            result._requires_grad = True
    return tuple(results)
