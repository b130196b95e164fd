"""Rows of a table, looked up by their number."""

from typing import Any

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["embedding", "embedding_bag"]


def _check(op: str, input: Tensor, weight: Tensor, padding_idx: int | None) -> int | None:
    if weight.ndim != 2:
        raise RuntimeError(f"{op}: the weight must be (rows, d); got shape {tuple(weight.shape)}")
    rows = weight.shape[0]
    if input.dtype not in (autograd.int64, autograd.int32):
        raise RuntimeError(f"{op}: the input must be int64 or int32; got {input.dtype}; convert with long()")

    def check(index: np.ndarray) -> None:
        # Without a sign a negative index is larger than any number of rows.
        if index.size and index.view(f"u{index.itemsize}").max() >= rows:
            bad = index.min() if index.min() < 0 else index.max()
            raise IndexError(f"{op}: an index must be in 0 to {rows - 1}; got {bad}")

    autograd.of_arrays(check, input)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise AssertionError(f"{op}: padding_idx must be in {-rows} to {rows - 1}; got {padding_idx}")
    return None if padding_idx is None else padding_idx % rows


def _check_first(offsets: np.ndarray) -> None:
    if offsets.size and offsets[0] != 0:
        raise RuntimeError(f"embedding_bag: the first offset must be 0; got {offsets[0]}")


@autograd.in_one_piece
def _renormalise(weight: Tensor, index: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows in use down, in place, to a norm of at most ``max_norm``."""
    rows = np.unique(index.array)
    norms = np.linalg.norm(weight.array[rows], norm_type, axis=1)
    large = norms > max_norm
    if large.any():
        with autograd.no_grad():
            scale = max_norm / (norms[large] + 1e-7)
            weight[rows[large]] = Tensor(weight.array[rows[large]] * scale[:, None].astype(weight.dtype))


def _look_up(weight: Any, index: Any, padding_idx: int | None, scale_grad_by_freq: bool) -> Any:
    out = weight[index]
    if padding_idx is not None:
        out = autograd.where((index == padding_idx).unsqueeze(-1), out.detach(), out)
    if scale_grad_by_freq:

        def share(index: np.ndarray) -> np.ndarray:
            _, inverse, counts = np.unique(index, return_inverse=True, return_counts=True)
            return (1 / counts[inverse].reshape(index.shape))[..., None].astype(out.dtype)

        value = out.detach()
        out = value + (out - value) * autograd.of_arrays(share, index)  # the value unchanged, the gradient shared
    return out


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """weight[input]; integers (*) and a table (rows, d) -> (*, d).

    The row ``padding_idx`` gets no gradient, rows in use are scaled down in place to ``max_norm``, and
    ``scale_grad_by_freq`` divides the gradient of a row by how often it is used. Gradients are dense.
    """
    padding_idx = _check("embedding", input, weight, padding_idx)
    if max_norm is not None:
        _renormalise(weight, input, max_norm, norm_type)
    return _look_up(weight, input, padding_idx, scale_grad_by_freq)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of each bag: the rows of ``input`` (n, s), or the pieces of ``input`` (s,)
    that begin at ``offsets`` (n,); -> (n, d). An empty bag gives 0, and ``padding_idx`` is left out of its bag.
    """
    padding_idx = _check("embedding_bag", input, weight, padding_idx)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode must be 'sum', 'mean' or 'max'; got {mode!r}")
    if scale_grad_by_freq and mode == "max":
        raise ValueError("embedding_bag: scale_grad_by_freq is for the modes 'sum' and 'mean'; got mode 'max'")
    index = input.array
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError("embedding_bag: offsets are for an input with one axis; got shape " + str(index.shape))
        starts = Tensor(np.arange(index.shape[0] + 1) * index.shape[1])
    elif index.ndim == 1:
        if offsets is None:
            raise ValueError("embedding_bag: offsets must be given for an input with one axis; got None")
        if offsets.ndim != 1:
            raise ValueError(f"embedding_bag: offsets must have one axis; got shape {tuple(offsets.shape)}")
        autograd.of_arrays(_check_first, offsets)
        starts = offsets if include_last_offset else autograd.cat([offsets, offsets.new_full((1,), index.size)])
    else:
        raise ValueError(f"embedding_bag: the input must have 1 or 2 axes; got shape {index.shape}")
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(f"embedding_bag: per_sample_weights are for mode 'sum'; got mode {mode!r}")
        if per_sample_weights.shape != input.shape:
            raise ValueError(
                f"embedding_bag: per_sample_weights must have the shape of the input; "
                f"got {per_sample_weights.shape} for {input.shape}"
            )
    places = input.reshape(-1)
    if max_norm is not None:
        _renormalise(weight, places, max_norm, norm_type)
    table: Any = weight
    if scale_grad_by_freq:  # the table itself, whose gradient is divided by how often each row is used

        def share(index: np.ndarray) -> np.ndarray:
            return (1 / np.maximum(np.bincount(index, minlength=len(weight)), 1))[:, None].astype(weight.dtype)

        table = table.detach() + (table - table.detach()) * autograd.of_arrays(share, places)
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    skip = -1 if padding_idx is None else padding_idx
    return autograd.pool_rows(table, places, starts, factors, mode=mode, skip=skip)
