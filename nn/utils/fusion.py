"""Batch norm folded into the layer before it, for evaluation."""

import copy
from typing import Any

import autograd
from autograd import Tensor

from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _folded(
    w: Tensor, b: Tensor | None, mean: Tensor, var: Tensor, eps: float, scale: Tensor | None, shift: Tensor | None, axis: int
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the layer that does what layer and norm did: w s, (b - mean) s + shift, s = scale / std."""
    with autograd.no_grad():
        s = autograd.rsqrt(var + eps)
        s = s if scale is None else s * scale
        shape = [1] * w.ndim
        shape[axis] = -1
        bias = ((0.0 if b is None else b) - mean) * s
        return Parameter(w * s.reshape(shape)), Parameter(bias if shift is None else bias + shift)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution that does what it and the batch norm after it did."""
    return _folded(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, axis=1 if transpose else 0)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of an affine layer that does what it and the batch norm after it did."""
    return _folded(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, axis=0)


def _fused(name: str, layer: Any, bn: Any, **options: Any) -> Any:
    if layer.training or bn.training:
        raise RuntimeError(f"{name}: both modules must be in evaluation mode; got one in training; call eval()")
    if bn.running_mean is None or bn.running_var is None:
        raise RuntimeError(f"{name}: the batch norm must track running statistics; got track_running_stats=False")
    made = copy.deepcopy(layer)
    statistics = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    function = fuse_conv_bn_weights if options else fuse_linear_bn_weights
    made.weight, made.bias = function(made.weight, made.bias, *statistics, **options)
    return made


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of a convolution that does what it and the batch norm after it do in evaluation."""
    return _fused("fuse_conv_bn_eval", conv, bn, transpose=transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of an affine layer that does what it and the batch norm after it do in evaluation."""
    return _fused("fuse_linear_bn_eval", linear, bn)
