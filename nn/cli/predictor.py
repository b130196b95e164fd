"""A network together with what turns the rows of a table into its input, and its output into answers."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn

from .data import Scaling
from .errors import CommandError
from .fit import outputs


@dataclass(frozen=True)
class Architecture:
    """What `nn.MLP` needs to know."""

    sizes: list[int]
    activation: str
    dropout: float
    batch_norm: bool

    def build(self) -> nn.Module:
        """A network with fresh parameters."""
        return nn.MLP(self.sizes, activation=self.activation, dropout=self.dropout, batch_norm=self.batch_norm)

    def __str__(self) -> str:
        parts = ["-".join(map(str, self.sizes))]
        if len(self.sizes) > 2:
            parts.append(self.activation)
            parts += ["batch norm"] if self.batch_norm else []
            parts += [f"dropout {self.dropout:g}"] if self.dropout else []
        return ", ".join(parts)


@dataclass
class Predictor:
    """Columns of numbers in, classes (with ``classes``) or values (with ``target_scaling``) out.

    >>> from nn.cli import main
    >>> main(["train", "--data", "iris", "--epochs", "5", "--quiet"])
    0
    >>> predictor = Predictor.load("runs/iris/model.safetensors")
    >>> predictor.probabilities(np.array([[5.1, 3.5, 1.4, 0.2]])).shape
    (1, 3)
    """

    architecture: Architecture
    columns: list[str]
    target: str
    scaling: Scaling
    classes: list[str] | None = None
    target_scaling: Scaling | None = None
    model: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        self.model = self.architecture.build()

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """The probability of each class, of rows as they stand in the table: (rows, columns) -> (rows, classes)."""
        logits = autograd.from_numpy(outputs(self.model, self.scaling.apply(x)))
        return nn.functional.softmax(logits, dim=1).numpy()

    def values(self, x: np.ndarray) -> np.ndarray:
        """The value predicted for each row as it stands in the table: (rows, columns) -> float64 (rows,)."""
        assert self.target_scaling is not None
        return self.target_scaling.undo(outputs(self.model, self.scaling.apply(x)))[:, 0]

    def save(self, path: Path) -> None:
        """Write all of it to one safetensors file."""
        state: dict[str, Any] = {
            "architecture": asdict(self.architecture),
            "columns": self.columns,
            "target": self.target,
            "classes": self.classes,
            "scaling": _tensors(self.scaling),
            "target_scaling": self.target_scaling and _tensors(self.target_scaling),
            "model": self.model.state_dict(),
        }
        autograd.save(state, path)

    @classmethod
    def load(cls, path: Path) -> "Predictor":
        """What `save` wrote. CommandError for a file that it did not write."""
        try:
            state = autograd.load(path)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        try:
            predictor = cls(
                Architecture(**state["architecture"]), state["columns"], state["target"], _scaling(state["scaling"]),
                state["classes"], state["target_scaling"] and _scaling(state["target_scaling"]),
            )  # fmt: skip
            predictor.model.load_state_dict(state["model"])
        except (LookupError, TypeError, ValueError, RuntimeError):
            raise CommandError(f"{path}: not a network that jitgrad train wrote") from None
        return predictor


def _tensors(scaling: Scaling) -> dict[str, autograd.Tensor]:
    return {name: autograd.from_numpy(array) for name, array in asdict(scaling).items()}


def _scaling(tensors: dict[str, autograd.Tensor]) -> Scaling:
    return Scaling(**{name: tensor.numpy() for name, tensor in tensors.items()})
