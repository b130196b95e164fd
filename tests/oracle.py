"""PyTorch as the oracle: the same call there and here, and how far the answers are apart."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import autograd
from autograd import Tensor

ULPS = {np.dtype(np.float16): 4, np.dtype(np.float32): 16, np.dtype(np.float64): 450_000}  # float64: 1e-10


def to_torch(value: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Arrays in a nested argument as PyTorch tensors; floating ones in ``dtype``."""
    if isinstance(value, np.ndarray):
        tensor = torch.from_numpy(_same_layout(_cast(value, dtype)))
        return tensor.requires_grad_(requires_grad and tensor.is_floating_point())
    return _map(value, lambda v: to_torch(v, dtype, requires_grad))


def to_ours(value: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Arrays in a nested argument as our tensors; floating ones in ``dtype``."""
    if isinstance(value, np.ndarray):
        array = _cast(value, dtype)
        # A copy keeps strides: a non-contiguous sample must stay one.
        tensor = Tensor(array if array is not value else _same_layout(value))
        return tensor.requires_grad_(requires_grad and tensor.is_floating_point())
    return _map(value, lambda v: to_ours(v, dtype, requires_grad))


def _same_layout(array: np.ndarray) -> np.ndarray:
    if array.flags.c_contiguous or not array.size:
        return array.copy()
    order = np.argsort([-abs(s) for s in array.strides], kind="stable")
    return array.transpose(order).copy().transpose(np.argsort(order))


def _cast(array: np.ndarray, dtype: Any) -> np.ndarray:
    return array.astype(dtype) if dtype is not None and array.dtype.kind == "f" and array.dtype != dtype else array


def _map(value: Any, function: Callable) -> Any:
    if type(value) in (list, tuple):
        return type(value)(function(v) for v in value)
    if isinstance(value, dict):
        return {k: function(v) for k, v in value.items()}
    if isinstance(value, np.dtype):
        return value
    return value


def tensors(value: Any) -> list:
    """Every tensor in a nested value, in order."""
    if isinstance(value, (Tensor, torch.Tensor)):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in tensors(v)]
    return []


def assert_same(
    ours: Any, theirs: Any, what: str, ulps: float | None = None, check_dtype: bool = True, terms: float = 0.0
) -> None:
    """Equal shape, dtype and values up to rounding, whatever the nesting."""
    mine, other = tensors(ours), tensors(theirs)
    if not other:
        assert ours == theirs or (ours != ours and theirs != theirs), f"{what}: {ours!r} is not {theirs!r}"
        return
    assert len(mine) == len(other), f"{what}: {len(mine)} outputs, PyTorch has {len(other)}"
    for a, b in zip(mine, other, strict=True):
        x, y = a.array, b.detach().numpy(force=True)
        assert x.shape == y.shape, f"{what}: shape {x.shape}, PyTorch has {y.shape}"
        if check_dtype:
            assert x.dtype == y.dtype, f"{what}: dtype {x.dtype}, PyTorch has {y.dtype}"
        assert_close(x, y, what, ulps, terms)


def assert_close(x: np.ndarray, y: np.ndarray, what: str, ulps: float | None = None, terms: float = 0.0) -> None:
    """Values within so many units in the last place; NaN, infinities and integers equal. ``terms`` is how large the
    terms of a sum were that may have cancelled: the error allowed is then that of the terms."""
    assert np.shape(x) == np.shape(y), what
    if x.dtype.kind != "f":
        np.testing.assert_array_equal(x, y, what)
        return
    allowed = (ULPS[x.dtype] if ulps is None else ulps) * np.finfo(x.dtype).eps
    scale = max(terms, 1e-3 * np.abs(y[np.isfinite(y)]).max(initial=0))
    np.testing.assert_allclose(x, y, rtol=allowed, atol=allowed * scale, err_msg=what)


def gradients(call: Callable, args: Sequence, kwargs: dict, library: Any) -> tuple[list, list]:
    """The gradients of a weighted sum of all outputs, and those of the squares of these gradients."""
    inputs = [t for t in tensors([*args, *kwargs.values()]) if t.requires_grad]
    outputs = [t for t in tensors(call(*args, **kwargs)) if t.requires_grad]
    total = None
    for number, out in enumerate(outputs):
        weights = np.cos(np.arange(out.numel()) + number).reshape(tuple(out.shape)).astype(str(out.dtype)[-7:])
        term = (out * library.from_numpy(np.asarray(weights))).sum()
        total = term if total is None else total + term
    if total is None:
        return [], []
    first = library.autograd.grad(total, inputs, create_graph=True, allow_unused=True)
    norm = None
    for g in first:
        if g is not None and g.requires_grad:
            square = (g * g).sum()
            norm = square if norm is None else norm + square
    try:
        second = [] if norm is None else library.autograd.grad(norm, inputs, allow_unused=True)
    except NotImplementedError:  # PyTorch has no second derivative
        second = []
    return list(first), list(second)


class ours:  # noqa: N801 (stands for a module)
    """Our library with the two names that `gradients` uses as PyTorch has them."""

    from_numpy = staticmethod(autograd.from_numpy)

    class autograd:  # noqa: N801
        grad = staticmethod(autograd.grad)
