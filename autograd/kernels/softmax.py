"""Softmax, its logarithm and cross-entropy. What is normalised along is the middle axis of a flat (outer, n, inner)."""

from typing import Any

import numpy as np

from .hand import kernel
from .language import F, across, exp_falling, formula, log, on_stack, prange
from .order import rank, unrank
from .symbol import Symbol

__all__ = [
    "cross_entropy", "cross_entropy_backward", "log_softmax", "log_softmax_backward", "softmax", "softmax_backward",
]  # fmt: skip

close = final = weigh = pack = unpack = formula


@kernel(work=4)
def normalise(x, outer, n, inner, out):
    """``final(e, x, close(top, total))`` of each x, e being exp(x - top), top the largest of its axis, total the sum of
    e.
    """
    if inner == 1:
        # Of short rows many are closed at a time: a logarithm of one number costs as much as that of sixteen.
        height = max(1, 1024 // max(n, 1))
        for block in prange((outer + height - 1) // height):
            first, end = block * height, min(outer, (block + 1) * height)
            tops, totals = on_stack(1024, F), on_stack(1024, F)
            for i in range(first, end):
                row = x[i * n : (i + 1) * n]
                result = out[i * n : (i + 1) * n]
                best = pack(F(-np.inf))
                for j in range(n):
                    best = max(best, pack(row[j]))
                top = unpack(best)
                total = F(0)
                for j in across(n):
                    e = exp_falling(row[j] - top)
                    result[j] = e
                    total += e
                tops[i - first] = top
                totals[i - first] = total
            for k in across(end - first):
                totals[k] = close(tops[k], totals[k])
            for i in range(first, end):
                row = x[i * n : (i + 1) * n]
                result = out[i * n : (i + 1) * n]
                closed = totals[i - first]
                for j in range(n):
                    result[j] = final(result[j], row[j], closed)
    else:
        tiles = (inner + 255) // 256
        for i in prange(outer * tiles):
            first = i % tiles * 256
            width = min(256, inner - first)
            start = i // tiles * n * inner + first
            tops, totals = on_stack(256, F), on_stack(256, F)
            tops[:width] = F(-np.inf)
            totals[:width] = F(0)
            for j in range(n):
                row = x[start + j * inner : start + j * inner + width]
                for k in range(width):
                    tops[k] = row[k] if (row[k] > tops[k]) | (row[k] != row[k]) else tops[k]
            for j in range(n):
                row = x[start + j * inner : start + j * inner + width]
                result = out[start + j * inner : start + j * inner + width]
                for k in range(width):
                    e = exp_falling(row[k] - tops[k])
                    result[k] = e
                    totals[k] += e
            for k in range(width):
                totals[k] = close(tops[k], totals[k])
            for j in range(n):
                row = x[start + j * inner : start + j * inner + width]
                result = out[start + j * inner : start + j * inner + width]
                for k in range(width):
                    result[k] = final(result[k], row[k], totals[k])


@kernel(work=4)
def normalise_backward(g, out, outer, n, inner, dx):
    """``final(g, out, total)``, total being the sum of ``weigh(g, out)`` along the axis."""
    if inner == 1:
        for i in prange(outer):
            grad = g[i * n : (i + 1) * n]
            row = out[i * n : (i + 1) * n]
            result = dx[i * n : (i + 1) * n]
            total = F(0)
            for j in range(n):
                total += weigh(grad[j], row[j])
            for j in across(n):
                result[j] = final(grad[j], row[j], total)
    else:
        tiles = (inner + 255) // 256
        for i in prange(outer * tiles):
            first = i % tiles * 256
            width = min(256, inner - first)
            start = i // tiles * n * inner + first
            totals = on_stack(256, F)
            totals[:width] = F(0)
            for j in range(n):
                grad = g[start + j * inner : start + j * inner + width]
                row = out[start + j * inner : start + j * inner + width]
                for k in range(width):
                    totals[k] += weigh(grad[k], row[k])
            for j in range(n):
                grad = g[start + j * inner : start + j * inner + width]
                row = out[start + j * inner : start + j * inner + width]
                result = dx[start + j * inner : start + j * inner + width]
                for k in range(width):
                    result[k] = final(grad[k], row[k], totals[k])


def _exp(x: Any) -> Any:
    return Symbol.apply("exp_falling", x)


def _log_sum(top: Any, total: Any) -> Any:
    return top + Symbol.apply("log", total)


_ORDER = {"pack": rank, "unpack": unrank}
softmax = normalise.of("softmax", close=lambda top, total: 1.0 / total, final=lambda e, x, factor: e * factor, **_ORDER)
softmax_backward = normalise_backward.of(
    "softmax", weigh=lambda g, out: g * out, final=lambda g, out, total: out * (g - total)
)
log_softmax = normalise.of("log_softmax", close=_log_sum, final=lambda e, x, log_sum: x - log_sum, **_ORDER)
log_softmax_backward = normalise_backward.of(
    "log_softmax", weigh=lambda g, out: g, final=lambda g, out, total: g - _exp(out) * total
)


@kernel(work=4)
def entropy(x, target, weight, ignored, smoothing, mean, found, result, divisor, status):
    """For each row of x (n, classes) the loss (1 - s) w[t] (log_sum - x[t]) + s / classes sum(w (log_sum - x)), what it
    counts, w[t], both 0 where the target is ``ignored``, and the log_sum, log(sum(exp(x))): ``found`` is (3, n).
    ``result`` is the sum of the losses over the ``divisor``, for the ``mean`` the sum of what they count, else 1.
    ``status`` is 0, or 1 more than the row of a target that is no class.
    """
    n, classes = x.shape
    losses, counts, logs = found[0], found[1], found[2]
    status[0] = 0
    for i in range(n):
        if (target[i] < 0 or target[i] >= classes) and target[i] != ignored:
            status[0] = i + 1
    if status[0] > 0:
        return
    share = F(smoothing) / F(classes)
    sharp = F(1) - F(smoothing)
    # Short rows are taken several at a time: the exponentials of a few numbers cost as much as those of many.
    height = max(1, 1024 // max(classes, 1))
    for block in prange((n + height - 1) // height):
        first, end = block * height, min(n, (block + 1) * height)
        e = on_stack(1024, F)[: (end - first) * classes]
        for i in range(first, end):
            row = x[i]
            best = pack(F(-np.inf))
            for j in range(classes):
                best = max(best, pack(row[j]))
            top = unpack(best)
            counts[i] = top
            if height > 1:
                shifted = e[(i - first) * classes : (i - first + 1) * classes]
                for j in range(classes):
                    shifted[j] = row[j] - top
            else:
                total = F(0)
                for j in range(classes):
                    total += exp_falling(row[j] - top)
                losses[i] = total
        if height > 1:
            for k in range(e.size):
                e[k] = exp_falling(e[k])
            for i in range(first, end):
                row = e[(i - first) * classes : (i - first + 1) * classes]
                total = F(0)
                for j in range(classes):
                    total += row[j]
                losses[i] = total
        for i in range(first, end):
            logs[i] = log(losses[i]) + counts[i]
        for i in range(first, end):
            t = target[i]
            counts[i] = F(0) if t == ignored else weight[t]
            losses[i] = F(0) if t == ignored else weight[t] * (logs[i] - x[i, t])
        if smoothing:
            for i in range(first, end):
                row = x[i]
                spread = F(0)
                for j in range(classes):
                    spread += weight[j] * (logs[i] - row[j])
                if target[i] != ignored:
                    losses[i] = sharp * losses[i] + share * spread
    total_loss = 0.0
    total_count = 0.0
    for i in range(n):
        total_loss += losses[i]
        total_count += counts[i]
    if not mean:
        total_count = 1.0
    result[()] = F(total_loss / total_count)
    divisor[()] = F(total_count)


cross_entropy = entropy.of("of_classes", **_ORDER)


@kernel(work=4)
def cross_entropy_backward(g, x, target, weight, ignored, smoothing, found, divisor, dx):
    """g / divisor * (softmax * sum(q) - q) for each row, q = (1 - s) w[t] onehot + s / classes w being what it should
    be; g has an element for each row, or one for all.
    """
    n, classes = x.shape
    logs = found[2]
    scale = F(1) / divisor[()]
    apart = g.size > 1
    share = F(smoothing) / F(classes)
    sharp = F(1) - F(smoothing)
    whole = F(0)
    if smoothing:
        for j in range(classes):
            whole += weight[j] * share
    height = max(1, 1024 // max(classes, 1))
    for block in prange((n + height - 1) // height):
        first, end = block * height, min(n, (block + 1) * height)
        if height > 1:
            for i in range(first, end):
                row = x[i]
                result = dx[i]
                log_sum = logs[i]
                for j in range(classes):
                    result[j] = row[j] - log_sum
            together = dx[first:end].reshape(-1)
            for k in range(together.size):
                together[k] = exp_falling(together[k])
        for i in range(first, end):
            row = x[i]
            result = dx[i]
            t = target[i]
            log_sum = logs[i]
            if t == ignored:
                for j in range(classes):
                    result[j] = F(0)
            else:
                by = g[i if apart else 0] * scale
                wanted = by * sharp * weight[t]
                full = wanted + by * whole
                if height > 1:
                    for j in range(classes):
                        result[j] *= full
                else:
                    for j in range(classes):
                        result[j] = full * exp_falling(row[j] - log_sum)
                if smoothing:
                    even = by * share
                    for j in range(classes):
                        result[j] -= even * weight[j]
                result[t] -= wanted
