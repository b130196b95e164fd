"""L-BFGS: a quasi-Newton method for smooth problems that are evaluated as a whole."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .checks import not_negative, positive
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 7.4 and 7.5).

        y = change of the gradient, s = change of p             of the last ``history_size`` iterations
        H = s.y / y.y                                           then two loops over the pairs apply the inverse Hessian
        p = p - t H g                                           t = lr, or by ``line_search_fn="strong_wolfe"``

    `step` needs a closure that clears the gradients, computes the loss, calls backward and returns the loss; it runs
    up to ``max_iter`` iterations with up to ``max_eval`` evaluations (1.25 max_iter by default), and stops when no
    gradient exceeds ``tolerance_grad``, or when the loss or p change by less than ``tolerance_change``. All parameters
    are in one group.

    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> float(optimizer.step(closure)), float(closure()) < 1e-6
    (641.0, True)
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict) -> None:
        if self.param_groups:
            raise ValueError("LBFGS: all parameters are in one group; got a second")
        not_negative(self, group, "lr")
        positive(self, group, "max_iter", "history_size")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe'; got {group['line_search_fn']!r}")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Run up to max_iter iterations; returns the loss that the closure gave first."""
        if closure is None:
            raise TypeError("LBFGS: step needs a closure that computes the loss again; got None")
        (group,) = self.param_groups
        lr, change, search = float(group["lr"]), group["tolerance_change"], group["line_search_fn"]
        if not any(p.numel() for p in group["params"]):
            shapes = ", ".join(str(p.shape) for p in group["params"])
            raise RuntimeError(f"LBFGS: the parameters must have elements; got shape {shapes}")
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first = self._closure_with_grad(closure)
        loss, g, evaluations = float(first), self._gradient(), 1
        state["func_evals"] += 1
        if not self._exceeds(g, group["tolerance_grad"]):
            return first
        memory = _Memory(state, group["history_size"])

        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            memory.d = memory.direction(g, state["n_iter"] == 1)
            memory.previous_gradient, previous_loss = g, loss
            memory.t = min(1.0, 1.0 / float(np.abs(g).sum())) * lr if state["n_iter"] == 1 else lr
            d, slope = memory.d, float(g @ memory.d)
            if slope > -change:
                break
            used = 0
            try:
                if search is not None:
                    here = [p.array.copy() for p in group["params"]]
                    start = Point(0.0, loss, slope, g)
                    best, used = strong_wolfe(
                        partial(self._probe, closure, here, d),
                        start, memory.t, size=float(np.abs(d).max()), tolerance=change,
                        max_steps=group["max_eval"] - evaluations,
                    )  # fmt: skip
                    memory.t, loss, g = best.t, best.value, best.gradient
                    self._move(memory.t, d)
                else:
                    self._move(memory.t, d)
                    if iteration < group["max_iter"]:  # a stochastic loss is not worth one more evaluation
                        loss, g, used = float(self._closure_with_grad(closure)), self._gradient(), 1
            except BaseException:  # of the closure: the next step goes on from where the parameters are
                if search is not None:
                    state["n_iter"] -= 1
                    memory.t = 0.0
                memory.save(state, previous_loss)
                raise
            evaluations += used
            state["func_evals"] += used
            done = (
                evaluations >= group["max_eval"]
                or not self._exceeds(g, group["tolerance_grad"])
                or not self._exceeds(d * memory.t, change)
                or abs(loss - previous_loss) < change
            )
            if done:
                break
        memory.save(state, previous_loss)
        return first

    @staticmethod
    def _exceeds(values: np.ndarray, tolerance: float) -> bool:
        return not float(np.abs(values).max()) <= tolerance

    @staticmethod
    def _closure_with_grad(closure: Callable[[], Any]) -> Any:
        with autograd.enable_grad():
            return closure()

    def _gradient(self) -> np.ndarray:
        """All gradients in one vector; a parameter without one has zeros."""
        params = self.param_groups[0]["params"]
        return np.concatenate(
            [np.zeros(p.array.size, p.dtype) if p.grad is None else p.grad.array.reshape(-1) for p in params]
        )

    def _move(self, t: float, d: np.ndarray) -> None:
        """Add t d to the parameters."""
        start = 0
        with autograd.no_grad():
            for p in self.param_groups[0]["params"]:
                part = d[start : start + p.array.size]
                p.add_(autograd.from_numpy((t * part).reshape(p.shape)).to(p.dtype))
                start += p.array.size

    def _probe(self, closure: Callable[[], Any], here: Sequence[np.ndarray], d: np.ndarray, t: float) -> Point:
        """The loss at t d from here; the parameters come back."""
        self._move(t, d)
        try:
            loss, g = float(self._closure_with_grad(closure)), self._gradient()
        finally:
            with autograd.no_grad():
                for p, values in zip(self.param_groups[0]["params"], here, strict=True):
                    p.copy_(autograd.from_numpy(values))
        return Point(t, loss, float(g @ d), g)


class _Memory:
    """The pairs (y, s) of the last iterations, in PyTorch's names in the state of the first parameter."""

    def __init__(self, state: dict, size: int) -> None:
        self.size = size
        self.ys = [np.asarray(y.array) for y in state.get("old_dirs") or []]
        self.ss = [np.asarray(s.array) for s in state.get("old_stps") or []]
        self.rhos = [float(r) for r in state.get("ro") or []]
        self.scale = float(state.get("H_diag") or 1)
        self.t = float(state.get("t") or 0)
        self.d: Any = None if state.get("d") is None else state["d"].array
        self.previous_gradient: Any = None
        if state.get("prev_flat_grad") is not None:
            self.previous_gradient = state["prev_flat_grad"].array

    def direction(self, g: np.ndarray, first: bool) -> np.ndarray:
        """Minus the inverse Hessian times g, after the last iteration has been taken in."""
        if first:
            return -g
        y, s = g - self.previous_gradient, self.d * self.t
        ys = float(y @ s)
        if ys > 1e-10:  # else the curvature along s is not positive, and the pair says nothing
            if len(self.ys) == self.size:
                del self.ys[0], self.ss[0], self.rhos[0]
            self.ys.append(y)
            self.ss.append(s)
            self.rhos.append(1 / ys)
            self.scale = ys / float(y @ y)
        pairs = list(zip(self.ys, self.ss, self.rhos, strict=True))
        q, alphas = -g, []
        for y, s, rho in reversed(pairs):
            alphas.append(rho * float(s @ q))
            q = q - alphas[-1] * y
        d = self.scale * q
        for (y, s, rho), alpha in zip(pairs, reversed(alphas), strict=True):
            d = d + (alpha - rho * float(y @ d)) * s
        return d

    def save(self, state: dict, previous_loss: float) -> None:
        """Put everything into the state of the optimizer."""
        tensor = autograd.from_numpy
        state.update(
            d=tensor(self.d), t=self.t, old_dirs=[*map(tensor, self.ys)], old_stps=[*map(tensor, self.ss)],
            ro=list(self.rhos), H_diag=self.scale, prev_flat_grad=tensor(self.previous_gradient),
            prev_loss=previous_loss,
        )  # fmt: skip
