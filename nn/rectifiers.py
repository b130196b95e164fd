"""Rectifiers and their relatives as modules: the positive part of each element, and some of the rest; (*) -> (*)."""

from typing import Any

import autograd
from autograd import Tensor

from . import functional as F
from .module import Module
from .parameter import Parameter

__all__ = ["CELU", "ELU", "SELU", "Hardtanh", "LeakyReLU", "PReLU", "RReLU", "ReLU", "ReLU6", "Threshold"]


class Activation(Module):
    """``shown`` names the attributes in `repr`."""

    shown: tuple[str, ...] = ()

    def extra_repr(self) -> str:
        """Its arguments."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)


class InPlace(Activation):
    """``inplace`` writes the result over the input."""

    inplace: bool
    says_so = True

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Its arguments."""
        shown = super().extra_repr()
        return ", ".join(filter(None, [shown, "inplace=True" if self.inplace and self.says_so else ""]))


class ReLU(InPlace):
    """max(x, 0)."""

    def forward(self, input: Tensor) -> Tensor:
        """max(input, 0)."""
        return F.relu(input, self.inplace)


class ReLU6(InPlace):
    """min(max(x, 0), 6)."""

    def forward(self, input: Tensor) -> Tensor:
        """min(max(input, 0), 6)."""
        return F.relu6(input, self.inplace)


class Threshold(InPlace):
    """x where it is above the threshold, else ``value``."""

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """``input``, or ``value`` where it is small."""
        return F.threshold(input, self.threshold, self.value, self.inplace)


class Hardtanh(InPlace):
    """min(max(x, min_val), max_val)."""

    shown = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.min_val >= self.max_val:
            raise ValueError(f"Hardtanh: min_val must be below max_val; got {self.min_val} and {self.max_val}")

    def forward(self, input: Tensor) -> Tensor:
        """``input`` between the bounds."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class LeakyReLU(InPlace):
    """x above 0, negative_slope * x below."""

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """The leaky ReLU of ``input``."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class RReLU(InPlace):
    """LeakyReLU with a slope drawn for each element from U(lower, upper) while training, their mean in evaluation
    (Xu et al. 2015, https://arxiv.org/abs/1505.00853).
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        """The randomised leaky ReLU of ``input``."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Activation):
    """LeakyReLU with a slope that is learned: one, or ``num_parameters`` for the channels, axis 1
    (He et al. 2015, https://arxiv.org/abs/1502.01852).
    """

    shown = ("num_parameters",)
    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(autograd.full((num_parameters,), float(init), device=device, dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        """The leaky ReLU of ``input``."""
        return F.prelu(input, self.weight)


class ELU(InPlace):
    """x above 0, alpha * (exp(x) - 1) below (Clevert et al. 2015, https://arxiv.org/abs/1511.07289)."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """The ELU of ``input``."""
        return F.elu(input, self.alpha, self.inplace)


class CELU(InPlace):
    """x above 0, alpha * (exp(x / alpha) - 1) below (Barron 2017, https://arxiv.org/abs/1704.07483)."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """The CELU of ``input``."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(InPlace):
    """1.0507 * ELU(x, 1.6733) (Klambauer et al. 2017, https://arxiv.org/abs/1706.02515)."""

    def forward(self, input: Tensor) -> Tensor:
        """The SELU of ``input``."""
        return F.selu(input, self.inplace)
