"""Muon: momentum whose matrices are made orthogonal."""

import math
from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Tensor

from .checks import not_negative
from .optimizer import Optimizer

__all__ = ["Muon"]


def orthogonalize(x: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """x with its singular values brought near 1, by the iteration of Newton and Schulz:

    x = x / |x|
    x = a x + (b x x' + c (x x')^2) x                       ``steps`` times
    """
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = x.mT if tall else x
    x = x / max(float((x * x).sum()) ** 0.5, eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.mT if tall else x


class Muon(Optimizer):
    """Momentum orthogonalized by Newton and Schulz (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon),
    for the matrices of hidden layers; give biases and embeddings to another optimizer.

        m = momentum m + (1 - momentum) g
        u = (1 - momentum) g + momentum m                       nesterov; else u = m
        p = (1 - lr weight_decay) p - lr s orthogonalize(u)

    s is sqrt(max(1, rows / columns)), or 0.2 sqrt(max(rows, columns)) with ``adjust_lr_fn="match_rms_adamw"`` (Liu
    et al. 2025, https://arxiv.org/abs/2502.16982, section 2.2). PyTorch iterates in bfloat16, this in the dtype of p.

    >>> w = autograd.tensor([[1.0, -2.0], [2.0, 1.0]], requires_grad=True)
    >>> optimizer = Muon([w], lr=0.1, weight_decay=0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([[ 0.9504, -1.9009],
            [ 1.9009,  0.9504]], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "momentum", "weight_decay")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn must be 'original' or 'match_rms_adamw'; got {group['adjust_lr_fn']!r}"
            )
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Muon: ns_coefficients must be three numbers; got {group['ns_coefficients']}")
        if not group["ns_steps"] < 100:
            raise ValueError(f"Muon: ns_steps must be below 100; got {group['ns_steps']}")
        for p in group["params"]:
            if p.ndim != 2:
                raise ValueError(f"Muon: a parameter must be a matrix; got shape {p.shape}; use AdamW for the others")

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        return {"momentum_buffer": autograd.zeros_like(p)}

    def step_group(self, group: dict) -> None:
        self.step_each(group, self._move)

    @autograd.no_grad()
    def _move(self, group: dict, p: Tensor, state: dict) -> None:
        """Move one parameter."""
        lr, momentum = float(group["lr"]), group["momentum"]
        m, g = state["momentum_buffer"], p.grad
        assert g is not None
        m.lerp_(g, 1 - momentum)
        u = g.lerp(m, momentum) if group["nesterov"] else m
        u = orthogonalize(u, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            scale = 0.2 * math.sqrt(max(rows, columns))
        else:
            scale = math.sqrt(max(1, rows / columns))
        p.mul_(1 - lr * group["weight_decay"])
        p.sub_(u * (lr * scale))
