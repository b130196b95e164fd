"""Rates that go up and down (Smith 2017, https://arxiv.org/abs/1506.01186; Smith and Topin 2019,
https://arxiv.org/abs/1708.07120).
"""

from collections.abc import Callable
from math import floor
from typing import Any, ClassVar

from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer, cosine, linear, per_group, saved_attributes, set_momentum, set_option

__all__ = ["CyclicLR", "OneCycleLR"]


class _Cycle(LRScheduler):
    """What both share: a momentum that falls while the rate rises."""

    use_beta1: bool

    def _begin_momentum(self, base: Any, top: Any, last_epoch: int) -> tuple[list, list]:
        defaults = self.optimizer.defaults
        if "momentum" not in defaults and "betas" not in defaults:
            raise ValueError(
                f"{type(self).__name__}: cycle_momentum needs an optimizer with momentum or betas; "
                f"got {type(self.optimizer).__name__}; pass cycle_momentum=False"
            )
        self.use_beta1 = "betas" in defaults
        bases, tops = per_group(self, "base_momentum", base), per_group(self, "max_momentum", top)
        if last_epoch == -1:
            for group, low, high in zip(self.optimizer.param_groups, bases, tops, strict=True):
                set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return bases, tops


class CyclicLR(_Cycle):
    """Between ``base_lr`` and ``max_lr``: up in ``step_size_up`` steps, down in ``step_size_down`` (as many if None).

        cycle = floor(1 + t / period)
        lr = base_lr + (max_lr - base_lr) triangle(t) scale

    scale is 1 (``mode="triangular"``), ``1 / 2^(cycle - 1)`` (``"triangular2"``) or ``gamma^t`` (``"exp_range"``); a
    ``scale_fn`` of one's own is given the cycle, or with ``scale_mode="iterations"`` t. With ``cycle_momentum`` the
    momentum goes from ``max_momentum`` to ``base_momentum`` and back.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2)], lr=1.0, momentum=0.9)
    >>> schedule = CyclicLR(optimizer, base_lr=0.1, max_lr=0.5, step_size_up=4)
    >>> optimizer.step()
    >>> schedule.step(4)
    >>> schedule.get_last_lr(), optimizer.param_groups[0]["momentum"]
    ([0.5], 0.8)
    """

    unsaved: ClassVar[tuple[str, ...]] = ("optimizer", "_scale_fn_custom")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer(self, optimizer)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range'; got {mode!r}")
        base_lrs = per_group(self, "base_lr", base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_option(group, "lr", lr)
        self.max_lrs = per_group(self, "max_lr", max_lr)
        up, down = float(step_size_up), float(step_size_up if step_size_down is None else step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self._scale_fn_custom = scale_fn
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._begin_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """How high the triangle of this cycle, or at this iteration, is."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def _height(self, t: int) -> float:
        """Where the triangle is at t, between 0 and 1, times the scale."""
        cycle = floor(1 + t / self.total_size)
        x = 1 + t / self.total_size - cycle
        triangle = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        return triangle * self.scale_fn(cycle if self.scale_mode == "cycle" else t)

    def rate(self, i: int, lr: float, t: int) -> float:
        height = self._height(t)
        if self.cycle_momentum:
            top = self.max_momentums[i]
            set_momentum(self.optimizer.param_groups[i], top - (top - self.base_momentums[i]) * height)
        base = self.base_lrs[i]
        return base + (self.max_lrs[i] - base) * height

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_scale_fn_custom": saved_attributes(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_scale_fn_custom"})
        if state_dict.get("_scale_fn_custom") is not None:
            vars(self._scale_fn_custom).update(state_dict["_scale_fn_custom"])


class OneCycleLR(_Cycle):
    """One cycle over the whole training of ``total_steps`` (or ``epochs * steps_per_epoch``) steps.

        from max_lr / div_factor up to max_lr in the first ``pct_start`` of the steps,
        then down to that first rate / final_div_factor

    ``three_phase`` comes back to the first rate as fast as it went up, and then goes down. ``anneal_strategy`` is
    "cos" or "linear". With ``cycle_momentum`` the momentum goes the other way.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2)], lr=1.0, momentum=0.9)
    >>> schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> optimizer.step()
    >>> schedule.step(2)
    >>> schedule.get_last_lr(), optimizer.param_groups[0]["momentum"]
    ([1.0], 0.85)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer(self, optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: total_steps is needed, or epochs and steps_per_epoch; got neither")
            total_steps = epochs * steps_per_epoch
        if not isinstance(total_steps, int) or total_steps <= 0:
            raise ValueError(f"OneCycleLR: the number of steps must be an integer above 0; got {total_steps}")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be between 0 and 1; got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear'; got {anneal_strategy!r}")
        self.total_steps = total_steps
        up = float(pct_start * total_steps)
        rise = _phase(up - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if three_phase:
            self._schedule_phases = [
                rise,
                _phase(2 * up - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                _phase(total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            self._schedule_phases = [
                rise, _phase(total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")
            ]  # fmt: skip
        self._anneal_func_type = anneal_strategy
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, per_group(self, "max_lr", max_lr), strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: the cycle has {self.total_steps} steps; got step {t}")
        group, start = self.optimizer.param_groups[i], 0.0
        phase = self._schedule_phases[-1]
        for candidate in self._schedule_phases[:-1]:
            if t <= candidate["end_step"]:
                phase = candidate
                break
            start = candidate["end_step"]
        anneal = cosine if self._anneal_func_type == "cos" else linear
        part = (t - start) / (phase["end_step"] - start)
        if self.cycle_momentum:
            set_momentum(group, anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], part))
        return anneal(group[phase["start_lr"]], group[phase["end_lr"]], part)


def _phase(end: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> dict[str, Any]:
    """A part of the cycle, by the names of the group's options it goes between, as PyTorch saves it."""
    return {
        "end_step": end, "start_lr": start_lr, "end_lr": end_lr,
        "start_momentum": start_momentum, "end_momentum": end_momentum,
    }  # fmt: skip
