"""What the formulas of this package share: the constants of a float format, the register, polynomials."""

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from ..symbol import Symbol

__all__ = [
    "AS_WRITTEN", "CHECKED", "DOUBLE", "FUNCTIONS", "SINGLE", "STANDINS", "Precision", "apply", "as_written", "build",
    "checked", "polynomial", "read", "scalar", "standin", "where",
]  # fmt: skip

T = TypeVar("T")


class Precision(NamedTuple):
    """What a formula must know of a float format: ``mantissa`` bits stored, exponent ``bias``."""

    mantissa: int
    bias: int

    def pick(self, single: T, double: T) -> T:
        """The one for float32 or the one for float64."""
        return single if self.mantissa == 23 else double

    @property
    def dtype(self) -> np.dtype:
        """The numpy dtype of the format."""
        return self.pick(np.dtype(np.float32), np.dtype(np.float64))

    def bits(self, value: float) -> int:
        """The bits of a number in this format, as a signed integer of the same width."""
        return int(np.array(value, self.dtype).view(f"i{self.dtype.itemsize}"))

    @property
    def shifter(self) -> float:
        """``1.5 * 2**mantissa``: added to a small number it rounds it to an integer, left in the lowest bits."""
        return 1.5 * 2.0**self.mantissa


SINGLE, DOUBLE = Precision(23, 127), Precision(52, 1023)

FUNCTIONS: dict[str, Callable] = {}
"""Every function of this package by name: ``f(x, precision) -> Symbol``."""


def scalar(function: Callable) -> Callable:
    """Register the function. Called directly on Symbols inside another one it is written in place."""
    FUNCTIONS[function.__name__] = function
    return function


STANDINS: dict[str, list[tuple[str, float, float]]] = {}
"""For a function those that compute it between two bounds, or of NaN, as exactly; the cheapest first."""


def standin(name: str, low: float, high: float) -> Callable[[Callable], Callable]:
    """Register a function that is the one of this name for arguments between the bounds, or NaN, and cheaper."""

    def register(function: Callable) -> Callable:
        STANDINS.setdefault(name, []).append((function.__name__, low, high))
        return scalar(function)

    return register


CHECKED: dict[str, tuple[str, Callable]] = {}
"""For a function a much cheaper one that is as exact, and which arguments forbid to take it: a loop looks first."""


def checked(near: str, forbids: Callable) -> Callable[[Callable], Callable]:
    """Register a function for which ``near`` stands in wherever no arguments of a stretch forbid it."""

    def register(function: Callable) -> Callable:
        CHECKED[function.__name__] = near, forbids
        return scalar(function)

    return register


AS_WRITTEN: set[str] = set()
"""Functions in which a product is rounded before it is added to something, unless that is written as one."""


def as_written(function: Callable) -> Callable:
    """Let the arithmetic of a function be done as it is written, because it is about rounding errors."""
    AS_WRITTEN.add(function.__name__)
    return function


def build(name: str, dtype: np.dtype) -> tuple[list[str], Symbol]:
    """The names of the arguments of a function and its body for this dtype."""
    return read(FUNCTIONS[name], dtype)


def read(function: Callable, dtype: np.dtype) -> tuple[list[str], Symbol]:
    """The names of the arguments of a formula and its body for this dtype, if it asks for the ``precision``."""
    names = list(inspect.signature(function).parameters)
    args = [name for name in names if name != "precision"]
    known = {name: Symbol.input(name) for name in args} | {"precision": SINGLE if dtype.itemsize == 4 else DOUBLE}
    return args, Symbol.of(function(*(known[name] for name in names)))


apply = Symbol.apply


def where(condition: Symbol, a: Symbol | float, b: Symbol | float) -> Symbol:
    """``a`` where the condition holds, else ``b``; both are computed."""
    return Symbol.apply("where", condition, a, b)


def polynomial(x: Symbol, coefficients: Sequence[float | Symbol]) -> Symbol:
    """``c0 + c1 x + c2 x^2 + ...`` by Horner's rule."""
    *rest, result = coefficients
    for c in reversed(rest):
        result = c + x * result
    return Symbol.of(result)
