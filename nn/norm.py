"""Normalisation with statistics that are tracked: batch and instance norm."""

import warnings
from typing import Any

import autograd
from autograd import Tensor

from . import functional as F
from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
]  # fmt: skip


class _Statistics(Module):
    """Weight and bias of each channel, and the running mean and variance."""

    _version = 2  # from here on states count the batches
    num_features: int
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        make = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(autograd.ones(num_features, **make)) if affine else None)
        self.register_parameter("bias", Parameter(autograd.zeros(num_features, **make)) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", autograd.zeros(num_features, **make) if tracked else None)
        self.register_buffer("running_var", autograd.ones(num_features, **make) if tracked else None)
        count = autograd.zeros((), dtype="int64") if tracked else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forget what was seen: mean 0, variance 1, no batches."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and nothing seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _factor(self) -> float:
        """How much the statistics of the next batch count, which is counted; without momentum all count the same."""
        if self.num_batches_tracked is None:
            return 0.0 if self.momentum is None else self.momentum
        counter = self.num_batches_tracked

        def count() -> float:
            counter.array += 1
            return 1 / counter.item() if self.momentum is None else self.momentum

        return autograd.each_run(count)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, local_metadata: dict, *rest: Any) -> None:
        # States without versions (from a file, or very old) may lack the count.
        if local_metadata.get("version", 1) < 2 and self.num_batches_tracked is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _check(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Its arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Statistics):
    axes: tuple[int, ...]
    shapes: str

    def _check(self, input: Tensor) -> None:
        name = f"{type(self).__name__}({self.num_features})"
        if input.ndim not in self.axes:
            raise LayerError(self, name, f"the input must be {self.shapes}, got {tuple(input.shape)}")
        if input.shape[1] != self.num_features:
            raise LayerError(
                self, name, f"axis 1 of the input must be {self.num_features} (channels), got {tuple(input.shape)}"
            )

    def forward(self, input: Tensor) -> Tensor:
        """``input`` normalised for each channel."""
        self._check(input)
        training = self.training
        use_batch = training or self.running_mean is None
        keep = training and self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if not training or keep else None,
            self.running_var if not training or keep else None,
            self.weight,
            self.bias,
            use_batch,
            self._factor() if keep else 0.0,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias for each feature or channel; (n, c) or (n, c, l) -> the same.

    While training, mean and variance are those of the batch, and the running ones move towards them by ``momentum``
    (None: the plain average of all batches so far); in evaluation the running ones are used
    (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167).

    >>> norm = BatchNorm1d(2)
    >>> y = norm(autograd.tensor([[0.0, 1.0], [2.0, 5.0]]))
    >>> bool(y.mean(0).abs().max() < 1e-6)
    True
    """

    axes = (2, 3)
    shapes = "(n, c) or (n, c, l)"


class BatchNorm2d(_BatchNorm):
    """BatchNorm1d for images; (n, c, h, w) -> the same."""

    axes = (4,)
    shapes = "(n, c, h, w)"


class BatchNorm3d(_BatchNorm):
    """BatchNorm1d for volumes; (n, c, d, h, w) -> the same."""

    axes = (5,)
    shapes = "(n, c, d, h, w)"


class _InstanceNorm(_Statistics):
    axes: int
    shapes: str

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _check(self, input: Tensor) -> None:
        name = f"{type(self).__name__}({self.num_features})"
        if input.ndim not in (self.axes - 1, self.axes):
            raise LayerError(self, name, f"the input must be {self.shapes}, got {tuple(input.shape)}")
        channels = input.shape[-self.axes + 1]
        if channels != self.num_features:
            rule = f"axis {1 - self.axes} of the input must be {self.num_features} (channels), got {tuple(input.shape)}"
            if self.affine or self.track_running_stats:
                raise LayerError(self, name, rule)
            warnings.warn(f"{name}: {rule}; without parameters it is normalised all the same", stacklevel=4)

    def forward(self, input: Tensor) -> Tensor:
        """``input`` normalised for each sample and channel."""
        self._check(input)
        x = input if input.ndim == self.axes else input.unsqueeze(0)
        out = F.instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out if x is input else out.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """(x - mean) / sqrt(var + eps), mean and variance those of one channel of one sample, then weight and bias of the
    channel if ``affine``; (n, c, l) or (c, l) -> the same (Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022).

    With ``track_running_stats`` evaluation uses running averages as BatchNorm1d does.
    """

    axes = 3
    shapes = "(n, c, l) or (c, l)"


class InstanceNorm2d(_InstanceNorm):
    """InstanceNorm1d for images; (n, c, h, w) or (c, h, w) -> the same."""

    axes = 4
    shapes = "(n, c, h, w) or (c, h, w)"


class InstanceNorm3d(_InstanceNorm):
    """InstanceNorm1d for volumes; (n, c, d, h, w) or (c, d, h, w) -> the same."""

    axes = 5
    shapes = "(n, c, d, h, w) or (c, d, h, w)"
