"""Hand-written kernels: loops over arrays that no formula says, such as a softmax along rows.

`kernel` takes the text of a function, puts the printer's prologue and the scalar functions it uses in front of it, and
compiles that for a dtype when an array of the dtype first comes along. So hand kernels and printed ones share one
loader, one cache and one set of scalar functions.

A loop that serves many purposes is written once, with names for what differs: `Kernel.of` fills in formulas, which are
printed as functions in front of it.

    summed_squares = reduction.of("squares", start=lambda: 0.0, value=lambda x: x * x, ...)

An outermost loop whose turns don't depend on each other is written ``for i in prange(n)``. The text is compiled as it
stands, and for large arrays a second time with that loop shared out over the pool of `threads`. An innermost loop over
a row that may be short is written ``for j in across(n)``: `rewrite` tells what becomes of it.
"""

import functools
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from . import gemm, rewrite, scalar, threads
from .loader import load
from .parts import part_names, print_parts, source_of
from .printer import print_function, print_helpers, print_prologue
from .symbol import topological
from .table import Table

__all__ = ["FLOATS", "Kernel", "kernel", "watchers"]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
"""The floating dtypes that kernels are compiled for; numba has no arithmetic on halves."""

# Sums may be reordered, which is what lets them vectorise; NaN, infinities and the order of a formula stay.
_LOOSE = 'LOOSE = {"fastmath": {"contract", "reassoc", "nsz"}, **EXACT}\n'
_PRODUCTS = {"cut", "gemm", "gemm_part", "multiply_block"}

watchers: list[Callable] = []
"""The compiler's functions of (kernel, arguments) that are called before a kernel runs. One may return a function
``replacement(parallel)``, which gives what is to be called instead of a kernel that was not compiled yet; or None.
"""


def tell_watchers(kernel: "Kernel", compiled: Table, parallel: bool, args: tuple) -> Callable[[], Any] | None:
    """Tell every watcher that a kernel is about to run; what is to run it, if it has not been compiled yet."""
    offers = [watcher(kernel, args) for watcher in [*watchers]]
    offers = [replacement for replacement in offers if replacement is not None]
    return offers[-1](parallel) if offers and args[0].dtype not in compiled else None


_CALL = """def call({names}):
    if watchers and (run := tell_watchers(kernel, compiled, False, ({names},))):
        return run()
    return compiled[{first}.dtype]({names}{parts})
"""
"""How a kernel is called on this thread. It is printed, since to pass on ``*args`` takes as long as a small kernel."""


class Kernel:
    """A function on arrays, compiled for the dtype of its first argument."""

    def __init__(
        self,
        function: Callable,
        layouts: str = "",
        work: int = 2,
        name: str = "",
        formulas: dict[str, Callable] | None = None,
    ) -> None:
        self.function = function
        self.layouts = layouts
        self.work = work
        self.many = threads.elements(work)  # make an array of the kernel a large one
        self.name = name or function.__name__
        self.__doc__ = function.__doc__
        self.formulas = formulas or {}
        self.parameters = list(function.__code__.co_varnames[: function.__code__.co_argcount])
        self.takes_parts = self.parameters[-1] == "parts"  # the number of threads

    def of(self, name: str, *, work: int = 0, **formulas: Callable) -> Self:
        """This kernel with functions of Symbols in the place of these names; their ``work``, if it is another."""
        return type(self)(self.function, self.layouts, work or self.work, f"{self.name}_{name}", formulas)

    @functools.cached_property
    def compiled(self) -> Table[np.dtype, Callable]:
        """What runs it on the calling thread, by dtype."""
        return Table(self._load)

    @functools.cached_property
    def serially(self) -> Callable[..., Any]:
        """The call of it on the calling thread."""
        names = self.parameters[:-1] if self.takes_parts else self.parameters
        text = _CALL.format(names=", ".join(names), first=names[0], parts=", 1" if self.takes_parts else "")
        known = {
            "kernel": self, "compiled": self.compiled, "watchers": watchers, "tell_watchers": tell_watchers
        }  # fmt: skip
        exec(text, known)
        return known["call"]  # type: ignore[return-value]

    def __call__(self, *args: Any) -> Any:
        return self.serially(*args)

    @property
    def multiplies(self) -> bool:
        """Whether the kernel multiplies matrices."""
        return bool(_PRODUCTS.intersection(self.function.__code__.co_names))

    def text(self, dtype: np.dtype, parallel: bool = False) -> str:
        """The kernel as it is compiled."""
        names = part_names(self.function)
        products = gemm.print_calls(dtype) if _PRODUCTS.intersection(names) else ""
        formulas = ""
        for name, formula in self.formulas.items():
            arguments, root = scalar.read(formula, dtype)
            names += [s.op for s in topological([root])]
            formulas += print_function(name, arguments, [root], flags="LOOSE")
        layouts = f"{self.layouts} I" if self.layouts and self.takes_parts else self.layouts
        options = f"{_print_signature(layouts, dtype)}cache=True{threads.options(parallel)}, **LOOSE"
        has_ends = "across" in names
        parts = print_parts(self.function, ["masked_turn"] if has_ends else [])
        front = f"{print_prologue(dtype)}{_LOOSE}{print_helpers(names, dtype)}{formulas}{products}{parts}"
        source = source_of(self.function)
        if has_ends:
            source = rewrite.masked_ends(source, dtype.itemsize)
        if parallel:
            source = rewrite.signed_counters(source)
        return f"{front}\n\n@njit({options})\n{source}\n"

    def _load(self, dtype: np.dtype, parallel: bool = False) -> Callable:
        if self.multiplies:
            gemm.prepare(dtype)
        return getattr(load(self.name, self.text(dtype, parallel)), self.function.__name__)


def _print_signature(layouts: str, dtype: np.dtype) -> str:
    """``A2`` is an array of two axes of any layout that is only read, ``R2`` a contiguous one that is only read, ``C2``
    a contiguous one, ``W2`` one of any layout that is written to, ``I`` an integer and ``F`` a number.
    """
    if not layouts:
        return ""
    scalars = {"I": "types.intp", "F": f"types.{dtype.name}"}
    arrays = {"A": 'A", readonly=True', "R": 'C", readonly=True', "C": 'C"', "W": 'A"'}
    written = [
        scalars.get(layout) or f'types.Array(types.{dtype.name}, {layout[1:]}, "{arrays[layout[0]]})'
        for layout in layouts.split()
    ]
    return f"types.void({', '.join(written)}), "


class ParallelKernel(Kernel):
    """A kernel with a ``prange``: on the pool where one of its arrays is large.

    If its last parameter is called ``parts``, it gets the number of threads that work on the call.
    """

    _is_large: Callable[..., bool] | None = None

    @functools.cached_property
    def parallel(self) -> Table[np.dtype, Callable]:
        """What runs it on the pool, by dtype."""
        return Table(lambda dtype: self._load(dtype, parallel=True))

    def __call__(self, *args: Any) -> Any:
        is_large = self._is_large or self._find_arrays(args)
        return self.on_pool(*args) if threads.count > 1 and is_large(*args) else self.serially(*args)

    def on_pool(self, *args: Any) -> Any:
        """Run it on the pool, if that may be had."""
        if not threads.enter():
            return self.serially(*args)
        try:
            if watchers and (run := tell_watchers(self, self.parallel, True, args)):
                return run()
            compiled = self.parallel[args[0].dtype]
            return compiled(*args, threads.count) if self.takes_parts else compiled(*args)
        finally:
            threads.leave()

    def doing(self, multiplications: int) -> Callable[..., Any]:
        """What runs it for products of matrices with so many multiplications: on the pool where that pays."""
        return self.on_pool if multiplications >= gemm.WORTH_THREADS else self.serially

    def _find_arrays(self, args: tuple) -> Callable[..., bool]:
        """Whether one of the arrays, which are in the same places in every call, is large."""
        names = self.parameters[: len(args)]
        arrays = [name for name, value in zip(names, args, strict=True) if isinstance(value, np.ndarray)]
        large = " or ".join(f"{array}.size >= {self.many}" for array in arrays)
        self._is_large = found = eval(f"lambda {', '.join(names)}: {large}")
        return found


def kernel(function: Callable | None = None, *, layouts: str = "", work: int = 2) -> Any:
    """Make the decorated function a kernel; its names beyond its own are those of `language` and numpy.

    It is compiled for each combination of memory layouts that comes along, unless ``layouts`` says what its arguments
    are: ``"A2 C1 F"`` is a matrix of any layout that is only read, a contiguous vector, and a number. ``work`` is that
    of an element (`threads.elements`).
    """
    if function is None:
        return lambda function: kernel(function, layouts=layouts, work=work)
    kind = ParallelKernel if "prange" in function.__code__.co_names else Kernel
    return kind(function, layouts, work)
