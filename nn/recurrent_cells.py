"""One step of a recurrent network."""

import math
from typing import Any

import autograd
from autograd import Tensor, linear

from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "gru_step", "lstm_step", "rnn_step"]

Step = tuple[Tensor, ...]


def rnn_step(gates: Tensor, state: Step, weight: Tensor, bias: Tensor | None, nonlinearity: str) -> Step:
    """h' = tanh(gates + h @ weight.T + bias), or relu; ``gates`` is what the input contributes."""
    total = gates + linear(state[0], weight, bias)
    return (total.tanh() if nonlinearity == "tanh" else total.relu(),)


def lstm_step(
    gates: Tensor, state: Step, weight: Tensor, bias: Tensor | None, projection: Tensor | None = None
) -> Step:
    """Hochreiter and Schmidhuber 1997, with forget gates (Gers, Schmidhuber and Cummins 2000):
    i, f, o = sigmoid(...), g = tanh(...), c' = f c + i g, h' = o tanh(c').
    """
    h, c = state
    total = gates + linear(h, weight, bias)
    n = c.shape[-1]
    i, f, g, o = (total[..., k * n : (k + 1) * n] for k in range(4))
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h if projection is None else linear(h, projection)), c


def gru_step(gates: Tensor, state: Step, weight: Tensor, bias: Tensor | None) -> Step:
    """Cho et al. 2014 (https://arxiv.org/abs/1406.1078): r, z = sigmoid(...), n = tanh(x part + r * (h part)),
    h' = (1 - z) n + z h.
    """
    (h,) = state
    recurrent = linear(h, weight, bias)
    n = h.shape[-1]
    reset = (gates[..., :n] + recurrent[..., :n]).sigmoid()
    update = (gates[..., n : 2 * n] + recurrent[..., n : 2 * n]).sigmoid()
    new = (gates[..., 2 * n :] + reset * recurrent[..., 2 * n :]).tanh()
    return (new + update * (h - new),)


class _Cell(Module):
    gates: int
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool, device: Any, dtype: Any) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(autograd.empty(rows, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(autograd.empty(rows, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            made = Parameter(autograd.empty(rows, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter anew from U(-b, b) with b = 1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _start(self, input: Tensor, state: Tensor | None) -> Tensor:
        name = f"{type(self).__name__}(input_size={self.input_size}, hidden_size={self.hidden_size})"
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise LayerError(self, name, f"the input must be (n, {self.input_size}), got {tuple(input.shape)}")
        wanted = (*input.shape[:-1], self.hidden_size)
        if state is None:
            return autograd.zeros(wanted, dtype=input.dtype)
        if tuple(state.shape) != wanted:
            raise LayerError(self, name, f"the hidden state must be {wanted}, got {tuple(state.shape)}")
        return state

    def extra_repr(self) -> str:
        """Its arguments, those that are not the default."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu; (n, input_size), (n, hidden_size) -> (n, hidden_size).

    >>> import nn
    >>> nn.RNNCell(3, 4)(autograd.zeros(2, 3)).shape
    (2, 4)
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity must be 'tanh' or 'relu'; got {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next hidden state; zeros stand for one that is left out."""
        h = self._start(input, hx)
        gates = linear(input, self.weight_ih, self.bias_ih)
        return rnn_step(gates, (h,), self.weight_hh, self.bias_hh, self.nonlinearity)[0]

    def extra_repr(self) -> str:
        """Its arguments, those that are not the default."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of long short-term memory, see `lstm_step`; the state is the pair (h, c).

    >>> import nn
    >>> h, c = nn.LSTMCell(3, 4)(autograd.zeros(2, 3))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """The next (h, c); zeros stand for a state that is left out."""
        given = hx if hx is not None else (None, None)
        h, c = (self._start(input, s) for s in given)
        gates = linear(input, self.weight_ih, self.bias_ih)
        new_h, new_c = lstm_step(gates, (h, c), self.weight_hh, self.bias_hh)
        return new_h, new_c


class GRUCell(_Cell):
    """One step of a gated recurrent unit, see `gru_step`.

    >>> import nn
    >>> nn.GRUCell(3, 4)(autograd.zeros(2, 3)).shape
    (2, 4)
    """

    gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next hidden state; zeros stand for one that is left out."""
        h = self._start(input, hx)
        return gru_step(linear(input, self.weight_ih, self.bias_ih), (h,), self.weight_hh, self.bias_hh)[0]
