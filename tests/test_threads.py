"""Threads: one pool, the same answers with any number of them, and nothing changed for others in the process."""

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd.kernels import products, share, threads
from autograd.kernels.hand import kernel
from autograd.kernels.language import F, prange

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def two_threads():
    before = autograd.get_num_threads()
    autograd.set_num_threads(2)
    yield
    autograd.set_num_threads(before)


@kernel
def row_sums(x, out):
    """The sum of each row."""
    for i in prange(x.shape[0]):
        total = F(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total


def sums(n: int = 1024) -> np.ndarray:
    x = np.random.default_rng(0).standard_normal((n, 128)).astype(np.float32)
    out = np.empty(n, np.float32)
    row_sums(x, out)
    return out


def entered(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The answers to all that ask for the pool from now on."""
    answers: list[bool] = []
    enter = threads.enter

    def note() -> bool:
        answers.append(enter())
        return answers[-1]

    monkeypatch.setattr(threads, "enter", note)
    return answers


def test_the_number_of_threads_is_set_and_read():
    autograd.set_num_threads(3)
    assert autograd.get_num_threads() == 3


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (0, RuntimeError, "set_num_threads: the number of threads must be positive; got 0"),
        (True, TypeError, "set_num_threads: the number of threads is an integer; got bool"),
        ("2", TypeError, "set_num_threads: the number of threads is an integer; got str"),
    ],
)
def test_a_number_of_threads_is_a_positive_integer(n, error, message):
    with pytest.raises(error) as caught:
        autograd.set_num_threads(n)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({"OMP_NUM_THREADS": "3"}, 3), ({"OMP_NUM_THREADS": "5,2"}, 5), ({"NUMBA_NUM_THREADS": "1"}, 1)],
)
def test_the_environment_says_how_many(variables, expected):
    env = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
    code = "import autograd; print(autograd.get_num_threads())"
    found = subprocess.run(
        [sys.executable, "-c", code], env={**env, **variables}, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(found.stdout) == expected


@pytest.mark.parametrize("n", [2, 3, 8])  # 8 are more than numba counts here
def test_a_kernel_has_one_answer(monkeypatch, n):
    autograd.set_num_threads(1)
    alone = sums()
    autograd.set_num_threads(n)
    asked = entered(monkeypatch)
    np.testing.assert_array_equal(sums(), alone)
    assert asked == [True]


def test_calls_run_serially_while_others_want_the_cores(monkeypatch):
    assert threads.enter()
    threads.leave()
    pool = threads._pool
    monkeypatch.setattr(pool, "rest", threads.FIRST_REST)
    now = 0
    monkeypatch.setattr(threads.time, "monotonic_ns", lambda: now)
    for _ in range(2):
        rest, since = pool.rest, now
        pool.judge(took=10_000_000, ran=2_000_000)
        assert pool.rest == 2 * rest
        assert not threads.enter()
        now = since + rest - 1
        assert not threads.enter()
        now = since + rest
        assert threads.enter()
        threads.leave()
    pool.judge(took=10_000_000, ran=2_000_000)
    assert not threads.enter()
    with monkeypatch.context() as patch:
        patch.setattr(threads, "rests", False)
        assert threads.enter()
        threads.leave()
    threads.state[threads.REST] = 0
    pool.judge(took=10_000_000, ran=9_000_000)
    assert pool.rest == threads.FIRST_REST and threads.enter()
    threads.leave()


def test_small_work_stays_on_the_calling_thread(monkeypatch):
    asked = entered(monkeypatch)
    sums(8)
    assert asked == []


def test_the_number_of_threads_of_other_numba_code_stays():
    import numba

    sums()
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        sums()
        assert numba.get_num_threads() == 1
    finally:
        numba.set_num_threads(before)


def test_python_threads_at_once():
    expected = sums()
    wrong = []

    def work() -> None:
        for _ in range(50):
            if not np.array_equal(sums(), expected):
                wrong.append(threading.current_thread())

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
    threads.state[threads.REST] = 0
    assert threads.enter(), "somebody kept the pool"
    threads.leave()


def in_a_child(n: int) -> tuple[np.ndarray, int]:
    autograd.set_num_threads(2)
    return sums(n), autograd.get_num_threads()


@pytest.mark.parametrize(("method", "count"), [("fork", 1), ("spawn", 2)])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking beside threads
def test_a_process_pool_after_parallel_work(method, count):
    expected = sums()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        for found, threads_there in pool.map(in_a_child, [1024] * 4):
            np.testing.assert_array_equal(found, expected)
            assert threads_there == count
    np.testing.assert_array_equal(sums(), expected)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib_after_parallel_work(backend):
    joblib = pytest.importorskip("joblib")
    expected = sums()
    for found in joblib.Parallel(2, backend=backend)(joblib.delayed(sums)() for _ in range(4)):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_the_layer_that_aborts_is_never_used(layer):
    code = (
        "import autograd\nfrom autograd.kernels import threads\n"
        "autograd.set_num_threads(2); print(threads.enter()); print(threads.enter())"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_THREADING_LAYER": layer}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert found.stdout.split() == [str(layer == "omp"), "False"]


def laid_out(x: np.ndarray, how: str) -> np.ndarray:
    """The same values in memory of this kind."""
    rows, columns = x.shape[-2:]
    room = np.zeros((*x.shape[:-2], 2 * rows, 2 * columns), x.dtype)
    if how == "transposed":
        return np.ascontiguousarray(x.mT).mT
    if how == "backward":
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    step = 2 if how == "every other" else 1
    part = room[..., : step * rows : step, : step * columns : step]
    part[...] = x
    return part


LAYOUTS = ["transposed", "backward", "cut out", "every other"]


@pytest.mark.parametrize("left", LAYOUTS)
@pytest.mark.parametrize("right", LAYOUTS)
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((120, 70), (70, 150)),
        ((1, 600), (600, 600)),
        ((600, 600), (600, 1)),
        ((300, 90), (90, 50)),
        ((6, 64, 48), (6, 48, 64)),
        ((2, 3, 64, 32), (3, 32, 64)),
        ((2, 1, 2, 48, 32), (3, 1, 32, 64)),
        ((3, 64, 100), (100, 90)),
        ((1, 200, 200), (1, 200, 200)),
    ],
)
def test_products_of_any_layout_and_number_of_threads(a, b, left, right):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(a), rng.standard_normal(b)
    for n in (1, 2, 3):
        autograd.set_num_threads(n)
        np.testing.assert_allclose(
            products.matmul(laid_out(x, left), laid_out(y, right)), x @ y, rtol=1e-11, atol=1e-11
        )


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64"])
def test_products_of_integers(dtype):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 100, (5, 60, 70)).astype(dtype), rng.integers(0, 100, (70, 80)).astype(dtype)
    found = products.matmul(a, b)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.matmul(a, b))


@pytest.mark.parametrize(("n", "i", "o"), [(300, 200, 100), (100, 200, 300), (2, 1000, 1100)])
def test_a_layer_has_one_answer(n, i, o):
    answers = []
    for count in (1, 2, 3):
        autograd.set_num_threads(count)
        rng = np.random.default_rng(0)
        x, w, b = (autograd.tensor(rng.standard_normal(s), requires_grad=True) for s in ((n, i), (o, i), (o,)))
        y = autograd.linear(x, w, b)
        y.backward(autograd.tensor(rng.standard_normal((n, o))))
        answers.append([y.detach().numpy(), x.grad.numpy(), w.grad.numpy(), b.grad.numpy()])
    for other in answers[1:]:
        for one, two in zip(answers[0], other, strict=True):
            np.testing.assert_allclose(two, one, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_attention_in_blocks_is_attention(dtype, causal):
    rng = np.random.default_rng(0)
    made = [rng.standard_normal(s) for s in ((2, 300, 2, 16), (2, 2, 700, 16), (2, 2, 700, 8), (2, 2, 300, 8))]
    made[0] = made[0].swapaxes(1, 2)
    mask = None if causal else rng.random((300, 700)) > 0.3

    def run(dtype: str) -> list[np.ndarray]:
        q, k, v, g = (autograd.from_numpy(x.astype(dtype)).requires_grad_() for x in made)
        out = autograd.attention(q, k, v, None if mask is None else autograd.tensor(mask), causal)
        out.backward(g)
        return [out.detach().numpy(), q.grad.numpy(), k.grad.numpy(), v.grad.numpy()]

    q, k, v, _ = (autograd.tensor(x) for x in made)
    seen = np.tri(300, 700, dtype=bool) if causal else mask
    scores = autograd.where(autograd.tensor(seen), q @ k.mT / 4, -np.inf)
    tolerance = 1e-4 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(
        run(dtype)[0], (autograd.softmax(scores, -1) @ v).numpy(), rtol=tolerance, atol=tolerance
    )
    autograd.set_num_threads(1)
    exact = run("float64")
    for n in (1, 2, 3):
        autograd.set_num_threads(n)
        for found, expected in zip(run(dtype), exact, strict=True):
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_a_stack_times_one_matrix_has_its_gradient():
    a = autograd.randn(2, 3, 4, dtype=autograd.float64, requires_grad=True)
    b = autograd.randn(4, 5, dtype=autograd.float64, requires_grad=True)
    assert autograd.gradcheck(autograd.matmul, (a, b)) and autograd.gradgradcheck(autograd.matmul, (a, b))


def test_products_of_python_threads_at_once():
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((130, 130)).astype(np.float32) for _ in range(2))
    expected, wrong = products.matmul(a, b), []

    def work() -> None:
        for _ in range(100):
            if not np.array_equal(products.matmul(a, b), expected):
                wrong.append(threading.current_thread())

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


# --- elementwise operations and updates -----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 8])
@pytest.mark.parametrize("size", [share.MANY, share.MANY + 1, 3 * share.MANY + 77])
def test_an_elementwise_operation_has_one_answer(n, size):
    x, y = autograd.randn(2, size, generator=autograd.Generator().manual_seed(0))
    condition = x > 0
    many = autograd.randn(2 * size)[::2]
    operations = [
        lambda: autograd.sigmoid(x),
        lambda: x * y,
        lambda: x * 2.5,
        lambda: autograd.where(condition, x, y),
        lambda: nn.functional.gelu(many),
        lambda: x.flip(0) < y,
    ]
    autograd.set_num_threads(1)
    alone = [f().numpy() for f in operations]
    autograd.set_num_threads(n)
    for f, expected in zip(operations, alone, strict=True):
        np.testing.assert_array_equal(f().numpy(), expected)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((300, 70), (70,)),
        ((300, 70), (300, 1)),
        ((300, 1), (1, 400)),
        ((4, 300, 5, 7), (300, 1, 7)),
        ((2, 3, 200, 90), (3, 1, 90)),
        ((600, 3), (3,)),
        ((500, 1, 3), (1, 40, 3)),
        ((2000, 1, 8), (16, 8)),
        ((2, 3000, 1, 2), (5, 1)),
        ((4000, 63), (4000, 1)),
        ((300, 1), (300,)),
        ((300, 300), (300, 300)),
        ((300, 300), ()),
        ((0, 70), (70,)),
    ],
)
def test_operations_on_arrays_that_are_broadcast(a, b):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(a).astype(np.float32), rng.standard_normal(b).astype(np.float32)
    for left, right in ((x, y), (y, x), (np.asfortranarray(x), y), (x[..., ::-1], y[..., ::-1] if b else y)):
        for n in (1, 3):
            autograd.set_num_threads(n)
            p, q = autograd.from_numpy(left).requires_grad_(), autograd.from_numpy(right).requires_grad_()
            for _ in range(2):
                out = p * q
                np.testing.assert_array_equal(out.detach().numpy(), left * right)
            np.testing.assert_array_equal((p < q).numpy(), left < right)
            out.backward(g := autograd.randn_like(out))
            at, bt = (autograd.from_numpy(z.astype(np.float64)).requires_grad_() for z in (left, right))
            (at * bt).backward(g.double())
            np.testing.assert_allclose(p.grad.numpy(), at.grad.numpy(), rtol=1e-4, atol=1e-3)
            np.testing.assert_allclose(q.grad.numpy(), bt.grad.numpy(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((70_000, 1), (1,)),
        ((30_000, 3), (3,)),
        ((3000, 100), (100,)),
        ((40, 5, 2000), (1, 1, 2000)),
        ((300, 1, 7), (40, 7)),
        ((9, 20_000), (20_000,)),
        ((300, 300), ()),
    ],
)
def test_gradients_of_what_was_broadcast(a, b, dtype):
    """Their sums are of tiles, and do not depend on the number of threads; their error is a few roundings of the terms' size."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(a).astype(dtype), rng.standard_normal(b).astype(dtype)
    answers = []
    for n in (1, 2, 3):
        autograd.set_num_threads(n)
        p, q = autograd.from_numpy(x), autograd.from_numpy(y).requires_grad_()
        out = p / (q * q + 1)
        g = np.random.default_rng(1).standard_normal(out.shape).astype(dtype)
        (answer,) = autograd.grad(out, q, autograd.from_numpy(g))
        answers.append(answer.numpy())
    np.testing.assert_array_equal(answers[1], answers[0])
    np.testing.assert_array_equal(answers[2], answers[0])
    g, x, y = (v.astype(np.longdouble) for v in (g, x, y))
    terms = -2 * g * x * y / (y * y + 1) ** 2
    kept = (1,) * (terms.ndim - len(b)) + b
    lead = tuple(i for i, n in enumerate(terms.shape) if kept[i] != n)
    expected, size = terms.sum(lead).reshape(b), np.abs(terms).sum(lead).reshape(b)
    assert (np.abs(answers[0] - expected) <= 16 * np.finfo(dtype).eps * size).all()


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("width", [1, 2, 7, 63, 64])
def test_short_rows_of_several_dtypes(n, width):
    """Many of them are taken at a time, whatever the sizes of their numbers."""
    autograd.set_num_threads(n)
    rng = np.random.default_rng(0)
    mask, x = rng.random((3000, 1)) < 0.5, rng.standard_normal((3000, width))
    row, turned = rng.standard_normal(width), np.asfortranarray(x)
    integers, few = rng.integers(-99, 99, (3000, width)), rng.integers(1, 9, width)
    t = autograd.from_numpy
    for _ in range(2):
        np.testing.assert_array_equal(autograd.where(t(mask), t(x), t(row)).numpy(), np.where(mask, x, row))
        np.testing.assert_array_equal((t(x) < t(row)).numpy(), x < row)
        np.testing.assert_array_equal((t(turned) - t(row)).numpy(), x - row)
        np.testing.assert_array_equal((t(turned) + t(x)).numpy(), x + x)
        np.testing.assert_array_equal((t(integers) + t(few)).numpy(), integers + few)
        np.testing.assert_array_equal((t(integers) // t(few)).numpy(), integers // few)
        np.testing.assert_array_equal((t(mask) & t(x > row)).numpy(), mask & (x > row))


def test_long_loops_are_shared_out():
    x = autograd.randn(share.MANY)
    threads.state[threads.REST] = 0  # the call before may have found the cores taken
    autograd.sigmoid(x)
    assert threads.state[threads.SHARE] and not threads.state[threads.BUSY]


@pytest.mark.parametrize("size", [threads.GRAIN - 1, 3 * threads.GRAIN + 5])
def test_an_update_has_one_answer(size):
    answers = []
    for n in (1, 2, 3):
        autograd.set_num_threads(n)
        generator = autograd.Generator().manual_seed(0)
        p = autograd.randn(size, generator=generator, requires_grad=True)
        optimizer = optim.AdamW([p])
        for _ in range(3):
            p.grad = autograd.randn(size, generator=generator)
            optimizer.step()
        answers.append(p.detach().numpy())
    for other in answers[1:]:
        np.testing.assert_array_equal(other, answers[0])


def test_python_threads_that_train_at_once():
    def train() -> float:
        generator = autograd.Generator().manual_seed(0)
        model = [autograd.randn(*s, generator=generator, requires_grad=True) for s in ((300, 300), (300,))]
        x = autograd.randn(256, 300, generator=generator)
        optimizer = optim.SGD(model, lr=0.1)
        for _ in range(20):
            loss = (autograd.linear(x, *model).tanh() ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    expected = train()
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: train(), range(6)))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def elementwise(size: int) -> np.ndarray:
    autograd.set_num_threads(2)
    return autograd.sigmoid(autograd.linspace(-3, 3, size)).numpy()


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking beside threads
def test_elementwise_operations_in_child_processes(method):
    expected = elementwise(2 * share.MANY)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        for found in pool.map(elementwise, [2 * share.MANY] * 4):
            np.testing.assert_array_equal(found, expected)


def _matrix(*shape: int) -> autograd.Tensor:
    return autograd.randn(*shape, requires_grad=True)


LARGE = {
    "softmax": lambda: nn.functional.softmax(_matrix(700, 400), -1),
    "softmax of columns": lambda: nn.functional.softmax(_matrix(700, 400), 0),
    "log_softmax": lambda: nn.functional.log_softmax(_matrix(700, 400), -1),
    "cross_entropy": lambda: nn.functional.cross_entropy(_matrix(700, 400), autograd.arange(700) % 400),
    "layer_norm": lambda: nn.functional.layer_norm(_matrix(700, 400), (400,), _matrix(400), _matrix(400)),
    "rms_norm": lambda: nn.functional.rms_norm(_matrix(700, 400), (400,), _matrix(400)),
    "group_norm": lambda: nn.functional.group_norm(_matrix(16, 8, 60, 40), 4, _matrix(8), _matrix(8)),
    "batch_norm of rows": lambda: nn.functional.batch_norm(
        _matrix(700, 400), None, None, _matrix(400), _matrix(400), True
    ),
    "batch_norm": lambda: nn.functional.batch_norm(_matrix(16, 8, 60, 40), None, None, _matrix(8), _matrix(8), True),
    "conv2d": lambda: nn.functional.conv2d(_matrix(8, 3, 40, 40), _matrix(8, 3, 3, 3), _matrix(8), padding=1),
    "max_pool2d": lambda: nn.functional.max_pool2d(_matrix(8, 8, 40, 40), 2),
    "avg_pool2d": lambda: nn.functional.avg_pool2d(_matrix(8, 8, 40, 40), 2),
    "dropout": lambda: nn.functional.dropout(_matrix(700, 400), 0.5),
    "embedding": lambda: nn.functional.embedding(autograd.arange(4000) % 300, _matrix(300, 64)),
    "sum": lambda: _matrix(700, 400).sum(0),
    "sum of rows": lambda: _matrix(30, 40000).sum(1),
    "max": lambda: _matrix(700, 400).amax(1),
    "var": lambda: _matrix(700, 400).var(0),
    "logsumexp": lambda: _matrix(700, 400).logsumexp(1),
    "norm": lambda: _matrix(700, 400).norm(),
    "prod": lambda: (_matrix(700, 400) * 0.01 + 1).prod(1),
    "cumsum": lambda: _matrix(700, 400).cumsum(1),
    "cumprod": lambda: (_matrix(700, 400) * 0.01 + 1).cumprod(0),
    "gather": lambda: _matrix(700, 400).gather(1, autograd.randint(0, 400, (700, 400))),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_operations_have_one_answer(name, monkeypatch):
    answers = []
    asked = entered(monkeypatch)
    for n in (1, 2):
        autograd.set_num_threads(n)
        autograd.manual_seed(0)
        out = LARGE[name]()
        leaves, waiting = [], [out.grad_fn]
        while waiting:
            node = waiting.pop()
            if isinstance(node, autograd.Tensor):
                leaves.append(node)
            elif node is not None:
                waiting.extend(node.edges)
        out.backward(autograd.randn(*out.shape))
        answers.append([out.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])
    assert len(answers[0]) > 1
    assert any(asked), "nothing of it ran on the pool"
    for one, two in zip(*answers, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-4)
