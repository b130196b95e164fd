"""Multilayer perceptrons: a whole training step, and one row of input through a small net."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from benchmarks.contenders import Lib, Step
from benchmarks.rows import mlp_jax, mlp_mygrad, mlp_numpy
from benchmarks.rows.row import Row, labels, normal, seeded, training_step


def layers(lib: Lib, sizes: tuple[int, ...], activation: str = "ReLU", regularised: bool = False) -> Any:
    """Linear layers with an activation between them; regularised adds batch norm before it and dropout after."""
    modules = []
    for n, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        modules.append(lib.nn.Linear(fan_in, fan_out))
        if n < len(sizes) - 2:
            if regularised:
                modules.append(lib.nn.BatchNorm1d(fan_out))
            modules.append(getattr(lib.nn, activation)())
            if regularised:
                modules.append(lib.nn.Dropout(0.5))
    return seeded(lib, lib.nn.Sequential(*modules))


def adam(lib: Lib, parameters: Any) -> Any:
    """Adam as PyTorch has it by default."""
    return lib.optim.Adam(parameters, lr=1e-3)


def sgd(lib: Lib, parameters: Any) -> Any:
    """Gradient descent with momentum."""
    return lib.optim.SGD(parameters, lr=1e-2, momentum=0.9)


def train(
    lib: Lib,
    sizes: tuple[int, ...],
    batch: int,
    optimizer: Callable[[Lib, Any], Any] = adam,
    activation: str = "ReLU",
    regularised: bool = False,
) -> Step:
    """A training step in PyTorch's API."""
    model = layers(lib, sizes, activation, regularised)
    x = lib.torch.from_numpy(normal(batch, sizes[0]))
    y = lib.torch.from_numpy(labels(batch, sizes[-1]))
    loss = lib.nn.CrossEntropyLoss()
    return training_step(lib, optimizer(lib, model.parameters()), lambda: loss(model(x), y))


def infer(lib: Lib, sizes: tuple[int, ...]) -> Step:
    """One row through the net, without a graph."""
    model = layers(lib, sizes).eval()
    x = lib.torch.from_numpy(normal(1, sizes[0]))

    def step() -> Any:
        with lib.torch.no_grad():
            return model(x)

    return lib.compiled(step)


def adam_row(*sizes: int, batch: int) -> Row:
    """A plain net with ReLU trained by Adam, which every contender has."""
    name = "-".join(map(str, sizes))
    return Row(
        f"mlp-{name}",
        f"MLP {name}, batch {batch}, Adam step",
        pytorch=partial(train, sizes=sizes, batch=batch),
        others={
            "jax": partial(mlp_jax.train, sizes=sizes, batch=batch),
            "mygrad": partial(mlp_mygrad.train, sizes=sizes, batch=batch),
            "numpy": partial(mlp_numpy.train, sizes=sizes, batch=batch),
            "numpy-products": partial(mlp_numpy.products, sizes=sizes, batch=batch),
        },
    )


ROWS = (
    adam_row(2, 16, 16, 2, batch=32),
    adam_row(64, 128, 64, 10, batch=64),
    adam_row(784, 256, 128, 10, batch=128),
    adam_row(1024, 2048, 2048, 10, batch=256),
    Row(
        "mlp-batchnorm-dropout",
        "MLP 784-512-512-10 with batch norm and dropout, batch 128, SGD step",
        pytorch=partial(train, sizes=(784, 512, 512, 10), batch=128, optimizer=sgd, regularised=True),
        tolerance=None,
    ),
    Row(
        "mlp-deep-gelu",
        "sixteen layers of 128 with GELU, batch 64, Adam step",
        pytorch=partial(train, sizes=(*[128] * 16, 10), batch=64, activation="GELU"),
        others={"jax": partial(mlp_jax.train, sizes=(*[128] * 16, 10), batch=64, activation="gelu")},
        tolerance=5e-3,
    ),
    Row(
        "mlp-deep-tanh",
        "sixteen layers of 64 with tanh, batch 64, SGD step",
        pytorch=partial(train, sizes=(*[64] * 16, 10), batch=64, optimizer=sgd, activation="Tanh"),
        others={
            "jax": partial(mlp_jax.train, sizes=(*[64] * 16, 10), batch=64, optimizer=mlp_jax.sgd, activation="tanh")
        },
        tolerance=5e-3,
    ),
    Row("mlp-one-row", "one row through MLP 64-128-64-10, no graph", pytorch=partial(infer, sizes=(64, 128, 64, 10))),
)
