"""From a table to arrays: the target, the split, and the scale of the columns."""

from dataclasses import dataclass

import numpy as np

from .errors import CommandError
from .table import Table

HELD_OUT = 0.15  # of the rows, for validation, and as many for the test


@dataclass(frozen=True)
class Scaling:
    """``(x - mean) / scale``: to mean 0 and standard deviation 1 by what the training rows show.

    ``mean`` and ``scale`` are float64 (columns,).
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, shared: bool = False) -> "Scaling":
        """The scaling of ``x`` (rows, columns). With ``shared``, one scale for all columns, as fits an image's pixels:
        those that are hardly ever inked are not blown up."""
        mean, scale = x.mean(0), x.std(0)
        if shared:
            scale = np.full_like(scale, x.std())
        return cls(mean, np.where(scale > 1e-12 * np.abs(mean), scale, 1.0))  # a constant column becomes 0

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Rows as the network wants them, float32 (rows, columns)."""
        return ((x - self.mean) / self.scale).astype(np.float32)

    def undo(self, y: np.ndarray) -> np.ndarray:
        """The inverse of `apply`, float64."""
        return y.astype(np.float64) * self.scale + self.mean


@dataclass(frozen=True)
class Rows:
    """Examples as a network takes them: ``x`` float32 (rows, columns), ``y`` int64 (rows,) for classes, else float32
    (rows, 1)."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> "Rows":
        """These rows, in this order."""
        return Rows(self.x[rows], self.y[rows])

    def batches(self, size: int) -> list["Rows"]:
        """Runs of at most ``size`` rows (3 if it is 2) that differ in length by one at most. None but those of
        ``size`` 1 has one row alone, from which batch norm could learn nothing."""
        count = -(-len(self) // size)
        if size > 1:
            count = min(count, len(self) // 2)
        return [Rows(x, y) for x, y in zip(np.array_split(self.x, count), np.array_split(self.y, count))]


def class_target(table: Table, column: str) -> tuple[np.ndarray, list[str]]:
    """The class of each row as int64 (rows,), and the names of the classes: numbers by size, text by alphabet."""
    labels = table.labels(column)
    names, first, y, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    if len(names) == 1:
        raise _constant(table, column, names[0])
    rarest = counts.argmin()
    if counts[rarest] < 3:
        number = "one example" if counts[rarest] == 1 else "2 examples"
        name = str(names[rarest])
        hint = "; for values, --task regression" if name.replace(".", "", 1).lstrip("-").isdigit() else ""
        raise CommandError(
            f"{table.place(first[rarest])}: column {column!r} has {number} of class {name!r}; at least 3 are needed, "
            f"for training, validation and test{hint}"
        )
    try:
        order = np.argsort(names.astype(np.float64), kind="stable")
    except ValueError:
        order = np.arange(len(names))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[y].astype(np.int64), names[order].tolist()


def value_target(table: Table, column: str) -> np.ndarray:
    """The value of each row, float64 (rows, 1)."""
    y = table.numbers([column], "; for classes, --task classification")
    if y.min() == y.max():
        raise _constant(table, column, f"{y[0, 0]:g}")
    if len(y) < 10:
        raise CommandError(f"{table.source}: {len(y)} rows are too few; at least 10 are needed")
    return y


def split(y: np.ndarray, stratify: bool, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row numbers for training, validation and test; with ``stratify`` each class is shared out in proportion."""
    from sklearn.model_selection import train_test_split

    size = round(HELD_OUT * len(y))
    size = max(size, int(y.max()) + 1 if stratify else 2)
    options = {"test_size": size, "random_state": seed}
    rest, test = train_test_split(np.arange(len(y)), stratify=y if stratify else None, **options)
    train, validation = train_test_split(rest, stratify=y[rest] if stratify else None, **options)
    return train, validation, test


def _constant(table: Table, column: str, value: str) -> CommandError:
    return CommandError(f"{table.source}: column {column!r} is {str(value)!r} in every row; there is nothing to learn")
