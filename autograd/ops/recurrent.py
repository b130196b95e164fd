"""Recurrent networks over whole sequences: each layer one operation, a kernel forward and a kernel back.

`recurrent_steps` states them step by step: gradients of gradients follow from that, and the projection of an LSTM.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import float16, float32
from ..kernels import recurrent as kernels
from ..kernels.memory import at_a_line
from ..kernels.products import matmul
from ..tensor import Tensor
from .convert import cast
from .dims import remembered
from .linear import linear
from .op import Kept, op
from .recurrent_steps import gru_step, lstm_step, rnn_step, walk

__all__ = ["gru_sequence", "lstm_sequence", "rnn_sequence"]

State = tuple[Any, ...]


# --- what the kernels need -------------------------------------------------------------------------------------------


def _rows(x: np.ndarray) -> np.ndarray:
    """The steps one after the other; (time, n, k) -> (time * n, k)."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


@remembered
def _spans(rows: int, batch: int, sizes: tuple[int, ...] | None, reverse: bool) -> np.ndarray:
    """From which row to which each step goes, in the order in which they are walked; -> (time, 2)."""
    counts = np.full(rows // max(1, batch), batch) if sizes is None else np.array(sizes)
    spans = np.empty((counts.size, 2), np.int64)
    np.cumsum(counts, out=spans[:, 1])
    np.subtract(spans[:, 1], counts, out=spans[:, 0])
    return np.ascontiguousarray(spans[::-1]) if reverse else spans


def _for_steps(weight: np.ndarray, rows: int) -> np.ndarray:
    """The weight as a step's product reads it fastest: for many rows a copy that begins at a line of the cache."""
    if rows < 64:
        return weight
    copy = at_a_line(weight.nbytes).view(weight.dtype).reshape(weight.shape)
    copy[...] = weight
    return copy


def _like(h: np.ndarray, rows: int, count: int) -> list[np.ndarray]:
    return [np.empty((rows, h.shape[1]), h.dtype) for _ in range(count)]


def _arriving(g: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """The gradient of a state, or zeros, as an array to write over."""
    return np.zeros(like.shape, like.dtype) if g is None else np.array(g, order="C")


def _arriving_rows(g: np.ndarray | None, h: np.ndarray, rows: int) -> np.ndarray:
    return np.zeros((rows, h.shape[1]), h.dtype) if g is None else _rows(g)


def _before_gates(
    needs: Sequence[bool],
    x: np.ndarray,
    dgates: np.ndarray,
    rows: np.ndarray,
    dhidden: np.ndarray,
    before: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray],
) -> tuple:
    """The gradients of the input and of both weights, from those of what input and state contribute to the gates."""
    dx = matmul(dgates, weights[0]).reshape(x.shape) if needs[0] else None
    dweights = [matmul(dgates.T, rows), matmul(dhidden.T, before)] if any(needs[1:]) else [None, None]
    return dx, *dweights


# --- Elman's network -------------------------------------------------------------------------------------------------


@op()
def _rnn(x, h, weight_ih, weight_hh, bias_ih, bias_hh, *, nonlinearity, sizes, reverse):
    rows = _rows(x)
    count, (batch, size) = rows.shape[0], h.shape
    out = matmul(rows, weight_ih.T)
    (before,), h = _like(h, count, 1), h.copy()
    spans, weight = _spans(count, batch, sizes, reverse), _for_steps(weight_hh.T, count)
    kernels.rnn(out, spans, weight, h, bias_ih + bias_hh, before, nonlinearity == "relu")
    return Kept((out.reshape(*x.shape[:-1], size), h), (rows, before))


@_rnn.by_hand
def _rnn_backward(g, x, h, weight_ih, weight_hh, out, kept, needs, nonlinearity, sizes, reverse):
    rows, before = kept
    count, (batch, size) = rows.shape[0], h.shape
    dout, dh = _arriving_rows(g[0], h, count), _arriving(g[1], h)
    dgates, dbias = np.empty(before.shape, h.dtype), np.empty(size, h.dtype)
    spans, weight = _spans(count, batch, sizes, reverse), _for_steps(weight_hh, count)
    kernels.rnn_backward(dout, spans, weight, dh, _rows(out[0]), dgates, dbias, nonlinearity == "relu")
    dx, *dweights = _before_gates((needs[0], *needs[2:4]), x, dgates, rows, dgates, before, (weight_ih, weight_hh))
    return [dx, dh, *dweights, dbias, dbias.copy()]


@_rnn.by_ops
def _rnn_steps(x, h, weight_ih, weight_hh, bias_ih, bias_hh, *, nonlinearity, sizes, reverse):
    step = functools.partial(rnn_step, weight=weight_hh, bias=bias_hh, nonlinearity=nonlinearity)
    return walk(step, linear(x, weight_ih, bias_ih), (h,), sizes, reverse)


# --- long short-term memory ------------------------------------------------------------------------------------------


@op()
def _lstm(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, *, sizes, reverse):
    rows = _rows(x)
    count, (batch, size) = rows.shape[0], h.shape
    gates, bias = matmul(rows, weight_ih.T).reshape(count, 4, size), (bias_ih + bias_hh).reshape(4, size)
    before_h, before_c, squashed, out = _like(h, count, 4)
    h, c = h.copy(), c.copy()
    spans, weight = _spans(count, batch, sizes, reverse), _for_steps(weight_hh.T, count)
    kernels.lstm(gates, spans, weight, h, c, bias, before_h, before_c, squashed, out)
    return Kept((out.reshape(*x.shape[:-1], size), h, c), (rows, gates, before_h, before_c, squashed))


@_lstm.by_hand
def _lstm_backward(g, x, h, weight_ih, weight_hh, kept, needs, sizes, reverse):
    rows, gates, before_h, before_c, squashed = kept
    count, (batch, size) = rows.shape[0], h.shape
    dout, dh, dc = _arriving_rows(g[0], h, count), _arriving(g[1], h), _arriving(g[2], h)
    dgates, dbias = np.empty(gates.shape, h.dtype), np.empty(4 * size, h.dtype)
    spans, weight = _spans(count, batch, sizes, reverse), _for_steps(weight_hh, count)
    kernels.lstm_backward(dout, spans, weight, dh, dc, gates, before_c, squashed, dgates, dbias)
    flat = dgates.reshape(count, 4 * size)
    dx, *dweights = _before_gates((needs[0], *needs[3:5]), x, flat, rows, flat, before_h, (weight_ih, weight_hh))
    return [dx, dh, dc, *dweights, dbias, dbias.copy()]


@_lstm.by_ops
def _lstm_steps(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr=None, *, sizes, reverse):
    step = functools.partial(lstm_step, weight=weight_hh, bias=bias_hh, projection=weight_hr)
    return walk(step, linear(x, weight_ih, bias_ih), (h, c), sizes, reverse)


# --- gated recurrent units -------------------------------------------------------------------------------------------


@op()
def _gru(x, h, weight_ih, weight_hh, bias_ih, bias_hh, *, sizes, reverse):
    rows = _rows(x)
    count, (batch, size) = rows.shape[0], h.shape
    gates = matmul(rows, weight_ih.T).reshape(count, 3, size)
    biases = [np.ascontiguousarray(b).reshape(3, size) for b in (bias_ih, bias_hh)]
    before, inner, out = _like(h, count, 3)
    h, part = h.copy(), np.empty((batch, 3, size), h.dtype)
    spans, weight = _spans(count, batch, sizes, reverse), _for_steps(weight_hh.T, count)
    kernels.gru(gates, spans, weight, h, *biases, part, before, inner, out)
    return Kept((out.reshape(*x.shape[:-1], size), h), (rows, gates, before, inner))


@_gru.by_hand
def _gru_backward(g, x, h, weight_ih, weight_hh, kept, needs, sizes, reverse):
    rows, gates, before, inner = kept
    count, (batch, size) = rows.shape[0], h.shape
    dout, dh = _arriving_rows(g[0], h, count), _arriving(g[1], h)
    dgates, dhidden = np.empty(gates.shape, h.dtype), np.empty(gates.shape, h.dtype)
    dbias_ih, dbias_hh = np.empty((2, 3 * size), h.dtype)
    spans, weight = _spans(count, batch, sizes, reverse), _for_steps(weight_hh, count)
    kernels.gru_backward(dout, spans, weight, dh, gates, before, inner, dgates, dhidden, dbias_ih, dbias_hh)
    parts = (dgates.reshape(count, 3 * size), rows, dhidden.reshape(count, 3 * size), before)
    dx, *dweights = _before_gates((needs[0], *needs[2:4]), x, *parts, (weight_ih, weight_hh))
    return [dx, dh, *dweights, dbias_ih, dbias_hh]


@_gru.by_ops
def _gru_steps(x, h, weight_ih, weight_hh, bias_ih, bias_hh, *, sizes, reverse):
    step = functools.partial(gru_step, weight=weight_hh, bias=bias_hh)
    return walk(step, linear(x, weight_ih, bias_ih), (h,), sizes, reverse)


# --- names -----------------------------------------------------------------------------------------------------------


def _call(name: str, function: Callable, input: Any, state: State, weights: State, biases: State, attrs: dict) -> tuple:
    """Run on tensors of one dtype, which for float16 is float32; biases that are left out are zeros."""
    dtype = input.dtype
    filled = [np.zeros(weights[0].shape[0], dtype) if b is None else b for b in biases]
    tensors = (input, *state, *weights, *filled)
    if any(t.dtype != dtype for t in tensors):
        got = ", ".join(sorted({str(t.dtype) for t in tensors}))
        raise RuntimeError(f"{name}: input, state and parameters must have one dtype; got {got}")
    if dtype == float16:
        return tuple(cast(t, float16) for t in function(*(cast(t, float32) for t in tensors), **attrs))
    return function(*tensors, **attrs)


def rnn_sequence(
    input: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    sizes: Sequence[int] | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Elman's network over whole sequences: h' = tanh(W_ih x + b_ih + W_hh h + b_hh) at each step, or relu.

    ``input`` is (time, n, features), or with ``sizes`` the steps one after the other, (rows, features): the first
    ``sizes[0]`` rows are the first step, and so on. Sizes must not grow: a sequence that ends has none longer after it.
    ``h`` is (n, hidden). Returned are the output of each step, as the input lies, and the last state of each sequence.
    With ``reverse`` the steps are taken from the last to the first.

    >>> ones = Tensor([[1.0]])
    >>> rnn_sequence(Tensor([[[1.0]], [[2.0]]]), Tensor([[0.0]]), ones, ones, nonlinearity="relu")[1]
    tensor([[3.]])
    """
    attrs = {"nonlinearity": nonlinearity, "sizes": sizes and tuple(sizes), "reverse": reverse}
    return _call("rnn_sequence", _rnn, input, (h,), (weight_ih, weight_hh), (bias_ih, bias_hh), attrs)


def lstm_sequence(
    input: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    weight_hr: Tensor | None = None,
    *,
    sizes: Sequence[int] | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory over whole sequences, arguments as of `rnn_sequence`; -> outputs, last h, last c.

    Hochreiter and Schmidhuber 1997 (https://doi.org/10.1162/neco.1997.9.8.1735), with the forget gates of Gers,
    Schmidhuber and Cummins 2000: i, f, o = sigmoid(...), g = tanh(...) of W_ih x + b_ih + W_hh h + b_hh,
    c' = f c + i g, h' = o tanh(c'), and with ``weight_hr`` W_hr h' (Sak et al. 2014, https://arxiv.org/abs/1402.1128).

    >>> from autograd import zeros
    >>> out, h, c = lstm_sequence(zeros(5, 2, 3), zeros(2, 4), zeros(2, 4), zeros(16, 3), zeros(16, 4))
    >>> out.shape, h.shape, c.shape
    ((5, 2, 4), (2, 4), (2, 4))
    """
    attrs = {"sizes": sizes and tuple(sizes), "reverse": reverse}
    weights, biases = (weight_ih, weight_hh), (bias_ih, bias_hh)
    function = _lstm if weight_hr is None else functools.partial(_lstm_steps, weight_hr=weight_hr)
    return _call("lstm_sequence", function, input, (h, c), weights, biases, attrs)


def gru_sequence(
    input: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    *,
    sizes: Sequence[int] | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Gated recurrent units over whole sequences, arguments as of `rnn_sequence`; -> outputs, last h.

    Cho et al. 2014 (https://arxiv.org/abs/1406.1078): r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh),
    n = tanh(W_ih x + b_ih + r (W_hh h + b_hh)), each with its third of the weights, h' = (1 - z) n + z h.

    >>> from autograd import zeros
    >>> out, h = gru_sequence(zeros(5, 2, 3), zeros(2, 4), zeros(12, 3), zeros(12, 4))
    >>> out.shape, h.shape
    ((5, 2, 4), (2, 4))
    """
    attrs = {"sizes": sizes and tuple(sizes), "reverse": reverse}
    return _call("gru_sequence", _gru, input, (h,), (weight_ih, weight_hh), (bias_ih, bias_hh), attrs)
