"""Shapes: the same elements seen otherwise. Everything here that can share memory with its input does."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import to_dtype
from ..kernels.reduce import SUM, reduce
from ..kernels.turn import LARGE, row_major
from ..tensor import Tensor
from .dims import as_shape, normal_dim, numpy_spelling, remembered
from .op import op

__all__ = [
    "broadcast_shapes", "broadcast_tensors", "broadcast_to", "expand", "expand_as", "flatten", "moveaxis", "movedim",
    "permute", "ravel", "reshape", "reshape_as", "squeeze", "swapaxes", "swapdims", "t", "transpose", "unflatten",
    "unsqueeze", "view", "view_as",
]  # fmt: skip


# --- broadcasting and its undoing ------------------------------------------------------------------------------------


@op(x=lambda g, shape: _expand(g, to=shape))
def _sum_to(x, *, to):
    """The sum over the axes along which ``to`` was broadcast to the shape of x."""
    return reduce(SUM, x, broadcast_axes(to, x.shape)).reshape(to)


def broadcast_axes(shape: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of ``to`` along which ``shape`` is broadcast to it."""
    lead = len(to) - len(shape)
    return (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and to[lead + i] != 1))


@op(view=True, x=lambda g, shape: _sum_to(g, to=shape))
def _expand(x, *, to):
    """x repeated, without a copy, to the shape ``to``."""
    if not x.flags.c_contiguous:
        repeats = math.prod(to) != x.size
        return np.broadcast_to(x, to) if repeats else x[(*[None] * (len(to) - x.ndim), ...)]  # that can be written to
    return np.ndarray(to, x.dtype, x, 0, _steps(x.shape, x.strides, to))


@remembered
def _steps(shape: tuple[int, ...], strides: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array that is repeated to the shape ``to``: 0 along new and stretched axes."""
    lead = len(to) - len(shape)
    return (*[0] * lead, *(0 if n != m else s for n, m, s in zip(shape, to[lead:], strides, strict=True)))


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """What undoes broadcasting: the sum of x over the axes that broadcasting added or stretched; shape (*) -> shape.

    Its derivative is `expand`, and the reverse.
    """
    return x if x.shape == shape else _sum_to(x, to=tuple(shape))


def expand(input: Any, *sizes: Any, size: Any = None) -> Any:
    """The tensor with axes of length 1 stretched (and new ones in front), sharing memory; -1 keeps a length."""
    return _expand(input, to=_stretched(input.shape, as_shape(sizes if size is None else (size,))))


@remembered
def _stretched(shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """``wanted`` with each -1 replaced by the length that is there."""
    lead = len(wanted) - len(shape)
    kept = [shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)]
    fits = lead >= 0 and all(n in (1, m) for n, m in zip(shape, kept[lead:], strict=True)) and min([0, *kept]) == 0
    if not fits:
        raise RuntimeError(
            f"expand: only axes of length 1 can be stretched; got {shape} to {wanted}; "
            "lengths are matched from the last axis on"
        )
    return tuple(kept)


def expand_as(input: Any, other: Any) -> Any:
    """`expand` to the shape of ``other``."""
    return expand(input, other.shape)


@numpy_spelling(shape="size")
def broadcast_to(input: Any, *sizes: Any, size: Any = None) -> Any:
    """`expand` under numpy's name."""
    return expand(input, *sizes, size=size)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that tensors of these shapes broadcast to.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return common_shape("broadcast_shapes", shapes)


def common_shape(op: str, shapes: Sequence[Any]) -> tuple[int, ...]:
    """The shape that these broadcast to, or the error of the operation that needs one."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(
            f"{op}: the shapes do not broadcast; got {', '.join(map(str, shapes))}; "
            "from the last axis on, lengths must be equal or one of them 1"
        ) from None


def broadcast_tensors(*tensors: Any) -> tuple:
    """The tensors expanded to the shape they broadcast to."""
    return broadcast_for("broadcast_tensors", tensors)


def broadcast_for(op: str, tensors: Sequence[Any]) -> tuple:
    """The tensors expanded to one shape for this operation."""
    shape = common_shape(op, [tuple(x.shape) for x in tensors])
    return tuple(expand(x, shape) for x in tensors)


# --- another shape ---------------------------------------------------------------------------------------------------


@op(view=True, x=lambda g, shape: _reshape(g, to=shape))
def _reshape(x, *, to):
    if x.size < LARGE or x.flags.c_contiguous:
        return x.reshape(to)
    try:
        return x.reshape(to, copy=False)
    except ValueError:
        return row_major(x).reshape(to)


def reshape(input: Any, *sizes: Any, shape: Any = None) -> Any:
    """The same elements in row-major order in another shape; one length may be -1. Shares memory where it can."""
    to = _solve("reshape", input.shape, as_shape(sizes if shape is None else (shape,)))
    return _reshape(input, to=to)


def view(input: Any, *sizes: Any, size: Any = None, dtype: Any = None) -> Any:
    """`reshape` that never copies: an error where the memory layout does not allow it. With a dtype: a reading of
    the same bytes as that dtype, outside the graph.
    """
    if dtype is not None or (len(sizes) == 1 and isinstance(sizes[0], (np.dtype, type, str))):
        return _reinterpret(input, dtype=to_dtype(sizes[0] if dtype is None else dtype))
    to = _solve("view", input.shape, as_shape(sizes if size is None else (size,)))
    array = input.array if isinstance(input, Tensor) else input
    try:
        array.reshape(to, copy=False)
    except ValueError:
        raise RuntimeError(
            f"view: the memory layout does not allow it; got shape {input.shape} with strides {array.strides} "
            f"to {to}; use reshape()"
        ) from None
    return _reshape(input, to=to)


@op()
def _reinterpret(x, *, dtype):
    try:
        return x.view(dtype)
    except ValueError:
        raise RuntimeError(
            f"view: the last axis must be contiguous and hold whole elements of the new dtype; "
            f"got shape {x.shape} of {x.dtype} as {dtype}"
        ) from None


def view_as(input: Any, other: Any) -> Any:
    """`view` in the shape of ``other``."""
    return view(input, other.shape)


def reshape_as(input: Any, other: Any) -> Any:
    """`reshape` to the shape of ``other``."""
    return reshape(input, other.shape)


def ravel(input: Any) -> Any:
    """All elements along one axis."""
    return reshape(input, -1) if input.ndim != 1 else input


@remembered
def _solve(op: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """``wanted`` with its -1 replaced by the length that keeps the number of elements."""
    size = math.prod(shape)
    known = math.prod(n for n in wanted if n != -1)
    unknown = wanted.count(-1)
    if unknown == 1 and known and size % known == 0:
        return tuple(size // known if n == -1 else n for n in wanted)
    if unknown > 1:
        raise RuntimeError(f"{op}: only one length may be -1; got {wanted}")
    if unknown or known != size or min([0, *wanted]) < 0:
        raise RuntimeError(f"{op}: the number of elements must stay the same; got {shape} to {wanted}, {size} elements")
    return wanted


@numpy_spelling
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes ``start_dim`` to ``end_dim`` made into one."""
    first, last = (normal_dim("flatten", d, input.ndim) for d in (start_dim, end_dim))
    if first > last:
        raise RuntimeError(f"flatten: start_dim must not come after end_dim; got {start_dim} and {end_dim}")
    if first == last and input.ndim:
        return input
    shape = input.shape
    return _reshape(input, to=(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@numpy_spelling
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """Axis ``dim`` made into several of these lengths; one of them may be -1.

    >>> unflatten(Tensor(np.zeros((2, 6))), 1, (3, -1)).shape
    (2, 3, 2)
    """
    at = normal_dim("unflatten", dim, input.ndim)
    shape = tuple(input.shape)
    if not len(sizes):
        raise RuntimeError("unflatten: sizes name at least one length; got none")
    return _reshape(
        input, to=(*shape[:at], *_solve("unflatten", shape[at : at + 1], as_shape(sizes)), *shape[at + 1 :])
    )


@numpy_spelling
def squeeze(input: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Without the axes of length 1, or without those among ``dim`` that have length 1."""
    ndim = input.ndim
    dims = range(ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    dropped = {normal_dim("squeeze", d, ndim) for d in dims}
    return _reshape(input, to=tuple(n for i, n in enumerate(input.shape) if not (i in dropped and n == 1)))


@numpy_spelling
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of length 1 at ``dim``."""
    at = normal_dim("unsqueeze", dim, input.ndim + 1)
    return _reshape(input, to=(*input.shape[:at], 1, *input.shape[at:]))


# --- another order of the axes ---------------------------------------------------------------------------------------


@op(view=True, x=lambda g, dims: _permute(g, dims=_inverse(dims)))
def _permute(x, *, dims):
    return x.transpose(dims)


@remembered
def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(dims)), key=dims.__getitem__))


@numpy_spelling
def permute(input: Any, *order: Any, dims: Any = None) -> Any:
    """The axes in the order ``dims``."""
    return _permute(input, dims=_order(input.ndim, as_shape(order if dims is None else (dims,))))


@remembered
def _order(ndim: int, named: tuple[int, ...]) -> tuple[int, ...]:
    axes = tuple(normal_dim("permute", d, ndim) for d in named)
    if sorted(axes) != list(range(ndim)):
        raise RuntimeError(f"permute: each axis must be named once; got {named} for {ndim} axes")
    return axes


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes exchanged."""
    a, b = normal_dim("transpose", dim0, input.ndim), normal_dim("transpose", dim1, input.ndim)
    return _permute(input, dims=_exchange(input.ndim, a, b))


@remembered
def _exchange(ndim: int, a: int, b: int) -> tuple[int, ...]:
    order = list(range(ndim))
    if order:
        order[a], order[b] = order[b], order[a]
    return tuple(order)


def reverse(input: Any) -> Any:
    """The axes in reverse order."""
    return _permute(input, dims=_reversed(input.ndim))


@remembered
def _reversed(ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim))[::-1]


swapdims = transpose


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """`transpose` under numpy's name."""
    return transpose(input, axis0, axis1)


def t(input: Any) -> Any:
    """The transpose of a matrix; a tensor of fewer axes as it is."""
    if input.ndim > 2:
        raise RuntimeError(f"t: at most two axes; got shape {tuple(input.shape)}; use transpose() or mT")
    return transpose(input, 0, input.ndim - 1) if input.ndim else _permute(input, dims=())


def movedim(input: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Axes moved to other places, the others in their order."""
    sources, targets = ([d] if isinstance(d, int) else list(d) for d in (source, destination))
    if len(sources) != len(targets):
        raise RuntimeError(f"movedim: one destination for each source; got {source} and {destination}")
    sources = [normal_dim("movedim", d, input.ndim) for d in sources]
    targets = [normal_dim("movedim", d, input.ndim) for d in targets]
    if len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise RuntimeError(f"movedim: each axis is named once; got {source} and {destination}")
    if not input.ndim:
        return _permute(input, dims=())
    order = [d for d in range(input.ndim) if d not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return _permute(input, dims=tuple(order))


moveaxis = movedim
