"""Cosine annealing, with and without restarts (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983)."""

from math import cos, floor, log, pi

from ..optimizer import Optimizer
from .base import LRScheduler, cosine

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """``lr(t) = eta_min + (initial_lr - eta_min) * (1 + cos(pi t / T_max)) / 2``, and up again after ``T_max``.

    The rule goes from one rate to the next, so that another schedule may act between:

        lr(t) - eta_min = (lr(t - 1) - eta_min) (1 + cos(pi t / T_max)) / (1 + cos(pi (t - 1) / T_max))

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2)], lr=1.0)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=10)
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     schedule.step()
    >>> round(schedule.get_last_lr()[0], 6)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        if self._starting or t == 0:
            return lr
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # the rate before was eta_min: nothing to multiply
            return lr + (self.base_lrs[i] - self.eta_min) * (1 - cos(pi / self.T_max)) / 2
        ratio = (1 + cos(pi * t / self.T_max)) / (1 + cos(pi * (t - 1) / self.T_max))
        return ratio * (lr - self.eta_min) + self.eta_min


class CosineAnnealingWarmRestarts(LRScheduler):
    """From ``initial_lr`` to ``eta_min`` along a cosine in ``T_0`` epochs, then again, each time ``T_mult`` times as
    long. ``step(epoch)`` takes fractions of an epoch.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2)], lr=1.0)
    >>> schedule = CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> schedule.step(4)
    >>> round(schedule.get_last_lr()[0], 6)
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: T_0 must be an integer above 0; got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"CosineAnnealingWarmRestarts: T_mult must be an integer of 1 or more; got {T_mult}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def rate(self, i: int, lr: float, t: int) -> float:
        return cosine(self.base_lrs[i], self.eta_min, self.T_cur / self.T_i)

    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next epoch, or those of ``epoch``, which may be a fraction."""
        if epoch is None and self.last_epoch >= 0:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._go_to(epoch or 0)
        self._use(self.get_lr())

    def _go_to(self, epoch: float) -> None:
        if epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: epoch must not be negative; got {epoch}")
        if self.T_mult == 1:
            restarts, begun = 0, epoch - epoch % self.T_0
        else:
            # n periods of T_0, T_0 T_mult, ... are T_0 (T_mult^n - 1) / (T_mult - 1) epochs.
            restarts = int(log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            begun = self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
        self.T_cur, self.T_i = epoch - begun, self.T_0 * self.T_mult**restarts
        self.last_epoch = floor(epoch)
