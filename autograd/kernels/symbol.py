"""Symbols: what a formula is made of while it is being read.

Calling a formula such as ``1 / (1 + exp(-x))`` with Symbols in place of numbers leaves behind the expression it
computes, a small directed acyclic graph. The printer writes it out as a kernel; the derivative of the formula is
found by walking the graph backward.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

__all__ = ["Symbol", "formulas", "topological"]

formulas: dict[str, Callable] = {}
"""The formula of every operation that is not a primitive of the printer, by name."""


class Symbol:
    """A value in a formula: an input (``op == "input"``), a constant, or ``op`` applied to other Symbols.

    ``args`` holds the name of an input, the number of a constant, or the operands.
    """

    __slots__ = ("args", "op")

    if TYPE_CHECKING:  # what _bind_operators sets

        def _binary(self, other: Any, /) -> "Symbol": ...
        def _unary(self) -> "Symbol": ...

        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _binary
        __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = _binary
        __rand__ = __ror__ = __rxor__ = __rlshift__ = __rrshift__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _binary  # type: ignore[assignment]
        __neg__ = __abs__ = __invert__ = _unary

    def __init__(self, op: str, args: tuple) -> None:
        self.op = op
        self.args = args

    def __repr__(self) -> str:
        if self.op in ("input", "constant"):
            return str(self.args[0])
        return f"{self.op}({', '.join(map(repr, self.args))})"

    def __bool__(self) -> bool:
        raise TypeError("formula: a branch can't depend on a value; got `if`, `and`, `or` or `not`; use where(c, a, b)")

    # Comparisons make Symbols, so equality can't; identity is what sets and dicts of Symbols need.
    __hash__ = object.__hash__

    @staticmethod
    def input(name: str) -> "Symbol":
        """An input of the formula, by name."""
        return Symbol("input", (name,))

    @staticmethod
    def of(value: "Symbol | bool | int | float") -> "Symbol":
        """The value itself if it is a Symbol, else the number as a constant."""
        return value if isinstance(value, Symbol) else Symbol("constant", (value,))

    @staticmethod
    def apply(op: str, *args: "Symbol | bool | int | float") -> "Symbol":
        """``op`` applied to Symbols and numbers."""
        return Symbol(op, tuple(Symbol.of(a) for a in args))

    @property
    def operands(self) -> "tuple[Symbol, ...]":
        """The Symbols this one is computed from; empty for an input and a constant."""
        return () if self.op in ("input", "constant") else self.args


def _bind_operators() -> None:
    binary = {
        "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
        "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
        "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
    }  # fmt: skip
    for python, op in binary.items():
        setattr(Symbol, f"__{python}__", lambda a, b, op=op: Symbol.apply(op, a, b))
        setattr(Symbol, f"__r{python}__", lambda a, b, op=op: Symbol.apply(op, b, a))
    for op in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(Symbol, f"__{op}__", lambda a, b, op=op: Symbol.apply(op, a, b))
    for python, op in {"neg": "neg", "abs": "abs", "invert": "bitwise_not"}.items():
        setattr(Symbol, f"__{python}__", lambda a, op=op: Symbol.apply(op, a))


_bind_operators()


def topological(roots: Iterable[Symbol]) -> list[Symbol]:
    """Every Symbol the roots are computed from, operands before the results that use them, each once."""
    order: list[Symbol] = []
    seen: set[Symbol] = set()
    stack: list[tuple[Symbol, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        symbol, operands_done = stack.pop()
        if operands_done:
            order.append(symbol)
        elif symbol not in seen:
            seen.add(symbol)
            stack.append((symbol, True))
            stack.extend((operand, False) for operand in reversed(symbol.operands))
    return order
