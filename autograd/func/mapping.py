"""`vmap`: a function of one example made into one of many."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from ..modes import intercept, state
from ..ops.join import cat, stack
from ..ops.shape import movedim
from ..random import default_generator
from ..tensor import Tensor
from . import rules_axes, rules_places, rules_products  # noqa: F401 (they fill the table of rules)
from .batching import Interpreter
from .lanes import Batched, ValuesNeeded, expose
from .tree import leaves, map_leaves, rebuild, spread

__all__ = ["vmap"]

_levels = itertools.count(1)


def vmap(
    func: Callable,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable:
    """The function that maps ``func`` over an axis of its arguments: ``out[i] = func(x[i])``, all i at once.

    ``in_dims`` says which axis of each positional argument is mapped over: an integer, None for an argument that every
    call gets whole, or a nest of these that fits the arguments. ``out_dims`` says where the axis is in each output.
    Keyword arguments are passed whole. ``chunk_size`` examples are computed at once, all of them if None.

    Inside, a tensor has the shape of one example. A branch that depends on its values is an error; code that needs
    them otherwise is run on one example after the other. ``randomness`` says what random functions do: "error",
    "different" numbers in every call, or the "same".

    >>> import autograd
    >>> dot = lambda a, b: (a * b).sum()
    >>> vmap(dot, in_dims=(0, None))(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    if randomness not in ("error", "different", "same"):
        raise ValueError(f'vmap: randomness must be "error", "different" or "same"; got {randomness!r}')
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size must be at least 1; got {chunk_size}")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims, lanes = _check_inputs(in_dims, args)
        values = leaves(args)
        step = lanes if chunk_size is None else chunk_size
        parts = []
        for start in range(0, max(lanes, 1), max(step, 1)):
            count = min(step, lanes - start)
            chunk = values
            if count < lanes:
                chunk = [_slice(x, d, start, count) for x, d in zip(values, dims, strict=True)]
            run = _Run(func, args, chunk, dims, kwargs, count, randomness)
            parts.append(run.all_lanes())
        return _collect(parts, out_dims)

    return mapped


def _check_inputs(in_dims: Any, args: tuple) -> tuple[list[int | None], int]:
    """The mapped axis of every leaf, and its length."""
    if not args:
        raise ValueError("vmap: at least one positional argument must be mapped over; got none")
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(f"vmap: in_dims must be an integer or a tuple that fits the arguments; got {in_dims!r}")
    dims = spread(tuple(in_dims) if isinstance(in_dims, list) else in_dims, args)
    if dims is None:
        raise ValueError(f"vmap: in_dims must fit the arguments; got in_dims={in_dims!r} for {len(args)} arguments")
    found: list[int | None] = []
    sizes: dict[int, None] = {}
    for x, dim in zip(leaves(args), dims, strict=True):
        if dim is None:
            found.append(None)
            continue
        if not isinstance(x, Tensor):
            raise ValueError(
                f"vmap: only a tensor can be mapped over; got in_dims={dim!r} for {type(x).__name__}; "
                "give it in_dims=None"
            )
        if not isinstance(dim, int) or not -x.ndim <= dim < x.ndim:
            raise ValueError(f"vmap: in_dims must name an axis of the argument; got {dim!r} for shape {tuple(x.shape)}")
        found.append(dim % x.ndim)
        sizes[x.shape[dim]] = None
    if not sizes:
        raise ValueError(f"vmap: at least one argument must be mapped over; got in_dims={in_dims!r}")
    if len(sizes) > 1:
        raise ValueError(f"vmap: the mapped axes must be of one length; got {', '.join(map(str, sizes))}")
    return found, next(iter(sizes))


def _slice(x: Any, dim: int | None, start: int, count: int) -> Any:
    return x if dim is None else x[(*[slice(None)] * dim, slice(start, start + count))]


class _Run:
    """One call of a mapped function, on all lanes at once or one after the other."""

    def __init__(
        self, func: Callable, args: tuple, values: list, dims: list, kwargs: dict, lanes: int, randomness: str
    ) -> None:
        self.func, self.args, self.values, self.dims, self.kwargs = func, args, values, dims, kwargs
        self.lanes, self.randomness = lanes, randomness

    def all_lanes(self) -> list[Any]:
        """The nest of outputs, with the lanes as first axis of each."""
        level = next(_levels)
        start = default_generator.get_state()
        try:
            with _drawing(_TOLD[self.randomness]), intercept((*state.interceptors, Interpreter(level, self.lanes))):
                inputs = [
                    x if d is None else Batched(level, x if d == 0 else movedim(x, d, 0))
                    for x, d in zip(self.values, self.dims, strict=True)
                ]
                out = self.func(*rebuild(self.args, inputs), **self.kwargs)
                return map_leaves(lambda y: expose(_check_output(y), level, self.lanes), out)
        except ValuesNeeded:
            default_generator.set_state(start)
        return self.each_lane(start)

    def each_lane(self, start: Tensor) -> Any:
        """The same by calling the function on every lane."""
        if not self.lanes:
            raise RuntimeError("vmap: the function needs values, so it is run lane by lane; got 0 lanes")
        outs = []
        with _drawing(_refuse_randomness if self.randomness == "error" else None):
            for i in range(self.lanes):
                if self.randomness == "same":
                    default_generator.set_state(start)
                inputs = [
                    x if d is None else x[(*[slice(None)] * d, i)] for x, d in zip(self.values, self.dims, strict=True)
                ]
                outs.append(self.func(*rebuild(self.args, inputs), **self.kwargs))
        columns = zip(*(map(_check_output, leaves(out)) for out in outs), strict=True)
        return rebuild(outs[0], [stack(column) for column in columns])


class _drawing:  # noqa: N801 (a context, used like a function)
    """Calls ``told``, if it is not None, before random numbers are drawn in a ``with`` block."""

    def __init__(self, told: Callable | None) -> None:
        self.told = told

    def __enter__(self) -> None:
        self.outer = state.on_draw
        if self.told is not None:
            state.on_draw = (*self.outer, self.told)

    def __exit__(self, *exc: object) -> None:
        state.on_draw = self.outer


def _refuse_randomness() -> None:
    raise RuntimeError(
        'vmap: random numbers were drawn in the mapped function; got randomness="error"; '
        'choose "different" or "same" for the lanes'
    )


def _draw_in_each_lane() -> None:
    raise ValuesNeeded


_TOLD = {"error": _refuse_randomness, "different": _draw_in_each_lane, "same": None}


def _check_output(y: Any) -> Tensor:
    if not isinstance(y, Tensor):
        raise ValueError(f"vmap: the function must return tensors; got {type(y).__name__}; wrap it with tensor()")
    return y


def _collect(parts: Sequence[Any], out_dims: Any) -> Any:
    """The outputs of all chunks, one after the other, with the lanes where they are wanted."""
    first = parts[0]
    dims = spread(tuple(out_dims) if isinstance(out_dims, list) else out_dims, first)
    if dims is None:
        raise ValueError(f"vmap: out_dims must fit the outputs; got out_dims={out_dims!r}")
    outs = []
    for dim, *column in zip(dims, *map(leaves, parts), strict=True):
        y = column[0] if len(column) == 1 else cat(column)
        if not isinstance(dim, int) or not -y.ndim <= dim < y.ndim:
            raise ValueError(f"vmap: out_dims must name an axis of the output; got {dim!r} for shape {tuple(y.shape)}")
        outs.append(y if dim in (0, -y.ndim) else movedim(y, 0, dim))
    return rebuild(first, outs)
