"""Reductions and scans where their kernels go by blocks, tiles and threads: long axes, many of them, other layouts."""

import numpy as np
import pytest
import torch

import autograd

SHAPES = [
    ((10_000,), 0),  # several blocks of a row
    ((3, 5000), 1),
    ((700, 3), 0),  # several blocks of rows
    ((2, 300, 5), 1),
    ((4, 3, 1500), 1),  # several tiles of a row
    ((9, 70), 1),
    ((300_001,), 0),  # shared out
    ((601, 500), 0),
    ((500, 601), 1),
]
REDUCTIONS = ("sum", "mean", "var", "std", "prod", "amax", "amin", "logsumexp", "max", "min", "argmax", "argmin")
SCANS = ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin")


def values(shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    numbers = 1 + np.random.default_rng(0).standard_normal(shape) * 0.02
    return numbers.round(3).astype(dtype)  # with ties


def first(result):
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
@pytest.mark.parametrize("name", REDUCTIONS + SCANS)
def test_like_pytorch(name, shape, dim, layout, threads):
    array = np.asarray(values(shape), order=layout)
    ours, theirs = autograd.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    before = autograd.get_num_threads()
    autograd.set_num_threads(threads)
    try:
        result, expected = (getattr(t, name)(dim) for t in (ours, theirs))
        for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (result, expected)), strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
        if name.startswith("arg"):
            return
        weights = np.random.default_rng(1).standard_normal(first(result).shape)
        first(result).backward(autograd.tensor(weights))
        first(expected).backward(torch.tensor(weights))
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-9, atol=1e-12)
    finally:
        autograd.set_num_threads(before)


@pytest.mark.parametrize("dims", [(0, 2), (0, 3), (1, 3), (0, 1, 3)])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "amax", "logsumexp"])
def test_axes_that_are_apart(name, dims):
    array = values((3, 40, 5, 6))
    ours, theirs = autograd.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    for keepdim in (False, True):
        a, b = getattr(ours, name)(dims, keepdim=keepdim), getattr(theirs, name)(dims, keepdim=keepdim)
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
        a.pow(2).sum().backward()
        b.pow(2).sum().backward()
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "dim"), [((1_000_000,), 0), ((1000, 1000), 0), ((1000, 1000), 1), ((100_000, 10), 0)]
)
def test_sums_are_accurate(shape, dim):
    array = np.random.default_rng(0).random(shape, np.float32)
    exact = array.astype(np.float64).sum(dim)
    error = np.abs(autograd.tensor(array).sum(dim).numpy() - exact) / np.spacing(exact.astype(np.float32))
    assert error.max() <= 5


@pytest.mark.parametrize("special", [np.nan, -np.nan, np.inf, -np.inf, -0.0])
@pytest.mark.parametrize("name", ["amax", "amin", "max", "min", "argmax", "argmin", "cummax", "cummin"])
@pytest.mark.parametrize(("shape", "dim"), [((600,), 0), ((300, 4), 0)])
def test_extrema_of_special_values(name, shape, dim, special):
    array = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    array[5] = array[shape[0] // 2] = special
    array[-3] = 0.0
    result, expected = (getattr(t, name)(dim) for t in (autograd.tensor(array), torch.tensor(array)))
    for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (result, expected)), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_are_where_their_starts_say(mode):
    index, starts = autograd.tensor([1, 0, 2, 2, 1]), autograd.tensor([1, 1, 3])  # the first and the last are in none
    table = autograd.tensor([[1.0, -2.0], [3.0, 4.0], [5.0, 0.5]], dtype=autograd.float64, requires_grad=True)
    out = autograd.pool_rows(table, index, starts, mode=mode)
    expected = {"sum": [6.0, -1.5], "mean": [3.0, -0.75], "max": [5.0, 0.5]}[mode]
    assert out.tolist() == [[0.0, 0.0], expected]
    assert autograd.gradcheck(lambda t: autograd.pool_rows(t, index, starts, mode=mode), table)
    assert autograd.gradgradcheck(lambda t: autograd.pool_rows(t, index, starts, mode=mode), table)
    if mode == "sum":
        factors = autograd.randn(5, dtype=autograd.float64, requires_grad=True)
        assert autograd.gradcheck(lambda t, f: autograd.pool_rows(t, index, starts, f), (table, factors))
        assert autograd.gradgradcheck(lambda t, f: autograd.pool_rows(t, index, starts, f), (table, factors))
    with pytest.raises(RuntimeError, match=r"^pool_rows: starts rise from 0 to 5 at most; got \[0, 6\]$"):
        autograd.pool_rows(table, index, autograd.tensor([0, 6]), mode=mode)
    with pytest.raises(IndexError, match=r"^pool_rows: an index must be in \[0, 3\) for dim 0; got 3$"):
        autograd.pool_rows(table, autograd.tensor([3]), autograd.tensor([0, 1]), mode=mode)


@pytest.mark.parametrize("name", ["amax", "amin"])
def test_extrema_of_halves_share_their_gradient(name):
    values = np.array([[1, 3, 3], [2, 2, 2]], np.float16)
    ours, theirs = autograd.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    getattr(ours, name)(1).sum().backward()
    getattr(theirs, name)(1).sum().backward()
    assert ours.grad.dtype == autograd.float16
    np.testing.assert_array_equal(ours.grad.numpy(), theirs.grad.numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
def test_rows_of_every_length(function, dtype):
    # Where a row ends within a vector, a mask must keep the rest of it out of the sums and out of the next row.
    scores = np.random.default_rng(0).normal(0, 3, (7, 140))
    scores[2, ::5], scores[3, 0], scores[4, 1:] = -np.inf, np.nan, -np.inf
    for n in range(1, 140):
        x = autograd.tensor(scores[:, :n].astype(dtype), requires_grad=True)
        expected = torch.tensor(x.array, requires_grad=True)
        for lib, t in ((autograd, x), (torch, expected)):
            y = getattr(lib, function)(t, -1)
            (y * lib.arange(n)).sum().backward()
            t.result = y.detach().numpy()
        tolerance = 1e-5 if dtype is np.float32 else 1e-13
        np.testing.assert_allclose(x.result, expected.result, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(x.grad.numpy(), expected.grad.numpy(), rtol=tolerance, atol=tolerance * n)
