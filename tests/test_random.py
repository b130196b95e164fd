"""Random numbers: streams that repeat, distributions that are what they say, refusals in full."""

import copy
import pickle
import threading

import numpy as np
import pytest
from scipy import stats

import autograd
from autograd import Generator

DRAWS = {
    "rand": lambda g: autograd.rand(50, generator=g),
    "rand64": lambda g: autograd.rand(50, generator=g, dtype=autograd.float64),
    "rand16": lambda g: autograd.rand(50, generator=g, dtype=autograd.float16),
    "randn": lambda g: autograd.randn((5, 10), generator=g),
    "randint": lambda g: autograd.randint(3, 9, (50,), generator=g),
    "randperm": lambda g: autograd.randperm(50, generator=g),
    "normal": lambda g: autograd.normal(autograd.zeros(5, 1), autograd.ones(10), generator=g),
    "bernoulli": lambda g: autograd.bernoulli(autograd.full((50,), 0.5), generator=g),
    "poisson": lambda g: autograd.poisson(autograd.full((50,), 3.0), generator=g),
    "multinomial": lambda g: autograd.multinomial(autograd.ones(60), 50, generator=g),
    "replacement": lambda g: autograd.multinomial(autograd.ones(60), 50, True, generator=g),
    "uniform_": lambda g: autograd.empty(50).uniform_(-1, 3, generator=g),
    "normal_": lambda g: autograd.empty(50, dtype=autograd.float64).normal_(5, 2, generator=g),
    "exponential_": lambda g: autograd.empty(50).exponential_(2, generator=g),
    "bernoulli_": lambda g: autograd.empty(50).bernoulli_(0.3, generator=g),
    "dropout": lambda g: autograd.dropout(autograd.ones(50), 0.5, True, generator=g),
    "random_": lambda g: autograd.empty(50, dtype=autograd.int64).random_(generator=g),
}


@pytest.mark.parametrize("name", DRAWS)
def test_seeds_repeat(name):
    draw = DRAWS[name]
    one, same, other = (draw(Generator().manual_seed(s)) for s in (7, 7, 8))
    np.testing.assert_array_equal(one.array, same.array)
    assert one.numel() == 50 and not np.array_equal(one.array, other.array)
    autograd.manual_seed(3)
    first = draw(None)
    autograd.manual_seed(3)
    np.testing.assert_array_equal(draw(None).array, first.array)
    g = Generator().manual_seed(1)
    state = g.get_state()
    first = draw(g)
    assert not np.array_equal(draw(g).array, first.array)
    np.testing.assert_array_equal(draw(g.set_state(state)).array, first.array)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))], ids=["copy", "pickle"])
@pytest.mark.parametrize("drawn", [0, 3])
def test_a_copy_goes_on_from_where_the_generator_is(again, drawn):
    g = Generator().manual_seed(7)
    autograd.rand(drawn, generator=g)
    other = again(g)
    assert other.initial_seed() == 7
    expected = autograd.rand(5, generator=g)
    np.testing.assert_array_equal(autograd.rand(5, generator=other).array, expected.array)
    np.testing.assert_array_equal(autograd.rand(2, generator=other).array, autograd.rand(2, generator=g).array)


def test_state_of_the_default_generator():
    assert autograd.manual_seed(5) is autograd.default_generator and autograd.initial_seed() == 5
    state = autograd.get_rng_state()
    assert state.dtype == autograd.uint8
    first = autograd.rand(3)
    autograd.set_rng_state(state)
    np.testing.assert_array_equal(autograd.rand(3).array, first.array)
    assert autograd.initial_seed() == 5
    assert autograd.seed() == autograd.initial_seed() != 5
    autograd.manual_seed(-3)
    assert autograd.initial_seed() == 2**64 - 3


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ranges(dtype):
    dtype = np.dtype(dtype)
    x = autograd.rand(20_000, dtype=dtype)
    assert x.dtype == dtype and x.array.min() >= 0 and x.array.max() < 1
    u = autograd.empty(20_000, dtype=dtype).uniform_(-2, 5)
    assert u.dtype == dtype and u.array.min() >= -2 and u.array.max() < 5
    assert autograd.empty(1000, dtype=dtype).random_().array.max() <= 2 ** {2: 11, 4: 24, 8: 53}[dtype.itemsize]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_is_independent_from_place_to_place(p):
    n = 200_000  # more than one block of the kernel
    a, b = (autograd.dropout(autograd.ones(n, dtype=autograd.float64), p, True).array > 0 for _ in range(2))
    deviation = (p * (1 - p) / n) ** 0.5
    assert abs(a.mean() - (1 - p)) < 5 * deviation
    for lag in (1, 2, 16, 64, 1000, 65536):
        correlation = np.corrcoef(a[lag:], a[:-lag])[0, 1]
        assert abs(correlation) < 5 / (n - lag) ** 0.5, lag
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / n**0.5, "another call, another mask"


@pytest.mark.parametrize("dtype", [autograd.float32, autograd.float64], ids=str)
def test_normal_numbers_of_a_kernel(dtype):
    n = 400_001  # several blocks, and one number more than pairs
    threads = autograd.get_num_threads()
    drawn = []
    try:
        for count in (1, 2):
            autograd.set_num_threads(count)
            autograd.manual_seed(3)
            drawn += [autograd.randn(n, dtype=dtype), autograd.randn(n, dtype=dtype)]
    finally:
        autograd.set_num_threads(threads)
    x, y, x_of_two, y_of_two = (t.numpy() for t in drawn)
    np.testing.assert_array_equal(x, x_of_two)
    np.testing.assert_array_equal(y, y_of_two)
    assert min(p_value(t, stats.norm) for t in drawn[:2]) > 1e-3
    for power in (1, 2, 3):
        a, b = x.astype(float) ** power, y.astype(float) ** power
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / n**0.5, "another call, other numbers"
        for lag in (1, 2, 16, 32768, 65536):
            assert abs(np.corrcoef(a[lag:], a[:-lag])[0, 1]) < 5 / (n - lag) ** 0.5, lag
    tails = stats.norm.sf(3.5) * n
    for end in (x < -3.5, x > 3.5):
        assert abs(end.sum() - tails) < 5 * tails**0.5
    assert len(np.unique(x)) > 0.9 * n


def test_dropout_computes_its_mask_again_in_backward():
    x = autograd.randn(70, 1000, requires_grad=True)
    y = autograd.dropout(x, 0.3, True)
    (g,) = autograd.grad(y, x, autograd.ones(70, 1000), create_graph=True)
    np.testing.assert_array_equal(g.array, np.where(y.array == 0, 0, np.float32(1 / 0.7)))
    assert sum(s.nbytes for s in y.grad_fn.saved if s is not None) == 16, "two numbers are kept, and no mask"
    half = autograd.dropout(autograd.ones(50, dtype=autograd.float16), 0.5, True)
    assert half.dtype == autograd.float16 and set(half.tolist()) == {0.0, 2.0}
    assert not autograd.dropout(x, 1.0, True).array.any()
    with pytest.raises(ValueError, match=r"^dropout: p must be in \[0, 1\]; got 2$"):
        autograd.dropout(x, 2, True)


def p_value(sample, distribution) -> float:
    return stats.kstest(sample.array.astype(float), distribution.cdf).pvalue


def test_distributions():
    n = 20_000
    assert p_value(autograd.rand(n), stats.uniform) > 1e-3
    assert p_value(autograd.randn(n), stats.norm) > 1e-3
    assert p_value(autograd.normal(2.0, 3.0, (n,)), stats.norm(2, 3)) > 1e-3
    assert p_value(autograd.empty(n).uniform_(-1, 3), stats.uniform(-1, 4)) > 1e-3
    assert p_value(autograd.empty(n).normal_(2, 3), stats.norm(2, 3)) > 1e-3
    assert p_value(autograd.empty(n).exponential_(4), stats.expon(scale=1 / 4)) > 1e-3
    for drawn, low, high in [
        (autograd.randint(3, 9, (n,)), 3, 9),
        (autograd.randint(4, (n,)), 0, 4),
        (autograd.empty(n, dtype=autograd.uint8).random_(6), 0, 6),
        (autograd.empty(n).random_(-2, 3), -2, 3),
    ]:
        counts = np.bincount(drawn.array.astype(int) - low, minlength=high - low)
        assert len(counts) == high - low and stats.chisquare(counts).pvalue > 1e-3
    rates = autograd.full((n,), 3.0)
    assert abs(autograd.poisson(rates).mean().item() - 3) < 0.1 and abs(autograd.poisson(rates).var().item() - 3) < 0.2
    assert abs(autograd.bernoulli(autograd.full((n,), 0.3)).mean().item() - 0.3) < 0.02
    assert abs(autograd.bernoulli(autograd.ones(n, dtype=autograd.int64), 0.3).double().mean().item() - 0.3) < 0.02


def test_multinomial():
    weights = autograd.tensor([[1.0, 0.0, 3.0], [0.0, 5.0, 5.0]])
    drawn = autograd.multinomial(weights, 20_000, replacement=True)
    assert drawn.shape == (2, 20_000) and drawn.dtype == autograd.int64
    np.testing.assert_allclose(np.bincount(drawn.array[0]) / 20_000, [0.25, 0, 0.75], atol=0.02)
    np.testing.assert_allclose(np.bincount(drawn.array[1]) / 20_000, [0, 0.5, 0.5], atol=0.02)
    # Without replacement the first draw follows the weights, and no place comes twice.
    first = autograd.multinomial(autograd.tensor([1.0, 2.0, 5.0]).expand(20_000, 3), 3)
    np.testing.assert_allclose(np.bincount(first.array[:, 0]) / 20_000, [1 / 8, 2 / 8, 5 / 8], atol=0.02)
    assert (np.sort(first.array, 1) == [0, 1, 2]).all()
    assert autograd.multinomial(autograd.tensor([0.0, 1.0, 0.0]), 1).tolist() == [1]


def test_shapes_and_dtypes():
    x = autograd.ones(2, 3, dtype=autograd.float64)
    assert autograd.rand_like(x).dtype == autograd.randn_like(x).dtype == autograd.float64
    assert autograd.randint_like(x, 5).dtype == autograd.float64 and autograd.randint_like(x, 2, 5).shape == (2, 3)
    assert autograd.rand(2, 0).shape == (2, 0) and autograd.randn(()).shape == () and autograd.randperm(0).shape == (0,)
    assert autograd.rand(2, requires_grad=True).requires_grad
    assert autograd.normal(autograd.zeros(2, 1), autograd.ones(3)).shape == (2, 3)
    assert autograd.normal(1.0, autograd.ones(2, dtype=autograd.float64)).dtype == autograd.float64
    assert sorted(autograd.randperm(9).tolist()) == list(range(9))
    assert autograd.bernoulli(x).dtype == autograd.float64 and autograd.bernoulli(x).tolist() == x.tolist()
    assert x.bernoulli_(autograd.tensor([0.0, 1.0, 0.0])).tolist() == [[0, 1, 0]] * 2


def test_draws_have_gradients_of_zero():
    mean, std = autograd.zeros(2, requires_grad=True), autograd.ones(3, 1, requires_grad=True)
    autograd.normal(mean, std).sum().backward()
    assert mean.grad.tolist() == [0, 0] and std.grad.tolist() == [[0], [0], [0]]
    p = autograd.full((3,), 0.5, requires_grad=True)
    (autograd.bernoulli(p) + autograd.poisson(p)).sum().backward()
    assert p.grad.tolist() == [0, 0, 0]


def test_in_place_on_parameters_and_graphs():
    w = autograd.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"^normal_: a leaf that requires a gradient"):
        w.normal_()
    with autograd.no_grad():
        assert w.normal_() is w and w.requires_grad and w.is_leaf
    x = w * 2
    x[:2].uniform_()
    x.sum().backward()
    assert w.grad.tolist() == [0, 0, 2]


def test_threads_draw_different_numbers():
    drawn = []
    threads = [threading.Thread(target=lambda: drawn.extend(autograd.rand(500).tolist())) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(drawn)) > 1900


ERRORS = [
    (lambda: autograd.normal(0.0, -1.0, (2,)), "normal: std must not be negative; got -1.0"),
    (lambda: autograd.normal(autograd.zeros(1), -autograd.ones(2)), "normal: std must not be negative; got -1.0"),
    (lambda: autograd.normal(autograd.arange(2)), "normal: the dtype is a floating one; got int64"),
    (lambda: autograd.bernoulli(autograd.tensor([2.0])), "bernoulli: a probability must be in [0, 1]; got 2.0"),
    (lambda: autograd.bernoulli(autograd.ones(2), -0.5), "bernoulli: a probability must be in [0, 1]; got -0.5"),
    (lambda: autograd.bernoulli(autograd.tensor([1])), "bernoulli: the dtype is a floating one; got int64"),
    (lambda: autograd.poisson(autograd.tensor([-1.0])), "poisson: a rate must not be negative; got -1.0"),
    (
        lambda: autograd.multinomial(autograd.ones(2), 3),
        "multinomial: without replacement at most 2 samples; got 3",
    ),
    (lambda: autograd.multinomial(autograd.ones(2), 0), "multinomial: at least one sample; got 0"),
    (lambda: autograd.multinomial(autograd.zeros(2), 1), "multinomial: a weight must be positive; got a row of zeros"),
    (
        lambda: autograd.multinomial(autograd.tensor([-1.0, 1.0]), 1),
        "multinomial: weights are finite and not negative; got inf, nan or less than 0",
    ),
    (
        lambda: autograd.multinomial(autograd.ones(2, 2, 2), 1),
        "multinomial: a vector or a matrix of weights; got shape (2, 2, 2)",
    ),
    (lambda: autograd.multinomial(autograd.tensor([1, 2]), 1), "multinomial: the dtype is a floating one; got int64"),
    (lambda: autograd.randint(5, 5, (2,)), "randint: low must be below high; got low=5, high=5"),
    (lambda: autograd.rand(2, dtype=autograd.int64), "rand: the dtype is a floating one; got int64"),
    (lambda: autograd.randn(2, -1), "randn: lengths must not be negative; got (2, -1)"),
    (lambda: autograd.randperm(-1), "randperm: lengths must not be negative; got (-1,)"),
    (lambda: autograd.ones(2).uniform_(1, 0), "uniform_: from must not be above to; got 1 and 0"),
    (lambda: autograd.ones(2).normal_(0, -1), "normal_: std must not be negative; got -1"),
    (lambda: autograd.arange(2).normal_(), "normal_: the dtype is a floating one; got int64"),
    (lambda: autograd.ones(2).exponential_(0), "exponential_: lambd must be positive; got 0"),
    (lambda: autograd.ones(2).random_(3, 3), "random_: from must be below to; got 3 and 3"),
    (lambda: Generator("cuda"), "Generator: the only device is \"cpu\"; got 'cuda'"),
    (
        lambda: autograd.set_rng_state(autograd.zeros(3, dtype=autograd.uint8)),
        "set_state: a state is 80 bytes; got 3; pass what get_state() returned",
    ),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m[:50] for _, m in ERRORS])
def test_errors(call, message):
    with pytest.raises(RuntimeError) as caught:
        call()
    assert str(caught.value) == message
