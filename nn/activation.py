"""Activations as modules, each a function of every element; (*) -> (*)."""

from typing import Any

import autograd
from autograd import Tensor, sigmoid, tanh

from . import functional as F
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Step",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]  # fmt: skip


class _Activation(Module):
    """``shown`` names the attributes in `repr`."""

    shown: tuple[str, ...] = ()

    def extra_repr(self) -> str:
        """Its arguments."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)


class _InPlace(_Activation):
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


class ReLU(_InPlace):
    """max(x, 0)."""

    def forward(self, input: Tensor) -> Tensor:
        """max(input, 0)."""
        return F.relu(input, self.inplace)


class ReLU6(_InPlace):
    """min(max(x, 0), 6)."""

    def forward(self, input: Tensor) -> Tensor:
        """min(max(input, 0), 6)."""
        return F.relu6(input, self.inplace)


class Threshold(_InPlace):
    """x where it is above the threshold, else ``value``."""

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """``input``, or ``value`` where it is small."""
        return F.threshold(input, self.threshold, self.value, self.inplace)


class Hardtanh(_InPlace):
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


class LeakyReLU(_InPlace):
    """x above 0, negative_slope * x below."""

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """The leaky ReLU of ``input``."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class RReLU(_InPlace):
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


class PReLU(_Activation):
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


class ELU(_InPlace):
    """x above 0, alpha * (exp(x) - 1) below (Clevert et al. 2015, https://arxiv.org/abs/1511.07289)."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """The ELU of ``input``."""
        return F.elu(input, self.alpha, self.inplace)


class CELU(_InPlace):
    """x above 0, alpha * (exp(x / alpha) - 1) below (Barron 2017, https://arxiv.org/abs/1704.07483)."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """The CELU of ``input``."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(_InPlace):
    """1.0507 * ELU(x, 1.6733) (Klambauer et al. 2017, https://arxiv.org/abs/1706.02515)."""

    def forward(self, input: Tensor) -> Tensor:
        """The SELU of ``input``."""
        return F.selu(input, self.inplace)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        """The sigmoid of ``input``."""
        return sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """The tanh of ``input``."""
        return tanh(input)


class Hardsigmoid(_InPlace):
    """min(max(x + 3, 0), 6) / 6."""

    says_so = False

    def forward(self, input: Tensor) -> Tensor:
        """The hard sigmoid of ``input``."""
        return F.hardsigmoid(input, self.inplace)


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x)))."""

    def forward(self, input: Tensor) -> Tensor:
        """The logarithm of the sigmoid of ``input``."""
        return autograd.logsigmoid(input)


class Softplus(_Activation):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold."""

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """The softplus of ``input``."""
        return F.softplus(input, self.beta, self.threshold)


class GELU(_Activation):
    """x * P(X <= x) for a standard normal X; ``approximate="tanh"`` takes the approximation by tanh
    (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415).
    """

    shown = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """The GELU of ``input``."""
        return F.gelu(input, self.approximate)


class SiLU(_InPlace):
    """x * sigmoid(x), also called swish (Elfwing et al. 2017, https://arxiv.org/abs/1702.03118)."""

    def forward(self, input: Tensor) -> Tensor:
        """The SiLU of ``input``."""
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """x * tanh(softplus(x)) (Misra 2019, https://arxiv.org/abs/1908.08681)."""

    def forward(self, input: Tensor) -> Tensor:
        """The Mish of ``input``."""
        return F.mish(input, self.inplace)


class Hardswish(_InPlace):
    """x * hardsigmoid(x) (Howard et al. 2019, https://arxiv.org/abs/1905.02244)."""

    says_so = False

    def forward(self, input: Tensor) -> Tensor:
        """The hard swish of ``input``."""
        return F.hardswish(input, self.inplace)


class GLU(_Activation):
    """a * sigmoid(b), a and b the halves of x along ``dim``; (*, 2n, *) -> (*, n, *)
    (Dauphin et al. 2016, https://arxiv.org/abs/1612.08083).
    """

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The first half of ``input``, gated by the second."""
        return F.glu(input, self.dim)


class _Shrink(Module):
    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """Its argument."""
        return str(self.lambd)


class Hardshrink(_Shrink):
    """0 where abs(x) <= lambd, else x."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` without its small values."""
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """x moved towards 0 by lambd, and 0 where abs(x) <= lambd."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` moved towards 0."""
        return F.softshrink(input, self.lambd)


class Softsign(Module):
    """x / (1 + abs(x))."""

    def forward(self, input: Tensor) -> Tensor:
        """The softsign of ``input``."""
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` minus its tanh."""
        return F.tanhshrink(input)


class Step(_Activation):
    """1 where x reaches the threshold, else 0: the binary threshold unit (McCulloch and Pitts 1943). Gradient 0.

    >>> Step()(autograd.tensor([-0.5, 0.0, 2.0]))
    tensor([0., 1., 1.])
    """

    shown = ("threshold",)

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Which elements of ``input`` reach the threshold."""
        return F.step(input, self.threshold)
