"""Reading and writing through a key, ``x[key]``, with PyTorch's meaning of keys.

A key is taken apart into two. Integers, slices, None and Ellipsis make a view of x. Masks and integer tensors then pick
from that view. NumPy does both at once and counts an integer among the tensors, so ``x[0, :, [1, 2]]`` has another
order of axes there; here as in PyTorch it is ``x[0][:, [1, 2]]``. The tensors that pick are inputs of the operation,
and a `Place` in the key says where each stands.
"""

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import bool_, int64, uint8
from ..kernels.scatter import add_at
from ..tensor import Tensor
from .convert import cast
from .op import op
from .shape import expand, reshape, sum_to

__all__ = ["index_put"]

_ALL = slice(None)
_ZERO = np.zeros(())
_BOUNDS = frozenset((int, type(None)))


class Place(NamedTuple):
    """Stands in a key for the index tensor that is an input of its own."""

    number: int


class Key(NamedTuple):
    """A key taken apart: the tensors in it, what makes the view, what picks from the view. None is all of it."""

    indices: list
    basic: tuple | None
    picked: tuple | None


_FIRST = (Place(0),)


def _fill(key: tuple, indices: Sequence[np.ndarray]) -> tuple:
    """The key with the index arrays in their places; a 0-d mask takes all or nothing of a new axis."""
    return tuple(np.atleast_1d(indices[k.number]) if type(k) is Place else k for k in key)


# --- reading ---------------------------------------------------------------------------------------------------------


@op(view=True, x=lambda g, key, shape: _ungetitem(g, key=key, to=shape))
def _getitem(x, *, key):
    return x[key]


@op(part=lambda g, key: _getitem(g, key=key))
def _ungetitem(part, *, key, to):
    """Zeros of shape ``to`` with ``part`` where the key points."""
    out = np.zeros(to, part.dtype)
    out[key] = part
    return out


@op(x=lambda g, indices, key, shape: _unpick(g, *indices, key=key, to=shape))
def _pick(x, *indices, key):
    if len(indices) == 1 and indices[0].dtype != bool_:
        return np.take(x, indices[0], len(key) - 1)
    out = x[_fill(key, indices)]
    return out if out.flags.c_contiguous else out.copy()


@op(part=lambda g, indices, key: _pick(g, *indices, key=key))
def _unpick(part, *indices, key, to):
    """Zeros of shape ``to`` with ``part`` added where the key points."""
    return add_at(to, _fill(key, indices), part)


def getitem(x: Any, key: Any) -> Any:
    """``x[key]``: integers, slices, None and Ellipsis give a view; masks and integer tensors a copy."""
    indices, basic, picked = plain_key(key, x.ndim) or split_key(key, tuple(x.shape))
    try:
        part = x if basic is None else _getitem(x, key=basic)
        return part if picked is None else _pick(part, *indices, key=picked)
    except IndexError as error:
        raise IndexError(_explain("index", error, x)) from None


def drop_leading_ones(value: Any, ndim: int) -> Any:
    """A value to be assigned without the leading axes of length 1 that the place does not have."""
    extra = value.ndim - ndim
    fits = extra > 0 and all(n == 1 for n in value.shape[:extra])
    return reshape(value, tuple(value.shape[extra:])) if fits else value


def count_axes(ndim: int, key: Key) -> int:
    """How many axes ``x[key]`` has, of an x with ``ndim`` axes."""
    basic = key.basic or ()
    ndim += sum(part is None for part in basic) - sum(isinstance(part, int) for part in basic)
    taken = sum(max(_axes(index), 1) for index in key.indices)
    return ndim - taken + max((1 if index.dtype == bool_ else index.ndim for index in key.indices), default=0)


@op()
def _places(index, *, length, step):
    """How far into memory the elements are that ``index`` names on an axis of this length, ``step`` apart."""
    if index.size:
        low, high = index.min(), index.max()
        if low < -length or high >= length:  # in the words of numpy, which `_explain` puts into ours
            raise IndexError(f"index {low if low < -length else high} is out of bounds for axis with size {length}")
    return np.where(index < 0, index + length, index) * step


# --- writing ---------------------------------------------------------------------------------------------------------


def _to_value(part: Any, shape: tuple[int, ...]) -> Any:
    """Undo the broadcasting of an assigned value, which may have had more leading ones than the place."""
    extra = len(shape) - part.ndim
    return sum_to(reshape(part, (*[1] * extra, *part.shape)) if extra > 0 else part, shape)


@op(
    x=lambda g, indices, basic, picked: _setitem(g, _ZERO.astype(g.dtype), *indices, basic=basic, picked=picked),
    value=lambda g, indices, basic, picked, shape: _to_value(_at(g, indices, basic, picked), shape),
)
def _setitem(x, value, *indices, basic, picked):
    return write(x.copy(), value, *indices, basic=basic, picked=picked)


def write(x: np.ndarray, value: np.ndarray, *indices: Any, basic: tuple | None, picked: tuple | None) -> np.ndarray:
    """Write into the array itself."""
    view = x if basic is None else x[basic]
    view[... if picked is None else _fill(picked, [_array(i) for i in indices])] = value
    return x


def _at(x: Any, indices: Sequence, basic: tuple | None, picked: tuple | None) -> Any:
    part = x if basic is None else _getitem(x, key=basic)
    return part if picked is None else _pick(part, *indices, key=picked)


def setitem(x: Any, value: Any, key: Any, name: str = "setitem", how: Callable = _setitem) -> Any:
    """A copy of x with ``value``, broadcast, at ``x[key]``; with ``how=write`` and arrays x itself."""
    indices, basic, picked = split_key(key, tuple(x.shape), name)
    try:
        return how(x, value, *indices, basic=basic, picked=picked)
    except IndexError as error:
        raise IndexError(_explain(name, error, x)) from None
    except (ValueError, TypeError):  # a TypeError is numpy's for a mask
        place = tuple(_at(np.empty(x.shape, bool_), [_array(i) for i in indices], basic, picked).shape)
        raise RuntimeError(
            f"{name}: the value must broadcast to the place; got {tuple(value.shape)} for {place}"
        ) from None


def _array(x: Any) -> np.ndarray:
    return x.array if isinstance(x, Tensor) else x


def _values_of_masks(index: Any) -> Any:
    return _array(index) if index.dtype == bool_ else index


def index_put(input: Tensor, indices: Sequence, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``values`` at ``input[indices]``, a tuple of tensors; added there if ``accumulate``.

    >>> index_put(Tensor([1.0, 2.0]), (Tensor(np.array([1, 1])),), Tensor([5.0, 6.0]), accumulate=True)
    tensor([ 1., 13.])
    """
    key = tuple(_ALL if i is None else i for i in indices)
    if values.dtype != input.dtype:
        raise RuntimeError(f"index_put: input and values have one dtype; got {input.dtype} and {values.dtype}")
    if not accumulate:
        return setitem(input, values, key, "index_put")
    parts, _, picked = split_key(key, tuple(input.shape), "index_put")
    if picked is None:
        return setitem(input, getitem(input, key) + values, key, "index_put")
    try:
        place = tuple(_pick(np.empty(input.shape, bool_), *map(_values_of_masks, parts), key=picked).shape)
    except IndexError as error:
        raise IndexError(_explain("index_put", error, input)) from None
    return input + _unpick(expand(values, place), *parts, key=picked, to=tuple(input.shape))


# --- what a key means ------------------------------------------------------------------------------------------------


def _parts(key: Any) -> tuple:
    """The key as a tuple. PyTorch reads a list that holds more than numbers as one: ``x[[slice(2), 0]]``."""
    if type(key) is tuple:
        return key
    holds_more = isinstance(key, list) and any(
        part is None or part is ... or isinstance(part, (list, tuple, slice, Tensor, np.ndarray)) for part in key
    )
    if holds_more:
        warnings.warn(
            "index: a list that holds more than numbers is read as a tuple, as in PyTorch; "
            "write x[tuple(key)], or x[tensor(key)] for one index tensor",
            stacklevel=5,
        )
        return tuple(key)
    return (key,)


def _slice(name: str, part: slice) -> slice:
    if part == _ALL:
        return _ALL
    try:
        start, stop, step = (None if v is None else operator.index(v) for v in (part.start, part.stop, part.step))
    except TypeError:
        raise TypeError(f"{name}: the bounds of a slice are integers; got {part}") from None
    if step is not None and step < 1:
        raise ValueError(f"{name}: the step of a slice is at least 1; got {step}; use flip()")
    return slice(start, stop, step)


def _selector(name: str, part: Any) -> Any:
    """What picks elements, as a tensor of integers or of truth values; a 0-d integer as a number."""
    if isinstance(part, (bool, np.bool_)):
        return np.array(part)
    if isinstance(part, (list, tuple, range)):
        part = np.array([p.array if isinstance(p, Tensor) else p for p in part]) if len(part) else np.zeros(0, int64)
    if isinstance(part, (int, np.integer)):
        return int(part)
    if not isinstance(part, (Tensor, np.ndarray)):
        raise IndexError(
            f"{name}: integers, slices, None, ..., masks and integer tensors index; "
            f"got {part!r:.40} of type {type(part).__name__}"
        )
    if part.dtype.kind not in "iub":
        raise IndexError(f"{name}: an index tensor holds integers or bools; got {part.dtype}")
    if part.dtype == uint8:  # a mask, as it was before there were bools
        return cast(part, bool_)
    return part if part.ndim or part.dtype == bool_ else operator.index(part)


def plain_key(key: Any, ndim: int) -> Key | None:
    """The usual keys of integers, slices, None and Ellipsis, or one tensor of int64, at once; None for any other, and
    for what is an error.
    """
    if type(key) is Tensor and key.array.dtype == int64 and key.array.ndim and ndim:
        return Key([key], None, _FIRST)
    parts = key if type(key) is tuple else (key,)
    used, dots = 0, 0
    for part in parts:
        kind = type(part)
        if kind is slice:
            used += 1
            if not (type(part.start) in _BOUNDS and type(part.stop) in _BOUNDS):
                return None
            if part.step is not None and (type(part.step) is not int or part.step < 1):
                return None
        elif kind is int:
            used += 1
        elif part is ...:
            dots += 1
        elif part is not None:
            return None
    if used > ndim or dots > 1:
        return None
    # With an Ellipsis numpy gives a view even where the key names a single element.
    return Key([], parts if dots else (*parts, ...), None)


def split_key(key: Any, shape: tuple[int, ...], name: str = "index") -> Key:
    """A key as written, taken apart for a tensor of this shape."""
    parts = [p if p is None or p is ... or isinstance(p, slice) else _selector(name, p) for p in _parts(key)]
    used = sum(_axes(part) for part in parts)
    if used > len(shape):
        raise IndexError(f"{name}: a tensor of {len(shape)} axes has no more to index; got {used} for shape {shape}")
    if not any(isinstance(part, (Tensor, np.ndarray)) for part in parts):
        basic = [_slice(name, part) if isinstance(part, slice) else part for part in parts]
        # With an Ellipsis numpy gives a view even where the key names a single element.
        return Key([], tuple(basic if any(part is ... for part in parts) else [*basic, ...]), None)
    return _split_mixed(name, parts, len(shape) - used, shape)


def _axes(part: Any) -> int:
    """How many axes of the tensor a part of a key speaks of."""
    if part is None or part is ...:
        return 0
    return part.ndim if isinstance(part, (Tensor, np.ndarray)) and part.dtype == bool_ else 1


def _split_mixed(name: str, parts: list, rest: int, shape: tuple[int, ...]) -> Key:
    indices: list[Any] = []
    basic: list[Any] = []
    picked: list[Any] = []
    axis = 0
    for part in parts:
        if part is ...:
            basic += [_ALL] * rest
            picked += [_ALL] * rest
            axis += rest
            rest = 0
            continue
        axes = _axes(part)
        if part is None:
            basic.append(None)
            picked.append(_ALL)
        elif isinstance(part, slice):
            basic.append(_slice(name, part))
            picked.append(_ALL)
        elif isinstance(part, int):
            basic.append(part)
        else:
            if part.dtype == bool_ and part.shape != shape[axis : axis + axes]:
                raise IndexError(
                    f"{name}: a mask has the lengths of the axes it stands for; "
                    f"got {tuple(part.shape)} at dim {axis} of shape {shape}"
                )
            basic += [_ALL] * axes if axes else [None]
            picked.append(Place(len(indices)))
            indices.append(part)
        axis += axes
    while picked[-1] is _ALL:
        picked.pop()
    whole = all(part is _ALL for part in basic)
    return Key(indices, None if whole else tuple(basic), tuple(picked))


def _explain(name: str, error: Exception, x: Any) -> str:
    """numpy's complaint about an index in our words."""
    return f"{name}: {str(error).replace('axis', 'dim').replace('size', 'length')}; got shape {tuple(x.shape)}"
