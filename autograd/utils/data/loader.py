"""The loader: batches of a dataset, in this process or made ahead by workers."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ...random import Generator, default_generator
from .collate import default_collate, default_convert
from .dataset import IterableDataset, batch_cutter
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .worker import End, Failure, Fetcher, Luggage, fetch, start

__all__ = ["DataLoader"]


class DataLoader:
    """Iterate over a dataset in batches.

    >>> import autograd
    >>> from autograd.utils.data import TensorDataset
    >>> data = TensorDataset(autograd.arange(5), autograd.arange(5) * 10)
    >>> for x, y in DataLoader(data, batch_size=2):
    ...     print(x.tolist(), y.tolist())
    [0, 1] [0, 10]
    [2, 3] [20, 30]
    [4] [40]

    As `torch.utils.data.DataLoader`: ``shuffle`` or a ``sampler`` or a ``batch_sampler`` chooses the order,
    ``batch_size=None`` gives single samples, ``collate_fn`` makes a batch of samples. From a dataset whose samples lie
    in arrays (`TensorDataset`, a `Subset` of one) a batch is cut out in one go, unless there is a ``collate_fn``.

    With ``num_workers`` the batches are made ahead in that many processes, in the same order; an error in one is
    raised here with its traceback. Workers are spawned, never forked, so the dataset and the functions are pickled,
    and a script that uses them keeps its main part under ``if __name__ == "__main__":``. ``pin_memory`` changes
    nothing on a CPU.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
    ) -> None:
        streams = isinstance(dataset, IterableDataset)
        _check(
            streams, batch_size, shuffle, sampler, batch_sampler, drop_last, num_workers, timeout, prefetch_factor,
            persistent_workers,
        )  # fmt: skip
        self.dataset = dataset
        self.num_workers = num_workers
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context or "spawn"
        self.generator = generator
        self.prefetch_factor = prefetch_factor or 2
        self.persistent_workers = persistent_workers
        self.pin_memory = pin_memory
        self.sampler, self.batch_sampler = sampler, batch_sampler
        if not streams and sampler is None and batch_sampler is None:
            self.sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        elif batch_size is not None and not streams:
            self.batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_size, self.drop_last = batch_size, drop_last
        batched = batch_size is not None or self.batch_sampler is not None
        # Only where nobody asked for the single samples may a batch be cut out whole.
        self._may_cut = collate_fn is None and type(self.batch_sampler) is BatchSampler
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self._streams = streams
        self._workers: list[ProcessPoolExecutor] | None = None

    def __len__(self) -> int:
        if self._streams:
            count = len(self.dataset)
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator:
        # Drawn with and without workers, so that both leave the generator where the other does.
        seed = int((self.generator or default_generator).numpy.integers(2**62))
        if self.num_workers:
            return self._iterate_workers(seed)
        fetcher = self._fetcher()
        if self._streams:
            return iter(fetcher.from_stream, End())
        return map(fetcher.by_number, self._indices())

    def _indices(self) -> Iterator:
        if self._may_cut and batch_cutter(self.dataset) is not None:
            return self.batch_sampler.arrays()
        return iter(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def _fetcher(self) -> Fetcher:
        return Fetcher(self.dataset, self.collate_fn, self.batch_size, self.drop_last)

    # --- workers ------------------------------------------------------------------------------------------------------

    def _start_workers(self, seed: int) -> list[ProcessPoolExecutor]:
        """A pool of one for each worker, so that batch k is made by worker k mod n, whatever the others do."""
        context = self.multiprocessing_context
        if isinstance(context, str):
            context = multiprocessing.get_context(context)
        count = self.num_workers
        luggage = Luggage((self._fetcher(), self.worker_init_fn))
        return [
            ProcessPoolExecutor(1, context, start, (luggage, number, count, seed + number)) for number in range(count)
        ]

    def _iterate_workers(self, seed: int) -> Iterator:
        # A stream has to begin anew in each pass, and only a new process begins it.
        keep = self.persistent_workers and not self._streams
        workers = self._workers or self._start_workers(seed)
        self._workers = workers if keep else None
        try:
            yield from self._from_streams(workers) if self._streams else self._in_order(workers)
        finally:
            if self._workers is not workers:
                _stop(workers)

    def _in_order(self, workers: list[ProcessPoolExecutor]) -> Iterator:
        ahead: deque[tuple[int, Future]] = deque()
        for k, indices in enumerate(self._indices()):
            number = k % len(workers)
            ahead.append((number, _submit(workers[number], indices)))
            if len(ahead) > self.prefetch_factor * len(workers):
                yield self._result(*ahead.popleft())
        while ahead:
            yield self._result(*ahead.popleft())

    def _from_streams(self, workers: list[ProcessPoolExecutor]) -> Iterator:
        ahead = deque((i, _submit(w)) for _ in range(self.prefetch_factor) for i, w in enumerate(workers))
        ended = set()
        while ahead:
            number, future = ahead.popleft()
            batch = self._result(number, future)
            if isinstance(batch, End):
                ended.add(number)
                continue
            if number not in ended:
                ahead.append((number, _submit(workers[number])))
            yield batch

    def _result(self, number: int, future: Future) -> Any:
        try:
            result = future.result(self.timeout or None)
        except TimeoutError:
            raise RuntimeError(f"DataLoader: no batch within timeout={self.timeout} seconds") from None
        except BrokenProcessPool:
            self._workers = None
            raise RuntimeError(
                f"DataLoader: a worker must live until its batches are made; got none from worker {number}, which has "
                "ended; spawned, it imports the main script, so that must be a file, and keep its main part under "
                'if __name__ == "__main__":'
            ) from None
        if isinstance(result, Failure):
            result.throw()
        return result

    def __del__(self) -> None:
        if getattr(self, "_workers", None):
            _stop(self._workers)  # type: ignore[arg-type]

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_workers": None}


def _submit(worker: ProcessPoolExecutor, *indices: Any) -> Future:
    try:
        return worker.submit(fetch, *indices)
    except BrokenProcessPool as error:  # told in its turn, after the batches before it
        future: Future = Future()
        future.set_exception(error)
        return future


def _stop(workers: list[ProcessPoolExecutor]) -> None:
    for worker in workers:
        worker.shutdown(wait=False, cancel_futures=True)


def _check(
    streams: bool,
    batch_size: int | None,
    shuffle: bool | None,
    sampler: Any,
    batch_sampler: Any,
    drop_last: bool,
    num_workers: int,
    timeout: float,
    prefetch_factor: int | None,
    persistent_workers: bool,
) -> None:
    """Refuse what contradicts itself."""

    def refuse(what: str) -> None:
        raise ValueError(f"DataLoader: {what}")

    if num_workers < 0:
        refuse(f"num_workers must not be negative; got {num_workers}; 0 loads in this process")
    if timeout < 0:
        refuse(f"timeout must not be negative; got {timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        refuse(f"prefetch_factor needs workers; got prefetch_factor={prefetch_factor} and num_workers=0")
    if num_workers == 0 and persistent_workers:
        refuse("persistent_workers needs workers; got persistent_workers=True and num_workers=0")
    if streams and (shuffle or sampler is not None or batch_sampler is not None):
        refuse("an IterableDataset has an order of its own; got shuffle, sampler or batch_sampler")
    if sampler is not None and shuffle:
        refuse("sampler and shuffle exclude each other; got both")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        refuse("batch_sampler excludes batch_size, shuffle, sampler and drop_last; got one of them beside it")
    if batch_size is None and drop_last:
        refuse("drop_last needs a batch_size; got batch_size=None")
