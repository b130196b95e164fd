"""Batch norm folded into the layer before it, for evaluation."""

import copy
from typing import Any

import autograd
from autograd import Tensor

from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _folded(
    w: Tensor,
    b: Tensor | None,
    mean: Tensor,
    var: Tensor,
    eps: float,
    scale: Tensor | None,
    shift: Tensor | None,
    axis: int,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the layer that does what layer and norm did: w s, (b - mean) s + shift, s = scale / std."""
    with autograd.no_grad():
        s = autograd.rsqrt(var + eps)
        s = s if scale is None else s * scale
        bias = ((0.0 if b is None else b) - mean) * s
        bias = bias if shift is None else bias + shift
        if axis:
            # The outputs of a transposed convolution are the second axis, once for each group of inputs.
            ins, outs = w.shape[:2]
            groups = s.numel() // outs
            by_output = s.reshape(groups, 1, outs).expand(groups, ins // groups, outs).reshape(ins, outs)
            s = by_output.reshape(ins, outs, *(1,) * (w.ndim - 2))
        else:
            bias = bias.expand(w.shape[0]).contiguous()
            s = s.reshape(-1, *(1,) * (w.ndim - 1))
        learned = b is not None and b.requires_grad
        return Parameter((w * s).to(w.dtype), w.requires_grad), Parameter(bias.to(w.dtype), learned)


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
    outs = layer.out_features if not options else layer.out_channels
    if bn.num_features != outs and (options or bn.num_features != 1):
        raise ValueError(
            f"{name}: the batch norm must have a feature for each of the {outs} outputs; got {bn.num_features}"
        )
    made = copy.deepcopy(layer)
    statistics = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    function = fuse_conv_bn_weights if options else fuse_linear_bn_weights
    made.weight, made.bias = function(made.weight, made.bias, *statistics, **options)
    return made


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of a convolution that does what it and the batch norm after it do in evaluation.

    With running mean m, variance v, scale g and shift h of the norm: weight w g / sqrt(v + eps) for each output
    channel, bias (b - m) g / sqrt(v + eps) + h. ``transpose`` for a ConvTranspose. Raises RuntimeError while one of
    them is training or without running statistics, ValueError where their channels differ.

    >>> import nn
    >>> conv, norm = nn.Conv2d(1, 4, 3).eval(), nn.BatchNorm2d(4).eval()
    >>> x = autograd.ones(2, 1, 5, 5)
    >>> autograd.allclose(fuse_conv_bn_eval(conv, norm)(x), norm(conv(x)), atol=1e-6)
    True
    """
    return _fused("fuse_conv_bn_eval", conv, bn, transpose=transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of an affine layer that does what it and the batch norm after it do in evaluation; formula and errors as
    in `fuse_conv_bn_eval`.

    >>> import nn
    >>> layer, norm = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval()
    >>> x = autograd.ones(4, 2)
    >>> autograd.allclose(fuse_linear_bn_eval(layer, norm)(x), norm(layer(x)), atol=1e-6)
    True
    """
    return _fused("fuse_linear_bn_eval", linear, bn)
