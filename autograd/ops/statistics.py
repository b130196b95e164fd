"""Statistics of samples: quantiles, histograms, covariances."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import float64, get_default_dtype, int64, is_float
from ..tensor import Tensor
from .arithmetic import lerp
from .comparison import isnan, logical_not
from .convert import cast
from .diagonal import diagonal
from .dims import numpy_spelling
from .exponential import sqrt
from .gather import as_line, gather_along
from .op import op
from .products import matmul
from .rounding import ceil, floor, round
from .selection import clamp, clamp_min, where
from .shape import movedim, reshape, squeeze, transpose, unsqueeze
from .sort import sort
from .totals import any, sum

__all__ = ["bincount", "corrcoef", "cov", "histc", "histogram", "nanquantile", "quantile"]

INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")


# --- quantiles -------------------------------------------------------------------------------------------------------


def _check_quantile(name: str, input: Any, q: Any, interpolation: str) -> None:
    if not is_float(input.dtype):
        raise NotImplementedError(f"{name}: the tensor must be floating; got {input.dtype}; convert it with to()")
    if not math.prod(input.shape):
        raise RuntimeError(f"{name}: there must be an element; got shape {tuple(input.shape)}")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(f"{name}: interpolation must be one of {', '.join(INTERPOLATIONS)}; got {interpolation!r}")
    if q.ndim > 1:
        raise RuntimeError(f"{name}: q is a number or has one axis; got shape {tuple(q.shape)}")
    if q.dtype != input.dtype:
        raise RuntimeError(f"{name}: q and the tensor must have one dtype; got {q.dtype} and {input.dtype}")
    if not ((q.array >= 0) & (q.array <= 1)).all():
        raise RuntimeError(f"{name}: q must be in [0, 1]; got {q.array.tolist()}")


def _quantile(
    name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, skip_nan: bool
) -> Tensor:
    levels = q if isinstance(q, Tensor) else Tensor(np.asarray(q, input.dtype))
    _check_quantile(name, input, levels, interpolation)
    line = as_line(input)
    x = reshape(line, -1) if dim is None else movedim(line, dim, -1)
    ordered = sort(x).values
    hole = isnan(ordered)
    last = x.shape[-1] - 1
    if skip_nan:
        rank = as_line(levels) * cast(clamp_min(sum(logical_not(hole), -1, True) - 1, 0), x.dtype)
    else:
        rank = where(any(hole, -1, True), float(last), as_line(levels) * last)  # sorted last, a NaN is the answer
    rounded = {"lower": floor, "higher": ceil, "nearest": round}.get(interpolation)
    below = floor(rank) if rounded is None else rounded(rank)
    out = _at(ordered, below)
    if rounded is None:
        out = lerp(out, _at(ordered, ceil(rank)), rank - below if interpolation == "linear" else 0.5)
    out = movedim(out, -1, 0)
    if keepdim:
        ones = (1,) * input.ndim
        out = reshape(out, (-1, *ones)) if dim is None else unsqueeze(out, 1 + dim % line.ndim if input.ndim else 1)
        out = out if input.ndim else reshape(out, -1)
    return out if levels.ndim else squeeze(out, 0)


def _at(ordered: Any, rank: Any) -> Any:
    return gather_along(ordered, cast(rank, int64), dim=ordered.ndim - 1)


@numpy_spelling
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The value below which the part ``q`` in [0, 1] of the elements along ``dim`` (or of all) lies; NaN if one is.

    A tensor of several ``q`` puts an axis for them in front. Between two elements the value is interpolated:
    "linear", "lower", "higher", "nearest" or "midpoint".

    >>> quantile(Tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@numpy_spelling
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The `quantile` of what is not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


# --- counts ----------------------------------------------------------------------------------------------------------


@op()
def _bincount(input, *weights, minlength):
    return np.bincount(input, weights[0] if weights else None, minlength)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of the integers 0, 1, 2 ... is in a vector; with weights the sum of them. Not differentiable."""
    if input.ndim != 1 or input.dtype.kind not in "iu" or (input.array.size and input.array.min() < 0):
        raise RuntimeError(
            f"bincount: a vector of integers that are not negative is needed; got {input.dtype} of {tuple(input.shape)}"
        )
    if weights is None:
        return _bincount(input, minlength=minlength)
    if weights.shape != input.shape:
        raise RuntimeError(f"bincount: one weight for each; got {tuple(weights.shape)} for {tuple(input.shape)}")
    dtype = weights.dtype if weights.dtype == np.float32 else float64
    return cast(_bincount(input, cast(weights, float64), minlength=minlength), dtype)


def _limits(name: str, x: np.ndarray, low: float, high: float, margin: float = 1) -> tuple[float, float]:
    """The range of a histogram: that of the elements if none is given, and never empty."""
    if low > high:
        raise RuntimeError(f"{name}: max must not be below min; got {low} and {high}")
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: the range must be finite; got {low} to {high}")
    return (low - margin, high + margin) if low == high else (low, high)


@op()
def _histc(input, *, bins, min, max):
    x = input.reshape(-1)
    low, high = _limits("histc", x, min, max)
    x = x[(x >= low) & (x <= high)]
    place = ((x - x.dtype.type(low)) * x.dtype.type(bins) / x.dtype.type(high - low)).astype(np.int64)
    return np.bincount(np.minimum(place, bins - 1), minlength=bins).astype(input.dtype)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of ``bins`` equal intervals of [min, max], by default their own range."""
    if bins <= 0:
        raise RuntimeError(f"histc: bins must be positive; got {bins}")
    if not is_float(input.dtype):
        raise NotImplementedError(f"histc: the tensor must be floating; got {input.dtype}; convert it with to()")
    return _histc(input, bins=bins, min=min, max=max)


class Histogram(NamedTuple):
    """What `histogram` gives."""

    hist: Tensor
    bin_edges: Tensor


@op()
def _edges(input, *, bins, limits):
    low, high = limits or (0.0, 0.0 if input.size else 1.0)
    low, high = _limits("histogram", input, low, high, margin=0.5)
    return np.linspace(low, high, bins + 1, dtype=input.dtype)


@op()
def _histogram(input, edges, *weight, density):
    x = input.reshape(-1)
    inside = (x >= edges[0]) & (x <= edges[-1])
    place = np.minimum(np.searchsorted(edges, x[inside], "right") - 1, len(edges) - 2)
    count = np.bincount(place, weight[0].reshape(-1)[inside] if weight else None, len(edges) - 1)
    with np.errstate(all="ignore"):
        return (count / (count.sum() * np.diff(edges)) if density else count).astype(input.dtype)


def histogram(
    input: Tensor,
    bins: Any,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:
    """How many elements (or how much ``weight``) fall into each bin, and the edges of the bins.

    ``bins`` is a number of equal intervals of ``range`` (that of the elements by default), or the edges themselves.
    With ``density`` the histogram is divided by its area.
    """
    if not is_float(input.dtype):
        raise NotImplementedError(f"histogram: the tensor must be floating; got {input.dtype}; convert it with to()")
    edges = bins if isinstance(bins, Tensor) else _edges(input, bins=bins, limits=range)
    weights = () if weight is None else (weight,)
    return Histogram(_histogram(input, edges, *weights, density=density), edges)


# --- covariance ------------------------------------------------------------------------------------------------------


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariances of variables, which are the rows of ``input``; columns are observations: (n, k) -> (n, n).

    ``fweights`` says how often an observation is counted, ``aweights`` how important it is. A vector is one variable,
    and its variance comes back.
    """
    if input.ndim > 2:
        raise RuntimeError(f"cov: at most two axes, variables and observations; got shape {tuple(input.shape)}")
    x = input if is_float(input.dtype) else cast(input, get_default_dtype())
    x = reshape(x, (1, -1)) if x.ndim < 2 else x
    weight = None
    for given in (fweights, aweights):
        if given is not None:
            factor = cast(given, x.dtype)
            weight = factor if weight is None else weight * factor
    if weight is None:
        total: Any = float(x.shape[1])
        mean = sum(x, 1, True) / total
        norm: Any = max(total - correction, 0.0)
    else:
        total = sum(weight)
        mean = sum(x * weight, 1, True) / total
        lost = correction * (sum(weight * cast(aweights, x.dtype)) / total if aweights is not None else 1)
        norm = clamp_min(total - lost, 0.0)
    centred = x - mean
    out = matmul(centred if weight is None else centred * weight, transpose(centred, 0, 1)) / norm
    return out if input.ndim == 2 and input.shape[0] != 1 else squeeze(out)


def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlations of the rows of ``input``: their `cov` divided by both standard deviations."""
    c = cov(input)
    if not c.ndim:
        return c / c
    deviation = sqrt(diagonal(c))
    return clamp(c / unsqueeze(deviation, 1) / unsqueeze(deviation, 0), -1, 1)
