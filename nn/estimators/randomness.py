"""What is drawn at random, in scikit-learn's order: the first weights, the rows held out, and what dropout drops."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

import autograd
import nn

from .penalty import linear_layers

__all__ = ["draw_weights", "hold_out", "random_numbers_of"]

_one_at_a_time = threading.RLock()


def draw_weights(network: nn.Module, gain: float, random: np.random.RandomState) -> None:
    """Weights and biases uniform in +-sqrt(gain / (inputs + outputs)) (Glorot and Bengio 2010)."""
    for layer in linear_layers(network):
        bound = math.sqrt(gain / (layer.in_features + layer.out_features))
        weight = random.uniform(-bound, bound, (layer.in_features, layer.out_features))
        bias = random.uniform(-bound, bound, layer.out_features)
        layer.load_state_dict({"weight": autograd.tensor(weight.T), "bias": autograd.tensor(bias)})


def hold_out(fraction: float, parts: tuple, random: np.random.RandomState, stratify: bool) -> tuple[tuple, tuple]:
    """Rows, targets and weights (or None) to train with, and those of the fraction that is held out for validation."""
    given = [part for part in parts if part is not None]
    split: list[Any] = train_test_split(
        *given, test_size=fraction, random_state=random, stratify=parts[1] if stratify else None
    )
    none = [None] * (len(parts) - len(given))
    return (*split[::2], *none), (*split[1::2], *none)


@contextmanager
def random_numbers_of(seed: int) -> Iterator[None]:
    """Let the default generator, which dropout draws from, begin with ``seed``; afterwards it is where it was. One
    thread at a time: all share the generator.
    """
    with _one_at_a_time:
        before = autograd.get_rng_state()
        autograd.manual_seed(seed)
        try:
            yield
        finally:
            autograd.set_rng_state(before)
