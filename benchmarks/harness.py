"""The parent process: starts the contenders of a row, lets them run in turn, compares what they computed.

All contenders of a row are alive at once and take turns, a burst each, round after round, so that whatever disturbs
the machine for a while disturbs all of them. While one runs the others block on a pipe. Before each burst there is a
short pause, in which the threads of the last one stop spinning.
"""

from __future__ import annotations

import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contenders import Contender, thread_environment
from benchmarks.machine import ROOT
from benchmarks.rows.row import Row

SPREAD, SHARE = 0.15, 0.95


@dataclass(frozen=True)
class Pace:
    """How long a row may take: seconds of bursts over all contenders, and the fewest and most rounds."""

    seconds: float = 3.0
    fewest: int = 5
    most: int = 60


QUICK = Pace(0.5, 3, 10)


@dataclass
class Result:
    """What one contender did in one row with one number of threads.

    times: seconds a step, one a burst. cpu: processor time over wall time, likewise. memory: growth at the peak, bytes.
    """

    row: str
    contender: str
    threads: int
    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: int | None = None
    checksum: list[float] | None = None
    error: str | None = None
    differs: bool = False
    blas: list[dict[str, Any]] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    @property
    def median(self) -> float | None:
        """The median over bursts; None without a figure."""
        return statistics.median(self.times) if self.times and not self.error else None

    @property
    def noisy(self) -> bool:
        """Whether others disturbed it: the bursts' middle half spreads wide, or one thread didn't get the processor."""
        if self.median is None or len(self.times) < 4:
            return False
        if self.threads == 1 and self.cpu and statistics.median(self.cpu) < SHARE:
            return True
        low, _, high = statistics.quantiles(self.times, n=4)
        return high - low > SPREAD * self.median


class Died(Exception):
    """A child ended or gave no answer in time."""


class Child:
    """A worker process and the pipe to it."""

    def __init__(self, row: Row, contender: Contender, threads: int) -> None:
        self.result = Result(row.name, contender.name, threads)
        self.errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115, it is closed with the child
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", row.name, contender.name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd=ROOT,
            env=os.environ | thread_environment(threads) | contender.environment(threads),
        )

    def tell(self, message: str) -> None:
        """Send a message; a child that has gone is noticed when its answer is read."""
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.write(message.encode() + b"\n")
            self.process.stdin.flush()

    def answer(self, timeout: float) -> dict[str, Any]:
        """The answer to the last message, whole; an error in it is kept in the result."""
        assert self.process.stdout
        deadline = time.monotonic() + timeout
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Died(f"no answer in {timeout:.0f} s")
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                raise Died(f"ended with status {self.process.wait()}{self.last_words()}")
            line += part
        answer: dict[str, Any] = json.loads(line)
        self.result.error = answer.get("error")
        return answer

    def ask(self, message: str, timeout: float = 120) -> dict[str, Any]:
        """A message and its answer; {} once the child has failed."""
        if self.result.error:
            return {}
        self.tell(message)
        return self.receive(timeout)

    def receive(self, timeout: float) -> dict[str, Any]:
        """The answer, or {} with the reason kept in the result."""
        try:
            return self.answer(timeout)
        except Died as death:
            self.result.error = str(death)
            return {}

    def last_words(self) -> str:
        """The last line the child wrote to its standard error."""
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        return f": {lines[-1]}" if lines else ""

    def close(self) -> None:
        """Let the child end by closing its pipe; end it if it doesn't."""
        assert self.process.stdin and self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(2 if not self.result.error else 0.2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def measure(row: Row, contenders: Sequence[Contender], threads: int, pace: Pace) -> list[Result]:
    """The row's results, one for each contender that has a step for it."""
    children = [Child(row, contender, threads) for contender in contenders if row.builder(contender)]
    try:
        for child in children:
            child.tell("check")
        for child in children:
            answer = child.receive(timeout=300)
            for key in ("checksum", "blas", "details"):
                setattr(child.result, key, answer.get(key) or getattr(child.result, key))
        for child in children:
            child.ask("prepare")
        take_turns(children, threads, pace)
        for child in children:
            child.result.memory = child.ask("finish").get("memory")
    finally:
        for child in children:
            child.close()
    results = [child.result for child in children]
    compare(row, results)
    return results


def take_turns(children: Sequence[Child], threads: int, pace: Pace) -> None:
    """Bursts in turn until the time is up; each round begins with another contender."""
    pause = 0.002 if threads == 1 else 0.1  # OpenBLAS's threads spin for tens of milliseconds before they sleep
    start = time.monotonic()
    for count in range(pace.most):
        if count >= pace.fewest and time.monotonic() - start > pace.seconds:
            return
        first = count % max(1, len(children))
        for child in [*children[first:], *children[:first]]:
            time.sleep(pause)
            answer = child.ask("burst")
            for key, values in (("seconds", child.result.times), ("cpu", child.result.cpu)):
                if answer.get(key) is not None:
                    values.append(answer[key])


def compare(row: Row, results: Sequence[Result]) -> None:
    """Mark the results that are not the baseline's, or the first one's where the baseline isn't there."""
    sums = {result.contender: result.checksum for result in results if result.checksum}
    if not sums or row.tolerance is None:
        return
    reference = sums.get(row.baseline) or next(iter(sums.values()))
    scale = max(abs(value) for value in reference)
    for result in results:
        if result.checksum:
            gaps = [abs(a - b) for a, b in zip(result.checksum, reference, strict=True)]
            result.differs = not max(gaps) <= row.tolerance * scale


def measure_all(
    rows: Sequence[Row],
    contenders: Sequence[Contender],
    threads: Sequence[int],
    pace: Pace,
    progress: Callable[[str], None],
) -> list[Result]:
    """Every row with every number of threads."""
    results = []
    turns = [(row, number) for row in rows for number in threads]
    for count, (row, number) in enumerate(turns, 1):
        progress(f"{count}/{len(turns)} {row.name}, {number} thread{'s' * (number > 1)}")
        results += measure(row, contenders, number, pace)
    return results
