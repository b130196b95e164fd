"""Functions that are called at a moment the user chose, until they are taken away again."""

from collections.abc import Callable
from typing import Any

__all__ = ["Handle", "Hooks"]


class Hooks(dict):
    """Hooks in the order they came in."""

    def add(self, hook: Callable) -> "Handle":
        """Call ``hook`` from now on; returns a handle whose ``remove()`` ends that."""
        handle = Handle(self)
        self[handle] = hook
        return handle

    def __call__(self, *args: Any) -> None:
        for hook in list(self.values()):
            hook(*args)


class Handle:
    """Takes a hook away again: ``remove()``, or the end of a ``with`` block."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self.hooks.pop(self, None)

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
