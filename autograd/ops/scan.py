"""Scans: every partial sum, product or extremum along an axis.

The derivatives of products are linear recurrences, y[k] = b[k] + a[k] * y[k - 1]. Computed as such they need no
division, so zeros are like other numbers, and the recurrence is its own derivative to any order.
"""

from typing import Any, NamedTuple

import numpy as np

from ..dtypes import int64, is_float, to_dtype
from ..kernels import scan as kernels
from ..tensor import Tensor
from .convert import cast, clone
from .dims import normal_dim, numpy_spelling
from .exponential import exp
from .gather import scatter_zeros
from .op import op
from .selection import where

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]


# --- the linear recurrence -------------------------------------------------------------------------------------------


@op(x=lambda g, dim, by: shift(g, dim, -by, 0.0))
def _shift(x, *, dim, by, fill):
    out = np.full_like(x, fill)
    to, source = (slice(1, None), slice(None, -1)) if by > 0 else (slice(None, -1), slice(1, None))
    before = (slice(None),) * dim
    out[(*before, to)] = x[(*before, source)]
    return out


def shift(x: Any, dim: int, by: int, fill: float) -> Any:
    """x moved one place up (``by`` 1) or down (-1) along an axis, ``fill`` in the place that becomes free."""
    return _shift(x, dim=dim, by=by, fill=fill)


@op(
    a=lambda g, a, out, dim, reverse: (
        recurrence(shift(a, dim, _back(reverse), 0.0), g, dim, not reverse) * shift(out, dim, -_back(reverse), 0.0)
    ),
    b=lambda g, a, dim, reverse: recurrence(shift(a, dim, _back(reverse), 0.0), g, dim, not reverse),
)
def _recurrence(a, b, *, dim, reverse):
    return kernels.scan(kernels.RECURRENCE, b, dim, reverse, a)


def _back(reverse: bool) -> int:
    return 1 if reverse else -1


def recurrence(a: Any, b: Any, dim: int, reverse: bool = False) -> Any:
    """y[k] = b[k] + a[k] * y[k - 1] along an axis, y[-1] = 0; from the end if ``reverse``."""
    return _recurrence(a, b, dim=dim, reverse=reverse)


def _accumulate(kind: Any, ufunc: np.ufunc, x: np.ndarray, dim: int, reverse: bool) -> np.ndarray:
    if is_float(x.dtype):
        return kernels.scan(kind, x, dim, reverse)
    x = np.flip(x, dim) if reverse else x
    out = ufunc.accumulate(x, axis=dim, dtype=x.dtype)
    return np.flip(out, dim) if reverse else out


# --- products --------------------------------------------------------------------------------------------------------


@op(
    x=lambda g, x, out, dim, reverse: (
        shift(out, dim, -_back(reverse), 1.0) * recurrence(shift(x, dim, _back(reverse), 0.0), g, dim, not reverse)
    )
)
def _cumprod(x, *, dim, reverse):
    return _accumulate(kernels.PRODUCTS, np.multiply, x, dim, reverse)


def products_of_others(x: Any, dim: int) -> Any:
    """For each element the product of all others along the axis."""
    before = shift(_cumprod(x, dim=dim, reverse=False), dim, 1, 1.0)
    return before * shift(_cumprod(x, dim=dim, reverse=True), dim, -1, 1.0)


# --- sums ------------------------------------------------------------------------------------------------------------


@op(x=lambda g, dim, reverse: _cumsum(g, dim=dim, reverse=not reverse))
def _cumsum(x, *, dim, reverse):
    if x.dtype == np.int64:
        return kernels.scan(kernels.INTEGER_SUMS, x, dim, reverse)
    return _accumulate(kernels.SUMS, np.add, x, dim, reverse)


def _decay(out: Any, dim: int) -> Any:
    """exp(out[k] - out[k + 1]), which is at most 1; 1 where nothing was there yet."""
    following = shift(out, dim, -1, np.inf)
    return where(out == following, 1.0, exp(out - following))


# d out[k] / d x[j] = exp(x[j] - out[k]), written as exp(x[j] - out[j]) exp(out[j] - out[j+1]) ... so nothing overflows.
@op(x=lambda g, x, out, dim: where(out == -np.inf, 0.0, exp(x - out)) * recurrence(_decay(out, dim), g, dim, True))
def _logcumsumexp(x, *, dim):
    return kernels.scan(kernels.LOG_SUMS, x, dim)


# --- extrema ---------------------------------------------------------------------------------------------------------


@op(x=lambda g, out, dim, shape: scatter_zeros(g[0], out[1], dim=dim, to=shape))
def _cummax(x, *, dim):
    return kernels.extrema(True, x, dim)


@op(x=lambda g, out, dim, shape: scatter_zeros(g[0], out[1], dim=dim, to=shape))
def _cummin(x, *, dim):
    return kernels.extrema(False, x, dim)


class Cumulative(NamedTuple):
    """What `cummax` and `cummin` give: the extremum so far, and where it was found last."""

    values: Tensor
    indices: Tensor


def _whole(input: Any, dtype: Any) -> Any:
    if dtype is not None:
        return cast(input, to_dtype(dtype))
    return input if is_float(input.dtype) else cast(input, int64)


@numpy_spelling
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sums of the first 1, 2, 3 ... elements along ``dim``; integers and bools are summed as int64.

    >>> cumsum(Tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    x = _whole(input, dtype)
    at = normal_dim("cumsum", dim, x.ndim)
    return _cumsum(x, dim=at, reverse=False) if x.ndim else clone(x)


@numpy_spelling
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The products of the first 1, 2, 3 ... elements along ``dim``; zeros have exact gradients."""
    x = _whole(input, dtype)
    at = normal_dim("cumprod", dim, x.ndim)
    return _cumprod(x, dim=at, reverse=False) if x.ndim else clone(x)


@numpy_spelling
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log(cumsum(exp(x))) along ``dim`` without overflow."""
    if not is_float(input.dtype):
        raise NotImplementedError(f"logcumsumexp: the tensor must be floating; got {input.dtype}")
    at = normal_dim("logcumsumexp", dim, input.ndim)
    return _logcumsumexp(input, dim=at) if input.ndim else clone(input)


def _cumulative(find: Any, input: Any, dim: int) -> Cumulative:
    at = normal_dim(find.name, dim, input.ndim)
    if not input.ndim:
        return Cumulative(clone(input), Tensor(np.zeros((), np.int64)))
    return Cumulative(*find(input, dim=at))


@numpy_spelling
def cummax(input: Tensor, dim: int) -> Cumulative:
    """The largest of the first 1, 2, 3 ... elements along ``dim`` and where it is, the last of equal ones."""
    return _cumulative(_cummax, input, dim)


@numpy_spelling
def cummin(input: Tensor, dim: int) -> Cumulative:
    """The smallest of the first 1, 2, 3 ... elements along ``dim`` and where it is, the last of equal ones."""
    return _cumulative(_cummin, input, dim)
