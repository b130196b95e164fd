"""Filling tensors with their first values, in place. Every function returns the tensor it was given.

fan_in is the number of inputs each output of a weight is computed from, fan_out the number of outputs each input
goes to; a weight (out, in, *kernel) has in * prod(kernel) and out * prod(kernel).
"""

import math
from typing import Any

import numpy as np

from autograd import Generator, Tensor, default_generator, is_floating_point, no_grad

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "lecun_normal_",
    "lecun_uniform_", "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "variance_scaling_",
    "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip

_ONE = {"linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much the standard deviation of weights must be larger so that signals keep their size through this
    nonlinearity: 1 for linear maps and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope^2)) for
    leaky_relu (``param`` is its slope, 0.01), 3/4 for selu.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity in _ONE:
        return 1.0
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return math.sqrt(2)
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"calculate_gain: the slope of leaky_relu must be a number; got {param!r}")
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity == "selu":
        return 3 / 4
    known = ", ".join(sorted({*_ONE, "tanh", "relu", "leaky_relu", "selu"}))
    raise ValueError(f"calculate_gain: a nonlinearity is one of {known}; got {nonlinearity!r}")


def _write(tensor: Tensor, values: Any) -> Tensor:
    with no_grad():
        tensor.copy_(Tensor(np.asarray(values, tensor.dtype)))
    return tensor


def _draw(kind: str, generator: Generator | None, *args: Any) -> np.ndarray:
    source = generator or default_generator
    with source._lock:
        return getattr(source.numpy, kind)(*args)


def _fans(op: str, tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(f"{op}: fan in and fan out need a tensor with 2 or more axes; got shape {tensor.shape}")
    area = math.prod(tensor.shape[2:])
    return tensor.shape[1] * area, tensor.shape[0] * area


def _require_floating(op: str, tensor: Tensor) -> None:
    if not is_floating_point(tensor):
        raise NotImplementedError(f"{op}: the tensor must be floating; got {tensor.dtype}")


def _uniform(op: str, tensor: Tensor, low: float, high: float, generator: Generator | None) -> Tensor:
    _require_floating(op, tensor)
    if not low <= high:
        raise RuntimeError(f"{op}: the lower bound must not be above the upper; got {low} and {high}")
    return _write(tensor, _draw("uniform", generator, low, high, tensor.shape))


def _normal(op: str, tensor: Tensor, mean: float, std: float, generator: Generator | None) -> Tensor:
    return _write(tensor, _gaussian(op, tensor, mean, std, generator))


def _gaussian(op: str, tensor: Tensor, mean: float, std: float, generator: Generator | None) -> np.ndarray:
    _require_floating(op, tensor)
    if not std >= 0:
        raise RuntimeError(f"{op}: std must not be negative; got {std}")
    return _draw("normal", generator, mean, std, tensor.shape)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Numbers drawn uniformly from [a, b)."""
    return _uniform("uniform_", tensor, a, b, generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Numbers drawn from the normal distribution N(mean, std^2)."""
    return _normal("normal_", tensor, mean, std, generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Numbers drawn from N(mean, std^2), those outside [a, b] drawn again."""
    from scipy.special import ndtr, ndtri

    _require_floating("trunc_normal_", tensor)
    if not (std > 0 and a <= b):
        raise RuntimeError(f"trunc_normal_: std must be positive and a not above b; got std={std}, a={a} and b={b}")
    # Uniform between the two bounds' probabilities, sent back through the inverse of the distribution function.
    u = _draw("uniform", generator, ndtr((a - mean) / std), ndtr((b - mean) / std), tensor.shape)
    return _write(tensor, np.clip(mean + std * ndtri(u), a, b))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element ``val``.

    >>> import autograd
    >>> constant_(autograd.zeros(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    value = val.item() if isinstance(val, (Tensor, np.generic)) else val
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"constant_: the value must be a number; got {val!r}")
    return _write(tensor, np.full(tensor.shape, value))


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1."""
    return constant_(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0."""
    return constant_(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: as many inputs as possible come out unchanged."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: a matrix is needed; got shape {tensor.shape}")
    return _write(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Convolution weights (out, in, *kernel) that pass as many channels as possible unchanged, in each group."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_: a tensor with 3, 4 or 5 axes is needed; got shape {tensor.shape}")
    outs, ins = tensor.shape[:2]
    if outs % groups:
        raise ValueError(f"dirac_: the first length must be divisible by groups={groups}; got shape {tensor.shape}")
    values = np.zeros(tensor.shape)
    centre = tuple(n // 2 for n in tensor.shape[2:])
    per_group = outs // groups
    for group in range(groups):
        for channel in range(min(per_group, ins)):
            values[(group * per_group + channel, channel, *centre)] = 1
    return _write(tensor, values)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(-a, a) with a = gain * sqrt(6 / (fan_in + fan_out))
    (Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html).
    """
    bound = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    return _uniform("xavier_uniform_", tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(0, std^2) with std = gain * sqrt(2 / (fan_in + fan_out)) (the same paper)."""
    std = gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor)))
    return _normal("xavier_normal_", tensor, 0.0, std, generator)


def _kaiming(op: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{op}: mode must be 'fan_in' or 'fan_out'; got {mode!r}")
    fan = _fans(op, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """U(-b, b) with b = gain * sqrt(3 / fan), gain that of the nonlinearity, a the slope of leaky_relu
    (He et al. 2015, https://arxiv.org/abs/1502.01852).
    """
    bound = math.sqrt(3) * _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return _uniform("kaiming_uniform_", tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """N(0, std^2) with std = gain / sqrt(fan) (the same paper)."""
    std = _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity)
    return _normal("kaiming_normal_", tensor, 0.0, std, generator)


def variance_scaling_(
    tensor: Tensor,
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "normal",
    generator: Generator | None = None,
) -> Tensor:
    """Mean 0 and variance scale / n, n being fan_in, fan_out or their mean ("fan_avg"); the distribution is "normal",
    "truncated" (a normal one cut at twice its deviation, of that variance after the cut) or "uniform".

    Glorot's initialisation is ``scale=1, mode="fan_avg"``, He's ``scale=2``, LeCun's ``scale=1``.
    """
    fan_in, fan_out = _fans("variance_scaling_", tensor)
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    if mode not in fans:
        raise ValueError(f"variance_scaling_: mode must be one of {', '.join(fans)}; got {mode!r}")
    std = math.sqrt(scale / max(fans[mode], 1))
    if distribution == "normal":
        return _normal("variance_scaling_", tensor, 0.0, std, generator)
    if distribution == "uniform":
        bound = math.sqrt(3) * std
        return _uniform("variance_scaling_", tensor, -bound, bound, generator)
    if distribution == "truncated":
        std /= 0.8796256610342398  # the deviation that is left of 1 after the cut at 2
        return trunc_normal_(tensor, 0.0, std, -2 * std, 2 * std, generator)
    raise ValueError(f"variance_scaling_: distribution must be normal, truncated or uniform; got {distribution!r}")


def lecun_uniform_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """U(-b, b) with b = sqrt(3 / fan_in) (LeCun et al. 1998, "Efficient BackProp")."""
    return variance_scaling_(tensor, distribution="uniform", generator=generator)


def lecun_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """N(0, 1 / fan_in) (the same paper); what SELU layers want (https://arxiv.org/abs/1706.02515)."""
    return variance_scaling_(tensor, generator=generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """gain times a matrix (first length, product of the others) with orthonormal rows or columns, drawn evenly from
    all such (Saxe et al. 2013, https://arxiv.org/abs/1312.6120).
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: a tensor with 2 or more axes is needed; got shape {tensor.shape}")
    _require_floating("orthogonal_", tensor)
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    if not rows * columns:
        return tensor
    q, r = np.linalg.qr(_draw("standard_normal", generator, (max(rows, columns), min(rows, columns))))
    q *= np.where(np.diag(r) < 0, -1, 1)  # QR fixes the signs; without them all such matrices are equally likely
    return _write(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """N(0, std^2), then a fraction ``sparsity`` of every column set to 0 (Martens 2010, "Deep learning via
    Hessian-free optimization").
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: a matrix is needed; got shape {tensor.shape}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    values = _gaussian("sparse_", tensor, 0.0, std, generator)
    for column in range(columns):
        values[_draw("permutation", generator, rows)[:zeros], column] = 0
    return _write(tensor, values)
