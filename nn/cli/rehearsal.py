"""Training steps of typical models, run so that their kernels are compiled: `autograd.warmup` runs this in processes.

    python -m nn.cli.rehearsal PART PARTS DTYPE...

Each model is trained small and large, since large operations have kernels for several threads.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import autograd
import nn
import optim
from autograd.ahead import compile_rows
from autograd.kernels import threads
from nn import functional as F

CLASSES = 10
ACTIVATIONS = ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus", "Softmax")
LOSSES = ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCEWithLogitsLoss", "KLDivLoss")
_NO_RULES = ("LBFGS", "Optimizer", "lr_scheduler", "swa_utils")
REDUCTIONS = ("sum", "mean", "amax", "amin", "var", "std", "norm", "logsumexp", "softmax", "log_softmax")


def step(model: nn.Module, x: Any, loss: Callable = lambda out: F.cross_entropy(out, labels(len(out)))) -> None:
    """Forward and backward, and forward alone as it is when a model is in use."""
    loss(model(x)).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    with autograd.no_grad():
        model.eval()(x)


def labels(count: int) -> Any:
    return autograd.arange(count) % CLASSES


def perceptron(large: bool) -> None:
    """Dense layers with what stands between them."""
    n = 512 if large else 16
    between: list[nn.Module] = []
    for name in ACTIVATIONS:
        between += [nn.Linear(n, n), getattr(nn, name)(**({"dim": -1} if name == "Softmax" else {}))]
    layers: list[nn.Module] = [nn.Linear(n, n), nn.BatchNorm1d(n), nn.ReLU(), nn.Dropout(0.1), nn.LayerNorm(n)]
    step(nn.Sequential(*layers, *between, nn.Linear(n, n), nn.RMSNorm(n), nn.Linear(n, CLASSES)), autograd.randn(n, n))


def losses(large: bool) -> None:
    """Regressions and probabilities."""
    n = 512 if large else 16
    x, y = autograd.randn(n, n), autograd.rand(n, n)
    for name in LOSSES:
        step(nn.Linear(n, n), x, partial(getattr(nn, name)(), target=y))
    step(nn.Linear(n, n), x, lambda out: F.binary_cross_entropy(out.sigmoid(), y))
    step(nn.Linear(n, n), x, lambda out: F.nll_loss(F.log_softmax(out, 1), labels(n)))


def reductions(large: bool) -> None:
    """Of rows, columns and all."""
    n = 512 if large else 16
    for name in REDUCTIONS:
        for dim in (0, 1, None):
            x = autograd.randn(n, n, requires_grad=True)
            if dim is not None:
                getattr(x, name)(dim=dim).sum().backward()
            elif name not in ("logsumexp", "softmax", "log_softmax"):
                getattr(x, name)().backward()


def broadcasting(large: bool) -> None:
    """A row for many, of many numbers and of few."""
    for n in (100, 3):
        many, row = autograd.randn(300_000 // n if large else 300, n), autograd.randn(n, requires_grad=True)
        (many * row).sum().backward()


def in_place(large: bool) -> None:
    """A number for all, as it is written over an array."""
    x = autograd.randn(500_000 if large else 5_000)
    autograd.mul.compile(x.dtype)
    x.mul_(0.5)


def convolution(large: bool) -> None:
    """Over pictures and over series."""
    batch, side = (32, 32) if large else (2, 12)
    pictures = [
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3),
        nn.GroupNorm(4, 32), nn.SiLU(), nn.AvgPool2d(2), nn.Dropout2d(0.1), nn.Conv2d(32, 32, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, CLASSES),
    ]  # fmt: skip
    step(nn.Sequential(*pictures), autograd.randn(batch, 3, side, side))
    series = [
        nn.Conv1d(4, 16, 3),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
    ]
    step(nn.Sequential(*series, nn.Linear(16, CLASSES)), autograd.randn(batch, 4, side * side))


class Reader(nn.Module):
    """A sequence of tokens -> a class."""

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, width)
        self.inner: nn.Module
        if kind == "Transformer":
            self.inner = nn.TransformerEncoderLayer(width, 4, 2 * width, batch_first=True)
        else:
            self.inner = getattr(nn, kind)(width, width, batch_first=True)
        self.outer = nn.Linear(width, CLASSES)

    def forward(self, tokens: Any) -> Any:
        out = self.inner(self.embedding(tokens))
        return self.outer((out[0] if isinstance(out, tuple) else out).mean(dim=1))


def sequences(kind: str, large: bool) -> None:
    """Recurrence and attention."""
    batch, length, width = (32, 32, 64) if large else (4, 8, 16)
    step(Reader(kind, width), autograd.randint(0, 50, (batch, length)))


def optimizers(large: bool) -> None:
    """Each of them with its defaults, and the usual variants."""
    n = 512 if large else 16
    variants: list[tuple[str, dict]] = [(name, {"lr": 1e-3}) for name in optim.__all__ if name not in _NO_RULES]
    variants += [("SGD", {"lr": 1e-3, "momentum": 0.9}), ("SGD", {"lr": 1e-3, "momentum": 0.9, "nesterov": True})]
    variants += [(name, {"lr": 1e-3, "weight_decay": 1e-2}) for name in ("SGD", "Adam")]
    for name, options in variants:
        parameter = nn.Parameter(autograd.randn(n, n))
        parameter.grad = autograd.randn(n, n)
        getattr(optim, name)([parameter], **options).step()


def rehearsals(dtype: Any) -> list[Callable[[], None]]:
    """All there is to compile, in pieces that don't wait for each other."""
    kinds = [partial(sequences, kind) for kind in ("Transformer", "LSTM", "GRU", "RNN")]
    scenes: list[Callable[[bool], None]] = [
        convolution,
        *kinds,
        perceptron,
        losses,
        optimizers,
        reductions,
        broadcasting,
        in_place,
    ]
    large = [True, False] if autograd.get_num_threads() > 1 else [False]
    return [*(partial(scene, size) for scene in scenes for size in large), *compile_rows(dtype)]


def main(part: int, parts: int, dtypes: list[str]) -> None:
    """Run every ``parts``-th piece."""
    for name in dtypes:
        dtype = getattr(autograd, name)
        autograd.set_default_dtype(dtype)
        for piece in rehearsals(dtype)[part::parts]:
            piece()


if __name__ == "__main__":
    threads.rests = False  # the processes disturb each other
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
