"""The child process: one contender in one row. It answers the parent's messages and otherwise waits, using no CPU.

    python -m benchmarks.worker ROW CONTENDER THREADS        one JSON object a line on standard output

It builds the step twice. The first time it runs a few steps, whose result the harness compares among contenders, and
goes on until it is warm: so the library has loaded and compiled what it loads and compiles late, and the memory for
that is not taken for the step's. The second time, from the same initial values, is what is measured.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks import memory
from benchmarks.contenders import CONTENDERS, Contender, Step
from benchmarks.machine import blas_libraries
from benchmarks.rows import ROWS
from benchmarks.rows.row import Timed

BURST = 0.03
WARM_UP = 0.2


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


def warm(step: Step) -> int:
    """Run until the step is warm, and say how many steps make a burst."""
    start = perf_counter()
    fastest = float("inf")
    while True:
        before = perf_counter()
        step()
        fastest = min(fastest, perf_counter() - before)
        if perf_counter() - start > WARM_UP:
            return max(1, int(BURST / fastest))


class Worker:
    """The state between two messages: the step, the length of a burst, the memory before it was built."""

    def __init__(self, row_name: str, contender: Contender, threads: int) -> None:
        self.row = ROWS[row_name]
        self.contender = contender
        self.lib = contender.load(threads)
        builder = self.row.builder(contender)
        if builder is None:
            raise LookupError(f"row {row_name} has nothing for {contender.name}")
        self.builder = builder
        self.steps = 1
        self.before: int | None = None
        self.step: Step

    def check(self) -> dict[str, Any]:
        """The result after a few steps, and what this process has loaded."""
        step = self.builder(self.lib)
        for _ in range(self.row.check_steps):
            value = step()
        result = checksum(value)
        warm(step)
        return {
            "checksum": result,
            "blas": blas_libraries(),
            "details": self.contender.details(self.lib),
        }

    def prepare(self) -> dict[str, Any]:
        """Build the step that is measured, warm it up and choose the burst's length."""
        self.contender.release(self.lib)
        self.before = memory.resident()
        self.step = self.builder(self.lib)
        self.steps = warm(self.step)
        memory.resident()
        if not memory.reset_peak():
            self.before = None
        return {"steps": self.steps}

    def burst(self) -> dict[str, Any]:
        """One burst, with a lead-in that isn't timed: its caches and threads were others' a moment ago."""
        if self.steps > 4:
            for _ in range(1 + self.steps // 16):
                self.step()
        wall, cpu = perf_counter(), process_time()
        seconds = run(self.step, self.steps)
        share = (process_time() - cpu) / (perf_counter() - wall)
        return {"seconds": seconds, "cpu": share if self.row.inside else None}

    def finish(self) -> dict[str, Any]:
        """The growth of memory from before the step was built to the peak since."""
        highest = memory.peak()
        if self.before is None or highest is None or not self.row.inside:
            return {"memory": None}
        return {"memory": max(0, highest - self.before)}


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
