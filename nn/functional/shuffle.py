"""Elements moved between channels and places."""

from typing import Any

from autograd import Tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels made into places; (*, c * r^2, h, w) -> (*, c, h * r, w * r)
    (Shi et al. 2016, https://arxiv.org/abs/1609.05158).
    """
    r, x = upscale_factor, _check("pixel_shuffle", input, 3, upscale_factor)
    *lead, channels, h, w = x.shape
    if channels % r**2:
        raise RuntimeError(f"pixel_shuffle: axis -3 must be divisible by {r}^2; got shape {x.shape}")
    c, n = channels // r**2, len(lead)
    parts = x.reshape(*lead, c, r, r, h, w)
    return parts.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2).reshape(*lead, c, h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Places made into channels, the inverse of `pixel_shuffle`; (*, c, h * r, w * r) -> (*, c * r^2, h, w)."""
    r, x = downscale_factor, _check("pixel_unshuffle", input, 3, downscale_factor)
    *lead, c, h, w = x.shape
    if h % r or w % r:
        raise RuntimeError(f"pixel_unshuffle: the last two axes must be divisible by {r}; got shape {x.shape}")
    n = len(lead)
    parts = x.reshape(*lead, c, h // r, r, w // r, r)
    return parts.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3).reshape(*lead, c * r**2, h // r, w // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (n, c, *) dealt out so that every group of the result has some of every group
    (Zhang et al. 2017, https://arxiv.org/abs/1707.01083).
    """
    x = _check("channel_shuffle", input, 3, groups)
    n, c, *rest = x.shape
    if c % groups:
        raise RuntimeError(f"channel_shuffle: axis 1 must be divisible by {groups}; got shape {x.shape}")
    return x.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(x.shape)


def _check(op: str, input: Tensor, axes: int, factor: int) -> Any:
    if input.ndim < axes:
        raise RuntimeError(f"{op}: the input must have {axes} or more axes; got shape {input.shape}")
    if factor < 1:
        raise RuntimeError(f"{op}: the factor must be positive; got {factor}")
    return input
