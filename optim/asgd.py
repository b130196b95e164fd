"""Averaged stochastic gradient descent."""

from collections.abc import Hashable, Iterable
from typing import Any, ClassVar

import autograd
from autograd import Tensor, zeros_like

from .checks import not_negative
from .optimizer import Optimizer

__all__ = ["ASGD"]


@autograd.update
def asgd(p, g, ax, *, lambd, eta, mu):
    """Polyak and Juditsky 1992, with the rates of Bottou's averaged stochastic gradient."""
    p = (1 - lambd * eta) * p - eta * g
    ax = ax + mu * (p - ax)
    return p, ax


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky 1992, https://doi.org/10.1137/0330046).

        p = (1 - lambd eta) p - eta g
        ax = ax + mu (p - ax)                       the average, in ``state[p]["ax"]``
        eta = lr / (1 + lambd lr t)^alpha
        mu = 1 / max(1, t - t0)

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = ASGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    counters: ClassVar[tuple[str, ...]] = ("step", "eta", "mu")

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "weight_decay")

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        return asgd, ("ax",)

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        eta = autograd.tensor(float(group["lr"]))
        return {"step": autograd.tensor(0.0), "eta": eta, "mu": autograd.tensor(1.0), "ax": zeros_like(p)}

    def advance(self, group: dict, p: Tensor, state: dict) -> Hashable:
        t: Any = super().advance(group, p, state)
        eta, mu = state["eta"].array, state["mu"].array
        now = eta.item(), mu.item()
        lr = float(group["lr"])
        eta[()] = lr / (1 + group["lambd"] * lr * t) ** group["alpha"]
        mu[()] = 1 / max(1, t - group["t0"])
        return now

    def numbers(self, group: dict, t: Any) -> dict[str, Any]:
        eta, mu = t
        return {"eta": eta, "mu": mu}
