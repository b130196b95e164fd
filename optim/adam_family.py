"""What became of Adam: Adamax, NAdam and RAdam."""

from collections.abc import Hashable, Iterable
from typing import Any, ClassVar

import autograd
from autograd import Tensor, abs, maximum, sqrt, where

from .adam import Moments
from .checks import not_negative

__all__ = ["Adamax", "NAdam", "RAdam"]


@autograd.update
def adamax(p, g, m, u, *, lr, beta1, beta2, eps, t):
    """Kingma and Ba 2015, algorithm 2; eps keeps u above 0."""
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, abs(g) + eps)
    step_size = lr / (1 - beta1**t)
    return p - step_size * m / u, m, u


@autograd.update
def nadam(p, g, m, v, *, lr, beta1, beta2, eps, momentum_decay, t, mu_product):
    """Dozat 2016, algorithm 2, with the schedule of mu proposed there."""
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    g_weight = lr * (1 - mu) / (1 - mu_product)
    m_weight = lr * mu_next / (1 - mu_product * mu_next)
    return p - (g_weight * g + m_weight * m) / (sqrt(v / (1 - beta2**t)) + eps), m, v


@autograd.update
def radam(p, g, m, v, *, lr, beta1, beta2, eps, t):
    """Liu et al. 2020, algorithm 2: v is used only when enough steps make its variance known (rho above 5)."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    step_size = lr / (1 - beta1**t)
    return p - step_size * m * where(rho > 5, r * sqrt(1 - beta2**t) / (sqrt(v) + eps), 1), m, v


class Adamax(Moments):
    """Adam with the largest gradient in place of the mean square (Kingma and Ba 2015, section 7.1).

        m = beta1 m + (1 - beta1) g
        u = max(beta2 u, |g| + eps)
        p = p - lr / (1 - beta1^t) m / u

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        return adamax, ("exp_avg", "exp_inf")


class NAdam(Moments):
    """Adam with Nesterov's look ahead (Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).

        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)
        p = p - lr ((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_t+1 / (1 - mu_1 ... mu_t+1) m)
                / (sqrt(v / (1 - beta2^t)) + eps)                              m, v as in `Adam`

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8944, -1.8944], requires_grad=True)
    """

    counters: ClassVar[tuple[str, ...]] = ("step", "mu_product")

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        super().check(group)
        not_negative(self, group, "momentum_decay")

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        return nadam, ("exp_avg", "exp_avg_sq")

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        averages = super().start(group, p)
        return {"step": averages.pop("step"), "mu_product": autograd.tensor(1.0), **averages}

    def advance(self, group: dict, p: Tensor, state: dict) -> Hashable:
        t: Any = super().advance(group, p, state)
        product = state["mu_product"].array
        product *= group["betas"][0] * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
        return t, product.item()

    def numbers(self, group: dict, t: Any) -> dict[str, Any]:
        steps, product = t
        return {**super().numbers(group, steps), "mu_product": product}


class RAdam(Moments):
    """Adam whose rate is rectified while the mean square is not yet known (Liu et al. 2020,
    https://arxiv.org/abs/1908.03265).

        rho = 2 / (1 - beta2) - 1 - 2 t beta2^t / (1 - beta2^t)
        p = p - lr m / (1 - beta1^t)                                           while rho is 5 or less
        p = p - lr m / (1 - beta1^t) r(rho) sqrt(1 - beta2^t) / (sqrt(v) + eps)                 later

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8000, -1.6000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        return radam, ("exp_avg", "exp_avg_sq")
