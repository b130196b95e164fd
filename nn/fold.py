"""Windows of an image as columns, and back."""

from collections.abc import Sequence

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = ["Fold", "Unfold"]

Pair = int | Sequence[int]


class Unfold(Module):
    """Every window of (n, c, h, w) as a column of (n, c * kh * kw, number of windows).

    >>> import autograd, nn
    >>> nn.Unfold(kernel_size=2)(autograd.zeros(1, 3, 4, 4)).shape
    (1, 12, 9)
    """

    def __init__(self, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """The windows of ``input``."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Columns added back into an image of ``output_size`` where `Unfold` took them; where they overlap, their sum.

    >>> import autograd, nn
    >>> nn.Fold(output_size=(4, 4), kernel_size=2)(autograd.zeros(1, 12, 9)).shape
    (1, 3, 4, 4)
    """

    def __init__(
        self, output_size: Pair, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """The image of these columns."""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Its arguments."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
