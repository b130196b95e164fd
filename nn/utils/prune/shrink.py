"""Masked units really taken out: smaller layers that compute what the masked ones did."""

import copy
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, no_grad

from ...flatten import Flatten
from ...linear import Linear
from ...module import Module
from ...parameter import Parameter
from ...pooling import AvgPool1d, AvgPool2d, AvgPool3d, LPPool1d, LPPool2d, LPPool3d
from .base import methods_of
from .chain import NORMS, POOLS, Step, Stretch, kept_units, stretches

__all__ = ["shrink"]


@no_grad()
def shrink(model: Module) -> Any:
    """A copy of a pruned model without the units whose incoming weights are all masked; in evaluation its outputs are
    those of ``model``.

    For Sequentials, also nested, of Linear and Conv1d/2d/3d with batch or instance norms, elementwise activations,
    dropout, pooling and Flatten between them. Such a unit has the same output c whatever comes in, and what follows it
    makes another constant of c, 0 if the bias and the norm are masked as well. The layer above loses the unit's
    weights, and its bias becomes b + W c. Masks that are left are applied for good. The units of the last layer, the
    outputs, stay. Raises ValueError that names the module where units can't be taken out: what follows mixes units or
    is none of the above, a constant other than 0 meets zero padding, the convolution has groups, or no unit is left.

    >>> import nn
    >>> from nn.utils import prune
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> _ = prune.ln_structured(model[0], "weight", 5, n=2, dim=0)
    >>> small = shrink(model)
    >>> small
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    >>> x = autograd.randn(4, 2)
    >>> autograd.allclose(small(x), model(x), atol=1e-6)
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"shrink: a module is needed; got {type(model).__name__}")
    modes = [module.training for module in model.modules()]
    small = _copied(model)
    chain = stretches("shrink", small)
    removed = [(stretch, kept_units(stretch.layer.module)) for stretch in chain]
    _check_elsewhere(small, [stretch.layer.module for stretch in chain])
    for module in small.modules():
        for method in methods_of(module):
            method.remove(module)
    small.eval()
    for stretch, kept in removed:
        if all(kept) or (stretch.next is None and stretch.barrier is None):
            continue
        _check(stretch, kept, small)
        _take_out(stretch, np.array(kept))
    for module, mode in zip(small.modules(), modes):
        module.training = mode
    return small


def _copied(model: Module) -> Module:
    """A deep copy; what pruned attributes are computed by is no graph that could be copied."""
    memo: dict[int, Any] = {}
    for module in model.modules():
        for method in methods_of(module):
            product = vars(module)[method._tensor_name]
            memo[id(product)] = product.detach().clone()
    return copy.deepcopy(model, memo)


def _refuse(step: Step, rule: str, got: str) -> ValueError:
    return ValueError(f"shrink: {step}: {rule}; got {got}")


def _check_elsewhere(model: Module, layers: list[Module]) -> None:
    for path, module in model.named_modules():
        mask = module._buffers.get("weight_mask")
        if mask is None or mask.ndim < 2 or any(module is layer for layer in layers):
            continue
        masked = kept_units(module).count(False)
        if masked:
            rule = "masked units can be taken out of Linear and Conv that stand in Sequentials only"
            raise _refuse(Step(path, module), rule, f"{masked} masked units")


def _check(stretch: Stretch, kept: list[bool], small: Module) -> None:
    layer, following = stretch.layer, stretch.next
    gone = f'{kept.count(False)} masked units of {type(layer.module).__name__} at "{layer.path}"'
    if following is None:
        assert stretch.barrier is not None
        raise _refuse(stretch.barrier, "masked units before it can't be taken out", gone)
    if not any(kept):
        raise _refuse(layer, "one unit at least must be left", f"all {len(kept)} masked")
    for step in (layer, following):
        if getattr(step.module, "groups", 1) != 1:
            raise _refuse(step, "units can be taken out without groups only", f"groups={step.module.groups}, {gone}")
    for step in (layer, *stretch.between, following):
        names = [name for name, module in small.named_modules(remove_duplicate=False) if module is step.module]
        sized = type(step.module) in NORMS or any(True for _ in step.module.parameters())
        if len(names) > 1 and sized:
            raise _refuse(step, "a module in several places can't be made smaller", f"{', '.join(names)}; {gone}")


def _take_out(stretch: Stretch, kept: np.ndarray) -> None:
    """Shorten a layer and what follows it up to the next one, whose bias takes what the lost units gave."""
    layer, following = stretch.layer.module, stretch.next
    assert following is not None
    channels = not isinstance(layer, Linear)  # whether units are axis 1 before other axes
    # What each unit gives for weights of zero, as a small batch; the numbers of the units that stay mean nothing.
    bias = layer.bias if layer.bias is not None else layer.weight.new_zeros(len(kept))
    spatial = (2,) * layer.rank if channels else ()
    constant = bias.detach().reshape(1, -1, *(1,) * len(spatial)).expand(2, len(kept), *spatial).clone()
    _keep(layer, kept, "out_channels" if channels else "out_features")
    for step in stretch.between:
        module = step.module
        if isinstance(module, Flatten):
            constant, kept = _flattened(step, following, constant, kept, channels)
            channels = False
        elif isinstance(module, POOLS):
            _check_pool(step, constant, kept, channels)
        else:
            _check_size(step, len(kept))
            constant = module(constant)
            if isinstance(module, NORMS):
                _keep(module, kept, "num_features")
            elif getattr(module, "num_parameters", 1) > 1:
                _keep(module, kept, "num_parameters")
    _lose_inputs(following, constant.reshape(2, len(kept), -1)[0, :, 0], kept, channels)


def _keep(module: Any, kept: np.ndarray, count: str) -> None:
    """Keep the rows of all tensors of a module, and say how many they are in the attribute ``count``."""
    for name, tensor in [*module._parameters.items(), *module._buffers.items()]:
        if tensor is not None and tensor.ndim:
            _replace(module, name, tensor.detach()[autograd.from_numpy(kept)])
    setattr(module, count, int(kept.sum()))


def _replace(module: Any, name: str, value: Tensor) -> None:
    held = getattr(module, name)
    setattr(module, name, Parameter(value, held.requires_grad) if isinstance(held, Parameter) else value)


def _check_size(step: Step, units: int) -> None:
    size = getattr(step.module, "num_features", getattr(step.module, "num_parameters", 1))
    if size not in (1, units):
        raise _refuse(step, "it must have a parameter for each unit before it", f"{size} for {units} units")


def _flattened(
    step: Step, following: Step, constant: Tensor, kept: np.ndarray, channels: bool
) -> tuple[Tensor, np.ndarray]:
    """Each channel becomes as many features as the next layer has inputs for it."""
    flatten = step.module
    if flatten.start_dim != 1 or flatten.end_dim != -1:
        raise _refuse(
            step, "it must flatten all axes but the first", f"start_dim={flatten.start_dim}, end_dim={flatten.end_dim}"
        )
    inputs = getattr(following.module, "in_features", 0)
    times, rest = divmod(inputs, len(kept))
    if rest or not times or (times > 1 and not channels):
        raise _refuse(following, "in_features must be a multiple of the channels", f"{inputs} for {len(kept)}")
    flat = constant.reshape(2, len(kept), -1)[:, :, :1].expand(2, len(kept), times).reshape(2, -1)
    return flat, np.repeat(kept, times)


def _lost(constant: Tensor, kept: np.ndarray) -> np.ndarray:
    """The constants of the units that go."""
    return constant.numpy()[0][~kept]


def _check_pool(step: Step, constant: Tensor, kept: np.ndarray, channels: bool) -> None:
    pool = step.module
    if not channels:
        raise _refuse(step, "it pools over units, of which some are to be taken out", "features without channels")
    changes = isinstance(pool, (LPPool1d, LPPool2d, LPPool3d))
    if isinstance(pool, (AvgPool1d, AvgPool2d, AvgPool3d)):
        padded = pool.count_include_pad and np.any(pool.padding)
        changes = bool(padded) or pool.divisor_override is not None
    if changes and _lost(constant, kept).any():
        raise _refuse(step, _RULE, _worst(constant, kept))


_RULE = "a masked unit before it must give 0"


def _worst(constant: Tensor, kept: np.ndarray) -> str:
    lost = _lost(constant, kept)
    return f"{float(np.abs(lost).max()):.4g}; mask its bias, and weight and bias of the norm after it, too"


def _pads_with_zeros(conv: Any) -> bool:
    if conv.padding_mode != "zeros":
        return False
    return (conv.padding == "same" and max(conv.kernel_size) > 1) or (
        not isinstance(conv.padding, str) and any(conv.padding)
    )


def _lose_inputs(step: Step, constant: Tensor, kept: np.ndarray, channels: bool) -> None:
    layer = step.module
    if isinstance(layer, Linear) == channels:
        rule = "its inputs must be the units before it" + ("; put a Flatten between" if channels else "")
        raise _refuse(step, rule, "channels" if channels else "features")
    inputs = layer.weight.shape[1]
    if inputs != len(kept):
        raise _refuse(step, "its inputs must be the units before it", f"{inputs} inputs for {len(kept)} units")
    gone = autograd.from_numpy(~kept)
    if channels and _pads_with_zeros(layer) and constant[gone].any():
        raise _refuse(step, f"with zero padding {_RULE}", _worst(constant.unsqueeze(0), kept))
    weight = layer.weight.detach()
    lost = (weight[:, gone].reshape(weight.shape[0], int((~kept).sum()), -1).sum(2) * constant[gone]).sum(1)
    if layer.bias is not None:
        _replace(layer, "bias", layer.bias.detach() + lost)
    elif lost.any():
        layer.bias = Parameter(lost, layer.weight.requires_grad)
    _replace(layer, "weight", weight[:, autograd.from_numpy(kept)])
    setattr(layer, "in_channels" if channels else "in_features", int(kept.sum()))
