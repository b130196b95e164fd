"""Affine maps."""

from autograd import linear

__all__ = ["linear"]
