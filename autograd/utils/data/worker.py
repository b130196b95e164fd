"""What runs in a worker process of the loader."""

import functools
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from operator import attrgetter
from typing import Any, NoReturn

import numpy as np

from ...random import manual_seed
from .dataset import batch_cutter

__all__ = ["End", "Failure", "Fetcher", "Luggage", "WorkerInfo", "fetch", "get_worker_info", "start"]


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

    def __init__(self, dataset: Any, collate: Callable, batch_size: int | None, drop_last: bool) -> None:
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
            return self.collate(self.dataset[indices])
        many = getattr(self.dataset, "__getitems__", None)
        samples = many(indices) if many is not None else [self.dataset[i] for i in indices]
        return self.collate(samples)

    def from_stream(self) -> Any:
        """The next batch of the stream, or End."""
        if self.stream is None:
            self.stream = iter(self.dataset)
        if self.batch_size is None:
            sample = next(self.stream, End())
            return sample if isinstance(sample, End) else self.collate(sample)
        samples = [sample for _, sample in zip(range(self.batch_size), self.stream)]
        if not samples or (self.drop_last and len(samples) < self.batch_size):
            return End()
        return self.collate(samples)


# --- in the worker ----------------------------------------------------------------------------------------------------


class _Text(str):
    """A message that KeyError, which shows the repr of its argument, shows with its lines as lines."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Failure:
    """Sent back by a worker in place of a batch: which exception it met, as text, since not all can be pickled."""

    worker: int
    module: str
    name: str
    text: str

    @classmethod
    def of(cls, worker: int, error: BaseException) -> "Failure":
        """What is told of an exception."""
        kind = type(error)
        return cls(worker, kind.__module__, kind.__qualname__, "".join(traceback.format_exception(error)))

    def throw(self) -> NoReturn:
        """Raise an exception of the same class if one can be made of a message, else RuntimeError."""
        text = _Text(f"DataLoader: worker {self.worker} raised {self.name}\n\n{self.text}")
        try:
            error = attrgetter(self.name)(sys.modules[self.module])(text)
            # Others mean something else here: that this process shall end, or this generator.
            fits = isinstance(error, Exception) and not isinstance(error, StopIteration) and text in str(error)
        except Exception:  # whatever a class does with the message, the user must read it
            fits = False
        raise error if fits else RuntimeError(text)


class Luggage:
    """What a worker takes along. Pickled apart from the rest, it is unpacked where errors are told to the loader."""

    def __init__(self, content: Any) -> None:
        self.unpack: Callable[[], Any] = lambda: content

    def __reduce__(self) -> tuple:
        return _Packed, (bytes(ForkingPickler.dumps(self.unpack())),)


class _Packed:
    def __init__(self, text: bytes) -> None:
        self.unpack = functools.partial(ForkingPickler.loads, text)


_info: WorkerInfo | None = None
_fetcher: Fetcher | None = None
_failure: Failure | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process, which one it is; None in the main process."""
    return _info


def start(luggage: Luggage, number: int, count: int, seed: int) -> None:
    """Set a new process up as worker ``number``: its own random numbers, then the user's ``worker_init_fn``."""
    global _info, _fetcher, _failure
    random.seed(seed)
    np.random.seed(seed % 2**32)
    manual_seed(seed)
    try:
        _fetcher, init = _unpacked(luggage)
        _info = WorkerInfo(number, count, seed, _fetcher.dataset)
        if init is not None:
            init(number)
    except (Exception, SystemExit) as error:
        _failure = Failure.of(number, error)


def _unpacked(luggage: Luggage) -> Any:
    try:
        return luggage.unpack()
    except Exception as error:
        error.add_note("A worker finds classes and functions by name: define them in a file that it can import.")
        raise


def fetch(indices: Any = None) -> Any:
    """The batch of these indices, or the next of the stream, made in this worker; or the Failure to do so."""
    if _failure is not None:
        return _failure
    assert _fetcher is not None and _info is not None
    try:
        return _fetcher.from_stream() if indices is None else _fetcher.by_number(indices)
    except (Exception, SystemExit) as error:
        return Failure.of(_info.id, error)
