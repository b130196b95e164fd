"""The training steps of the benchmarks, compiled and as they stand: the same losses and parameters after 50 steps."""

import numpy as np
import pytest

import autograd
from benchmarks.contenders import Lib
from benchmarks.rows import ROWS

STEPS = 50
TRAINED = [
    row for row in ROWS.values() if row.pytorch is not None and row.title.endswith(" step") and "1024" not in row.name
]


def train(row, compiled):
    """What the steps return, and where the parameters were at the end."""
    found = []

    def remember(step):
        found.append(step)
        return autograd.compile(step) if compiled else step

    autograd.manual_seed(0)
    lib = Lib("autograd", "nn", "optim", remember)
    step = row.pytorch(lib)
    autograd.manual_seed(1)
    losses = [step().item() for _ in range(STEPS)]
    (training,) = found
    cells = dict(zip(training.__code__.co_freevars, (c.cell_contents for c in training.__closure__), strict=True))
    parameters = [p for group in cells["optimizer"].param_groups for p in group["params"]]
    # Adam makes whole steps of rounding errors where the gradient is 0 but for them (the bias of keys, say).
    return losses, [p.array.copy() for p in parameters if p.ndim > 1]


@pytest.mark.parametrize("row", TRAINED, ids=lambda row: row.name)
def test_fifty_steps(row):
    losses, parameters = train(row, compiled=True)
    expected, wanted = train(row, compiled=False)
    # Sums are added up in another order here and there, and Adam divides by the roots of very small numbers.
    np.testing.assert_allclose(losses, expected, rtol=2e-3, atol=1e-5)
    for a, b in zip(parameters, wanted, strict=True):
        assert np.abs(a - b).mean() <= 1e-4 * max(1e-2, np.abs(b).mean()) + 1e-6
