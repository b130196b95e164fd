"""What stands in front of a kernel's text beside the scalar functions: parts that several kernels share, and the import
of those functions of `tile` and `panels` that it names.
"""

import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["IMPORTS", "Part", "addresses", "import_of", "part_names", "print_parts", "source_of"]

IMPORTS = "import numpy as np\nfrom numba import njit, prange, types\n"

_WRITTEN = {
    "advice": {"masked_turn"},
    "arrays": {"on_stack", "release", "scratch"},
    "panels": {"turn_square"},
    "tile": {"copy_pieces", "copy_row", "keep_larger", "lanes", "tile_dots", "tile_products"},
}


class Part:
    """A function that kernels share: its text is printed in front of that of each kernel that names it."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.function.__name__}: a part of kernels runs in them alone; got a call from elsewhere")


def source_of(function: Callable) -> str:
    """The text of a function without its decorators."""
    source = textwrap.dedent(inspect.getsource(function))
    return source[source.index("def ") :]


def _parts(function: Callable) -> list[Callable]:
    """The parts that a function names, each after those that it names itself."""
    found: dict[Callable, None] = {}
    for name in function.__code__.co_names:
        part = function.__globals__.get(name)
        if isinstance(part, Part):
            found.update(dict.fromkeys([*_parts(part.function), part.function]))
    return [*found]


def part_names(function: Callable) -> list[str]:
    """The names that a function and its parts use."""
    return [name for used in (*_parts(function), function) for name in used.__code__.co_names]


def print_parts(function: Callable, more: Iterable[str] = ()) -> str:
    """The text of the parts of a function, and the import of what it names, or ``more``, that is written in LLVM."""
    names = [*part_names(function), *more]
    used = {module: sorted(written.intersection(names)) for module, written in _WRITTEN.items()}
    imports = "".join(import_of(module, found) for module, found in used.items() if found)
    return imports + "".join(f"\n\n@njit(**INSIDE, **LOOSE)\n{source_of(part)}" for part in _parts(function))


def import_of(module: str, names: Iterable[str]) -> str:
    """The line that imports functions written by `vectors` into a kernel."""
    return f"from {__package__}.{module} import {', '.join(names)}  # {_version(module)}\n"


def addresses() -> str:
    """The line by which a kernel gets at memory whose address it is told."""
    return import_of("arrays", ["array_at", "at"])


@functools.cache
def _version(module: str) -> str:
    """A cached kernel does not notice an edit in what it imports, so its text says which version that is."""
    import hashlib

    texts = ((Path(__file__).parent / f"{name}.py").read_bytes() for name in (module, "vectors"))
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]
