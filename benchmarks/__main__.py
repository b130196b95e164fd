"""`python -m benchmarks`: the arguments, the run, the table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

from benchmarks import machine, table
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.harness import QUICK, Pace, Result, measure_all
from benchmarks.rows import ROWS
from benchmarks.rows.row import Row

README = Path(__file__).with_name("README.md")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Several libraries' steps side by side, each in its own process, bursts in turn.",
    )
    parser.add_argument("--rows", metavar="PATTERN", help="names or shell patterns with commas between: 'mlp-*,import'")
    parser.add_argument("--contenders", metavar="NAMES", help=f"some of {','.join(CONTENDERS)}; all by default")
    parser.add_argument("--threads", type=thread_counts, default="1,all", help="numbers of threads; by default 1,all")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, for a look")
    parser.add_argument("--list", action="store_true", help="name the rows and contenders, measure nothing")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything measured")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write machine and tables as Markdown")
    parser.add_argument("--update", action="store_true", help="put machine and tables into benchmarks/README.md")
    return parser


def chosen_rows(pattern: str | None) -> list[Row]:
    """The rows whose name fits one of the patterns."""
    patterns = pattern.split(",") if pattern else ["*"]
    return [row for name, row in ROWS.items() if any(fnmatch(name, part) for part in patterns)]


def chosen_contenders(names: str | None) -> list[Contender]:
    """The named contenders that are installed; a line for each that isn't."""
    chosen = []
    for name in names.split(",") if names else CONTENDERS:
        missing = CONTENDERS[name].missing()
        if missing:
            print(f"{name}: left out, {', '.join(missing)} not installed")
        else:
            chosen.append(CONTENDERS[name])
    return chosen


def thread_counts(text: str) -> list[int]:
    """Numbers of threads, `all` being the usable cores, none of them twice."""
    counts = sorted({machine.cores() if part == "all" else int(part) for part in text.split(",")})
    if counts[0] < 1:
        raise argparse.ArgumentTypeError(f"there is no running with {counts[0]} threads")
    return counts


def software(contenders: Sequence[Contender]) -> list[tuple[str, str]]:
    """Packages and their versions."""
    versions = {name: version for contender in contenders for name, version in contender.versions().items()}
    return [("packages", ", ".join(f"{name} {version}" for name, version in versions.items()))]


def loaded(results: Sequence[Result]) -> list[tuple[str, str]]:
    """What the contenders' processes had loaded: their BLAS libraries, other details; each said once."""
    lines: dict[tuple[str, str], set[int]] = {}
    for result in results:
        if "numpy" in CONTENDERS[result.contender].distributions:
            for entry in result.blas:
                blas = machine.Blas(**entry)
                lines.setdefault((f"BLAS in {result.contender}", str(blas)), set()).add(blas.threads)
        for detail in result.details:
            lines.setdefault((result.contender, detail), set())
    return [(name, text + threads_of(counts)) for (name, text), counts in lines.items()]


def threads_of(counts: set[int]) -> str:
    """The numbers of threads that a library was seen with."""
    return f", threads {' and '.join(map(str, sorted(counts)))}" if counts else ""


def show_progress(text: str) -> None:
    """Which row is being measured: on a terminal a line that is written over, elsewhere a line each."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def show(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, aligned."""
    for name, value in pairs:
        print(f"{name:<24}{value}")


def main() -> int:
    """Measure, print, write. The status is 1 when a contender failed or computed something else."""
    parser = arguments()
    options = parser.parse_args()
    if options.list:
        show([(row.name, row.title) for row in ROWS.values()])
        print("\ncontenders: " + ", ".join(CONTENDERS))
        return 0
    if options.update and (options.rows or options.quick):
        parser.error("--update writes the whole table: it goes with all rows and without --quick")
    rows = chosen_rows(options.rows)
    if not rows:
        parser.error(f"no row fits {options.rows!r}; --list names them")
    unknown = set((options.contenders or "").split(",")) - set(CONTENDERS) - {""}
    if unknown:
        parser.error(f"no contender {', '.join(sorted(unknown))}; there are {', '.join(CONTENDERS)}")

    contenders = chosen_contenders(options.contenders)
    description = [("date", date.today().isoformat()), *machine.describe(), *software(contenders)]
    show(description)
    notes = [warning] if (warning := machine.busy()) else []
    print(*notes, sep="\n", end="\n\n")
    pace = QUICK if options.quick else Pace()
    results = measure_all(rows, contenders, options.threads, pace, show_progress)
    show_progress("")

    show(found := loaded(results))
    names = [contender.name for contender in contenders if any(r.contender == contender.name for r in results)]
    for title, lines in table.tables(results, rows, names):
        print(f"\n{title}\n\n{table.terminal(lines)}")
    print("", table.LEGEND, *table.faults(results), sep="\n")

    description += found
    section = table.report(results, rows, names, description, notes)
    if options.markdown:
        options.markdown.write_text(section)
    if options.update:
        table.update(README, section)
    if options.json:
        record = {"machine": description, "notes": notes, "results": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    return int(any(result.error or result.differs for result in results))


if __name__ == "__main__":
    sys.exit(main())
