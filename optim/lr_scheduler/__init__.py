"""Learning-rate schedules: `optim.lr_scheduler.X` is what `torch.optim.lr_scheduler.X` is.

>>> import autograd, optim
>>> optimizer = optim.SGD([autograd.zeros(2)], lr=1.0)
>>> schedule = optim.lr_scheduler.StepLR(optimizer, step_size=10)
>>> for epoch in range(20):
...     optimizer.step()
...     schedule.step()
>>> round(schedule.get_last_lr()[0], 6)
0.01
"""

from .base import LRScheduler
from .compose import ChainedScheduler, SequentialLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cycle import CyclicLR, OneCycleLR
from .decay import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)  # fmt: skip
from .plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip
