"""Samples of distributions: tensors drawn by probabilities or parameters, and tensors filled in place."""

from typing import Any

import numpy as np

from .creation import check_device
from .dtypes import bool_, float64, get_default_dtype, is_float, to_dtype
from .filled import as_size
from .inplace import overwrite
from .ops.arrays import of_arrays
from .ops.op import op
from .random import Generator, default_generator, draw
from .tensor import Tensor
from .tracing import each_run

__all__ = ["bernoulli", "multinomial", "normal", "poisson"]


def _from_numpy(generator: Generator | None, kind: str, *args: Any) -> np.ndarray:
    """An array from numpy's method of this name, for those that take parameters."""
    source = generator or default_generator
    with source._lock:
        return np.asarray(getattr(source.numpy, kind)(*args))


def _floating(name: str, dtype: np.dtype) -> np.dtype:
    if not is_float(dtype):
        raise RuntimeError(f"{name}: the dtype is a floating one; got {dtype}")
    return dtype


def _zeros(g: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of a draw: where the sample falls does not change with the parameters."""
    return _no_effect(g, to=shape)


@op(gradient=_zeros)
def _no_effect(gradient, *, to):
    return np.zeros(to, gradient.dtype)


# --- tensors ---------------------------------------------------------------------------------------------------------


@op(mean=_zeros, std=_zeros)
def _normal(mean, std, *, dtype, generator):
    if std.size and not std.min() >= 0:
        raise RuntimeError(f"normal: std must not be negative; got {std.min()}")
    shape = np.broadcast_shapes(mean.shape, std.shape)
    return (mean + std * draw(generator, "standard_normal", shape, dtype)).astype(dtype, copy=False)


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers drawn from normal distributions with these means and standard deviations, tensors that broadcast or
    numbers; of two numbers, a tensor of shape ``size``.

    >>> normal(0.0, 1.0, (2, 3)).shape
    (2, 3)
    """
    check_device("normal", device)
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if tensors:
        found = _floating("normal", tensors[0].dtype)
        pair = [x if isinstance(x, Tensor) else np.asarray(x, found) for x in (mean, std)]
        return _normal(*pair, dtype=found, generator=generator)
    if size is None:
        raise TypeError("normal: a size is needed where mean and std are numbers; got none")
    found = _floating("normal", get_default_dtype() if dtype is None else to_dtype(dtype))
    zeros = Tensor(np.broadcast_to(np.asarray(mean, found), as_size("normal", (size,))))
    return _normal(zeros, np.asarray(std, found), dtype=found, generator=generator).requires_grad_(requires_grad)


def _check_probabilities(name: str, p: np.ndarray) -> None:
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise RuntimeError(f"{name}: a probability must be in [0, 1]; got {p.max() if p.min() >= 0 else p.min()}")


@op(p=_zeros)
def _bernoulli(p, *, shape, dtype, generator):
    _check_probabilities("bernoulli", p)
    return (draw(generator, "random", shape, float64) < p).astype(dtype)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element gives, else 0; with ``p``, that probability for all elements.

    >>> bernoulli(Tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    shape = tuple(input.shape)
    if p is not None:
        constant = Tensor(np.asarray(p, np.float64))
        return _bernoulli(constant, shape=shape, dtype=input.dtype, generator=generator)
    _floating("bernoulli", input.dtype)
    return _bernoulli(input, shape=shape, dtype=input.dtype, generator=generator)


@op(rates=_zeros)
def _poisson(rates, *, generator):
    if rates.size and not rates.min() >= 0:
        raise RuntimeError(f"poisson: a rate must not be negative; got {rates.min()}")
    return _from_numpy(generator, "poisson", rates).astype(rates.dtype)


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts drawn from Poisson distributions with these rates, in the dtype of the rates."""
    _floating("poisson", input.dtype)
    return _poisson(input, generator=generator)


@op()
def _multinomial(weights, *, count, replacement, generator):
    w = np.atleast_2d(weights).astype(np.float64)
    if not (np.isfinite(w).all() and w.min(initial=0) >= 0):
        raise RuntimeError("multinomial: weights are finite and not negative; got inf, nan or less than 0")
    if w.size and not w.sum(1).all():
        raise RuntimeError("multinomial: a weight must be positive; got a row of zeros")
    if replacement:
        ends = np.cumsum(w, 1)
        places = draw(generator, "random", (len(w), count), float64) * ends[:, -1:]
        drawn = np.stack([np.searchsorted(row, place, "right") for row, place in zip(ends, places, strict=True)])
        out = np.minimum(drawn, w.shape[1] - 1)
    else:
        # The order in which exponential clocks with these rates ring is a draw without replacement.
        with np.errstate(divide="ignore"):
            rings = draw(generator, "standard_exponential", w.shape, float64) / w
        out = np.argsort(rings, 1, kind="stable")[:, :count]
    return out.astype(np.int64).reshape((*weights.shape[:-1], count))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """``num_samples`` places drawn by the weights in each row of ``input``; int64, (n) -> (k) or (m, n) -> (m, k).

    >>> multinomial(Tensor([0.0, 3.0, 0.0]), 1)
    tensor([1])
    """
    _floating("multinomial", input.dtype)
    if input.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: a vector or a matrix of weights; got shape {tuple(input.shape)}")
    if num_samples < 1:
        raise RuntimeError(f"multinomial: at least one sample; got {num_samples}")
    if not replacement and num_samples > input.shape[-1]:
        raise RuntimeError(f"multinomial: without replacement at most {input.shape[-1]} samples; got {num_samples}")
    return _multinomial(input, count=num_samples, replacement=replacement, generator=generator)


# --- in place --------------------------------------------------------------------------------------------------------


def uniform_(self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Every element drawn uniformly from [from, to)."""
    drawn = each_run(lambda: uniform(self.shape, self.dtype, from_, to, generator))
    return overwrite(self, drawn, "uniform_")


def uniform(shape: Any, dtype: np.dtype, low: float, high: float, generator: Generator | None = None) -> np.ndarray:
    """An array drawn uniformly from [low, high)."""
    if low > high:
        raise RuntimeError(f"uniform_: from must not be above to; got {low} and {high}")
    drawn = draw(generator, "random", shape, _floating("uniform_", dtype))
    scaled = (low + drawn * (high - low)).astype(dtype, copy=False)
    # Rounding may reach the end that does not belong to the interval.
    return np.minimum(scaled, np.nextafter(dtype.type(high), dtype.type(low)))


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Every element drawn from a normal distribution."""
    drawn = each_run(lambda: gaussian(self.shape, self.dtype, mean, std, generator))
    return overwrite(self, drawn, "normal_")


def gaussian(shape: Any, dtype: np.dtype, mean: float, std: float, generator: Generator | None = None) -> np.ndarray:
    """An array drawn from a normal distribution."""
    if not std >= 0:
        raise RuntimeError(f"normal_: std must not be negative; got {std}")
    drawn = draw(generator, "standard_normal", shape, _floating("normal_", dtype))
    return (mean + std * drawn).astype(dtype, copy=False)


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Every element drawn from the exponential distribution with the rate ``lambd``."""
    if not lambd > 0:
        raise RuntimeError(f"exponential_: lambd must be positive; got {lambd}")
    dtype = _floating("exponential_", self.dtype)

    def run() -> np.ndarray:
        return (draw(generator, "standard_exponential", self.shape, dtype) / lambd).astype(dtype, copy=False)

    return overwrite(self, each_run(run), "exponential_")


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Every element 1 with probability ``p``, a number or a tensor that broadcasts, else 0."""
    shape, dtype = self.shape, self.dtype

    def run(chances: np.ndarray) -> np.ndarray:
        _check_probabilities("bernoulli_", chances)
        return (draw(generator, "random", shape, float64) < chances).astype(dtype)

    return overwrite(self, of_arrays(run, p if isinstance(p, Tensor) else Tensor(np.asarray(p))), "bernoulli_")


def random_(
    self: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Every element a whole number drawn uniformly: ``random_()`` from all that the dtype counts without a gap,
    ``random_(to)`` from [0, to), ``random_(from, to)`` from [from, to).
    """
    if to is None:
        from_, to = 0, from_
    if to is None:
        to = 2 if self.dtype == bool_ else 2 ** _digits(self.dtype) + is_float(self.dtype)
    if from_ is None or from_ >= to:
        raise RuntimeError(f"random_: from must be below to; got {from_} and {to}")
    drawn = each_run(lambda: _from_numpy(generator, "integers", from_, to, self.shape).astype(self.dtype))
    return overwrite(self, drawn, "random_")


def _digits(dtype: np.dtype) -> int:
    """How many binary digits a dtype counts without a gap."""
    return np.finfo(dtype).nmant + 1 if is_float(dtype) else np.iinfo(dtype).bits - (dtype.kind == "i")


METHODS = {function.__name__: function for function in (uniform_, normal_, exponential_, bernoulli_, random_)}
