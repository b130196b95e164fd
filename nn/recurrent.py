"""Recurrent networks over whole sequences: layers of cells, in one direction or both."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Tensor, linear

from . import functional as F
from . import init
from .errors import LayerError
from .module import Module
from .parameter import Parameter
from .recurrent_cells import Step, gru_step, lstm_step, rnn_step
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN"]


def _run(step: Callable, gates: Sequence[Tensor], start: Step, backward: bool) -> tuple[list[Tensor], Step]:
    """The outputs of every step, and the state each sequence ends in.

    The batch may shrink from step to step, when sorted sequences end; walked backward it grows.
    """
    state = tuple(s[: gates[-1 if backward else 0].shape[0]] for s in start)
    outputs: list[Tensor] = []
    ended: list[Step] = []
    for x in reversed(gates) if backward else gates:
        have, want = state[0].shape[0], x.shape[0]
        if want < have:
            ended.append(tuple(s[want:] for s in state))
            state = tuple(s[:want] for s in state)
        elif want > have:
            state = tuple(autograd.cat([s, first[have:want]]) for s, first in zip(state, start))
        state = step(x, state)
        outputs.append(state[0])
    if ended:
        state = tuple(autograd.cat(parts) for parts in zip(state, *reversed(ended)))
    return (outputs[::-1] if backward else outputs), state


class _Recurrent(Module):
    gates: int
    states = 1  # how many tensors the state is made of
    step: Callable

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
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        ends = [end for ends in self._suffixes for end in ends]
        return [[getattr(self, kind + end) for kind in kinds if hasattr(self, kind + end)] for end in ends]

    # --- forward ------------------------------------------------------------------------------------------------------

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """(output of the last layer at every step, state after the last step)."""
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        self._check_input(input)
        single = input.ndim == 2
        x = input.unsqueeze(1) if single else input.transpose(0, 1) if self.batch_first else input
        start = self._start(x.shape[1], x.dtype, hx, single)
        steps, state = self._layers([x[t] for t in range(x.shape[0])], start)
        output = autograd.stack(steps)
        if single:
            return output.squeeze(1), self._outward(tuple(s.squeeze(1) for s in state))
        return (output.transpose(0, 1) if self.batch_first else output), self._outward(state)

    def _packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        sizes = input.batch_sizes.tolist()
        start = self._start(sizes[0], input.data.dtype, hx, False)
        if input.sorted_indices is not None:
            start = tuple(s[:, input.sorted_indices] for s in start)
        ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
        steps, state = self._layers([input.data[end - n : end] for n, end in zip(sizes, ends)], start)
        if input.unsorted_indices is not None:
            state = tuple(s[:, input.unsorted_indices] for s in state)
        return input._replace(data=autograd.cat(steps)), self._outward(state)

    def _layers(self, steps: list[Tensor], start: Step) -> tuple[list[Tensor], Step]:
        """Run every layer; ``start`` and the returned state are (layers * directions, n, size)."""
        finals: list[Step] = []
        for layer, ends in enumerate(self._suffixes):
            if layer and self.dropout and self.training:
                steps = list(self._split(F.dropout(autograd.cat(steps), self.dropout), steps))
            both = []
            for end in ends:
                first = tuple(s[len(finals)] for s in start)
                # What the input contributes is one product for all steps.
                bias = getattr(self, "bias_ih" + end, None)
                gates = self._split(linear(autograd.cat(steps), getattr(self, "weight_ih" + end), bias), steps)
                outputs, final = _run(self._step(end), list(gates), first, end.endswith("_reverse"))
                both.append(outputs)
                finals.append(final)
            steps = both[0] if len(both) == 1 else [autograd.cat(pair, dim=-1) for pair in zip(*both)]
        return steps, tuple(autograd.stack(parts) for parts in zip(*finals))

    @staticmethod
    def _split(joined: Tensor, like: Sequence[Tensor]) -> Sequence[Tensor]:
        return autograd.split(joined, [x.shape[0] for x in like])

    def _step(self, end: str) -> Callable:
        weight, bias = getattr(self, "weight_hh" + end), getattr(self, "bias_hh" + end, None)
        more = self._more(end)
        return lambda gates, state: type(self).step(gates, state, weight, bias, *more)

    def _more(self, end: str) -> tuple:
        return ()

    def _outward(self, state: Step) -> Any:
        return state[0] if self.states == 1 else state

    # --- what came ----------------------------------------------------------------------------------------------------

    def _check_input(self, input: Tensor) -> None:
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            order = "n, time" if self.batch_first else "time, n"
            rule = f"the input must be ({order}, {self.input_size}), got {tuple(input.shape)}"
            raise LayerError(self, f"{type(self).__name__}(input_size={self.input_size})", rule)
        if not input.shape[-2 if input.ndim == 2 else 1 if self.batch_first else 0]:
            raise LayerError(self, type(self).__name__, f"a sequence has at least one step, got {tuple(input.shape)}")

    def _start(self, batch: int, dtype: Any, hx: Any, single: bool) -> Step:
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
    step = staticmethod(rnn_step)

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

    def _more(self, end: str) -> tuple:
        return (self.nonlinearity,)


class LSTM(_Recurrent):
    """Long short-term memory, see `recurrent_cells.lstm_step`; shapes as in `RNN`, the state is the pair (h, c).

    With ``proj_size`` the hidden state is projected to that size (Sak et al. 2014, https://arxiv.org/abs/1402.1128).

    >>> import nn
    >>> output, (h, c) = nn.LSTM(3, 4, bidirectional=True)(autograd.zeros(5, 2, 3))
    >>> output.shape, h.shape, c.shape
    ((5, 2, 8), (2, 2, 4), (2, 2, 4))
    """

    gates = 4
    states = 2
    step = staticmethod(lstm_step)

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

    def _more(self, end: str) -> tuple:
        return (getattr(self, "weight_hr" + end),) if self.proj_size else ()


class GRU(_Recurrent):
    """Gated recurrent units, see `recurrent_cells.gru_step`; shapes as in `RNN`.

    >>> import nn
    >>> output, h = nn.GRU(3, 4, batch_first=True)(autograd.zeros(2, 5, 3))
    >>> output.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    gates = 3
    step = staticmethod(gru_step)

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
