"""Recurrent networks step by step, in other operations: what the kernels compute at once."""

from collections.abc import Callable, Sequence
from typing import Any

from .activation import relu
from .exponential import sigmoid
from .join import cat, stack
from .linear import linear
from .split import chunk, split, unbind
from .trigonometric import tanh

__all__ = ["gru_step", "lstm_step", "rnn_step", "walk"]

State = tuple[Any, ...]
Step = Callable[[Any, State], State]


def walk(step: Step, gates: Any, start: State, sizes: Sequence[int] | None, reverse: bool) -> tuple:
    """The outputs of every step, and the state each sequence ends in.

    The batch may shrink from step to step, when sorted sequences end; walked backward it grows.
    """
    parts = list(unbind(gates) if sizes is None else split(gates, list(sizes)))
    if reverse:
        parts.reverse()
    state = tuple(s[: parts[0].shape[0]] for s in start)
    outputs: list[Any] = []
    ended: list[State] = []
    for x in parts:
        have, want = state[0].shape[0], x.shape[0]
        if want < have:
            ended.append(tuple(s[want:] for s in state))
            state = tuple(s[:want] for s in state)
        elif want > have:
            state = tuple(cat([s, first[have:want]]) for s, first in zip(state, start, strict=True))
        state = step(x, state)
        outputs.append(state[0])
    if ended:
        state = tuple(cat(rows) for rows in zip(state, *reversed(ended), strict=True))
    if reverse:
        outputs.reverse()
    return (stack(outputs) if sizes is None else cat(outputs), *state)


def rnn_step(gates: Any, state: State, weight: Any, bias: Any, nonlinearity: str) -> State:
    """h' = tanh(gates + W h + b), or relu; ``gates`` is what the input contributes."""
    total = gates + linear(state[0], weight, bias)
    return (relu(total) if nonlinearity == "relu" else tanh(total),)


def lstm_step(gates: Any, state: State, weight: Any, bias: Any, projection: Any) -> State:
    """i, f, o = sigmoid(gates + W h + b), g = tanh of it, c' = f c + i g, h' = o tanh(c'), or its projection."""
    i, f, g, o = chunk(gates + linear(state[0], weight, bias), 4, -1)
    c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return (h if projection is None else linear(h, projection)), c


def gru_step(gates: Any, state: State, weight: Any, bias: Any) -> State:
    """r, z = sigmoid(gates + W h + b), n = tanh(gates + r (W h + b)), h' = (1 - z) n + z h."""
    (h,) = state
    (r, z, n), (hidden_r, hidden_z, hidden_n) = chunk(gates, 3, -1), chunk(linear(h, weight, bias), 3, -1)
    new = tanh(n + sigmoid(r + hidden_r) * hidden_n)
    return (new + sigmoid(z + hidden_z) * (h - new),)
