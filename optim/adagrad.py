"""Adagrad: rates that fall with the gradients seen so far."""

from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Tensor, sqrt

from .checks import not_negative
from .optimizer import Optimizer

__all__ = ["Adagrad"]


@autograd.update
def adagrad(p, g, total, *, lr, lr_decay, eps, t):
    """Duchi, Hazan and Singer 2011, section 1.1, the diagonal form."""
    total = total + g * g
    return p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(total) + eps), total


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html).

        s = s + g^2
        p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    s begins at ``initial_accumulator_value``.

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:  # the sums exist before the first step, as PyTorch's do
            for p in group["params"]:
                self.state[p] = self.start(group, p)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        return adagrad, ("sum",)

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        total = autograd.full_like(p, group["initial_accumulator_value"])
        return {"step": autograd.tensor(0.0), "sum": total}
