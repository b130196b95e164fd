"""Functions that are called at a moment the user chose, until they are taken away again."""

import itertools
from typing import Any

__all__ = ["Handle", "Hooks"]

_numbers = itertools.count()


class Hooks(dict[int, Any]):
    """The hooks of one moment by number, in the order they are called in."""

    def add(self, hook: Any, first: bool = False) -> "Handle":
        """Call ``hook`` from now on, after the others or ``first``."""
        number = next(_numbers)
        others = dict(self) if first else {}
        for other in others:
            del self[other]
        self[number] = hook
        self.update(others)
        return Handle(self, number)

    def in_order(self) -> list:
        """The hooks as they are now: one that is called may add others and take itself away."""
        return [*self.values()]

    def replace(self, value: Any) -> Any:
        """``value`` after each hook has seen it; what a hook returns takes its place."""
        for hook in self.in_order():
            replaced = hook(value)
            if replaced is not None:
                value = replaced
        return value


class Handle:
    """Takes a hook away again: ``remove()``, or the end of a ``with`` block."""

    def __init__(self, hooks: Hooks, number: int) -> None:
        self._hooks = hooks
        self._number = number

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self._number, None)

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
