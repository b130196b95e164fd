"""set_flush_denormal: denormal numbers are zero on the calling thread and those that work for it, and nowhere else."""

import platform
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd

SIZE = 2**18  # shared by two threads


@pytest.fixture(autouse=True)
def as_found():
    threads = autograd.get_num_threads()
    yield
    autograd.set_num_threads(threads)
    autograd.set_flush_denormal(False)


@pytest.fixture
def tiny():
    return autograd.from_numpy(np.full(SIZE, 1e-40, np.float32))


def survivors(x: autograd.Tensor) -> int:
    """How many are not zero by their bits: in a comparison they may count as zero."""
    return np.count_nonzero(x.array.view(np.int32))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("operation", [lambda x: x * 2, lambda x: (x + 1e-30) * 1e-10], ids=["operands", "results"])
def test_denormal_numbers_are_zero_where_asked_for(tiny, threads, operation):
    autograd.set_num_threads(threads)
    assert survivors(operation(tiny)) == SIZE
    assert autograd.set_flush_denormal(True)
    assert survivors(operation(tiny)) == 0
    assert survivors(autograd.from_numpy(np.full(SIZE, 1e-37, np.float32)) * 2) == SIZE  # 2e-37 is none
    assert autograd.set_flush_denormal(False)
    assert survivors(operation(tiny)) == SIZE


def test_a_kernel_on_the_pool_flushes_on_each_of_its_threads(tiny):
    autograd.set_num_threads(2)
    matrix = tiny.reshape(512, -1)
    assert survivors(matrix.cumsum(1)) == SIZE  # has the pool started
    autograd.set_flush_denormal(True)
    assert survivors(matrix.cumsum(1)) == 0


@pytest.mark.parametrize("most", [2, 5])
def test_threads_that_are_not_in_use_flush_when_they_are(tiny, most):
    autograd.set_num_threads(most)
    assert survivors(tiny * 2) == SIZE  # has the pool started
    autograd.set_num_threads(1)
    autograd.set_flush_denormal(True)
    autograd.set_num_threads(most)
    assert survivors(tiny * 2) == 0
    autograd.set_num_threads(1)
    autograd.set_flush_denormal(False)
    autograd.set_num_threads(most)
    assert survivors(tiny * 2) == SIZE


def test_a_compiled_function_flushes(tiny):
    double = autograd.compile(lambda x: x * 2 + x)
    assert [survivors(double(tiny)) for _ in range(2)] == [SIZE, SIZE]
    autograd.set_flush_denormal(True)
    assert survivors(double(tiny)) == 0


def test_other_python_threads_keep_their_mode(tiny):
    def elsewhere(flush: bool) -> int:
        autograd.set_flush_denormal(flush)
        return survivors(tiny * 2)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere, True).result() == 0
        assert survivors(tiny * 2) == SIZE
        autograd.set_flush_denormal(True)
        assert pool.submit(elsewhere, False).result() == SIZE
        assert survivors(tiny * 2) == 0


def test_the_mode_is_a_bool():
    with pytest.raises(TypeError) as caught:
        autograd.set_flush_denormal(1)  # type: ignore[arg-type]
    assert str(caught.value) == "set_flush_denormal: the mode is a bool; got int"


def test_a_processor_without_the_mode_says_so(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not autograd.set_flush_denormal(True)
    assert survivors(autograd.from_numpy(np.full(2, 1e-40, np.float32)) * 2) == 2
