"""Normalisation, forward and backward: of rows, and of the channels of (n, c, l). Arrays are flat."""

import numpy as np

from .hand import kernel
from .language import F, prange, release, scratch

__all__ = [
    "channel_moments", "normalize_channels", "normalize_channels_backward", "normalize_rows",
    "normalize_rows_backward",
]  # fmt: skip


@kernel(work=3)
def normalize_rows(x, weight, bias, groups, channels, length, centred, eps, out, mean, scale):
    """(x - mean) * scale * weight + bias for each row of channels * length, scale being 1 / sqrt(variance + eps), or
    the same without the mean unless ``centred``. Rows of several groups take turns, each with its part of the weights.
    """
    n = channels * length
    for i in prange(mean.size):
        row = x[i * n : i * n + n]
        result = out[i * n : i * n + n]
        centre = F(0)
        if centred:
            for j in range(n):
                centre += row[j]
            centre /= F(n)
        spread = F(0)
        for j in range(n):
            spread += (row[j] - centre) * (row[j] - centre)
        factor = F(1) / np.sqrt(spread / F(n) + F(eps))
        mean[i] = centre
        scale[i] = factor
        first = i % groups * channels
        w = weight[first : first + channels]
        b = bias[first : first + channels]
        if length == 1:
            for j in range(n):
                result[j] = (row[j] - centre) * factor * w[j] + b[j]
        else:
            for c in range(channels):
                part = row[c * length : (c + 1) * length]
                to = result[c * length : (c + 1) * length]
                by = factor * w[c]
                plus = b[c]
                for k in range(length):
                    to[k] = (part[k] - centre) * by + plus


@kernel(work=3)
def normalize_rows_backward(g, x, weight, groups, channels, length, centred, mean, scale, dx, sums):
    """The gradient of x, and in ``sums`` (parts, 2, groups * channels) those of weight and bias by parts of rows."""
    n = channels * length
    parts = sums.shape[0]
    rows = mean.size
    for part in prange(parts):
        dweight = sums[part, 0]
        dbias = sums[part, 1]
        for c in range(dweight.size):
            dweight[c] = F(0)
            dbias[c] = F(0)
        for i in range(part * rows // parts, (part + 1) * rows // parts):
            centre = mean[i]
            factor = scale[i]
            row = x[i * n : i * n + n]
            grad = g[i * n : i * n + n]
            result = dx[i * n : i * n + n]
            first = i % groups * channels
            w = weight[first : first + channels]
            dw = dweight[first : first + channels]
            db = dbias[first : first + channels]
            total = F(0)
            along = F(0)
            if length == 1:
                for j in range(n):
                    total += grad[j] * w[j]
                    along += grad[j] * w[j] * (row[j] - centre)
                for j in range(n):
                    dw[j] += grad[j] * ((row[j] - centre) * factor)
                for j in range(n):
                    db[j] += grad[j]
            else:
                for c in range(channels):
                    values = row[c * length : (c + 1) * length]
                    grads = grad[c * length : (c + 1) * length]
                    here = F(0)
                    tilt = F(0)
                    for k in range(length):
                        here += grads[k]
                        tilt += grads[k] * (values[k] - centre)
                    db[c] += here
                    dw[c] += tilt * factor
                    total += here * w[c]
                    along += tilt * w[c]
            shift = total / F(n) if centred else F(0)
            slope = along * factor * factor / F(n)
            if length == 1:
                for j in range(n):
                    result[j] = factor * (grad[j] * w[j] - shift - (row[j] - centre) * slope)
            else:
                for c in range(channels):
                    values = row[c * length : (c + 1) * length]
                    grads = grad[c * length : (c + 1) * length]
                    to = result[c * length : (c + 1) * length]
                    by = w[c]
                    for k in range(length):
                        to[k] = factor * (grads[k] * by - shift - (values[k] - centre) * slope)


@kernel
def channel_moments(x, n, length, mean, var):
    """The mean and variance of each channel of (n, c, length)."""
    channels = mean.size
    count = n * length
    for c in prange(channels):
        total = 0.0
        for i in range(n):
            part = x[(i * channels + c) * length : (i * channels + c + 1) * length]
            here = F(0)
            for k in range(length):
                here += part[k]
            total += here
        centre = F(total / count)
        spread = 0.0
        for i in range(n):
            part = x[(i * channels + c) * length : (i * channels + c + 1) * length]
            here = F(0)
            for k in range(length):
                here += (part[k] - centre) * (part[k] - centre)
            spread += here
        mean[c] = centre
        var[c] = spread / count


@kernel
def normalize_channels(x, n, length, mean, var, weight, bias, eps, out, scale):
    """(x - mean) * scale * weight + bias for each channel of (n, c, length), scale being 1 / sqrt(var + eps)."""
    channels = mean.size
    factor = scratch(channels, F)
    for c in range(channels):
        scale[c] = F(1) / np.sqrt(var[c] + F(eps))
        factor[c] = scale[c] * weight[c]
    if length == 1:
        for i in prange(n):
            row = x[i * channels : (i + 1) * channels]
            result = out[i * channels : (i + 1) * channels]
            for c in range(channels):
                result[c] = (row[c] - mean[c]) * factor[c] + bias[c]
    else:
        for i in prange(n * channels):
            row = x[i * length : (i + 1) * length]
            result = out[i * length : (i + 1) * length]
            centre = mean[i % channels]
            by = factor[i % channels]
            plus = bias[i % channels]
            for k in range(length):
                result[k] = (row[k] - centre) * by + plus
    release(factor)


@kernel(work=3)
def normalize_channels_backward(g, x, n, length, mean, scale, weight, fixed, dx, dweight, dbias, sums):
    """The gradients of x, weight and bias; mean and scale are ``fixed``, or those of x. Where length is 1 the rows are
    added up in the parts of ``sums`` (parts, 2, c) first.
    """
    channels = mean.size
    count = F(n * length)
    if length == 1:
        parts = sums.shape[0]
        for part in prange(parts):
            along = sums[part, 0]
            total = sums[part, 1]
            for c in range(channels):
                along[c] = F(0)
                total[c] = F(0)
            for i in range(part * n // parts, (part + 1) * n // parts):
                row = x[i * channels : (i + 1) * channels]
                grad = g[i * channels : (i + 1) * channels]
                for c in range(channels):
                    total[c] += grad[c]
                for c in range(channels):
                    along[c] += grad[c] * (row[c] - mean[c])
        factor, shift, slope = scratch(channels, F), scratch(channels, F), scratch(channels, F)
        for c in range(channels):
            along_ = F(0)
            total_ = F(0)
            for part in range(parts):
                along_ += sums[part, 0, c]
                total_ += sums[part, 1, c]
            dweight[c] = along_ * scale[c]
            dbias[c] = total_
            factor[c] = scale[c] * weight[c]
            shift[c] = F(0) if fixed else total_ / count
            slope[c] = F(0) if fixed else along_ * scale[c] * scale[c] / count
        for i in prange(n):
            row = x[i * channels : (i + 1) * channels]
            grad = g[i * channels : (i + 1) * channels]
            result = dx[i * channels : (i + 1) * channels]
            for c in range(channels):
                result[c] = factor[c] * (grad[c] - shift[c] - (row[c] - mean[c]) * slope[c])
        release(factor, shift, slope)
    else:
        for c in prange(channels):
            middle = mean[c]
            all_here = F(0)
            all_tilt = F(0)
            for i in range(n):
                at = (i * channels + c) * length
                values = x[at : at + length]
                grads = g[at : at + length]
                here = F(0)
                tilt = F(0)
                for k in range(length):
                    here += grads[k]
                    tilt += grads[k] * (values[k] - middle)
                all_here += here
                all_tilt += tilt
            dbias[c] = all_here
            dweight[c] = all_tilt * scale[c]
            by = scale[c] * weight[c]
            minus = F(0) if fixed else all_here / count
            tilted = F(0) if fixed else all_tilt * scale[c] * scale[c] / count
            for i in range(n):
                at = (i * channels + c) * length
                values = x[at : at + length]
                grads = g[at : at + length]
                to = dx[at : at + length]
                for k in range(length):
                    to[k] = by * (grads[k] - minus - (values[k] - middle) * tilted)
