"""Masks over parameters, as `torch.nn.utils.prune` makes them: at random, by magnitude, or given."""

from collections.abc import Iterable, Mapping
from typing import Any

import autograd
from autograd import Tensor

from ...module import Module
from .base import BasePruningMethod, PruningContainer, check_amount, count_of, current, method_of, methods_of

__all__ = [
    "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "RandomStructured", "RandomUnstructured",
    "custom_from_mask", "global_unstructured", "identity", "is_pruned", "l1_unstructured", "ln_structured",
    "random_structured", "random_unstructured", "remove",
]  # fmt: skip


class Identity(BasePruningMethod):
    """Prunes nothing, but has the names of a pruned parameter."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far."""
        return default_mask


class _Amount(BasePruningMethod):
    def __init__(self, amount: float) -> None:
        check_amount(type(self).__name__, amount)
        self.amount = amount

    def _scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far without the elements of the lowest scores."""
        count = count_of(type(self).__name__, self.amount, t.numel())
        lowest = self._scores(t).reshape(-1).topk(count, largest=False).indices
        return default_mask.reshape(-1).index_fill(0, lowest, 0).reshape(t.shape)


class RandomUnstructured(_Amount):
    """Prunes elements drawn evenly."""

    def _scores(self, t: Tensor) -> Tensor:
        return autograd.rand_like(t)


class L1Unstructured(_Amount):
    """Prunes the elements smallest in absolute value."""

    def _scores(self, t: Tensor) -> Tensor:
        return t.abs()


class _Structured(_Amount):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far without the slices of the lowest scores."""
        name = type(self).__name__
        if t.ndim < 2:
            raise ValueError(f"{name}: a parameter with 2 or more axes is needed; got shape {tuple(t.shape)}")
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"{name}: dim must be in [{-t.ndim}, {t.ndim - 1}]; got {self.dim}")
        count = count_of(name, self.amount, t.shape[self.dim])
        lowest = self._scores(t).topk(count, largest=False).indices
        return default_mask.index_fill(self.dim, lowest, 0)


class RandomStructured(_Structured):
    """Prunes slices along ``dim`` drawn evenly."""

    def _scores(self, t: Tensor) -> Tensor:
        return autograd.rand(t.shape[self.dim])


class LnStructured(_Structured):
    """Prunes the slices along ``dim`` of the smallest n-norm."""

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, t: Tensor) -> Tensor:
        others = [axis for axis in range(t.ndim) if axis != self.dim % t.ndim]
        return autograd.norm(t, p=self.n, dim=others)


class CustomFromMask(BasePruningMethod):
    """Prunes what a mask given has zeros for."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Both masks at once."""
        if self.mask.shape != default_mask.shape:
            raise ValueError(
                f"CustomFromMask: the mask must be {tuple(default_mask.shape)} as the parameter is; "
                f"got {tuple(self.mask.shape)}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Give a parameter the names of a pruned one, with a mask of ones; returns ``module``.

    >>> import nn
    >>> list(identity(nn.Linear(2, 3), "weight").state_dict())
    ['bias', 'weight_orig', 'weight_mask']
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune elements of a parameter drawn evenly: ``amount`` of those left, a count (int) or a fraction (float).

    Returns ``module``; raises AttributeError if it has no such parameter, ValueError for more than are left.

    >>> import nn
    >>> int(random_unstructured(nn.Linear(4, 3), "weight", 0.25).weight_mask.sum())
    9
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prune the elements smallest in absolute value, of the parameter or of the ``importance_scores`` in its shape;
    arguments and errors as in `random_unstructured` (Han et al. 2015, https://arxiv.org/abs/1506.02626).

    >>> import nn
    >>> layer = nn.Linear(3, 1)
    >>> layer.weight = nn.Parameter(autograd.tensor([[0.1, -2.0, 1.0]]))
    >>> l1_unstructured(layer, "weight", 1).weight_mask
    tensor([[0., 1., 1.]])
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune slices of a parameter along ``dim``, units for 0 and inputs for 1, drawn evenly; arguments and errors as in
    `random_unstructured`, and IndexError for a ``dim`` that is none.

    >>> import nn
    >>> random_structured(nn.Linear(2, 4), "weight", 2, dim=0).weight_mask.sum(0)
    tensor([2., 2.])
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: float, n: float | str, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prune the slices along ``dim`` of the smallest norm (sum |w|^n)^(1/n); n may be inf, "fro" and "nuc" too.
    Arguments and errors as in `random_structured` (Li et al. 2017, https://arxiv.org/abs/1608.08710, with n = 1).

    >>> import nn
    >>> layer = nn.Linear(2, 2)
    >>> layer.weight = nn.Parameter(autograd.tensor([[1.0, 1.0], [3.0, 0.0]]))
    >>> ln_structured(layer, "weight", 1, n=2, dim=0).weight_mask
    tensor([[0., 0.],
            [1., 1.]])
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune a parameter by a mask of its shape, on top of the one it has.

    >>> import nn
    >>> custom_from_mask(nn.Linear(2, 3), "bias", autograd.tensor([0, 1, 0])).bias_mask
    tensor([0., 1., 0.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: Mapping[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune elements of several parameters as if they were one: ``amount`` of all that are left.

    ``parameters`` are pairs of module and name, ``kwargs`` the arguments of the method, which must be unstructured,
    and ``importance_scores`` stand in for those parameters they are given for. Raises TypeError for another method.

    >>> import nn
    >>> a, b = nn.Linear(2, 2), nn.Linear(2, 4)
    >>> global_unstructured([(a, "weight"), (b, "weight")], L1Unstructured, amount=6)
    >>> int(a.weight_mask.sum() + b.weight_mask.sum())
    6
    """
    pairs = list(parameters)
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured" or not pairs:
        got = f"{pruning_method.__name__}, which is {method.PRUNING_TYPE}" if pairs else "no parameters"
        raise TypeError(f"global_unstructured: parameters and an unstructured method are needed; got {got}")
    given = importance_scores or {}
    scores = [(given[pair] if pair in given else current(*pair)).detach() for pair in pairs]
    masks = [getattr(m, f"{name}_mask", autograd.ones_like(s)) for (m, name), s in zip(pairs, scores)]
    method._tensor_name = "all"
    flat = (autograd.cat([t.reshape(-1) for t in listed]) for listed in (scores, masks))
    mask, start = PruningContainer(method).compute_mask(*flat), 0
    for (module, name), part in zip(pairs, scores):
        custom_from_mask(module, name, mask[start : start + part.numel()].reshape(part.shape))
        start += part.numel()


def remove(module: Module, name: str) -> Module:
    """Make a pruned parameter a plain one again, with zeros where it was masked; returns ``module``. Raises ValueError
    if it is not pruned.

    >>> import nn
    >>> list(remove(l1_unstructured(nn.Linear(2, 3), "weight", 2), "weight").state_dict())
    ['bias', 'weight']
    """
    method = method_of(module, name)
    if method is None:
        raise ValueError(f"remove: the parameter must be pruned; got {name!r} of {type(module).__name__}")
    method.remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether a parameter of this module or of one below is pruned.

    >>> import nn
    >>> is_pruned(nn.Sequential(l1_unstructured(nn.Linear(2, 3), "weight", 2)))
    True
    """
    return any(methods_of(m) for m in module.modules())
