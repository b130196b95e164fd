"""Writing to places that may repeat, and reading from places: along an axis of what is seen as (outer, n, inner).

Kernels take places as they are, which `are_places` has to allow before; they become unsigned, as an index with a sign
might count from the end. `numpy.add.at` serves the dtypes without a kernel; it is fast on flat arrays alone.
"""

import math

import numpy as np

from . import threads
from .hand import kernel
from .language import formula, prange

__all__ = ["add_along", "add_at", "are_places", "flat_index", "put_along", "take_along", "take_parts"]

combine = formula


@kernel
def find_outside(like, index, length, status):
    """``status`` is 1 if a place is not in [0, length), else 0; of ``like`` only the number type counts."""
    outside: bool | np.bool = False
    for j in range(index.size):
        outside |= np.uint64(index[j]) >= np.uint64(length)
    status[0] = outside


def are_places(like: np.ndarray, index: np.ndarray, length: int) -> bool:
    """Whether the whole index lies in [0, length). A kernel looks, so that programs look again at every run."""
    if not _has_kernel(like.dtype):
        return not index.size or index.view(f"u{index.itemsize}").max() < length  # negative ones are the largest
    status = np.empty(1, np.int64)
    find_outside(like, index.astype(np.int64, copy=False).reshape(-1), length, status)
    return not status[0]


@kernel
def add_rows(part, index, outer, n, length, inner, shares, out):
    """out[o, index[j], :] += part[o, j, :] for flat part (outer, n, inner) and out (outer, length, inner). Of several
    ``shares`` of ``length`` each looks through the index for the rows that go there.
    """
    for turn in prange(outer * shares):
        o = turn // shares
        first = turn % shares * length // shares
        end = (turn % shares + 1) * length // shares
        for j in range(n):
            if inner == 1:
                out[np.uint64(o * length + index[j])] += part[o * n + j]
            elif first <= index[j] < end:
                to = (o * length + index[j]) * inner
                row = out[to : to + inner]
                more = part[(o * n + j) * inner : (o * n + j + 1) * inner]
                for k in range(inner):
                    row[k] += more[k]


@kernel(work=4)
def to_elements(part, index, outer, n, length, inner, out):
    """out[o, p, k] = combine(out[o, p, k], part[o, j, k]) where p is index[o, j, k], one j after the other; part and
    index are (outer, n, inner), out is (outer, length, inner).
    """
    for o in prange(outer):
        if inner == 1:
            for j in range(o * n, o * n + n):
                at = np.uint64(o * length + index[j])
                out[at] = combine(out[at], part[j])
        else:
            for j in range(n):
                row = (o * n + j) * inner
                for k in range(inner):
                    at = np.uint64((o * length + index[row + k]) * inner + k)
                    out[at] = combine(out[at], part[row + k])


add_elements = to_elements.of("add", combine=lambda old, new: old + new)
put_elements = to_elements.of("put", combine=lambda old, new: new)


@kernel(work=4)
def take_elements(x, index, outer, n, length, inner, out):
    """out[o, j, k] = x[o, index[o, j, k], k]; index and out are (outer, n, inner), x is (outer, length, inner)."""
    if inner == 1:
        cuts = (n + 4095) // 4096
        for i in prange(outer * cuts):
            row = x[i // cuts * length : (i // cuts + 1) * length]
            first = i // cuts * n + i % cuts * 4096
            end = min(first + 4096, i // cuts * n + n)
            places = index[first:end]
            result = out[first:end]
            for j in range(end - first):
                result[j] = row[np.uint64(places[j])]
    else:
        for i in prange(outer * n):
            base = i // n * length * inner
            places = index[i * inner : (i + 1) * inner]
            result = out[i * inner : (i + 1) * inner]
            for k in range(inner):
                result[k] = x[np.uint64(base + places[k] * inner + k)]


@kernel(work=4)
def take_columns(x, index, outer, out):
    """out[o, j] = x[o, index[j]]; x and out are flat (outer, *)."""
    n, length = index.size, x.size // outer
    for o in prange(outer):
        row = x[o * length : (o + 1) * length]
        result = out[o * n : (o + 1) * n]
        for j in range(n):
            result[j] = row[np.uint64(index[j])]


def _has_kernel(dtype: np.dtype) -> bool:
    return dtype.kind in "fi" and dtype.itemsize >= 4


def add_at(shape: tuple[int, ...], key: tuple, part: np.ndarray) -> np.ndarray:
    """Zeros of this shape with ``part`` added at ``key``, made of whole slices, masks and integer arrays."""
    out = np.zeros(shape, part.dtype)
    arrays = [k for k in key if isinstance(k, np.ndarray)]
    if all(k.dtype == bool for k in arrays):
        out[key] = part  # masks name no place twice
        return out
    key = tuple(i for k in key for i in (np.nonzero(k) if isinstance(k, np.ndarray) and k.dtype == bool else (k,)))
    lead = 0
    while lead < len(key) and isinstance(key[lead], slice):
        lead += 1
    picks = key[lead:]
    if any(isinstance(k, slice) for k in picks):
        np.add.at(out, key, part)
        return out
    axes = shape[lead : lead + len(picks)]
    if len(picks) == 1:
        index = np.where(picks[0] < 0, picks[0] + axes[0], picks[0]).reshape(-1)
    else:
        places = [np.where(k < 0, k + n, k) for k, n in zip(picks, axes, strict=True)]
        index = np.ravel_multi_index(places, axes).reshape(-1)
    outer, length, inner = math.prod(shape[:lead]), math.prod(axes), math.prod(shape[lead + len(picks) :])
    if _has_kernel(part.dtype):
        index = index.astype(np.int64, copy=False)
        if not are_places(part, index, length):
            raise IndexError(f"index: an index must lie within the lengths {axes}; got one outside")
        # To look through the index takes as long as to add some fifty numbers.
        shares = -(-threads.count // max(outer, 1)) if inner >= 64 else 1
        run = add_rows if outer * shares > 1 else add_rows.serially
        run(part.reshape(-1), index, outer, index.size, length, inner, shares, out.reshape(-1))
    else:
        rows = np.arange(outer)[:, None] * length + index
        flat = rows[..., None] * inner + np.arange(inner)
        np.add.at(out.reshape(-1), flat.reshape(-1), part.reshape(-1))
    return out


def add_along(shape: tuple[int, ...], dim: int, index: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Zeros of this shape with each element of ``part`` added at ``index`` along ``dim``."""
    out = np.zeros(shape, part.dtype)
    if _has_kernel(part.dtype) and _fills(index.shape, shape, dim):
        add_elements(part.reshape(-1), *_seen(index, shape, dim), out.reshape(-1))
    else:
        np.add.at(out.reshape(-1), flat_index(shape, dim, index).reshape(-1), part.reshape(-1))
    return out


def put_along(x: np.ndarray, dim: int, index: np.ndarray, part: np.ndarray) -> np.ndarray:
    """A copy of x with each element of ``part`` at ``index`` along ``dim``; of several for one place the last stays."""
    out = np.array(x, order="C")
    if part.shape == index.shape and _has_kernel(x.dtype) and _fills(index.shape, x.shape, dim):
        put_elements(part.reshape(-1), *_seen(index, x.shape, dim), out.reshape(-1))
    else:
        out.reshape(-1)[flat_index(x.shape, dim, index)] = part
    return out


def take_along(x: np.ndarray, dim: int, index: np.ndarray) -> np.ndarray:
    """The elements at ``index`` along ``dim``."""
    if not (_has_kernel(x.dtype) and _fills(index.shape, x.shape, dim)):
        return x.reshape(-1).take(flat_index(x.shape, dim, index))
    out = np.empty(index.shape, x.dtype)
    take_elements(x.reshape(-1), *_seen(index, x.shape, dim), out.reshape(-1))
    return out


def take_parts(x: np.ndarray, dim: int, index: np.ndarray) -> np.ndarray:
    """The parts of x along ``dim`` that the 1-d ``index`` names."""
    if dim < x.ndim - 1 or not x.size or not _has_kernel(x.dtype):
        return x.take(index, dim)
    out = np.empty((*x.shape[:-1], index.size), x.dtype)
    take_columns(x.reshape(-1), index.astype(np.int64, copy=False), math.prod(x.shape[:-1]), out.reshape(-1))
    return out


def _fills(index: tuple[int, ...], shape: tuple[int, ...], dim: int) -> bool:
    """Whether an index has the lengths of the array along all other axes; it may be shorter."""
    return index[:dim] == shape[:dim] and index[dim + 1 :] == shape[dim + 1 :]


def _seen(index: np.ndarray, shape: tuple[int, ...], dim: int) -> tuple:
    places = index.astype(np.int64, copy=False).reshape(-1)
    return places, math.prod(shape[:dim]), index.shape[dim], shape[dim], math.prod(shape[dim + 1 :])


def flat_index(shape: tuple[int, ...], dim: int, index: np.ndarray) -> np.ndarray:
    """Where in the flattened array the elements are that ``index`` names along ``dim``."""
    flat = index * math.prod(shape[dim + 1 :])
    for axis, length in enumerate(index.shape):
        if axis != dim:
            steps = np.arange(length) * math.prod(shape[axis + 1 :])
            flat = flat + steps.reshape((-1,) + (1,) * (index.ndim - axis - 1))
    return flat
