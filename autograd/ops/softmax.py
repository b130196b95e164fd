"""Softmax and what is computed with it."""

from typing import Any

import numpy as np

from ..dtypes import float16, float32, get_default_dtype, is_float, to_dtype
from ..kernels import softmax as kernels
from ..kernels.reduce import EXPONENTIALS, MAXIMUM, reduce
from ..kernels.spread import EXPONENTIALS as WEIGHTS
from ..kernels.spread import spread
from ..tensor import Tensor
from .convert import cast
from .dims import normal_dim, normal_dims, numpy_spelling
from .elementwise import exp
from .op import Kept, op
from .reduce import sum
from .shape import reshape
from .totals import repeat_along

__all__ = ["log_softmax", "logsumexp", "softmax", "softmax_cross_entropy"]


def _along_rows(kernel: Any, dim: int, *arrays: np.ndarray) -> np.ndarray:
    """Run a kernel for rows along axis ``dim`` of arrays of one shape."""
    if not arrays[0].size:
        return arrays[0].copy()
    moved = [a if dim == a.ndim - 1 else a.swapaxes(dim, -1) for a in arrays]
    shape = moved[0].shape
    rows = [np.ascontiguousarray(a).reshape(-1, shape[-1]) for a in moved]
    dtype = rows[0].dtype
    if dtype == float16:  # numba has no arithmetic on it
        rows = [row.astype(float32) for row in rows]
    out = np.empty(rows[0].shape, rows[0].dtype)
    kernel(*rows, out)
    out = out.reshape(shape).astype(dtype, copy=False)
    return out if dim == out.ndim - 1 else out.swapaxes(dim, -1)


@op(x=lambda g, out, dim: out * (g - sum(g * out, dim, True)))
def _softmax(x, *, dim):
    return _along_rows(kernels.softmax, dim, x)


@_softmax.by_hand
def _softmax_backward(g, out, dim):
    return [_along_rows(kernels.softmax_backward, dim, g, out)]


@op(x=lambda g, out, dim: g - exp(out) * sum(g, dim, True))
def _log_softmax(x, *, dim):
    return _along_rows(kernels.log_softmax, dim, x)


@_log_softmax.by_hand
def _log_softmax_backward(g, out, dim):
    return [_along_rows(kernels.log_softmax_backward, dim, g, out)]


def _normalised(function: Any, input: Tensor, dim: int, dtype: Any) -> Tensor:
    x = input if dtype is None else cast(input, to_dtype(dtype))
    if not is_float(x.dtype):
        raise NotImplementedError(
            f"{function.name}: the tensor must be floating; got {x.dtype}; pass dtype= or convert it"
        )
    at = normal_dim(function.name, dim, x.ndim)
    if x.ndim:
        return function(x, dim=at)
    return reshape(function(reshape(x, 1), dim=0), ())


@numpy_spelling
def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along ``dim``, the largest x subtracted first so that nothing overflows.

    >>> softmax(Tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _normalised(_softmax, input, dim, dtype)


@numpy_spelling
def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """x - log(sum(exp(x))) along ``dim``, the logarithm of `softmax` without its underflow."""
    return _normalised(_log_softmax, input, dim, dtype)


@numpy_spelling
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log(sum(exp(x))) over ``dim``, the largest x subtracted first so that nothing overflows."""
    x = input if is_float(input.dtype) else cast(input, get_default_dtype())
    return _logsumexp(x, dim=normal_dims("logsumexp", dim, x.ndim), keepdim=keepdim)


@op(x=lambda g, x, out, shape, dim: repeat_along(g, shape, dim) * exp(x - repeat_along(out, shape, dim)))
def _logsumexp(x, *, dim, keepdim):
    if x.dtype == float16:
        return _logsumexp.forward(x.astype(float32), dim=dim, keepdim=keepdim).astype(float16)
    if not x.size:  # log(0) for each sum of nothing
        return np.full(np.add.reduce(x, axis=dim, keepdims=keepdim).shape, -np.inf, x.dtype)
    top = reduce(MAXIMUM, x, dim, True)
    shift = np.where(np.isinf(top), x.dtype.type(0), top)
    return reduce(EXPONENTIALS, x, dim, keepdim, centre=shift)


@_logsumexp.by_hand
def _logsumexp_backward(g, x, out, dim):
    return [spread(WEIGHTS, g, x, dim, out)]


def _mean_over_targets(g: Any, x: Any, target: Any) -> Any:
    p = softmax(x, 1)
    rows = np.arange(target.shape[0])
    onehot = np.zeros(p.shape, p.dtype)
    onehot[rows, target.array if isinstance(target, Tensor) else target] = 1
    return (p - onehot) * (g / target.shape[0])


@op(x=_mean_over_targets)
def _cross_entropy(x, target):
    probabilities = np.empty(x.shape, x.dtype)
    loss, bad = kernels.cross_entropy(np.ascontiguousarray(x), target, probabilities)
    if bad >= 0:
        raise IndexError(
            f"cross_entropy: a target must be a class, 0 to {x.shape[1] - 1}; got {target[bad]} at row {bad}"
        )
    return Kept(np.asarray(loss, x.dtype), probabilities)


@_cross_entropy.by_hand
def _cross_entropy_backward(g, target, kept):
    dx = np.empty(kept.shape, kept.dtype)
    kernels.cross_entropy_backward(kept, target, g, dx)
    return [dx, None]


def softmax_cross_entropy(input: Tensor, target: Tensor) -> Tensor:
    """The mean over rows of -log_softmax(input)[target]; (n, classes) and integers (n,) -> (); gradient p - onehot."""
    if input.dtype == float16:
        return cast(_cross_entropy(cast(input, float32), target), float16)
    return _cross_entropy(input, target)
