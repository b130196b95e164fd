"""Where the engine meets a compiler that watches a function run (`autograd.compiler`): what is done in Python besides
operations on tensors, and values that Python asks for.
"""

import functools
from collections.abc import Callable
from typing import Any

from .modes import intercepting, state

__all__ = ["decides", "each_run", "in_one_piece", "tally"]


def each_run(function: Callable[[], Any], *tensors: Any) -> Any:
    """Do something in Python: ``function()`` is called now, and before each run of a program that is being captured.

    It returns numbers and arrays (or a nest of them), which the program reads anew each time: a rate, a count of steps,
    random numbers. With ``tensors`` it reads and changes these, and is called at its place among the operations.

    >>> each_run(lambda: 1 + 1)
    2
    """
    tracer = state.tracer
    if tracer is None:
        return function()
    return tracer.in_place(function, tensors) if tensors else tracer.each_run(function)


def decides(function: Callable[[], Any]) -> None:
    """Have a program that is being captured run only as long as ``function()`` gives what it gives now: objects, which
    are compared. Where nothing is captured it is not called.
    """
    if intercepting and state.tracer is not None:
        state.tracer.each_run(function)


def tally(counter: Any) -> float:
    """Add 1 to a counter, a tensor of one element, in place and outside the graph; returns what it has come to.

    >>> import autograd
    >>> steps = autograd.tensor(4.0)
    >>> tally(steps)
    5.0
    """
    if intercepting and state.tracer is not None:
        return state.tracer.tally(counter)
    array = counter.array
    count = array.item() + 1
    array[()] = count
    return count


def in_one_piece(function: Callable) -> Callable:
    """Mark a function of tensors whose operations depend on values (which rows a bag has, how long a target is): a
    program calls it as it stands, forward and backward, at every run.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if state.tracer is None:
            return function(*args, **kwargs)
        return state.tracer.in_one_piece(function, args, kwargs)

    return wrapper
