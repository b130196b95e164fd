"""Optimizers and learning-rate schedules: `optim.X` is what `torch.optim.X` is.

>>> import autograd, optim
>>> w = autograd.tensor([3.0], requires_grad=True)
>>> optimizer = optim.SGD([w], lr=0.1)
>>> for _ in range(100):
...     optimizer.zero_grad()
...     ((w - 1) ** 2).sum().backward()
...     optimizer.step()
>>> w
tensor([1.0000], requires_grad=True)
"""

from .adam import Adam, AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
