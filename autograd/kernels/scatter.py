"""Sums into places that may repeat. `numpy.add.at` is fast on flat arrays alone, so the others are made flat."""

import math

import numpy as np

__all__ = ["add_along", "add_at", "flat_index"]


def add_at(shape: tuple[int, ...], key: tuple, part: np.ndarray) -> np.ndarray:
    """Zeros of this shape with ``part`` added at ``key``, made of whole slices, masks and integer arrays."""
    out = np.zeros(shape, part.dtype)
    arrays = [k for k in key if isinstance(k, np.ndarray)]
    if all(k.dtype == bool for k in arrays):
        out[key] = part  # masks name no place twice
        return out
    key = tuple(i for k in key for i in (np.nonzero(k) if isinstance(k, np.ndarray) and k.dtype == bool else (k,)))
    lead = 0
    while lead < len(key) and isinstance(key[lead], slice):
        lead += 1
    picks = key[lead:]
    if any(isinstance(k, slice) for k in picks):
        np.add.at(out, key, part)
    else:
        axes = shape[lead : lead + len(picks)]
        index = np.ravel_multi_index([np.where(k < 0, k + n, k) for k, n in zip(picks, axes, strict=True)], axes)
        inner = math.prod(shape[lead + len(picks) :])
        rows = np.arange(math.prod(shape[:lead]))[:, None] * math.prod(axes) + index.reshape(-1)
        flat = rows[..., None] * inner + np.arange(inner)
        np.add.at(out.reshape(-1), flat.reshape(-1), part.reshape(-1))
    return out


def add_along(shape: tuple[int, ...], dim: int, index: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Zeros of this shape with each element of ``part`` added at ``index`` along ``dim``."""
    out = np.zeros(shape, part.dtype)
    np.add.at(out.reshape(-1), flat_index(shape, dim, index).reshape(-1), part.reshape(-1))
    return out


def flat_index(shape: tuple[int, ...], dim: int, index: np.ndarray) -> np.ndarray:
    """Where in the flattened array the elements are that ``index`` names along ``dim``."""
    flat = index * math.prod(shape[dim + 1 :])
    for axis, length in enumerate(index.shape):
        if axis != dim:
            steps = np.arange(length) * math.prod(shape[axis + 1 :])
            flat = flat + steps.reshape((-1,) + (1,) * (index.ndim - axis - 1))
    return flat
