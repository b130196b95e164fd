"""A Sequential as a flat list of layers with their paths, and what may stand between two of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from autograd import Tensor

from ... import activation, conv, dropout, linear, norm, pooling, rectifiers
from ...containers import Sequential
from ...flatten import Flatten
from ...module import Module

LAYERS = (linear.Linear, conv.Conv1d, conv.Conv2d, conv.Conv3d)
NORMS = (
    norm.BatchNorm1d, norm.BatchNorm2d, norm.BatchNorm3d, norm.InstanceNorm1d, norm.InstanceNorm2d, norm.InstanceNorm3d,
)  # fmt: skip
_READS_SEVERAL = ("GLU", "Zoneout")  # units, or inputs
ELEMENTWISE = (
    linear.Identity,
    *(
        getattr(room, name)
        for room in (activation, rectifiers, dropout)
        for name in room.__all__
        if name not in _READS_SEVERAL
    ),
)
POOLS = tuple(getattr(pooling, name) for name in pooling.__all__ if "Unpool" not in name)


class Step(NamedTuple):
    """A module of the chain and its path in the model."""

    path: str
    module: Any

    def __str__(self) -> str:
        return f'{type(self.module).__name__} at "{self.path}"'


def _opens(model: Module) -> TypeGuard[Sequential]:
    return isinstance(model, Sequential) and type(model).forward is Sequential.forward


def steps(model: Module, prefix: str = "") -> Iterator[Step]:
    """The modules of a Sequential, those of the Sequentials in it opened, in the order they are called."""
    if not _opens(model):
        yield Step(prefix, model)
        return
    for name, module in model._modules.items():
        yield from steps(module, f"{prefix}.{name}" if prefix else name)


class Stretch(NamedTuple):
    """A layer with what follows it up to the next layer, which is None if there is none or it can't be told."""

    layer: Step
    between: list[Step]
    next: Step | None
    barrier: Step | None


def stretches(op: str, model: Module) -> list[Stretch]:
    """Every layer of the chain with its followers. A barrier is the first follower that is none of those known.

    Kinds are compared exactly: a subclass, a parametrized layer say, may do anything.
    """
    chain = list(steps(model))
    if not _opens(model):
        raise ValueError(f"{op}: the model must be a Sequential; got {type(model).__name__}")
    found = []
    for i, step in enumerate(chain):
        if type(step.module) not in LAYERS:
            continue
        between: list[Step] = []
        following = barrier = None
        for other in chain[i + 1 :]:
            if type(other.module) in LAYERS:
                following = other
                break
            if type(other.module) not in (*NORMS, *ELEMENTWISE, *POOLS, Flatten):
                barrier = other
                break
            between.append(other)
        found.append(Stretch(step, between, following, barrier))
    return found


def kept_units(layer: Any) -> list[bool]:
    """For each unit whether its weights are not all masked."""
    mask: Tensor | None = layer._buffers.get("weight_mask")
    if mask is None:
        return [True] * layer.weight.shape[0]
    return (mask.reshape(mask.shape[0], -1) != 0).any(1).tolist()
