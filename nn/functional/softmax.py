"""Softmax and its relatives."""

import warnings
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, default_generator

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def _dim(op: str, input: Tensor, dim: int | None) -> int:
    if dim is not None:
        return dim
    found = 0 if input.ndim in (0, 1, 3) else 1
    warnings.warn(f"{op}: dim should be given; got none for shape {input.shape}; dim={found} is taken", stacklevel=4)
    return found


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along ``dim``."""
    return autograd.softmax(input, _dim("softmax", input, dim), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x)."""
    return autograd.softmax(-input, _dim("softmin", input, dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """x - log(sum(exp(x))) along ``dim``."""
    return autograd.log_softmax(input, _dim("log_softmax", input, dim), dtype=dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the distribution with these logits, made differentiable: softmax((logits + Gumbel noise) / tau).

    ``hard`` returns the one-hot vector of the largest, with the gradient of the soft one (Jang et al. 2016,
    https://arxiv.org/abs/1611.01144).
    """

    def draw() -> np.ndarray:
        with default_generator._lock:
            return np.asarray(default_generator.numpy.gumbel(size=logits.shape), logits.dtype)

    soft = autograd.softmax((logits + Tensor(autograd.each_run(draw))) / tau, dim)
    if not hard:
        return soft

    def rest(soft: np.ndarray) -> np.ndarray:
        """What is missing to the one-hot vector."""
        onehot = np.zeros(soft.shape, soft.dtype)
        np.put_along_axis(onehot, np.expand_dims(soft.argmax(dim), dim), 1, dim)
        return onehot - soft

    return autograd.of_arrays(rest, soft) + soft
