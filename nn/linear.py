"""Affine layers and the one that does nothing."""

import math
from typing import Any

import autograd
from autograd import Tensor, linear

from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter

__all__ = ["Identity", "Linear"]


class Identity(Module):
    """Gives back its input, whatever arguments it is made with; a placeholder."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """``input`` itself."""
        return input


class Linear(Module):
    """x @ weight.T + bias; (*, in_features) -> (*, out_features).

    ``weight`` is (out_features, in_features) and ``bias`` (out_features,), both drawn from U(-b, b) with
    b = 1 / sqrt(in_features).

    >>> import nn
    >>> nn.Linear(3, 2)(autograd.ones(5, 3)).shape
    (5, 2)
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(autograd.empty(out_features, in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """The affine map of ``input``."""
        try:
            return linear(input, self.weight, self.bias)
        except RuntimeError:
            self._check(input)
            raise

    def _check(self, input: Tensor) -> None:
        name = f"{type(self).__name__}(in_features={self.in_features})"
        if not input.ndim or input.shape[-1] != self.in_features:
            raise LayerError(
                self, name, f"the last axis of the input must be {self.in_features}, got {tuple(input.shape)}"
            ) from None
        if input.dtype != self.weight.dtype:
            raise LayerError(
                self, name, f"the input must be {self.weight.dtype} as the weight is, got {input.dtype}; convert with to()"
            ) from None

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
