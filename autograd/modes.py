"""What each thread has switched on: whether operations are recorded, and who looks on while they run."""

import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any

__all__ = [
    "enable_grad", "inference_mode", "intercept", "is_grad_enabled", "is_inference_mode_enabled", "no_grad",
    "set_grad_enabled", "state",
]  # fmt: skip


class _State(threading.local):
    """What each thread has switched on: recording, the module whose forward is running, and who looks on."""

    recording = True
    inference = False
    # The module whose forward is running, and if nothing of the user's runs in it, the place that called it.
    within: tuple[Any, Any] = (None, None)
    interceptors: tuple[Callable, ...] = ()
    watch: Callable | None = None  # is told of every node that a backward passes: (node, saved, gradient, parts)
    overwritten: Any = None  # the tensor whose new value is being computed, for interceptors that keep values
    on_draw: tuple[Callable, ...] = ()  # are told before random numbers are drawn
    tracer: Any = None  # the compiler's, while it watches a function run


state = _State()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return state.recording


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference


class _Mode(ContextDecorator):
    """Switches of this thread, set at entry and put back at exit; a context or a decorator. None changes nothing."""

    def __init__(self, recording: bool, inference: bool | None = None) -> None:
        self.recording = recording
        self.inference = inference
        self._outer: list[tuple[bool, bool]] = []

    def _recreate_cm(self) -> "_Mode":
        # Each call of a decorated function, in whatever thread, keeps its own memory of what was set before.
        return _Mode(self.recording, self.inference)

    def __enter__(self) -> None:
        self._outer.append((state.recording, state.inference))
        state.recording = self.recording
        if self.inference is not None:
            state.inference = self.inference

    def __exit__(self, *exc: object) -> None:
        state.recording, state.inference = self._outer.pop()


def no_grad(function: Callable | None = None) -> Any:
    """Record nothing: ``with no_grad():``, ``@no_grad()`` or ``@no_grad``."""
    return _Mode(False) if function is None else _Mode(False)(function)


def enable_grad(function: Callable | None = None) -> Any:
    """Record again inside `no_grad`: ``with enable_grad():``, ``@enable_grad()`` or ``@enable_grad``."""
    return _Mode(True) if function is None else _Mode(True)(function)


def inference_mode(mode: bool | Callable = True) -> Any:
    """As `no_grad`, for code that never asks for a gradient; ``inference_mode(False)`` switches it off inside."""
    if callable(mode):
        return _Mode(False, True)(mode)
    return _Mode(not mode, mode)


class set_grad_enabled(_Mode):  # noqa: N801 (PyTorch's name)
    """Switch recording on or off at once; as a context until the block ends, as a decorator for each call.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self.__enter__()

    def __call__(self, function: Any) -> Any:
        self.__exit__()  # decorating switches nothing yet
        return _Mode(self.recording)(function)

    def __enter__(self) -> None:
        if not self._outer:
            super().__enter__()


# Not empty while any thread has interceptors, as one with a tracer has: to look at a global costs less than to look at
# the thread's state.
intercepting: list[None] = []


class intercept:  # noqa: N801 (a context, used like a function)
    """Have these interceptors run every operation of this thread until the ``with`` block ends, the last one first.

    An interceptor is called as ``interceptor(op, inputs, attrs)`` and goes on with ``op(*inputs, **attrs)``, which
    reaches the interceptor before it, and from the first one the operation itself.
    """

    def __init__(self, interceptors: tuple[Callable, ...]) -> None:
        self.interceptors = interceptors

    def __enter__(self) -> None:
        self.outer = state.interceptors
        state.interceptors = self.interceptors
        intercepting.append(None)

    def __exit__(self, *exc: object) -> None:
        intercepting.pop()
        state.interceptors = self.outer
