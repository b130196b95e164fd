"""Schedules that multiply the rate by something at every step."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer, per_group, saved_attributes

__all__ = [
    "ConstantLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "PolynomialLR", "StepLR",
]  # fmt: skip


class LambdaLR(LRScheduler):
    """``lr(t) = initial_lr * lr_lambda(t)``; a list gives each group a function of its own.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2)], lr=0.5)
    >>> LambdaLR(optimizer, lambda t: 1 / (t + 1)).get_last_lr()
    [0.5]
    """

    unsaved: ClassVar[tuple[str, ...]] = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer(self, optimizer)
        self.lr_lambdas = per_group(self, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        return self.base_lrs[i] * self.lr_lambdas[i](t)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "lr_lambdas": [saved_attributes(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                vars(function).update(attributes)


class MultiplicativeLR(LambdaLR):
    """``lr(t) = lr(t - 1) * lr_lambda(t)``."""

    def rate(self, i: int, lr: float, t: int) -> float:
        return lr if self._starting else lr * self.lr_lambdas[i](t)

    def _rate_at(self, i: int, epoch: int) -> float:
        lr = self.base_lrs[i]
        for t in range(1, epoch + 1):  # the first rate is not multiplied
            lr *= self.lr_lambdas[i](t)
        return lr

    def restart(self) -> None:
        """Begin again at epoch 0 from the rates as they are, as PyTorch does."""
        self.last_epoch = 0
        self._use(self.get_lr())


class StepLR(LRScheduler):
    """``lr = lr * gamma`` every ``step_size`` epochs.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2)], lr=1.0)
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        return lr * self.gamma if t and t % self.step_size == 0 else lr


class MultiStepLR(LRScheduler):
    """``lr = lr * gamma`` at each epoch in ``milestones``; one that is named twice counts twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        return lr * self.gamma ** self.milestones[t] if t in self.milestones else lr


class ConstantLR(LRScheduler):
    """``lr * factor`` until epoch ``total_iters``, then ``lr``."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: factor must be above 0 and at most 1; got {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        if t == 0:
            return lr * self.factor
        return lr * (1 / self.factor) if t == self.total_iters else lr


class LinearLR(LRScheduler):
    """``lr * (start_factor + (end_factor - start_factor) * t / total_iters)``, constant after epoch ``total_iters``."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR: start_factor must be above 0 and at most 1; got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor must be between 0 and 1; got {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        if t == 0:
            return lr * self.start_factor
        if self._starting or t > self.total_iters:
            return lr
        growth = self.end_factor - self.start_factor
        return lr * (1 + growth / (self.total_iters * self.start_factor + (t - 1) * growth))


class ExponentialLR(LRScheduler):
    """``lr(t) = lr(t - 1) * gamma``."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        return lr if self._starting or t == 0 else lr * self.gamma


class PolynomialLR(LRScheduler):
    """``lr * (1 - t / total_iters) ** power``, 0 after epoch ``total_iters``."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        if self._starting or t == 0 or t > self.total_iters:
            return lr
        return lr * ((1 - t / self.total_iters) / (1 - (t - 1) / self.total_iters)) ** self.power
