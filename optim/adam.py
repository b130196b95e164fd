"""Adam and AdamW."""

from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Tensor, maximum, sqrt

from .checks import fractions, not_negative, pairs
from .optimizer import Optimizer

__all__ = ["Adam", "AdamW"]


@autograd.update
def adam(p, g, m, v, *, lr, beta1, beta2, eps, t):
    """Kingma and Ba 2015, algorithm 1."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    step_size = lr / (1 - beta1**t)
    return p - step_size * m / (sqrt(v / (1 - beta2**t)) + eps), m, v


@autograd.update
def amsgrad(p, g, m, v, v_max, *, lr, beta1, beta2, eps, t):
    """Reddi, Kale and Kumar 2018, algorithm 2, with Adam's corrections of the bias."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    v_max = maximum(v_max, v)
    step_size = lr / (1 - beta1**t)
    return p - step_size * m / (sqrt(v_max / (1 - beta2**t)) + eps), m, v, v_max


class Moments(Optimizer):
    """What Adam and what became of it share: a decaying mean of g, and one of its size."""

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "eps", "weight_decay")
        pairs(self, group, "betas")
        fractions(self, group, "betas")

    def numbers(self, group: dict, t: Any) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        return {"beta1": beta1, "beta2": beta2, "t": t}


class Adam(Moments):
    """Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980): each weight has a rate of its own.

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)

    ``amsgrad`` divides by the largest v so far (Reddi et al. 2018). ``weight_decay`` adds ``weight_decay * p`` to g,
    or with ``decoupled_weight_decay`` shrinks p itself, as `AdamW` does; ``maximize`` climbs.

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        if group["amsgrad"]:
            return amsgrad, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return adam, ("exp_avg", "exp_avg_sq")


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101).

        p = (1 - lr weight_decay) p
        p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)          m, v as in `Adam`

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8500, -1.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip
