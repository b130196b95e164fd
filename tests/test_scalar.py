"""The branch-free scalar functions: error in units in the last place, special values, and both precisions."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import mpmath
import numpy as np
import pytest
import scipy.special

from autograd.kernels import scalar
from autograd.kernels.printer import Argument
from autograd.kernels.scalar.trigonometric import FAR
from autograd.kernels.symbol import Symbol
from autograd.kernels.ufuncs import compile_formula

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
INF, NAN = math.inf, math.nan
LARGEST = {F32: float(np.finfo(F32).max), F64: float(np.finfo(F64).max)}


class Row(NamedTuple):
    """The bound, where to look (by dtype), and the function on a float64 array and on an mpf."""

    ulps: float
    ranges: dict[np.dtype, tuple[tuple[float, float], ...]]
    reference: Callable
    precise: Callable


def row(
    ulps: float, reference: Callable, precise: Callable, *both: tuple, single: tuple = (), double: tuple = ()
) -> Row:
    """A row with ranges for both formats and some for one; an infinite range ends at the largest number."""
    ranges = {}
    for dtype, extra in ((F32, single), (F64, double)):
        end = LARGEST[dtype]
        ranges[dtype] = tuple((max(low, -end), min(high, end)) for low, high in (*both, *extra))
    return Row(ulps, ranges, reference, precise)


EVERYWHERE, POSITIVE = (-INF, INF), (0.0, INF)
OVERFLOW = {"single": ((-105.0, 90.0),), "double": ((-750.0, 711.0),)}

ROWS = {
    "exp": row(2, np.exp, mpmath.exp, (-1, 1), **OVERFLOW),
    "exp2": row(2, np.exp2, lambda x: mpmath.mpf(2) ** x, (-1, 1), single=((-151, 129),), double=((-1080, 1025),)),
    "expm1": row(2, np.expm1, mpmath.expm1, (-1, 1), **OVERFLOW),
    "log": row(2, np.log, mpmath.log, POSITIVE, (0.5, 2)),
    "log2": row(2, np.log2, lambda x: mpmath.log(x, 2), POSITIVE, (0.5, 2)),
    "log10": row(2, np.log10, mpmath.log10, POSITIVE, (0.5, 2)),
    "log1p": row(2, np.log1p, mpmath.log1p, (-1, INF), (-1, 1)),
    "tanh": row(4, np.tanh, mpmath.tanh, (-25, 25), (-1, 1)),
    "sinh": row(4, np.sinh, mpmath.sinh, (-2, 2), **OVERFLOW),
    "cosh": row(4, np.cosh, mpmath.cosh, (-2, 2), **OVERFLOW),
    "erf": row(4, scipy.special.erf, mpmath.erf, (-7, 7), (-1.1, 1.1)),
    "erfc": row(4, scipy.special.erfc, mpmath.erfc, (-7, 28), (-1, 11)),
    "erfinv": row(4, scipy.special.erfinv, mpmath.erfinv, (-1, 1)),
    "lgamma": row(4, scipy.special.gammaln, lambda x: mpmath.loggamma(x) if x else mpmath.inf, (0, INF), (0, 10)),
    "asin": row(4, np.arcsin, mpmath.asin, (-1, 1)),
    "acos": row(4, np.arccos, mpmath.acos, (-1, 1)),
    "atan": row(4, np.arctan, mpmath.atan, EVERYWHERE, (-4, 4)),
    "asinh": row(4, np.arcsinh, mpmath.asinh, EVERYWHERE, (-4, 4)),
    "acosh": row(4, np.arccosh, mpmath.acosh, (1, INF), (1, 4)),
    "atanh": row(4, np.arctanh, mpmath.atanh, (-1, 1)),
    "sin": row(4, np.sin, mpmath.sin, EVERYWHERE, (-10, 10), (-1e5, 1e5)),
    "cos": row(4, np.cos, mpmath.cos, EVERYWHERE, (-10, 10), (-1e5, 1e5)),
    "tan": row(4, np.tan, mpmath.tan, EVERYWHERE, (-10, 10), (-1e5, 1e5)),
}

# What each function is at inf, -inf, 0.0 and -0.0; the sign of a zero counts.
AT_ENDS = {
    "exp": (INF, 0.0, 1.0, 1.0),
    "exp2": (INF, 0.0, 1.0, 1.0),
    "expm1": (INF, -1.0, 0.0, -0.0),
    "log": (INF, NAN, -INF, -INF),
    "log2": (INF, NAN, -INF, -INF),
    "log10": (INF, NAN, -INF, -INF),
    "log1p": (INF, NAN, 0.0, -0.0),
    "tanh": (1.0, -1.0, 0.0, -0.0),
    "sinh": (INF, -INF, 0.0, -0.0),
    "cosh": (INF, INF, 1.0, 1.0),
    "erf": (1.0, -1.0, 0.0, -0.0),
    "erfc": (0.0, 2.0, 1.0, 1.0),
    "erfinv": (NAN, NAN, 0.0, -0.0),
    "lgamma": (INF, INF, INF, INF),
    "asin": (NAN, NAN, 0.0, -0.0),
    "acos": (NAN, NAN, math.pi / 2, math.pi / 2),
    "atan": (math.pi / 2, -math.pi / 2, 0.0, -0.0),
    "asinh": (INF, -INF, 0.0, -0.0),
    "acosh": (INF, NAN, NAN, NAN),
    "atanh": (NAN, NAN, 0.0, -0.0),
    "sin": (NAN, NAN, 0.0, -0.0),
    "cos": (NAN, NAN, 1.0, 1.0),
    "tan": (NAN, NAN, 0.0, -0.0),
}

# Exact values elsewhere: (function, argument, value).
EXACT = [
    ("log", 1.0, 0.0), ("log2", 1.0, 0.0), ("log2", 0.125, -3.0), ("log2", 2.0**100, 100.0), ("log10", 1.0, 0.0),
    ("log10", 1000.0, 3.0), ("log1p", -1.0, -INF), ("log1p", -1.5, NAN), ("log", -1.0, NAN), ("log2", -1.0, NAN),
    ("log10", -1e-30, NAN), ("exp2", 10.0, 1024.0), ("exp2", -126.0, 2.0**-126), ("exp2", 127.0, 2.0**127),
    ("acos", 1.0, 0.0), ("acos", 1.5, NAN), ("asin", -1.5, NAN), ("acosh", 1.0, 0.0), ("acosh", 0.5, NAN),
    ("acosh", -3.0, NAN), ("acosh", -1e30, NAN), ("atanh", 1.0, INF), ("atanh", -1.0, -INF), ("atanh", 1.5, NAN),
    ("atanh", -3.0, NAN), ("erfc", 30.0, 0.0), ("erfc", -30.0, 2.0), ("erf", 10.0, 1.0), ("erfinv", 1.0, INF),
    ("erfinv", -1.0, -INF), ("erfinv", 1.0001, NAN), ("erfinv", -2.0, NAN), ("tanh", -50.0, -1.0),
    ("expm1", -100.0, -1.0),
]  # fmt: skip

# Functions that are x itself, correctly rounded, for tiny x.
IDENTITY_NEAR_ZERO = ["expm1", "log1p", "tanh", "sinh", "asin", "atan", "asinh", "atanh", "sin", "tan"]

both_precisions = pytest.mark.parametrize("dtype", [F32, F64], ids=str)


@functools.cache
def ufunc(name: str, dtype: np.dtype) -> Callable[..., np.ndarray]:
    """The function as a kernel over arrays, without numpy's warnings about infinities that are right."""
    arguments = [Argument(a, dtype) for a in scalar.build(name, dtype)[0]]
    formula = Symbol.apply(name, *(Symbol.input(a.name) for a in arguments))
    return compile_formula(f"{name}_{dtype}", arguments, [formula], [dtype], dtype)


def evaluate(name: str, *x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return ufunc(name, x[0].dtype)(*x)


def integers(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"i{dtype.itemsize}")


def points(low: float, high: float, n: int, dtype: np.dtype) -> np.ndarray:
    """Numbers between the bounds: the ends and what lies next to them, evenly spread, and spread over all exponents."""
    rng = np.random.default_rng(0)
    ends = np.array([low, high], dtype)
    half = rng.uniform(low / 2, high / 2, n).astype(dtype)
    parts = [ends, np.nextafter(ends, ends[::-1]), half * 2]
    for sign, bound in ((1, high), (-1, low)):
        if sign * bound > 0:
            top = int(np.array(abs(bound), dtype).view(integers(dtype)))
            parts.append(sign * rng.integers(1, top, n, endpoint=True).astype(integers(dtype)).view(dtype))
    x = np.concatenate(parts)
    return x[(x >= ends[0]) & (x <= ends[1])]


def error_in_ulps(y: np.ndarray, reference: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """|y - (reference + rest)| in units in the last place of the reference; infinity comes after the largest number."""
    largest = np.finfo(y.dtype).max
    a, b = (np.clip(v, -largest, largest).astype(np.float64) for v in (y, reference))
    step = np.spacing(np.minimum(np.abs(reference), largest / 1.5)).astype(np.float64)  # same last place
    error = np.abs((a - b) - np.where(np.isfinite(rest), rest, 0.0)) / step + (np.isinf(y) != np.isinf(reference))
    return np.where(np.isnan(y) & np.isnan(reference), 0.0, np.where(np.isnan(error), np.inf, error))


def precise_values(function: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The function by mpmath at float64 numbers, as a number and what it lacks."""
    with mpmath.workprec(160):
        values = [function(mpmath.mpf(float(v))) for v in x]
        return np.array([float(v) for v in values]), np.array([float(v - mpmath.mpf(float(v))) for v in values])


def test_every_function_has_a_row():
    standins = {name for rows in scalar.STANDINS.values() for name, _, _ in rows}
    assert ROWS.keys() == AT_ENDS.keys() == scalar.FUNCTIONS.keys() - {"power", "fmod", "fmod_near"} - standins


def with_standins(test: Callable) -> Callable:
    """Run the test for each function, and for each that may stand in for it, between the bounds where it does."""
    cases = [(name, row, row.ranges) for name, row in ROWS.items()]
    for name, standins in scalar.STANDINS.items():
        for standin, low, high in standins:
            near = (max(low, -1.0), min(high, 1.0))
            inside = {dtype: (near, (max(low, -LARGEST[dtype]), high)) for dtype in (F32, F64)}
            cases.append((standin, ROWS[name], inside))
    return pytest.mark.parametrize(("name", "row", "ranges"), cases, ids=[name for name, *_ in cases])(test)


@with_standins
def test_float32_is_within_the_bound(name, row, ranges):
    for low, high in ranges[F32]:
        x = points(low, high, 100_000, F32)
        with np.errstate(all="ignore"):
            exact = row.reference(x.astype(np.float64))
            rounded = exact.astype(F32)
            error = error_in_ulps(evaluate(name, x), rounded, exact - rounded)
        worst = np.argmax(error)
        assert error[worst] <= row.ulps, (name, x[worst])


@with_standins
def test_float64_is_within_the_bound(name, row, ranges):
    for low, high in ranges[F64]:
        x = points(low, high, 500, F64)
        exact, rest = precise_values(row.precise, x)
        error = error_in_ulps(evaluate(name, x), exact, rest)
        worst = np.argmax(error)
        assert error[worst] <= row.ulps, (name, x[worst])


@both_precisions
@pytest.mark.parametrize("name", ROWS)
def test_infinities_and_zeros(name, dtype):
    x = np.array([INF, -INF, 0.0, -0.0], dtype)
    y, expected = evaluate(name, x), np.array(AT_ENDS[name], dtype)
    np.testing.assert_array_equal(y, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(y[numbers]), np.signbit(expected[numbers]))


def test_erf_is_never_larger_than_1():
    """In float32 it is a polynomial that comes as near to 1 as an ULP; these are all numbers where it may."""
    first, end = np.array([3, 4], F32).view(np.int32)
    assert evaluate("erf", np.arange(first, end, dtype=np.int32).view(F32)).max() == 1


@both_precisions
def test_standins_agree_at_their_ends(dtype):
    for name, standins in scalar.STANDINS.items():
        for standin, low, high in standins:
            x = np.array([low, high, 0.0], dtype)
            np.testing.assert_allclose(evaluate(standin, x), evaluate(name, x), rtol=4 * np.finfo(dtype).eps)


@both_precisions
@pytest.mark.parametrize("name", [*ROWS, *(standin for rows in scalar.STANDINS.values() for standin, _, _ in rows)])
def test_nan_stays_nan(name, dtype):
    payloads = np.arange(2048, dtype=integers(dtype))
    quiet = np.concatenate([np.array(v, dtype).view(integers(dtype)) + payloads for v in (NAN, -NAN)]).view(dtype)
    assert np.isnan(quiet).all()
    assert np.isnan(evaluate(name, quiet)).all()


@both_precisions
def test_exact_values(dtype):
    for name, x, expected in EXACT:
        np.testing.assert_array_equal(evaluate(name, np.array([x], dtype)), np.array([expected], dtype), err_msg=name)


@both_precisions
@pytest.mark.parametrize("name", IDENTITY_NEAR_ZERO)
def test_tiny_arguments_come_back(name, dtype):
    info = np.finfo(dtype)
    x = np.array([info.smallest_subnormal, 3 * info.smallest_subnormal, info.smallest_normal, 1e-30], dtype)
    x = np.concatenate([x, -x])
    np.testing.assert_array_equal(evaluate(name, x), x)


def next_to_multiples_of_half_pi(dtype: np.dtype) -> np.ndarray:
    """Numbers of every exponent that come nearest to a multiple of pi/2: denominators of the convergents of the
    continued fraction of 2**n / (pi/2), times 2**n. (Beyond `FAR` the C library errs by more than an ULP at these.)
    """
    info, found = np.finfo(dtype), []
    with mpmath.workprec(200):
        for n in range(-info.nmant, int(math.log2(FAR)) - info.nmant):
            rest = mpmath.mpf(2) ** n / (mpmath.pi / 2)
            before, q = 1, 0
            while True:
                whole = int(mpmath.floor(rest))
                before, q = q, whole * q + before
                if q >= 2 ** (info.nmant + 1):
                    break
                rest = 1 / (rest - whole)
            found.append(math.ldexp(before, n))
    return np.array(found, dtype)


@both_precisions
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_arguments_next_to_multiples_of_half_pi(name, dtype):
    x = next_to_multiples_of_half_pi(dtype)
    x = np.concatenate([x, -x])
    with mpmath.workprec(200):
        values = [ROWS[name].precise(mpmath.mpf(float(v))) for v in x]
        exact = np.array([float(v) for v in values]).astype(dtype)
        rest = np.array([float(v - mpmath.mpf(float(r))) for v, r in zip(values, exact, strict=True)])
    assert np.abs(x).max() > FAR / 4
    assert error_in_ulps(evaluate(name, x), exact, rest).max() <= ROWS[name].ulps


@both_precisions
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_a_large_argument_leaves_the_others_as_they_are(name, dtype):
    """A loop looks at stretches of arguments before it chooses how to compute them."""
    x = np.random.default_rng(0).uniform(-9, 9, 5000).astype(dtype)
    with_large = x.copy()
    with_large[[1500, 4999]] = 1e9, -1e30
    with_large[[2500, 2600]] = NAN, INF
    y, with_large_y = evaluate(name, x), evaluate(name, with_large)
    same = x == with_large
    np.testing.assert_array_equal(with_large_y[same], y[same])
    others = evaluate(name, with_large[~same])
    np.testing.assert_array_equal(with_large_y[~same], others)
    np.testing.assert_array_equal(np.isnan(others), [False, True, True, False])
    np.testing.assert_array_equal(evaluate(name, with_large[::-1]), with_large_y[::-1])


@both_precisions
def test_lgamma_of_negative_numbers(dtype):
    x = -points(0.0, 40.0, 500, dtype)[2:]
    exact = np.array([float(mpmath.log(abs(mpmath.gamma(float(v))))) for v in x])
    size = scipy.special.gammaln(1.0 - x.astype(np.float64))
    error = np.abs(evaluate("lgamma", x) - exact)
    assert (error / np.maximum(np.abs(exact), size + 1)).max() <= 4 * np.finfo(dtype).eps
    poles = np.array([-1, -2, -30, -1e30, -INF], dtype)
    np.testing.assert_array_equal(evaluate("lgamma", poles), np.full(5, INF, dtype))


@both_precisions
def test_underflow_is_gradual_and_overflow_in_place(dtype):
    info = np.finfo(dtype)
    last = dtype.type({F32: 88.72283172607422, F64: 709.782712893384}[dtype])  # whose exponential is finite
    x = np.array([last, np.nextafter(last, dtype.type(INF))])
    y = evaluate("exp", x)
    assert np.isfinite(y[0])
    assert np.isinf(y[1])
    powers = np.arange(info.minexp - info.nmant - 2, info.minexp + 2)
    with np.errstate(under="ignore"):
        expected = np.ldexp(np.ones(len(powers)), powers).astype(dtype)
    np.testing.assert_array_equal(evaluate("exp2", powers.astype(dtype)), expected)


@both_precisions
def test_strided_and_short_arrays_agree_with_long_ones(dtype):
    x = np.linspace(-3, 3, 1001).astype(dtype)
    y = evaluate("tanh", x)
    np.testing.assert_array_equal(evaluate("tanh", x[::-3]), y[::-3])
    for n in (0, 1, 5, 17):
        np.testing.assert_array_equal(evaluate("tanh", x[:n]), y[:n])


@both_precisions
def test_fmod_is_exact(dtype):
    rng = np.random.default_rng(0)
    info = np.finfo(dtype)
    x, y = (points(-LARGEST[dtype], LARGEST[dtype], 20_000, dtype) for _ in range(2))
    rng.shuffle(y)
    near = x[np.abs(x) < info.max / 2**30]
    ratio = rng.uniform(-(2.0**28), 2.0**28, len(near))
    multiples = np.rint(ratio) / np.rint(rng.uniform(1, 9, len(near)))
    with np.errstate(all="ignore"):
        pairs = [(x, y), (x, y[::-1]), (near, (near / ratio).astype(dtype)), (near, (near / multiples).astype(dtype))]
        small = rng.integers(-99, 99, (2, 5000)).astype(dtype)
        pairs.append((small[0] / 8, small[1] / 8))
        special = np.array([0.0, 1.5, INF, NAN, info.max, info.smallest_subnormal, 2.0**29, 2.0**29 - 1], dtype)
        special = np.concatenate([special, -special])
        pairs.append(tuple(v.ravel() for v in np.meshgrid(special, special)))
        for a, b in pairs:
            expected, found = np.fmod(a, b), evaluate("fmod", a, b)
            np.testing.assert_array_equal(found, expected)
            numbers = ~np.isnan(expected)
            np.testing.assert_array_equal(np.signbit(found[numbers]), np.signbit(expected[numbers]))


def c_pow(x: float, y: float) -> float:
    """C's pow, where Python's raises an error."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return math.copysign(INF, x) if abs(y) % 2 == 1 else INF
    except ValueError:
        return NAN if x else math.copysign(INF, x) if abs(y) % 2 == 1 else INF


@both_precisions
def test_power_of_special_values(dtype):
    info = np.finfo(dtype)
    even_from = 2.0 ** (info.nmant + 1)
    values = [0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 1 - info.epsneg, even_from - 1, even_from, info.max]
    values.append(info.smallest_subnormal)
    values = np.array([sign * v for v in (*values, INF, NAN) for sign in (1, -1)], dtype)
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    with np.errstate(over="ignore", under="ignore"):
        expected = np.array([c_pow(float(a), float(b)) for a, b in zip(x, y, strict=True)]).astype(dtype)
    z = evaluate("power", x, y)
    regular = (np.abs(expected) < INF) & (expected != 0)
    np.testing.assert_array_equal(z[~regular], expected[~regular])
    np.testing.assert_array_equal(np.signbit(z[expected == 0]), np.signbit(expected[expected == 0]))
    np.testing.assert_array_max_ulp(z[regular], expected[regular], 1)


@pytest.mark.parametrize(
    "dtype, low, high", [(F32, -152, 130), (F32, -3, 3), (F64, -1077, 1026), (F64, -3, 3)], ids=str
)
def test_power_is_within_the_bound(dtype, low, high):
    rng = np.random.default_rng(0)
    x = points(0.0, LARGEST[dtype], 100_000 if dtype == F32 else 1000, dtype)[3:]
    x = x[x != 1]
    x = np.concatenate([x, points(0.5, 2.0, 500, dtype)])
    with np.errstate(divide="ignore"):
        y = (rng.uniform(low, high, len(x)) / np.log2(x.astype(np.float64))).astype(dtype)
    with np.errstate(over="ignore", under="ignore"):
        if dtype == F32:
            exact = np.power(x.astype(np.float64), y.astype(np.float64))
            rounded = exact.astype(F32)
            rest = exact - rounded
        else:
            with mpmath.workprec(160):
                values = [mpmath.mpf(float(a)) ** mpmath.mpf(float(b)) for a, b in zip(x, y, strict=True)]
                rounded = np.array([float(v) for v in values])
                rest = np.array([float(v - mpmath.mpf(float(r))) for v, r in zip(values, rounded, strict=True)])
        error = error_in_ulps(evaluate("power", x, y), rounded, rest)
    assert error.max() <= 2, x[error.argmax()]
    whole = np.rint(y)
    np.testing.assert_array_equal(
        evaluate("power", -x, whole), np.where(whole % 2 == 1, -1, 1) * evaluate("power", x, whole)
    )
