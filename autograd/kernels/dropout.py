"""Dropout with random bits that are computed where they are needed: from a key and the place of the element."""

import numpy as np

from .hand import kernel
from .language import F, prange

__all__ = ["dropout"]


@kernel
def dropout(x, state, threshold, scale, out):
    """x * scale where the hash of the place is at least ``threshold``, x * 0 elsewhere; flat arrays.

    The hash is two rounds of a mixer of 32 bits without measurable bias (Wellons 2018, https://nullprogram.com/blog/
    2018/07/31/), with words of the key added before each multiplication, so that it is a function of key and place
    alone: no loop depends on another, and backward needs no mask.
    """
    least = np.uint32(threshold)
    kept = F(scale)
    for block in prange((x.size + 65535) // 65536):
        start = np.uint64(block) * np.uint64(65536)
        values = x[block * 65536 : (block + 1) * 65536]
        result = out[block * 65536 : (block + 1) * 65536]
        a = np.uint32(state[0] + start)
        b = np.uint32(state[0] >> np.uint64(32))
        c = np.uint32(state[1] + (start >> np.uint64(32)))
        d = np.uint32(state[1] >> np.uint64(32))
        for i in range(values.size):
            h = np.uint32(np.uint32(i) + a)
            h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D) + b)
            h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B) + c)
            h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D) + d)
            h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B))
            h = np.uint32(h ^ (h >> np.uint32(16)))
            result[i] = values[i] * (kept if h >= least else F(0))
