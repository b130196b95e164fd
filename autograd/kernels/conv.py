"""Convolution: products of a weight with shifted planes. How these lie is told in `planes`.

`convolve` is the forward product, and with the other side of the layout the one that carries gradients back to the
input; `correlate` carries them to the weight; `columns` does both for many outputs. Each works through groups of
images, which are copied into a buffer that stays in the cache. Results do not depend on how many threads share the
groups.
"""

import numpy as np

from .hand import kernel
from .language import F, copy_row, lanes, prange, release, scratch, tile_dots, tile_products
from .parts import Part

__all__ = ["convolve", "correlate"]


@Part
def extent(shape, step, phase):
    """How many elements of a phase images have along each axis."""
    return (
        (shape[2] - phase[0] + step[0] - 1) // step[0],
        (shape[3] - phase[1] + step[1] - 1) // step[1],
        (shape[4] - phase[2] + step[2] - 1) // step[2],
    )


@Part
def fill(x, shape, first, images, step, phases, lengths, front, plane, buffer):
    """Lay the phases of some images into the buffer, ``plane`` elements for each (channel, phase)."""
    _, channels, depth, height, width = shape
    for c in range(channels):
        for f in range(phases.shape[0]):
            a, b, e = phases[f]
            planes, lines, count = extent(shape, step, phases[f])
            if count == 0:  # images narrower than a step have nothing in some phases
                continue
            for i in range(images):
                start = front + (c * phases.shape[0] + f) * plane + i * lengths[0] * lengths[1] * lengths[2]
                image = ((first + i) * channels + c) * depth
                for z in range(planes):
                    row = ((image + a + z * step[0]) * height + b) * width + e
                    into = start + z * lengths[1] * lengths[2]
                    for _ in range(lines):
                        if step[2] == 1:
                            copy_row(1, 1, x, row, count, F(0), buffer, into)
                        elif step[2] == 2:
                            copy_row(2, 1, x, row, count, F(0), buffer, into)
                        else:
                            for w in range(count):
                                buffer[into + w] = x[row + w * step[2]]
                        row += step[1] * width
                        into += lengths[2]


@Part
def find_rows(inputs, group, phases, taps, begin, end, front, plane, offsets):
    """Where the planes begin that some taps of a group read. Returns how many there are."""
    count = 0
    for c in range(group * inputs, (group + 1) * inputs):
        for t in range(begin, end):
            offsets[count] = front + (c * phases + taps[t, 1]) * plane + taps[t, 2]
            count += 1
    return count


@Part
def deliver(sums, size, begin, bias, out, shape, first, images, o, rows, step, phase, lengths):
    """Write positions begin ... begin + size of some rows of sums, outputs o and so on, to where they belong in phase
    ``phase`` of the output.
    """
    _, channels, depth, height, width = shape
    a, b, e = phase
    planes, lines, count = extent(shape, step, phase)
    volume = depth * height * width
    line = begin // lengths[2]
    rest, y = divmod(line, lengths[1])
    i, z = divmod(rest, lengths[0])
    start = line * lengths[2] - begin
    while start < size and i < images:
        low, high = max(-start, 0), min(count, size - start)
        if y < lines and z < planes and low < high:
            into = ((first + i) * channels + o) * volume
            into += ((a + z * step[0]) * height + b + y * step[1]) * width + e + low * step[2]
            place = start + low
            for k in range(o, o + rows):
                if step[2] == 1:
                    copy_row(1, 1, sums, place, high - low, bias[k], out, into)
                elif step[2] == 2:
                    copy_row(1, 2, sums, place, high - low, bias[k], out, into)
                else:
                    for w in range(high - low):
                        out[into + w * step[2]] = sums[place + w] + bias[k]
                into += volume
                place += size
        start += lengths[2]
        y += 1
        if y == lengths[1]:
            y = 0
            z += 1
            if z == lengths[0]:
                z = 0
                i += 1


@Part
def tallest(left, x):
    """How many rows the next tile has: as many as registers hold, while there are as many left."""
    most = 8 if lanes(x) * x.itemsize == 64 else 4
    while most > left:
        most //= 2
    return most


@Part
def multiply(rows, x, offsets, first, count, at, weight, place, out, to, pitch):
    if rows == 8:
        tile_products(8, 3, x, offsets, first, count, at, weight, place, out, to, pitch)
    elif rows == 4:
        tile_products(4, 3, x, offsets, first, count, at, weight, place, out, to, pitch)
    elif rows == 2:
        tile_products(2, 3, x, offsets, first, count, at, weight, place, out, to, pitch)
    else:
        tile_products(1, 6, x, offsets, first, count, at, weight, place, out, to, pitch)


@Part
def pack(weight, strides, outputs, inputs, taps, ends, groups, packed):
    """The weights in the order in which tiles read them."""
    place = 0
    for group in range(groups):
        for e in range(ends.shape[0] - 1):
            o = 0
            while o < outputs:
                rows = tallest(outputs - o, packed)
                for c in range(inputs):
                    for t in range(ends[e], ends[e + 1]):
                        start = group * strides[0] + o * strides[1] + c * strides[2] + taps[t, 0]
                        for i in range(rows):
                            packed[place] = weight[start + i * strides[1]]
                            place += 1
                o += rows


@kernel(work=8)
def convolve(
    x, weight, strides, bias, out, groups, lengths, reads, read_step, writes, write_step, taps, ends, front, back,
    images, chunks,
):  # fmt: skip
    """out (n, o, d, h, w) from x (n, c, d, h, w), ``images`` at a time; ``strides`` are those of the groups, outputs
    and inputs in the flat weight.
    """
    n, channels = x.shape[:2]
    flat, results = x.reshape(-1), out.reshape(-1)
    inputs, outputs = channels // groups, out.shape[1] // groups
    phases = reads.shape[0]
    length = lengths[0] * lengths[1] * lengths[2]
    packed = scratch(groups * outputs * inputs * taps.shape[0], x.dtype)
    pack(weight, strides, outputs, inputs, taps, ends, groups, packed)
    wide = 3 * lanes(x)
    block = 10 * wide
    batches = (n + images - 1) // images
    for chunk in prange(chunks):
        buffer = scratch(front + channels * phases * images * length + back + block, x.dtype)
        sums = scratch(8 * block, x.dtype)
        buffer[:] = 0
        offsets = scratch(inputs * taps.shape[0], np.int64)
        for batch in range(chunk * batches // chunks, (chunk + 1) * batches // chunks):
            first = batch * images
            here = min(images, n - first)
            if here < images:
                buffer[:] = 0
            fill(flat, x.shape, first, here, read_step, reads, lengths, front, here * length, buffer)
            place = 0
            for group in range(groups):
                for e in range(ends.shape[0] - 1):
                    count = find_rows(
                        inputs, group, phases, taps, ends[e], ends[e + 1], front, here * length, offsets
                    )  # fmt: skip
                    if not count:
                        sums[:] = 0
                    for begin in range(0, here * length, block):
                        size = min(block, here * length - begin)
                        at = place
                        o = 0
                        while o < outputs:
                            rows = tallest(outputs - o, x)
                            if count:
                                for p in range(0, size, 2 * wide if rows == 1 else wide):
                                    multiply(rows, buffer, offsets, 0, count, begin + p, packed, at, sums, p, block)
                            k = group * outputs + o
                            deliver(
                                sums, block, begin, bias, results, out.shape, first, here, k, rows, write_step,
                                writes[e], lengths,
                            )  # fmt: skip
                            at += rows * count
                            o += rows
                    place += outputs * count
        release(buffer, sums, offsets)
    release(packed)


@Part
def multiply_rows(rows, x, at, pitch, y, offsets, first, count, out, to, stride):
    if rows == 8:
        tile_dots(8, 3, x, at, pitch, y, offsets, first, count, out, to, stride)
    elif rows == 4:
        tile_dots(4, 3, x, at, pitch, y, offsets, first, count, out, to, stride)
    elif rows == 2:
        tile_dots(2, 3, x, at, pitch, y, offsets, first, count, out, to, stride)
    else:
        tile_dots(1, 3, x, at, pitch, y, offsets, first, count, out, to, stride)


@kernel(work=8)
def correlate(x, g, parts, groups, lengths, reads, read_step, taps, front, back, images):
    """The gradient of the weight, as parts (chunks, o, c / groups * taps, rounded up to threes) that are to be added;
    they are zeros at first.
    """
    n, channels = x.shape[:2]
    chunks, _, stride = parts.shape
    flat, given = x.reshape(-1), g.reshape(-1)
    inputs, outputs = channels // groups, g.shape[1] // groups
    phases = reads.shape[0]
    length = lengths[0] * lengths[1] * lengths[2]
    wide = lanes(x)
    batches = (n + images - 1) // images
    whole = scratch((1, 3), np.int64)
    whole[:] = 0
    for chunk in prange(chunks):
        buffer = scratch(front + channels * phases * (images * length + wide) + back, x.dtype)
        gradient, offsets = scratch(g.shape[1] * (images * length + wide), x.dtype), scratch(stride, np.int64)
        buffer[:] = 0
        gradient[:] = 0
        offsets[:] = 0
        part = parts[chunk].reshape(-1)
        for batch in range(chunk * batches // chunks, (chunk + 1) * batches // chunks):
            first = batch * images
            here = min(images, n - first)
            if here < images:
                buffer[:] = 0
                gradient[:] = 0
            plane = (here * length + wide - 1) // wide * wide
            fill(flat, x.shape, first, here, read_step, reads, lengths, front, plane, buffer)
            fill(given, g.shape, first, here, (1, 1, 1), whole, lengths, 0, plane, gradient)
            for group in range(groups):
                count = find_rows(inputs, group, phases, taps, 0, taps.shape[0], front, plane, offsets)
                o = group * outputs
                while o < (group + 1) * outputs:
                    rows = tallest((group + 1) * outputs - o, x)
                    for r in range(0, count, 3):
                        multiply_rows(
                            rows,
                            gradient,
                            o * plane,
                            plane,
                            buffer,
                            offsets,
                            r,
                            plane // wide,
                            part,
                            o * stride + r,
                            stride,
                        )
                    o += rows
        release(buffer, gradient, offsets)
    release(whole)
