"""An optimizer alone: Adam on five million parameters."""

from __future__ import annotations

from typing import Any

from benchmarks.contenders import Lib, Step
from benchmarks.rows.row import Row, normal


def adam(lib: Lib) -> Step:
    """One update of five tensors of a million parameters each, the gradients given."""
    parameters = []
    for n in range(5):
        parameter = lib.nn.Parameter(lib.torch.from_numpy(normal(1000, 1000, seed=n)))
        parameter.grad = lib.torch.from_numpy(normal(1000, 1000, seed=10 + n))
        parameters.append(parameter)
    optimizer = lib.optim.Adam(parameters, lr=1e-3)

    def step() -> Any:
        optimizer.step()
        return parameters[0]

    return lib.compiled(step)


ROWS = (Row("adam-5m", "Adam's update of 5,000,000 parameters", pytorch=adam),)
