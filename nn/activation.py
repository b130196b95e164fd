"""Activations as modules, each a function of every element; (*) -> (*). The rectifiers have a page of their own."""

import autograd
from autograd import Tensor, sigmoid, tanh

from . import functional as F
from .module import Module
from .rectifiers import Activation, InPlace, ReLU, ReLU6

__all__ = [
    "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "LogSigmoid", "Mish", "SiLU", "Sigmoid", "Softplus",
    "Softshrink", "Softsign", "Step", "Tanh", "Tanhshrink",
]  # fmt: skip


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


class Hardsigmoid(InPlace):
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


class Softplus(Activation):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold."""

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """The softplus of ``input``."""
        return F.softplus(input, self.beta, self.threshold)


class GELU(Activation):
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


class SiLU(InPlace):
    """x * sigmoid(x), also called swish (Elfwing et al. 2017, https://arxiv.org/abs/1702.03118)."""

    def forward(self, input: Tensor) -> Tensor:
        """The SiLU of ``input``."""
        return F.silu(input, self.inplace)


class Mish(InPlace):
    """x * tanh(softplus(x)) (Misra 2019, https://arxiv.org/abs/1908.08681)."""

    def forward(self, input: Tensor) -> Tensor:
        """The Mish of ``input``."""
        return F.mish(input, self.inplace)


class Hardswish(InPlace):
    """x * hardsigmoid(x) (Howard et al. 2019, https://arxiv.org/abs/1905.02244)."""

    says_so = False

    def forward(self, input: Tensor) -> Tensor:
        """The hard swish of ``input``."""
        return F.hardswish(input, self.inplace)


class GLU(Activation):
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


class Step(Activation):
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


_OPERATIONS: dict[type, str] = {
    ReLU: "relu", ReLU6: "relu6", Sigmoid: "sigmoid", Tanh: "tanh", SiLU: "silu", Mish: "mish", Softsign: "softsign",
    Hardswish: "hardswish",
}  # fmt: skip


def activation_of(module: Module) -> str | None:
    """The name of the elementwise operation that a module is, unless hooks want to see it."""
    if module._hooks is not None:
        return None
    if type(module) is GELU:
        return "gelu_erf" if module.approximate == "none" else "gelu_tanh"
    return _OPERATIONS.get(type(module))
