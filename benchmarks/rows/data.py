"""Feeding a model: an epoch of a DataLoader over arrays in memory."""

from __future__ import annotations

from typing import Any

from benchmarks.contenders import Lib, Step
from benchmarks.rows.row import Row, labels, normal


def epoch(lib: Lib) -> Step:
    """Every batch of 64 of 10,000 shuffled rows of 64 columns; returns the sum of all labels seen."""
    x, y = lib.torch.from_numpy(normal(10_000, 64)), lib.torch.from_numpy(labels(10_000, 10))
    loader = lib.data.DataLoader(lib.data.TensorDataset(x, y), batch_size=64, shuffle=True)

    def step() -> Any:
        return sum(int(classes.sum()) for _, classes in loader)

    return step


ROWS = (Row("data-loader", "an epoch of a DataLoader, 10,000 rows of 64, batch 64, shuffled", pytorch=epoch),)
