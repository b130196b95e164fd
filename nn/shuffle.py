"""Modules that move elements between channels and places."""

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Channels made into places; (*, c * r^2, h, w) -> (*, c, h * r, w * r)
    (Shi et al. 2016, https://arxiv.org/abs/1609.05158).
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """``input`` enlarged."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Its argument."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Places made into channels, the inverse of PixelShuffle; (*, c, h * r, w * r) -> (*, c * r^2, h, w)."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """``input`` made smaller."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Its argument."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels dealt out among the groups; (n, c, *) -> the same (Zhang et al. 2017, https://arxiv.org/abs/1707.01083)."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with its channels in another order."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Its argument."""
        return f"groups={self.groups}"
