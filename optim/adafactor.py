"""Adafactor: the second moment of a matrix kept as a row and a column."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .checks import not_negative, pairs
from .optimizer import Optimizer

__all__ = ["Adafactor"]


@autograd.update
def adafactor(p, g, *, shrink, alpha):
    """The last line of the algorithm; g is the scaled gradient U."""
    return (1 - shrink) * p - alpha * g


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235, algorithm 4).

        beta = 1 - t^beta2_decay
        R = beta R + (1 - beta) mean of g^2 over the columns           of the last two axes
        C = beta C + (1 - beta) mean of g^2 over the rows
        V = R C / mean(R)                                              a vector keeps V itself
        U = g / sqrt(V)
        p = p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) U / max(1, rms(U) / d)

    ``eps`` is (eps1, eps2); eps1 None is the spacing of numbers at 1 in the dtype of p. ``weight_decay`` shrinks p by
    ``lr * weight_decay``.

    >>> w = autograd.tensor([[1.0, -2.0], [2.0, 1.0]], requires_grad=True)
    >>> optimizer = Adafactor([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([[ 0.9000, -1.8000],
            [ 1.8000,  0.9000]], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        not_negative(self, group, "lr", "weight_decay")
        if not group["beta2_decay"] <= 0:
            raise ValueError(f"Adafactor: beta2_decay must not be above 0; got {group['beta2_decay']}")
        pairs(self, group, "eps")
        if not all(e is None or e >= 0 for e in group["eps"]):
            raise ValueError(f"Adafactor: eps must not be negative; got {group['eps']}")
        if not group["d"] >= 1:
            raise ValueError(f"Adafactor: d must be 1 or more; got {group['d']}")

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        step = autograd.tensor(0.0)
        if p.ndim < 2:
            return {"step": step, "variance": autograd.zeros_like(p)}
        *outer, rows, columns = p.shape
        row = autograd.zeros(*outer, rows, 1, dtype=p.dtype)
        return {"step": step, "row_var": row, "col_var": autograd.zeros(*outer, 1, columns, dtype=p.dtype)}

    def step_group(self, group: dict) -> None:
        self.step_each(group, self._move)

    def _move(self, group: dict, p: Tensor, state: dict) -> None:
        """Move one parameter."""
        t: Any = self.advance(group, p, state)
        if not p.numel():
            return
        lr, (eps1, eps2) = float(group["lr"]), group["eps"]
        eps1 = float(np.finfo(p.dtype).eps) if eps1 is None else eps1
        alpha = max(eps2, _rms(p.array)) * min(lr, t**-0.5)
        g = p.grad
        assert g is not None
        u = _scale(state, g.array, t ** group["beta2_decay"], eps1)
        alpha /= max(1.0, _rms(u) / group["d"])
        shrink = lr * group["weight_decay"]
        adafactor(p, Tensor(u), shrink=shrink, alpha=-alpha if group["maximize"] else alpha)


def _scale(state: dict, g: np.ndarray, weight: float, eps: float) -> np.ndarray:
    """g / sqrt(V), after V has been taken on to g; no array of its size is made but the result."""
    if "variance" in state:
        v = _approach(state["variance"].array, g * g, weight).copy()
    else:
        row_mean = np.einsum("...ij,...ij->...i", g, g)[..., :, None] / g.shape[-1]
        column_mean = np.einsum("...ij,...ij->...j", g, g)[..., None, :] / g.shape[-2]
        row = _approach(state["row_var"].array, row_mean, weight)
        column = _approach(state["col_var"].array, column_mean, weight)
        v = row / np.maximum(row.mean(-2, keepdims=True), eps) * column
    np.maximum(v, eps * eps, out=v)
    np.sqrt(v, out=v)
    return np.divide(g, v, out=v)


def _rms(x: np.ndarray) -> float:
    flat = x.reshape(-1)
    return math.sqrt(float(flat @ flat) / max(1, flat.size))


def _approach(average: np.ndarray, value: np.ndarray, weight: float) -> np.ndarray:
    """Move a decaying mean towards ``value``, in place; exact at weight 1, at which nothing of it is left."""
    if weight < 0.5:
        average += weight * (value - average)
    else:
        average[...] = value - (1 - weight) * (value - average)
    return average
