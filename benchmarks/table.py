"""The results as text: one table for each number of threads, for the terminal or in Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Result
from benchmarks.machine import cores
from benchmarks.rows.row import Row

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
LEGEND = (
    "A time is the median over the bursts; after it, in brackets, the median of the contender the table is beside, "
    "divided by it. ~ disturbed: the middle half of the bursts spread by more than 15 %, or a single thread had the "
    "processor for less than 95 % of the time; != the result differs from the others'; "
    "peak MB: growth of resident memory, in the columns' order."
)


def quantity(seconds: float) -> str:
    """Three digits in the unit that fits."""
    units = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))
    unit, size = next((entry for entry in units if seconds >= entry[1]), units[-1])
    value = seconds / size
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def ratio(result: Result, baseline: Result | None) -> float | None:
    """How many times as fast as the baseline."""
    if result.median is None or baseline is None or baseline.median is None:
        return None
    return baseline.median / result.median


def cell(result: Result | None, baseline: Result | None, row: Row) -> str:
    """A contender's time in a row with its ratio and marks; what went wrong is told below the table."""
    if result is None:
        return ""
    if result.median is None:
        return "error"
    text = quantity(result.median / row.per)
    factor = ratio(result, baseline)
    if factor is not None and result is not baseline:
        text += f" ({factor:.2f}x)"
    return text + " ~" * result.noisy + " !=" * result.differs


def megabytes(results: Sequence[Result | None]) -> str:
    """Peaks of memory side by side."""
    known = [result.memory if result else None for result in results]
    return " / ".join("-" if size is None else f"{size / 1e6:.1f}" for size in known)


def grid(results: Sequence[Result], rows: Sequence[Row], contenders: Sequence[str]) -> list[list[str]]:
    """The cells of one table, of rows with one baseline: its head first, and at its foot the geometric means of the
    ratios of steps.
    """
    found = {(result.row, result.contender): result for result in results}
    baseline_name = rows[0].baseline
    lines = [["row", *contenders, "peak MB"]]
    ratios: dict[str, list[float]] = {name: [] for name in contenders}
    for row in rows:
        of_row = [found.get((row.name, name)) for name in contenders]
        if not any(of_row):
            continue
        baseline = found.get((row.name, baseline_name))
        title = row.title if row.per == 1 else f"{row.title}, a {row.unit}"
        cells = [cell(result, baseline, row) for result in of_row]
        lines.append([title, *cells, megabytes(of_row) if row.inside else ""])
        for name, result in zip(contenders, of_row, strict=True):
            factor = ratio(result, baseline) if result else None
            if factor is not None and name != baseline_name and row.inside and result and not result.differs:
                ratios[name].append(factor)
    if len(lines) > 2 and any(ratios.values()):
        lines.append(
            ["geometric mean of the steps' ratios; lowest", *(summary(ratios[name]) for name in contenders), ""]
        )
    return lines


def tables(
    results: Sequence[Result], rows: Sequence[Row], contenders: Sequence[str]
) -> list[tuple[str, list[list[str]]]]:
    """A title and the cells for each number of threads and each baseline."""
    found = []
    for threads in sorted({result.threads for result in results}):
        for baseline in dict.fromkeys(row.baseline for row in rows):
            some = [row for row in rows if row.baseline == baseline]
            names = {row.name for row in some}
            part = [result for result in results if result.threads == threads and result.row in names]
            there = {result.contender for result in part}
            if there:
                title = f"{heading(threads)}, beside {baseline}"
                found.append((title, grid(part, some, [name for name in contenders if name in there])))
    return found


def summary(ratios: Sequence[float]) -> str:
    """The geometric mean and the lowest of a contender's ratios, and over how many rows."""
    if not ratios:
        return ""
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return f"{mean:.2f}x; {min(ratios):.2f}x ({len(ratios)} rows)"


def faults(results: Sequence[Result]) -> list[str]:
    """A line for each error and for each result that is not what the others have."""
    lines = []
    for result in results:
        where = f"{result.row}, {result.contender}, threads {result.threads}"
        if result.error:
            lines.append(f"{where}: {result.error}")
        elif result.differs:
            lines.append(f"{where}: computes something else, checksum {result.checksum}")
    return lines


def terminal(lines: Sequence[Sequence[str]]) -> str:
    """Columns aligned, a rule below the head."""
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    padded = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([padded[0], "-" * len(padded[0]), *padded[1:]])


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """The same as a Markdown table, figures to the right."""
    rule = ["---", *("---:" for _ in lines[0][1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def report(
    results: Sequence[Result],
    rows: Sequence[Row],
    contenders: Sequence[str],
    description: Sequence[tuple[str, str]],
    notes: Sequence[str],
) -> str:
    """The whole Markdown section: the machine, a table for each number of threads, errors, how to read it."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in description)]
    parts += [f"> {note}" for note in notes]
    for title, lines in tables(results, rows, contenders):
        parts += [f"### {title}", markdown(lines)]
    if wrong := faults(results):
        parts.append("\n".join(f"- {line}" for line in wrong))
    return "\n\n".join([*parts, LEGEND]) + "\n"


def heading(threads: int) -> str:
    """The title of a table."""
    return "One thread" if threads == 1 else f"{'All ' * (threads == cores())}{threads} threads"


def update(readme: Path, section: str) -> None:
    """Put the section between the marks in the file."""
    text = readme.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{readme.name} has no {BEGIN} and {END}")
    before, _, rest = text.partition(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n\n{section}\n{END}{rest.partition(END)[2]}")
