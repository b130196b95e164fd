"""Updates in place from a formula: an optimizer's rule, one line of the paper per line of code.

    @update
    def momentum(p, g, m, *, lr, beta):
        m = beta * m + g
        return p - lr * m, m

The positional parameters are tensors of one shape, the keyword-only ones numbers. What the formula returns is written
back: the first value into the first tensor, the second and later ones into the tensors after the gradient ``g``. The
formula is printed as one loop that passes once over the memory of a parameter.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import note_write
from ..kernels.printer import Argument
from ..kernels.symbol import Symbol
from ..kernels.ufuncs import compile_formula
from ..tensor import Tensor

__all__ = ["Update", "update"]


class Update:
    """A formula that updates tensors in place; call it with one list of tensors for each positional parameter."""

    def __init__(self, formula: Callable) -> None:
        self.formula = formula
        self.name = formula.__name__
        self.__doc__ = formula.__doc__
        parameters = inspect.signature(formula).parameters.values()
        self.tensors = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        self.numbers = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self._kernels: dict[np.dtype, Callable] = {}
        symbols = [Symbol.input(name) for name in (*self.tensors, *self.numbers)]
        count = len(self.tensors)
        returned = formula(*symbols[:count], **dict(zip(self.numbers, symbols[count:], strict=True)))
        self.outputs = [Symbol.of(r) for r in (returned if isinstance(returned, tuple) else (returned,))]
        writable = [i for i, name in enumerate(self.tensors) if name != "g"]
        self.written = writable[: len(self.outputs)]
        assert len(self.written) == len(self.outputs), f"{self.name}: more results than tensors to write them to"

    def __call__(self, *tensors: Sequence[Tensor], **numbers: float) -> None:
        """Update the i-th tensor of each list together, for every i; the numbers are the same for all."""
        if numbers.keys() != set(self.numbers):
            raise TypeError(f"{self.name}: takes the numbers {', '.join(self.numbers)}; got {', '.join(numbers)}")
        scalars: dict[np.dtype, list[np.ndarray]] = {}
        for group in zip(*tensors, strict=True):
            arrays = [t.array for t in group]
            dtype = arrays[0].dtype
            kernel = self._kernels.get(dtype)
            if kernel is None:
                kernel = self._compile(dtype)
            values = scalars.get(dtype)
            if values is None:
                values = scalars[dtype] = [np.array(numbers[name], dtype) for name in self.numbers]
            kernel(*arrays, *values, out=tuple([arrays[i] for i in self.written]))
            for i in self.written:
                note_write(arrays[i])

    def _compile(self, dtype: np.dtype) -> Callable:
        tensors = [Argument(name, dtype) for name in self.tensors]
        numbers = [Argument(name, dtype, scalar=True) for name in self.numbers]
        kernel = compile_formula(self.name, [*tensors, *numbers], self.outputs, [dtype] * len(self.outputs), dtype)
        self._kernels[dtype] = kernel
        return kernel


def update(formula: Callable[..., Any]) -> Update:
    """Make the decorated formula an update in place."""
    return Update(formula)
