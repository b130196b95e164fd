"""The order of the steps, and which of them become one loop.

Steps that touch the same memory keep their order where one of them writes; all others may move. So steps are taken as
they become ready, and whatever is elementwise is held back until nothing else is ready: then all ready ones over the
same shape go into one group, with those that become ready through them. A consumer joins the loop of its producer if
it reads, at each turn, just what the producer has made in that turn. What only a group itself reads is never stored.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from ..kernels.hand import FLOATS
from .program import Call, Copy, Formula, KernelCall, Memory, Ref, Step, Sum

__all__ = ["Group", "arrange", "iteration_shape", "overlap", "spread_ref"]

_MOST_ARRAYS = 24  # of a loop: beyond that the processor runs out of registers for their addresses


class Group:
    """Elementwise steps, copies and sums that one loop does; ``stored`` are the results that others need."""

    def __init__(self, steps: Sequence[Step], shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.steps = list(steps)
        self.shape = shape
        self.dtype = dtype
        self.stored: list[Ref] = []

    @property
    def reads(self) -> list[Ref]:
        """What is read from memory, each place once: not what the group has made before."""
        made: list[Ref] = []
        found: dict[Ref, None] = {}
        for step in self.steps:
            for ref in step.reads:
                if not any(_same_elements(ref, other, self.shape) for other in made):
                    found[ref] = None
            made.extend(w for w in step.writes if not isinstance(step, Sum))
        return list(found)

    @property
    def writes(self) -> list[Ref]:
        """What is written to memory."""
        return self.stored

    @property
    def title(self) -> str:
        """The names of its steps."""
        return " ".join(step.title for step in self.steps)


def iteration_shape(step: Step) -> tuple[int, ...] | None:
    """The shape a fusable step runs over; None for others."""
    if isinstance(step, Formula):
        return step.out.shape
    if isinstance(step, Copy):
        convertible = not isinstance(step.source, Ref) or step.source.dtype == step.out.dtype
        return step.out.shape if convertible and step.out.dtype in (*FLOATS, np.dtype(bool)) else None
    return step.source.shape if isinstance(step, Sum) else None


def _dtype(step: Step) -> np.dtype | None:
    """The dtype of the arithmetic; None where any will do."""
    found = step.dtype if isinstance(step, Formula) else step.writes[0].dtype
    return found if found in FLOATS else None


def spread_ref(ref: Ref, shape: tuple[int, ...]) -> Ref:
    """The reference broadcast to a shape: strides of 0 where it repeats."""
    lead = len(shape) - len(ref.shape)
    strides = [0] * lead + [0 if n == 1 else s for n, s in zip(ref.shape, ref.strides, strict=True)]
    return Ref(ref.memory, ref.offset, shape, tuple(strides), ref.dtype)


def _same_elements(a: Ref, b: Ref, shape: tuple[int, ...]) -> bool:
    """Whether both name the same element at every turn of a loop over ``shape``."""
    if a.memory is not b.memory or a.offset != b.offset or a.dtype != b.dtype:
        return False
    try:
        a, b = spread_ref(a, shape), spread_ref(b, shape)
    except ValueError:
        return False
    # Along an axis of length 1 the stride says nothing.
    return all(n == 1 or s == t for n, s, t in zip(shape, a.strides, b.strides, strict=True))


def overlap(a: Ref, b: Ref) -> bool:
    """Whether the two may share an element."""
    if a.memory is not b.memory:
        return False
    (low, high), (first, last) = a.span, b.span
    return low < last and first < high


# --- dependencies ----------------------------------------------------------------------------------------------------


def _dependencies(steps: Sequence[Step]) -> tuple[list[set[int]], list[set[int]]]:
    """For each step those it waits for, and those that wait for it."""
    before: list[set[int]] = [set() for _ in steps]
    after: list[set[int]] = [set() for _ in steps]
    touched: defaultdict[object, list[tuple[int, Ref, bool]]] = defaultdict(list)

    def wait(step: int, other: int) -> None:
        if other != step:
            before[step].add(other)
            after[other].add(step)

    last_call: int | None = None
    may_raise: list[int] = []
    for i, step in enumerate(steps):
        for refs, writes in ((step.reads, False), (step.writes, True)):
            for ref in refs:
                for other, seen, wrote in touched[ref.memory]:
                    if (writes or wrote) and overlap(ref, seen):
                        wait(i, other)
        for refs, writes in ((step.reads, False), (step.writes, True)):
            for ref in refs:
                touched[ref.memory].append((i, ref, writes))
        if isinstance(step, Call):  # they may have effects of their own
            if last_call is not None:
                wait(i, last_call)
            last_call = i
        # What may refuse its input comes before anything that outlives the run.
        if any(ref.memory.kind == "outside" for ref in step.writes):
            for other in may_raise:
                wait(i, other)
        if isinstance(step, KernelCall):  # which may rely on what another one before it makes sure of
            for other in may_raise:
                if any(overlap(ref, checked) for ref in step.reads for checked in steps[other].reads):
                    wait(i, other)
        if isinstance(step, Call) or (isinstance(step, KernelCall) and step.status is not None):
            may_raise.append(i)
    return before, after


def arrange(steps: Sequence[Step], results: Collection[Memory]) -> list[Group | Step]:
    """The steps in an order that keeps every dependency, elementwise ones in groups. ``results`` are read later."""
    before, after = _dependencies(steps)
    waiting = [len(b) for b in before]
    shapes = [iteration_shape(step) for step in steps]
    plain: list[int] = []
    ready: list[int] = []  # fusable

    def push(i: int) -> None:
        heapq.heappush(plain if shapes[i] is None else ready, i)

    def release(members: Sequence[int]) -> None:
        for i in members:
            for j in after[i].difference(members):
                waiting[j] -= 1
                if not waiting[j]:
                    push(j)

    for i, count in enumerate(waiting):
        if not count:
            push(i)
    arranged: list[Group | Step] = []
    while plain or ready:
        if plain:
            i = heapq.heappop(plain)
            arranged.append(steps[i])
            release([i])
            continue
        members = _grow(steps, shapes, before, after, waiting, ready)
        ready = [i for i in ready if i not in members]
        heapq.heapify(ready)
        dtypes = [d for d in (_dtype(steps[i]) for i in members) if d is not None]
        dtype = dtypes[0] if dtypes else np.dtype(np.float32)
        shape = shapes[members[0]]
        assert shape is not None
        arranged.append(Group([steps[i] for i in members], shape, dtype))
        release(members)
    _decide_stores(arranged, results)
    return arranged


def _grow(
    steps: Sequence[Step],
    shapes: Sequence[tuple[int, ...] | None],
    before: Sequence[set[int]],
    after: Sequence[set[int]],
    waiting: Sequence[int],
    ready: Sequence[int],
) -> list[int]:
    """The group that begins with the oldest ready step: others over its shape, and what becomes ready through them."""
    first = min(ready)
    shape, dtype = shapes[first], _dtype(steps[first])
    assert shape is not None
    members: list[int] = []
    arrays: set[Ref] = set()
    left = {i: waiting[i] for i in range(len(steps)) if waiting[i]}
    candidates = sorted(i for i in ready if shapes[i] == shape)
    while candidates:
        i = candidates.pop(0)
        own = _dtype(steps[i])
        touched = arrays | {*steps[i].reads, *steps[i].writes}
        if members and (
            (own is not None and dtype is not None and own != dtype)
            or len(touched) > _MOST_ARRAYS
            or not all(_in_step(steps[j], steps[i], shape) for j in before[i] if j in members)
        ):
            continue
        dtype = dtype or own
        arrays = touched
        members.append(i)
        for j in sorted(after[i]):
            left[j] -= 1
            if not left[j] and shapes[j] == shape:
                candidates.append(j)
    return members


def _in_step(first: Step, second: Step, shape: tuple[int, ...]) -> bool:
    """Whether the second may follow the first within each turn of one loop."""
    pairs = [(w, r) for w in first.writes for r in (*second.reads, *second.writes)]
    pairs += [(r, w) for r in first.reads for w in second.writes]
    shared = [(a, b) for a, b in pairs if overlap(a, b)]
    if isinstance(first, Sum) and any(a in first.writes or b in first.writes for a, b in shared):
        return False  # a sum is whole after the loop
    if isinstance(second, Sum) and any(a in second.writes or b in second.writes for a, b in shared):
        return False
    return all(_same_elements(a, b, shape) for a, b in shared)


def _decide_stores(arranged: Sequence[Group | Step], results: Collection[Memory]) -> None:
    """A result of a group is stored if someone outside of it reads the memory, or the memory outlives the run."""
    readers: defaultdict[object, list[tuple[int, Ref]]] = defaultdict(list)
    for place, item in enumerate(arranged):
        for ref in item.reads:
            readers[ref.memory].append((place, ref))
    for place, item in enumerate(arranged):
        if not isinstance(item, Group):
            continue
        for step in item.steps:
            (out,) = step.writes
            needed = (
                isinstance(step, Sum)
                or out.memory.kind != "own"
                or out.memory in results
                or any(other != place and overlap(out, ref) for other, ref in readers[out.memory])
            )
            if needed and out not in item.stored:
                item.stored.append(out)
