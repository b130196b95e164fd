"""Recurrent networks over whole sequences.

The steps of all sequences lie one after the other as rows of a matrix; ``spans`` (steps, 2) says from which row to
which each step goes, in the order in which they are walked. A sequence that has ended keeps its place in the state
while those before it go on, so the state after the last step holds the last state of each, and on the way back its
gradient waits there. What the input contributes to the gates is there when a walk begins.

Sequences know nothing of each other: each part of the pool walks some of them from the first step to the last. The sums
over all rows, of the biases' gradients, come after that, and do not depend on the number of parts.

Kept for the way back are ``before``, the state that each row came from, and what the activations gave.
"""

from .hand import kernel
from .language import F, across, exp, gemm, prange, tanh
from .linear import sum_rows
from .parts import Part

__all__ = ["gru", "gru_backward", "lstm", "lstm_backward", "rnn", "rnn_backward"]


@Part
def sequences(count, part, parts):
    """The first of a part's sequences, and the end of them; four at least, or all."""
    first = 0 if part == 0 else count * part // parts // 4 * 4
    return first, count if part == parts - 1 else count * (part + 1) // parts // 4 * 4


@Part
def rows_of(begin, after, first, end):
    """Of the rows of a step where they begin, and the first of some sequences and what comes after them."""
    start = begin + first
    return begin, start, max(start, min(after, begin + end))


# --- Elman's network -------------------------------------------------------------------------------------------------


@kernel(work=8)
def rnn(out, spans, weight, h, bias, before, relu, parts):
    """h = tanh(out + h @ weight + bias), or relu, written over ``out``."""
    for part in prange(parts):
        first, end = sequences(h.shape[0], part, parts)
        for step in range(spans.shape[0]):
            begin, start, stop = rows_of(spans[step, 0], spans[step, 1], first, end)
            gemm(h[first : first + stop - start], weight, 1, out[start:stop])
            for row in range(start, stop):
                b = row - begin
                for j in range(h.shape[1]):
                    before[row, j] = h[b, j]
                if relu:
                    for j in range(h.shape[1]):
                        total = out[row, j] + bias[j]
                        out[row, j] = F(0) if total <= F(0) else total
                else:
                    for j in across(h.shape[1]):
                        out[row, j] = tanh(out[row, j] + bias[j])
                for j in range(h.shape[1]):
                    h[b, j] = out[row, j]


@kernel(work=8)
def rnn_backward(g, spans, weight, dh, out, dgates, dbias, relu, parts):
    """The gradients of the initial state, in ``dh``, of the gates and of the bias."""
    for part in prange(parts):
        first, end = sequences(dh.shape[0], part, parts)
        for step in range(spans.shape[0] - 1, -1, -1):
            begin, start, stop = rows_of(spans[step, 0], spans[step, 1], first, end)
            for row in range(start, stop):
                if relu:
                    for j in range(out.shape[1]):
                        dgates[row, j] = F(0) if out[row, j] <= F(0) else g[row, j] + dh[row - begin, j]
                else:
                    for j in range(out.shape[1]):
                        dgates[row, j] = (g[row, j] + dh[row - begin, j]) * (F(1) - out[row, j] * out[row, j])
            gemm(dgates[start:stop], weight, 0, dh[first : first + stop - start])
    for part in prange(parts):
        sum_rows(dgates, dbias, part, parts)


# --- long short-term memory ------------------------------------------------------------------------------------------


@kernel(work=8)
def lstm(gates, spans, weight, h, c, bias, before_h, before_c, squashed, out, parts):
    """i, f, g, o of ``gates`` (rows, 4, hidden) activated in place; c = f c + i g, squashed = tanh(c), and
    h = o squashed.
    """
    size = h.shape[1]
    flat = gates.reshape((gates.shape[0], 4 * size))
    for part in prange(parts):
        first, end = sequences(h.shape[0], part, parts)
        for step in range(spans.shape[0]):
            begin, start, stop = rows_of(spans[step, 0], spans[step, 1], first, end)
            gemm(h[first : first + stop - start], weight, 1, flat[start:stop])
            for row in range(start, stop):
                b = row - begin
                for j in range(size):
                    before_h[row, j] = h[b, j]
                    before_c[row, j] = c[b, j]
                for k in range(4):
                    if k == 2:
                        for j in across(size):
                            gates[row, k, j] = tanh(gates[row, k, j] + bias[k, j])
                    else:
                        for j in across(size):
                            gates[row, k, j] = F(1) / (F(1) + exp(-(gates[row, k, j] + bias[k, j])))
                for j in range(size):
                    c[b, j] = gates[row, 1, j] * before_c[row, j] + gates[row, 0, j] * gates[row, 2, j]
                for j in across(size):
                    squashed[row, j] = tanh(c[b, j])
                for j in range(size):
                    h[b, j] = gates[row, 3, j] * squashed[row, j]
                    out[row, j] = h[b, j]


@kernel(work=8)
def lstm_backward(g, spans, weight, dh, dc, gates, before_c, squashed, dgates, dbias, parts):
    """The gradients of the initial states, in ``dh`` and ``dc``, of the gates and of the bias."""
    size = dh.shape[1]
    flat = dgates.reshape((dgates.shape[0], 4 * size))
    for part in prange(parts):
        first, end = sequences(dh.shape[0], part, parts)
        for step in range(spans.shape[0] - 1, -1, -1):
            begin, start, stop = rows_of(spans[step, 0], spans[step, 1], first, end)
            for row in range(start, stop):
                b = row - begin
                for j in range(size):
                    i, f, c, o = gates[row, 0, j], gates[row, 1, j], gates[row, 2, j], gates[row, 3, j]
                    top = g[row, j] + dh[b, j]
                    cell = dc[b, j] + top * o * (F(1) - squashed[row, j] * squashed[row, j])
                    dgates[row, 0, j] = cell * c * (i * (F(1) - i))
                    dgates[row, 1, j] = cell * before_c[row, j] * (f * (F(1) - f))
                    dgates[row, 2, j] = cell * i * (F(1) - c * c)
                    dgates[row, 3, j] = top * squashed[row, j] * (o * (F(1) - o))
                    dc[b, j] = cell * f
            gemm(flat[start:stop], weight, 0, dh[first : first + stop - start])
    for part in prange(parts):
        sum_rows(flat, dbias, part, parts)


# --- gated recurrent units -------------------------------------------------------------------------------------------


@kernel(work=8)
def gru(gates, spans, weight, h, bias_ih, bias_hh, from_state, before, inner, out, parts):
    """r, z, n of ``gates`` (rows, 3, hidden) activated in place; h = n + z (h - n).

    ``from_state`` (n, 3, hidden) is for h @ weight; its last third with its bias, which r multiplies, is kept as
    ``inner``.
    """
    size = h.shape[1]
    flat = from_state.reshape((from_state.shape[0], 3 * size))
    for part in prange(parts):
        first, end = sequences(h.shape[0], part, parts)
        for step in range(spans.shape[0]):
            begin, start, stop = rows_of(spans[step, 0], spans[step, 1], first, end)
            gemm(h[first : first + stop - start], weight, 0, flat[first : first + stop - start])
            for row in range(start, stop):
                b = row - begin
                for j in range(size):
                    before[row, j] = h[b, j]
                for k in range(2):
                    for j in across(size):
                        total = gates[row, k, j] + bias_ih[k, j] + from_state[b, k, j] + bias_hh[k, j]
                        gates[row, k, j] = F(1) / (F(1) + exp(-total))
                for j in range(size):
                    inner[row, j] = from_state[b, 2, j] + bias_hh[2, j]
                for j in across(size):
                    gates[row, 2, j] = tanh(gates[row, 2, j] + bias_ih[2, j] + gates[row, 0, j] * inner[row, j])
                for j in range(size):
                    out[row, j] = gates[row, 2, j] + gates[row, 1, j] * (before[row, j] - gates[row, 2, j])
                for j in range(size):
                    h[b, j] = out[row, j]


@kernel(work=8)
def gru_backward(g, spans, weight, dh, gates, before, inner, dgates, dhidden, dbias_ih, dbias_hh, parts):
    """The gradients of the initial state, in ``dh``, of what the input and the state contribute to the gates, and of
    the biases.
    """
    size = dh.shape[1]
    flat = dgates.reshape((dgates.shape[0], 3 * size))
    flat_hidden = dhidden.reshape((dhidden.shape[0], 3 * size))
    for part in prange(parts):
        first, end = sequences(dh.shape[0], part, parts)
        for step in range(spans.shape[0] - 1, -1, -1):
            begin, start, stop = rows_of(spans[step, 0], spans[step, 1], first, end)
            for row in range(start, stop):
                b = row - begin
                for j in range(size):
                    r, z, n = gates[row, 0, j], gates[row, 1, j], gates[row, 2, j]
                    top = g[row, j] + dh[b, j]
                    new = top * (F(1) - z) * (F(1) - n * n)
                    dgates[row, 0, j] = new * inner[row, j] * (r * (F(1) - r))
                    dgates[row, 1, j] = top * (before[row, j] - n) * (z * (F(1) - z))
                    dgates[row, 2, j] = new
                    dhidden[row, 2, j] = new * r
                    dh[b, j] = top * z
                for k in range(2):
                    for j in range(size):
                        dhidden[row, k, j] = dgates[row, k, j]
            gemm(flat_hidden[start:stop], weight, 1, dh[first : first + stop - start])
    for part in prange(parts):
        sum_rows(flat, dbias_ih, part, parts)
        sum_rows(flat_hidden, dbias_hh, part, parts)
