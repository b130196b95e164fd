"""The table of operations with inputs to try them on. The templates in test_ops.py run over every row.

The rows are in the folder ``rows``, a file for each room of operations. A row names a public function (``autograd.f`` and, if it is a method, ``Tensor.f``); PyTorch's function of the same
name is the oracle. Arrays stand for tensors: floating ones are run in every dtype of the row. Elementwise operations
have samples without being listed; ``DOMAINS`` in rows/elementwise.py narrows what they are given.
"""

import importlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FLOATS = ("float32", "float64")


@dataclass
class Sample:
    """One call: positional and keyword arguments."""

    args: tuple
    kwargs: dict = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = [*map(_short, self.args), *(f"{k}={_short(v)}" for k, v in self.kwargs.items())]
        return f"({', '.join(shown)})"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_short, value))}]"
    return repr(value)


@dataclass
class Row:
    """An operation and its samples; ``oracle`` is PyTorch's function if it has another name. ``ulps`` are allowed where
    PyTorch itself is that far from the true value. ``through(function, *args, **kwargs)`` calls it, in both libraries,
    where its arguments must be made first (a symmetric matrix) or its results are not unique (the sign of a vector).
    """

    name: str
    samples: list[Sample]
    dtypes: tuple[str, ...] = FLOATS
    oracle: Callable | None = None
    differentiable: bool = True
    ulps: float | None = None
    terms: float = 0.0  # the size of what is summed, where sums may cancel
    gradient_ulps: float | None = None
    method: bool = True
    through: Callable | None = None
    torch_fails: str = ""  # what PyTorch's own backward complains of; gradcheck stands in for it
    gradcheck: bool = True  # not at ties, where there is no derivative to compare with


def call(*args: Any, **kwargs: Any) -> Sample:
    """A sample, written as the call it is."""
    return Sample(args, kwargs)


def x(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Floating numbers in a range, always the same for the same arguments, no two equal."""
    random = np.random.default_rng(zlib.crc32(repr((shape, low, high, seed)).encode()))
    return np.asarray(random.uniform(low, high, shape))


def n(*shape: int, high: int, low: int = 0, seed: int = 0) -> np.ndarray:
    """Integers in [low, high)."""
    random = np.random.default_rng(zlib.crc32(repr((shape, low, high, seed)).encode()))
    return np.asarray(random.integers(low, high, shape))


def b(*shape: int, seed: int = 0) -> np.ndarray:
    """Truth values."""
    return np.asarray(x(*shape, seed=seed) > 0)


def transposed(*shape: int, **kwargs: Any) -> np.ndarray:
    """As `x`, with a memory layout that is not row-major."""
    return x(*shape[::-1], **kwargs).T


ROWS: list[Row] = []


def row(name: str, *samples: Sample, **options: Any) -> None:
    """Add a row to the table."""
    ROWS.append(Row(name, list(samples), **options))


def load_rows() -> list[Row]:
    """The whole table: a row for every elementwise operation, then those of the files in ``rows``."""
    for file in sorted((Path(__file__).parent / "rows").glob("*.py")):
        importlib.import_module(f"rows.{file.stem}")
    return ROWS
