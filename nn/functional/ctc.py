"""Connectionist temporal classification."""

from typing import Any

import numpy as np

import autograd
from autograd import Tensor

from .reduction import check_reduction, reduce_loss

__all__ = ["ctc_loss"]

NEVER = -1e30
"""The logarithm of a probability of 0: finite, so that no derivative of it is NaN."""


@autograd.in_one_piece
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
    *,
    sample_weight: Any = None,
) -> Tensor:
    """-log of the probability that the outputs, repeats merged and blanks dropped, spell the target: the sum over all
    alignments, by a forward recursion in time (Graves et al. 2006, https://doi.org/10.1145/1143844.1143891).

    ``log_probs`` is (t, n, c), or (t, c) for one sample; ``targets`` (n, s), or all targets one after the other; the
    lengths (n,) say how much of each counts. With "mean" each loss is divided by the length of its target first. A
    target longer than any alignment has loss inf and a gradient of NaN, or 0 and 0 with ``zero_infinity``.
    """
    check_reduction("ctc_loss", reduction)
    if log_probs.ndim not in (2, 3) or not log_probs.array.size:
        raise RuntimeError(f"ctc_loss: log_probs must be (t, n, c) or (t, c), none 0; got {tuple(log_probs.shape)}")
    batched = log_probs.ndim == 3
    lp: Any = log_probs if batched else log_probs.unsqueeze(1)
    steps, count, classes = lp.shape
    times = _lengths("input_lengths", input_lengths, count)
    lengths = _lengths("target_lengths", target_lengths, count)
    if times.max() > steps:
        raise RuntimeError(f"ctc_loss: input_lengths must be at most {steps}; got {times.max()}")
    if not 0 <= blank < classes:
        raise RuntimeError(f"ctc_loss: blank must be a class, 0 to {classes - 1}; got {blank}")
    labels = _with_blanks(_padded(targets.array, lengths, classes), blank)
    loss = _alignments(lp, labels, times, lengths, blank)
    lost = loss > -NEVER / 10
    if zero_infinity:
        loss = autograd.where(lost, 0.0, loss)
    elif lost.array.any():
        # inf, as 1 over (0 times what was read)^2, so that the gradient is NaN where PyTorch's is
        read = autograd.where(Tensor(np.arange(steps)[:, None, None] < times[:, None]), lp.clamp(min=NEVER), 0.0)
        loss = autograd.where(lost, 1 / autograd.where(lost, (read.sum((0, 2)) * 0) ** 2, 1.0), loss)
    if reduction == "mean":
        loss = loss / Tensor(np.maximum(lengths, 1).astype(loss.dtype))
    loss = reduce_loss("ctc_loss", loss, reduction, sample_weight)
    return loss if batched or reduction != "none" else loss.reshape(())


def _lengths(name: str, given: Any, count: int) -> np.ndarray:
    array = np.atleast_1d(given.array if isinstance(given, Tensor) else np.asarray(given))
    if array.shape != (count,):
        raise RuntimeError(f"ctc_loss: {name} must have one length for each of the {count} samples; got {array.shape}")
    if array.dtype.kind not in "iu" or array.min() < 0:
        raise RuntimeError(f"ctc_loss: {name} must be integers and not negative; got {array.tolist()}")
    return array


def _padded(targets: np.ndarray, lengths: np.ndarray, classes: int) -> np.ndarray:
    """The targets as rows (n, s), 0 where they have ended."""
    count, longest = len(lengths), int(lengths.max())
    if targets.ndim not in (1, 2) or (targets.ndim == 2 and len(targets) != count):
        raise RuntimeError(f"ctc_loss: targets must be ({count}, s) or one after the other; got {targets.shape}")
    counts = np.arange(longest) < lengths[:, None]
    rows = np.zeros(counts.shape, np.int64)
    if targets.ndim == 2:
        if longest > targets.shape[1]:
            raise RuntimeError(f"ctc_loss: target_lengths must be at most {targets.shape[1]}; got {longest}")
        rows[counts] = targets[:, :longest][counts]
    else:
        if targets.size != lengths.sum():
            raise RuntimeError(f"ctc_loss: target_lengths must sum to {targets.size}; got {lengths.sum()}")
        rows[counts] = targets
    if rows.size and not (rows.min() >= 0 and rows.max() < classes):
        raise RuntimeError(
            f"ctc_loss: a target must be a class, 0 to {classes - 1}; got values from {rows.min()} to {rows.max()}"
        )
    return rows


def _with_blanks(rows: np.ndarray, blank: int) -> np.ndarray:
    """A blank before, between and after the labels of each row."""
    labels = np.full((rows.shape[0], 2 * rows.shape[1] + 1), blank)
    labels[:, 1::2] = rows
    return labels


def _alignments(lp: Any, labels: np.ndarray, times: np.ndarray, lengths: np.ndarray, blank: int) -> Any:
    """-log of the summed probability of all alignments, (n,)."""
    count, width = labels.shape
    emitted = autograd.clamp(lp[:, np.arange(count)[:, None], labels], min=NEVER)
    # A path may leave out a blank, but not between two equal labels.
    may_skip = np.zeros(labels.shape, bool)
    may_skip[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    never = autograd.full((count, 2), NEVER, dtype=lp.dtype)
    begins = Tensor(np.arange(width) < 2)
    alpha = autograd.where(begins, emitted[0], NEVER)
    for t in range(1, lp.shape[0]):
        before = autograd.cat([never, alpha], 1)
        skipped = autograd.where(Tensor(may_skip), before[:, :-2], NEVER)
        reached = autograd.logsumexp(autograd.stack([alpha, before[:, 1:-1], skipped]), 0) + emitted[t]
        alpha = autograd.where(Tensor((t < times)[:, None]), reached, alpha)
    rows = np.arange(count)
    last_blank = alpha[rows, 2 * lengths]
    last_label = autograd.where(Tensor(lengths > 0), alpha[rows, np.maximum(2 * lengths - 1, 0)], NEVER)
    loss = -autograd.logsumexp(autograd.stack([last_blank, last_label]), 0)
    # No steps spell the empty target and no other.
    return autograd.where(Tensor(times == 0), Tensor(np.where(lengths == 0, 0.0, -NEVER).astype(lp.dtype)), loss)
