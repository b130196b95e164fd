"""Sums, means, products and variances over some axes or all; whether any or all are not zero."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import float16, int64, is_float, to_dtype
from ..kernels.reduce import DEVIATIONS, PRODUCT, SUM, layout, reduce
from ..kernels.spread import DIFFERENCES, QUOTIENTS, spread
from ..tensor import Tensor
from .comparison import isnan, logical_not
from .convert import cast
from .dims import normal_dim, normal_dims, numpy_spelling, remembered
from .op import Kept, op
from .scan import products_of_others
from .selection import where
from .shape import expand, reshape

__all__ = [
    "all", "any", "count_nonzero", "mean", "nanmean", "nansum", "prod", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip

Dims = int | Sequence[int] | None


def repeat_along(g: Any, shape: tuple[int, ...], dim: tuple[int, ...]) -> Any:
    """A reduced tensor repeated along the axes it was reduced over, whether or not it kept them."""
    kept = layout(shape, dim).kept
    return expand(g if g.shape == kept else reshape(g, kept), shape)


@op(x=lambda g, shape, dim: repeat_along(g, shape, dim))
def _sum(x, *, dim, keepdim):
    return reduce(SUM, x, dim, keepdim)


@op(x=lambda g, shape, dim, count: repeat_along(g * _inverse(count), shape, dim))
def _mean(x, *, dim, keepdim, count):
    return reduce(SUM, x, dim, keepdim, float(count))


def _inverse(count: float) -> float:
    return 1 / count if count else math.inf


@op(
    x=lambda g, x, shape, dim, divisor: (
        repeat_along(g, shape, dim) * ((x - mean(x, dim, True)) * (2 * _inverse(divisor)))
    )
)
def _var(x, *, dim, keepdim, divisor):
    return Kept(*_variance(x, dim, keepdim, divisor))


@_var.by_hand
def _var_backward(g, x, dim, divisor, kept):
    return [spread(DIFFERENCES, g, x, dim, kept, 2 * _inverse(divisor))]


def _variance(x: np.ndarray, dim: tuple[int, ...], keepdim: bool, divisor: float) -> tuple[np.ndarray, np.ndarray]:
    """The variance, and the mean it is of, which for float16 is one in float32."""
    wide = x.astype(np.float32) if x.dtype == float16 else x
    centre = reduce(SUM, wide, dim, True, float(math.prod(x.shape[d] for d in dim)))
    variance = reduce(DEVIATIONS, wide, dim, keepdim, float(divisor), centre)
    return variance.astype(x.dtype, copy=False), centre


# The derivative where all are equal is 0, as in PyTorch.
@op(
    x=lambda g, x, out, shape, dim, divisor: (
        repeat_along(where(out == 0, 0.0, g / out), shape, dim) * ((x - mean(x, dim, True)) * _inverse(divisor))
    )
)
def _std(x, *, dim, keepdim, divisor):
    variance, centre = _variance(x, dim, keepdim, divisor)
    return Kept(np.sqrt(variance, out=variance), centre)


@_std.by_hand
def _std_backward(g, x, out, dim, divisor, kept):
    with np.errstate(all="ignore"):
        share = np.where(out == 0, out, g / out)
    return [spread(DIFFERENCES, share, x, dim, kept, _inverse(divisor))]


@op(x=lambda g, x, dim: _spread_along(g, x, dim) * products_of_others(x, dim))
def _prod(x, *, dim, keepdim):
    return reduce(PRODUCT, x, (dim,), keepdim)


@_prod.by_hand
def _prod_backward(g, x, out, dim):
    if np.all(x) and np.all(np.isfinite(out) & (out != 0)):
        return [spread(QUOTIENTS, g * out, x, (dim,))]
    return [_spread_along(g, x, dim) * products_of_others(x, dim)]


def _spread_along(g: Any, x: Any, dim: int) -> Any:
    return repeat_along(g, tuple(x.shape), (dim,))


@op()
def _any(x, *, dim, keepdim):
    return np.any(x, axis=dim, keepdims=keepdim)


@op()
def _all(x, *, dim, keepdim):
    return np.all(x, axis=dim, keepdims=keepdim)


@op()
def _count_nonzero(x, *, dim):
    return np.asarray(np.count_nonzero(x, axis=dim), np.int64)


def _summed(input: Any, dtype: Any) -> Any:
    """What a sum or product is taken of: integers and bools as int64 unless a dtype is named."""
    if dtype is not None:
        return cast(input, to_dtype(dtype))
    return input if is_float(input.dtype) else cast(input, int64)


def _floating(op_name: str, input: Any, dtype: Any = None) -> Any:
    x = input if dtype is None else cast(input, to_dtype(dtype))
    if not is_float(x.dtype):
        raise NotImplementedError(f"{op_name}: the tensor must be floating; got {x.dtype}; convert it with to()")
    return x


@numpy_spelling
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` (an axis, several, or all); integers and bools are summed as int64.

    >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    x = _summed(input, dtype)
    return _sum(x, dim=normal_dims("sum", dim, x.ndim), keepdim=keepdim)


@numpy_spelling
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` of what is not NaN; a NaN has gradient 0."""
    return sum(where(isnan(input), 0.0, input) if is_float(input.dtype) else input, dim, keepdim, dtype=dtype)


@numpy_spelling
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim`` (an axis, several, or all) of a floating tensor; NaN over no elements."""
    x = _floating("mean", input, dtype)
    dims = normal_dims("mean", dim, x.ndim)
    return _mean(x, dim=dims, keepdim=keepdim, count=count(x.shape, dims))


@remembered
def count(shape: tuple[int, ...], dims: tuple[int, ...]) -> int:
    """How many elements of this shape lie along these axes together."""
    return math.prod(shape[d] for d in dims)


@numpy_spelling
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim`` of what is not NaN; NaN where nothing is left."""
    x = _floating("nanmean", input, dtype)
    count = sum(logical_not(isnan(x)), dim, keepdim)
    return nansum(x, dim, keepdim) / cast(count, x.dtype)


@numpy_spelling
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product along ``dim`` or of all; integers and bools are multiplied as int64. Zeros have exact gradients."""
    x = _summed(input, dtype)
    if dim is None and keepdim:
        raise TypeError("prod: keepdim goes with a dim; got keepdim=True alone")
    if dim is None or not x.ndim:
        flat = reshape(x, -1)
        return _prod(flat, dim=0, keepdim=False)
    return _prod(x, dim=normal_dim("prod", dim, x.ndim), keepdim=keepdim)


def _moments(op_name: str, input: Any, dim: Any, unbiased: bool | None, correction: float | None) -> tuple:
    """The axes of a variance and what to divide by, from PyTorch's two ways to say it."""
    _floating(op_name, input)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    dims = normal_dims(op_name, dim, input.ndim)
    if unbiased is not None:
        correction = int(unbiased)
    return dims, max(count(input.shape, dims) - (1 if correction is None else correction), 0)


@numpy_spelling
def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance over ``dim``: sum of (x - mean)^2 / (n - correction), correction 1 (0 if not unbiased)."""
    dims, divisor = _moments("var", input, dim, unbiased, correction)
    return _var(input, dim=dims, keepdim=keepdim, divisor=divisor)


@numpy_spelling
def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation over ``dim``: the square root of `var`; where it is 0 its derivative is 0."""
    dims, divisor = _moments("std", input, dim, unbiased, correction)
    return _std(input, dim=dims, keepdim=keepdim, divisor=divisor)


@numpy_spelling
def var_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """`var` and `mean` over ``dim``."""
    dims, divisor = _moments("var_mean", input, dim, unbiased, correction)
    return _var(input, dim=dims, keepdim=keepdim, divisor=divisor), mean(input, dims, keepdim)


@numpy_spelling
def std_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """`std` and `mean` over ``dim``."""
    dims, divisor = _moments("std_mean", input, dim, unbiased, correction)
    return _std(input, dim=dims, keepdim=keepdim, divisor=divisor), mean(input, dims, keepdim)


@numpy_spelling
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether an element along ``dim`` is not zero."""
    if dim == () or dim == []:
        return _truth(input != 0, input)  # PyTorch's any and all take it as no axis, its sums as all of them
    return _truth(_any(input, dim=normal_dims("any", dim, input.ndim), keepdim=keepdim), input)


@numpy_spelling
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element along ``dim`` is not zero."""
    if dim == () or dim == []:
        return _truth(input != 0, input)
    return _truth(_all(input, dim=normal_dims("all", dim, input.ndim), keepdim=keepdim), input)


def _truth(answer: Any, input: Any) -> Any:
    return cast(answer, input.dtype) if input.dtype == np.uint8 else answer  # PyTorch's bool of old


@numpy_spelling
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements along ``dim`` are not zero."""
    return _count_nonzero(input, dim=normal_dims("count_nonzero", dim, input.ndim))
