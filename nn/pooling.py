"""Pooling over one, two and three axes."""

from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Tensor

from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip

Size = int | Sequence[int]


class _Pool(Module):
    function: Callable
    shown: tuple[str, ...]  # which attributes `repr` tells

    def extra_repr(self) -> str:
        """Its arguments."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPool(_Pool):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        """The largest element of each window, and with ``return_indices`` where it was."""
        placing = (self.kernel_size, self.stride, self.padding, self.dilation)
        return type(self).function(input, *placing, self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPool):
    """The largest element of each window of (n, c, l), or (c, l).

    Length (l + 2 padding - dilation (k - 1) - 1) // stride + 1, rounded up with ``ceil_mode``. ``return_indices``
    gives the places too, for `MaxUnpool1d`. Padding never wins.

    >>> import nn
    >>> nn.MaxPool1d(2)(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    function = staticmethod(autograd.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest element of each window of (n, c, h, w), or (c, h, w); arguments as in `MaxPool1d`."""

    function = staticmethod(autograd.max_pool2d)


class MaxPool3d(_MaxPool):
    """The largest element of each window of (n, c, d, h, w), or (c, d, h, w); arguments as in `MaxPool1d`."""

    function = staticmethod(autograd.max_pool3d)


class _MaxUnpool(_Pool):
    rank: int
    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size = _per_axis(kernel_size, self.rank)
        self.stride = self.kernel_size if stride is None else _per_axis(stride, self.rank)
        self.padding = _per_axis(padding, self.rank)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Zeros, with each element where ``indices`` say it came from."""
        return type(self).function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


def _per_axis(value: Size, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


class MaxUnpool1d(_MaxUnpool):
    """Puts what `MaxPool1d` chose back where it was, zeros elsewhere."""

    rank, function = 1, staticmethod(autograd.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Puts what `MaxPool2d` chose back where it was, zeros elsewhere."""

    rank, function = 2, staticmethod(autograd.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Puts what `MaxPool3d` chose back where it was, zeros elsewhere."""

    rank, function = 3, staticmethod(autograd.max_unpool3d)


class _AvgPool(_Pool):
    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The mean of each window."""
        placing = (self.kernel_size, self.stride, self.padding, self.ceil_mode)
        return type(self).function(input, *placing, self.count_include_pad, self.divisor_override)


class AvgPool1d(_AvgPool):
    """The mean of each window of (n, c, l), or (c, l); padding counts as zeros unless ``count_include_pad`` is off.

    >>> import nn
    >>> nn.AvgPool1d(2)(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    function = staticmethod(autograd.avg_pool1d)

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        # PyTorch keeps the numbers of this one as tuples.
        kernel = _per_axis(kernel_size, 1)
        steps = kernel if stride is None else _per_axis(stride, 1)
        super().__init__(kernel, steps, _per_axis(padding, 1), ceil_mode, count_include_pad)


class AvgPool2d(_AvgPool):
    """The mean of each window of (n, c, h, w), or (c, h, w); ``divisor_override`` divides by another number."""

    function = staticmethod(autograd.avg_pool2d)


class AvgPool3d(_AvgPool):
    """The mean of each window of (n, c, d, h, w), or (c, d, h, w); ``divisor_override`` divides by another number."""

    function = staticmethod(autograd.avg_pool3d)


class _LPPool(_Pool):
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """(sum of x^p)^(1/p) over each window."""
        return type(self).function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    """(sum of x^p)^(1/p) over each window of (n, c, l): the sum for p = 1, the largest as p grows."""

    function = staticmethod(autograd.lp_pool1d)


class LPPool2d(_LPPool):
    """(sum of x^p)^(1/p) over each window of (n, c, h, w)."""

    function = staticmethod(autograd.lp_pool2d)


class LPPool3d(_LPPool):
    """(sum of x^p)^(1/p) over each window of (n, c, d, h, w)."""

    function = staticmethod(autograd.lp_pool3d)


class _Adaptive(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """Its argument."""
        return f"output_size={self.output_size}"

    def forward(self, input: Tensor) -> Any:
        """The mean over windows that divide each axis evenly."""
        return type(self).function(input, self.output_size)


class AdaptiveAvgPool1d(_Adaptive):
    """The mean over ``output_size`` windows: window i of l elements is floor(i l / n) up to ceil((i + 1) l / n).

    >>> import nn
    >>> nn.AdaptiveAvgPool1d(2)(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    function = staticmethod(autograd.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """`AdaptiveAvgPool1d` over two axes; a length of None keeps the axis as it is."""

    function = staticmethod(autograd.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_Adaptive):
    """`AdaptiveAvgPool1d` over three axes; a length of None keeps the axis as it is."""

    function = staticmethod(autograd.adaptive_avg_pool3d)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The largest element of windows that divide each axis evenly, and with ``return_indices`` where it was."""
        return type(self).function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The largest element of ``output_size`` windows, which lie as those of `AdaptiveAvgPool1d`."""

    function = staticmethod(autograd.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """`AdaptiveMaxPool1d` over two axes; a length of None keeps the axis as it is."""

    function = staticmethod(autograd.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """`AdaptiveMaxPool1d` over three axes; a length of None keeps the axis as it is."""

    function = staticmethod(autograd.adaptive_max_pool3d)
