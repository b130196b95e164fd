"""RMSprop and Adadelta: steps measured by a decaying mean of the squared gradient."""

from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Tensor, lerp, sqrt

from .checks import fractions, not_negative
from .optimizer import Optimizer

__all__ = ["Adadelta", "RMSprop"]


@autograd.update
def rmsprop(p, g, v, *, lr, alpha, eps):
    """Tieleman and Hinton 2012, lecture 6.5."""
    v = alpha * v + (1 - alpha) * g * g
    return p - lr * g / (sqrt(v) + eps), v


@autograd.update
def rmsprop_momentum(p, g, v, b, *, lr, alpha, eps, momentum):
    """The same with a velocity b."""
    v = alpha * v + (1 - alpha) * g * g
    b = momentum * b + g / (sqrt(v) + eps)
    return p - lr * b, v, b


@autograd.update
def rmsprop_centered(p, g, v, a, *, lr, alpha, eps):
    """Graves 2013, section 4.2: divided by the standard deviation of g, a being its mean."""
    v = alpha * v + (1 - alpha) * g * g
    a = lerp(a, g, 1 - alpha)
    return p - lr * g / (sqrt(v - a * a) + eps), v, a


@autograd.update
def rmsprop_centered_momentum(p, g, v, b, a, *, lr, alpha, eps, momentum):
    """Graves 2013, section 4.2, equations 38 to 41."""
    v = alpha * v + (1 - alpha) * g * g
    a = lerp(a, g, 1 - alpha)
    b = momentum * b + g / (sqrt(v - a * a) + eps)
    return p - lr * b, v, b, a


@autograd.update
def adadelta(p, g, v, d, *, lr, rho, eps):
    """Zeiler 2012, algorithm 1; d is the mean square of the steps."""
    v = rho * v + (1 - rho) * g * g
    delta = sqrt(d + eps) / sqrt(v + eps) * g
    d = rho * d + (1 - rho) * delta * delta
    return p - lr * delta, v, d


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012, lecture 6.5 of their course; centered: Graves 2013, section 4.2).

        v = alpha v + (1 - alpha) g^2
        a = alpha a + (1 - alpha) g                                 centered; else a = 0
        b = momentum b + g / (sqrt(v - a^2) + eps)
        p = p - lr b

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "eps", "momentum", "weight_decay", "alpha")

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        if group["momentum"]:
            if group["centered"]:
                return rmsprop_centered_momentum, ("square_avg", "momentum_buffer", "grad_avg")
            return rmsprop_momentum, ("square_avg", "momentum_buffer")
        return (rmsprop_centered, ("square_avg", "grad_avg")) if group["centered"] else (rmsprop, ("square_avg",))


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701): steps in the units of p, with no rate to choose.

        v = rho v + (1 - rho) g^2
        delta = sqrt(d + eps) / sqrt(v + eps) g
        d = rho d + (1 - rho) delta^2
        p = p - lr delta

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adadelta([w], eps=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.6877, -1.6848], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "eps", "weight_decay")
        fractions(self, group, "rho")

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        return adadelta, ("square_avg", "acc_delta")
