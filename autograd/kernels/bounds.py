"""What a formula makes certain about the size of its values, and the cheaper functions that this allows.

A range is what a value lies in unless it is NaN. That of an input is everything; tanh(x) is between -1 and 1 whatever
x is, and x * x not negative. An end that float32 has no normal number for is infinity or 0; beyond that the ends are
not rounded as the format would, so a function that stands in for another takes arguments a little beyond what it names.
"""

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

from .scalar import CHECKED, STANDINS
from .symbol import Symbol, topological

__all__ = ["Range", "ranges", "with_checks", "with_standins"]


class Range(NamedTuple):
    """From ``low`` to ``high``, both included."""

    low: float = -math.inf
    high: float = math.inf

    @classmethod
    def around(cls, ends: Sequence[float]) -> "Range":
        """The smallest that holds these; everything, if what inf and 0 make of each other is among them."""
        return EVERYTHING if any(map(math.isnan, ends)) else cls(-_up(-min(ends)), _up(max(ends)))

    def both(self, other: "Range") -> "Range":
        """What is in both."""
        return Range(max(self.low, other.low), min(self.high, other.high))


EVERYTHING = Range()


def _up(end: float) -> float:
    """The end, or what is above it in float32: infinity of a large number, 0 of a small negative one."""
    return math.inf if end >= 2.0**127 else 0.0 if -(2.0**-126) < end <= 0 else end


def ranges(roots: Sequence[Symbol]) -> dict[Symbol, Range]:
    """The range of every Symbol the roots are computed from."""
    found: dict[Symbol, Range] = {}
    for symbol in topological(roots):
        if symbol.op == "constant":
            found[symbol] = Range.around([float(symbol.args[0])])
        elif symbol.op == "where":
            found[symbol] = _either(symbol, found)
        elif symbol.op == "mul" and symbol.args[0] is symbol.args[1]:
            found[symbol] = Range(0.0)
        elif symbol.op in _FUNCTIONS:
            found[symbol] = _FUNCTIONS[symbol.op](*(found[a] for a in symbol.args))
        else:
            found[symbol] = _VALUES.get(symbol.op, EVERYTHING)
    return found


def with_standins(roots: Sequence[Symbol]) -> list[Symbol]:
    """The same values, by functions that are cheaper and right for the arguments that occur."""
    if all(symbol.op not in STANDINS for symbol in topological(roots)):
        return list(roots)
    found = ranges(roots)
    new: dict[Symbol, Symbol] = {}
    for symbol in topological(roots):
        op = symbol.op
        for name, low, high in STANDINS.get(op, ()):
            at = found[symbol.args[0]]
            if low <= at.low and at.high <= high:
                op = name
                break
        new[symbol] = Symbol(op, tuple(new[a] for a in symbol.operands)) if symbol.operands else symbol
    return [new[root] for root in roots]


def with_checks(roots: Sequence[Symbol]) -> tuple[list[Symbol], Symbol] | None:
    """The same values by the stand-ins of the functions that are worth a look at their arguments, and whether one of
    these forbids it; None if there is no such function.
    """
    new: dict[Symbol, Symbol] = {}
    forbidden: Symbol | None = None
    for symbol in topological(roots):
        op, args = symbol.op, tuple(new[a] for a in symbol.operands)
        if op in CHECKED:
            op, forbids = CHECKED[op]
            here = forbids(*args)
            forbidden = here if forbidden is None else Symbol.apply("bitwise_or", forbidden, here)
        new[symbol] = Symbol(op, args) if args else symbol
    return None if forbidden is None else ([new[root] for root in roots], forbidden)


def _ends(function: Callable[[float, float], float]) -> Callable[[Range, Range], Range]:
    """The range of a function of two numbers that is greatest and least where they are."""
    return lambda a, b: Range.around([function(x, y) for x, y in product(a, b)])


def _times(x: float, y: float) -> float:
    return x * y if x and y else 0.0  # 0 times an infinity is NaN, which no range speaks of


def _quotient(a: Range, b: Range) -> Range:
    if b.low <= 0 <= b.high:
        return EVERYTHING
    return Range.around([x / y for x, y in product(a, b)])


def _size(a: Range) -> Range:
    return Range(max(0.0, a.low, -a.high), max(-a.low, a.high))


def _signed(a: Range, _: Range) -> Range:
    largest = _size(a).high
    return Range(-largest, largest)


_FUNCTIONS: dict[str, Callable[..., Range]] = {
    "add": _ends(lambda x, y: x + y),
    "sub": _ends(lambda x, y: x - y),
    "mul": _ends(_times),
    "div": _quotient,
    "neg": lambda a: Range(-a.high, -a.low),
    "abs": _size,
    "copysign": _signed,
    "maximum": lambda a, b: Range(max(a.low, b.low), max(a.high, b.high)),
    "minimum": lambda a, b: Range(min(a.low, b.low), min(a.high, b.high)),
}

_VALUES = {
    "exp": Range(0.0), "exp2": Range(0.0), "sqrt": Range(0.0), "expm1": Range(-1.0), "cosh": Range(1.0),
    "tanh": Range(-1.0, 1.0), "erf": Range(-1.0, 1.0), "erfc": Range(0.0, 2.0), "sin": Range(-1.0, 1.0),
    "cos": Range(-1.0, 1.0),
}  # fmt: skip
"""The values of functions, whatever their argument is."""


def _either(symbol: Symbol, found: dict[Symbol, Range]) -> Range:
    """Of two values; one that is compared with a constant is on its side of it where it is chosen."""
    condition, chosen, other = symbol.args
    a, b = found[chosen], found[other]
    if condition.op in ("lt", "le", "gt", "ge") and condition.args[1].op == "constant":
        compared, bound = condition.args[0], float(condition.args[1].args[0])
        below, above = Range(high=bound), Range(low=bound)
        if condition.op in ("gt", "ge"):
            below, above = above, below
        a = a.both(below) if chosen is compared else a
        b = b.both(above) if other is compared else b
    return Range(min(a.low, b.low), max(a.high, b.high))
