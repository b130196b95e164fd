"""The text of one loop for a group of elementwise steps, copies and sums.

A sum over the last axes is kept in a variable, block by block, and the blocks are added up in double precision; a sum
over the first axes is added to its place in memory, turn by turn, in large loops to one for each block of rows.
"""

from collections.abc import Sequence

import numpy as np

from ..kernels import scalar, threads
from ..kernels.parts import import_of
from ..kernels.printer import Function, indented, print_helpers, print_prologue
from ..kernels.symbol import Symbol, topological
from .walk import SHORT, Walk

__all__ = ["Loop", "numba_name"]

BLOCK = 4096
"""This many elements are added up in the dtype of the loop before they go into a double."""

STRETCH = 1024
"""This many elements of each stage of a loop are kept at a time."""

_PLUS = """

@njit(**INSIDE, fastmath={"reassoc", "nsz"}, **EXACT)
def plus(a, b):
    return a + b
"""


def numba_name(dtype: np.dtype) -> str:
    """The dtype as numba spells it."""
    return "np.bool_" if dtype.kind == "b" else f"np.{dtype.name}"


class Loop(Walk):
    """The text of the loop of a group."""

    # --- arrays -------------------------------------------------------------------------------------------------------

    def _index(self, place: int) -> str:
        """Where in its array the element of this turn is; shared out, arrays begin where the share of a thread does."""
        ref = self.pointers[place]
        start = ref.offset - ref.span[0] // ref.dtype.itemsize  # not 0 where a stride is negative
        terms = [str(start)] if start else []
        for axis, step in enumerate(self.steps[place]):
            if step and not (self.parallel and axis == 0 and len(self.lengths) > 1):
                terms.append(f"i{axis} * {step}" if step != 1 else f"i{axis}")
        return " + ".join(terms) or "0"

    def _arrays(self, pad: str, shift: str = "") -> list[str]:
        """The arrays at the addresses, those of a share ``shift`` turns of the first axis further on."""
        lines = []
        for i, (ref, steps) in enumerate(zip(self.pointers, self.steps, strict=True)):
            span = self._span(i)
            move = f" + {shift} * {steps[0] * ref.dtype.itemsize}" if shift and steps[0] else ""
            lines.append(f"{pad}a{i} = array_at({self._origin(i)}{move}, {span}, {numba_name(ref.dtype)})")
        return lines

    def _origin(self, place: int) -> str:
        return f"np.intp(sums{place}.ctypes.data)" if place in self.ends else f"p{place}"

    # --- stages -------------------------------------------------------------------------------------------------------

    def _split(self) -> None:
        """Where a turn calls several functions like exp, each but the last gets a loop of its own over a stretch that
        stays in the nearest cache: one long turn keeps the processor waiting for its own results, and few turns fit in
        its window.
        """
        order = topological(self.results)
        heavy = set([s for s in order if s.op in scalar.FUNCTIONS][:-1])
        self.stages: list[Symbol] = []
        if not heavy or not self.lengths or self.lengths[-1] < SHORT or self._turned():
            return
        new: dict[Symbol, Symbol] = {}
        for symbol in order:
            made = Symbol(symbol.op, tuple(new[a] for a in symbol.operands)) if symbol.operands else symbol
            if symbol in heavy:
                new[symbol] = Symbol.input(f"u{len(self.stages)}")
                self.stages.append(made)
            else:
                new[symbol] = made
        self.results = [new[r] for r in self.results]

    def _hides_count(self) -> bool:
        """Whether LLVM is not told how many turns the innermost of several loops has; very few it may write out."""
        return len(self.lengths) > 1 and self.lengths[-1] >= 8

    def _turned(self) -> bool:
        """Whether an array is passed backward along the last axis."""
        return any(steps[-1] < 0 for steps in self.steps)

    def _arguments(self, function: Function) -> str:
        return ", ".join(map(self._value, function.args))

    def _value(self, name: str) -> str:
        """An input of a formula at this turn: an element of an array, or what a stage has made."""
        return self._element(self.loads[name]) if name in self.loads else f"{name}[j]"

    def _element(self, place: int) -> str:
        if not self.in_stretches:
            return f"a{place}[{self._index(place)}]"
        step = self.steps[place][-1]
        return f"a{place}[{'j' if step == 1 else f'j * {step}'}]"

    # --- text ---------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """A module with the function ``loop`` of the addresses of `pointers`."""
        self._split()
        depth = len(self.lengths)
        long = bool(self.rows) and depth > 0 and self.lengths[-1] > BLOCK
        shared = self.parallel and depth == 1
        self.functions = [self._formula(f"stage{k}", [stage]) for k, stage in enumerate(self.stages)]
        self.functions.append(self._formula("formula", self.results))
        looks = any(f.is_checked for f in self.functions) and depth > 0 and self.lengths[-1] >= SHORT
        self.in_stretches = bool(self.stages) or ((long or shared or looks) and not self._turned())
        used = [name for f in self.functions for name in f.used]
        parts = [
            print_prologue(self.group.dtype),
            import_of("arrays", ["array_at", "on_stack", *(["release", "scratch"] if self.ends else [])]),
            print_helpers(used, self.group.dtype),
        ]
        parts += [f.text for f in self.functions]
        if self._hides_count():
            parts.append(import_of("advice", ["hidden"]))
        if self.sums:
            parts.append(_PLUS)
        if self.in_stretches:
            parts.append(self._stretch())
        parts.append(self._function())
        return "".join(parts)

    def _formula(self, name: str, results: Sequence[Symbol]) -> Function:
        inputs = dict.fromkeys(s.args[0] for s in topological(results) if s.op == "input")
        return Function(name, [*inputs], results, self.kinds)

    def _function(self) -> str:
        arguments = ", ".join(f"p{i}" for i in range(len(self.pointers)))
        # numba has an array for the totals of the threads, which is one of those that are counted.
        totals = self.parallel and any(0 in over for k, over in enumerate(self.reduced) if k not in self.columns)
        flags = "EXACT | {'_nrt': True}" if totals else "EXACT"
        lines = [f"\n\n@njit(cache=True{threads.options(self.parallel)}, **{flags})\ndef loop({arguments}):"]
        for place in self.ends:
            lines.append(f"    sums{place} = scratch({self._span(place)}, F)")
        if not self.parallel:
            lines += self._arrays("    ")
            lines += [*self._buffers("    "), *self._with_columns(0, "    ")]
        else:
            lines += self._nest(0, "    ")
        for k in self.columns if self.ends else ():
            lines += self._add_blocks(k, "    ")
        if self.ends:
            lines.append(f"    release({', '.join(f'sums{place}' for place in self.ends)})")
        return "\n".join(lines) + "\n"

    def _add_blocks(self, k: int, pad: str) -> list[str]:
        """The loop that adds up the sums of the blocks, one after another."""
        place, scale = self.sum_places[k], self.sums[k].scale
        inside, outside = self.steps[place], self.ends[place]
        span = 1 + sum(step * (n - 1) for step, n in zip(outside, self.lengths, strict=True))
        lines = [f"{pad}end = array_at(p{place}, {span}, F)"]
        kept = [axis for axis in range(1, len(self.lengths)) if axis not in self.reduced[k]]
        for axis in kept:
            lines.append(f"{pad}for i{axis} in range({self.lengths[axis]}):")
            pad += "    "
        here, there = (" + ".join(f"i{axis} * {steps[axis]}" for axis in kept) for steps in (inside, outside))
        return [
            *lines,
            f"{pad}total = F(0)",
            f"{pad}for block in range({self.lengths[0]}):",
            f"{pad}    total += sums{place}[block * {inside[0]} + {here}]",
            f"{pad}end[{there}] = total" + (f" * F({scale!r})" if scale != 1 else ""),
        ]

    def _with_columns(self, axis: int, pad: str) -> list[str]:
        """The loops from this axis inward, before and after them what sums of columns need."""
        lines = []
        for k in self.columns:
            lines += self._over_kept(k, axis, pad, f"a{self.sum_places[k]}[{{}}] = F(0)")
        lines += self._nest(axis, pad)
        for k in self.columns:
            if self.sums[k].scale != 1 and not self.ends:
                place = f"a{self.sum_places[k]}[{{0}}]"
                lines += self._over_kept(k, axis, pad, f"{place} = {place} * F({self.sums[k].scale!r})")
        return lines

    def _buffers(self, pad: str) -> list[str]:
        return [f"{pad}u{k} = on_stack({STRETCH}, F)" for k in range(len(self.stages))]

    def _over_kept(self, k: int, first: int, pad: str, statement: str) -> list[str]:
        """A loop over what a sum of columns is stored in, from the axis ``first`` inward."""
        lines = []
        for axis in range(first, len(self.lengths)):
            if axis not in self.reduced[k]:
                lines.append(f"{pad}for i{axis} in range({self.lengths[axis]}):")
                pad += "    "
        return [*lines, pad + statement.format(self._index(self.sum_places[k]))]

    def _nest(self, axis: int, pad: str) -> list[str]:
        """The loops from this axis inward. A sum that begins here has its total in a double around them."""
        depth = len(self.lengths)
        here = [k for k, over in enumerate(self.reduced) if k not in self.columns and min(over) == axis]
        lines = [f"{pad}total{k} = 0.0" for k in here]
        shared = self.parallel and axis == 0
        inner = pad + "    "
        if axis == depth:
            lines += [pad + line for line in self._turn("formula")]
        elif axis < depth - 1 and shared:
            # numba counts the turns of a prange without a sign, which makes floating numbers of sums with others, and
            # SIMD wants an index that is known not to be negative: the address moves instead.
            lines += [f"{pad}for turn in prange({self.lengths[0]}):", f"{inner}i0 = np.intp(turn)"]
            lines += [*self._arrays(inner, "i0"), *self._buffers(inner), *self._with_columns(1, inner)]
        elif axis < depth - 1:
            lines += [f"{pad}for i{axis} in range({self._turns(axis)}):", *self._nest(axis + 1, inner)]
        elif shared:
            n = self.lengths[0]
            share = max(BLOCK, -(-n // (16 * BLOCK)) * BLOCK)
            lines += [f"{pad}for turn in prange({-(-n // share)}):", f"{inner}first = np.intp(turn) * {share}"]
            lines += [*self._buffers(inner), *self._innermost(axis, inner, "first", f"min(first + {share}, {n})")]
        else:
            last = str(self.lengths[axis])
            lines += self._innermost(axis, pad, "0", f"hidden({last})" if self._hides_count() else last)
        for k in here:
            place = self.sum_places[k]
            whole = f"array_at(p{place}, 1, F)[0]" if shared else f"a{place}[{self._index(place)}]"
            lines.append(f"{pad}{whole} = F(total{k} * {self.sums[k].scale!r})")
        return lines

    def _innermost(self, axis: int, pad: str, first: str, last: str) -> list[str]:
        """The loop over the last axis: at once, or in stretches that are calls of a function."""
        if not self.in_stretches:
            lines = [f"{pad}sum{k} = F(0)" for k in self.rows]
            lines += [f"{pad}for i{axis} in range({first}, {last}):"]
            lines += [f"{pad}    {line}" for line in self._turn("formula")]
            return [*lines, *(f"{pad}total{k} += np.float64(sum{k})" for k in self.rows)]
        length = STRETCH if self.stages else BLOCK
        inner = pad + "    "
        given = [f"min({length}, {last} - start)", *(f"u{k}" for k in range(len(self.stages)))]
        given += [self._address(place, axis) for place in range(len(self.pointers))]
        sums = [f"sum{k}" for k in self.rows]
        call = f"stretch({', '.join(given)})"
        lines = [f"{pad}for start in range({first}, {last}, {length}):"]
        lines += [f"{inner}{', '.join(sums)}{',' if len(sums) == 1 else ''} = {call}" if sums else f"{inner}{call}"]
        return [*lines, *(f"{inner}total{k} += np.float64(sum{k})" for k in self.rows)]

    def _address(self, place: int, last: int) -> str:
        """The address of an array's element at the start of a stretch."""
        ref = self.pointers[place]
        offset = ref.offset - ref.span[0] // ref.dtype.itemsize
        terms = [f"i{axis} * {step}" for axis, step in enumerate(self.steps[place][:last]) if step]
        terms += [str(offset)] if offset else []
        terms += [f"start * {self.steps[place][last]}"] if self.steps[place][last] else []
        origin = self._origin(place)
        return f"{origin} + ({' + '.join(terms)}) * {ref.dtype.itemsize}" if terms else origin

    def _stretch(self) -> str:
        """The function of one stretch: each stage over all of it, then the rest. Its loops count from 0, which is what
        SIMD wants to know of an index; it returns the sums.
        """
        buffers = [f"u{k}" for k in range(len(self.stages))]
        addresses = [f"p{place}" for place in range(len(self.pointers))]
        lines = [
            f"\n\n@njit(no_cpython_wrapper=True, **EXACT)\ndef stretch({', '.join(['count', *buffers, *addresses])}):"
        ]
        for place, (ref, steps) in enumerate(zip(self.pointers, self.steps, strict=True)):
            size = f"count * {steps[-1]}" if steps[-1] else "1"
            lines.append(f"    a{place} = array_at(p{place}, {size}, {numba_name(ref.dtype)})")
        *stages, formula = self.functions
        head = "for j in range(count):"
        for k, stage in enumerate(stages):
            arguments = self._arguments(stage)
            lines += indented(stage.print_turns(head, arguments, f"u{k}[j] = {{}}({arguments})"))
        lines += [f"    sum{k} = F(0)" for k in self.rows]
        lines += indented(formula.print_turns(head, self._arguments(formula), *self._turn("{}")))
        if self.rows:
            lines.append(f"    return ({', '.join(f'sum{k}' for k in self.rows)},)")
        return "\n".join(lines) + "\n"

    def _turn(self, function: str) -> list[str]:
        """One turn: the results are stored, and what is summed is added to its sum."""
        names = [f"r{i}" for i in range(len(self.results))]
        lines = [f"{', '.join(names)} = {function}({self._arguments(self.functions[-1])})"]
        for name, (place, _) in zip(names, self.stores, strict=False):
            lines.append(f"{self._element(place)} = {name}")
        for k, name in enumerate(names[len(self.stores) :]):
            if k in self.columns:
                lines.append(f"{self._element(self.sum_places[k])} += {name}")
            else:
                lines.append(f"sum{k} = plus(sum{k}, {name})")
        return lines
