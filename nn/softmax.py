"""Softmax and its relatives as modules."""

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = ["LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _Along(Module):
    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(_Along):
    """exp(x) / sum(exp(x)) along ``dim``; (*) -> (*).

    >>> import autograd
    >>> Softmax(dim=1)(autograd.zeros(1, 4))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The softmax of ``input``."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"dim={self.dim}"


class Softmin(_Along):
    """softmax(-x) along ``dim``; (*) -> (*)."""

    def forward(self, input: Tensor) -> Tensor:
        """The softmin of ``input``."""
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"dim={self.dim}"


class LogSoftmax(_Along):
    """x - log(sum(exp(x))) along ``dim``; (*) -> (*)."""

    def forward(self, input: Tensor) -> Tensor:
        """The logarithm of the softmax of ``input``."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"dim={self.dim}"


class Softmax2d(Module):
    """The softmax over the channels of each place; (n, c, h, w) or (c, h, w) -> the same."""

    def forward(self, input: Tensor) -> Tensor:
        """The softmax of ``input`` along axis -3."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: the input must be (n, c, h, w) or (c, h, w); got {input.shape}")
        return F.softmax(input, -3)
