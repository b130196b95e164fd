"""Gradient descent, with momentum."""

from collections.abc import Hashable, Iterable
from typing import Any

import autograd
from autograd import Tensor

from .checks import not_negative
from .optimizer import Optimizer

__all__ = ["SGD"]


@autograd.update
def sgd(p, g, *, lr):
    """Robbins and Monro 1951."""
    return p - lr * g


@autograd.update
def sgd_momentum(p, g, m, *, lr, momentum, dampening):
    """Polyak 1964, in the form of Sutskever et al. 2013, with the rate outside the velocity."""
    m = momentum * m + (1 - dampening) * g
    return p - lr * m, m


@autograd.update
def sgd_nesterov(p, g, m, *, lr, momentum, dampening):
    """Nesterov 1983: the gradient looks ahead along the velocity (Sutskever et al. 2013, section 2.1)."""
    m = momentum * m + (1 - dampening) * g
    return p - lr * (g + momentum * m), m


class SGD(Optimizer):
    """Stochastic gradient descent (Robbins and Monro 1951), with momentum (Sutskever et al. 2013).

        m = momentum m + (1 - dampening) g          the first step takes m = g
        p = p - lr m                                nesterov: p - lr (g + momentum m)

    ``weight_decay`` adds ``weight_decay * p`` to g; ``maximize`` climbs.

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25, momentum=0.9)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach, "differentiable": differentiable,
            "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                "SGD: nesterov needs momentum above 0 and no dampening; "
                f"got momentum={group['momentum']} and dampening={group['dampening']}"
            )

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        if not group["momentum"]:
            return sgd, ()
        return sgd_nesterov if group["nesterov"] else sgd_momentum, ("momentum_buffer",)

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        return {}

    def advance(self, group: dict, p: Tensor, state: dict) -> Hashable:
        if not group["momentum"] or state.get("momentum_buffer") is not None:
            return None
        state["momentum_buffer"] = autograd.zeros_like(p)
        return "first"

    def numbers(self, group: dict, t: Any) -> dict[str, Any]:
        return {"dampening": 0} if t == "first" else {}
