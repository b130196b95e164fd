"""A dictionary that makes what it is asked for."""

from collections.abc import Callable
from typing import TypeVar

__all__ = ["Table"]

Key = TypeVar("Key")
Value = TypeVar("Value")


class Table(dict[Key, Value]):
    """The values that ``make`` gives for keys, each made when it is first asked for; quicker than `functools.cache`.

    >>> squares = Table(lambda n: n * n)
    >>> squares[3]
    9
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[[Key], Value]) -> None:
        self.make = make

    def __missing__(self, key: Key) -> Value:
        value = self[key] = self.make(key)
        return value
