"""What became of a compiled function, in words and figures."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels import threads
from .emit import Line
from .fuse import Group
from .program import Call, Product
from .runner import Runner
from .variant import Variant

__all__ = ["explain"]


def explain(compiled: Any) -> str:
    """One paragraph and one table for each program of a compiled function."""
    variants = [variant for variants in compiled.variants.values() for variant in variants]
    title = f"{compiled.name}: {len(variants)} program{'s' * (len(variants) != 1)}, of at most {compiled.limit}"
    return "\n\n".join([title, *(_program(i, variant) for i, variant in enumerate(variants, 1))])


def _program(number: int, variant: Variant) -> str:
    runner = variant.runner
    program = runner.program
    kinds = Counter(_kind(item) for item in program.items)
    fused = [item for item in program.items if isinstance(item, Group) and len(item.steps) > 1]
    fused_steps = sum(len(group.steps) for group in fused)
    calls = sum(isinstance(item, Call) for item in program.items)
    unstored = [
        step.writes[0]
        for group in fused
        for step in group.steps
        if step.writes[0].memory.kind == "own" and step.writes[0] not in group.stored
    ]
    never = sum(ref.size * ref.dtype.itemsize for ref in unstored)
    segments = sum(not hasattr(part, "call") for part in runner.parts)
    arguments = ", ".join(f"{m.nbytes} bytes" for m in program.inputs if m.kind == "input") or "none"
    lines = [
        f"program {number} (arguments: {arguments})",
        f"  {sum(len(i.steps) if isinstance(i, Group) else 1 for i in program.items)} steps in "
        f"{segments} segment{'s' * (segments != 1)}"
        + (f" with {calls} ordinary call{'s' * (calls != 1)} between" if calls else "")
        + f": {', '.join(f'{n} {kind}' for kind, n in kinds.items())}",
        f"  {fused_steps} operations became {len(fused)} loops; {never:,} bytes between them are never stored",
        f"  {program.layout.size:,} bytes for values between steps, which would be {program.layout.unshared:,} "
        "if none used the memory of another",
    ]
    return "\n".join([*lines, *_table(runner)])


def _kind(item: Any) -> str:
    if isinstance(item, Group):
        return "loops"
    return {"Product": "products", "KernelCall": "kernels", "UpdateCall": "updates", "Call": "calls"}.get(
        type(item).__name__, "small steps"
    )


def _table(runner: Runner) -> list[str]:
    """The time of every step, run by itself on the memory of the program, which is put back afterwards."""
    # The arguments of the last run may be gone: zeros stand for them.
    inputs = {m: np.zeros(m.nbytes, np.uint8) for m in runner.program.inputs}
    for memory, values in inputs.items():
        runner.table[runner.program.table[memory]] = values.ctypes.data
    before = {memory: memory.owner.copy() for memory in runner.program.written}
    rows = []
    results: dict[str, Any] = {}
    pool = runner.emitted.on_pool and threads.enter()
    try:
        for line in runner.emitted.lines:
            function, arguments = runner.emitted.functions[line.function], _arguments(runner, line.arguments, results)
            where = line.item.steps[0].line if isinstance(line.item, Group) else line.item.line
            rows.append((_title(line), where, _fastest(function, arguments)))
            if line.result:
                results[line.result] = function(*arguments)
    finally:
        if pool:
            threads.leave()
        for memory, values in before.items():
            memory.owner[...] = values
    total = sum(seconds for _, _, seconds in rows)
    header = f"  {'us':>9}  {'share':>5}  step"
    return [header, *(f"  {1e6 * s:9.2f}  {s / total:5.0%}  {title}  ({line})" for title, line, s in rows)]


def _title(line: Line) -> str:
    item = line.item
    if line.result:
        return f"{item.title} numbers"
    if isinstance(item, Product):
        return f"product {item.a.shape} @ {item.b.shape}"
    shape = item.shape if isinstance(item, Group) else item.writes[0].shape
    return f"{item.title} {shape}"


def _arguments(runner: Runner, text: str, results: dict[str, Any]) -> tuple:
    names = {"t": [int(address) for address in runner.table], "s": list(runner.numbers), "np": np, **results}
    if "array_at" in text:  # a number that the program reads from memory: any will do to measure
        return tuple(1.0 if "array_at" in part else eval(part, names) for part in _split(text))
    return eval(f"({text},)", names)


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "," and not depth:
            parts.append(text[start:i])
            start = i + 1
    return [*parts, text[start:]]


def _fastest(function: Callable, arguments: tuple) -> float:
    function(*arguments)
    found = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        function(*arguments)
        found = min(found, time.perf_counter() - start)
    return found
