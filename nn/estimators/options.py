"""What the parameters of an estimator may be."""

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = ["check_options", "hidden_sizes"]


def _number(low: float, high: float = math.inf, *, open_low: bool = False, open_high: bool = False) -> Callable:
    def fits(value: Any) -> bool:
        if not isinstance(value, Real) or isinstance(value, bool):
            return False
        x = float(value)
        return (low < x if open_low else low <= x) and (x < high if open_high else x <= high)

    return fits


def _count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def _flag(value: Any) -> bool:
    return isinstance(value, (bool, np.bool))


def _one_of(*names: str) -> tuple[str, Callable]:
    return "one of " + ", ".join(map(repr, names)), lambda value: value in names


_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "solver": _one_of("lbfgs", "sgd", "adam"),
    "alpha": ("a number, 0 or more", _number(0, open_high=True)),
    "batch_size": ("'auto' or a count, 1 or more", lambda value: value == "auto" or _count(value)),
    "learning_rate": _one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": ("a number above 0", _number(0, open_low=True, open_high=True)),
    "power_t": ("a number, 0 or more", _number(0, open_high=True)),
    "max_iter": ("a count, 1 or more", _count),
    "shuffle": ("True or False", _flag),
    "tol": ("a number, 0 or more", _number(0, open_high=True)),
    "warm_start": ("True or False", _flag),
    "momentum": ("a number in [0, 1]", _number(0, 1)),
    "nesterovs_momentum": ("True or False", _flag),
    "early_stopping": ("True or False", _flag),
    "validation_fraction": ("a number in [0, 1)", _number(0, 1, open_high=True)),
    "beta_1": ("a number in [0, 1)", _number(0, 1, open_high=True)),
    "beta_2": ("a number in [0, 1)", _number(0, 1, open_high=True)),
    "epsilon": ("a number above 0", _number(0, open_low=True, open_high=True)),
    "n_iter_no_change": ("a count, 1 or more, or infinity", lambda value: _count(value) or value == math.inf),
    "max_fun": ("a count, 1 or more", _count),
    "dropout": ("a number in [0, 1)", _number(0, 1, open_high=True)),
    "batch_norm": ("True or False", _flag),
    "compile": ("True or False", _flag),
}


def check_options(estimator: Any) -> None:
    """Raise ValueError for the first parameter that is not what it must be."""
    name = type(estimator).__name__
    for option, (rule, fits) in _RULES.items():
        value = getattr(estimator, option)
        if not fits(value):
            raise ValueError(f"{name}: {option} must be {rule}; got {value!r}")
    sizes = hidden_sizes(estimator.hidden_layer_sizes)
    if not all(map(_count, sizes)):
        raise ValueError(f"{name}: hidden_layer_sizes must be counts, 1 or more; got {estimator.hidden_layer_sizes!r}")
    if estimator.solver == "lbfgs" and (estimator.dropout or estimator.batch_norm):
        raise ValueError(
            f"{name}: lbfgs needs a loss that is the same at every look; got dropout or batch_norm; use 'adam'"
        )


def hidden_sizes(given: Any) -> list:
    """``hidden_layer_sizes`` as a list of Python's numbers; one number is one layer."""
    return [int(n) if isinstance(n, Integral) else n for n in (given if isinstance(given, Iterable) else [given])]
