"""Distances between vectors."""

from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["cosine_similarity", "normalize", "one_hot", "pairwise_distance", "pdist"]


def safe_sqrt(x: Any) -> Any:
    """The square root with derivative 0 at 0."""
    positive = x > 0
    return autograd.where(positive, autograd.where(positive, x, 1.0).sqrt(), x * 0)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last axis; (n, d), (n, d) -> (n,).

    >>> pairwise_distance(autograd.tensor([[3.0, 4.0]]), autograd.zeros(1, 2))
    tensor([5.0000])
    """
    return autograd.norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(norm x1, eps) * max(norm x2, eps)) along ``dim``.

    >>> cosine_similarity(autograd.tensor([[1.0, 0.0]]), autograd.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    a, b = (autograd.broadcast_to(x, shape) for x in (x1, x2))
    return (_unit(a, dim, eps) * _unit(b, dim, eps)).sum(dim)


def _unit(x: Any, dim: int, eps: float) -> Any:
    return x / autograd.clamp(autograd.norm(x, 2, dim, True), min=eps)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """input / max(p-norm of input along ``dim``, eps).

    >>> normalize(autograd.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    result = input / autograd.clamp(autograd.norm(input, p, dim, True), min=eps)
    return result if out is None else out.copy_(result)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances between all pairs of rows, in the order (0, 1), (0, 2), ...; (n, d) -> (n * (n - 1) / 2,)."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist: a matrix is needed; got shape {input.shape}")
    i, j = np.triu_indices(input.shape[0], 1)
    return autograd.norm(input[i] - input[j], p, -1)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 in the place of the class and 0 elsewhere, in a new last axis; (*) -> (*, num_classes).

    >>> one_hot(autograd.tensor([1, 0]), 3)
    tensor([[0, 1, 0],
            [1, 0, 0]])
    """
    if tensor.dtype.kind not in "iu":
        raise RuntimeError(f"one_hot: classes must be integers; got {tensor.dtype}; convert with long()")
    if not tensor.array.size and num_classes <= 0:
        raise RuntimeError("one_hot: num_classes must be given for an empty tensor; got -1")
    count = int(tensor.max().item()) + 1 if num_classes == -1 else num_classes

    def mark(classes: np.ndarray) -> np.ndarray:
        if classes.size and not (classes.min() >= 0 and classes.max() < count):
            bad = classes.min() if classes.min() < 0 else classes.max()
            raise RuntimeError(f"one_hot: a class must be in 0 to {count - 1}; got {bad}")
        out = np.zeros((*classes.shape, count), np.int64)
        out.reshape(-1)[np.arange(classes.size) * count + classes.reshape(-1)] = 1
        return out

    return autograd.of_arrays(mark, tensor)
