"""Rprop: only the sign of the gradient counts."""

from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Tensor, maximum, minimum, sign, where, zeros_like

from .checks import not_negative, pairs
from .optimizer import Optimizer

__all__ = ["Rprop"]


@autograd.update
def rprop(p, g, previous, size, *, eta_minus, eta_plus, smallest, largest):
    """Riedmiller and Braun 1993, figure 1; Igel and Huesken 2000 call it iRprop-: no step where the sign turned."""
    turned = g * previous < 0
    factor = where(g * previous > 0, eta_plus, where(turned, eta_minus, 1))
    size = minimum(maximum(size * factor, smallest), largest)
    g = where(turned, 0, g)
    return p - sign(g) * size, g, size


class Rprop(Optimizer):
    """Resilient backpropagation (Riedmiller and Braun 1993), for the full batch.

        size = size eta_plus     where g keeps its sign, at most step_sizes[1]
        size = size eta_minus    where it turned, at least step_sizes[0]; there g = 0
        p = p - sign(g) size

    The sizes begin at ``lr``.

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Rprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr")
        pairs(self, group, "etas", "step_sizes")
        low, high = group["etas"]
        if not 0 < low < 1 < high:
            raise ValueError(f"Rprop: etas must be below and above 1, and above 0; got {group['etas']}")

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        return rprop, ("prev", "step_size")

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        size = autograd.full_like(p, float(group["lr"]))
        return {"step": autograd.tensor(0.0), "prev": zeros_like(p), "step_size": size}

    def numbers(self, group: dict, t: Any) -> dict[str, Any]:
        (low, high), (smallest, largest) = group["etas"], group["step_sizes"]
        return {"eta_minus": low, "eta_plus": high, "smallest": smallest, "largest": largest}
