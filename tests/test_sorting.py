"""Orders of arrays large enough for a kernel, which numpy's stable sort and PyTorch know too."""

import numpy as np
import pytest
import torch

import autograd
from autograd.kernels import sort

DTYPES = ["float64", "float32", "float16", "int64", "int32", "int8", "uint8"]
SHAPES = [((20_000,), 0), ((130, 100), 0), ((130, 100), 1), ((4, 700, 5), 1), ((1, 9000), 1), ((40_000, 20), 0)]


@pytest.fixture(autouse=True, params=[1, 2], ids=["one thread", "two threads"])
def _threads(request):
    before = autograd.get_num_threads()
    autograd.set_num_threads(request.param)
    yield
    autograd.set_num_threads(before)


def values(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """With many ties, and of floating numbers with infinities, NaN and both zeros."""
    numbers = np.random.default_rng(0).integers(-100, 100, shape)
    if not dtype.startswith("float"):
        return numbers.astype(dtype)
    x = (numbers / 8).astype(dtype)
    x.flat[::97], x.flat[1::91], x.flat[2::89], x.flat[3::31] = np.nan, np.inf, -np.inf, -0.0
    return x


def stable_order(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(x, dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(np.argsort(np.flip(x, dim), dim, kind="stable"), dim)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("descending", [False, True])
def test_orders_are_stable(shape, dim, dtype, descending):
    x = values(shape, dtype)
    expected = stable_order(x, dim, descending)
    tensor = autograd.from_numpy(x)
    np.testing.assert_array_equal(autograd.argsort(tensor, dim, descending), expected)
    found = autograd.sort(tensor, dim, descending)
    np.testing.assert_array_equal(found.indices, expected)
    np.testing.assert_array_equal(found.values, np.take_along_axis(x, expected, dim))
    for k in (1, 3, sort.FEW, sort.FEW + 1):
        if k <= shape[dim]:
            top = autograd.topk(tensor, k, dim, largest=descending)
            theirs = torch.topk(torch.from_numpy(x), k, dim, largest=descending)
            np.testing.assert_array_equal(top.values, theirs.values)
            np.testing.assert_array_equal(np.take_along_axis(x, top.indices.numpy(), dim), top.values)
            if k <= sort.FEW and 4 * k <= shape[dim] and shape[dim] >= sort.LONG:
                first = np.take(expected, range(k), dim)
                np.testing.assert_array_equal(top.indices, first)


@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_gradients_go_where_the_values_were(shape, dim):
    numbers = np.random.default_rng(1).permutation(np.prod(shape)).reshape(shape).astype(np.float64)  # no ties
    weights = np.linspace(-1, 1, numbers.size).reshape(shape)
    results = []
    for lib in (autograd, torch):
        x = lib.from_numpy(numbers.copy()).requires_grad_()
        y = lib.sort(x, dim)[0]
        z = lib.topk(x, 5, dim)[0]
        ((y * lib.from_numpy(weights)).sum() + (z * z).sum()).backward()
        results.append(x.grad.numpy())
    np.testing.assert_allclose(*results, rtol=1e-12)
