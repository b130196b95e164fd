"""Dropout: random zeros while training, scaled so that the mean stays."""

import warnings
from typing import Any

import autograd
from autograd import Tensor

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout", "zoneout",
]  # fmt: skip


def check_probability(op: str, p: float) -> None:
    """A probability is in [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"{op}: p must be in [0, 1]; got {p}")


def _mask(shape: tuple[int, ...], p: float, dtype: Any) -> Tensor:
    """1 / (1 - p) in a random part 1 - p of the places, 0 elsewhere."""
    return autograd.dropout(autograd.ones(shape, dtype=dtype), p, True)


def _drop(op: str, input: Tensor, shape: tuple[int, ...], p: float, training: bool, inplace: bool) -> Tensor:
    check_probability(op, p)
    if not training or p == 0:
        return input
    if inplace:
        return input.mul_(_mask(shape, p, input.dtype))
    return autograd.dropout(input, p, True) if shape == input.shape else input * _mask(shape, p, input.dtype)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element 0 with probability p, else input / (1 - p), so that the mean stays; input itself unless ``training``
    (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html).
    """
    return _drop("dropout", input, input.shape, p, training, inplace)


def _check_channels(op: str, input: Tensor, training: bool) -> None:
    if training and input.ndim < 2:
        raise RuntimeError(f"{op}: the input must have channels, (n, c, *); got shape {input.shape}")


def _channels(op: str, input: Tensor, rank: int, training: bool) -> tuple[int, ...]:
    """One place for each channel of (n, c, *) or (c, *), with ``rank`` axes in *."""
    _check_channels(op, input, training)
    if input.ndim not in (rank + 1, rank + 2):
        warnings.warn(
            f"{op}: the input should have {rank + 1} or {rank + 2} axes; got shape {input.shape}; "
            "the first two count the channels",
            stacklevel=4,
        )
    lead = 1 if input.ndim == rank + 1 else 2
    return (*input.shape[:lead], *[1] * (input.ndim - lead))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (n, c, l) or (c, l) (Tompson et al. 2014, https://arxiv.org/abs/1411.4280)."""
    if input.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: the input must be (n, c, l) or (c, l); got shape {input.shape}")
    return _drop("dropout1d", input, (*input.shape[:-1], 1), p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (n, c, h, w); three axes are taken as (n, c, l), as PyTorch does."""
    if input.ndim == 3:
        return _drop("dropout2d", input, (*input.shape[:2], 1), p, training, inplace)
    return _drop("dropout2d", input, _channels("dropout2d", input, 2, training), p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (n, c, d, h, w) or (c, d, h, w)."""
    return _drop("dropout3d", input, _channels("dropout3d", input, 3, training), p, training, inplace)


LOWEST = -1.7580993408473766
"""What SELU tends to at minus infinity."""


def _drop_to_lowest(op: str, input: Tensor, shape: tuple, p: float, training: bool, inplace: bool) -> Tensor:
    check_probability(op, p)
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    scale = ((1 - p) * (1 + p * LOWEST**2)) ** -0.5
    x: Any = input
    factor = _mask(shape, p, x.dtype) * (scale * (1 - p))
    shift = (scale - factor) * LOWEST - scale * LOWEST * p
    return x.mul_(factor).add_(shift) if inplace else x * factor + shift


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`dropout` for SELU networks: what is dropped takes SELU's lowest value, then everything is scaled and shifted so
    that mean 0 and variance 1 stay (Klambauer et al. 2017, https://arxiv.org/abs/1706.02515).
    """
    return _drop_to_lowest("alpha_dropout", input, input.shape, p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels of (n, c, *)."""
    _check_channels("feature_alpha_dropout", input, training)
    shape = (*input.shape[:2], *[1] * (input.ndim - 2))
    return _drop_to_lowest("feature_alpha_dropout", input, shape, p, training, inplace)


def zoneout(input: Tensor, previous: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Each element of the state ``input`` left at its ``previous`` value with probability p; the expected state,
    p * previous + (1 - p) * input, unless ``training`` (Krueger et al. 2016, https://arxiv.org/abs/1606.01305).
    """
    check_probability("zoneout", p)
    if training:
        return autograd.where(_mask(input.shape, p, input.dtype) != 0, input, previous)
    return input + (previous - input) * p
