"""Samplers: in which order samples are drawn."""

from collections.abc import Iterator, Sequence, Sized
from typing import Any

import numpy as np

from ...random import Generator, default_generator
from ...tensor import Tensor

__all__ = [
    "BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler",
]  # fmt: skip


class Sampler:
    """An order of samples: define ``__iter__()`` that yields indices, and ``__len__()`` where there is one."""

    def __iter__(self) -> Iterator:
        raise NotImplementedError(f"{type(self).__name__}: define __iter__()")


class _Drawn(Sampler):
    """A sampler that draws all indices at once."""

    def indices(self) -> np.ndarray:
        """The indices of one pass."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices().tolist())


def _numpy(generator: Generator | None) -> np.random.Generator:
    return (generator or default_generator).numpy


class SequentialSampler(_Drawn):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def indices(self) -> np.ndarray:
        return np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(_Drawn):
    """Every index once in random order, or ``num_samples`` drawn anew each time with ``replacement``."""

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if num_samples is not None and num_samples <= 0:
            raise ValueError(f"RandomSampler: num_samples must be positive; got {num_samples}")

    @property
    def num_samples(self) -> int:
        """How many indices one pass draws."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def indices(self) -> np.ndarray:
        draw, size = _numpy(self.generator), len(self.data_source)
        if self.replacement:
            return draw.integers(0, size, self.num_samples)
        passes = -(-self.num_samples // size) if size else 0
        drawn = [draw.permutation(size) for _ in range(passes)]
        return np.concatenate(drawn)[: self.num_samples] if drawn else np.arange(0)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(_Drawn):
    """The given indices in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self._indices = indices
        self.generator = generator

    def indices(self) -> np.ndarray:
        return _numpy(self.generator).permutation(np.asarray(self._indices, np.int64))

    def __len__(self) -> int:
        return len(self._indices)


class WeightedRandomSampler(_Drawn):
    """``num_samples`` indices, index i drawn with probability proportional to ``weights[i]``."""

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        self.weights = np.asarray(weights.array if isinstance(weights, Tensor) else weights, np.float64)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator
        if num_samples <= 0:
            raise ValueError(f"WeightedRandomSampler: num_samples must be positive; got {num_samples}")
        if self.weights.ndim != 1 or (self.weights < 0).any() or not self.weights.sum() > 0:
            raise ValueError("WeightedRandomSampler: weights must be one axis of numbers not below 0, not all 0")
        drawable = np.count_nonzero(self.weights)
        if not replacement and num_samples > drawable:
            raise ValueError(
                f"WeightedRandomSampler: without replacement at most {drawable} can be drawn; got {num_samples}"
            )

    def indices(self) -> np.ndarray:
        p = self.weights / self.weights.sum()
        return _numpy(self.generator).choice(len(p), self.num_samples, self.replacement, p)

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The indices of another sampler in lists of ``batch_size``; a shorter last one is dropped on demand.

    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"BatchSampler: batch_size must be a positive integer; got {batch_size!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def arrays(self) -> Iterator[np.ndarray]:
        """The batches as arrays, without a list of numbers on the way where the sampler knows all of them."""
        if not isinstance(self.sampler, _Drawn) or type(self.sampler).__iter__ is not _Drawn.__iter__:
            yield from (np.array(batch, np.int64) for batch in self)
            return
        drawn, size = self.sampler.indices(), self.batch_size
        for start in range(0, len(drawn) - (size - 1 if self.drop_last else 0), size):
            yield drawn[start : start + size]

    def __iter__(self) -> Iterator[list]:
        batch: list = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
