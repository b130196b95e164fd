"""Datasets: what has samples by number, or hands them out one after the other.

Where the samples of a dataset lie in arrays, and no method of the user's says what a sample is, the loader cuts a whole
batch out at once (`batch_cutter`) instead of collecting and stacking single ones.
"""

import bisect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...random import Generator, randperm
from ...tensor import Tensor

__all__ = ["ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "TensorDataset", "random_split"]


class Dataset:
    """A collection of samples: define ``__getitem__(index)`` and ``__len__()``."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(index)")

    def __add__(self, other: "Dataset") -> "ConcatDataset":
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """A stream of samples: define ``__iter__()``. In a worker process, `get_worker_info` tells which part is its."""

    def __iter__(self) -> Iterator:
        raise NotImplementedError(f"{type(self).__name__}: define __iter__()")


class TensorDataset(Dataset):
    """Rows of tensors of one length: sample i is the tuple of their i-th rows.

    >>> import autograd
    >>> TensorDataset(autograd.arange(3), autograd.zeros(3))[1]
    (tensor(1), tensor(0.))
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [len(t) for t in tensors]
        if len(set(lengths)) != 1:
            raise ValueError(f"TensorDataset: the tensors must have one length; got {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class StackDataset(Dataset):
    """Datasets of one length side by side: sample i is the tuple (or, by keyword, the dict) of their i-th samples."""

    def __init__(self, *args: Dataset, **kwargs: Dataset) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: give datasets either by position or by keyword; got both or none")
        self.datasets: Any = kwargs or args
        lengths = [len(d) for d in (kwargs.values() if kwargs else args)]  # type: ignore[arg-type]
        if len(set(lengths)) != 1:
            raise ValueError(f"StackDataset: the datasets must have one length; got {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: d[index] for name, d in self.datasets.items()}
        return tuple(d[index] for d in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset):
    """Datasets one after the other."""

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: at least one dataset is needed; got none")
        for d in self.datasets:
            if isinstance(d, IterableDataset):
                raise TypeError("ConcatDataset: samples are found by number; got an IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ConcatDataset: index must be in [{-len(self)}, {len(self) - 1}]; got {index}")
        index %= len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


class Subset(Dataset):
    """The samples of a dataset at these indices."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        if isinstance(indices, (np.ndarray, Tensor)) and indices.dtype == np.bool_:
            raise IndexError("Subset: indices are the numbers of samples; got a mask; use its nonzero()")
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def batch_cutter(dataset: Any) -> Callable[[np.ndarray], list[Tensor]] | None:
    """What cuts the samples at some indices out of the arrays they lie in, one tensor for each part of a sample; None
    for a dataset that has to be asked for every sample, as one with a ``__getitem__`` of its own.
    """
    kind = type(dataset)
    if hasattr(kind, "__getitems__"):
        return None
    if isinstance(dataset, TensorDataset) and kind.__getitem__ is TensorDataset.__getitem__:
        return lambda indices: [_rows(t, indices) for t in dataset.tensors]
    if isinstance(dataset, Subset) and kind.__getitem__ is Subset.__getitem__:
        cut = batch_cutter(dataset.dataset)
        if cut is not None:
            places = np.asarray(dataset.indices, np.int64)
            return lambda indices: cut(places[indices])
    return None


def _rows(x: Any, indices: np.ndarray) -> Tensor:
    array = x.array if isinstance(x, Tensor) else x
    return x[indices] if isinstance(x, Tensor) and x.requires_grad else Tensor(array.take(indices, axis=0))


def random_split(dataset: Dataset, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Disjoint random subsets of these lengths, or of these fractions of the whole (which sum to 1).

    >>> import autograd
    >>> [len(part) for part in random_split(TensorDataset(autograd.arange(10)), [0.7, 0.2, 0.1])]
    [7, 2, 1]
    """
    total = len(dataset)  # type: ignore[arg-type]
    sizes = [int(n) for n in lengths]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1 + 1e-9 and all(0 <= n <= 1 for n in lengths):
        sizes = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
    if sum(sizes) != total:
        raise ValueError(f"random_split: the lengths must add up to the dataset's {total}; got {list(lengths)}")
    order = randperm(total, generator=generator).tolist()
    ends = list(itertools.accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes)]
