"""Pooling over windows of (planes, d, h, w). Each axis has a list of windows, from where up to where they reach, and so
one kernel serves every kind of padding, and the windows of adaptive pooling.
"""

import numpy as np

from .hand import kernel
from .language import F, keep_larger, lanes, prange, release, scratch

__all__ = ["max_windows", "mean_windows", "pick", "place", "put", "spread_windows"]


@kernel(work=8)
def max_windows(x, depths, heights, widths, dilation, out, places):
    """The largest element of each window, and where it is in the plane; of equal ones the first, but the last NaN.

    A row of windows is worked on together, the first element of each, then the second, and so on: that makes SIMD code
    of it. A window that is shorter than others has its last element looked at again.
    """
    height, width = x.shape[2:]
    count = widths.shape[0]
    taps = 0
    for k in range(count):
        taps = max(taps, (widths[k, 1] - widths[k, 0] + dilation[2] - 1) // dilation[2])
    room = (count + lanes(x) - 1) // lanes(x) * lanes(x)
    table = scratch(taps * room, np.uint32)
    table[:] = 0
    for t in range(taps):
        for k in range(count):
            last = (widths[k, 1] - widths[k, 0] - 1) // dilation[2]
            table[t * room + k] = widths[k, 0] + min(t, last) * dilation[2]
    for plane in prange(x.shape[0]):
        row, values, where = scratch(room, x.dtype), scratch(room, x.dtype), scratch(room, np.int32)
        row[:] = 0
        values[:] = 0
        for i in range(depths.shape[0]):
            for j in range(heights.shape[0]):
                fresh = True
                for a in range(depths[i, 0], depths[i, 1], dilation[0]):
                    for b in range(heights[j, 0], heights[j, 1], dilation[1]):
                        read = x[plane, a, b]
                        base = (a * height + b) * width
                        for t in range(taps):
                            at = table[t * room : t * room + count]
                            if fresh:
                                for k in range(count):
                                    values[k] = read[at[k]]
                                    where[k] = base + at[k]
                                fresh = False
                            else:
                                for k in range(count):
                                    row[k] = read[at[k]]
                                keep_larger(row, table, t * room, base, count, values, where)
                for k in range(count):
                    out[plane, i, j, k] = values[k]
                    places[plane, i, j, k] = where[k]
        release(row, values, where)
    release(table)


@kernel(work=4)
def pick(x, places, out):
    """out[i, j] = x[i, places[i, j]], 0 for a place beyond the row."""
    for i in prange(x.shape[0]):
        for j in range(places.shape[1]):
            at = places[i, j]
            out[i, j] = x[i, at] if at < x.shape[1] else F(0)


@kernel(work=4)
def place(x, places, out):
    """x[i, j] added to out[i, places[i, j]], zeros at first; not where that is beyond the row."""
    for i in prange(x.shape[0]):
        out[i, :] = F(0)
        for j in range(places.shape[1]):
            at = places[i, j]
            if at < out.shape[1]:
                out[i, at] += x[i, j]


@kernel(work=4)
def put(x, places, out):
    """out[i, places[i, j]] = x[i, j], zeros elsewhere."""
    for i in prange(x.shape[0]):
        out[i, :] = F(0)
        for j in range(places.shape[1]):
            out[i, places[i, j]] = x[i, j]


@kernel(work=8)
def mean_windows(x, depths, heights, widths, deep, high, wide, out):
    """The sum of each window over the product of its three counts: rows are added first, then what lies in a row."""
    width = x.shape[3]
    for plane in prange(x.shape[0]):
        sums = scratch(width, x.dtype)
        for i in range(depths.shape[0]):
            for j in range(heights.shape[0]):
                line = x[plane, depths[i, 0], heights[j, 0]]
                if depths[i, 1] - depths[i, 0] > 1 or heights[j, 1] - heights[j, 0] > 1:
                    sums[:] = F(0)
                    for a in range(depths[i, 0], depths[i, 1]):
                        for b in range(heights[j, 0], heights[j, 1]):
                            row = x[plane, a, b]
                            for c in range(width):
                                sums[c] += row[c]
                    line = sums
                for k in range(widths.shape[0]):
                    window = line[widths[k, 0] : widths[k, 1]]
                    total = F(0)
                    for c in range(window.shape[0]):
                        total += window[c]
                    out[plane, i, j, k] = total / F(deep[i] * high[j] * wide[k])
        release(sums)


@kernel(work=8)
def spread_windows(g, depths, heights, widths, deep, high, wide, out):
    """What carries a gradient of `mean_windows` back: every element's share of it, added to zeros."""
    width = out.shape[3]
    for plane in prange(g.shape[0]):
        sums = scratch(width, g.dtype)
        out[plane] = F(0)
        for i in range(depths.shape[0]):
            for j in range(heights.shape[0]):
                several = depths[i, 1] - depths[i, 0] > 1 or heights[j, 1] - heights[j, 0] > 1
                line = out[plane, depths[i, 0], heights[j, 0]]
                if several:
                    sums[:] = F(0)
                    line = sums
                for k in range(widths.shape[0]):
                    share = g[plane, i, j, k] / F(deep[i] * high[j] * wide[k])
                    window = line[widths[k, 0] : widths[k, 1]]
                    for c in range(window.shape[0]):
                        window[c] += share
                if several:
                    for a in range(depths[i, 0], depths[i, 1]):
                        for b in range(heights[j, 0], heights[j, 1]):
                            row = out[plane, a, b]
                            for c in range(width):
                                row[c] += sums[c]
        release(sums)
