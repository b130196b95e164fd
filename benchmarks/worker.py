"""The child process: one contender in one row. It answers the parent's messages and otherwise waits, using no CPU.

    python -m benchmarks.worker ROW CONTENDER THREADS        one JSON object a line on standard output

The step is built twice in the process. The first is what is timed: what it computes after a few steps is compared
among contenders, then it runs until it is warm, then in bursts. After that the library has loaded and compiled what it
loads and compiles late, so the second shows the memory that a model and its training take, and nothing else.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from functools import partial
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks import memory
from benchmarks.contenders import CONTENDERS, Contender, Step
from benchmarks.machine import blas_libraries
from benchmarks.rows import ROWS
from benchmarks.rows.row import Timed

BURST = 0.03
WARM_UP, AT_MOST = 0.2, 3.0
MANY = 100


def checksum(value: Any) -> list[float] | None:
    """A result as two numbers: its mean under fixed weights, so that order counts, and its root mean square."""
    if isinstance(value, Timed):
        value = value.value
    if value is None:
        return None
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    flat = np.asarray(value, np.float64).ravel()
    weights = 1 + np.arange(flat.size) % 7
    return [float(np.mean(flat * weights)), float(np.sqrt(np.mean(flat * flat)))]


def run(step: Step, steps: int) -> float:
    """Seconds a step over so many steps; a step that times itself is taken at its word."""
    start = perf_counter()
    measured = 0.0
    for _ in range(steps):
        value = step()
        if isinstance(value, Timed):
            measured += value.seconds
    return (measured or perf_counter() - start) / steps


def warm(step: Step, fewest: int = 1) -> int:
    """Run until the step is warm, and say how many steps make a burst."""
    start = perf_counter()
    fastest = float("inf")
    for count in itertools.count(1):
        before = perf_counter()
        step()
        fastest = min(fastest, perf_counter() - before)
        elapsed = perf_counter() - start
        if elapsed > AT_MOST or (elapsed > WARM_UP and count >= fewest):
            break
    return max(1, int(BURST / fastest))


class Worker:
    """The state between two messages: the step, and how many of it make a burst."""

    def __init__(self, row_name: str, contender: Contender, threads: int) -> None:
        self.row = ROWS[row_name]
        self.contender = contender
        self.lib = contender.load(threads)
        builder = self.row.builder(contender)
        if builder is None:
            raise LookupError(f"row {row_name} has nothing for {contender.name}")
        self.build = partial(builder, self.lib)
        self.step: Step | None = None
        self.steps = 1

    def check(self) -> dict[str, Any]:
        """The result after a few steps, and what this process has loaded."""
        self.step = self.build()
        for _ in range(self.row.check_steps):
            value = self.step()
        result = checksum(value)
        if self.row.inside:
            warm(self.step, fewest=MANY)  # a compiler may wait for so many calls before it thinks them worth its while
        return {
            "checksum": result,
            "blas": blas_libraries(),
            "details": self.contender.details(self.lib),
        }

    def prepare(self) -> dict[str, Any]:
        """Choose the burst's length, now that no other process is at work."""
        assert self.step
        self.steps = warm(self.step)
        return {"steps": self.steps}

    def burst(self) -> dict[str, Any]:
        """One burst, with a lead-in that isn't timed: its caches and threads were others' a moment ago."""
        assert self.step
        if self.steps > 4:
            for _ in range(1 + self.steps // 16):
                self.step()
        wall, cpu = perf_counter(), process_time()
        seconds = run(self.step, self.steps)
        share = (process_time() - cpu) / (perf_counter() - wall)
        return {"seconds": seconds, "cpu": share if self.row.inside else None}

    def finish(self) -> dict[str, Any]:
        """The growth of memory from before a second model is built to the peak of its steps."""
        self.step = None
        self.contender.release(self.lib)
        before = memory.resident()
        if before is None or not self.row.inside:
            return {"memory": None}
        step = self.build()
        warm(step)
        memory.resident()
        if not memory.reset_peak():
            return {"memory": None}
        for _ in range(3):
            step()
        return {"memory": max(0, (memory.peak() or 0) - before)}


def main() -> None:
    """Answer messages until the parent closes the pipe. An error is an answer too, and the last one."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    row, contender, threads = sys.argv[1:]
    worker = None
    for message in map(str.strip, sys.stdin):
        try:
            if worker is None:
                worker = Worker(row, CONTENDERS[contender], int(threads))
            answer = getattr(worker, message)()
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
