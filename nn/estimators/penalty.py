"""The L2 penalty: alpha / (2 rows) * |weights|^2, of linear layers; their biases go free."""

import numpy as np

import nn
from autograd import Tensor

__all__ = ["Penalty", "linear_layers"]


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """The linear layers, from the input to the output."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


class Penalty:
    """What weights that are large cost; ``alpha`` is shared out among the rows."""

    def __init__(self, network: nn.Module, alpha: float) -> None:
        self.weights = [layer.weight for layer in linear_layers(network)]
        self.alpha = alpha

    def decay(self, x: Tensor, weight: Tensor | None) -> float:
        """The factor of a weight in its gradient, for these rows."""
        return self.alpha / (len(x) if weight is None else weight.sum().item())

    def cost(self, decay: float) -> float:
        """The penalty itself: decay / 2 * |weights|^2."""
        return decay / 2 * sum(float(np.vdot(w.array, w.array)) for w in self.weights)
