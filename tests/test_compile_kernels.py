"""Hand-written kernels in programs: what they do to their arguments, what they are given, and when they run alone."""

import gc
import weakref

import numpy as np
import pytest

import autograd
from autograd import tensor
from autograd.compiler import runner
from autograd.compiler.effects import effects_of
from autograd.kernels import softmax, threads
from autograd.kernels.language import exp, gemm, turn_square
from nn import functional as F


def whole(x, out):
    for i in range(x.shape[0]):
        row, result = x[i], out[i]
        for j in range(x.shape[1]):
            result[j] = exp(row[j])
        result[0] *= 2


def added(x, out):
    flat = out.reshape(-1)
    for i in range(x.size):
        flat[i] += x[i]


def running(x, state, out):
    for i in range(x.size):
        before = state[0]
        state[0] = before + x[i]
        out[i] = state[0]


def moved(x, out):
    old = out[0]
    out[0] = x[0]
    out[1] = old


def product(x, y, out):
    gemm(x, y, 0, out)


def turned(x, out):
    turn_square(x, 0, 4, 4, 4, out, 0, 4)


def sum_of_products(x, y, out):
    gemm(x, y, 1, out)


@pytest.mark.parametrize(
    ("kernel", "written", "read_first"),
    [
        (whole, {"out"}, {"x"}),
        (added, {"out"}, {"x", "out"}),
        (running, {"state", "out"}, {"x", "state"}),
        (moved, {"out"}, {"x", "out"}),
        (product, {"out"}, {"x", "y"}),
        (sum_of_products, {"out"}, {"x", "y", "out"}),
        (turned, {"out"}, {"x"}),
    ],
)
def test_what_a_kernel_reads_before_it_writes(kernel, written, read_first):
    effects = effects_of(kernel)
    assert (effects.written, effects.read_first) == (written, read_first)


@pytest.mark.parametrize("function", [lambda x: F.cross_entropy(x, x.argmax(1)), lambda x: F.layer_norm(x, (6,)).exp()])
def test_memory_that_a_kernel_writes_whole_is_not_filled_before(monkeypatch, function):
    def gradient(x):
        return autograd.grad(function(x).sum(), x)[0]

    x = autograd.randn(5, 6, requires_grad=True)
    expected = gradient(x)
    before = autograd.compile(gradient)
    before(x), before(x)  # numba, which makes its zeros from empty, has nothing left to compile
    monkeypatch.setattr(np, "empty", np.zeros)  # which memory from the system is, too
    compiled = autograd.compile(gradient)
    for _ in range(2):
        np.testing.assert_allclose(compiled(x).array, expected.array, rtol=1e-5, atol=1e-6)
    assert " copy (" not in compiled.explain()


def test_a_returned_gradient_may_take_the_memory_of_the_last_one(monkeypatch, request):
    gc.disable()
    request.addfinalizer(gc.enable)  # all is freed without the collector
    x = autograd.randn(1000, requires_grad=True)
    last: list[weakref.ref] = []
    alive = []

    def empty(*args, allocate=np.empty, **kwargs):
        alive.extend(gradient() is not None for gradient in last)
        return allocate(*args, **kwargs)

    monkeypatch.setattr(np, "empty", empty)

    @autograd.compile
    def step():
        x.grad = None
        (x * x).sum().backward()
        return x.grad

    first = weakref.ref(step().array)
    for _ in range(2):
        alive.clear()
        step()
        last[:] = [weakref.ref(x.grad)]
    assert alive and not any(alive)
    assert first() is None
    np.testing.assert_array_equal(x.grad.array, 2 * x.array)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.median(1)[0],  # reads where the kernel of another operation has written, at intervals
        lambda x: x.kthvalue(3, 0)[0],
        lambda x: x[:, ::2].double() * 2,
        lambda x: x[::2].int(),
        lambda x: x.flip(1)[:, 1::3].gather(1, autograd.zeros(40, 6, dtype="int64")[:, ::2]),
        lambda x: autograd.zeros(40, 60, dtype="float64")[:, ::2].copy_(x[:, :30]) + 1,
        lambda x: x.unfold(1, 4, 3).sort(-1)[0].cumsum(0)[:, ::2, 1:3].softmax(1),
    ],
)
def test_arrays_of_any_layout_go_into_kernels(function):
    x, y = autograd.randn(2, 40, 60)
    run = autograd.compile(function)
    run(x)
    for t in (x, y):
        np.testing.assert_allclose(run(t).numpy(), function(t).numpy(), rtol=1e-6)


def test_a_segment_leaves_the_pool_when_it_is_slow_twice_in_a_row(monkeypatch):
    strained = []
    monkeypatch.setattr(threads, "strained", lambda: strained.append(True))

    def found(alone):
        run = object.__new__(runner.Runner)
        run.fastest, run.alone, run.slow = {}, {i: ms * 1_000_000 for i, ms in alone.items()}, set()
        strained.clear()
        for took in (2, 9, 2, 9, 9, 2):
            monkeypatch.setattr(run, "_timed", lambda part, given, took=took: (0, took * 1_000_000), raising=False)
            run._on_pool(0, None, ())
            yield len(strained)

    assert list(found(alone={})) == [0, 0, 0, 0, 1, 1]
    assert list(found(alone={0: 6})) == [0, 0, 0, 0, 1, 1]
    assert list(found(alone={0: 9})) == [0, 0, 0, 0, 0, 0], "without the pool it would take as long"


def test_a_kernel_is_compiled_once_as_the_program_calls_it(monkeypatch):
    fresh = softmax.entropy.of("of_classes", **softmax._ORDER)
    monkeypatch.setattr(softmax, "cross_entropy", fresh)
    x, y = autograd.randn(6, 3), tensor([0, 1, 2, 2, 1, 0])
    loss = autograd.compile(F.cross_entropy)
    found = [loss(x, y).item(), loss(x, y).item()]
    assert not fresh.compiled, "the watched run has compiled it for eager calls too"
    np.testing.assert_allclose(found, F.cross_entropy(x, y).item(), rtol=1e-6)
    assert x.dtype in fresh.compiled
