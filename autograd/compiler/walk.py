"""How a loop for a group of elementwise steps, copies and sums goes over its arrays.

Axes are merged where every array allows it, so most loops run over one axis or two. The pool shares out the first axis.
Where sums go over that, it is cut into blocks with sums of their own; or, where few and long rows are summed, parts of
the last axis are shared out. So the order in which numbers are added does not depend on the threads.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels import scalar, threads
from ..kernels.printer import expand
from ..kernels.symbol import Symbol, topological
from .fuse import Group, spread_ref
from .program import Copy, Formula, Ref, Sum

__all__ = ["SHORT", "Walk"]

SHORT = 64
"""A loop with fewer turns is not cut: into stages, or parts of a row."""

BLOCKS, FEWEST = 16, 16
"""How many blocks of rows are summed apart from each other at most, and how many rows one of them has at least."""

LONG = 2**13
"""Rows of so many elements are shared out in parts that are long enough to be fetched ahead."""


def _sum_strides(step: Sum) -> list[int]:
    """For each axis of the source how far the sum moves on: not at all along those that are summed over."""
    ndim, out = len(step.source.shape), step.out
    kept = [d for d in range(ndim) if d not in step.axes]
    if len(out.shape) == len(kept):
        by_axis = dict(zip(kept, out.strides, strict=True))
    else:
        lead = ndim - len(out.shape)
        by_axis = {d: out.strides[d - lead] for d in kept if d >= lead}
    return [by_axis.get(d, 0) for d in range(ndim)]


class Walk:
    """What a loop computes at each turn, the references whose addresses it takes, in order, and its axes: their
    lengths, the steps of each array along them, and over which of them each sum goes.
    """

    def __init__(self, group: Group, parallel: bool = False) -> None:
        self.group = group
        self.shape = group.shape
        self.pointers: list[Ref] = []
        self._strides: list[tuple[int, ...]] = []
        self._places: dict[Any, int] = {}
        self.sums = [step for step in group.steps if isinstance(step, Sum)]
        self._read_body()
        self._merge()
        self.columns = [k for k, over in enumerate(self.reduced) if 0 in over and len(over) < len(self.lengths)]
        self.rows = [k for k in range(len(self.sums)) if k not in self.columns]
        self.cut = 0  # the length of the first axis, if that was cut into blocks
        self.ends: dict[int, list[int]] = {}  # the steps of what the sums of blocks are added up in, by its place
        is_large = math.prod(self.lengths) >= threads.elements(self._work())
        in_blocks = is_large and bool(self.columns) and self._cut_rows()
        self.parallel = parallel and is_large and (not self.columns or in_blocks or self._cut_columns(threads.count))

    # --- what is computed at each turn --------------------------------------------------------------------------------

    def _pointer(self, ref: Ref, strides: Sequence[int]) -> int:
        key = (ref.memory, ref.offset, tuple(strides), ref.dtype)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.pointers)
            self.pointers.append(ref)
            self._strides.append(tuple(strides))
        return place

    def _read_body(self) -> None:
        values: dict[Any, Symbol] = {}  # the latest value of each place
        self.loads: dict[str, int] = {}
        self.kinds: dict[str, str] = {}

        def key(ref: Ref) -> Any:
            at = spread_ref(ref, self.shape)
            strides = tuple(0 if n == 1 else s for n, s in zip(self.shape, at.strides, strict=True))
            return (ref.memory, ref.offset, strides, ref.dtype)

        def value(operand: Any) -> Symbol:
            if not isinstance(operand, Ref):
                return Symbol.of(operand)
            at = key(operand)
            if at not in values:
                place = self._pointer(operand, at[2])
                name = f"x{place}"
                self.loads[name] = place
                if operand.dtype.kind == "b":
                    self.kinds[name] = "bool"
                values[at] = Symbol.input(name)
            return values[at]

        totals: list[Symbol] = []
        for step in self.group.steps:
            if isinstance(step, Formula):
                values[key(step.out)] = Symbol.apply(step.op.name, *map(value, step.operands))
            elif isinstance(step, Copy):
                values[key(step.out)] = value(step.source)
            else:
                assert isinstance(step, Sum)
                totals.append(value(step.source))
        self.stores: list[tuple[int, Ref]] = []
        results: list[Symbol] = []
        summed = {id(step.out) for step in self.sums}
        for ref in self.group.stored:
            if id(ref) not in summed:
                at = key(ref)
                self.stores.append((self._pointer(ref, at[2]), ref))
                results.append(values[at])
        self.sum_places = [self._pointer(step.out, _sum_strides(step)) for step in self.sums]
        self.results = expand([*results, *totals])

    # --- axes ---------------------------------------------------------------------------------------------------------

    def _merge(self) -> None:
        """Axes that every array passes in one stride become one; those of length 1 go."""
        axes = [d for d, n in enumerate(self.shape) if n != 1]
        reduced = [frozenset(step.axes) for step in self.sums]
        merged: list[list[int]] = []
        for d in axes:
            if (
                merged
                and all(strides[merged[-1][-1]] == strides[d] * self.shape[d] for strides in self._strides)
                and all((merged[-1][-1] in over) == (d in over) for over in reduced)
            ):
                merged[-1].append(d)
            else:
                merged.append([d])
        self.lengths = [int(np.prod([self.shape[d] for d in run])) for run in merged]
        self.steps = [[strides[run[-1]] for run in merged] for strides in self._strides]
        self.reduced = [{i for i, run in enumerate(merged) if run[0] in over} for over in reduced]

    def _work(self) -> int:
        """That of a turn: the arrays which it takes an element of, and functions."""
        functions = sum(s.op in scalar.FUNCTIONS for s in topological(self.results))
        return sum(map(all, self.steps)) + 2 * functions or 1

    def _cut_rows(self) -> bool:
        """Make the first axis two, of which the first counts blocks, each with sums of its own, if there is enough for
        that. It is done without the pool too, so that numbers are added in one order.
        """
        n, blocks = self.lengths[0], min(BLOCKS, self.lengths[0] // FEWEST)
        if blocks < 2 or self.lengths[-1] >= LONG:
            return False
        self.cut, height = n, -(-n // blocks)
        self.lengths = [-(-n // height), height, *self.lengths[1:]]
        self.steps = [[steps[0] * height, *steps] for steps in self.steps]
        for k, over in enumerate(self.reduced):
            self.reduced[k] = {axis + 1 for axis in over} | ({0} if 0 in over and k not in self.columns else set())
        for k in self.columns:
            place = self.sum_places[k]
            self.ends[place] = self.steps[place]
            self.steps[place] = [0] * len(self.lengths)
            size = 1
            for axis in reversed(range(len(self.lengths))):
                if axis not in self.reduced[k]:
                    self.steps[place][axis] = size
                    size *= self.lengths[axis]
        return True

    def _cut_columns(self, parts: int) -> bool:
        """Make the last axis two, of which the first counts its parts and comes first, if no sum is over it."""
        last, width = len(self.lengths) - 1, self.lengths[-1] // parts
        if any(last in over for over in self.reduced) or width * parts != self.lengths[-1] or width < SHORT:
            return False
        self.lengths = [parts, *self.lengths[:-1], width]
        self.steps = [[steps[-1] * width, *steps] for steps in self.steps]
        self.reduced = [{axis + 1 for axis in over} for over in self.reduced]
        return True

    def _turns(self, axis: int) -> str:
        """How many turns an axis has: in the last of the blocks maybe fewer rows than in others."""
        n = self.lengths[axis]
        return f"min({n}, {self.cut} - i0 * {n})" if self.cut and axis == 1 else str(n)

    def _span(self, place: int) -> int:
        """How many elements an array is that reaches from the first turn's to the last's."""
        return 1 + sum(abs(step) * (n - 1) for step, n in zip(self.steps[place], self.lengths, strict=True))
