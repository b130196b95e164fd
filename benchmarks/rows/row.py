"""What a row is, and what rows share: initial values, data, a training step.

Every contender of a row starts from the same numpy arrays, drawn from one seed, and returns what it computed, so that
the harness can see that all of them did the same work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.contenders import BASELINE, Builder, Contender, Lib, Step


@dataclass(frozen=True)
class Row:
    """One line of the table: what is measured, and for each contender a function that builds its step.

    pytorch: the step in PyTorch's API, shared by all contenders that have it.
    others: the step of each other contender, by name.
    per: how many things one step does (`unit` says what), where a time per thing is more telling.
    check_steps: the step whose result is compared. tolerance: the relative difference allowed between results;
    None where they can't agree, such as under dropout with random numbers of its own.
    inside: whether the work is done in the measured process, so that its memory and processor time are the row's.
    baseline: the contender that the others are compared with; rows with one stand in one table.
    """

    name: str
    title: str
    pytorch: Callable[[Lib], Step] | None = None
    others: Mapping[str, Builder] = field(default_factory=dict)
    per: int = 1
    unit: str = "step"
    check_steps: int = 5
    tolerance: float | None = 1e-3
    inside: bool = True
    baseline: str = BASELINE

    def builder(self, contender: Contender) -> Builder | None:
        """The function that builds this contender's step, or None when the row has none for it."""
        return self.others.get(contender.name) or (self.pytorch if contender.pytorch_api else None)


@dataclass(frozen=True)
class Timed:
    """The result of a step that measured itself, because only a part of it is the matter of the row."""

    seconds: float
    value: Any = None


def initial(shapes: Iterable[tuple[str, tuple[int, ...]]], seed: int = 0) -> dict[str, np.ndarray]:
    """Weights by name: normal with variance 2 / fan-in for matrices, 0 for biases, 1 for scales."""
    rng = np.random.default_rng(seed)
    values = {}
    for name, shape in shapes:
        if len(shape) >= 2:
            values[name] = rng.standard_normal(shape, np.float32) * np.float32(math.sqrt(2 / math.prod(shape[1:])))
        else:
            values[name] = np.full(shape, 0 if "bias" in name else 1, np.float32)
    return values


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    """Float32 data from the standard normal distribution."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def labels(count: int, classes: int, seed: int = 2) -> np.ndarray:
    """Class numbers, int64."""
    return np.random.default_rng(seed).integers(0, classes, count)


def seeded(lib: Lib, model: Any) -> Any:
    """The model with the initial weights that every contender starts from; buffers stay as they are."""
    shapes = [(name, tuple(parameter.shape)) for name, parameter in model.named_parameters()]
    state = {name: lib.torch.from_numpy(values) for name, values in initial(shapes).items()}
    model.load_state_dict(state, strict=False)
    return model


def training_step(lib: Lib, optimizer: Any, loss_of: Callable[[], Any]) -> Step:
    """zero_grad, forward, loss, backward and the optimizer's step."""

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss

    return lib.compiled(step)
