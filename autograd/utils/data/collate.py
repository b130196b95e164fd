"""Samples into a batch, and single ones into tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...creation import as_tensor, tensor
from ...ops.join import stack
from ...tensor import Tensor

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence) -> Any:
    """A batch with a new first axis: tensors and arrays are stacked, numbers become a tensor, and inside dicts, tuples
    and lists the same is done to each part. Strings and bytes stay lists.

    >>> default_collate([(0, {"a": 1.0}), (1, {"a": 2.0})])
    [tensor([0, 1]), {'a': tensor([1., 2.], dtype=float64)}]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, (str, bytes)):  # numpy's too
        return list(batch)
    if isinstance(first, (np.ndarray, np.generic)):
        if not _has_numbers(first):
            raise TypeError(f"default_collate: arrays must hold numbers; got dtype {first.dtype}; pass a collate_fn")
        return Tensor(np.stack([np.asarray(x) for x in batch]))
    if isinstance(first, float):
        return tensor(batch, dtype="float64")
    if isinstance(first, int):
        return tensor(batch)
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


def default_convert(data: Any) -> Any:
    """A sample whose arrays are tensors, also inside dicts, tuples (which become lists) and lists; the rest stays.

    >>> default_convert((np.arange(2), 3, "a"))
    [tensor([0, 1]), 3, 'a']
    """
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return as_tensor(data) if _has_numbers(data) else data
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    return [*map(default_convert, data)] if isinstance(data, Sequence) else data


def _has_numbers(array: np.ndarray | np.generic) -> bool:
    return array.dtype.kind not in "OSU"  # objects, bytes, text
