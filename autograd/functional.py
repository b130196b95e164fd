"""Derivatives of a function at a point: `autograd.functional.X` is what `torch.autograd.functional.X` is."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backprop import grad
from .func import vmap
from .func.engine import walk_back
from .modes import enable_grad
from .ops.join import stack
from .ops.shape import movedim, reshape
from .tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


class _Point:
    """A function that has been run on fresh inputs; what it returns takes the form of what came in."""

    def __init__(
        self, name: str, func: Callable, inputs: Any, create_graph: bool, strict: bool, floating: bool = True
    ) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        self.one_input = isinstance(inputs, Tensor)
        given = (inputs,) if self.one_input else tuple(inputs)
        self._check("inputs", given)
        self.inputs = tuple(
            reshape(x, x.shape) if create_graph and x.requires_grad else Tensor(x.array, requires_grad=True)
            for x in given
        )
        with enable_grad():
            out = func(*self.inputs)
        self.one_output = isinstance(out, Tensor)
        self.outputs: tuple[Tensor, ...] = (
            (out,) if self.one_output else tuple(out) if isinstance(out, tuple) else (out,)
        )
        self._check("outputs", self.outputs, floating)
        if strict:
            for i, y in enumerate(self.outputs):
                if not y.requires_grad:
                    raise RuntimeError(
                        f"{name}: with strict every output must depend on the inputs; got output {i} that does not"
                    )

    def _check(self, what: str, tensors: Sequence[Any], floating: bool = True) -> None:
        for x in tensors:
            if not isinstance(x, Tensor):
                raise TypeError(f"{self.name}: the {what} must be tensors or a tuple of them; got {type(x).__name__}")
            if floating and x.dtype.kind != "f":
                raise TypeError(f"{self.name}: the {what} must be floating tensors; got {x.dtype}")

    def one_number(self) -> None:
        """The function must return one element: only then has it a gradient."""
        if not self.one_output or self.outputs[0].array.size != 1:
            got = f"shape {self.outputs[0].shape}" if self.one_output else f"a tuple of {len(self.outputs)}"
            raise RuntimeError(f"{self.name}: the function must return a tensor of one element; got {got}")

    def weights(self, v: Any, like: Sequence[Tensor], what: str) -> tuple[Tensor, ...]:
        """``v`` as a tuple of the shapes of ``like``; 1 for one element if it is left out."""
        if v is None:
            if len(like) != 1 or like[0].array.size != 1:
                shapes = ", ".join(str(x.shape) for x in like)
                raise RuntimeError(f"{self.name}: v can be left out only for one element; got {what} of shape {shapes}")
            return (Tensor(np.ones(like[0].shape, like[0].dtype)),)
        given = (v,) if isinstance(v, Tensor) else tuple(v)
        if [x.shape for x in given] != [x.shape for x in like]:
            raise RuntimeError(
                f"{self.name}: v must have the shapes of the {what}; got {', '.join(str(x.shape) for x in given)} "
                f"for {', '.join(str(x.shape) for x in like)}"
            )
        return given

    def gradients(
        self, ys: Sequence[Tensor], xs: Sequence[Tensor], gs: Sequence[Tensor], create_graph: bool
    ) -> tuple[Tensor, ...]:
        """The gradients of ys by xs, zeros where nothing depends on them; an error then if ``strict``."""
        pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if y.requires_grad]
        found: Sequence[Tensor | None] = [None] * len(xs)
        if pairs:
            seeds = [g for _, g in pairs]
            found = grad([y for y, _ in pairs], xs, seeds, True, create_graph, allow_unused=True)
        if self.strict and any(g is None for g in found):
            i = next(i for i, g in enumerate(found) if g is None)
            raise RuntimeError(
                f"{self.name}: with strict the outputs must depend on every input; got none on input {i}"
            )
        return tuple(Tensor(np.zeros(x.shape, x.dtype)) if g is None else g for g, x in zip(found, xs, strict=True))

    def as_input(self, values: Sequence[Any]) -> Any:
        """One value for each input, in the form of the inputs."""
        return values[0] if self.one_input else tuple(values)

    def as_output(self, values: Sequence[Any]) -> Any:
        """One value for each output, in the form of the outputs; without a graph unless one was asked for."""
        kept = tuple(v if self.create_graph or not isinstance(v, Tensor) else v.detach() for v in values)
        return kept[0] if self.one_output else kept


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(outputs, v^T J)``: the outputs of ``func`` and the product of ``v``, of their shapes, with the Jacobian.

    ``inputs`` is a tensor or a tuple of them, and so are the results. ``v`` may be left out for one output of one
    element. With ``create_graph`` the results can be differentiated; with ``strict`` an output that does not depend on
    the inputs is an error, otherwise its derivative is zeros.

    >>> import autograd
    >>> vjp(autograd.exp, autograd.zeros(2), autograd.tensor([1.0, 2.0]))
    (tensor([1., 1.]), tensor([1., 2.]))
    """
    at = _Point("vjp", func, inputs, create_graph, strict, floating=False)
    given = at.weights(v, at.outputs, "outputs")
    return at.as_output(at.outputs), at.as_input(at.gradients(at.outputs, at.inputs, given, create_graph))


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(outputs, J v)``: the outputs of ``func`` and the product of the Jacobian with ``v``, of the inputs' shapes.

    The arguments are those of `vjp`. It takes two backwards: v^T J is linear in v, and its derivative is J.

    >>> import autograd
    >>> jvp(autograd.exp, autograd.zeros(2), autograd.tensor([1.0, 2.0]))
    (tensor([1., 1.]), tensor([1., 2.]))
    """
    at = _Point("jvp", func, inputs, create_graph, strict)
    given = at.weights(v, at.inputs, "inputs")
    return at.as_output(at.outputs), at.as_output(_push(at, at.outputs, given, create_graph))


def _push(at: _Point, ys: Sequence[Tensor], tangents: Sequence[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    """How ys change when the inputs change by the tangents."""
    weights = tuple(Tensor(np.zeros(y.shape, y.dtype), requires_grad=True) for y in ys)
    with enable_grad():
        pulled = at.gradients(ys, at.inputs, weights, True)
    return tuple(walk_back(pulled, weights, tangents, create_graph))


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(output, v^T H)``: the one element ``func`` returns and the product of ``v``, of the inputs' shapes, with its
    Hessian: the gradient of (gradient * v). The arguments are those of `vjp`.

    >>> import autograd
    >>> vhp(lambda x: (x**3).sum(), autograd.ones(2), autograd.tensor([1.0, 2.0]))
    (tensor(2.), tensor([ 6., 12.]))
    """
    at = _Point("vhp", func, inputs, create_graph, strict)
    at.one_number()
    given = at.weights(v, at.inputs, "inputs")
    with enable_grad():
        first = at.gradients(at.outputs, at.inputs, at.weights(None, at.outputs, "outputs"), True)
    return at.as_output(at.outputs), at.as_input(at.gradients(first, at.inputs, given, create_graph))


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(output, H v)``, as `vhp`, by way of `jvp` of the gradient; the Hessian being symmetric, `vhp` is the faster.

    >>> import autograd
    >>> hvp(lambda x: (x**3).sum(), autograd.ones(2), autograd.tensor([1.0, 2.0]))
    (tensor(2.), tensor([ 6., 12.]))
    """
    at = _Point("hvp", func, inputs, create_graph, strict)
    at.one_number()
    given = at.weights(v, at.inputs, "inputs")
    with enable_grad():
        first = at.gradients(at.outputs, at.inputs, at.weights(None, at.outputs, "outputs"), True)
    return at.as_output(at.outputs), at.as_input(_push(at, first, given, create_graph))


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of ``func`` at the inputs: (*output, *input) for one output and one input, a tuple over the inputs
    if they are a tuple, in a tuple over the outputs if these are one.

    ``strategy`` "reverse-mode" goes row by row, "forward-mode" column by column, which needs ``vectorize``: all rows or
    columns at once instead of one after the other.

    >>> import autograd
    >>> jacobian(lambda x: x * x, autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f'jacobian: strategy must be "reverse-mode" or "forward-mode"; got {strategy!r}')
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError("jacobian: forward-mode goes with vectorize=True; got vectorize=False")
    if strict and vectorize:
        raise RuntimeError("jacobian: strict looks at one row at a time; got vectorize=True")
    forward = strategy == "forward-mode"
    at = _Point("jacobian", func, inputs, create_graph, strict, floating=forward)
    return _jacobian(at, vectorize, forward)


def _jacobian(at: _Point, vectorize: bool, forward: bool) -> Any:
    table = _by_columns(at) if forward else [_by_rows(at, y, vectorize) for y in at.outputs]
    lines = [at.as_input([j if at.create_graph else j.detach() for j in line]) for line in table]
    return lines[0] if at.one_output else tuple(lines)


def _units(x: Tensor) -> Tensor:
    return Tensor(np.eye(x.array.size, dtype=x.dtype).reshape(x.array.size, *x.shape))


def _by_rows(at: _Point, y: Tensor, vectorize: bool) -> list[Tensor]:
    """The Jacobians of one output by every input."""

    def row(unit: Tensor) -> tuple[Tensor, ...]:
        return at.gradients((y,), at.inputs, (unit,), at.create_graph)

    if not y.array.size:
        rows: Sequence[Tensor] = [Tensor(np.zeros((0, *x.shape), x.dtype)) for x in at.inputs]
    elif vectorize:
        rows = vmap(lambda unit: tuple(walk_back((y,), at.inputs, (unit,), at.create_graph)))(_units(y))
    else:
        rows = [stack(column) for column in zip(*map(row, _units(y)), strict=True)]
    return [reshape(r, (*y.shape, *x.shape)) for r, x in zip(rows, at.inputs, strict=True)]


def _by_columns(at: _Point) -> list[list[Tensor]]:
    """The Jacobians of every output by every input, all columns at once."""
    table: list[list[Tensor]] = [[] for _ in at.outputs]
    for i, x in enumerate(at.inputs):

        def column(unit: Tensor, i: int = i) -> tuple[Tensor, ...]:
            tangents = [Tensor(np.zeros(other.shape, other.dtype)) for other in at.inputs]
            tangents[i] = unit
            return _push(at, at.outputs, tangents, at.create_graph)

        for line, y, columns in zip(table, at.outputs, vmap(column)(_units(x)), strict=True):
            line.append(reshape(movedim(columns, 0, -1), (*y.shape, *x.shape)))
    return table


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function of one element: the Jacobian of its gradient, (*input, *input), in a tuple of tuples
    over the inputs if they are a tuple. The arguments are those of `jacobian`.

    >>> import autograd
    >>> hessian(lambda x: (x**3).sum(), autograd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*xs: Tensor) -> Any:
        with enable_grad():
            inner = _Point("hessian", func, xs[0] if isinstance(inputs, Tensor) else xs, True, strict)
            inner.one_number()
            return inner.as_input(
                inner.gradients(inner.outputs, inner.inputs, inner.weights(None, inner.outputs, "outputs"), True)
            )

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
