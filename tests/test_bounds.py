"""What formulas make certain of the size of their values: never more than is true, and enough to be of use."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd.kernels.bounds import EVERYTHING, Range, ranges
from autograd.kernels.printer import expand
from autograd.kernels.scalar import STANDINS
from autograd.kernels.symbol import Symbol, topological
from autograd.ops.derivative import evaluate

X = Symbol.input("x")
Y = Symbol.input("y")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -3.0, 90.0, -800.0, 1e300, -1e300, 5e-324, math.inf, -math.inf, math.nan]
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -2.0, 0.5, 88.0, -1e200])
UNARY = ["neg", "abs", "exp", "tanh", "sqrt", "erf", "erfc", "expm1", "cosh", "sin", "cos", "exp2", "log"]
COMPARISONS = ["lt", "le", "gt", "ge", "eq"]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "copysign"]


def square(a):
    return a * a


def where(comparison, a, bound, b, swap):
    """A choice by comparing one of the two with a number."""
    condition = Symbol.apply(comparison, b if swap else a, bound)
    return Symbol.apply("where", condition, a, b)


expressions = st.recursive(
    st.sampled_from([X, Y]) | NUMBERS.map(Symbol.of),
    lambda e: st.one_of(
        st.builds(Symbol.apply, st.sampled_from(UNARY), e),
        st.builds(Symbol.apply, st.sampled_from(BINARY), e, e),
        e.map(square),
        st.builds(where, st.sampled_from(COMPARISONS), e, NUMBERS, e, st.booleans()),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(expressions)
def test_no_value_is_outside_its_range(root):
    inputs = dict(zip("xy", (a.ravel() for a in np.meshgrid(SPECIAL, SPECIAL)), strict=True))
    atoms = {s: inputs.get(s.args[0], s.args[0]) for s in topological([root]) if not s.operands}
    known = {symbol: np.full(len(SPECIAL) ** 2, value, np.float64) for symbol, value in atoms.items()}
    for symbol, found in ranges([root]).items():
        if symbol.op not in COMPARISONS:
            value = np.asarray(evaluate(symbol, known))
            inside = (value >= found.low) & (value <= found.high)
            assert (np.isnan(value) | inside).all(), (symbol, found)


def functions_of(op, *args):
    return {s.op for s in topological(expand([Symbol.apply(op, *args)]))} & {
        "exp",
        *(name for name, _, _ in STANDINS["exp"]),
    }


def test_ranges_are_narrow_where_formulas_say_so():
    assert ranges([X]) == {X: EVERYTHING}
    for symbol, expected in [
        (Symbol.apply("tanh", X) * 0.5, Range(-0.5, 0.5)),
        (X * X * -0.5, Range(-math.inf, 0.0)),
        (Symbol.apply("where", X < 0.0, X, 0.0), Range(-math.inf, 0.0)),
        (Symbol.apply("where", X < 0.0, 0.0, X), Range(0.0, math.inf)),
        (1.0 / (1.0 + Symbol.apply("exp", X)), Range(0.0, 1.0)),
        (Symbol.apply("minimum", Symbol.apply("maximum", X, -3.0), 3.0), Range(-3.0, 3.0)),
    ]:
        assert ranges([symbol])[symbol] == expected


def test_exponentials_are_those_that_are_enough():
    assert functions_of("exp", X) == {"exp"}
    assert functions_of("exp", Symbol.apply("tanh", X)) == {"exp_moderate"}
    assert functions_of("exp", Symbol.apply("tanh", X) * 0.5) == {"exp_near"}
    assert functions_of("softplus", X, Symbol.of(1.0), Symbol.of(20.0)) == {"exp_falling"}
    gelu = autograd.ops.op.registry["gelu_erf"].gradient(0)
    root = Symbol.of(gelu.formula(*map(Symbol.input, gelu.inputs)))
    assert "exp_falling" in {s.op for s in topological(expand([root]))}
