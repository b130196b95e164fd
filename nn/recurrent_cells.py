"""One step of a recurrent network: a sequence of length one."""

import math
from collections.abc import Callable
from typing import Any

import autograd
from autograd import Tensor, gru_sequence, lstm_sequence, rnn_sequence

from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


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

    def _advance(self, sequence: Callable, input: Tensor, *state: Tensor, **options: Any) -> tuple[Tensor, ...]:
        single = input.ndim == 1
        x, *start = (t.unsqueeze(0) if single else t for t in (input, *state))
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        h, *more = sequence(x, *start, *weights, sizes=x.shape[:1], **options)
        new = (h, *more[1:])
        return tuple(t.squeeze(0) for t in new) if single else new

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
        return self._advance(rnn_sequence, input, self._start(input, hx), nonlinearity=self.nonlinearity)[0]

    def extra_repr(self) -> str:
        """Its arguments, those that are not the default."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of long short-term memory, see `autograd.lstm_sequence`; the state is the pair (h, c).

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
        h, c = self._advance(lstm_sequence, input, *(self._start(input, s) for s in given))
        return h, c


class GRUCell(_Cell):
    """One step of a gated recurrent unit, see `autograd.gru_sequence`.

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
        return self._advance(gru_sequence, input, self._start(input, hx))[0]
