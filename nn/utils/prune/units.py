"""Whole units masked for what they do on data, or for doing what another unit does.

A unit is an output of a Linear or a convolution: a row of its weight, an element of its bias, and a channel of the norm
that follows, all of which are masked as `custom_from_mask` does it.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, no_grad

from ...linear import Linear
from ...module import Module
from .base import check_amount, count_of
from .chain import ELEMENTWISE, LAYERS, NORMS, Step, kept_units, steps, stretches
from .methods import custom_from_mask

__all__ = ["activation_structured", "redundancy_structured"]

_CRITERIA = ("magnitude", "zeros")


def activation_structured(
    model: Module,
    data: Iterable,
    amount: float,
    criterion: str = "magnitude",
    layers: Sequence[Module] | None = None,
) -> Module:
    """Mask in every layer the units whose activations matter least on ``data``: those of the smallest mean |a|
    (``criterion="magnitude"``), or those most often zero ("zeros", the average percentage of zeros).

    ``model`` is a Sequential, in which Sequentials may stand; the activation of a layer is what its norm and its
    elementwise functions make of its output, in evaluation. ``data`` gives batches, of which the first element is the
    input if they are tuples or lists. ``amount`` is a count or a fraction of the units left in each of the ``layers``,
    by default all but the last, whose units are the outputs. Returns ``model``. Raises ValueError for another model or
    criterion, without data, and for a layer that is not in the model (Hu et al. 2016, https://arxiv.org/abs/1607.03250).

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> model[0].weight = nn.Parameter(autograd.tensor([[1.0], [-1.0], [3.0]]))
    >>> model[0].bias = nn.Parameter(autograd.zeros(3))
    >>> _ = activation_structured(model, [autograd.tensor([[1.0], [2.0]])], amount=1)
    >>> model[0].bias_mask
    tensor([1., 0., 1.])
    """
    op = "activation_structured"
    if criterion not in _CRITERIA:
        raise ValueError(f"{op}: criterion must be one of {', '.join(_CRITERIA)}; got {criterion!r}")
    check_amount(op, amount)
    chosen = _chosen(op, model, layers)
    seen = _watch(op, model, chosen, data, lambda units: _Activity(units))
    for (layer, norms, _), activity in zip(chosen, seen):
        score = activity.magnitude if criterion == "magnitude" else -activity.zeros
        left = np.flatnonzero(kept_units(layer))
        lowest = left[np.argsort(score[left], kind="stable")[: count_of(op, amount, len(left))]]
        _mask(layer, norms, lowest)
    return model


def redundancy_structured(
    model: Module, amount: float, data: Iterable | None = None, layers: Sequence[Module] | None = None
) -> Module:
    """Mask in every layer the units that most resemble another one that stays.

    Without ``data`` two units resemble each other by the cosine of their incoming weights with bias, (w_i . w_j) /
    (|w_i| |w_j|): a layer above can do without one of two that are equal up to a positive factor. With data by the
    absolute correlation of their activations, |cov(a_i, a_j)| / (sd(a_i) sd(a_j)); one that never varies resembles the
    bias above, with correlation 1. Pair after pair, the closest first, the unit of the smaller norm, or deviation,
    goes. Other arguments and errors as in `activation_structured` (Srinivas and Babu 2015, https://arxiv.org/abs/1507.06149).

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1))
    >>> model[0].weight = nn.Parameter(autograd.tensor([[1.0, 2.0], [2.0, -1.0], [2.0, 4.0]]))
    >>> redundancy_structured(model, amount=1)[0].weight_mask[:, 0]
    tensor([0., 1., 1.])
    """
    op = "redundancy_structured"
    check_amount(op, amount)
    chosen = _chosen(op, model, layers)
    if data is None:
        likeness = [_cosines(layer) for layer, _, _ in chosen]
    else:
        likeness = [joint.likeness() for joint in _watch(op, model, chosen, data, lambda units: _Joint(units))]
    for (layer, norms, _), (alike, size) in zip(chosen, likeness):
        left = np.flatnonzero(kept_units(layer))
        count = count_of(op, amount, len(left))
        _mask(layer, norms, _closest(alike, size, left.tolist(), count))
    return model


# --- which units ------------------------------------------------------------------------------------------------------


def _chosen(op: str, model: Module, layers: Sequence[Module] | None) -> list[tuple[Any, list, Step]]:
    """Each layer with the norms that follow it and the place whose output is its activation."""
    found = []
    all_of_them = stretches(op, model)
    known = [stretch.layer.module for stretch in all_of_them]
    for layer in layers or ():
        if not any(layer is module for module in known):
            raise ValueError(
                f"{op}: layers must be {', '.join(k.__name__ for k in LAYERS)} of the model; got {type(layer).__name__}"
            )
    for stretch in all_of_them:
        layer = stretch.layer.module
        wanted = any(layer is one for one in layers) if layers is not None else stretch is not all_of_them[-1]
        if not wanted:
            continue
        norms = []
        measured = stretch.layer
        for step in stretch.between:
            if type(step.module) not in (*NORMS, *ELEMENTWISE):
                break
            if type(step.module) in NORMS:
                norms.append(step.module)
            measured = step
        found.append((layer, norms, measured))
    return found


def _closest(alike: np.ndarray, size: np.ndarray, left: list[int], count: int) -> list[int]:
    """The smaller one of the closest pair of those left, ``count`` times."""
    gone: list[int] = []
    alike = alike.copy()
    np.fill_diagonal(alike, -np.inf)
    while len(gone) < count and len(left) > 1:
        among = alike[np.ix_(left, left)]
        i, j = (left[k] for k in np.unravel_index(np.argmax(among), among.shape))
        gone.append(i if size[i] <= size[j] else j)
        left.remove(gone[-1])
    return gone + left[: count - len(gone)]


def _cosines(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    rows = _array(layer.weight).reshape(layer.weight.shape[0], -1)
    if layer.bias is not None:
        rows = np.concatenate([rows, _array(layer.bias)[:, None]], axis=1)
    norms = np.linalg.norm(rows, axis=1)
    unit = rows / np.maximum(norms, np.finfo(np.float64).tiny)[:, None]
    return unit @ unit.T, norms


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy().astype(np.float64)


@no_grad()
def _mask(layer: Any, norms: list, units: Any) -> None:
    for module in (layer, *norms):
        for name in ("weight", "bias"):
            held = getattr(module, name)
            if held is not None:
                mask = np.ones(held.shape)
                mask[units] = 0
                custom_from_mask(module, name, autograd.from_numpy(mask))


# --- what they do -----------------------------------------------------------------------------------------------------


class _Activity:
    """Mean of |a| and part of zeros of each unit, over what was added."""

    def __init__(self, units: int) -> None:
        self.count = 0
        self._absolute, self._zeros = np.zeros(units), np.zeros(units)

    def add(self, rows: np.ndarray) -> None:
        """Activations (n, units)."""
        self.count += len(rows)
        self._absolute += np.abs(rows).sum(0)
        self._zeros += (rows == 0).sum(0)

    @property
    def magnitude(self) -> np.ndarray:
        return self._absolute / self.count

    @property
    def zeros(self) -> np.ndarray:
        return self._zeros / self.count


class _Joint:
    """Correlations of units over what was added, by sums of products around the first row, which keeps them small."""

    def __init__(self, units: int) -> None:
        self.count = 0
        self._origin: np.ndarray | None = None
        self._sum, self._products = np.zeros(units), np.zeros((units, units))

    def add(self, rows: np.ndarray) -> None:
        """Activations (n, units)."""
        if self._origin is None:
            self._origin = rows[0].copy()
        rows = rows - self._origin
        self.count += len(rows)
        self._sum += rows.sum(0)
        self._products += rows.T @ rows

    def likeness(self) -> tuple[np.ndarray, np.ndarray]:
        """Absolute correlations, and the deviations."""
        mean = self._sum / self.count
        covariance = self._products / self.count - np.outer(mean, mean)
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
        scale = np.outer(deviation, deviation)
        return np.where(scale > 0, np.abs(covariance) / np.where(scale > 0, scale, 1), 1.0), deviation


@no_grad()
def _watch(op: str, model: Module, chosen: list, data: Iterable, make: Callable[[int], Any]) -> list[Any]:
    """Run the model over the data in evaluation, adding up the activations of each chosen layer."""
    seen = [make(layer.weight.shape[0]) for layer, _, _ in chosen]

    chain = list(steps(model))

    def hook(layer: Any, place: Step, sums: Any) -> Callable:
        same = [step.path for step in chain if step.module is place.module]
        calls = itertools.count()  # a module in several places is called once for each, in their order

        def add(module: Module, args: Any, output: Tensor) -> None:
            if same[next(calls) % len(same)] == place.path:
                axis = -1 if isinstance(layer, Linear) else output.ndim - layer.rank - 1
                sums.add(_array(output.movedim(axis, -1)).reshape(-1, layer.weight.shape[0]))

        return add

    modes = [(module, module.training) for module in model.modules()]
    handles = [
        place.module.register_forward_hook(hook(layer, place, sums)) for (layer, _, place), sums in zip(chosen, seen)
    ]
    model.eval()
    try:
        for batch in data:
            model(batch[0] if isinstance(batch, (tuple, list)) else batch)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode
    if any(not sums.count for sums in seen):
        raise ValueError(f"{op}: one batch of data at least is needed; got none")
    return seen
