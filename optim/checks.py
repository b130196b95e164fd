"""What options must be, in one wording: ``SGD: lr must not be negative; got -0.1``."""

from typing import Any

__all__ = ["fractions", "not_negative", "pairs", "positive"]


def not_negative(owner: Any, options: dict, *names: str) -> None:
    """Raise unless each option is a number of 0 or more."""
    for name in names:
        value = options[name]
        if not float(value) >= 0:  # NaN is refused too
            raise ValueError(f"{type(owner).__name__}: {name} must not be negative; got {value}")


def positive(owner: Any, options: dict, *names: str) -> None:
    """Raise unless each option is above 0."""
    for name in names:
        value = options[name]
        if not float(value) > 0:
            raise ValueError(f"{type(owner).__name__}: {name} must be above 0; got {value}")


def fractions(owner: Any, options: dict, *names: str) -> None:
    """Raise unless each option, or each number of a pair, is in [0, 1)."""
    for name in names:
        value = options[name]
        if not all(0 <= float(v) < 1 for v in (value if isinstance(value, (list, tuple)) else [value])):
            raise ValueError(f"{type(owner).__name__}: {name} must be in [0, 1); got {value}")


def pairs(owner: Any, options: dict, *names: str) -> None:
    """Raise unless each option is two values."""
    for name in names:
        value = options[name]
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise ValueError(f"{type(owner).__name__}: {name} must be two numbers; got {value}")
