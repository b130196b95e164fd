"""Convolution with many outputs, as products of matrices: what an output at a position reads becomes a column.

The columns are copied from the same planes that `conv` works with, but only those of positions that exist: between the
rows of small images there is as much for nothing as in them. That pays where many outputs read each column. The
products are made of the tiles of `gemm`, whose panels are what is copied; no matrix of all columns is ever made.

`convolve_columns` and `correlate_columns` take and give what their namesakes in `conv` do. Where there are few groups
of images, threads share the outputs too, and copy the same columns.
"""

import numpy as np

from .conv import deliver, extent, fill, find_rows
from .hand import kernel
from .language import HIGH, WIDE, copy_pieces, lanes, multiply_block, prange, release, scratch, turn_square
from .parts import Part

__all__ = ["add_parts", "convolve_columns", "correlate_columns", "find_cuts"]


@Part
def find_pieces(begin, size, counts, lengths, most, starts, places):
    """Where positions begin ... begin + size of images of ``counts`` lie in planes whose axes have ``lengths``: in
    pieces of at most ``most`` elements. Returns how many there are.
    """
    line, w = divmod(begin, counts[2])
    pieces = done = 0
    while done < size:
        rest, y = divmod(line, counts[1])
        i, z = divmod(rest, counts[0])
        start = ((i * lengths[0] + z) * lengths[1] + y) * lengths[2] + w
        run = min(counts[2] - w, size - done)
        for k in range(0, run, most):
            starts[pieces], places[pieces] = start + k, done + k
            pieces += 1
        done += run
        line, w = line + 1, 0
    return pieces


@Part
def find_cuts(chunks, outputs):
    """Into how many parts the outputs are cut, whatever the number of threads."""
    return max(1, min(outputs // 128, -(-8 // chunks)))


@Part
def pack_tiles(weight, strides, outputs, inputs, taps, ends, groups, packed):
    """The weights of each (group, phase) in tiles of HIGH outputs, those of one tap side by side."""
    place = 0
    for group in range(groups):
        for e in range(ends.shape[0] - 1):
            for o in range(0, outputs, HIGH):
                for c in range(inputs):
                    for t in range(ends[e], ends[e + 1]):
                        start = group * strides[0] + o * strides[1] + c * strides[2] + taps[t, 0]
                        for i in range(min(HIGH, outputs - o)):
                            packed[place + i] = weight[start + i * strides[1]]
                        place += HIGH


@kernel(work=8)
def convolve_columns(
    x, weight, strides, bias, out, groups, lengths, reads, read_step, writes, write_step, taps, ends, front, back,
    images, chunks,
):  # fmt: skip
    """out (n, o, d, h, w) from x (n, c, d, h, w), ``images`` at a time."""
    n, channels = x.shape[:2]
    flat, results = x.reshape(-1), out.reshape(-1)
    inputs, outputs = channels // groups, out.shape[1] // groups
    phases = reads.shape[0]
    length = lengths[0] * lengths[1] * lengths[2]
    high = -(-outputs // HIGH) * HIGH
    packed = scratch(groups * high * inputs * taps.shape[0], x.dtype)
    pack_tiles(weight, strides, outputs, inputs, taps, ends, groups, packed)
    wide, deep = 6 * WIDE, 512
    batches = (n + images - 1) // images
    cuts = find_cuts(chunks, outputs)
    for turn in prange(chunks * cuts):
        chunk, cut = divmod(turn, cuts)
        low = high // HIGH * cut // cuts * HIGH
        end = min(high // HIGH * (cut + 1) // cuts * HIGH, outputs)
        buffer = scratch(front + channels * phases * images * length + back + WIDE, x.dtype)
        buffer[:] = 0
        offsets = scratch(inputs * taps.shape[0], np.int64)
        starts, places = scratch(WIDE, np.int64), scratch(WIDE, np.int64)
        panels, sums = scratch(deep * wide + WIDE, x.dtype), scratch((end - low) * wide, x.dtype)
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
                    counts = extent(out.shape, write_step, writes[e])
                    area = counts[0] * counts[1] * counts[2]
                    shape, rows = out.shape, counts
                    if write_step[0] * write_step[1] * write_step[2] == 1:  # the outputs of an image lie in one piece
                        shape, rows = (n, out.shape[1], 1, 1, area), (1, 1, area)
                    layers = -(-count // deep)
                    for begin in range(0, here * area, wide):
                        size = min(wide, here * area - begin)
                        for layer in range(layers):
                            k = count * layer // layers
                            some = count * (layer + 1) // layers - k
                            for j in range(0, size, WIDE):
                                pieces = find_pieces(
                                    begin + j, min(WIDE, size - j), counts, lengths, lanes(x), starts, places
                                )  # fmt: skip
                                copy_pieces(
                                    buffer, offsets, k, some, starts, places, pieces, panels, j * some, WIDE
                                )  # fmt: skip
                            multiply_block(
                                packed, place + low * count + k * HIGH, HIGH * count, 1, HIGH, panels, 0, WIDE * some,
                                sums, 0, wide, end - low, size, some, layer, 1,
                            )  # fmt: skip
                        deliver(
                            sums, wide, begin, bias, results, shape, first, here, group * outputs + low, end - low,
                            write_step, writes[e], rows,
                        )  # fmt: skip
                    place += high * count
        release(buffer, offsets, starts, places, panels, sums)
    release(packed)


@kernel(work=8)
def correlate_columns(x, g, parts, groups, lengths, reads, read_step, taps, front, back, images):
    """The gradient of the weight, as parts (chunks, c * taps, o / groups) that are to be added; zeros at first."""
    n, channels = x.shape[:2]
    chunks = parts.shape[0]
    flat, given = x.reshape(-1), g.reshape(-1)
    inputs, outputs = channels // groups, g.shape[1] // groups
    phases = reads.shape[0]
    length = lengths[0] * lengths[1] * lengths[2]
    counts = (g.shape[2], g.shape[3], g.shape[4])
    area = counts[0] * counts[1] * counts[2]
    wide, deep = 12 * WIDE, 21 * HIGH
    pitch = wide + lanes(x)
    batches = (n + images - 1) // images
    cuts = find_cuts(chunks, outputs)
    for turn in prange(chunks * cuts):
        chunk, cut = divmod(turn, cuts)
        low = -(-outputs // WIDE) * cut // cuts * WIDE
        end = min(-(-outputs // WIDE) * (cut + 1) // cuts * WIDE, outputs)
        buffer = scratch(front + channels * phases * images * length + back + WIDE, x.dtype)
        buffer[:] = 0
        offsets = scratch(inputs * taps.shape[0], np.int64)
        starts, places = scratch(wide, np.int64), scratch(wide, np.int64)
        columns = scratch(deep * pitch + WIDE, x.dtype)
        panels = scratch((-(-(end - low) // WIDE) * wide + WIDE) * WIDE, x.dtype)
        part = parts[chunk].reshape(-1)
        for batch in range(chunk * batches // chunks, (chunk + 1) * batches // chunks):
            first = batch * images
            here = min(images, n - first)
            if here < images:
                buffer[:] = 0
            fill(flat, x.shape, first, here, read_step, reads, lengths, front, here * length, buffer)
            for group in range(groups):
                count = find_rows(
                    inputs, group, phases, taps, 0, taps.shape[0], front, here * length, offsets
                )  # fmt: skip
                for begin in range(0, here * area, wide):
                    size = min(wide, here * area - begin)
                    for o in range(low, end, lanes(x)):
                        into = (o - low) // WIDE * wide * WIDE + o % WIDE
                        done = 0
                        while done < size:
                            i, p = divmod(begin + done, area)
                            start = ((first + i) * g.shape[1] + group * outputs + o) * area + p
                            run = min(area - p, size - done)
                            for k in range(0, run, lanes(x)):
                                turn_square(
                                    given, start + k, area, min(lanes(x), end - o), min(lanes(x), run - k),
                                    panels, into + (done + k) * WIDE, WIDE,
                                )  # fmt: skip
                            done += run
                    pieces = find_pieces(begin, size, counts, lengths, lanes(x), starts, places)
                    for k in range(0, count, deep):
                        some = min(deep, count - k)
                        copy_pieces(buffer, offsets, k, some, starts, places, pieces, columns, 0, pitch)
                        multiply_block(
                            columns, 0, HIGH * pitch, pitch, 1, panels, 0, WIDE * wide, part,
                            (group * count + k) * outputs + low, outputs, some, end - low, size, 1, 0,
                        )  # fmt: skip
        release(buffer, offsets, starts, places, columns, panels)


@kernel
def add_parts(parts, out):
    """out (groups, o, k), the sum of parts (chunks, groups, k, o) over the first axis; changes the first of them."""
    chunks, groups, rows, outputs = parts.shape
    total, flat = parts[0].reshape(-1), out.reshape(-1)
    side = lanes(out)
    strips = -(-rows // side)
    for turn in prange(groups * strips):
        group, strip = divmod(turn, strips)
        k = strip * side
        here = min(side, rows - k)
        first = (group * rows + k) * outputs
        for chunk in range(1, chunks):
            more = parts[chunk].reshape(-1)
            for i in range(first, first + here * outputs):
                total[i] += more[i]
        for o in range(0, outputs, side):
            into = (group * outputs + o) * rows + k
            if here == side and outputs - o >= side:
                turn_square(total, first + o, outputs, side, side, flat, into, rows)
            else:
                for i in range(here):
                    for j in range(min(side, outputs - o)):
                        flat[into + j * rows + i] = total[first + i * outputs + o + j]
