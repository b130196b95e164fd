"""What every schedule is: a rate for each group of an optimizer, moved on by ``step()`` once an epoch or batch.

A schedule states one rule, `LRScheduler.rate`: the next rate from the last one. So schedules compose: two that
multiply the rate by something can act on the same optimizer.
"""

import warnings
from collections.abc import Callable
from math import cos, pi
from types import FunctionType
from typing import Any, ClassVar

import autograd
from autograd import Tensor

from ..optimizer import Optimizer

__all__ = ["LRScheduler", "cosine", "get_option", "linear", "per_group", "set_momentum", "set_option"]


class LRScheduler:
    """The base of all schedules. ``last_epoch`` is the epoch to go on from; -1 begins, and the rate of each group as it
    is now becomes its ``initial_lr``.
    """

    unsaved: ClassVar[tuple[str, ...]] = ("optimizer",)
    """The attributes that are not part of the state."""

    _starting = False  # whether the constructor is setting the first rates

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = check_optimizer(self, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", get_option(group, "lr"))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: going on from last_epoch={last_epoch} needs the first rate; "
                    f"got group {i} without initial_lr; load the state of the optimizer before"
                )
        self.base_lrs = [get_option(group, "initial_lr") for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._start()

    def rate(self, i: int, lr: float, t: int) -> float:
        """The rate of group ``i`` at epoch ``t``, if it was ``lr`` before; ``base_lrs[i]`` is the first."""
        raise NotImplementedError(f"{type(self).__name__}: a schedule states its rate(), or its own get_lr()")

    def get_lr(self) -> list[float]:
        """The rates that the step in progress sets; the rates in use are those of `get_last_lr`."""
        groups = self.optimizer.param_groups
        try:
            return [self.rate(i, get_option(group, "lr"), self.last_epoch) for i, group in enumerate(groups)]
        except LookupError:  # a rule that keeps nothing for each group moves new ones too
            if len(groups) == len(self.base_lrs):
                raise
            raise self._other_groups() from None

    def get_last_lr(self) -> list[float]:
        """The rates in use, one a group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or those of ``epoch``; called after the optimizer's step."""
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(
                f"{type(self).__name__}: step() was called before the optimizer's step(), so the first rate is never "
                "used; call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is None:
            self.last_epoch += 1
            self._use(self.get_lr())
        else:
            self.last_epoch = epoch
            self._use([self._rate_at(i, epoch) for i in range(len(self.base_lrs))])

    def restart(self) -> None:
        """Begin again at epoch 0 from the first rates."""
        self.last_epoch = 0
        self._use([self._rate_at(i, 0) for i in range(len(self.base_lrs))])

    def rewind(self) -> None:
        """Take back all steps, also the one of the constructor: another schedule decides when this one begins."""
        self.last_epoch = -1

    def _rate_at(self, i: int, epoch: int) -> float:
        lr = self.base_lrs[i]
        for t in range(epoch + 1):
            lr = self.rate(i, lr, t)
        return lr

    def _start(self) -> None:
        self._step_count, self._starting = 0, True
        try:
            self.step()
        finally:
            del self._starting

    def _other_groups(self) -> ValueError:
        return ValueError(
            f"{type(self).__name__}: the groups must be those that the schedule began with; "
            f"got {len(self.optimizer.param_groups)} for {len(self.base_lrs)}; make it anew after add_param_group"
        )

    def _use(self, rates: list[float]) -> None:
        if len(rates) != len(self.optimizer.param_groups):
            raise self._other_groups()
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_option(group, "lr", lr)
        self._remember()

    def _remember(self) -> None:
        self._last_lr = [get_option(group, "lr") for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of a function given by the user nothing, of an object its attributes."""
        return {key: value for key, value in vars(self).items() if key not in self.unsaved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned, here or in PyTorch."""
        known = {key: value for key, value in state_dict.items() if key not in PYTORCHS_OWN}
        vars(self).update(known)


PYTORCHS_OWN = ("_is_initial", "_get_lr_called_within_step")
"""What PyTorch saves of the call in progress; it says nothing about a schedule."""


def check_optimizer(schedule: Any, optimizer: Any) -> Optimizer:
    """The optimizer, or an error if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(schedule).__name__}: optimizer must be an Optimizer; got {type(optimizer).__name__}")
    return optimizer


def get_option(group: dict, name: str) -> Any:
    """The option as a number, also where it is a tensor."""
    value = group[name]
    return float(value) if isinstance(value, Tensor) else value


def set_option(group: dict, name: str, value: Any) -> None:
    """Set an option; a tensor keeps its identity and is filled."""
    if isinstance(group[name], Tensor):
        with autograd.no_grad():
            group[name].fill_(value)
    else:
        group[name] = value


def set_momentum(group: dict, value: float) -> None:
    """Set the momentum, which Adam and its kin call the first of their betas."""
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


def per_group(schedule: Any, name: str, value: Any) -> list:
    """One value for each group, from a list of them or from one for all."""
    count = len(schedule.optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{type(schedule).__name__}: {name} must have a value for each group; got {len(value)} for {count}"
        )
    return list(value)


def cosine(start: float, end: float, part: float) -> float:
    """From start to end along half a wave of the cosine."""
    return end + (start - end) / 2 * (1 + cos(pi * part))


def linear(start: float, end: float, part: float) -> float:
    """From start to end along a line."""
    return start + (end - start) * part


def saved_attributes(function: Callable | None) -> dict | None:
    """What is saved of a function of the user: the attributes of an object, nothing of a plain function."""
    return None if function is None or isinstance(function, FunctionType) else dict(vars(function))
