"""Activations. ``inplace`` writes the result into the memory of the input."""

from collections.abc import Callable
from typing import Any

import autograd
from autograd import Tensor, log_softmax, sigmoid, softmax, tanh

__all__ = ["gelu", "log_softmax", "relu", "relu_", "sigmoid", "softmax", "tanh"]


def _in_place(op: Callable, input: Tensor, *args: Any) -> Tensor:
    # Of a clone, because the derivative reads the input, which is overwritten.
    return input.copy_(op(input.clone(), *args))  # type: ignore[attr-defined]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0)."""
    return _in_place(autograd.relu, input) if inplace else autograd.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return _in_place(autograd.relu, input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x * P(X <= x) for a standard normal X, or with ``approximate="tanh"`` its approximation by tanh
    (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415).
    """
    if approximate == "none":
        return autograd.gelu_erf(input)
    if approximate == "tanh":
        return autograd.gelu_tanh(input)
    raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh'; got {approximate!r}")
