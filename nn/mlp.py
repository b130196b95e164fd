"""A multilayer perceptron in one call."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Real

from . import activation as activations
from . import rectifiers
from .containers import Sequential
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .norm import BatchNorm1d

__all__ = ["MLP"]


class MLP(Sequential):
    """Linear layers of these ``sizes``; after every one but the last a BatchNorm1d if ``batch_norm``, the
    ``activation`` (the name of one, in any case, or what makes its module) and a Dropout if ``dropout`` > 0.

    >>> MLP([64, 32, 10], activation="tanh", dropout=0.5)
    MLP(
      (0): Linear(in_features=64, out_features=32, bias=True)
      (1): Tanh()
      (2): Dropout(p=0.5, inplace=False)
      (3): Linear(in_features=32, out_features=10, bias=True)
    )
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Callable[[], Module] = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        if len(sizes) < 2:
            raise ValueError(f"MLP: sizes must name the inputs and the outputs at least; got {list(sizes)}")
        if not isinstance(dropout, Real):
            raise TypeError(f"MLP: dropout must be a number in [0, 1]; got {dropout!r}; 0 for none")
        make = _find(activation)
        layers: list[Module] = []
        for ins, outs in pairwise(sizes[:-1]):
            layers.append(Linear(ins, outs))
            if batch_norm:
                layers.append(BatchNorm1d(outs))
            layers.append(make())
            if dropout > 0:
                layers.append(Dropout(dropout))
        super().__init__(*layers, Linear(sizes[-2], sizes[-1]))


def _find(activation: str | Callable[[], Module]) -> Callable[[], Module]:
    """What makes the activation: ``"relu"``, ``"leaky_relu"`` and ``"LeakyReLU"`` are all understood."""
    known = {n.lower(): getattr(page, n) for page in (rectifiers, activations) for n in page.__all__}
    if isinstance(activation, str):
        activation = known.get(activation.replace("_", "").lower(), activation)
    if not callable(activation) or isinstance(activation, Module):
        names = ", ".join(known)
        raise ValueError(f"MLP: activation must be one of {names} or a module class; got {activation!r}")
    return activation
