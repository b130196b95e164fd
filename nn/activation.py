"""Activations as modules."""

from autograd import Tensor, sigmoid, tanh

from . import functional as F
from .module import Module

__all__ = ["GELU", "LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class ReLU(Module):
    """max(x, 0), element by element; (*) -> (*)."""

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """max(input, 0)."""
        return F.relu(input, self.inplace)

    def extra_repr(self) -> str:
        """Its arguments."""
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """1 / (1 + exp(-x)), element by element; (*) -> (*)."""

    def forward(self, input: Tensor) -> Tensor:
        """The sigmoid of ``input``."""
        return sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent, element by element; (*) -> (*)."""

    def forward(self, input: Tensor) -> Tensor:
        """The tanh of ``input``."""
        return tanh(input)


class GELU(Module):
    """x * P(X <= x) for a standard normal X; ``approximate="tanh"`` takes the approximation by tanh; (*) -> (*)."""

    approximate: str

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """The GELU of ``input``."""
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"approximate={self.approximate!r}"


class Softmax(Module):
    """exp(x) / sum(exp(x)) along ``dim``; (*) -> (*).

    >>> import autograd
    >>> Softmax(dim=1)(autograd.zeros(1, 4))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The softmax of ``input``."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """x - log(sum(exp(x))) along ``dim``; (*) -> (*)."""

    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The log_softmax of ``input``."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"dim={self.dim}"
