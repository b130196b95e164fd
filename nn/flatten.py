"""Many axes made one."""

from autograd import Tensor

from .module import Module

__all__ = ["Flatten"]


class Flatten(Module):
    """The axes ``start_dim`` to ``end_dim`` as one; (n, *) -> (n, product of *) by default.

    >>> import autograd
    >>> Flatten()(autograd.zeros(5, 1, 8, 8)).shape
    (5, 64)
    """

    start_dim: int
    end_dim: int

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """``input`` in fewer axes."""
        return input.flatten(self.start_dim, self.end_dim)  # type: ignore[attr-defined]

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
