"""Normalisation of each sample by itself: layer, group, root-mean-square and local response norm."""

from collections.abc import Sequence
from typing import Any

import autograd
from autograd import Tensor

from . import functional as F
from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class _Affine(Module):
    """A norm with a weight, first 1, and a bias, first 0, if it has them."""

    weight: Parameter | None
    bias: Parameter | None

    def _make(self, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        make = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(autograd.ones(shape, **make)) if weight else None)
        self.register_parameter("bias", Parameter(autograd.zeros(shape, **make)) if bias else None)

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


def _as_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


class LayerNorm(_Affine):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes, which are ``normalized_shape``;
    (*, normalized_shape) -> the same (Ba et al. 2016, https://arxiv.org/abs/1607.06450).

    >>> LayerNorm(2)(autograd.tensor([[0.0, 2.0]])).detach()
    tensor([[-1.0000,  1.0000]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """``input`` normalised."""
        _check_last(self, input)
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Its arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """x / sqrt(mean(x^2) + eps) * weight over the last axes, which are ``normalized_shape``; eps is that of the dtype
    unless given; (*, normalized_shape) -> the same (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, False, device, dtype)
        del self.bias  # its state has none, not even an empty one

    def reset_parameters(self) -> None:
        """Weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        """``input`` normalised."""
        _check_last(self, input)
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _check_last(module: Any, input: Tensor) -> None:
    shape = module.normalized_shape
    if input.shape[-len(shape) :] != shape:
        name = f"{type(module).__name__}({shape})"
        raise LayerError(module, name, f"the last axes of the input must be {shape}, got {tuple(input.shape)}")


class GroupNorm(_Affine):
    """The channels in ``num_groups`` groups, each group of each sample normalised, then weight and bias by channel;
    (n, num_channels, *) -> the same (Wu and He 2018, https://arxiv.org/abs/1803.08494).
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels must be divisible by num_groups; got {num_channels} and {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make(num_channels, affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """``input`` normalised in groups of channels."""
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            name = f"GroupNorm({self.num_groups}, {self.num_channels})"
            raise LayerError(
                self, name, f"axis 1 of the input must be {self.num_channels} (channels), got {tuple(input.shape)}"
            )
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Its arguments."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """x / (k + alpha * mean of x^2 over ``size`` neighbouring channels)^beta; (n, c, *) -> the same
    (Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks").
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """``input`` divided by the activity around it."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
