"""Long chains of scalars: what the graph itself costs, with next to no arithmetic in it."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from benchmarks.contenders import Lib, Step
from benchmarks.rows.row import Row, Timed

LONG = 100_000
SHORT = 4_000


def extend(x: Any, nodes: int) -> Any:
    """A chain of so many nodes, one addition or product each."""
    y = x
    for _ in range(nodes // 2):
        y = y * 0.9999 + 0.0001
    return y


def long_backward(lib: Lib) -> Step:
    """Only the backward pass of a long chain is timed; building it is not."""
    x = lib.torch.tensor(0.5, requires_grad=True)

    def step() -> Timed:
        x.grad = None
        y = extend(x, LONG)
        start = perf_counter()
        y.backward()
        return Timed(perf_counter() - start, x.grad)

    return step


def short_chain(lib: Lib) -> Step:
    """A chain built, walked back and freed, as small scalar programs do."""
    x = lib.torch.tensor(0.5, requires_grad=True)

    def step() -> Any:
        x.grad = None
        extend(x, SHORT).backward()
        return x.grad

    return lib.compiled(step)


ROWS = (
    Row(
        "chain-backward",
        f"backward of a scalar chain of {LONG:,} nodes",
        pytorch=long_backward,
        per=LONG,
        unit="node",
        check_steps=1,
        tolerance=1e-2,
    ),
    Row("chain-4000", f"scalar chain of {SHORT:,} nodes, forward and backward", pytorch=short_chain, check_steps=1),
)
