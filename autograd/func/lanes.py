"""A tensor inside `vmap`: one lane is seen, all of them are computed with.

`Batched` holds ``value``, a tensor whose first axis is the lanes, and shows the shape of one lane. An operation on it
is run on ``value`` by the interpreter of its level (see `batching`), so the graph is that of ``value`` and a gradient
of all lanes is one backward. In nested maps ``value`` may itself be Batched, at a lower level.
"""

from typing import Any, NoReturn, cast

import numpy as np

from ..modes import state
from ..ops.shape import expand, movedim
from ..tensor import Tensor

__all__ = ["Batched", "Lane", "ValuesNeeded", "absorb", "base_of", "expose", "levels_of", "lift", "outer_levels"]


class ValuesNeeded(RuntimeError):
    """The values of one lane were asked for, which only running lane by lane can answer."""

    def __init__(self) -> None:
        super().__init__(
            "vmap: a tensor was used after the map it belongs to, or by code that needs its values; "
            "got one that stands for every lane; return it from the mapped function"
        )


class _Layout:
    c_contiguous = f_contiguous = writeable = owndata = True


class Lane:
    """What stands for the array of one lane: it knows shape and dtype, and has no values."""

    flags = _Layout()
    base = None

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, strides: tuple[int, ...]) -> None:
        self.shape = shape
        self.dtype = dtype
        self.strides = strides
        self.ndim = len(shape)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return np.ndarray  # what isinstance sees: the rules of promotion look for arrays

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def reshape(self, *shape: Any, **options: Any) -> "Lane":
        """As an array's."""
        view = np.lib.stride_tricks.as_strided(np.zeros((), self.dtype), self.shape, self.strides)
        return Lane((made := view.reshape(*shape, **options)).shape, self.dtype, made.strides)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise ValuesNeeded

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ValuesNeeded


def _needs_values(self: Lane, *args: Any) -> NoReturn:
    raise ValuesNeeded


_OPERATORS = (
    "bool int float index iter getitem setitem eq ne lt le gt ge neg abs invert add radd sub rsub mul rmul truediv "
    "rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul and rand or ror xor rxor"
)
for _name in _OPERATORS.split():
    setattr(Lane, f"__{_name}__", _needs_values)


def _one_number_for_each_lane(name: str, hint: str) -> Any:
    def method(self: "Batched", *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"{name}: inside vmap a tensor has other values in every lane; got one of shape {self.shape} a lane; {hint}"
        )

    method.__name__ = name
    return method


class Batched(Tensor):
    """A tensor in every lane of the map with this ``level``: ``value`` is (lanes, *shape)."""

    __slots__ = ("level", "value")

    def __init__(self, level: int, value: Tensor) -> None:
        self.level = level
        self.value = value
        self._grad = None
        self._hooks = None
        self._version = 0

    @property
    def array(self) -> Any:  # type: ignore[override]
        array = self.value.array
        return Lane(array.shape[1:], array.dtype, array.strides[1:])

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape[1:]

    @property
    def dtype(self) -> np.dtype:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return self.value.ndim - 1

    @property
    def requires_grad(self) -> bool:
        return self.value.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.value.requires_grad = value

    _requires_grad = requires_grad
    _view = property(lambda self: None, lambda self, view: None)  # that of value counts

    @property
    def node(self) -> NoReturn:  # type: ignore[override]
        raise RuntimeError(
            f"vmap: the graph of a mapped tensor is that of all lanes; got one of shape {self.shape} a lane; "
            "take gradients with func.grad or func.vjp"
        )

    def detach(self) -> "Batched":
        return Batched(self.level, self.value.detach())

    data = property(detach)

    _or_where = "choose with where(), which computes both sides"
    __bool__ = _one_number_for_each_lane("bool", _or_where)
    item = _one_number_for_each_lane("item", "keep it a tensor")
    tolist = _one_number_for_each_lane("tolist", "keep it a tensor")
    numpy = _one_number_for_each_lane("numpy", "keep it a tensor")
    backward = _one_number_for_each_lane("backward", "take gradients with func.grad or func.vjp")
    register_hook = _one_number_for_each_lane("register_hook", "take gradients with func.grad or func.vjp")
    retain_grad = _one_number_for_each_lane("retain_grad", "take gradients with func.grad or func.vjp")

    def __index__(self) -> int:
        raise ValuesNeeded  # x[i] with another i in every lane: the function is run lane by lane

    def __repr__(self) -> str:
        return f"Batched(level={self.level}, lanes={self.value.shape[0]}, shape={self.shape}, dtype={self.dtype})"


# --- from level to level ---------------------------------------------------------------------------------------------


def outer_levels() -> list[tuple[int, int]]:
    """Level and number of lanes of every map that is running, the outermost first."""
    return [(i.level, i.lanes) for i in cast(Any, state.interceptors) if hasattr(i, "lanes")]


def lift(x: Tensor, level: int, lanes: int) -> Batched:
    """x as a tensor of that level, the same in each lane if it was not one."""
    if isinstance(x, Batched):
        if x.level == level:
            return x
        if x.level > level:
            return Batched(x.level, lift(x.value, level, lanes))
    return Batched(level, expand(x, (lanes, *x.shape)))


def expose(x: Tensor, level: int, lanes: int) -> Tensor:
    """x with the lanes of that level as its first axis."""
    if isinstance(x, Batched):
        if x.level == level:
            return x.value
        if x.level > level:
            return Batched(x.level, movedim(expose(x.value, level, lanes), 0, 1))
    return expand(x, (lanes, *x.shape))


def absorb(x: Tensor, level: int) -> Batched:
    """What undoes `expose`: the first axis is lanes again."""
    if isinstance(x, Batched) and x.level > level:
        return Batched(x.level, absorb(movedim(x.value, 0, 1), level))
    return Batched(level, x)


def levels_of(x: Tensor) -> list[tuple[int, int]]:
    """The levels a tensor has lanes at, the outermost map first."""
    found = []
    while isinstance(x, Batched):
        found.append((x.level, x.value.shape[0]))
        x = x.value
    return found[::-1]


def base_of(x: Tensor) -> Tensor:
    """The tensor of all lanes of all levels."""
    while isinstance(x, Batched):
        x = x.value
    return x
