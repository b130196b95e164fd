"""What a captured step is made of: memory, references to parts of it, and the steps that read and write them.

A program is a list of steps in the order in which the function ran them. Steps name memory, not values: a view is
another reference to the same memory, and a write in place is a step like any other. Every shape, stride and offset is
known, since they are those of the arrays that were there when the function was captured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ops.formula import Elementwise

__all__ = [
    "Call", "Copy", "Fed", "Formula", "KernelCall", "Memory", "Product", "Ref", "Step", "Sum", "Tally", "UpdateCall",
]  # fmt: skip


class Memory:
    """One block of memory. ``kind`` says whose it is:

    ``"outside"``: it was there before (parameters, running statistics, constants) or outlives the call;
    ``"input"``: an argument of the function; ``"fed"``: filled from Python before each run (random numbers);
    ``"own"``: made by a step, nobody else's, and placed by the planner.
    """

    def __init__(self, owner: np.ndarray, kind: str) -> None:
        self.owner = owner
        self.kind = kind
        self.nbytes = max(owner.nbytes, 1)
        self.initial: np.ndarray | None = None  # what it holds at the start of each run, if steps change it
        self.address = owner.__array_interface__["data"][0]

    def __repr__(self) -> str:
        return f"<{self.kind} memory of {self.nbytes} bytes>"


@dataclass(frozen=True)
class Ref:
    """Part of a block: ``offset`` and ``strides`` count elements of ``dtype``."""

    memory: Memory
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after the other in row-major order."""
        expected = 1
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length != 1 and stride != expected:
                return False
            expected *= length
        return True

    @property
    def span(self) -> tuple[int, int]:
        """The first byte and the byte after the last one that it may touch, within its block."""
        if not self.size:
            return 0, 0
        reach = [stride * (length - 1) for stride, length in zip(self.strides, self.shape, strict=True)]
        low = self.offset + sum(r for r in reach if r < 0)
        high = self.offset + sum(r for r in reach if r > 0) + 1
        return low * self.dtype.itemsize, high * self.dtype.itemsize

    def array(self, block: np.ndarray) -> np.ndarray:
        """The part of this array, which stands for the block."""
        size = self.dtype.itemsize
        return np.ndarray(self.shape, self.dtype, block, self.offset * size, tuple(s * size for s in self.strides))


class Fed(float):
    """A number that Python computes anew before each run: the rate of an optimizer, a count of steps.

    Computing with it would freeze it at what it is now, so that is refused.
    """

    slot: int | None = None  # where before each run Python puts it
    ref: "Ref | None" = None  # where in memory the program finds it
    numbers: Sequence[float]

    def _frozen(self, *others: Any) -> Any:
        raise RuntimeError("compile: a number that changes from run to run was computed with while capturing")

    @classmethod
    def of(
        cls, value: float, slot: int | None = None, ref: "Ref | None" = None, numbers: Sequence[float] = ()
    ) -> "Fed":
        """The number as it is now, and where it will be."""
        number = cls(value)
        number.slot, number.ref, number.numbers = slot, ref, numbers
        return number

    def now(self) -> float:
        """What it is at this run, for what is called as it stands."""
        if self.ref is not None:
            return float(self.ref.array(self.ref.memory.owner))
        assert self.slot is not None
        return self.numbers[self.slot]

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _frozen
    __pow__ = __rpow__ = __neg__ = _frozen


# --- steps -----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Step:
    """One thing that is done: what it reads and what it writes."""

    reads: list[Ref] = field(default_factory=list, kw_only=True)
    writes: list[Ref] = field(default_factory=list, kw_only=True)
    line: str = field(default="", kw_only=True)  # of the user's program

    @property
    def title(self) -> str:
        """What it is called in a listing."""
        return type(self).__name__.lower()


@dataclass(eq=False)
class Formula(Step):
    """An elementwise operation on operands, references or numbers, that broadcast to the shape of ``out``."""

    op: Elementwise
    operands: Sequence[Any]
    out: Ref
    dtype: np.dtype  # of the arithmetic

    @property
    def title(self) -> str:
        return self.op.name


@dataclass(eq=False)
class Copy(Step):
    """The elements of ``source``, or one number, written to ``out``, converted to its dtype."""

    source: Any
    out: Ref


@dataclass(eq=False)
class Sum(Step):
    """``scale`` times the sum of ``source`` over its first or last axes, all of which ``out`` lacks."""

    source: Ref
    out: Ref
    axes: tuple[int, ...]
    scale: float = 1.0


@dataclass(eq=False)
class Product(Step):
    """The matrix product of a and b, matrices or stacks of them."""

    a: Ref
    b: Ref
    out: Ref


@dataclass(eq=False)
class KernelCall(Step):
    """A hand-written kernel called with references and numbers. If it reports in ``status`` that an input is bad, the
    operation runs again for its error: ``check`` is a function and the nest of its arguments.
    """

    kernel: Any
    args: Sequence[Any]
    dtype: np.dtype
    status: Ref | None = None
    check: tuple[Callable, Any] | None = None

    @property
    def title(self) -> str:
        return self.kernel.name


@dataclass(eq=False)
class Tally(Step):
    """1 added to a counter."""

    counter: Ref


@dataclass(eq=False)
class UpdateCall(Step):
    """An update in place of flat tensors by a formula."""

    update: Any
    tensors: Sequence[Ref]
    numbers: Sequence[Any]
    dtype: np.dtype

    @property
    def title(self) -> str:
        return self.update.name


@dataclass(eq=False)
class Call(Step):
    """An operation without a jitted form: ``function`` takes arrays for references, and its results are copied to
    ``outs``.
    """

    name: str
    function: Callable
    arguments: Any  # a nest of references and values
    outs: list[Ref | None]

    @property
    def title(self) -> str:
        return self.name
