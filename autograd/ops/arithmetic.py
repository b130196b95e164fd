"""Sums, products, quotients and their like."""

from typing import Any, NamedTuple

import numpy as np

from ..creation import check_fits, number_of
from ..dtypes import bool_, promote
from ..tensor import Tensor
from .exponential import exp2
from .formula import Elementwise, Meant, elementwise
from .op import op
from .rounding import div_floor, div_trunc
from .selection import where

__all__ = [
    "abs", "add", "addcdiv", "addcmul", "div", "frexp", "gcd", "hypot", "lcm", "ldexp", "lerp", "mul",
    "neg", "nextafter", "positive", "rsub", "sgn", "sign", "sub", "true_divide",
]  # fmt: skip


@elementwise(input=lambda g: g, other=lambda g: g, ufunc=np.add, result="same")
def add(input, other):
    """input + other."""


@elementwise(input=lambda g: g, other=lambda g, alpha: g * alpha, result="same", takes="iuf")
def add_scaled(input, other, alpha=1.0):
    """input + alpha * other."""
    return input + alpha * other


@add.otherwise
def _add(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """input + alpha * other."""
    return _with_scaled(add, input, other, alpha, alpha)


@elementwise(input=lambda g: g, other=lambda g: -g, ufunc=np.subtract, result="same", takes="iuf", strict=True)
def sub(input, other):
    """input - other."""


@sub.otherwise
def _sub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """input - alpha * other."""
    return _with_scaled(sub, input, other, alpha, -alpha)


@elementwise(result="same", takes="iuf", strict=True)
def rsub(input, other):
    """other - input."""
    return other - input


@rsub.otherwise
def _rsub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """other - alpha * input."""
    return _with_scaled(sub, other, input, alpha, -alpha, "rsub")


def _with_scaled(op: Elementwise, input: Any, other: Any, alpha: float, factor: float, name: str = "") -> Meant:
    """``op`` of the input and alpha * other as one loop that adds ``factor`` * other, in the dtype of the result."""
    op.check_operands(input, other)
    dtype = _common(input, other)
    op_name = name or op.name
    if isinstance(alpha, float) and dtype.kind != "f":
        raise RuntimeError(f"{op_name}: of integers alpha must be an integer; got alpha={alpha}")
    if isinstance(alpha, bool) and dtype != bool_:
        raise RuntimeError(f"{op_name}: alpha is a truth value only for truth values; got alpha={alpha} for {dtype}")
    check_fits(op_name, alpha, dtype)
    if alpha == 1 or (op is sub and bool_ in (_common(input), _common(other))):  # which it refuses
        return Meant(op, (input, other))
    if dtype == bool_:  # of those + is or
        return Meant(add, (input, mul(other, bool(alpha))))
    return Meant(add_scaled, (input, other, factor))


def _common(*operands: Any) -> np.dtype:
    """The dtype that the operands are promoted to."""
    arrays = [x.array if isinstance(x, Tensor) else x for x in operands]
    if all(isinstance(x, np.ndarray) and x.dtype == arrays[0].dtype for x in arrays):
        return arrays[0].dtype
    return promote(arrays)


@elementwise(input=lambda g, other: g * other, other=lambda g, input: g * input, ufunc=np.multiply, result="same")
def mul(input, other):
    """input * other."""


@elementwise(input=lambda g, other: g / other, other=lambda g, other, out: -g * out / other, ufunc=np.true_divide)
def div(input, other):
    """input / other, a float also for integers."""


@div.otherwise
def _div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other, a float also for integers; rounded to a whole number, with gradient 0, if a mode is given.

    ``rounding_mode="trunc"`` rounds toward 0, ``"floor"`` down as Python's //, and both keep integers integers.

    >>> from autograd import tensor
    >>> div(tensor([-7.0]), 2, rounding_mode="trunc"), div(tensor([-7.0]), 2, rounding_mode="floor")
    (tensor([-3.]), tensor([-4.]))
    """
    modes = {None: div, "trunc": div_trunc, "floor": div_floor}
    if rounding_mode not in modes:
        raise RuntimeError(f'div: rounding_mode must be None, "trunc" or "floor"; got {rounding_mode!r}')
    return Meant(modes[rounding_mode], (input, other))


true_divide = div


@elementwise(input=lambda g: -g, ufunc=np.negative, result="same", takes="iuf")
def neg(input):
    """-input."""


def positive(input: Any) -> Any:
    """input itself, a tensor of numbers."""
    if input.dtype == bool_:
        raise NotImplementedError("positive: integer or floating tensors are needed; got bool")
    return input


@elementwise(
    input=lambda g, input: where(input > 0, g, where(input < 0, -g, 0)), ufunc=np.abs, result="same", takes="iuf"
)
def abs(input):
    """|input|; the derivative at 0 is 0."""


@elementwise(input=lambda g: 0.0, result="same")
def sign(input):
    """-1, 0 or 1; 0 for NaN, as in PyTorch."""
    return where(input > 0, 1, where(input < 0, -1, 0))


sgn = sign


@elementwise(
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (tensor2 * value),
    tensor2=lambda g, tensor1, value: g * (tensor1 * value),
    result="same",
    takes="iuf",
)
def addcmul(input, tensor1, tensor2, value=1):
    """input + value * tensor1 * tensor2."""
    return input + value * tensor1 * tensor2


@addcmul.otherwise
def _addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Meant:
    """input + value * tensor1 * tensor2."""
    addcmul.check_operands(input, tensor1, tensor2)
    return Meant(addcmul, (input, tensor1, tensor2, number_of("addcmul", value, _common(input, tensor1, tensor2))))


@elementwise(
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (value / tensor2),
    tensor2=lambda g, tensor1, tensor2, value: -g * (value * tensor1 / (tensor2 * tensor2)),
    takes="f",
    strict=("tensor1", "tensor2"),
)
def addcdiv(input, tensor1, tensor2, value=1):
    """input + value * tensor1 / tensor2."""
    return input + value * (tensor1 / tensor2)


@elementwise(
    input=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
    takes="f",
    strict=True,
)
def lerp(input, end, weight: float):  # type: ignore[no-untyped-def]
    """input + weight * (end - input), exact at weight 0 and 1."""
    from_input = input + weight * (end - input)
    return where((weight < 0.5) & (weight > -0.5), from_input, end - (end - input) * (1 - weight))


@elementwise(input=lambda g, input, out: g * (input / out), other=lambda g, other, out: g * (other / out), takes="f")
def hypot(input, other):
    """sqrt(input^2 + other^2) without overflow on the way."""


@elementwise()
def ldexp(input, other):
    """input * 2^other."""
    return input * exp2(other)


class Frexp(NamedTuple):
    """What `frexp` gives: the mantissa, of size 0.5 up to 1, and the exponent of 2."""

    mantissa: Any
    exponent: Any


@op(input=lambda g, input: ldexp(g, -_exponent(input)))
def _mantissa(input):
    return np.frexp(input)[0]


@op()
def _exponent(input):
    return np.frexp(input)[1]


def frexp(input: Any) -> Frexp:
    """input as mantissa * 2^exponent with 0.5 <= |mantissa| < 1 (0, NaN and infinities with exponent 0)."""
    if input.dtype.kind != "f":
        raise NotImplementedError(f"frexp: floating tensors are needed; got {input.dtype}")
    return Frexp(_mantissa(input), _exponent(input))


@elementwise(
    input=lambda g, input, other: where(input == other, 0, g),
    other=lambda g: 0.0,
    ufunc=np.nextafter,
    takes="f",
    widens=False,
)
def nextafter(input, other):
    """The next number after input in the direction of other."""


# --- of integers -----------------------------------------------------------------------------------------------------


@elementwise(ufunc=np.gcd, result="same", takes="iu")
def gcd(input, other):
    """The greatest common divisor, not negative."""


@elementwise(ufunc=np.lcm, result="same", takes="iu")
def lcm(input, other):
    """The least common multiple, not negative."""
