"""Softmax and what is computed with it."""

from typing import Any

import numpy as np

from ..door import apply
from ..dtypes import float16, float32, get_default_dtype, is_float, to_dtype
from ..kernels import softmax as kernels
from ..kernels.reduce import EXPONENTIALS, MAXIMUM, layout, reduce
from ..kernels.spread import EXPONENTIALS as WEIGHTS
from ..kernels.spread import spread
from ..tensor import Tensor
from .convert import cast
from .dims import filled, normal_dim, normal_dims, numpy_spelling
from .elementwise import exp
from .op import Kept, op
from .reduce import sum
from .shape import reshape
from .totals import repeat_along

__all__ = ["log_softmax", "logsumexp", "softmax", "softmax_cross_entropy"]


def _along(kernel: Any, dim: int, *arrays: np.ndarray) -> np.ndarray:
    """Run a kernel along an axis of arrays of one shape."""
    x = arrays[0]
    if x.dtype == float16:  # numba has no arithmetic on it
        return _along(kernel, dim, *[a.astype(float32) for a in arrays]).astype(float16)
    seen = layout(x.shape, (dim,))
    out = np.empty(x.shape, x.dtype)
    kernel(*[a.ravel() for a in arrays], seen.outer, seen.n, seen.inner, out.reshape(-1))
    return out


@op(x=lambda g, out, dim: out * (g - sum(g * out, dim, True)))
def _softmax(x, *, dim):
    return _along(kernels.softmax, dim, x)


@_softmax.by_hand
def _softmax_backward(g, out, dim):
    return [_along(kernels.softmax_backward, dim, g, out)]


@op(x=lambda g, out, dim: g - exp(out) * sum(g, dim, True))
def _log_softmax(x, *, dim):
    return _along(kernels.log_softmax, dim, x)


@_log_softmax.by_hand
def _log_softmax_backward(g, out, dim):
    return [_along(kernels.log_softmax_backward, dim, g, out)]


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


def _cross_entropy_gradient(g, x, target, weight, ignored, smoothing, reduction):
    """Row by row softmax(x) * sum(w) - w, where w has for each class the weight that the target gives it."""
    classes = target.array if isinstance(target, Tensor) else target
    weights = _weights(weight, x)
    rows = np.flatnonzero(classes != ignored)
    at = classes[rows]
    asked = np.zeros(x.shape, x.dtype)
    asked[rows] = smoothing / x.shape[1] * weights
    asked[rows, at] += (1 - smoothing) * weights[at]
    part = softmax(x, 1) * asked.sum(1, keepdims=True) - asked
    if reduction == "none":
        return part * reshape(g, -1, 1)
    if reduction == "sum" or not at.size:  # nothing is a sum of parts of 0, whatever it would be divided by
        return part * g
    return part * (g / weights[at].sum())


def _weights(weight: np.ndarray | None, x: Any) -> np.ndarray:
    return filled(1.0, x.shape[1], x.dtype) if weight is None else weight


@op(x=_cross_entropy_gradient)
def _cross_entropy(x, target, *, weight, ignored, smoothing, reduction):
    found = np.empty((3, len(x)), x.dtype)
    loss, divisor, status = np.empty((), x.dtype), np.empty((), x.dtype), np.empty(1, np.int64)
    arrays = (np.ascontiguousarray(x), np.ascontiguousarray(target, np.int64), _weights(weight, x))
    kernels.cross_entropy(*arrays, ignored, smoothing, reduction == "mean", found, loss, divisor, status)
    if bad := status[0]:
        raise IndexError(
            f"cross_entropy: a target must be a class, 0 to {x.shape[1] - 1}; got {target[bad - 1]} at row {bad - 1}"
        )
    return Kept(found[0] if reduction == "none" else loss, (found, divisor))


@_cross_entropy.by_hand
def _cross_entropy_backward(g, x, target, weight, kept, ignored, smoothing):
    found, divisor = kept
    dx = np.empty(x.shape, x.dtype)
    arrays = (np.ascontiguousarray(x), np.ascontiguousarray(target, np.int64), _weights(weight, x))
    kernels.cross_entropy_backward(g.ravel(), *arrays, ignored, smoothing, found, divisor, dx)
    return [dx, None]


def softmax_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """-log_softmax(input)[target] of each row, weighted by class; (n, classes), integers (n,), (classes,) -> () or with
    ``reduction="none"`` (n,). A target t is (1 - s) * t + s / classes where ``label_smoothing`` is s.

    >>> from autograd import tensor
    >>> softmax_cross_entropy(tensor([[0.0, 0.0]]), tensor([1]))
    tensor(0.6931)
    """
    attrs: dict[str, Any] = {"ignored": ignore_index, "smoothing": float(label_smoothing), "reduction": reduction}
    half = input.dtype == float16
    attrs["weight"] = None if weight is None else np.asarray(weight.array, float32 if half else input.dtype)
    if half:
        return cast(apply(_cross_entropy, (cast(input, float32), target), attrs), float16)
    return apply(_cross_entropy, (input, target), attrs)
