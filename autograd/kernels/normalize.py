"""Normalisation, forward and backward: of the rows of a matrix, and of the channels of (n, c, l)."""

import numpy as np

from .hand import kernel
from .language import F

__all__ = [
    "channel_moments",
    "normalize_channels",
    "normalize_channels_backward",
    "normalize_rows",
    "normalize_rows_backward",
]


@kernel
def normalize_rows(x, weight, bias, eps, out, mean, scale):
    """(x - mean) * scale * weight + bias for each row, scale being 1 / sqrt(variance + eps)."""
    rows, n = x.shape
    for i in range(rows):
        total = F(0)
        for j in range(n):
            total += x[i, j]
        centre = total / F(n)
        spread = F(0)
        for j in range(n):
            d = x[i, j] - centre
            spread += d * d
        factor = F(1) / np.sqrt(spread / F(n) + F(eps))
        mean[i] = centre
        scale[i] = factor
        for j in range(n):
            out[i, j] = (x[i, j] - centre) * factor * weight[j] + bias[j]


@kernel
def normalize_rows_backward(g, x, weight, mean, scale, dx, dweight, dbias):
    """The gradients of x, weight and bias; the last two are added to what stands there."""
    rows, n = x.shape
    for i in range(rows):
        centre = mean[i]
        factor = scale[i]
        total = F(0)
        along = F(0)
        for j in range(n):
            part = g[i, j] * weight[j]
            total += part
            along += part * (x[i, j] - centre)
        total /= F(n)
        along *= factor * factor / F(n)
        for j in range(n):
            d = x[i, j] - centre
            dx[i, j] = factor * (g[i, j] * weight[j] - total - d * along)
            dweight[j] += g[i, j] * d * factor
            dbias[j] += g[i, j]


@kernel
def channel_moments(x, mean, var):
    """The mean and variance of each channel, summed in the dtype of ``mean`` and ``var``, which are zeros."""
    n, channels, length = x.shape
    count = n * length
    if length == 1:
        flat = x.reshape((n, channels))
        for i in range(n):
            for c in range(channels):
                mean[c] += flat[i, c]
        for c in range(channels):
            mean[c] /= count
        for i in range(n):
            for c in range(channels):
                d = flat[i, c] - mean[c]
                var[c] += d * d
    else:
        for i in range(n):
            for c in range(channels):
                total = F(0)
                for k in range(length):
                    total += x[i, c, k]
                mean[c] += total
        for c in range(channels):
            mean[c] /= count
        for i in range(n):
            for c in range(channels):
                centre = F(mean[c])
                spread = F(0)
                for k in range(length):
                    e = x[i, c, k] - centre
                    spread += e * e
                var[c] += spread
    for c in range(channels):
        var[c] /= count


@kernel
def normalize_channels(x, mean, factor, bias, out):
    """(x - mean) * factor + bias for each channel."""
    n, channels, length = x.shape
    if length == 1:
        flat = x.reshape((n, channels))
        result = out.reshape((n, channels))
        for i in range(n):
            for c in range(channels):
                result[i, c] = (flat[i, c] - mean[c]) * factor[c] + bias[c]
    else:
        for i in range(n):
            for c in range(channels):
                centre = mean[c]
                by = factor[c]
                plus = bias[c]
                for k in range(length):
                    out[i, c, k] = (x[i, c, k] - centre) * by + plus


@kernel
def normalize_channels_backward(g, x, mean, scale, weight, dx, dweight, dbias):
    """The gradients of x, weight and bias; the last two are zeros at first."""
    n, channels, length = x.shape
    count = F(n * length)
    if length == 1:
        flat = x.reshape((n, channels))
        grad = g.reshape((n, channels))
        result = dx.reshape((n, channels))
        for i in range(n):
            for c in range(channels):
                dbias[c] += grad[i, c]
                dweight[c] += grad[i, c] * (flat[i, c] - mean[c])
        for c in range(channels):
            dweight[c] *= scale[c]
        for i in range(n):
            for c in range(channels):
                h = (flat[i, c] - mean[c]) * scale[c]
                result[i, c] = scale[c] * weight[c] * (grad[i, c] - dbias[c] / count - h * (dweight[c] / count))
    else:
        for i in range(n):
            for c in range(channels):
                centre = mean[c]
                total = F(0)
                along = F(0)
                for k in range(length):
                    total += g[i, c, k]
                    along += g[i, c, k] * (x[i, c, k] - centre)
                dbias[c] += total
                dweight[c] += along
        for c in range(channels):
            dweight[c] *= scale[c]
        for i in range(n):
            for c in range(channels):
                middle = mean[c]
                by = scale[c]
                factor = by * weight[c]
                shift = dbias[c] / count
                slope = dweight[c] / count * by
                for k in range(length):
                    dx[i, c, k] = factor * (g[i, c, k] - shift - (x[i, c, k] - middle) * slope)
