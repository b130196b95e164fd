"""Elementwise operations: a formula, and where it is worth stating, its derivative.

    @elementwise(x=lambda g, out: g * out * (1 - out))
    def sigmoid(x):
        return 1 / (1 + exp(-x))

The formula is read once with Symbols and printed as the loop of a numpy ufunc. The gradient with respect to an input
is an elementwise operation too: its formula is the stated rule, or what the chain rule makes of the formula. So
gradients run as one loop each, and the gradient of a gradient is the same thing again.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..door import NO_ATTRS, apply
from ..dtypes import bool_, category, float16, float32, get_default_dtype, int64, is_float, promote
from ..kernels.broadcast import LENGTH, WALKED, broadcasting, may_pay
from ..kernels.over import over
from ..kernels.printer import is_primitive
from ..kernels.symbol import Symbol, formulas
from ..tensor import Tensor
from .convert import cast
from .derivative import Derivable
from .loops import Loop, NumpyFirst, without_warnings
from .op import as_value, registry
from .shape import common_shape

__all__ = ["Elementwise", "Meant", "constant", "elementwise"]


class Meant(NamedTuple):
    """What a call means: an operation, and one input for each of its parameters."""

    op: "Elementwise"
    inputs: tuple


class Elementwise(Derivable):
    """An operation on each element, broadcasting its inputs. ``result`` says what it makes of a dtype:

    ``"float"`` computes integers in the default float dtype, ``"same"`` keeps the dtype, ``"number"`` keeps it but
    counts truth values as int64, ``"bool"`` answers a question. ``takes`` names the kinds of dtype it is defined for:
    b, i, u and f; where it is ``strict``, of every operand and not only of what they promote to, or of what those that
    it names promote to among themselves. One that ``widens`` computes float16 in float32, and rounds once.

    What the formula says of a parameter: annotated ``bool``, it is a condition and takes no part in promotion. With a
    default value, it is a number in most calls, and the loop is compiled for one. Annotated ``float``, it may be a
    number or an array, and the loop is compiled for both.
    """

    def __init__(
        self,
        formula: Callable,
        rules: dict[str, Callable],
        *,
        ufunc: Callable | str | None = None,
        result: str = "float",
        takes: str = "biuf",
        strict: bool | Sequence[str] = False,
        widens: bool = True,
        differentiable: bool = True,
        **names: Any,
    ) -> None:
        super().__init__(formula, rules, result=result, differentiable=differentiable, **names)
        self.forward = self
        self.ufunc = ufunc
        self.takes = takes
        self.strict = strict
        self.widens = widens
        self.overload: Callable | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != self.arity:
            meant = self._meant(args, kwargs)
            if type(meant) is not Meant:
                return meant
            if meant.op is not self:
                return meant.op(*meant.inputs)
            args = meant.inputs
        if self.arity == 1 and isinstance(args[0], Tensor):
            kernel = self.kernels.get(args[0].array.dtype)
            return self._general(args) if kernel is None else apply(self, args, NO_ATTRS, kernel)
        dtype, any_tensor, differ = None, False, False
        numbers: Sequence[int] = ()
        conditions = self.conditions
        for i, x in enumerate(args):
            if isinstance(x, Tensor):
                x = x.array
                any_tensor = True
            elif type(x) is ndarray:
                pass
            elif type(x) is float or type(x) is int:
                numbers = (*numbers, i)
                continue
            else:
                return self._general(args)
            if conditions and i in conditions:
                if x.dtype != bool_:
                    return self._general(args)
                differ = differ or x.size >= LENGTH
            elif dtype is None:
                dtype, first = x.dtype, x
            elif x.dtype is not dtype and x.dtype != dtype:  # a kernel from the disk cache makes dtypes of its own
                return self._general(args)
            else:
                differ = differ or may_pay(x, first)
        kernel = self.kernels.get(dtype)  # type: ignore[arg-type]
        if kernel is None:
            return self._general(args)
        if differ:
            kernel = broadcasting(kernel)
        inputs: Sequence = args
        if numbers:
            if dtype.kind != "f" and not (  # type: ignore[union-attr]
                dtype == int64 and all(map(_is_int64, [args[i] for i in numbers]))
            ):
                return self._general(args)
            inputs = [*args]
            for i in numbers:
                value = args[i]
                inputs[i] = constant(value, dtype) if value else np.array(value, dtype)  # 0.0 and -0.0 are one key
        if not any_tensor:
            return self._run(inputs, kernel)
        try:
            return apply(self, inputs, NO_ATTRS, kernel)
        except ValueError as error:
            raise self._misfit(error, args) from None

    def into(self, first: Tensor, args: tuple, kwargs: dict) -> Any:
        """The value for the first input and these, which nobody differentiates: ``first`` itself if it could be written
        over that.
        """
        op, inputs = self, (first, *args)
        if kwargs or len(inputs) != self.arity:
            meant = self._meant(inputs, kwargs)
            if type(meant) is not Meant:
                return meant
            op, inputs = meant
        written = inputs[0] is first and op._write(first.array, inputs[1:])
        return first if written else op(*inputs)

    def _write(self, array: ndarray, others: Sequence) -> bool:
        """Write the value over an array, the first input; False if there is no kernel for that, or something about the
        others, which the usual way says or does.
        """
        dtype = array.dtype
        kernel = self.kernels.get(dtype)
        if kernel is None or dtype.kind != "f" or self.result == "bool":
            return False
        arrays = []
        for other in others:
            if isinstance(other, Tensor) and other.array.dtype is dtype:
                arrays.append(other.array)
            elif type(other) is float or type(other) is int:
                arrays.append(constant(other, dtype) if other else np.array(other, dtype))
            else:
                return False
        try:
            return over(kernel, array, *arrays)
        except ValueError:  # the shapes do not broadcast
            return False

    def _meant(self, args: tuple, kwargs: dict) -> Any:
        """What a call means that is not just one positional argument for each input: a `Meant`, or a result."""
        return Meant(self, self._bind(args, kwargs)) if self.overload is None else self.overload(*args, **kwargs)

    def otherwise(self, function: Callable) -> Callable:
        """Let the decorated function say what calls mean that are not just one positional argument for each input."""
        self.overload = function
        self.__signature__ = inspect.signature(function)
        self.__doc__ = function.__doc__ or self.__doc__
        return function

    def _bind(self, args: tuple, kwargs: dict) -> tuple:
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}: takes {self.__signature__}; {error}") from None
        bound.apply_defaults()
        return bound.args

    def _run(self, args: Sequence, kernel: Callable) -> Any:
        try:
            if any(isinstance(x, Tensor) for x in args):
                return apply(self, args, NO_ATTRS, kernel)
            return as_value(kernel(*args))
        except ValueError as error:
            raise self._misfit(error, args) from None

    def _misfit(self, error: ValueError, args: Sequence) -> RuntimeError:
        """What numpy's error says in the user's terms."""
        try:
            common_shape(self.name, [np.shape(x.array if isinstance(x, Tensor) else x) for x in args])
        except RuntimeError as misfit:
            return misfit
        return RuntimeError(f"{self.name}: {error}")

    def _general(self, args: tuple) -> Any:
        """Symbols, Python numbers, mixed dtypes, and the first call for a dtype."""
        if any(isinstance(x, Symbol) for x in args):
            return Symbol.apply(self.name, *args)
        if self.overload is not None and any(x is None for x in args):  # left out
            meant = self.overload(*args)
            if type(meant) is not Meant or meant.op is not self:
                return meant.op(*meant.inputs) if type(meant) is Meant else meant
        self.check_operands(*args)
        arrays = [x.array if isinstance(x, Tensor) else x for x in args]
        values = [x for i, x in enumerate(arrays) if i not in self.conditions] or arrays
        dtype = promote(values)
        refused = next((d for d in self._dtypes(dtype, arrays) if d.kind not in self.takes), None)
        if refused is not None:
            kinds = " or ".join(_KINDS[kind] for kind in self.takes if kind != "u")
            raise NotImplementedError(f"{self.name}: {kinds} tensors are needed; got {refused}")
        if self.result == "float" and category(dtype) < 2:
            dtype = get_default_dtype()
        elif self.result == "number" and dtype == bool_:
            dtype = int64
        half = dtype == float16 and self.widens  # numba has no arithmetic on it: compute in float32
        inner = float32 if half else dtype
        prepared = [_convert(x, bool_ if i in self.conditions else inner) for i, x in enumerate(args)]
        kernel = self.kernels.get(inner)
        if kernel is None:
            found = self._kernel(inner)
            if found is None:
                with np.errstate(all="ignore"):
                    out = self.formula(*prepared)
                return _convert(out, dtype) if half else out
            kernel = self.kernels.setdefault(inner, found)
        if any(isinstance(x, (Tensor, ndarray)) and x.size >= WALKED for x in arrays):
            kernel = broadcasting(kernel)
        out = self._run(prepared, kernel)
        return _convert(out, dtype) if half and self.result != "bool" else out

    def check_operands(self, *args: Any) -> None:
        """Refuse what has no dtype."""
        for name, x in zip(self.inputs, args, strict=False):
            if not isinstance(x, (Tensor, np.ndarray, np.generic, bool, int, float)):
                raise TypeError(f"{self.name}: {name} must be a tensor or a number; got {type(x).__name__}")

    def _dtypes(self, dtype: np.dtype, inputs: Sequence) -> Iterable[np.dtype]:
        """The dtypes that this operation must be defined for."""
        if self.strict is False:
            return (dtype,)
        if self.strict is True:
            alone = [x for i, x in enumerate(inputs) if i not in self.conditions and type(x) not in (int, float)]
            return [dtype, *(promote([x]) for x in alone)]
        return [dtype, promote([x for name, x in zip(self.inputs, inputs, strict=True) if name in self.strict])]

    # --- kernels ------------------------------------------------------------------------------------------------------

    def _kernel(self, dtype: np.dtype) -> Callable | None:
        """What computes this operation in ``dtype``; None if only running the formula op by op does."""
        compile_loop = Loop(self, dtype)
        if self.ufunc is not None and not (is_float(dtype) and compile_loop.possible()):
            function = self.ufunc
            if isinstance(function, str):
                module, _, name = function.rpartition(".")
                function = getattr(importlib.import_module(module), name)
            return without_warnings(function, bool_ if self.result == "bool" else dtype)
        if not compile_loop.possible():
            return None
        exact = compile_loop.by_numpy()
        return compile_loop() if exact is None else NumpyFirst(self, dtype, exact, compile_loop)

    def compile(self, dtype: np.dtype) -> None:
        """Compile the loops of the value and of the gradients now, not when they have been called often enough."""
        if dtype.kind not in self.takes:
            return
        wanted = [i for i in range(self.arity) if i not in self.conditions and self.has_gradient(i)]
        for row in (self, *([self.gradient(i) for i in wanted] if self.result != "bool" else ())):
            row.compile_loop(dtype)

    def compile_loop(self, dtype: np.dtype) -> Callable | None:
        """The loop of the value for a dtype, compiled now if there is one."""
        loop = Loop(self, dtype)
        if loop.possible() and not self.is_identity:
            self.kernels[dtype] = loop()
        return self.kernels.get(dtype)

    @functools.cached_property
    def fuses(self) -> bool:
        """Whether a kernel that has computed a floating number can apply this to it."""
        return self.result != "bool" and "f" in self.takes and Loop(self, float32).possible()


_KINDS = {"b": "bool", "i": "integer", "f": "floating"}


def _is_int64(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


@functools.lru_cache(maxsize=1024)
def constant(value: float, dtype: np.dtype) -> np.ndarray:
    """The number as an array, made once: the same constants come by in every step."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


def _convert(x: Any, dtype: np.dtype) -> Any:
    if isinstance(x, Tensor):
        return cast(x, dtype)
    return np.asarray(x, dtype) if type(x) is not int else np.asarray(x).astype(dtype)  # a large number wraps


def elementwise(
    *,
    ufunc: Callable | str | None = None,
    result: str = "float",
    takes: str = "biuf",
    strict: bool | Sequence[str] = False,
    widens: bool = True,
    differentiable: bool = True,
    **rules: Callable,
) -> Callable:
    """Make the decorated formula an elementwise operation with these gradient rules, by input name.

    ``ufunc`` is numpy's function with exactly the formula's values: it serves the integers, and the first calls. A
    function of a library stands for a formula where there is none; as a string it is imported on the first call.
    """

    def register(formula: Callable) -> Elementwise:
        made = Elementwise(
            formula, rules, ufunc=ufunc, result=result, takes=takes, strict=strict, widens=widens,
            differentiable=differentiable,
        )  # fmt: skip
        registry[made.name] = made
        if made.has_formula and not is_primitive(made.name):
            formulas[made.name] = formula
        return made

    return register
