"""Tables: the data sets scikit-learn carries, and CSV files, with errors that name the line and the column."""

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import BUILT_IN
from .errors import CommandError, suggest

_SEPARATORS = ",;\t"
_NO_VALUE = {"na", "n/a", "#n/a", "<na>", "nan", "null", "none"}  # among numbers
_LARGEST = 1e30  # its square fits float64, in which scales are computed, and itself float32


class Table:
    """Named columns of text or numbers; ``source`` is what the user calls it.

    ``frame`` is a pandas frame. The index of a CSV file's frame counts its records, header and blank lines included,
    so that `place` can find a row's line.
    """

    def __init__(self, source: str, frame: Any, separator: str = "") -> None:
        self.source = source
        self.frame = frame
        self._separator = separator

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.frame.columns)

    def __len__(self) -> int:
        return len(self.frame)

    def require(self, columns: Sequence[str]) -> None:
        """CommandError unless there are all of these columns."""
        missing = [name for name in columns if name not in self.columns]
        if missing:
            others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            hint = suggest(missing[0], self.columns)
            raise CommandError(f"{self.source}: no column {missing[0]!r}{others}; {hint}")

    def without(self, columns: Sequence[str]) -> "Table":
        """This table without these columns."""
        return Table(self.source, self.frame.drop(columns=list(columns)), self._separator)

    def numbers(self, columns: Sequence[str], hint: str = "") -> np.ndarray:
        """The columns as float64 (rows, columns). CommandError for the first cell that is not a number."""
        values = np.column_stack([self._floats(name) for name in columns])
        bad = np.argwhere(~(np.abs(values) <= _LARGEST))  # nan is not
        if len(bad):
            row, column = bad[0]
            large = not np.isnan(values[row, column])
            rule = f"must be a number up to {_LARGEST:g}" if large else "must be a number"
            raise self._bad_cell(row, columns[column], rule, hint)
        return values

    def labels(self, column: str) -> np.ndarray:
        """The column as strings (rows,); a whole number is ``1``, not ``1.0``. CommandError for an empty cell, and for
        an NA among numbers; among other text it is a name."""
        cells = self.frame[column].astype(str).str.strip().to_numpy(dtype=str)
        values, missing = self._floats(column), self.frame[column].isna().to_numpy()
        text = np.isnan(values)
        if not text.all() and {cell.lower() for cell in cells[text & ~missing]} <= _NO_VALUE:
            missing = text
        if missing.any():
            raise self._bad_cell(missing.argmax(), column, "must have a value", "")
        if np.isfinite(values).all() and (values == np.round(values)).all():
            return np.array([_whole(value, cell) for value, cell in zip(values.tolist(), cells.tolist())])
        return cells

    def infer_task(self, column: str) -> str:
        """``"classification"`` if the column holds text or few different integers, else ``"regression"``.

        Many different values that are mostly numbers are a number's column, in which the text is a mistake.
        """
        values = self._floats(column)
        numeric = np.isfinite(values)
        few = self.frame[column].nunique() <= 20
        if numeric.all():
            return "classification" if few and (values == np.round(values)).all() else "regression"
        return "classification" if few or numeric.mean() < 0.5 else "regression"

    def place(self, row: int) -> str:
        """The source and the line on which the row begins."""
        if not self._separator:
            return self.source
        record = self.frame.index[row]
        with open(self.source, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=self._separator, skipinitialspace=True)
            for _ in range(record):
                next(reader)
            return f"{self.source}, line {reader.line_num + 1}"

    def _floats(self, column: str) -> np.ndarray:
        import pandas as pd

        return pd.to_numeric(self.frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)

    def _bad_cell(self, row: int, column: str, rule: str, hint: str) -> CommandError:
        cell = self.frame[column].iloc[row]
        got = "an empty cell" if cell != cell else repr(str(cell))  # nan
        return CommandError(f"{self.place(row)}: column {column!r} {rule}; got {got}{hint}")


def built_in(name: str) -> tuple[Table, str]:
    """A data set of scikit-learn's, and the name of its target column."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bunch.frame.copy()
    if "target_names" in bunch:
        frame["target"] = np.asarray(bunch.target_names).astype(str)[bunch.target]
    return Table(name, frame), "target"


def read_csv(name: str) -> Table:
    """A CSV file: a line of column names, then a line for each row, between commas, semicolons or tabs."""
    import pandas as pd

    header, separator = _header(name)
    try:
        frame = pd.read_csv(
            name, sep=separator, header=None, dtype=str, encoding="utf-8-sig",
            skip_blank_lines=False, skipinitialspace=True,
            keep_default_na=False, na_values=[""],  # NA and None are names that classes may have
        )  # fmt: skip
    except pd.errors.ParserError as error:
        raise CommandError(f"{name}{_explain(str(error))}") from None
    except UnicodeDecodeError as error:
        raise _not_text(name, error) from None
    frame.columns = header
    frame = frame.iloc[1:].dropna(how="all")
    if not len(frame):
        raise CommandError(f"{name}: there are column names, but no rows below them")
    return Table(name, frame, separator)


def _whole(value: float, cell: str) -> str:
    """A whole number in one spelling: digits alone. Above 2^53 floats lie further apart than whole numbers."""
    return f"{value:.0f}" if abs(value) < 2**53 else str(int(Decimal(cell)))


def _header(name: str) -> tuple[list[str], str]:
    """The names of the columns, and what stands between them."""
    if not Path(name).exists():
        raise CommandError(f"{name}: no such file; the data is {', '.join(BUILT_IN)} or a CSV file")
    try:
        with open(name, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(_SEPARATORS, key=first.count)
            header = next(csv.reader(file, delimiter=separator, skipinitialspace=True), None)
    except OSError as error:
        raise CommandError(f"{name}: can't be read; {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _not_text(name, error) from None
    if header is None:
        raise CommandError(f"{name}: the file is empty; a line of column names and a line for each row are needed")
    header = [title.strip() for title in header]
    if not any(header):
        raise CommandError(f"{name}, line 1: no column names; the first line must have them")
    if "" in header:
        raise CommandError(f"{name}, line 1: column {header.index('') + 1} has no name; every column needs one")
    if twice := next((title for title in header if header.count(title) > 1), None):
        raise CommandError(f"{name}, line 1: column {twice!r} occurs twice; names must differ")
    return header, separator


def _explain(error: str) -> str:
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        expected, line, saw = found.groups()
        return f", line {line}: {saw} values for {expected} columns; a value with a comma in it needs quotes"
    if found := re.search(r"EOF inside string starting at row (\d+)", error):
        return f", line {int(found[1]) + 1}: a quoted value does not end"
    return f": not a CSV file; {error.strip().splitlines()[0]}"


def _not_text(name: str, error: UnicodeDecodeError) -> CommandError:
    return CommandError(f"{name}: not UTF-8 text; got byte 0x{error.object[error.start]:02x}; save it as UTF-8")
