"""Signals and images in another size."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["interpolate", "upsample"]

AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
NEAREST = ("nearest", "nearest-exact")


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """(n, c, *) with its trailing axes brought to ``size``, or multiplied by ``scale_factor``.

    ``mode`` is nearest, nearest-exact, linear (3 axes), bilinear or bicubic (4), trilinear (5), or area. Elements are
    boxes whose centres are interpolated between, or with ``align_corners`` points whose outermost ones keep their
    place. Each axis is interpolated by itself: linearly with a hat, bicubic with Keys' kernel for a = -0.75
    (Keys 1981, IEEE ASSP 29(6)).

    >>> interpolate(autograd.tensor([[[0.0, 2.0]]]), scale_factor=2, mode="linear")
    tensor([[[0.0000, 0.5000, 1.5000, 2.0000]]])
    """
    rank = input.ndim - 2
    _check(input, rank, size, scale_factor, mode, align_corners, antialias)
    lengths = tuple(input.shape[2:])
    if size is not None:
        targets = (size,) * rank if isinstance(size, int) else tuple(int(n) for n in size)
        scales: list[float | None] = [None] * rank
    else:
        assert scale_factor is not None
        factors = (scale_factor,) * rank if isinstance(scale_factor, (int, float)) else tuple(scale_factor)
        targets = tuple(math.floor(n * f) for n, f in zip(lengths, factors))
        scales = [None if recompute_scale_factor else f for f in factors]
    if mode == "area":
        return (autograd.adaptive_avg_pool1d, autograd.adaptive_avg_pool2d, autograd.adaptive_avg_pool3d)[rank - 1](
            input, targets
        )
    if min(*lengths, *targets) <= 0:
        raise RuntimeError(f"interpolate: input and output sizes must be positive; got {lengths} to {targets}")
    few = rank == 2 and sum(targets) <= 128
    out = input
    for axis, (n, m, factor) in enumerate(zip(lengths, targets, scales), start=2):
        if mode in NEAREST:
            places = _nearest(n, m, factor, mode, few, input.dtype)
            out = out.index_select(axis, autograd.from_numpy(places))
        elif n != m or (mode == "bicubic" and factor not in (None, 1, 1.0)):
            step = 1 / factor if factor else n / m
            shares = _shares(n, m, step, bool(align_corners), mode)
            weights = autograd.from_numpy(shares.astype(input.dtype))
            out = (out.transpose(axis, -1) @ weights).transpose(axis, -1)
    return out.clone() if out is input else out


def _nearest(n: int, m: int, factor: float | None, mode: str, few: bool, dtype: np.dtype) -> np.ndarray:
    """The input place that each of m output places takes.

    Many fall on the border of two, where rounding decides. So this is the arithmetic of PyTorch's two kernels, the one
    for images of ``few`` places, which ignores a factor that makes no difference or that doubles, and the one for all
    others: with a step in float32, or in the second of the dtype, and a product that is rounded once.
    """
    if few and mode == "nearest" and m in (n, 2 * n):
        return np.arange(m) * n // m
    real: Any = np.float64 if dtype == np.float64 and not few else np.float32
    step = real(1 / factor) if factor else real(n) / real(m)
    if mode == "nearest":
        at = np.arange(m, dtype=real) * step
    elif few:
        at = (np.arange(m) + 0.5) * float(step)
    else:
        at = np.maximum(((np.arange(m) + 0.5) * float(step) - 0.5).astype(real), 0) + 0.5
    return np.minimum(np.floor(at.astype(np.float32)), n - 1).astype(np.int64)


def _shares(n: int, m: int, step: float, align_corners: bool, mode: str) -> np.ndarray:
    """The (n, m) matrix of how much each input element counts in each output, places being ``step`` elements apart."""
    i = np.arange(m)
    if align_corners:
        at = i * ((n - 1) / (m - 1)) if m > 1 else i * 0.0
    else:
        at = (i + 0.5) * step - 0.5
        at = at if mode == "bicubic" else np.maximum(at, 0.0)
    reach, kernel = (2, _cubic) if mode == "bicubic" else (1, _hat)
    first = np.floor(at).astype(int)
    shares = np.zeros((n, m))
    for offset in range(1 - reach, reach + 1):
        place = first + offset
        np.add.at(shares, (np.clip(place, 0, n - 1), i), kernel(at - place))
    return shares


def _hat(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x: np.ndarray, a: float = -0.75) -> np.ndarray:
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _check(
    input: Tensor, rank: int, size: Any, scale_factor: Any, mode: str, align_corners: bool | None, antialias: bool
) -> None:
    if (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate: one of size and scale_factor; got size={size}, scale_factor={scale_factor}")
    for name, value in (("size", size), ("scale_factor", scale_factor)):
        if isinstance(value, (tuple, list)) and len(value) != rank:
            raise ValueError(f"interpolate: {name} must be one number or {rank}; got {value}")
    if antialias:
        raise NotImplementedError("interpolate: antialias is not available; got antialias=True")
    if mode in AXES:
        if AXES[mode] != rank:
            raise NotImplementedError(
                f"interpolate: mode {mode!r} takes {AXES[mode] + 2} axes; got {tuple(input.shape)}"
            )
    elif mode not in (*NEAREST, "area") or rank not in (1, 2, 3):
        modes = ", ".join((*NEAREST, *AXES, "area"))
        raise NotImplementedError(
            f"interpolate: mode must be one of {modes}, over 3 to 5 axes; got {mode!r} over {tuple(input.shape)}"
        )
    elif align_corners is not None:
        raise ValueError(f"interpolate: align_corners goes with linear and cubic modes; got mode {mode!r}")


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` by its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)
