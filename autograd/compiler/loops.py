"""The text of one loop for a group of elementwise steps, copies and sums.

Axes are merged where every array allows it, so most loops run over one axis or two. A sum over the last axes is kept in
a variable, block by block, and the blocks are added up in double precision; a sum over the first axes is added to its
place in memory, turn by turn.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels import threads
from ..kernels.addresses import ADDRESSES
from ..kernels.printer import expand, print_function, print_helpers, print_prologue
from ..kernels.symbol import Symbol, topological
from .fuse import Group, spread_ref
from .program import Copy, Formula, Ref, Sum

__all__ = ["Loop", "numba_name"]

BLOCK = 4096
"""So many elements are added up in the dtype of the loop before they go into a double."""

_PLUS = """

@njit(forceinline=True, fastmath={"reassoc", "nsz"}, error_model="numpy")
def plus(a, b):
    return a + b
"""


def numba_name(dtype: np.dtype) -> str:
    """The dtype as numba spells it."""
    return "np.bool_" if dtype.kind == "b" else f"np.{dtype.name}"


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


class Loop:
    """The loop of a group: its text, and the references whose addresses it takes, in order."""

    def __init__(self, group: Group, parallel: bool = False) -> None:
        self.group = group
        self.shape = group.shape
        self.parallel = parallel
        self.pointers: list[Ref] = []
        self._strides: list[tuple[int, ...]] = []
        self._places: dict[Any, int] = {}
        self._sums = [step for step in group.steps if isinstance(step, Sum)]
        self._read_body()
        self._merge()

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
        summed = {id(step.out) for step in self._sums}
        for ref in self.group.stored:
            if id(ref) not in summed:
                at = key(ref)
                self.stores.append((self._pointer(ref, at[2]), ref))
                results.append(values[at])
        self.sum_places = [self._pointer(step.out, _sum_strides(step)) for step in self._sums]
        self.results = expand([*results, *totals])

    # --- axes ---------------------------------------------------------------------------------------------------------

    def _merge(self) -> None:
        """Axes that every array passes in one stride become one; those of length 1 go."""
        axes = [d for d, n in enumerate(self.shape) if n != 1]
        reduced = [frozenset(step.axes) for step in self._sums]
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

    def _index(self, place: int) -> str:
        ref = self.pointers[place]
        start = ref.offset - ref.span[0] // ref.dtype.itemsize  # not 0 where a stride is negative
        terms = [str(start)] if start else []
        terms += [
            f"i{axis} * {step}" if step != 1 else f"i{axis}" for axis, step in enumerate(self.steps[place]) if step
        ]
        return " + ".join(terms) or "0"

    # --- text ---------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """A module with the function ``loop`` of the addresses of `pointers`."""
        dtype = self.group.dtype
        names = list(self.loads)
        used = [s.op for s in topological(self.results)]
        parts = [print_prologue(dtype), ADDRESSES, print_helpers(used, dtype)]
        parts.append(print_function("formula", names, self.results, self.kinds))
        if self._sums:
            parts.append(_PLUS)
        parts.append(self._function())
        return "".join(parts)

    def _function(self) -> str:
        arguments = ", ".join(f"p{i}" for i in range(len(self.pointers)))
        flags = f", {threads.OPTIONS}" if self.parallel else ""
        lines = [f"\n\n@njit(cache=True, **EXACT{flags})\ndef loop({arguments}):"]
        for i, (ref, steps) in enumerate(zip(self.pointers, self.steps, strict=True)):
            span = 1 + sum(abs(s) * (n - 1) for s, n in zip(steps, self.lengths, strict=True))
            lines.append(f"    a{i} = carray(at(p{i}), {span}, {numba_name(ref.dtype)})")
        depth = len(self.lengths)
        columns = [k for k, over in enumerate(self.reduced) if over and len(over) < depth and 0 in over]
        for k in columns:
            lines += self._over_kept(k, f"a{self.sum_places[k]}[{{}}] = F(0)")
        lines += self._nest(0, "    ", columns)
        for k in columns:
            if self._sums[k].scale != 1:
                place = f"a{self.sum_places[k]}[{{0}}]"
                lines += self._over_kept(k, f"{place} = {place} * F({self._sums[k].scale!r})")
        return "\n".join(lines) + "\n"

    def _over_kept(self, k: int, statement: str) -> list[str]:
        """A loop over what a sum of columns is stored in."""
        lines, pad = [], "    "
        for axis, n in enumerate(self.lengths):
            if axis not in self.reduced[k]:
                lines.append(f"{pad}for i{axis} in range({n}):")
                pad += "    "
        return [*lines, pad + statement.format(self._index(self.sum_places[k]))]

    def _nest(self, axis: int, pad: str, columns: Sequence[int]) -> list[str]:
        """The loops from this axis inward. A sum that begins here has its total in a double around them."""
        depth = len(self.lengths)
        here = [k for k, over in enumerate(self.reduced) if k not in columns and min(over) == axis]
        lines = [f"{pad}total{k} = 0.0" for k in here]
        if axis == depth:
            lines += self._body(pad, columns)
        elif axis == depth - 1:
            lines += self._innermost(axis, pad, columns)
        else:
            lines.append(f"{pad}for i{axis} in {self._range(axis)}({self.lengths[axis]}):")
            lines += self._nest(axis + 1, pad + "    ", columns)
        for k in here:
            place = self.sum_places[k]
            lines.append(f"{pad}a{place}[{self._index(place)}] = F(total{k} * {self._sums[k].scale!r})")
        return lines

    def _range(self, axis: int) -> str:
        return "prange" if self.parallel and axis == 0 else "range"

    def _innermost(self, axis: int, pad: str, columns: Sequence[int]) -> list[str]:
        n = self.lengths[axis]
        rows = [k for k, over in enumerate(self.reduced) if k not in columns and over]
        lines = []
        if n > BLOCK and (rows or (self.parallel and axis == 0)):
            lines.append(f"{pad}for b in {self._range(axis)}({-(-n // BLOCK)}):")
            pad += "    "
            bounds = f"b * {BLOCK}, min(b * {BLOCK} + {BLOCK}, {n})"
        else:
            bounds = str(n)
        lines += [f"{pad}sum{k} = F(0)" for k in rows]
        lines.append(f"{pad}for i{axis} in range({bounds}):")
        lines += self._body(pad + "    ", columns)
        lines += [f"{pad}total{k} += np.float64(sum{k})" for k in rows]
        return lines

    def _body(self, pad: str, columns: Sequence[int]) -> list[str]:
        arguments = ", ".join(f"a{place}[{self._index(place)}]" for place in self.loads.values())
        names = [f"r{i}" for i in range(len(self.results))]
        lines = [f"{pad}{', '.join(names)} = formula({arguments})"]
        for name, (place, _) in zip(names, self.stores, strict=False):
            lines.append(f"{pad}a{place}[{self._index(place)}] = {name}")
        for k, name in enumerate(names[len(self.stores) :]):
            place = self.sum_places[k]
            if k in columns:
                lines.append(f"{pad}a{place}[{self._index(place)}] += {name}")
            else:
                lines.append(f"{pad}sum{k} = plus(sum{k}, {name})")
        return lines
