"""Averages of a model over its training: stochastic weight averaging (Izmailov et al. 2018,
https://arxiv.org/abs/1803.05407) and exponential moving averages (Polyak and Juditsky 1992).
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from math import cos, pi
from typing import Any

import autograd
from autograd import Tensor, lerp

from .lr_scheduler.base import LRScheduler, check_optimizer, per_group
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip


# --- averages ---------------------------------------------------------------------------------------------------------


@autograd.update
def approach(p, g, *, weight):
    """The average p moves towards the value g."""
    return lerp(p, g, weight)


def _approach_all(averages: Sequence[Tensor], values: Sequence[Tensor], weight: float) -> None:
    if averages[0].is_floating_point():
        approach.each(zip(averages, values, strict=True), [weight])
        return
    with autograd.no_grad():
        for average, value in zip(averages, values, strict=True):
            average.copy_((average + weight * (value - average)).to(average.dtype))


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable:
    """``average = decay * average + (1 - decay) * value``, for lists of tensors."""
    _check_decay("get_ema_multi_avg_fn", decay)
    return lambda averages, values, num_averaged: _approach_all(averages, values, 1 - decay)


def get_swa_multi_avg_fn() -> Callable:
    """``average = average + (value - average) / (n + 1)``, for lists of tensors: all models weigh the same."""
    return lambda averages, values, num_averaged: _approach_all(averages, values, 1 / (float(num_averaged) + 1))


def get_ema_avg_fn(decay: float = 0.999) -> Callable:
    """``decay * average + (1 - decay) * value``, for one tensor."""
    _check_decay("get_ema_avg_fn", decay)
    return lambda average, value, num_averaged: decay * average + (1 - decay) * value


def get_swa_avg_fn() -> Callable:
    """``average + (value - average) / (n + 1)``, for one tensor."""
    return lambda average, value, num_averaged: average + (value - average) / (num_averaged + 1)


def _check_decay(name: str, decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"{name}: decay must be between 0 and 1; got {decay}")


# --- the averaged model -----------------------------------------------------------------------------------------------


class AveragedModel:
    """A copy of a model whose parameters are the average of those it has been shown.

    ``avg_fn(average, value, n)`` gives the next average of one tensor after n, ``multi_avg_fn(averages, values, n)``
    changes the averages of a list in place; without either all count the same. With ``use_buffers`` buffers are
    averaged too, else they are copied. It is a module like the model: it is called, saved and moved as one.

    >>> import autograd, nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average(autograd.ones(1)).item(), average.n_averaged.item()
    (3.0, 3)
    """

    module: Any
    n_averaged: Tensor
    register_buffer: Callable
    parameters: Callable

    def __new__(cls, model: Any = None, *args: Any, **kwargs: Any) -> "AveragedModel":
        return object.__new__(cls if model is None else _as_module(cls, model))

    def __reduce__(self) -> tuple:
        # The class may be one that `_joined` made, which has no place to be found at.
        return _blank, _parts.get(type(self), (type(self), None)), self.__getstate__()

    def __init__(
        self,
        model: Any,
        device: Any = None,
        avg_fn: Callable | None = None,
        multi_avg_fn: Callable | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: avg_fn or multi_avg_fn; got both")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", autograd.tensor(0, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model answers."""
        return self.module(*args, **kwargs)

    @autograd.no_grad()
    def update_parameters(self, model: Any) -> None:
        """Take the model as it is now into the average."""
        ours, theirs = self.module.parameters(), model.parameters()
        if self.use_buffers:
            ours, theirs = (itertools.chain(m.parameters(), m.buffers()) for m in (self.module, model))
        pairs = [(average, value.detach()) for average, value in zip(ours, theirs, strict=True)]
        count = self.n_averaged.item()
        if count == 0:
            for average, value in pairs:
                average.copy_(value)
        elif self.avg_fn is not None:
            for average, value in pairs:
                average.copy_(self.avg_fn(average.detach(), value, self.n_averaged))
        else:
            average_all = self.multi_avg_fn or get_swa_multi_avg_fn()
            by_dtype: dict[Any, list] = defaultdict(list)
            for average, value in pairs:
                by_dtype[average.dtype].append((average.detach(), value))
            for group in by_dtype.values():
                average_all([average for average, _ in group], [value for _, value in group], self.n_averaged)
        if not self.use_buffers:
            for average, value in zip(self.module.buffers(), model.buffers(), strict=True):
                average.copy_(value)
        self.n_averaged.fill_(count + 1)


_classes: dict[tuple[type, type], type] = {}
_parts: dict[type, tuple[type, type]] = {}


def _as_module(cls: type, model: Any) -> type:
    """The class of averaged models that are modules of the kind the model is: this package knows no layers."""
    needs = ("register_buffer", "named_modules", "parameters", "buffers", "train")
    for base in reversed(type(model).__mro__):
        if all(hasattr(base, name) for name in needs):
            return cls if issubclass(cls, base) else _joined(cls, base)
    raise TypeError(f"AveragedModel: model must be a module, with parameters and buffers; got {type(model).__name__}")


def _joined(cls: type, base: type) -> type:
    """The class that is both, one for each pair."""
    made = _classes.get((cls, base))
    if made is None:
        made = _classes[cls, base] = type(cls.__name__, (cls, base), {"__module__": cls.__module__})
        _parts[made] = cls, base
    return made


def _blank(cls: type, base: type | None) -> Any:
    """An instance to be filled with what was pickled."""
    return object.__new__(cls if base is None else _joined(cls, base))


@autograd.no_grad()
def update_bn(loader: Iterable, model: Any, device: Any = None) -> None:
    """Compute the statistics of the model's batch normalisations anew, over the batches of ``loader``.

    Of a batch that is a list or tuple the first entry is the input. A layer is a batch normalisation if its class, or
    one that it derives from, is called so.

    >>> import autograd, nn
    >>> model = nn.Sequential(nn.BatchNorm1d(1))
    >>> update_bn([autograd.tensor([[1.0], [3.0]]), autograd.tensor([[5.0], [7.0]])], model)
    >>> model[0].running_mean
    tensor([4.])
    """
    layers = [m for m in model.modules() if any("BatchNorm" in c.__name__ for c in type(m).__mro__)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # all batches count the same
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(x if device is None else x.to(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(was_training)


# --- the schedule -----------------------------------------------------------------------------------------------------


class SWALR(LRScheduler):
    """From the rate in use to ``swa_lr`` in ``anneal_epochs`` steps, along a cosine or ("linear") a line.

        lr(t) = a(t) swa_lr + (1 - a(t)) lr(0)                  a(t) = (1 - cos(pi t / anneal_epochs)) / 2

    The rule goes from one rate to the next, so that another schedule may act between.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2)], lr=1.0)
    >>> schedule = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer(self, optimizer)
        for group, lr in zip(optimizer.param_groups, per_group(self, "swa_lr", swa_lr), strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy must be 'cos' or 'linear'; got {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must be an integer of 0 or more; got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """How far the annealing is after ``step`` steps, between 0 and 1."""
        part = max(0, min(1, step / max(1, self.anneal_epochs)))
        return part if self._anneal_strategy == "linear" else (1 - cos(pi * part)) / 2

    def rate(self, i: int, lr: float, t: int) -> float:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        goal = self.optimizer.param_groups[i]["swa_lr"]
        before, now = self._part(step - 1), self._part(step)
        first = goal if before == 1 else (lr - before * goal) / (1 - before)
        return now * goal + (1 - now) * first
