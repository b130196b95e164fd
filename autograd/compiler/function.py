"""The function a user gets: it finds the program that fits a call, or captures one."""

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels import threads
from ..modes import intercepting, state
from ..tensor import Tensor
from .capture import capture
from .variant import Changed, Variant, overlaps

__all__ = ["Compiled"]


class Compiled:
    """A function whose calls run as programs; made by `compile`."""

    def __init__(self, function: Callable, limit: int) -> None:
        self.function = function
        self.limit = limit
        self.name = getattr(function, "__name__", type(function).__name__)
        self.variants: dict[Any, list[Variant]] = {}
        self.lock = threading.RLock()
        self._warned = False
        functools.update_wrapper(self, function, updated=())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if intercepting and (state.interceptors or state.tracer is not None):
            return self.function(*args, **kwargs)  # inside vmap, detect_anomaly or another compiled function
        tensors: list[Tensor] = []
        key: tuple = (state.recording, threads.count)
        for value in args:
            key += (_key(value, tensors),)
        if kwargs:
            key += tuple([(name, _key(kwargs[name], tensors)) for name in sorted(kwargs)])
        with self.lock:
            for variant in self.variants.get(key, ()):
                if variant.holds():
                    if (variant.written_inputs or variant.uses_grad) and not variant.fits(tensors):
                        return self.function(*args, **kwargs)
                    try:
                        return variant.run(tensors)
                    except Changed:
                        self.variants[key].remove(variant)
                        break
            if any(overlaps(t.array, [other.array for other in tensors[:i]]) for i, t in enumerate(tensors)):
                return self.function(*args, **kwargs)  # a program knows an argument by its memory
            return self._capture(key, tensors, args, kwargs)

    def _capture(self, key: tuple, tensors: list[Tensor], args: tuple, kwargs: dict) -> Any:
        if sum(map(len, self.variants.values())) >= self.limit:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"compile: {self.name} has been compiled {self.limit} times and runs uncompiled where none of the "
                    f"programs fits; what changed last: {self._changes(key)}; raise limit= or keep it constant",
                    stacklevel=3,
                )
            return self.function(*args, **kwargs)
        inputs = [_stand_in(t) for t in tensors]
        places = {id(t): x for t, x in zip(tensors, inputs, strict=True)}
        given = _replace((args, kwargs), lambda t: places[id(t)])
        captured = capture(lambda: self.function(*given[0], **given[1]), inputs)
        variant = Variant(self.name, captured, inputs, self.lock, (args, kwargs))
        self.variants.setdefault(key, []).append(variant)
        return variant.first(tensors)

    def _changes(self, key: tuple) -> str:
        """What is different from the last program that was compiled."""
        if key in self.variants:
            return "; ".join(reason for variant in self.variants[key][-1:] for reason in variant.reasons())
        last = list(self.variants)[-1]
        if len(last) != len(key):
            return f"{len(key) - 2} arguments instead of {len(last) - 2}"
        names = ["recording", "threads", *(f"argument {i}" for i in range(len(key) - 2))]
        pairs = zip(names, last, key, strict=True)
        return "; ".join(
            f"{name}: {_describe(new)} instead of {_describe(old)}" for name, old, new in pairs if old != new
        )

    # --- looking at it ------------------------------------------------------------------------------------------------

    @property
    def source(self) -> str:
        """The numba text of every program, each with the text of what it calls."""
        return "\n\n".join(variant.source() for variants in self.variants.values() for variant in variants)

    def explain(self) -> str:
        """What became of the function: for each program its segments, loops, memory, and where the time goes.

        Each step is timed by running it on the memory of the program, whose parameters and state are put back.
        """
        from .report import explain

        return explain(self)

    def __repr__(self) -> str:
        count = sum(map(len, self.variants.values()))
        return f"<compiled {self.name}: {count} program{'s' * (count != 1)}>"


# --- arguments -------------------------------------------------------------------------------------------------------

_PLAIN = (int, float, bool, str, bytes, type(None), np.dtype, type, slice, type(Ellipsis))


def _key(value: Any, tensors: list[Tensor]) -> Any:
    """What of an argument decides whether a program fits it; the tensors in it are collected, each once."""
    if isinstance(value, Tensor):
        if tensors:
            for i, other in enumerate(tensors):
                if other is value:
                    return i
        tensors.append(value)
        array = value.array
        needs = value._requires_grad if value._view is None else value.requires_grad
        return (array.shape, array.dtype, needs and (value.node is None, True))
    if isinstance(value, (tuple, list)):
        return (type(value), *[_key(part, tensors) for part in value])
    if isinstance(value, dict):
        return (dict, *[(name, _key(part, tensors)) for name, part in value.items()])
    if isinstance(value, _PLAIN):
        return (type(value), repr(value) if isinstance(value, (float, slice)) else value)
    if isinstance(value, np.ndarray):
        raise TypeError(f"compile: arguments are tensors; got an array of shape {value.shape}; use from_numpy()")
    return (type(value), id(value))


def _replace(value: Any, function: Callable[[Tensor], Any]) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {name: _replace(part, function) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        made = [_replace(part, function) for part in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value


def _stand_in(tensor: Tensor) -> Tensor:
    """What a function is captured with: contiguous memory of its own, and no graph behind it."""
    array = tensor.array
    owns = array.base is None and array.flags.c_contiguous
    if tensor.node is None and owns:
        return tensor
    stand_in = Tensor(array if owns else array.copy(order="C"), requires_grad=tensor.requires_grad)
    stand_in._grad = tensor._grad if tensor.node is None else None
    return stand_in


def _describe(part: Any) -> str:
    """A part of a key in words."""
    if isinstance(part, tuple) and len(part) == 3 and isinstance(part[0], tuple):
        shape, dtype, requires_grad = part
        return f"{dtype} {shape}{' requires_grad' if requires_grad else ''}"
    if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], type):
        return str(part[1])
    return str(part)
