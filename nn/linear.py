"""Affine layers and the one that does nothing."""

import math
from typing import Any

import autograd
from autograd import Tensor, linear

from . import functional as F
from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter, UninitializedParameter

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear", "Maxout"]


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

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
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

    def forward(self, input: Tensor, activation: str | None = None) -> Tensor:
        """The affine map of ``input``, and an activation of it, as of `functional.linear`."""
        try:
            return linear(input, self.weight, self.bias, activation=activation)
        except (AttributeError, RuntimeError):
            self._check(input)
            raise

    def _check(self, input: Tensor) -> None:
        name = f"{type(self).__name__}(in_features={self.in_features})"
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}: the input must be a Tensor, got {type(input).__name__}") from None
        if not input.ndim or input.shape[-1] != self.in_features:
            raise LayerError(
                self, name, f"the last axis of the input must be {self.in_features}, got {tuple(input.shape)}"
            ) from None
        if input.dtype != self.weight.dtype:
            raise LayerError(
                self,
                name,
                f"the input must be {self.weight.dtype} as the weight is, got {input.dtype}; convert with to()",
            ) from None

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class LazyLinear(Linear):
    """A Linear that learns ``in_features`` from its first input, or from the state loaded into it; from then on it is a
    Linear.

    >>> layer = LazyLinear(2)
    >>> layer(autograd.ones(5, 3)).shape
    (5, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, bias, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(self.weight)
        if self.bias is not None:
            self.bias = UninitializedParameter(self.bias)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, once their shapes are known."""
        if not isinstance(self.weight, UninitializedParameter):
            super().reset_parameters()

    def _become(self, in_features: int) -> None:
        assert isinstance(self.weight, UninitializedParameter)
        self.in_features = in_features
        self.weight.materialize((self.out_features, in_features))
        if isinstance(self.bias, UninitializedParameter):
            self.bias.materialize((self.out_features,))
        self.__class__ = Linear  # type: ignore[assignment]
        self.reset_parameters()

    def forward(self, input: Tensor, activation: str | None = None) -> Tensor:
        """The affine map of ``input``, whose last axis gives the number of inputs."""
        self._become(input.shape[-1])
        return self.forward(input, activation)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        raise RuntimeError("LazyLinear: it has no state before its first input; call it, or load a state, first")

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        weight = state_dict.get(f"{prefix}weight")
        if weight is not None:
            self._become(weight.shape[-1])
        Linear._load_from_state_dict(self, state_dict, prefix, *rest)


class Bilinear(Module):
    """x1 @ weight[k] @ x2 + bias[k] for every output k; (*, in1_features), (*, in2_features) -> (*, out_features).

    ``weight`` is (out, in1, in2); it and ``bias`` are drawn from U(-b, b) with b = 1 / sqrt(in1_features).
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features < 1:
            raise ValueError(f"Bilinear: in1_features must be positive; got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        make = {"device": device, "dtype": dtype}
        self.weight = Parameter(autograd.empty(out_features, in1_features, in2_features, **make))
        self.register_parameter("bias", Parameter(autograd.empty(out_features, **make)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters(recurse=False):
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """The bilinear map of the two inputs."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Its arguments."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Maxout(Module):
    """The largest of ``num_pieces`` affine maps, for each output; (*, in_features) -> (*, out_features)
    (Goodfellow et al. 2013, https://arxiv.org/abs/1302.4389).

    >>> Maxout(3, 2, num_pieces=4)
    Maxout(
      in_features=3, out_features=2, num_pieces=4
      (linear): Linear(in_features=3, out_features=8, bias=True)
    )
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        num_pieces: int = 2,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if num_pieces < 1:
            raise ValueError(f"Maxout: num_pieces must be positive; got {num_pieces}")
        self.in_features = in_features
        self.out_features = out_features
        self.num_pieces = num_pieces
        self.linear = Linear(in_features, out_features * num_pieces, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """The largest of the maps of ``input``."""
        pieces = self.linear(input)
        return pieces.reshape(*pieces.shape[:-1], self.out_features, self.num_pieces).amax(-1)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, num_pieces={self.num_pieces}"
