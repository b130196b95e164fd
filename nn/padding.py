"""Padding layers: more at the ends of the last one, two or three axes.

The padding is a number for all ends, or (left, right, top, bottom, front, back), as many as there are ends. Constants
may be added to fewer axes, or more.
"""

from collections.abc import Sequence

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    axes: int
    mode: str

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with more at its ends."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """Its argument."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with ``value`` at its ends."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_Pad):
    mode = "constant"


class _ReflectionPad(_Pad):
    mode = "reflect"


class _ReplicationPad(_Pad):
    mode = "replicate"


class _CircularPad(_Pad):
    mode = "circular"


class ConstantPad1d(_ConstantPad):
    """``value`` at the ends; (n, c, l) or (c, l) -> the same, longer."""

    axes = 1


class ConstantPad2d(_ConstantPad):
    """``value`` at the ends; (n, c, h, w) or (c, h, w) -> the same, longer."""

    axes = 2


class ConstantPad3d(_ConstantPad):
    """``value`` at the ends; (n, c, d, h, w) or (c, d, h, w) -> the same, longer."""

    axes = 3


class ZeroPad1d(_ZeroPad):
    """0 at the ends; (n, c, l) or (c, l) -> the same, longer."""

    axes = 1


class ZeroPad2d(_ZeroPad):
    """0 at the ends; (n, c, h, w) or (c, h, w) -> the same, longer."""

    axes = 2


class ZeroPad3d(_ZeroPad):
    """0 at the ends; (n, c, d, h, w) or (c, d, h, w) -> the same, longer."""

    axes = 3


class ReflectionPad1d(_ReflectionPad):
    """At the ends the elements before, mirrored; (n, c, l) or (c, l) -> the same, longer."""

    axes = 1


class ReflectionPad2d(_ReflectionPad):
    """At the ends the elements before, mirrored; (n, c, h, w) or (c, h, w) -> the same, longer."""

    axes = 2


class ReflectionPad3d(_ReflectionPad):
    """At the ends the elements before, mirrored; (n, c, d, h, w) or (c, d, h, w) -> the same, longer."""

    axes = 3


class ReplicationPad1d(_ReplicationPad):
    """At the ends the last element, repeated; (n, c, l) or (c, l) -> the same, longer."""

    axes = 1


class ReplicationPad2d(_ReplicationPad):
    """At the ends the last element, repeated; (n, c, h, w) or (c, h, w) -> the same, longer."""

    axes = 2


class ReplicationPad3d(_ReplicationPad):
    """At the ends the last element, repeated; (n, c, d, h, w) or (c, d, h, w) -> the same, longer."""

    axes = 3


class CircularPad1d(_CircularPad):
    """At the ends what stands at the other end; (n, c, l) or (c, l) -> the same, longer."""

    axes = 1


class CircularPad2d(_CircularPad):
    """At the ends what stands at the other end; (n, c, h, w) or (c, h, w) -> the same, longer."""

    axes = 2


class CircularPad3d(_CircularPad):
    """At the ends what stands at the other end; (n, c, d, h, w) or (c, d, h, w) -> the same, longer."""

    axes = 3
