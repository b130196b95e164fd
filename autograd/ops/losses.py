"""How far one number is from another, as losses measure it: each a row, so a loss is one pass forward and one back."""

from .activation import logsigmoid
from .exponential import log, log1p, sigmoid
from .formula import elementwise
from .selection import maximum, minimum

__all__ = ["absolute_error", "huber_error", "log_loss", "logistic_loss", "squared_error"]


@elementwise(
    input=lambda g, input, target: g * (2 * (input - target)),
    target=lambda g, input, target: g * (2 * (target - input)),
    result="same",
    takes="iuf",
)
def squared_error(input, target):
    """(input - target)^2."""
    return (input - target) * (input - target)


@elementwise(result="same", takes="iuf")
def absolute_error(input, target):
    """|input - target|; the derivative at 0 is 0."""
    return abs(input - target)


@elementwise(
    input=lambda g, input, target, delta: g * maximum(minimum(input - target, delta), -delta),
    target=lambda g, input, target, delta: g * maximum(minimum(target - input, delta), -delta),
)
def huber_error(input, target, delta=1.0):
    """d^2 / 2 where d = |input - target| is below ``delta``, else delta * (d - delta / 2)."""
    distance = abs(input - target)
    near = minimum(distance, delta)
    return near * (distance - near * 0.5)


@elementwise(
    input=lambda g, input, target: g * ((input - target) / maximum((1 - input) * input, 1e-12)),
    target=lambda g, input: g * (log1p(-input) - log(input)),  # without the bound, as in PyTorch
)
def log_loss(input, target):
    """-(t log(x) + (1 - t) log(1 - x)) for a probability x, the logarithms not below -100."""
    return (target - 1) * maximum(log1p(-input), -100) - target * maximum(log(input), -100)


@elementwise(
    input=lambda g, input, target: g * (sigmoid(input) - target),
    target=lambda g, input: -g * input,
)
def logistic_loss(input, target):
    """`log_loss` of the probability sigmoid(x), computed without it: (1 - t) x - log(sigmoid(x))."""
    return (1 - target) * input - logsigmoid(input)
