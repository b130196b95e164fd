"""Recurrent networks over whole sequences: layers of cells, in one direction or both."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Tensor, gru_sequence, lstm_sequence, rnn_sequence

from . import functional as F
from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN"]

State = tuple[Tensor, ...]


class _Recurrent(Module):
    gates: int
    states = 1  # how many tensors the state is made of
    kinds: tuple[str, ...] = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")  # of parameters, as `run` takes them
    run: Callable[..., State]  # a layer in one direction: (input, *state, *parameters) -> (output, *state)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if hidden_size <= 0 or num_layers <= 0:
            raise ValueError(f"{name}: hidden_size and num_layers must be positive; got {hidden_size} and {num_layers}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout must be a probability; got {dropout}")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(f"{name}: proj_size must be from 0 to hidden_size - 1; got {proj_size}")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        given = proj_size or hidden_size
        self._suffixes: list[tuple[str, ...]] = []
        for layer in range(num_layers):
            width = input_size if layer == 0 else given * (1 + bidirectional)
            ends = (f"_l{layer}", f"_l{layer}_reverse") if bidirectional else (f"_l{layer}",)
            self._suffixes.append(ends)
            for end in ends:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (self.gates * hidden_size, width),
                    "weight_hh": (self.gates * hidden_size, given),
                }
                if bias:
                    shapes |= {"bias_ih": (self.gates * hidden_size,), "bias_hh": (self.gates * hidden_size,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for kind, shape in shapes.items():
                    made = Parameter(autograd.empty(*shape, device=device, dtype=dtype))
                    self.register_parameter(kind + end, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter anew from U(-b, b) with b = 1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing to do on a CPU; accepted for programs that call it."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, a list for each layer and direction."""
        ends = [end for ends in self._suffixes for end in ends]
        return [[p for p in self._weights(end) if p is not None] for end in ends]

    def _weights(self, end: str) -> list[Any]:
        return [getattr(self, kind + end, None) for kind in self.kinds]

    # --- forward ------------------------------------------------------------------------------------------------------

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """(output of the last layer at every step, state after the last step)."""
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        self._check_input(input)
        single = input.ndim == 2
        x = input.unsqueeze(1) if single else input.transpose(0, 1) if self.batch_first else input
        start = self._start(x.shape[1], x.dtype, hx, single)
        output, state = self._layers(x, start, None)
        if single:
            return output.squeeze(1), self._outward(tuple(s.squeeze(1) for s in state))
        return (output.transpose(0, 1) if self.batch_first else output), self._outward(state)

    def _packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        sizes = input.batch_sizes.tolist()
        start = self._start(sizes[0], input.data.dtype, hx, False)
        if input.sorted_indices is not None:
            start = tuple(s[:, input.sorted_indices] for s in start)
        output, state = self._layers(input.data, start, sizes)
        if input.unsorted_indices is not None:
            state = tuple(s[:, input.unsorted_indices] for s in state)
        return input._replace(data=output), self._outward(state)

    def _layers(self, x: Tensor, start: State, sizes: Sequence[int] | None) -> tuple[Tensor, State]:
        """Run every layer; ``start`` and the returned state are (layers * directions, n, size)."""
        finals: list[State] = []
        for layer, ends in enumerate(self._suffixes):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for end in ends:
                first = [s[len(finals)] for s in start]
                reverse = end.endswith("_reverse")
                out, *final = self.run(x, *first, *self._weights(end), sizes=sizes, reverse=reverse)
                outputs.append(out)
                finals.append(tuple(final))
            x = outputs[0] if len(outputs) == 1 else autograd.cat(outputs, dim=-1)
        if len(finals) == 1:
            return x, tuple(s.unsqueeze(0) for s in finals[0])
        return x, tuple(autograd.stack(parts) for parts in zip(*finals))

    def _outward(self, state: State) -> Any:
        return state[0] if self.states == 1 else state

    # --- what came ----------------------------------------------------------------------------------------------------

    def _check_input(self, input: Tensor) -> None:
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            order = "n, time" if self.batch_first else "time, n"
            rule = f"the input must be ({order}, {self.input_size}), got {tuple(input.shape)}"
            raise LayerError(self, f"{type(self).__name__}(input_size={self.input_size})", rule)
        if not input.shape[-2 if input.ndim == 2 else 1 if self.batch_first else 0]:
            raise LayerError(self, type(self).__name__, f"a sequence has at least one step, got {tuple(input.shape)}")

    def _start(self, batch: int, dtype: Any, hx: Any, single: bool) -> State:
        count = self.num_layers * (1 + self.bidirectional)
        widths = (self.proj_size or self.hidden_size, self.hidden_size)[: self.states]
        if hx is None:
            return tuple(autograd.zeros(count, batch, width, dtype=dtype) for width in widths)
        given = (hx,) if self.states == 1 else tuple(hx)
        for name, state, width in zip(("hidden", "cell"), given, widths):
            wanted = (count, width) if single else (count, batch, width)
            if tuple(state.shape) != wanted:
                rule = f"the {name} state must be {wanted}, got {tuple(state.shape)}"
                raise LayerError(self, type(self).__name__, rule)
        return tuple(s.unsqueeze(1) for s in given) if single else given

    def extra_repr(self) -> str:
        """Its arguments, those that are not the default."""
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False,
        }  # fmt: skip
        return text + "".join(
            f", {name}={getattr(self, name)}" for name, default in defaults.items() if getattr(self, name) != default
        )


class RNN(_Recurrent):
    """Elman's network: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu.

    (time, n, input_size), or (n, time, input_size) with ``batch_first``, or without n -> the outputs of the last layer,
    (time, n, directions * hidden_size), and the last states, (layers * directions, n, hidden_size). A `PackedSequence`
    comes back as one. ``dropout`` acts between layers.

    >>> import nn
    >>> output, h = nn.RNN(3, 4, num_layers=2)(autograd.zeros(5, 2, 3))
    >>> output.shape, h.shape
    ((5, 2, 4), (2, 2, 4))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu'; got {nonlinearity!r}")
        self_arguments = (input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(*self_arguments, 0, device, dtype)
        self.nonlinearity = nonlinearity

    def run(self, *args: Any, **options: Any) -> State:
        return rnn_sequence(*args, nonlinearity=self.nonlinearity, **options)


class LSTM(_Recurrent):
    """Long short-term memory, see `autograd.lstm_sequence`; shapes as in `RNN`, the state is the pair (h, c).

    With ``proj_size`` the hidden state is projected to that size (Sak et al. 2014, https://arxiv.org/abs/1402.1128).

    >>> import nn
    >>> output, (h, c) = nn.LSTM(3, 4, bidirectional=True)(autograd.zeros(5, 2, 3))
    >>> output.shape, h.shape, c.shape
    ((5, 2, 8), (2, 2, 4), (2, 2, 4))
    """

    gates = 4
    states = 2
    kinds = (*_Recurrent.kinds, "weight_hr")
    run = staticmethod(lstm_sequence)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self_arguments = (input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(*self_arguments, proj_size, device, dtype)


class GRU(_Recurrent):
    """Gated recurrent units, see `autograd.gru_sequence`; shapes as in `RNN`.

    >>> import nn
    >>> output, h = nn.GRU(3, 4, batch_first=True)(autograd.zeros(2, 5, 3))
    >>> output.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    gates = 3
    run = staticmethod(gru_sequence)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self_arguments = (input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(*self_arguments, 0, device, dtype)
