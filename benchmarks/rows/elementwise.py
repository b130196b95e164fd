"""Elementwise functions, forward and backward, on a million elements."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.contenders import Lib, Step
from benchmarks.rows import elementwise_jax
from benchmarks.rows.row import Row, normal

SIZE = 1_000_000


def forward_backward(lib: Lib, function: Callable[[Lib, Any], Any], shape: tuple[int, ...]) -> Step:
    """The function and its gradient for a given upstream gradient; returns the gradient."""
    x = lib.torch.from_numpy(normal(*shape)).requires_grad_()
    upstream: Any = None

    def step() -> Any:
        nonlocal upstream
        x.grad = None
        y = function(lib, x)
        if upstream is None:
            upstream = lib.torch.from_numpy(normal(*y.shape, seed=4))
        y.backward(upstream)
        return x.grad

    return lib.compiled(step)


def relu(lib: Lib, x: Any) -> Any:
    """max(x, 0)."""
    return lib.torch.relu(x)


def sigmoid(lib: Lib, x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return lib.torch.sigmoid(x)


def gelu(lib: Lib, x: Any) -> Any:
    """x Phi(x), with erf."""
    return lib.F.gelu(x)


def chain(lib: Lib, x: Any) -> Any:
    """Eight ops in a row: mul, add, tanh, mul, exp, add, log, sub."""
    return lib.torch.log(lib.torch.exp(lib.torch.tanh(x * 2 + 1) * 0.5) + 1) - x


def row(function: Callable[[Lib, Any], Any], in_jax: Callable[[Any, Any], Any], title: str) -> Row:
    """A row on a million elements."""
    return Row(
        f"elementwise-{function.__name__}",
        f"{title} forward and backward, 1,000,000 elements",
        pytorch=partial(forward_backward, function=function, shape=(SIZE,)),
        others={"jax": partial(elementwise_jax.forward_backward, function=in_jax, shape=(SIZE,))},
        check_steps=1,
        tolerance=1e-4,
    )


ROWS = (
    row(relu, elementwise_jax.relu, "relu"),
    row(sigmoid, elementwise_jax.sigmoid, "sigmoid"),
    row(gelu, elementwise_jax.gelu, "gelu"),
    row(chain, elementwise_jax.chain, "chain of eight ops"),
)
