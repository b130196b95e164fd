"""`compile`: a function of tensors as one program of machine code.

    @autograd.compile
    def step(x, y):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

The first call runs the function as it stands, watched. In the order in which they come into it:

program   what is written down: memory, references to parts of it, steps that read and write them
trace     every operation as a step; `blocks` knows the memory, `natives` the operations a program has a step for,
          `kernel_runs` and `effects` hand-written kernels, `pieces` is what a program calls as it stands
capture   from one watched run to a program, and the program of its gradients
fuse      the steps in an order that makes one loop of many elementwise ones
memory    a place for what lies between steps
walk      how a loop goes over its arrays; `loops` prints it, `emit` the whole text, which numba compiles
runner    a program that is run: its memory, and its compiled functions
variant   what a program is to Python: when it fits, and the way back; `entry` prints the function that runs it
function  what the user gets: it finds the program that fits a call; `report` says what became of it
"""

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["compile"]


def compile(function: Callable | None = None, *, limit: int = 16) -> Any:
    """The function as a program of machine code that gives the same results, run after run; also a decorator.

    ``function`` takes tensors, or closes over a model, a loss and an optimizer; zero_grad, forward, backward and step
    may all be in it. Its first call for each kind of arguments (shapes, dtypes, requires_grad, other values) runs as it
    stands and is watched; later ones run the program, in the same memory: parameters, optimizer state and running
    statistics change in place and are seen by all other code at once. What is returned is new at every call.

    What the function does besides operations on tensors happens when it is captured, and not again. Rates of
    schedulers, counts of steps and random numbers are read anew at every run. A module that changes between train and
    eval or is made of other parts, a parameter that is given other memory or stops requiring a gradient, an optimizer
    with other options or another state, lead to another program; after ``limit`` of them the function runs uncompiled,
    with a warning that says what changed. Reading a value that differs from run to run (``if loss > 1``,
    ``loss.item()``) is an error that names the line. A variable of the function that stands for another tensor than
    before is not noticed: what changes is passed as an argument.

    Gradients flow through what is returned, if it has a graph; they have no graph themselves.

    >>> import autograd
    >>> w = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> @autograd.compile
    ... def descend(x):
    ...     w.grad = None
    ...     loss = ((w * x).sum() - 1) ** 2
    ...     loss.backward()
    ...     with autograd.no_grad():
    ...         w.sub_(w.grad * 0.1)
    ...     return loss
    >>> x = autograd.tensor([1.0, 0.5])
    >>> [round(descend(x).item(), 4) for _ in range(3)]
    [1.0, 0.5625, 0.3164]
    """
    if function is None:
        return functools.partial(compile, limit=limit)
    if not callable(function):
        raise TypeError(f"compile: a function is needed; got {type(function).__name__}")
    # Here and not above, so that importing the library does not import the rooms of the compiler.
    from .function import Compiled

    return Compiled(function, limit)
