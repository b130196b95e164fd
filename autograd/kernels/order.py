"""Floating numbers in the order of integers, in which SIMD finds the largest although NaN counts as that."""

from typing import Any

from .scalar import Precision
from .symbol import Symbol

__all__ = ["key", "rank", "unrank"]


def _flip(bits: Any, precision: Precision) -> Any:
    """Negative numbers with their other bits turned over: their sizes rise as their values fall."""
    width = precision.mantissa + precision.pick(8, 11)
    return bits ^ ((bits >> width) & ((1 << width) - 1))


def rank(x: Any, precision: Precision) -> Any:
    """An integer that is the greater the greater x is; that of NaN is the greatest."""
    largest = (1 << precision.mantissa + precision.pick(8, 11)) - 1
    return Symbol.apply("where", x != x, largest, _flip(Symbol.apply("bits", x), precision))


def unrank(k: Any, precision: Precision) -> Any:
    """The number of this `rank`."""
    return Symbol.apply("from_bits", _flip(Symbol.apply("to_int", k), precision))


def key(x: Any, precision: Precision) -> Any:
    """As `rank`, but the same for 0.0 and -0.0, which are equal."""
    return Symbol.apply("where", x == 0.0, 0, rank(x, precision))
