"""Samples into a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...creation import tensor
from ...ops.join import stack
from ...tensor import Tensor

__all__ = ["default_collate"]


def default_collate(batch: Sequence) -> Any:
    """A batch with a new first axis: tensors and arrays are stacked, numbers become a tensor, and inside dicts, tuples
    and lists the same is done to each part. Strings and bytes stay lists.

    >>> default_collate([(0, {"a": 1.0}), (1, {"a": 2.0})])
    [tensor([0, 1]), {'a': tensor([1., 2.], dtype=float64)}]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, (np.ndarray, np.generic)):
        return Tensor(np.stack([np.asarray(x) for x in batch]))
    if isinstance(first, float):
        return tensor(batch, dtype="float64")
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*map(default_collate, zip(*batch)))
    if isinstance(first, Sequence):
        if len({len(sample) for sample in batch}) != 1:
            raise RuntimeError("default_collate: the samples of a batch must have equal lengths; pass a collate_fn")
        return [default_collate(part) for part in zip(*batch)]
    raise TypeError(
        "default_collate: a batch holds tensors, arrays, numbers, strings, dicts or sequences; "
        f"got {type(first).__name__}; pass a collate_fn"
    )
