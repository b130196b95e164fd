"""Networks other than plain perceptrons: convolution, recurrence."""

from __future__ import annotations

from typing import Any

from benchmarks.contenders import Lib, Step
from benchmarks.rows.row import Row, labels, normal, seeded, training_step


def convolutional(lib: Lib) -> Step:
    """Two convolutions with pooling and a linear layer on 32 images of 28x28, Adam."""
    nn = lib.nn
    model = seeded(
        lib,
        nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 7 * 7, 10),
        ),
    )
    x, y = lib.torch.from_numpy(normal(32, 1, 28, 28)), lib.torch.from_numpy(labels(32, 10))
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    return training_step(lib, optimizer, lambda: lib.F.cross_entropy(model(x), y))


def lstm(lib: Lib) -> Step:
    """An LSTM of 64 units over 64 steps of 32 sequences, a linear layer on its last output, Adam."""
    recurrent = seeded(lib, lib.nn.LSTM(32, 64, batch_first=True))
    head = seeded(lib, lib.nn.Linear(64, 10))
    x, y = lib.torch.from_numpy(normal(32, 64, 32)), lib.torch.from_numpy(labels(32, 10))
    optimizer = lib.optim.Adam([*recurrent.parameters(), *head.parameters()], lr=1e-3)

    def loss_of() -> Any:
        outputs, _ = recurrent(x)
        return lib.F.cross_entropy(head(outputs[:, -1]), y)

    return training_step(lib, optimizer, loss_of)


ROWS = (
    Row("conv-net", "small convolutional net on 32 images of 28x28, Adam step", pytorch=convolutional),
    Row("lstm", "LSTM of 64 over 64 steps, batch 32, Adam step", pytorch=lstm),
)
