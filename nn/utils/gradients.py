"""Norms of gradients, clipping, and constraints and penalties on weights."""

import math
from collections.abc import Iterable

import autograd
from autograd import Tensor, no_grad

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm", "l1_penalty", "l2_penalty",
    "max_norm_", "unit_norm_",
]  # fmt: skip


def _listed(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The ``norm_type`` norm of all elements of all tensors as one vector; 0 for none.

    >>> get_total_norm([autograd.tensor([3.0]), autograd.tensor([4.0])])
    tensor(5.)
    """
    norms = [autograd.linalg.vector_norm(t, norm_type) for t in _listed(tensors)]
    if not norms:
        return autograd.tensor(0.0)
    total = autograd.linalg.vector_norm(autograd.stack(norms), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"get_total_norm: the norm of order {norm_type} must be finite; got {total.item()}; "
            "pass error_if_nonfinite=False to go on with it"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale every gradient by max_norm / (total_norm + 1e-6), if that is less than 1."""
    factor = autograd.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
    for p in _listed(parameters):
        if p.grad is not None:
            p.grad.mul_(factor)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients so that the norm of all of them as one vector is at most ``max_norm``; returns what it was
    (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063, section 3.2).
    """
    listed = _listed(parameters)
    total = get_total_norm([p.grad for p in listed if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of the gradients into [-clip_value, clip_value]."""
    for p in _listed(parameters):
        if p.grad is not None:
            p.grad.clamp_(-float(clip_value), float(clip_value))


def _row_norms(weight: Tensor) -> Tensor:
    """The 2-norm of what leads into each unit, as a column that broadcasts over the weight."""
    rows = weight.reshape(weight.shape[0], -1)
    return (rows * rows).sum(1).sqrt().reshape(-1, *(1,) * (weight.ndim - 1))


@no_grad()
def max_norm_(weight: Tensor, max_value: float = 2.0) -> Tensor:
    """Shrink the weights into each unit, axis 0, to a norm of at most ``max_value``, in place; call it after a step
    (Srebro and Shraibman 2005; Hinton et al. 2012, https://arxiv.org/abs/1207.0580).

    >>> max_norm_(autograd.tensor([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    norms = _row_norms(weight)
    return weight.mul_(autograd.where(norms > max_value, max_value / norms, 1.0))


@no_grad()
def unit_norm_(weight: Tensor, eps: float = 1e-12) -> Tensor:
    """Scale the weights into each unit, axis 0, to norm 1, in place.

    >>> unit_norm_(autograd.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return weight.div_(autograd.clamp(_row_norms(weight), min=eps))


def l1_penalty(parameters: Tensor | Iterable[Tensor], strength: float = 1.0) -> Tensor:
    """strength * sum of |w| over all elements, to be added to a loss.

    >>> l1_penalty(autograd.tensor([1.0, -2.0]), 0.5)
    tensor(1.5000)
    """
    return strength * sum((p.abs().sum() for p in _listed(parameters)), start=autograd.tensor(0.0))


def l2_penalty(parameters: Tensor | Iterable[Tensor], strength: float = 1.0) -> Tensor:
    """strength * sum of w^2 over all elements, to be added to a loss; twice ``strength`` is SGD's weight decay.

    >>> l2_penalty(autograd.tensor([1.0, -2.0]), 0.5)
    tensor(2.5000)
    """
    return strength * sum(((p * p).sum() for p in _listed(parameters)), start=autograd.tensor(0.0))
