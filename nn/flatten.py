"""Many axes made one, and one made many."""

from collections.abc import Sequence

from autograd import Tensor

from .module import Module

__all__ = ["Flatten", "Unflatten"]


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
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis ``dim`` as several of these lengths, of which one may be -1; (*, product, *) -> (*, lengths, *).

    >>> import autograd
    >>> Unflatten(1, (2, 3))(autograd.zeros(5, 6)).shape
    (5, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim must be an integer; got {type(dim).__name__}; axes have no names here")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """``input`` in more axes."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
