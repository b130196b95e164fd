"""Elementwise operations: every one in the registry has samples without being listed; here stands what is special."""

from collections.abc import Callable

import numpy as np
from samples import ROWS, Row, Sample, b, call, n, row, transposed, x

from autograd.ops.formula import Elementwise
from autograd.ops.op import registry

DOMAINS: dict[str, dict[str, tuple[float, float]]] = {
    **{
        name: {"input": (0.1, 3.0)}
        for name in ("log", "log2", "log10", "sqrt", "rsqrt", "pow", "power", "polygamma_n", "trigamma")
    },
    **{name: {"input": (0.1, 0.9)} for name in ("logit", "logit_clamped")},
    **{name: {"input": (-0.9, 0.9)} for name in ("asin", "acos", "atanh", "erfinv")},
    "log1p": {"input": (-0.9, 3.0)},
    "acosh": {"input": (1.1, 3.0)},
    "xlogy": {"other": (0.1, 3.0)},
    "log_loss": {"input": (0.1, 0.9), "target": (0.0, 1.0)},
}
"""For an operation with a limited domain, the range its inputs are drawn from, by input name."""

INTEGER_ONLY = {op.name for op in registry.values() if isinstance(op, Elementwise) and "f" not in op.takes}
WITHOUT_GRADIENT = {"floor_divide", "heaviside"}
"""Operations that PyTorch does not differentiate."""

ROUGH_AT_THE_EDGES = {"digamma", "log_loss", "polygamma_n", "softsign", "trigamma"}
"""PyTorch's trigamma is a large number at the poles, not infinite; its softsign has the slope NaN at infinity, not 0; it
refuses the log loss of what is no probability.
"""

ROUGH = {"digamma": 1e8, "lgamma": 1e8}
"""How many units in the last place to allow for derivatives: PyTorch's trigamma is good to 1e-9 only."""


def elementwise_rows() -> list[Row]:
    """A row for every elementwise operation: plain, broadcast, 0-d, empty and non-contiguous inputs."""
    return [_elementwise_row(op) for op in registry.values() if isinstance(op, Elementwise)]


def _elementwise_row(op: Elementwise) -> Row:
    def inputs(*shapes: tuple[int, ...], layout: Callable = x) -> Sample:
        args = []
        for i, (name, shape) in enumerate(zip(op.inputs, shapes, strict=False)):
            low, high = DOMAINS.get(op.name, {}).get(name, (-2.0, 2.0))
            args.append(b(*shape, seed=i) if i in op.conditions else layout(*shape, low=low, high=high, seed=i))
        return Sample(tuple(args))

    tensors = [name for i, name in enumerate(op.inputs) if i not in op.numbers]
    shapes = [[(2, 3)] * 3, [()] * 3, [(0, 3)] * 3]
    if len(tensors) > 1:
        shapes += [[(2, 1, 3), (4, 1), (3,)], [(), (2, 2), ()], [(2, 0), (1,), ()]]
    samples = [inputs(*s[: len(tensors)]) for s in shapes]
    samples.append(inputs(*[(3, 2)] * len(tensors), layout=transposed))
    if op.name in INTEGER_ONLY:
        samples = [Sample(tuple(np.asarray(10 * a).astype(np.int64) for a in s.args)) for s in samples]
    differentiable = op.name not in INTEGER_ONLY | WITHOUT_GRADIENT
    return Row(
        op.name, samples, differentiable=differentiable, method=not op.conditions, gradient_ulps=ROUGH.get(op.name)
    )


ROWS.extend(elementwise_rows())

# --- numbers, other dtypes, and keywords -----------------------------------------------------------------------------

_INTS = n(2, 3, low=-5, high=6)
_ODD = np.array([7, -7, 9, -9])
for _name in ("add", "sub", "rsub"):
    row(
        _name,
        call(x(2, 3), x(3, seed=1), alpha=0.5),
        call(x(2, 3), 2, alpha=3),
        call(_INTS, _INTS.T.copy().T, alpha=2),
        call(_INTS, x(2, 3)),
        call(_INTS, 2.5),
        call(x(2, 3), n(high=5)),
        call(_INTS, x()),
        call(x(2, 3), np.full(3, 100, np.int8), alpha=2),
        call(x(2, 3), np.full(3, 100, np.uint8), alpha=-1),
        call(n(3, high=9).astype(np.uint8), x(2, 3), alpha=-1),
        call(_INTS, np.full(3, 100, np.int8), alpha=2),
        call(n(3, high=9).astype(np.uint8), np.full(3, 100, np.int8), alpha=2),
        call(x(), _INTS, alpha=0.5),
        call(x(2).astype(np.float16), n(2, high=5), alpha=0.5),
        call(_INTS, 2.5, alpha=0.5),
    )
row("add", *[call(b(2, 3), other, alpha=2) for other in (3, 0.5, True, _INTS, x(3), n(3, high=9).astype(np.int8))])
row("add", call(x(2, 3), b(2, 3), alpha=0.5), call(b(), 0.5, alpha=0.5), call(b(3), b(3, seed=1), alpha=False))
row("add", call(b(2, 3), b(2, 3, seed=1)), call(_INTS, b(2, 3)), call(b(2), b(2, seed=1), alpha=2))
row("add", call(_INTS.astype(np.int8), 300), call(_INTS.astype(np.int32), 2**40))
row("floor_divide", call(_INTS[:0], _INTS[:1] * 0))
row("remainder", call(_INTS[:0], _INTS[:1] * 0))
row("mul", call(x(2, 3), 2), call(_INTS, 2), call(_INTS, 2.5), call(b(3), 3), call(_INTS, x(3)))
_DIVISIONS = [
    call(x(2, 3), x(3, seed=1)),
    call(x(2, 3), 0.3),
    call(_ODD, 2),
    call(_ODD, np.array([2, 2, -2, -2])),
    call(_ODD, 2.5),
]
for _mode in (None, "trunc", "floor"):
    row("div", *[Sample(s.args, {"rounding_mode": _mode}) for s in _DIVISIONS])
row("true_divide", *_DIVISIONS)
row("floor_divide", *_DIVISIONS, differentiable=False)
for _name in ("remainder", "fmod"):
    row(_name, *_DIVISIONS, call(_ODD.astype(np.int32), np.array([2, 2, -2, -2], np.int32)))
row(
    "pow",
    call(x(2, 3), 2),
    call(x(2, 3, low=0.1), 0.5),
    call(_INTS, 2),
    call(_INTS, 2.0),
    call(2, _INTS.clip(0)),
    call(2, _INTS),
    call(-1, _INTS),
    call(_INTS, _INTS.T.copy().T),
    call(2.5, x(3)),
    call(_INTS.clip(1), x(2, 3)),
    method=False,
)
row("float_power", call(_INTS, 2), call(x(2, 3, low=0.1), x(3)), call(x(2, 3, low=0.1), 1.5), call(2, x(3)))
row("square", call(_INTS), call(b(3)))
row(
    "addcmul",
    call(x(2, 3), x(3, seed=1), x(2, 1, seed=2), value=0.5),
    call(_INTS, _INTS, _INTS, value=2),
    call(_INTS, _INTS, _INTS, value=0.5),
    call(_INTS, _INTS, _INTS, value=2.5),
    call(x(2, 3), _INTS, _INTS, value=0.5),
    call(_INTS, n(2, 3, high=5).astype(np.int8), np.full(3, 100, np.int8), value=2),
)
row(
    "addcdiv",
    call(x(2, 3), x(3, seed=1), x(2, 1, seed=2), value=0.5),
    call(x(2, 3), x(3, seed=1), x(2, 1, seed=2), value=-2),
    call(x(2, 3), n(3, high=5), x(2, 3, low=0.5), value=2),
    call(x(2, 3), b(2, 3), x(2, 3, low=0.5)),
)
row("addcdiv", call(_INTS, x(3), n(2, 1, low=1, high=5)), torch_fails="can't be cast")
row("lerp", call(x(2, 3), x(3, seed=1), 0.25), call(x(2, 3), x(3, seed=1), 0.75), call(x(2, 3), x(2, 3, seed=1), 2.0))
row("copysign", call(x(2, 3), -1.0), call(_INTS, -1), call(_INTS, x(2, 3)))
row("ldexp", call(x(2, 3), n(3, low=-3, high=4)), call(_INTS, np.array(3)), differentiable=False)
row("frexp", call(x(2, 3)), call(x(2, 3, low=1e-3, high=1e3)))
row("frexp", call(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 0.5])), differentiable=False)
row("round", call(x(2, 3, high=9.0), decimals=2), call(x(2, 3, low=-900, high=900), decimals=-2), call(_INTS))
row("round", call(np.array([0.5, 1.5, 2.5, -0.5])), differentiable=False)
for _name in ("floor", "ceil", "trunc"):
    row(_name, call(_INTS))
_SPECIAL = np.array([0.0, np.nan, np.inf, -np.inf, 2.0])
row(
    "nan_to_num",
    call(_SPECIAL),
    call(_SPECIAL, nan=1.0),
    call(_SPECIAL, 1.0, 2.0, 3.0),
    call(_SPECIAL, posinf=5.0),
    call(_INTS),
)
row("logit", call(x(2, 3, low=-0.5, high=1.5), eps=0.1), call(x(2, 3, low=0.1, high=0.9), 0.3))
row("xlogy", call(np.array([0.0, 1.0, 2.0]), 3.0), call(n(2, 3, high=4), n(2, 3, low=1, high=4)))
row("sinc", call(np.array([1.0, 0.25, -0.5])), call(_INTS))
for _n in range(4):
    row("polygamma", call(_n, x(2, 3, low=0.3, high=3.0)), method=False, ulps=1e8, gradient_ulps=1e9)
row("sgn", call(_SPECIAL), call(_INTS), differentiable=False)
row("positive", call(_INTS))
for _name in ("clamp", "clip"):
    row(
        _name,
        call(x(2, 3), -0.5, 0.5),
        call(x(2, 3), max=0.5),
        call(x(2, 3), x(3, seed=1)),
        call(x(2, 3), x(3, seed=1), x(2, 1, seed=2)),
        call(_INTS, -2, 2),
        call(_INTS, 0.5),
        call(_INTS, max=np.array(2)),
    )
for _name in ("maximum", "minimum", "fmax", "fmin"):
    row(_name, call(_INTS, x(2, 3)), call(_INTS, _INTS.T.copy().T // 2))
row(
    "where",
    call(b(2, 3), 1.0, x(2, 3)),
    call(b(2, 3), x(3), 0),
    call(b(3), _INTS, x(2, 3)),
    call(b(3), 1, 2),
    call(b(3), 1.5, 2),
    call(b(2, 3)),
    method=False,
)
row("heaviside", call(_INTS, _INTS), differentiable=False)
_EQUAL = np.array([1.0, np.nan, np.inf, 1.0 + 1e-6, 0.0])
row(
    "isclose",
    call(_EQUAL, _EQUAL[::-1].copy()),
    call(_EQUAL, _EQUAL + 1e-5, 1e-3),
    call(_EQUAL, _EQUAL, atol=0.1, equal_nan=True),
    call(_INTS, _INTS + 1, 0.0, 1.0),
    call(_INTS, _INTS + 1),
)
row(
    "allclose",
    call(_EQUAL, _EQUAL),
    call(_EQUAL, _EQUAL, equal_nan=True),
    call(x(2, 3), x(2, 3) + 1e-9),
    call(x(2, 3), x(3)),
)
row("equal", call(_EQUAL, _EQUAL), call(x(2, 3), x(2, 3)), call(x(2, 3), x(3)), call(_INTS, _INTS.astype(np.int32)))
row("isreal", call(_EQUAL), call(_INTS))
for _name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "sign"):
    row(
        _name,
        call(np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan])),
        call(_INTS),
        call(b(3)),
        differentiable=False,
    )
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    row(_name, call(_INTS, 1), call(_INTS, 0.5), call(_INTS, x(2, 3)), call(b(3), True), call(x(2, 3), 0.25))
for _name in ("logical_and", "logical_or", "logical_xor"):
    row(_name, call(_INTS, b(2, 3)), call(_EQUAL, np.array([0.0, 0.0, 1.0, 1.0, 0.0])))
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    row(_name, call(_INTS, 6), call(_INTS.astype(np.uint8), _INTS), call(b(3), b(3, seed=1)))
for _name in ("bitwise_left_shift", "bitwise_right_shift"):
    row(_name, call(_INTS, 2), call(_INTS, np.array([1, 64, 70])))
for _name in ("gcd", "lcm"):
    row(_name, call(_INTS, np.array(4)), call(_INTS, _INTS[::-1].copy()))
row("lgamma", call(np.array([-1e37, -3e38, -1e30, -1e10, -3.0, -np.inf])), differentiable=False)
row(
    "nextafter",
    call(np.array([np.inf, -np.inf, 1, 0, 65504, np.nan]), np.array([0.0, 0, 2, 1, np.inf, 0])),
    dtypes=("float16", "float32"),
    differentiable=False,
)
for _name in ("sin", "exp", "sqrt", "atan2", "erfinv", "digamma", "lgamma", "i0", "deg2rad"):
    _second = (np.array([2, 3, 4]),) if _name == "atan2" else ()
    row(_name, call(n(3, high=5), *_second), differentiable=False)
