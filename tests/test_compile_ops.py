"""A compiled function is the function: over the table of operations, with other values than it was captured with."""

import numpy as np
import pytest
from oracle import assert_close, tensors, to_ours
from samples import load_rows
from test_ops import function as function_of

import autograd
from autograd import Tensor

VALUES_DECIDE = {
    "allclose", "argwhere", "bincount", "combinations", "equal", "masked_select", "nonzero", "pool_rows",
    "repeat_interleave", "unique", "unique_consecutive",
}  # fmt: skip
"""Operations whose result has a shape that depends on values, or that read them in Python, or whose values must rise."""


def others(value):
    """The argument with other values from the same range in every array."""
    if isinstance(value, np.ndarray):
        return np.array(value.reshape(-1)[::-1].reshape(value.shape), order="C")
    if type(value) in (tuple, list):
        return type(value)(others(v) for v in value)
    return value


def with_first(value, number):
    """The argument with this number as the first element of every floating array."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        changed = value.copy()
        changed.flat[0] = number
        return changed
    return type(value)(with_first(v, number) for v in value) if type(value) in (tuple, list) else value


def flatten(value):
    """The arrays of nested arguments."""
    if isinstance(value, np.ndarray):
        return [value]
    return [a for v in value for a in flatten(v)] if type(value) in (tuple, list) else []


def refill(value, new):
    """The nested arguments with tensors for their arrays."""
    if isinstance(value, np.ndarray):
        return next(new)
    return type(value)(refill(v, new) for v in value) if type(value) in (tuple, list) else value


SAMPLES = [
    (row, next((s for s in row.samples if flatten(s.args) and all(a.size for a in flatten(s.args))), None))
    for row in load_rows()
]
ROWS = {
    f"{row.name}-{i}": (row, sample)
    for i, (row, sample) in enumerate(SAMPLES)
    if sample is not None and row.name not in VALUES_DECIDE
}


@pytest.mark.parametrize("apart", [1, 2], ids=["side by side", "every other"])
@pytest.mark.parametrize(("row", "sample"), ROWS.values(), ids=ROWS)
def test_every_operation(row, sample, apart):
    """With operands whose numbers lie side by side, and with such that are every other number of a larger tensor."""
    function, kwargs = function_of(row), to_ours(sample.kwargs)

    def call(*whole):
        given = [t[..., ::apart] if t.ndim and apart > 1 else t for t in whole]
        outs = tensors(function(*refill(sample.args, iter(given)), **kwargs))
        return [t for t in outs if isinstance(t, Tensor)]

    def inputs(args):
        arrays = [np.repeat(a, apart, -1) if a.ndim else a for a in flatten(args)]
        return [to_ours(a, "float32", row.differentiable) for a in arrays]

    compiled = autograd.compile(call)
    for args in (sample.args, others(sample.args), sample.args):
        given, expected_from = inputs(args), inputs(args)
        outs, expected = compiled(*given), call(*expected_from)
        assert len(compiled.variants) == 1 and len(next(iter(compiled.variants.values()))) == 1
        gradients = [_gradients(*pair) for pair in ((outs, given), (expected, expected_from))]
        for out, want in zip(outs, expected, strict=True):
            assert out.dtype == want.dtype and out.shape == want.shape
            assert out.requires_grad == want.requires_grad
            assert_close(out.array, want.array, row.name, 16)
        for found, want in zip(*gradients, strict=True):
            assert (found is None) == (want is None)
            if found is not None:
                assert_close(found.array, want.array, f"gradient of {row.name}", 64, 1.0)


def _gradients(outs, inputs):
    total = sum(((t * t.detach().cos()).double().sum() for t in outs if t.requires_grad), start=0)
    wanted = [x for x in inputs if x.requires_grad]
    if isinstance(total, int) or not wanted:
        return []
    return autograd.grad(total, wanted, allow_unused=True)


@pytest.mark.parametrize(("row", "sample"), ROWS.values(), ids=ROWS)
def test_values_that_an_operation_may_look_at(row, sample):
    """Where an operation has a way of its own for zeros, infinities or NaN, its program has it too."""
    function, kwargs = function_of(row), to_ours(sample.kwargs)

    def call(*given):
        return [t for t in tensors(function(*refill(sample.args, iter(given)), **kwargs)) if isinstance(t, Tensor)]

    def outcome(run, args):
        given = [to_ours(a, "float32", row.differentiable) for a in flatten(args)]
        try:
            outs = run(*given)
            return [t.detach().numpy() for t in (*outs, *_gradients(outs, given)) if t is not None]
        except (ArithmeticError, RuntimeError, ValueError, IndexError) as error:
            return type(error)

    compiled = autograd.compile(call)
    compiled(*[to_ours(a, "float32", row.differentiable) for a in flatten(sample.args)])
    for number in (0.0, np.inf, -np.inf, np.nan):
        args = with_first(sample.args, number)
        got, expected = outcome(compiled, args), outcome(call, args)
        assert isinstance(got, list) == isinstance(expected, list), f"{row.name} of {number}: {got} for {expected}"
        if isinstance(got, list):
            for a, b in zip(got, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4, err_msg=f"{row.name} of {number}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [10, 5000])
def test_functions_whose_arguments_a_loop_looks_at(n, dtype):
    """Among small arguments and with a large one, alone and with what is computed around them."""
    x = autograd.from_numpy(np.random.default_rng(0).uniform(-9, 9, (3, n)).astype(dtype))
    large = x.clone()
    large[1, n // 2], large[2, 3] = 1e9, float("nan")

    def function(x):
        turned = autograd.sin(x * 2 + 1) * autograd.cos(x) + autograd.tan(x)
        return turned, autograd.remainder(turned, 0.3), autograd.sin(x).sum(1)

    compiled = autograd.compile(function)
    for values in (x, x, large, x):
        for mine, expected in zip(compiled(values), function(values), strict=True):
            np.testing.assert_allclose(mine.numpy(), expected.numpy(), rtol=1e-4 if dtype == "float32" else 1e-12)
