"""Datasets, samplers and the loader: PyTorch's contracts."""

import collections
import copy
import itertools
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.utils.data as theirs
from datasets import Counting, Dying, Failing, Plain, Squares, Stream, bad_start

import autograd
from autograd.utils import data as ours
from autograd.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    random_split,
)  # fmt: skip

Point = collections.namedtuple("Point", "x y")


def plain(value):
    """Tensors in a nested batch as lists."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value.tolist() if hasattr(value, "tolist") else value


def both(lib, x):
    return lib.as_tensor(x)


OPTIONS = [
    {}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}, {"batch_size": 20},
    {"sampler": [4, 2, 9]}, {"batch_sampler": [[1, 2], [5]]}, {"batch_size": 4, "collate_fn": len},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["tensors", "subset", "map"])
def test_batches_are_pytorchs(options, kind):
    def batches(lib, module):
        tensors = module.TensorDataset(lib.arange(10), lib.arange(20).reshape(10, 2))
        dataset = {"tensors": tensors, "subset": module.Subset(tensors, list(range(9, -1, -1))), "map": Squares()}[kind]
        loader = module.DataLoader(dataset, **options)
        return [plain(b) for b in loader], len(loader)

    assert batches(autograd, ours) == batches(torch, theirs)


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}])
def test_streams_are_pytorchs(options):
    class Theirs(theirs.IterableDataset):
        __iter__, __len__ = lambda self: iter(range(10)), lambda self: 10

    loader, other = DataLoader(Stream(), **options), theirs.DataLoader(Theirs(), **options)
    assert ([plain(b) for b in loader], len(loader)) == ([plain(b) for b in other], len(other))


def test_shuffling_is_a_permutation_and_follows_the_seed():
    data = TensorDataset(autograd.arange(100))

    def run(seed):
        loader = DataLoader(data, batch_size=7, shuffle=True, generator=autograd.Generator().manual_seed(seed))
        return [i for (batch,) in loader for i in batch.tolist()]

    assert sorted(run(1)) == list(range(100))
    assert run(1) == run(1) != run(2)


def test_a_copy_of_a_loader_shuffles_alike():
    loader = DataLoader(range(20), batch_size=20, shuffle=True, generator=autograd.Generator().manual_seed(1))
    other = copy.deepcopy(loader)
    assert [plain(b) for b in loader] == [plain(b) for b in other]


def test_taking_is_collating():
    data = TensorDataset(autograd.randn(10, 3), autograd.arange(10))
    fast = DataLoader(data, batch_size=4)
    slow = DataLoader(data, batch_size=4, collate_fn=default_collate)
    assert [plain(b) for b in fast] == [plain(b) for b in slow]


@pytest.mark.parametrize("dataset", [Squares(), TensorDataset(autograd.arange(10))], ids=["map", "tensors"])
def test_workers_give_the_same_batches_in_the_same_order(dataset):
    def run(workers):
        generator = autograd.Generator().manual_seed(3)
        loader = DataLoader(dataset, 3, shuffle=True, num_workers=workers, generator=generator)
        return [plain(b) for b in loader]

    assert run(2) == run(0)


def test_workers_share_a_stream():
    loader = DataLoader(Stream(), batch_size=2, num_workers=2)
    assert [plain(b) for b in loader] == [[0, 2], [1, 3], [4, 6], [5, 7], [8], [9]]


def test_an_error_in_a_worker_comes_back_with_its_traceback():
    with pytest.raises(ZeroDivisionError, match="sample 7 is bad") as caught:
        list(DataLoader(Squares(8), batch_size=4, num_workers=1))
    assert "in __getitem__" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("plain", Plain, "Plain: bad sample"), ("key", KeyError, "KeyError: 'bad sample'"),
        ("two arguments", RuntimeError, "TwoArguments: bad sample in row"), ("code", RuntimeError, "Code: failed"),
        ("exit", RuntimeError, "SystemExit: bad sample"), ("stop", RuntimeError, "StopIteration: bad sample"),
    ],
)  # fmt: skip
def test_every_exception_of_a_worker_is_told(name, kind, shown):
    with pytest.raises(kind) as caught:
        list(DataLoader(Failing(name), num_workers=1))
    first, *_, last = str(caught.value).splitlines()
    assert first == f"DataLoader: worker 0 raised {shown.split(':')[0]}"
    assert last == (shown if name in ("key", "exit", "stop") else f"datasets.{shown}")
    assert "in __getitem__" in str(caught.value)


def test_a_worker_that_cannot_begin_tells_why():
    with pytest.raises(RuntimeError) as caught:
        list(DataLoader(Squares(), num_workers=2, worker_init_fn=bad_start))
    assert str(caught.value).startswith("DataLoader: worker 0 raised TwoArguments\n\nTraceback")
    assert "in bad_start\n" in str(caught.value)
    assert str(caught.value).endswith("\ndatasets.TwoArguments: bad start in 0\n")


def test_a_worker_that_ends_is_told_and_replaced():
    loader = DataLoader(Dying(), num_workers=2, persistent_workers=True)
    for _ in range(2):
        batches = iter(loader)
        assert plain(next(batches)) == [0]
        with pytest.raises(RuntimeError, match=r"^DataLoader: a worker must live .* got none from worker 1, which has"):
            next(batches)


@pytest.mark.parametrize(
    ("guard", "file", "message"),
    [
        (False, "script.py", 'RuntimeError: DataLoader: .*keep its main part under if __name__ == "__main__":\n$'),
        (True, "-", "RuntimeError: DataLoader: .*the main script, so that must be a file"),
        (True, "-c", "AttributeError: DataLoader: worker 0 raised AttributeError\n(.*\n)*A worker finds classes .*"),
    ],
)
def test_scripts_that_workers_cannot_import(guard, file, message, tmp_path):
    text = "from autograd.utils.data import DataLoader\nclass Own(list):\n    pass\n"
    condition = '__name__ == "__main__"' if guard else "True"
    text += f"if {condition}:\n    list(DataLoader(Own([1]), num_workers=1))\n"
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    command = [sys.executable, file, *([text] if file == "-c" else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command,
        input=text,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 1 and re.search(message, done.stderr), done.stderr


def test_a_dataset_may_share_memory_with_its_workers():
    data = Counting()
    assert len(list(DataLoader(data, num_workers=2))) == data.asked.value == 10


def test_persistent_workers_serve_every_pass():
    loader = DataLoader(Squares(4), batch_size=2, num_workers=1, persistent_workers=True)
    first = [plain(b) for b in loader]
    assert [plain(b) for b in loader] == first == [plain(b) for b in DataLoader(Squares(4), batch_size=2)]


def test_leaving_a_loop_early_stops_the_workers():
    for _ in DataLoader(Squares(), num_workers=1):
        break


SAMPLES = [
    [1, 2], [1.5, 2.5], ["a", "b"], [b"a", b"b"], [(1, 2.0), (3, 4.0)], [[1, 2], [3, 4]],
    [{"a": 1, "b": [2]}, {"a": 3, "b": [4]}], [Point(1, 2.0), Point(3, 4.0)], [np.float32(1), np.float32(2)],
    [np.ones(2), np.zeros(2)], [True, False], [np.str_("a"), np.str_("b")],
]  # fmt: skip


@pytest.mark.parametrize("samples", SAMPLES, ids=str)
def test_default_collate_is_pytorchs(samples):
    mine, other = default_collate(samples), torch.utils.data.default_collate(samples)
    assert (type(mine).__name__, plain(mine)) == (type(other).__name__.replace("torch.", ""), plain(other))
    if isinstance(mine, autograd.Tensor):
        assert str(other.dtype) == f"torch.{mine.dtype.name}"


SINGLE = [
    1, 1.5, "a", b"a", None, np.str_("a"), np.float32(1), np.float64(2), np.arange(3), np.array(["a"]),
    (1, np.ones(2)), [np.ones(2), "a"], {"a": np.arange(2), "b": [np.ones(1)]}, Point(1, np.ones(2)), range(2),
]  # fmt: skip


@pytest.mark.parametrize("sample", SINGLE, ids=str)
def test_default_convert_is_pytorchs(sample):
    def shape(value):
        """Types and values."""
        if isinstance(value, dict):
            return {key: shape(v) for key, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value), [shape(v) for v in value]
        kind = getattr(value, "dtype", None)
        return type(value).__name__, str(kind).replace("torch.", ""), plain(value)

    assert shape(default_convert(sample)) == shape(theirs.default_convert(sample))
    mine, other = DataLoader([sample], batch_size=None), theirs.DataLoader([sample], batch_size=None)
    assert [shape(s) for s in mine] == [shape(s) for s in other]


@pytest.mark.parametrize("dtype", ["U1", "S1", object])
def test_arrays_without_numbers_are_not_collated(dtype):
    with pytest.raises(TypeError):
        theirs.default_collate([np.array(["a"], dtype)])
    with pytest.raises(
        TypeError, match=r"^default_collate: arrays must hold numbers; got dtype .*; pass a collate_fn$"
    ):
        default_collate([np.array(["a"], dtype)])


def test_datasets():
    a, b = TensorDataset(autograd.arange(3)), TensorDataset(autograd.arange(3, 5))
    joined = a + b
    assert isinstance(joined, ConcatDataset) and len(joined) == 5
    assert [int(joined[i][0]) for i in (0, 3, -1)] == [0, 3, 4]
    assert plain(StackDataset(a, a)[1]) == [[1], [1]]
    assert plain(StackDataset(left=a, right=a)[2]) == {"left": [2], "right": [2]}
    parts = random_split(joined, [3, 2], autograd.Generator().manual_seed(0))
    assert sorted(int(x[0]) for part in parts for x in part) == [0, 1, 2, 3, 4]
    fractions = [0.5, 0.25, 0.25]
    assert [len(p) for p in random_split(range(10), fractions)] == [
        len(p) for p in theirs.random_split(range(10), fractions)
    ]


def test_samplers():
    assert list(SequentialSampler(range(3))) == [0, 1, 2]
    assert sorted(RandomSampler(range(5))) == list(range(5))
    assert len(list(RandomSampler(range(5), replacement=True, num_samples=20))) == 20
    assert sorted(list(RandomSampler(range(3), num_samples=7))[:3]) == [0, 1, 2]
    assert sorted(SubsetRandomSampler([3, 5, 9])) == [3, 5, 9]
    assert set(WeightedRandomSampler([0.0, 1.0, 0.0, 1.0], 50)) == {1, 3}
    assert sorted(WeightedRandomSampler([1.0, 1.0, 0.0], 2, replacement=False)) == [0, 1]
    batches = BatchSampler(SequentialSampler(range(5)), 2, drop_last=True)
    assert (list(batches), len(batches)) == ([[0, 1], [2, 3]], 2)


REFUSED = [
    (lambda: TensorDataset(autograd.zeros(2), autograd.zeros(3)), "TensorDataset: the tensors must have one length; got [2, 3]"),
    (lambda: DataLoader([1], shuffle=True, sampler=[0]), "DataLoader: sampler and shuffle exclude each other; got both"),
    (lambda: DataLoader([1], num_workers=-1), "DataLoader: num_workers must not be negative; got -1; 0 loads in this process"),
    (lambda: DataLoader([1], batch_size=0), "BatchSampler: batch_size must be a positive integer; got 0"),
    (lambda: DataLoader([1], batch_size=2, batch_sampler=[[0]]), "DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last; got one of them beside it"),
    (lambda: DataLoader(Stream(), shuffle=True), "DataLoader: an IterableDataset has an order of its own; got shuffle, sampler or batch_sampler"),
    (lambda: DataLoader([1], persistent_workers=True), "DataLoader: persistent_workers needs workers; got persistent_workers=True and num_workers=0"),
    (lambda: DataLoader([1], batch_size=None, drop_last=True), "DataLoader: drop_last needs a batch_size; got batch_size=None"),
    (lambda: random_split(range(10), [5, 4]), "random_split: the lengths must add up to the dataset's 10; got [5, 4]"),
    (lambda: default_collate([object()]), "default_collate: a batch holds tensors, arrays, numbers, strings, dicts or sequences; got object; pass a collate_fn"),
    (lambda: Subset([1, 2], np.array([True, False])), "Subset: indices are the numbers of samples; got a mask; use its nonzero()"),
    (lambda: ConcatDataset([]), "ConcatDataset: at least one dataset is needed; got none"),
    (lambda: WeightedRandomSampler([1.0, 0.0], 2, replacement=False), "WeightedRandomSampler: without replacement at most 1 can be drawn; got 2"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_refused(act, message):
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        act()
    assert str(caught.value) == message


def test_subsets_of_subsets_are_cut_at_once():
    data = Subset(Subset(TensorDataset(autograd.arange(10) * 10), [1, 3, 5, 7]), [0, 2])
    assert [plain(b) for b in DataLoader(data, batch_size=2)] == [[[10, 50]]]
    data.indices = [3, 1]
    data.dataset.indices = [0, 2, 4, 6]
    assert [plain(b) for b in DataLoader(data, batch_size=2)] == [[[60, 20]]]


class Negated(TensorDataset):
    def __getitem__(self, index):
        return tuple(-part for part in super().__getitem__(index))


class Doubled(Subset):
    def __getitems__(self, indices):
        return [tuple(2 * part for part in self.dataset[self.indices[i]]) for i in indices]


class Taken(list):
    def take(self, count):
        raise AssertionError("a method of the user's that has nothing to do with batches")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (Negated(autograd.arange(4)), [[0, -1], [-2, -3]]),
        (Subset(Negated(autograd.arange(4)), [3, 2]), [[-3, -2]]),
        (Doubled(TensorDataset(autograd.arange(4)), [3, 2]), [[6, 4]]),
        (Taken([(5,), (6,)]), [[5, 6]]),
    ],
)
def test_samples_of_the_users_own_are_asked_for(data, expected):
    assert [plain(part) for (part,) in DataLoader(data, batch_size=2)] == expected


@pytest.mark.parametrize("data", [autograd.arange(6).reshape(3, 2), np.arange(6).reshape(3, 2)])
def test_rows_of_an_array_are_samples(data):
    batches = list(DataLoader(data, batch_size=2))
    assert [plain(b) for b in batches] == [[[0, 1], [2, 3]], [[4, 5]]]
    assert all(isinstance(b, autograd.Tensor) for b in batches)


def test_samplers_without_end():
    class Cycle(Sampler):
        def __iter__(self):
            return itertools.cycle(range(3))

    batches = iter(DataLoader(TensorDataset(autograd.arange(3)), sampler=Cycle(), batch_size=2))
    assert [plain(part) for _ in range(3) for part in next(batches)] == [[0, 1], [2, 0], [1, 2]]


def test_batches_have_the_graph_of_the_tensors():
    w = autograd.ones(4, 2, requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(w), batch_size=3):
        batch.sum().backward()
    assert w.grad.tolist() == [[1.0, 1.0]] * 4
