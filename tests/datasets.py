"""Datasets for worker processes, which import this file: it must not load PyTorch."""

import multiprocessing
import os

import numpy as np

from autograd.utils.data import Dataset, IterableDataset, get_worker_info


class Squares(Dataset):
    def __init__(self, count=10):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        if i == 7 and self.count == 8:
            raise ZeroDivisionError("sample 7 is bad")
        return np.float32(i * i), {"index": i}


class Stream(IterableDataset):
    def __init__(self, count=10):
        self.count = count

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.count, step))

    def __len__(self):
        return self.count


class Plain(Exception):
    """Made of its message."""


class TwoArguments(Exception):
    """Made of something else."""

    def __init__(self, what, where):
        super().__init__(f"{what} in {where}")


class Code(Exception):
    """Made of one argument that is not the message."""

    def __init__(self, code):
        super().__init__("failed")


FAILURES = {
    "plain": lambda: Plain("bad sample"),
    "key": lambda: KeyError("bad sample"),
    "two arguments": lambda: TwoArguments("bad sample", "row"),
    "code": lambda: Code("bad sample"),
    "exit": lambda: SystemExit("bad sample"),
    "stop": lambda: StopIteration("bad sample"),
}


class Failing(Squares):
    """Sample 1 meets a failure."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def __getitem__(self, i):
        if i == 1:
            raise FAILURES[self.name]()
        return i


class Dying(Squares):
    def __getitem__(self, i):
        if i == 1:
            os._exit(3)
        return i


class Counting(Squares):
    """Counts, over all processes, how often it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = multiprocessing.get_context("spawn").Value("i", 0)

    def __getitem__(self, i):
        with self.asked.get_lock():
            self.asked.value += 1
        return i


def bad_start(worker):
    raise TwoArguments("bad start", worker)
