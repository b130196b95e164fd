"""The derivative of a formula: the rule that is stated for an input, or what the chain rule makes of the formula.

Either is itself a formula with a loop of its own, and has a derivative in the same way.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..dtypes import float16, is_float
from ..kernels.summed import summed
from ..kernels.symbol import Symbol, formulas, topological
from .op import Names, Op, as_value, registry
from .shape import sum_to

__all__ = ["Derivable", "evaluate"]

LARGE = 2048
"""Gradients of at least this many elements are looked at for operands that are broadcast."""

SUMMED = 2**16
"""With at least this many elements the gradient of a broadcast operand is summed as it comes, never kept whole."""


class Derivable(Op):
    """An operation whose value is a ``formula``, in a dtype that ``result`` tells; the gradient of each of its inputs
    is an operation of the same kind.
    """

    compile_loop: Callable[[np.dtype], Callable | None]

    def __init__(
        self,
        formula: Callable,
        rules: dict[str, Callable],
        *,
        result: str = "float",
        differentiable: bool = True,
        **names: Any,
    ) -> None:
        super().__init__(formula, rules, **names)
        self.formula = formula
        self.has_formula = formula.__code__.co_code != _docstring_alone.__code__.co_code
        self.result = result
        self.differentiable = differentiable
        parameters = list(self.__signature__.parameters.values())
        self.conditions = frozenset(i for i, p in enumerate(parameters) if p.annotation is bool)
        self.numbers = frozenset(i for i, p in enumerate(parameters) if p.default is not p.empty)
        self.either = frozenset(i for i, p in enumerate(parameters) if p.annotation is float)
        self.kernels: dict[np.dtype, Callable] = {}
        self.is_identity = False  # whether it is the gradient of something like x + y, and hands on what it gets
        self._gradients: list[Derivable | None] = [None] * self.arity

    def gradient(self, i: int) -> "Derivable":
        """The operation that computes the gradient of input ``i`` from the output's and what its formula reads."""
        made = self._gradients[i]
        if made is None:
            if not self.has_gradient(i):
                super()._adapter(i)  # raises
            rule = self.rules[i]
            if rule is not None:
                names, formula = tuple(inspect.signature(rule).parameters), rule
            else:
                names = (self.names.gradient, *self.inputs, self.names.output)
                formula = lambda g, *values: self._derive(i, g, values)
            result = Symbol.of(formula(*map(Symbol.input, names)))
            read = {s.args[0] for s in topological([result]) if s.op == "input"}
            made = self._gradients[i] = _make_gradient(self, i, formula, names, read)
        return made

    def has_gradient(self, i: int) -> bool:
        """Whether there is a stated derivative for input ``i``, or a formula to derive it from."""
        return self.rules[i] is not None or (self.has_formula and self.differentiable)

    def reads(self, i: int) -> tuple[str, ...]:
        return self.gradient(i).inputs[1:] if self.has_gradient(i) else ()

    def _derive(self, i: int, g: Any, values: Sequence) -> Any:
        """The chain rule, walked backward over the formula; ``values`` are the inputs and the output."""
        inputs = [Symbol.input(name) for name in self.inputs]
        root = Symbol.of(self.formula(*inputs))
        order = topological([root])
        depends = {inputs[i]}
        for symbol in order:
            if not depends.isdisjoint(symbol.operands):
                depends.add(symbol)
        cotangent: dict[Symbol, Symbol] = {root: (seed := Symbol.input(self.names.gradient))}
        for symbol in reversed(order):
            if symbol not in depends or symbol not in cotangent or symbol is inputs[i]:
                continue
            row = registry[symbol.op]
            assert isinstance(row, Derivable)
            known = dict(zip(row.inputs, symbol.operands, strict=True))
            known |= {row.names.gradient: cotangent[symbol], row.names.output: symbol}
            for j, operand in enumerate(symbol.operands):
                if operand in depends and j not in row.conditions and row.result != "bool":
                    part = row.part(j, known)
                    held = cotangent.get(operand)
                    cotangent[operand] = part if held is None else held + part
        gradient = cotangent.get(inputs[i], Symbol.of(0.0))
        return evaluate(gradient, dict(zip([seed, *inputs, root], [g, *values], strict=True)))

    def part(self, i: int, known: dict[str, Symbol]) -> Symbol:
        """The gradient of input ``i`` as a Symbol, its names looked up in ``known``."""
        gradient = self.gradient(i)
        return Symbol.of(gradient.formula(*(known[name] for name in gradient.inputs)))

    def _adapter(self, i: int) -> Callable:
        made = self.gradient(i)
        if made.is_identity:
            adapter = lambda g, saved, attrs, edge: g if g.shape == edge.shape else sum_to(g, edge.shape)
        else:
            # Arrays go straight to the kernel: what was saved has the dtype of the gradient, which the op ran in.
            # A large one may be broadcast against another, which is looked for in the call of an operation.
            pull = "made if type(g) is not ndarray or g.size >= LARGE else kernels.get(g.dtype, made)"
            adapter = self._bind_names(
                f"fit(({pull})(g, {{0}}), edge.shape)"
                " if type(g) is not ndarray or g.size < SUMMED or g.shape == edge.shape"
                " else pull_summed(made, edge.shape, g, {0})",
                self.reads(i), fit=_fit, made=made, kernels=made.kernels, ndarray=ndarray, LARGE=LARGE,
                SUMMED=SUMMED, pull_summed=_pull_summed,
            )  # fmt: skip
        self._adapters[i] = adapter
        return adapter


def _pull_summed(made: Derivable, shape: tuple[int, ...], g: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """The gradient of an input that was broadcast, if possible without ever having all that is summed."""
    kernel = made.kernels.get(g.dtype)
    if not isinstance(kernel, np.ufunc) and is_float(g.dtype) and g.dtype != float16:
        kernel = made.compile_loop(g.dtype)  # so that the first call adds up in the order of all others
    part = None if kernel is None else summed(kernel, (g, *values), shape)
    return _fit(made(g, *values), shape) if part is None else part


def _fit(part: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of an input that may have been broadcast, summed to the shape of that."""
    if part.shape != shape:
        part = sum_to(part, shape)
    return part if type(part) is ndarray else as_value(part)


def _make_gradient(op: Derivable, i: int, formula: Callable, takes: Sequence[str], read: set[str]) -> Derivable:
    """The elementwise operation whose formula is the gradient of input ``i``, with the inputs that it reads."""
    inputs = (takes[0], *(name for name in takes[1:] if name in read))

    def gradient(*values: Any) -> Any:
        known = dict(zip(inputs, values, strict=True))
        return formula(*(known.get(name, _UNREAD) for name in takes))

    of_op = {name: place for place, name in enumerate(op.inputs)}
    gradient.__name__ = f"{op.name}_backward_{op.inputs[i]}"
    gradient.__doc__ = f"The gradient of {op.name} with respect to {op.inputs[i]}."
    gradient.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        inspect.Parameter(name, _PLAIN, annotation=bool if of_op.get(name) in op.conditions else _NOTHING)
        for name in inputs
    ])  # fmt: skip
    # An input of a gradient may be called g and out: its own gradient and output need names of their own.
    names = Names("g" + op.names.gradient, "out_" + op.names.output)
    made = type(op)(gradient, {}, result="same", names=names)
    made.numbers = frozenset(k for k, name in enumerate(inputs) if of_op.get(name) in op.numbers)
    made.either = frozenset(k for k, name in enumerate(inputs) if of_op.get(name) in op.either)
    probe = Symbol.input(inputs[0])
    made.is_identity = len(inputs) == 1 and gradient(probe) is probe
    formulas[made.name] = gradient
    return made


def _docstring_alone(input):
    """What an operation looks like whose values only the printer or a library knows."""


_UNREAD = Symbol.of(0.0)
_PLAIN, _NOTHING = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty


def evaluate(root: Symbol, known: dict[Symbol, Any]) -> Any:
    """The value of an expression, given those of some of its Symbols: tensors, arrays, or other Symbols."""
    values = dict(known)
    order = topological([root])
    as_symbols = any(isinstance(known.get(symbol), Symbol) for symbol in order)
    for symbol in order:
        if symbol in values:
            continue
        if symbol.op == "constant":
            values[symbol] = symbol if as_symbols else symbol.args[0]
        elif symbol.op == "input":
            values[symbol] = symbol
        else:
            values[symbol] = registry[symbol.op](*(values[a] for a in symbol.args))
    return values[root]
