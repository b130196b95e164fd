"""What an operation is: a name, a forward on arrays, and for each input the rule of its gradient (its vector-Jacobian
product).

    @op(a=lambda g, b: g @ b.mT, b=lambda g, a: a.mT @ g)
    def matmul(a, b):
        return np.matmul(a, b)

A rule is found by the name of the input it is for, and the names of its own parameters say what it reads: ``g`` the
gradient of the output, ``out`` the output, an input, an attribute, or ``shape``, the shape of its own input. So an
operation saves what the rules in use read, and no list of that is kept by hand. Inputs are the positional parameters
of the forward and attributes the keyword-only ones. An input without a rule has no gradient. Where the forward takes
``*xs``, one rule of that name serves them all and may read ``index``, which of them it is for.

A rule runs on arrays in an ordinary backward. When the gradient is to be differentiated again it runs on tensors, and
the same text records its own graph. Where one loop can do the work of several rules, `Op.by_hand` states it, for
arrays alone:

    @linear.by_hand
    def _(g, input, weight, needs):
        return linear_kernel(g, input, weight)

``needs`` tells which inputs want a gradient. A forward whose hand-written backward can use something it computed on
the way returns ``Kept(output, value)``, and the value is called ``kept`` there.

An operation that is one kernel, but made of others when it is written down, needs no rules beside that. `Op.by_ops`
states what it is made of, and a gradient that is to be differentiated again is derived from it:

    @lstm.by_ops
    def _(input, h, c, weight):
        ...
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..backprop import grad
from ..door import Kept, apply
from ..graph import Node
from ..kernels.table import Table
from ..modes import enable_grad, state
from ..tensor import Tensor

__all__ = ["Kept", "Names", "Op", "op", "registry"]

registry: dict[str, "Op"] = {}
"""Every operation by name."""


class Names(NamedTuple):
    """What the rules of an operation call the gradient of its output and the output."""

    gradient: str
    output: str


_NAMES = Names("g", "out")


class Op:
    """An operation. Calling it on tensors computes and records; on arrays alone it only computes."""

    views = False  # whether the output may share the memory of the first input
    shares = False  # whether backward may hand out an array that somebody else holds

    def __init__(self, forward: Callable, rules: dict[str, Callable], names: Names = _NAMES) -> None:
        self.forward = forward
        self.names = names
        self.name = forward.__name__.strip("_")
        self.__doc__ = forward.__doc__
        self.__name__ = forward.__name__
        self.__module__ = forward.__module__
        self.__signature__ = inspect.signature(forward)
        parameters = self.__signature__.parameters.values()
        self.inputs = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        self.rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.attrs = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self.arity = len(self.inputs)
        unknown = rules.keys() - {*self.inputs, self.rest}
        assert not unknown, f"{self.name}: a rule for {unknown}, which is no input"
        assert not set(names) & set(self.inputs), f"{self.name}: {names} mean something in a rule"
        self.rules = [rules.get(name) for name in self.inputs]
        self.rest_rule = rules.get(self.rest) if self.rest else None
        self.hand: Callable | None = None
        self.composition: Callable | None = None
        self._adapters: dict[int, Callable] = {}
        self._unread: Table[int, list[int]] = Table(self._find_unread)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        for x in inputs:
            if isinstance(x, Tensor):
                return apply(self, inputs, attrs)
        out = self.forward(*inputs, **attrs)
        return out.output if type(out) is Kept else out

    def by_hand(self, backward: Callable) -> Callable:
        """State the backward of all inputs at once, on arrays; used unless the gradient is differentiated again."""
        self._hand_reads = tuple(inspect.signature(backward).parameters)
        self.hand = self._bind_names("backward({})", self._hand_reads, backward=backward)
        return backward

    def by_ops(self, composition: Callable) -> Callable:
        """State the operation by others: gradients that are to be differentiated again are derived from that."""
        self.composition = composition
        return composition

    def rule(self, i: int) -> Callable | None:
        """The gradient rule of input ``i``."""
        return self.rules[i] if i < self.arity else self.rest_rule

    def reads(self, i: int) -> tuple[str, ...]:
        """The names the gradient rule of input ``i`` reads, in order."""
        rule = self.rule(i)
        return tuple(inspect.signature(rule).parameters) if rule is not None else ()

    def keep(self, values: list, needs: int) -> Sequence:
        """Of the values of a call (inputs, output, what else the forward kept) those that are read by the rules of the
        inputs in the bit set ``needs``, None in the place of others; nothing if none is. A bit above those of the
        inputs marks how many there are.
        """
        unread = self._unread[needs]
        if len(unread) == len(values):
            return ()
        for place in unread:
            values[place] = None
        return values

    def _find_unread(self, needs: int) -> list[int]:
        count = needs.bit_length() - 1
        read = {name for i in range(count) if needs >> i & 1 for name in self.reads(i)}
        if self.hand is not None:
            read.update(self._hand_reads)
        if self.composition is not None:
            read.update(self.inputs)
        names = [*self.inputs, *[self.rest] * (count - self.arity), self.names.output]
        return [i for i, name in enumerate(names) if name not in read]

    def backward(self, g: Any, saved: Sequence, attrs: dict, edges: Sequence) -> list:
        """The gradient of each input that has an edge, None for the others."""
        if self.hand is not None and (type(g) is np.ndarray or not _is_recorded(g)):
            return self.hand(g, saved, attrs, edges)
        if self.composition is not None:
            return self._derive_again(g, saved, attrs, edges)
        parts: list[Any] = [None] * len(edges)
        adapters = self._adapters
        for i, edge in enumerate(edges):
            if edge is not None:
                parts[i] = (adapters.get(i) or self._adapter(i))(g, saved, attrs, edge)
        return parts

    def _derive_again(self, g: Any, saved: Sequence, attrs: dict, edges: Sequence) -> list:
        """The gradients as those of the composition, at the point where this operation ran."""
        inputs = list(saved[: self.arity])
        needed = [i for i, edge in enumerate(edges) if edge is not None]
        with enable_grad():
            for i in needed:  # a tensor of its own for each: what an input was computed from is not walked here
                inputs[i] = inputs[i].view_as(inputs[i])
            outputs = self.composition(*inputs, **attrs)  # type: ignore[misc]
        pairs = zip(outputs, g, strict=True) if type(g) is list else [(outputs, g)]
        ys, parts = zip(*[pair for pair in pairs if pair[1] is not None], strict=True)
        found = iter(grad(ys, [inputs[i] for i in needed], parts, create_graph=True, allow_unused=True))
        gradients = [None if edge is None else next(found) for edge in edges]
        return gradients if state.recording else [None if part is None else part.detach() for part in gradients]

    def origins(self, node: Node) -> list:
        """Where each of the values a node saved came from: the inputs' edges, then the node itself for its output."""
        return [*node.edges, node]

    def _adapter(self, i: int) -> Callable:
        """The rule of input ``i`` as a function of (g, saved, attrs, edge), which hands it what it names."""
        rule = self.rule(i)
        if rule is None:
            name = self.inputs[i] if i < self.arity else self.rest
            raise RuntimeError(
                f"{self.name}: no derivative with respect to {name}; got one that requires it; detach() it"
            )
        adapter = self._adapters[i] = self._bind_names(
            "as_value(rule({}))", self.reads(i), f"{i - self.arity}", rule=rule, as_value=as_value
        )
        return adapter

    def _bind_names(self, call: str, names: Sequence[str], index: str = "", **known: Any) -> Callable:
        """``call`` as a function of (g, saved, attrs, edges or edge), with each of the names looked up in its place.

        It is printed as text, once: to look names up at every call would cost as much as a small kernel.
        """
        needs = ", ".join(f"edge[{i}] is not None" for i in range(self.arity))
        where = {"g": "g", "shape": "edge.shape", "index": index, "needs": f"({needs},)"}
        where.update((name, f"attrs[{name!r}]") for name in self.attrs)
        where.update((name, f"saved[{place}]") for place, name in enumerate(self.inputs))
        where.update({self.names.output: f"saved[{self.arity}]", "kept": f"saved[{self.arity + 1}]"})
        if self.rest:
            where["needs"] = "[e is not None for e in edge]"
            where.update({self.names.output: "saved[-1]", self.rest: f"saved[{self.arity}:-1]"})
        arguments = ", ".join(where[name] for name in names)
        return eval(f"lambda g, saved, attrs, edge: {call.format(arguments)}", known)


def _is_recorded(g: Any) -> bool:
    """Whether gradients are tensors; an operation with several outputs has a list of them, some None."""
    return any(isinstance(part, Tensor) for part in g) if type(g) is list else isinstance(g, Tensor)


def as_value(gradient: Any) -> Any:
    """numpy turns 0-d arrays into its scalars on the way; a gradient is an array or a tensor."""
    return gradient if isinstance(gradient, (np.ndarray, Tensor)) or gradient is None else np.asarray(gradient)


def op(*, view: bool = False, **rules: Callable) -> Callable[[Callable], Op]:
    """Make the decorated forward an operation with these gradient rules, by input name. The output of a ``view`` may
    share the memory of its only input.
    """

    def register(forward: Callable) -> Op:
        made = Op(forward, rules)
        made.views = view
        registry[made.name] = made
        return made

    return register
