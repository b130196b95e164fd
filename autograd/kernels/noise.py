"""Random numbers that are computed where they are needed: from a key and the place of the element. No loop depends on
another, and what is needed again, as the mask of dropout in backward, is computed again.
"""

import numpy as np

from .hand import kernel
from .language import F, cos_near, log, prange, sin_near
from .parts import Part

__all__ = ["dropout", "normal"]


@Part
def hash_of(place, a, b, c, d):
    """32 random bits for a place: two rounds of a mixer without measurable bias (Wellons 2018, https://nullprogram.com/
    blog/2018/07/31/), with words of the key added before each multiplication.
    """
    h = np.uint32(np.uint32(place) + a)
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D) + b)
    h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B) + c)
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D) + d)
    h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(h ^ (h >> np.uint32(16)))


@Part
def words_of(key, start):
    """The four words of a key for places that are counted from ``start``."""
    begin = np.uint64(start)
    return (
        np.uint32(key[0] + begin),
        np.uint32(key[0] >> np.uint64(32)),
        np.uint32(key[1] + (begin >> np.uint64(32))),
        np.uint32(key[1] >> np.uint64(32)),
    )


@kernel
def dropout(x, key, threshold, scale, out):
    """x * scale where the hash of the place is at least ``threshold``, x * 0 elsewhere; flat arrays."""
    least = np.uint32(threshold)
    kept = F(scale)
    for block in prange((x.size + 65535) // 65536):
        values = x[block * 65536 : (block + 1) * 65536]
        result = out[block * 65536 : (block + 1) * 65536]
        a, b, c, d = words_of(key, block * 65536)
        for i in range(values.size):
            result[i] = values[i] * (kept if hash_of(i, a, b, c, d) >= least else F(0))


@Part
def normal_pair(i, a, b, c, d, wide):
    """The i-th two standard normal numbers: sqrt(-2 log u) times cos t and sin t, u drawn from (0, 1) and t from a full
    turn (Box and Muller 1958, https://doi.org/10.1214/aoms/1177706645).
    """
    u = F(hash_of(4 * i, a, b, c, d))
    t = F(np.int32(hash_of(4 * i + 1, a, b, c, d)))
    if wide:
        u += (F(hash_of(4 * i + 2, a, b, c, d)) + F(0.5)) * F(2.0**-32)
        t += F(hash_of(4 * i + 3, a, b, c, d)) * F(2.0**-32)
    else:
        u += F(0.5)
    length = np.sqrt(F(-2) * log(u * F(2.0**-32)))
    angle = t * F(np.pi * 2.0**-31)
    return length * cos_near(angle), length * sin_near(angle)


@kernel(work=4)
def normal(out, key):
    """Standard normal numbers."""
    wide = out.itemsize == 8
    for block in prange((out.size + 65535) // 65536):
        values = out[block * 65536 : (block + 1) * 65536]
        a, b, c, d = words_of(key, block * 131072)
        half = values.size // 2
        other = values[half:]
        for i in range(half):
            values[i], other[i] = normal_pair(i, a, b, c, d, wide)
        if values.size % 2:
            values[values.size - 1] = normal_pair(half, a, b, c, d, wide)[0]
