"""Convolutions over one, two and three axes, and their transposes."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Tensor

from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_PAD_MODES = ("zeros", "reflect", "replicate", "circular")


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    """One number for every axis, or one for each."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


class _Convolution(Module):
    """What all of them have: parameters, and the numbers that place the kernel."""

    rank: int
    transposed = False
    function: Callable
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        rank, name = self.rank, type(self).__name__
        if groups <= 0 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: groups must divide in_channels and out_channels; "
                f"got groups={groups}, in_channels={in_channels}, out_channels={out_channels}"
            )
        if padding_mode not in _PAD_MODES or (self.transposed and padding_mode != "zeros"):
            allowed = "'zeros'" if self.transposed else ", ".join(map(repr, _PAD_MODES))
            raise ValueError(f"{name}: padding_mode must be {allowed}; got {padding_mode!r}")
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"{name}: padding must be numbers, 'same' or 'valid'; got {padding!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(kernel_size, rank)
        self.stride, self.dilation = per_axis(stride, rank), per_axis(dilation, rank)
        self.padding = padding if isinstance(padding, str) else per_axis(padding, rank)
        self.output_padding = per_axis(output_padding, rank)
        if padding == "same" and max(self.stride) > 1:
            raise ValueError(f"{name}: padding='same' needs stride 1; got stride {self.stride}")
        self.padding_mode = padding_mode
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(autograd.empty(*channels, *self.kernel_size, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _run(self, input: Tensor, *numbers: Any) -> Tensor:
        try:
            return type(self).function(input, self.weight, self.bias, *numbers)
        except RuntimeError:
            name, rank = f"{type(self).__name__}(in_channels={self.in_channels})", self.rank
            if input.ndim not in (rank + 1, rank + 2):
                rule = f"the input must have {rank + 2} axes, or {rank + 1} without a batch, got {tuple(input.shape)}"
                raise LayerError(self, name, rule) from None
            if input.shape[-rank - 1] != self.in_channels:
                rule = f"axis {input.ndim - rank - 1} of the input must be {self.in_channels}, got {tuple(input.shape)}"
                raise LayerError(self, name, rule) from None
            raise

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, both from U(-b, b) with b = 1 / sqrt(fan_in)."""
        fan_in = math.prod(self.weight.shape[1:])
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """Its arguments, those that are not the default."""
        rank = self.rank
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding not in ((0,) * rank, "valid") or self.padding == "valid":
            text += f", padding={self.padding}"
        if self.dilation != (1,) * rank:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * rank:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        numbers = (kernel_size, stride, padding, 0, dilation, groups)
        super().__init__(in_channels, out_channels, *numbers, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """The convolution of ``input``, with a batch or without."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = autograd.pad(input, self._sides(), self.padding_mode), 0
        return self._run(input, self.stride, padding, self.dilation, self.groups)

    def _sides(self) -> list[int]:
        """What to pad, as `autograd.pad` takes it: the last axis first."""
        if self.padding == "same":
            totals = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation)]
            sides = [(total // 2, total - total // 2) for total in totals]
        else:
            lengths: Any = (0,) * self.rank if self.padding == "valid" else self.padding
            sides = [(p, p) for p in lengths]
        return [p for side in reversed(sides) for p in side]


class Conv1d(_Conv):
    """Cross-correlation of (n, in_channels, l) with ``weight`` (out_channels, in_channels / groups, k), plus ``bias``.

    Length (l + 2 padding - dilation (k - 1) - 1) // stride + 1. ``padding`` may be 'same' or 'valid', and
    ``padding_mode`` 'zeros', 'reflect', 'replicate' or 'circular'.

    >>> import nn
    >>> nn.Conv1d(3, 8, kernel_size=5, padding=2)(autograd.zeros(2, 3, 10)).shape
    (2, 8, 10)
    """

    rank, function = 1, staticmethod(autograd.conv1d)


class Conv2d(_Conv):
    """Cross-correlation of (n, in_channels, h, w) with ``weight`` (out_channels, in_channels / groups, kh, kw).

    Sizes and arguments as in `Conv1d`, one number or a pair.

    >>> import nn
    >>> nn.Conv2d(1, 4, kernel_size=3, stride=2)(autograd.zeros(2, 1, 9, 9)).shape
    (2, 4, 4, 4)
    """

    rank, function = 2, staticmethod(autograd.conv2d)


class Conv3d(_Conv):
    """Cross-correlation of (n, in_channels, d, h, w); sizes and arguments as in `Conv1d`, one number or three."""

    rank, function = 3, staticmethod(autograd.conv3d)


class _ConvTranspose(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        numbers = (kernel_size, stride, padding, output_padding, dilation, groups)
        super().__init__(in_channels, out_channels, *numbers, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The transposed convolution of ``input``; ``output_size`` chooses among the sizes a stride leaves open."""
        more = self.output_padding if output_size is None else self._more(input, output_size)
        return self._run(input, self.stride, self.padding, more, self.groups, self.dilation)

    def _more(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        padding: Any = self.padding
        wanted = tuple(output_size)[-self.rank :]
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-self.rank :], self.stride, padding, self.dilation, self.kernel_size
            )
        ]  # fmt: skip
        if any(not low <= w < low + s for w, low, s in zip(wanted, least, self.stride)):
            most = [low + s - 1 for low, s in zip(least, self.stride)]
            raise ValueError(
                f"{type(self).__name__}: output_size must be from {least} to {most} for input {tuple(input.shape)}; "
                f"got {list(wanted)}"
            )
        return tuple(w - low for w, low in zip(wanted, least))


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Conv1d`: (n, in_channels, l) -> (n, out_channels, l') with l' = (l - 1) stride - 2 padding
    + dilation (k - 1) + output_padding + 1; ``weight`` is (in_channels, out_channels / groups, k).

    >>> import nn
    >>> nn.ConvTranspose1d(4, 2, kernel_size=3, stride=2)(autograd.zeros(1, 4, 5)).shape
    (1, 2, 11)
    """

    rank, function = 1, staticmethod(autograd.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d`; sizes and arguments as in `ConvTranspose1d`, one number or a pair."""

    rank, function = 2, staticmethod(autograd.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transpose of `Conv3d`; sizes and arguments as in `ConvTranspose1d`, one number or three."""

    rank, function = 3, staticmethod(autograd.conv_transpose3d)
