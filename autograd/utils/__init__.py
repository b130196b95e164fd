"""What stands beside the engine: `data`, which loads it, and `checkpoint`, which saves memory."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Both are imported when they are first named."""
    if name in ("checkpoint", "data"):
        return import_module(f"{__name__}.{name}")  # which makes it an attribute
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
