"""Parts of a tensor along an axis. All of them share its memory."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..door import note_view
from ..tensor import Tensor
from .dims import normal_dim, numpy_spelling
from .index import _getitem
from .join import _cat, _stack
from .op import op

__all__ = ["chunk", "dsplit", "hsplit", "narrow", "select", "split", "tensor_split", "unbind", "vsplit"]


def along(dim: int, part: Any) -> tuple:
    """The key that names ``part`` along one axis; the Ellipsis makes numpy give a view in any case."""
    return (*[slice(None)] * dim, part, ...)


@numpy_spelling
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The part at ``index`` along ``dim``, without that axis: ``input[index]`` for dim 0."""
    at = _axis("select", input, dim)
    length = input.shape[at]
    if not -length <= index < length:
        raise IndexError(f"select: index must be in [{-length}, {length - 1}] for dim {at}; got {index}")
    return _getitem(input, key=along(at, int(index)))


@numpy_spelling
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``length`` places along ``dim`` from ``start`` on: ``input[start : start + length]`` for dim 0."""
    at = _axis("narrow", input, dim)
    size, first, length = input.shape[at], int(start), int(length)
    if not -size <= first <= size:
        raise IndexError(f"narrow: start must be in [{-size}, {size}] for dim {at}; got {first}")
    first += size if first < 0 else 0
    if length < 0 or first + length > size:
        raise RuntimeError(
            f"narrow: start + length must be at most {size}, the length of dim {at}; got {first} + {length}"
        )
    return _getitem(input, key=along(at, slice(first, first + length)))


def _axis(name: str, input: Any, dim: int, error: type[Exception] = IndexError) -> int:
    at = normal_dim(name, dim, input.ndim)
    if not input.ndim:
        raise error(f"{name}: a 0-d tensor has no axis; got dim={dim}")
    return at


# --- several parts ---------------------------------------------------------------------------------------------------
# One operation with several outputs: the gradient of one part alone would be as large as the tensor.


def _gradients(gs: Sequence, shapes: Sequence[tuple[int, ...]]) -> list:
    """The gradients of all outputs; one that was not used has zeros."""
    dtype = next(g.dtype for g in gs if g is not None)
    return [np.zeros(shape, dtype) if g is None else g for g, shape in zip(gs, shapes, strict=True)]


def _joined(g: Sequence, shape: tuple[int, ...], dim: int, bounds: Sequence[int]) -> Any:
    shapes = [(*shape[:dim], e - s, *shape[dim + 1 :]) for s, e in itertools.pairwise(bounds)]
    return _cat(*_gradients(g, shapes), dim=dim, starts=bounds[:-1])


@op(x=_joined)
def _split(x, *, dim, bounds):
    return tuple(x[along(dim, slice(s, e))] for s, e in itertools.pairwise(bounds))


def _stacked(g: Sequence, shape: tuple[int, ...], dim: int) -> Any:
    return _stack(*_gradients(g, [(*shape[:dim], *shape[dim + 1 :])] * shape[dim]), dim=dim)


@op(x=_stacked)
def _unbind(x, *, dim):
    return tuple(x[along(dim, i)] for i in range(x.shape[dim]))


def _as_views(parts: tuple, input: Any, dim: int, keys: Sequence) -> tuple:
    """Each part is known as a view, so that a write to it reaches the history of the input."""
    for part, key in zip(parts, keys, strict=True):
        note_view(_getitem, input, {"key": along(dim, key)}, part)
    return parts


def _cut(input: Any, dim: int, bounds: Sequence[int]) -> tuple:
    """The parts between one bound and the next."""
    places = [slice(s, e) for s, e in itertools.pairwise(bounds)]
    return _as_views(_split(input, dim=dim, bounds=tuple(bounds)), input, dim, places)


def _lengths(name: str, input: Any, dim: int, lengths: Sequence[int]) -> tuple:
    if sum(lengths) != input.shape[dim] or min([0, *lengths]) < 0:
        raise RuntimeError(
            f"{name}: the lengths must add up to {input.shape[dim]}, the length of dim {dim}; got {list(lengths)}"
        )
    return _cut(input, dim, [0, *itertools.accumulate(lengths)])


@numpy_spelling(tensor="input", split_size="split_size_or_sections")
def split(input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of this length along ``dim`` (the last may be shorter), or of these lengths.

    >>> [part.tolist() for part in split(Tensor([1.0, 2.0, 3.0]), 2)]
    [[1.0, 2.0], [3.0]]
    """
    at = _axis("split", input, dim, RuntimeError)
    if not isinstance(split_size_or_sections, int):
        return _lengths("split", input, at, [int(n) for n in split_size_or_sections])
    n, step = input.shape[at], split_size_or_sections
    if step < 0 or (step == 0 and n):
        raise RuntimeError(f"split: the length of a part must be positive; got {step}")
    return _cut(input, at, [*range(0, n, step), n] if n else [0, 0])


@numpy_spelling
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """``chunks`` parts of equal length along ``dim``, the last one shorter if need be; fewer if they don't fill up."""
    at = _axis("chunk", input, dim)
    if chunks < 1:
        raise RuntimeError(f"chunk: at least one chunk; got {chunks}")
    n = input.shape[at]
    return split(input, -(-n // chunks), at) if n else _cut(input, at, [0] * (chunks + 1))


@numpy_spelling(sections="indices_or_sections", indices="indices_or_sections")
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """So many parts along ``dim`` of lengths that differ by at most one, or parts that begin at these places.

    >>> [part.tolist() for part in tensor_split(Tensor([1.0, 2.0, 3.0]), 2)]
    [[1.0, 2.0], [3.0]]
    """
    at = _axis("tensor_split", input, dim)
    n, wanted = input.shape[at], indices_or_sections
    if isinstance(wanted, Tensor):
        wanted = wanted.tolist()
    if not isinstance(wanted, int):
        places = [slice(*pair) for pair in itertools.pairwise([None, *map(int, wanted), None])]
        return tuple(_getitem(input, key=along(at, place)) for place in places)
    if wanted < 1:
        raise RuntimeError(f"tensor_split: at least one part; got {wanted}")
    return _cut(input, at, [i * (n // wanted) + min(i, n % wanted) for i in range(wanted + 1)])


def _by_axis(name: str, axes: int, place: int) -> Callable[[Tensor, Any], tuple[Tensor, ...]]:
    def function(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        if input.ndim < axes:
            raise RuntimeError(
                f"{name}: at least {axes} {'axis' if axes == 1 else 'axes'} needed; got shape {tuple(input.shape)}"
            )
        dim = 0 if input.ndim == 1 else place
        n = input.shape[dim]
        if isinstance(indices_or_sections, int) and (indices_or_sections < 1 or n % indices_or_sections):
            raise RuntimeError(
                f"{name}: the parts of dim {dim} must be of one length; got {n} in {indices_or_sections}"
            )
        return tensor_split(input, indices_or_sections, dim)

    function.__name__ = name
    function.__doc__ = f"`tensor_split` along dim {place}, into parts of equal length or at these places."
    return function


hsplit = _by_axis("hsplit", 1, 1)
vsplit = _by_axis("vsplit", 2, 0)
dsplit = _by_axis("dsplit", 3, 2)


@numpy_spelling
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts along ``dim``, each without that axis.

    >>> unbind(Tensor([1.0, 2.0]))
    (tensor(1.), tensor(2.))
    """
    at = _axis("unbind", input, dim)
    return _as_views(_unbind(input, dim=at), input, at, range(input.shape[at]))
