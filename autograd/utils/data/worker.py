"""What runs in a worker process of the loader."""

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...random import manual_seed
from .dataset import batch_cutter

__all__ = ["End", "Fetcher", "WorkerInfo", "fetch", "get_worker_info", "start"]


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this process is: its ``id`` of ``num_workers``, its ``seed``, and its copy of the ``dataset``."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


@dataclass(frozen=True)
class End:
    """Sent back by a worker whose stream has ended."""


class Fetcher:
    """Makes batches of a dataset: by number, or from where its stream stands."""

    def __init__(self, dataset: Any, collate: Callable | None, batch_size: int | None, drop_last: bool) -> None:
        self.dataset, self.collate = dataset, collate
        self.batch_size, self.drop_last = batch_size, drop_last
        self.stream: Iterator | None = None

    @functools.cached_property
    def cut(self) -> Callable:
        """What cuts batches out of the dataset."""
        cut = batch_cutter(self.dataset)
        assert cut is not None
        return cut

    def by_number(self, indices: Any) -> Any:
        """The batch of these indices, or the sample of one."""
        if isinstance(indices, np.ndarray):
            return self.cut(indices)
        if not isinstance(indices, (list, tuple)):
            sample = self.dataset[indices]
            return sample if self.collate is None else self.collate(sample)
        many = getattr(self.dataset, "__getitems__", None)
        samples = many(indices) if many is not None else [self.dataset[i] for i in indices]
        return samples if self.collate is None else self.collate(samples)

    def from_stream(self) -> Any:
        """The next batch of the stream, or End."""
        if self.stream is None:
            self.stream = iter(self.dataset)
        if self.batch_size is None:
            sample = next(self.stream, End())
            return sample if isinstance(sample, End) or self.collate is None else self.collate(sample)
        samples = [sample for _, sample in zip(range(self.batch_size), self.stream)]
        if not samples or (self.drop_last and len(samples) < self.batch_size):
            return End()
        return samples if self.collate is None else self.collate(samples)


_info: WorkerInfo | None = None
_fetcher: Fetcher | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process, which one it is; None in the main process."""
    return _info


def start(fetcher: Fetcher, number: int, count: int, seed: int, init: Callable | None) -> None:
    """Set a new process up as worker ``number``: its own random numbers, then the user's ``worker_init_fn``."""
    global _info, _fetcher
    random.seed(seed)
    np.random.seed(seed % 2**32)
    manual_seed(seed)
    _fetcher, _info = fetcher, WorkerInfo(number, count, seed, fetcher.dataset)
    if init is not None:
        init(number)


def fetch(indices: Any = None) -> Any:
    """The batch of these indices, or the next of the stream, made in this worker."""
    assert _fetcher is not None
    return _fetcher.from_stream() if indices is None else _fetcher.by_number(indices)
