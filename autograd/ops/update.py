"""Updates in place from a formula: an optimizer's rule, one line of the paper per line of code.

    @update
    def momentum(p, g, m, *, lr, beta):
        m = beta * m + g
        return p - lr * m, m

The positional parameters are tensors of one shape, the keyword-only ones numbers. What the formula returns is written
back into the tensors, in order, the gradient ``g`` aside: first into those before it, which graphs may have read, then
into the state after it. The formula is printed as one loop that passes once over the memory of a parameter; what it
computes from the numbers alone is computed once for all parameters, in double precision.
"""

import inspect
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import float16, float32, is_float
from ..kernels.symbol import Symbol
from ..kernels.updates import UpdateKernel
from ..modes import state
from ..tensor import Tensor
from ..writes import note_write

__all__ = ["Update", "update"]

_array_of = operator.attrgetter("array")
_ravel = np.ndarray.ravel


class Update:
    """A formula that updates tensors in place, outside the graph.

    >>> import autograd
    >>> @autograd.update
    ... def descend(p, g, *, lr):
    ...     return p - lr * g
    >>> p, g = autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 1.0])
    >>> descend(p, g, lr=0.5)
    >>> p
    tensor([0.5000, 1.5000])
    """

    def __init__(self, formula: Callable) -> None:
        self.formula = formula
        self.name = formula.__name__
        self.__doc__ = formula.__doc__
        parameters = inspect.signature(formula).parameters.values()
        self.tensors = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        self.numbers = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self._loops: dict[np.dtype, tuple[Callable, Callable]] = {}  # for small and large arrays
        self._variants: dict[tuple[Callable, ...], Update] = {}
        symbols = [Symbol.input(name) for name in (*self.tensors, *self.numbers)]
        count = len(self.tensors)
        returned = formula(*symbols[:count], **dict(zip(self.numbers, symbols[count:], strict=True)))
        outputs = [Symbol.of(r) for r in (returned if isinstance(returned, tuple) else (returned,))]
        writable = [i for i, name in enumerate(self.tensors) if name != "g"]
        self.written = writable[: len(outputs)]
        assert len(self.written) == len(outputs), f"{self.name}: more results than tensors to write them to"
        # So many tensors are those that graphs may have read.
        self._read = self.tensors.index("g") if "g" in self.tensors else len(self.written)
        written = [self.tensors[i] for i in self.written]
        self.kernel = UpdateKernel(self.name, self.tensors, self.numbers, outputs, written)

    def __call__(self, *tensors: Tensor, **numbers: float) -> None:
        """Update these tensors together."""
        if numbers.keys() != {*self.numbers}:
            raise TypeError(f"{self.name}: takes the numbers {', '.join(self.numbers)}; got {', '.join(numbers)}")
        self.each([tensors], self.choose(numbers, {}))

    def choose(self, known: Mapping[str, Any], otherwise: Mapping[str, Any]) -> tuple:
        """Of what is known by name the ``numbers``, in their order."""
        return tuple([known[name] if name in known else otherwise[name] for name in self.numbers])

    def each(self, rows: Iterable[Sequence[Tensor]], numbers: Sequence[Any]) -> None:
        """Update the tensors of each row together; the numbers, in the order of the formula, are the same for all."""
        if state.tracer is not None:
            state.tracer.update(self, rows, numbers)
            return
        values = self.kernel.prepare(*map(float, numbers))
        loops, written, read, many = self._loops, self.written, self._read, self.kernel.many
        arrays: list[np.ndarray] = []
        changed: list[np.ndarray] = []
        last: Any = None
        try:
            for row in rows:
                arrays = [*map(_array_of, row)]
                changed += arrays[:read]
                dtype = arrays[0].dtype
                if dtype is not last:
                    (serially, on_pool), last = loops.get(dtype) or self._compile(dtype), dtype
                loop = serially if arrays[0].size < many else on_pool
                if arrays[0].ndim == 1:
                    loop(*arrays, *values)
                    continue
                flat = [*map(_ravel, arrays)]
                for i in written:
                    if flat[i].base is None:  # a copy: the memory is not contiguous
                        self._copied(loop, arrays, values)
                        break
                else:
                    loop(*flat, *values)
        except Exception:
            self._check(arrays)
            raise
        finally:
            note_write(*changed)

    def after(self, *steps: Callable) -> "Update":
        """The same update of a p and a g that ``steps`` have changed first, in the same pass over memory.

        A step is a formula of (p, g, and numbers by keyword) that returns the new (p, g).
        """
        if not steps:
            return self
        made = self._variants.get(steps)
        if made is None:
            made = self._variants[steps] = Update(self._compose(steps))
        return made

    def _compose(self, steps: tuple[Callable, ...]) -> Callable:
        def names(formula: Callable) -> list[str]:
            return [p.name for p in inspect.signature(formula).parameters.values() if p.kind is p.KEYWORD_ONLY]

        def composed(p: Any, g: Any, *states: Any, **numbers: Any) -> Any:
            for step in steps:
                p, g = step(p, g, **{name: numbers[name] for name in names(step)})
            return self.formula(p, g, *states, **{name: numbers[name] for name in self.numbers})

        numbers = dict.fromkeys([*self.numbers, *(name for step in steps for name in names(step))])
        composed.__name__ = "_".join([self.name, *(step.__name__ for step in steps)])
        composed.__doc__ = self.__doc__
        composed.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in self.tensors]
            + [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in numbers]
        )
        return composed

    def _compile(self, dtype: np.dtype) -> tuple[Callable, Callable]:
        if not is_float(dtype):
            raise TypeError(f"{self.name}: {self.tensors[0]} must be a floating tensor; got {dtype}")
        loops = self.kernel.loops(float32 if dtype == float16 else dtype)  # numba has no arithmetic on halves
        if dtype == float16:
            loops = (self._copied_always(loops[0]), self._copied_always(loops[1]))
        self._loops[dtype] = loops
        return loops

    def _copied_always(self, loop: Callable) -> Callable:
        count = len(self.tensors)
        return lambda *args: self._copied(loop, args[:count], args[count:], float32)

    def _copied(self, loop: Callable, arrays: Sequence, values: Sequence, dtype: Any = None) -> None:
        """Through contiguous copies, for memory that a flat loop can't run over."""
        self._check(arrays)
        flat = [np.array(a, dtype).reshape(-1) for a in arrays]
        loop(*flat, *values)
        for i in self.written:
            arrays[i][...] = flat[i].reshape(arrays[i].shape)

    def _check(self, arrays: Sequence[np.ndarray]) -> None:
        if any(a.shape != arrays[0].shape for a in arrays):
            got = ", ".join(f"{name} {a.shape}" for name, a in zip(self.tensors, arrays, strict=True))
            raise ValueError(f"{self.name}: the tensors must have one shape; got {got}")
        for i in self.written:
            if not arrays[i].flags.writeable:
                raise ValueError(
                    f"{self.name}: {self.tensors[i]} is changed in place; got a read-only array of shape "
                    f"{arrays[i].shape}; clone() it"
                )
            if any(n > 1 and step == 0 for n, step in zip(arrays[i].shape, arrays[i].strides)):
                raise RuntimeError(
                    f"{self.name}: several elements of {self.tensors[i]} share one place in memory; got an expanded "
                    f"tensor of shape {arrays[i].shape}; clone() it"
                )


def update(formula: Callable[..., Any]) -> Update:
    """Make the decorated formula an update in place."""
    return Update(formula)
