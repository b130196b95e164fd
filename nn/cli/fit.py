"""The training loop, and the measures of how good a network is."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import autograd
import nn
import optim

from .data import Rows
from .errors import CommandError


@dataclass(frozen=True)
class Options:
    """How to train."""

    optimizer: str = "adam"
    lr: float = 0.001
    schedule: str = "cosine"
    momentum: float = 0.9
    weight_decay: float = 0.0
    epochs: int = 100
    batch_size: int = 64
    seed: int = 0


@dataclass
class History:
    """The course of a training, a number for each epoch; ``best_epoch`` (from 1) is the one whose parameters were kept.

    The score is the accuracy or R2. Those of training are of the network as it is while it learns, with dropout.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    train_score: list[float] = field(default_factory=list)
    validation_score: list[float] = field(default_factory=list)
    best_epoch: int = 0


@dataclass(frozen=True)
class Objective:
    """What is minimised and what is reported: cross-entropy and accuracy, or mean squared error and R2."""

    classification: bool
    label_smoothing: float = 0.0

    @property
    def names(self) -> tuple[str, str]:
        """What the loss and the score are, for a reader."""
        if not self.classification:
            return "mean squared error, of the standardised target", "R2"
        smoothing = f", with labels smoothed by {self.label_smoothing:g}" if self.label_smoothing else ""
        return f"cross-entropy{smoothing}", "accuracy"

    def show(self, score: float) -> str:
        """``98.1 %`` for an accuracy, cut off so that nothing looks better than it is; ``R2 0.512``."""
        return f"{int(score * 1000 + 1e-9) / 10:.1f} %" if self.classification else f"R2 {score:.3f}"

    def loss(self, outputs: autograd.Tensor, y: autograd.Tensor) -> autograd.Tensor:
        """The mean loss of a batch, a tensor of one element."""
        if self.classification:
            return nn.functional.cross_entropy(outputs, y, label_smoothing=self.label_smoothing)
        return nn.functional.mse_loss(outputs, y)

    def score(self, outputs: np.ndarray, y: np.ndarray) -> float:
        """Accuracy or R2 of outputs (rows, outputs) for targets as in `Rows`."""
        from sklearn.metrics import r2_score

        if self.classification:
            return float((outputs.argmax(1) == y).mean())
        return float(r2_score(y, outputs))

    def measure(self, outputs: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        """Loss and score; the score is nan if the loss is not finite."""
        with autograd.no_grad():
            loss = self.loss(autograd.from_numpy(outputs), autograd.from_numpy(y)).item()
        return loss, self.score(outputs, y) if math.isfinite(loss) else math.nan


def fit(
    model: nn.Module,
    objective: Objective,
    train: Rows,
    validation: Rows,
    options: Options,
    watch: Callable[[History], None] = lambda history: None,
) -> History:
    """Train ``model`` in place; it ends with the parameters of the epoch with the lowest validation loss.

    ``watch`` is called after each epoch. CommandError if the loss is no longer finite.
    """
    optimizer = _optimizer(model, options)
    random = np.random.default_rng(options.seed)
    history = History()
    best_state: dict[str, autograd.Tensor] = {}
    for epoch in range(options.epochs):
        if options.schedule == "cosine":
            optimizer.param_groups[0]["lr"] = options.lr * (1 + math.cos(math.pi * epoch / options.epochs)) / 2
        shuffled = train.take(random.permutation(len(train)))
        train_loss, train_score = _epoch(model, objective, optimizer, shuffled.batches(options.batch_size))
        loss, score = objective.measure(outputs(model, validation.x), validation.y)
        if not (math.isfinite(train_loss) and math.isfinite(loss)):
            raise CommandError(
                f"--lr: the loss is no longer finite in epoch {epoch + 1}; got {options.lr:g}; try a smaller one"
            )
        history.train_loss.append(train_loss)
        history.train_score.append(train_score)
        history.validation_loss.append(loss)
        history.validation_score.append(score)
        if loss <= min(history.validation_loss):
            history.best_epoch = epoch + 1
            best_state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        watch(history)
    model.load_state_dict(best_state)
    return history


def outputs(model: nn.Module, x: np.ndarray, at_once: int = 4096) -> np.ndarray:
    """What the network says of scaled rows, float32 (rows, columns) -> (rows, outputs), in evaluation mode."""
    model.eval()
    with autograd.no_grad():
        parts = [model(autograd.from_numpy(x[i : i + at_once])).numpy() for i in range(0, len(x), at_once)]
    return np.concatenate(parts)


def _epoch(
    model: nn.Module, objective: Objective, optimizer: optim.Optimizer, batches: list[Rows]
) -> tuple[float, float]:
    """One pass: the loss and the score over all rows, each taken just before the step it led to; or nan at once."""
    model.train()
    total, said = 0.0, []
    for batch in batches:
        optimizer.zero_grad()
        out = model(autograd.from_numpy(batch.x))
        loss = objective.loss(out, autograd.from_numpy(batch.y))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
        if not math.isfinite(total):
            return math.nan, math.nan
        said.append(out.detach().numpy())
    y = np.concatenate([batch.y for batch in batches])
    return total / len(y), objective.score(np.concatenate(said), y)


def _optimizer(model: nn.Module, options: Options) -> optim.Optimizer:
    rate, decay = options.lr, options.weight_decay
    match options.optimizer:
        case "sgd":
            return optim.SGD(model.parameters(), lr=rate, momentum=options.momentum, weight_decay=decay)
        case "adamw":
            return optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    return optim.Adam(model.parameters(), lr=rate, weight_decay=decay)
