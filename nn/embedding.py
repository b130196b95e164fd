"""Tables of vectors that are learned."""

from typing import Any, Self

import autograd
from autograd import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Parameter

    def _fill(self, given: Tensor | None, freeze: bool, device: Any, dtype: Any) -> None:
        rows, padding = self.num_embeddings, self.padding_idx
        shape = (rows, self.embedding_dim)
        if padding is not None:
            if not -rows <= padding < rows:
                raise AssertionError(
                    f"{type(self).__name__}: padding_idx must be in {-rows} to {rows - 1}; got {padding}"
                )
            self.padding_idx = padding % rows
        if given is not None and given.shape != shape:
            raise AssertionError(f"{type(self).__name__}: the weight must have the shape {shape}; got {given.shape}")
        table = autograd.empty(shape, device=device, dtype=dtype) if given is None else given
        self.weight = Parameter(table, requires_grad=not freeze)
        if given is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew from N(0, 1), its padding row 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with autograd.no_grad():
                self.weight[self.padding_idx] = 0.0

    def _shown(self) -> list[str]:
        shown = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            shown.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            shown.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            shown.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            shown.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        if self.sparse:
            shown.append("sparse=True")
        return shown

    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    sparse: bool


class Embedding(_Table):
    """The rows of a table (num_embeddings, embedding_dim), drawn from N(0, 1), by their numbers; (*) -> (*, d).

    The row ``padding_idx`` is 0 at first and gets no gradient, rows in use are scaled down to ``max_norm``, and
    ``scale_grad_by_freq`` divides the gradient of a row by how often it is used.

    >>> Embedding(10, 3)(autograd.tensor([[1, 2], [0, 9]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._fill(_weight, _freeze, device, dtype)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **kwargs: Any) -> Self:
        """A layer with this table, which is not learned unless ``freeze`` is off."""
        rows, width = embeddings.shape
        return cls(rows, width, _weight=embeddings, _freeze=freeze, **kwargs)

    def forward(self, input: Tensor) -> Tensor:
        """The rows that ``input`` numbers."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        """Its arguments."""
        return ", ".join(self._shown())


class EmbeddingBag(_Table):
    """The sum, mean or maximum of rows of a table, bag by bag, without the rows in between; numbers (n, s), or (s,)
    with the ``offsets`` (n,) at which bags begin -> (n, embedding_dim). An empty bag gives 0.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        self._fill(_weight, False, device, dtype)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **kwargs: Any) -> Self:
        """A layer with this table, which is not learned unless ``freeze`` is off."""
        rows, width = embeddings.shape
        made = cls(rows, width, _weight=embeddings, **kwargs)
        made.weight.requires_grad = not freeze
        return made

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """The bags of rows that ``input`` numbers."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        """Its arguments."""
        shown = self._shown()
        if self.padding_idx is not None:
            shown.append(shown.pop(1))  # PyTorch writes it last here
        shown.insert(len(shown) - (self.padding_idx is not None), f"mode={self.mode!r}")
        return ", ".join(shown)
