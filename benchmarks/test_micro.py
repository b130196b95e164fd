"""The empty costs of a library, one call each; the test suite does not run this file.

    pytest benchmarks --benchmark-group-by=func --benchmark-columns=median,iqr,rounds

The arrays are so small that next to nothing is computed. For how two libraries compare in a whole step, interleaved
and each in its own process, there is the table; here one sees which of the calls it is made of is dear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.contenders import CONTENDERS, Lib

pytestmark = pytest.mark.benchmark(min_time=2e-4)  # a round of many calls: the clock itself costs as much as one

INSTALLED = [name for name, entry in CONTENDERS.items() if entry.pytorch_api and not entry.missing()]


@pytest.fixture(params=INSTALLED)
def lib(request: pytest.FixtureRequest) -> Lib:
    """Each library with PyTorch's API, on one thread."""
    loaded: Lib = CONTENDERS[request.param].load(1)
    return loaded


@pytest.fixture
def timed(benchmark: Any) -> Callable[..., Any]:
    """`benchmark`, once the library has compiled what it compiles after some calls."""

    def measure(function: Callable[..., Any], *args: Any) -> Any:
        for _ in range(200):
            function(*args)
        return benchmark(function, *args)

    return measure


@pytest.fixture
def small(lib: Lib) -> Any:
    """A vector of four that wants a gradient."""
    return lib.torch.ones(4, requires_grad=True)


def test_tensor_made(lib: Lib, timed: Callable[..., Any]) -> None:
    """A scalar from a Python number."""
    assert timed(lib.torch.tensor, 1.0).ndim == 0


def test_op_without_graph(lib: Lib, small: Any, timed: Callable[..., Any]) -> None:
    """A product of which nothing is recorded."""
    x = small.detach()
    assert not timed(lambda: x * x).requires_grad


def test_op_with_graph(small: Any, timed: Callable[..., Any]) -> None:
    """The same product, recorded."""
    assert timed(lambda: small * small).requires_grad


def test_broadcast_with_graph(small: Any, timed: Callable[..., Any]) -> None:
    """A tensor with a Python number."""
    assert timed(lambda: small + 1.0).requires_grad


def test_view_with_graph(small: Any, timed: Callable[..., Any]) -> None:
    """A reshape, which computes nothing at all."""
    assert tuple(timed(lambda: small.reshape(2, 2)).shape) == (2, 2)


def test_index(small: Any, timed: Callable[..., Any]) -> None:
    """One element."""
    assert timed(lambda: small[1]).ndim == 0


def test_item(lib: Lib, timed: Callable[..., Any]) -> None:
    """A tensor back to a Python number."""
    assert timed(lib.torch.tensor(2.0).item) == 2.0


def test_backward_of_one_node(small: Any, timed: Callable[..., Any]) -> None:
    """One op, the sum and the walk back over both."""

    def step() -> None:
        small.grad = None
        (small * small).sum().backward()

    timed(step)
    assert small.grad.tolist() == [2.0] * 4


def test_hundred_nodes_walked(lib: Lib, small: Any, benchmark: Any) -> None:
    """The walk back over a chain of a hundred, building it not counted."""
    upstream = lib.torch.ones(4)

    def build() -> tuple[tuple[Any], dict[str, Any]]:
        y = small
        for _ in range(100):
            y = y * 1.0
        small.grad = None
        return (y,), {}

    benchmark.pedantic(lambda y: y.backward(upstream), setup=build, rounds=200)
    assert small.grad.tolist() == [1.0] * 4


def test_no_grad(lib: Lib, timed: Callable[..., Any]) -> None:
    """Into `no_grad` and out again."""

    def step() -> None:
        with lib.torch.no_grad():
            pass

    timed(step)
    assert lib.torch.is_grad_enabled()


def test_module_called(lib: Lib, small: Any, timed: Callable[..., Any]) -> None:
    """A module that does next to nothing."""
    assert timed(lib.nn.ReLU(), small).requires_grad


def test_linear_called(lib: Lib, small: Any, timed: Callable[..., Any]) -> None:
    """A linear layer on one row."""
    assert tuple(timed(lib.nn.Linear(4, 4), small).shape) == (4,)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_optimizer_step(lib: Lib, name: str, small: Any, timed: Callable[..., Any]) -> None:
    """An update of one small parameter."""
    optimizer = getattr(lib.optim, name)([small], lr=1e-3)
    small.grad = lib.torch.ones(4)
    timed(optimizer.step)
    assert small.detach().tolist()[0] < 1


def test_zero_grad(lib: Lib, small: Any, timed: Callable[..., Any]) -> None:
    """Forgetting the gradient of one parameter."""
    optimizer = lib.optim.SGD([small], lr=1e-3)
    timed(optimizer.zero_grad)
    assert small.grad is None
