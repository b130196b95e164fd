"""Sequences of different lengths in one tensor: padded, or packed without the padding."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import autograd
from autograd import Tensor

__all__ = [
    "PackedSequence", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence", "unpack_sequence",
    "unpad_sequence",
]  # fmt: skip


class PackedSequence(NamedTuple):
    """Sequences, longest first, one time step after the other: ``data`` (sum of lengths, *), of which step t has
    ``batch_sizes[t]`` rows. ``sorted_indices`` led from the caller's order to this one, ``unsorted_indices`` lead back.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave out the padding of (time, n, *), or (n, time, *); ``lengths`` may come in any order unless enforced."""
    counts = [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
    x = input.transpose(0, 1) if batch_first else input
    if len(counts) != x.shape[1]:
        raise RuntimeError(f"pack_padded_sequence: a length for each sequence; got {len(counts)} for {x.shape[1]}")
    if min(counts, default=0) <= 0 or max(counts) > x.shape[0]:
        raise RuntimeError(f"pack_padded_sequence: lengths must be from 1 to {x.shape[0]}; got {counts}")
    order = sorted(range(len(counts)), key=lambda i: -counts[i])
    if enforce_sorted:
        if counts != sorted(counts, reverse=True):
            raise RuntimeError(
                f"pack_padded_sequence: lengths must fall; got {counts}; pass enforce_sorted=False to have them sorted"
            )
        indices = back = None
    else:
        indices, back = autograd.tensor(order), autograd.tensor(sorted(range(len(order)), key=order.__getitem__))
        x, counts = x[:, indices], [counts[i] for i in order]
    sizes = [sum(n > t for n in counts) for t in range(counts[0])]
    data = autograd.cat([x[t, :n] for t, n in enumerate(sizes)])
    return PackedSequence(data, autograd.tensor(sizes), indices, back)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded tensor of a packed one, in the caller's order, and the lengths."""
    sizes = sequence.batch_sizes.tolist()
    length = len(sizes) if total_length is None else total_length
    if length < len(sizes):
        raise ValueError(f"pad_packed_sequence: total_length must be at least {len(sizes)}; got {total_length}")
    steps, rest = [], tuple(sequence.data.shape[1:])
    for t, n in enumerate(sizes):
        start = sum(sizes[:t])
        missing = (sizes[0] - n, *rest)
        steps.append(
            _joined(
                [sequence.data[start : start + n], autograd.full(missing, padding_value, dtype=sequence.data.dtype)]
            )
        )
    steps += [autograd.full((sizes[0], *rest), padding_value, dtype=sequence.data.dtype)] * (length - len(sizes))
    output = autograd.stack(steps)
    lengths = autograd.tensor([sum(n > i for n in sizes) for i in range(sizes[0])])
    if sequence.unsorted_indices is not None:
        output, lengths = output[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices]
    return (output.transpose(0, 1) if batch_first else output), lengths


def _joined(parts: Sequence[Tensor]) -> Tensor:
    kept = [p for p in parts if p.shape[0]] or parts[:1]
    return kept[0] if len(kept) == 1 else autograd.cat(kept)


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (length, *) stacked to (time, n, *), or (n, time, *), the short ones filled up at one side, in
    the dtype of the first.

    >>> pad_sequence([autograd.ones(2), autograd.ones(3)], batch_first=True)
    tensor([[1., 1., 0.],
            [1., 1., 1.]])
    """
    if padding_side not in ("right", "left"):
        raise RuntimeError(f"pad_sequence: padding_side must be 'right' or 'left'; got {padding_side!r}")
    sequences = [*sequences]
    if not sequences or any(not s.ndim for s in sequences):
        shapes = [tuple(s.shape) for s in sequences]
        raise RuntimeError(f"pad_sequence: sequences (length, *) are needed, at least one; got shapes {shapes}")
    longest, dtype = max(s.shape[0] for s in sequences), sequences[0].dtype
    rows = []
    for s in sequences:
        s = s.to(dtype)
        fill = autograd.full((longest - s.shape[0], *s.shape[1:]), padding_value, dtype=dtype)
        rows.append(_joined([s, fill] if padding_side == "right" else [fill, s]))
    return autograd.stack(rows, dim=0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded tensor, without the padding."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [rows[i, :n] for i, n in enumerate(lengths.tolist())]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (length, *)."""
    return pack_padded_sequence(pad_sequence(sequences), [s.shape[0] for s in sequences], False, enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed one."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
