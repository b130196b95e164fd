"""Checkpointing: backward computes again what forward did not keep."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..modes import enable_grad, intercept, state
from ..random import default_generator
from ..saved import Packing, saved_tensors_hooks
from ..tensor import Tensor
from ..writes import tick, written_since

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool = False,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)`` that keeps none of its intermediate values: backward calls it again for them.

    It costs one more forward and saves the memory of the activations. Gradients are the same to the bit: with
    ``preserve_rng_state`` the second call draws the random numbers of the first. ``use_reentrant`` is accepted and
    changes nothing. ``determinism_check="none"`` lets the second call save tensors of other shapes or dtypes.

    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda t: (t * t).exp(), x).sum().backward()
    >>> x.grad
    tensor([  5.4366, 218.3926])
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(f'checkpoint: determinism_check must be "default" or "none"; got {determinism_check!r}')
    if not state.recording:
        return function(*args, **kwargs)
    segment = _Segment(function, args, kwargs, preserve_rng_state, determinism_check == "default")
    hooks = saved_tensors_hooks(segment.keep_place, segment.value_at)
    hooks.checks_writes = False  # the segment does: it knows the writes of a repetition from those before
    with hooks:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Iterable[Callable],
    segments: int,
    input: Any,
    use_reentrant: bool = False,
    preserve_rng_state: bool = True,
) -> Any:
    """The functions one after the other, in ``segments`` parts of which all but the last are checkpointed.

    >>> import autograd
    >>> x = autograd.tensor([0.5], requires_grad=True)
    >>> checkpoint_sequential([autograd.exp, autograd.sin, autograd.exp], 2, x).backward()
    >>> x.grad
    tensor([-0.3478])
    """
    steps = list(functions)
    if not 1 <= segments <= max(len(steps), 1):
        raise ValueError(f"checkpoint_sequential: segments must be in [1, {len(steps)}]; got {segments}")
    size = len(steps) // segments

    def run(start: int, stop: int) -> Callable:
        def part(x: Any) -> Any:
            for step in steps[start:stop]:
                x = step(x)
            return x

        return part

    for start in range(0, size * (segments - 1), size):
        input = checkpoint(
            run(start, start + size), input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state
        )
    return run(size * (segments - 1), len(steps))(input)


class _Place:
    """Which of the tensors that a segment saved this is; known by its object when backward asks for it."""

    __slots__ = ("dtype", "number", "shape")

    def __init__(self, number: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.number = number
        self.shape = shape
        self.dtype = dtype


class _Enough(Exception):
    """Ends the second call of a function early."""


class _Segment:
    """One checkpointed call: what is needed to repeat it, and what the repetition found."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict, preserve_rng_state: bool, check: bool) -> None:
        self.function = function
        self.kwargs = kwargs
        self.check = check
        self.random = default_generator.get_state() if preserve_rng_state else None
        self.modes = (state.interceptors, state.within)
        # In a checkpoint within a checkpoint the arguments are intermediate values too: the outer one has its way.
        outer = next((i.hooks for i in reversed(state.interceptors) if isinstance(i, Packing)), None)
        self.number = tick()
        self.args = [_Argument(a, outer) for a in args]
        self.count = 0
        self.values: dict[int, Tensor] = {}

    def keep_place(self, tensor: Tensor) -> _Place:
        """What is saved in place of a tensor while the function runs for the first time."""
        self.count += 1
        return _Place(self.count - 1, tensor.shape, tensor.dtype)

    def value_at(self, place: _Place) -> Tensor:
        """The tensor that was saved there: backward asks for each once, and the last that asks leaves nothing here."""
        if place.number not in self.values:
            self.values = {}
            self.repeat()
        found = self.values.pop(place.number, None)
        if found is None:
            raise RuntimeError(
                "checkpoint: the function must do the same when backward calls it again; "
                f"got {self.count} tensors saved the first time, fewer the second"
            )
        if self.check and (found.shape != place.shape or found.dtype != place.dtype):
            raise RuntimeError(
                "checkpoint: the function must do the same when backward calls it again; got a tensor of shape "
                f"{place.shape} and {place.dtype} the first time, {found.shape} and {found.dtype} the second"
            )
        line = written_since(found.array, self.number, self.repeated)
        if line is not None:
            raise RuntimeError(_changed("a tensor that the function reads", found, line))
        return found

    def repeat(self) -> None:
        """Run the function again for the tensors it saves."""
        values, count = self.values, self.count
        number = 0

        def collect(tensor: Tensor) -> None:
            nonlocal number
            values[number] = tensor
            number += 1
            if number == count:
                raise _Enough

        args = [a.value(self.number) for a in self.args]
        self.repeated = tick()
        interceptors, within = self.modes
        outer_random, outer_within = default_generator.get_state(), state.within
        state.within = within
        try:
            if self.random is not None:
                default_generator.set_state(self.random)
            with enable_grad(), intercept(interceptors), saved_tensors_hooks(collect, _never):
                self.function(*args, **self.kwargs)
        except _Enough:
            pass
        finally:
            state.within = outer_within
            if self.random is not None:
                default_generator.set_state(outer_random)


def _never(packed: Any) -> Any:
    raise AssertionError("the graph of a repetition is not walked")


class _Argument:
    """An argument of a checkpointed function, kept for its repetition."""

    def __init__(self, value: Any, hooks: saved_tensors_hooks | None) -> None:
        is_tensor = isinstance(value, Tensor)
        self.hooks = hooks if is_tensor else None
        self.requires_grad = is_tensor and value.requires_grad
        self.held = value.detach() if is_tensor else value
        if self.hooks is not None:
            self.held = self.hooks.pack_hook(self.held)

    def value(self, number: int) -> Any:
        """The argument, a tensor outside the graph it came from."""
        held = self.held if self.hooks is None else self.hooks.unpack_hook(self.held)
        if not isinstance(held, Tensor):
            return held
        line = written_since(held.array, number) if type(held.array) is np.ndarray else None
        if line is not None:
            raise RuntimeError(_changed("an argument", held, line))
        return held.detach().requires_grad_(self.requires_grad)


def _changed(what: str, tensor: Tensor, line: str) -> str:
    return (
        f"checkpoint: {what} was changed in place before backward called the function again; "
        f"got a tensor of shape {tensor.shape} overwritten at {line}; clone() it before the change"
    )
