"""How operations run on all lanes at once: one rule for each family of operations, in one table.

A rule is called with the operation, its inputs, for each of them whether its first axis is the lanes, its attributes
and the number of lanes; it returns the output with the lanes as first axis. It leaves a case it does not know by
returning NotImplemented: then, as for an operation without a rule, the operation runs on each lane. The rules are in
`rules_axes`, `rules_places` and `rules_products`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ops.formula import Elementwise
from ..ops.join import stack
from ..ops.shape import expand, reshape
from ..tensor import Tensor
from .lanes import Batched

__all__ = ["RULES", "Interpreter", "all_mapped", "lane_ndims", "ranked", "rule_for"]

Rule = Callable[[Any, list, list[bool], dict, int], Any]

RULES: dict[str, Rule] = {}
"""Rules by the name of the operation; that of every elementwise operation is called "elementwise"."""


def rule_for(*names: str) -> Callable[[Rule], Rule]:
    """Make the decorated function the rule of these operations."""

    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, rule))
        return rule

    return register


class Interpreter:
    """Runs the operations of one map: those with an input of its level on all lanes, the others as they are."""

    def __init__(self, level: int, lanes: int) -> None:
        self.level = level
        self.lanes = lanes

    def __call__(self, op: Any, inputs: Sequence, attrs: dict) -> Any:
        mapped = [isinstance(x, Batched) and x.level == self.level for x in inputs]
        if not any(mapped):
            return op(*inputs, **attrs)
        values = [x.value if here else x for x, here in zip(inputs, mapped, strict=True)]
        rule = RULES.get(op.name) or (RULES["elementwise"] if isinstance(op, Elementwise) else each_lane)
        out = rule(op, values, mapped, attrs, self.lanes)
        if out is NotImplemented:
            out = each_lane(op, values, mapped, attrs, self.lanes)
        if type(out) is tuple:
            return tuple(Batched(self.level, o) for o in out)
        return Batched(self.level, out)


def each_lane(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    """The operation on one lane after the other."""
    outs = [op(*(v[i] if here else v for v, here in zip(values, mapped, strict=True)), **attrs) for i in range(lanes)]
    if not outs:
        raise RuntimeError(f"vmap: {op.name} is run lane by lane; got 0 lanes")
    return tuple(stack(parts) for parts in zip(*outs, strict=True)) if type(outs[0]) is tuple else stack(outs)


def ranked(x: Any, here: bool, ndim: int) -> Any:
    """x with axes of length 1 after the lanes, so that one lane has ``ndim`` axes and broadcasts as it should."""
    missing = ndim + 1 - x.ndim
    return reshape(x, (x.shape[0], *[1] * missing, *x.shape[1:])) if here and missing > 0 else x


def all_mapped(values: list, mapped: list[bool], lanes: int) -> list:
    """The inputs, all with lanes; those that had none are the same in each."""
    return [v if here else expand(_tensor(v), (lanes, *v.shape)) for v, here in zip(values, mapped, strict=True)]


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor) else Tensor(np.asarray(x))


def lane_ndims(values: list, mapped: list[bool]) -> list[int]:
    """How many axes each input has in one lane."""
    return [np.ndim(v.array if isinstance(v, Tensor) else v) - here for v, here in zip(values, mapped, strict=True)]
