"""Attention, forward and backward, without a matrix of all weights: a block of queries at a time, against all keys.

The scores of a block fill at most `SCORES` numbers, which stay in the cache between the product that makes them, the
exponentials, and the product that reads them. Of the weights only the logarithm of their sum is kept for each query;
backward computes them again from it (Rabe and Staats 2021, https://arxiv.org/abs/2112.05682; the gradients as in Dao
et al. 2022, https://arxiv.org/abs/2205.14135, appendix B.2).

Arrays are (s, t, length, width), stacks of stacks of matrices in any layout; rows of results lie together. A mask is
contiguous, has the axes (s, t, queries, keys), the first three of them perhaps 1, and is added.
"""

import numpy as np

from .hand import kernel
from .language import F, across, exp_falling, formula, gemm, log, prange, release, scratch
from .order import rank, unrank
from .symbol import Symbol

__all__ = ["SCORES", "attention", "attention_backward"]

SCORES = 2**16

pack = pick = unpack = formula


@kernel(layouts="A4 A4 A4 R4 F I I I W4 C3")
def attending(q, k, v, mask, scale, masked, causal, block, out, logsum):
    """out = softmax(scale * q @ k.T + mask) @ v, and the logarithm of the sum of the exponentials of each row.

    A query that sees no key gets zeros.
    """
    stacks, each, queries = q.shape[:3]
    keys = k.shape[2]
    blocks = (queries + block - 1) // block
    for task in prange(stacks * each * blocks):
        s, t, begin = task // blocks // each, task // blocks % each, task % blocks * block
        end = min(begin + block, queries)
        seen = min(end, keys) if causal else keys
        scores = scratch((end - begin, seen), F)
        gemm(q[s, t, begin:end], k[s, t, :seen].T, 0, scores)
        for i in range(end - begin):
            row = scores[i, : min(seen, begin + i + 1)] if causal else scores[i]
            n = row.size
            highest = pack(F(-np.inf))
            if masked:
                terms = mask[
                    s if mask.shape[0] > 1 else 0, t if mask.shape[1] > 1 else 0, begin + i if mask.shape[2] > 1 else 0
                ]
                for j in range(n):
                    row[j] = row[j] * scale + terms[j]
            else:
                for j in range(n):
                    row[j] *= scale
            for j in range(n):
                highest = pick(highest, pack(row[j]))
            top = unpack(highest)
            if top == F(-np.inf):
                top = F(0)
            total = F(0)
            for j in across(n):
                e = exp_falling(row[j] - top)
                row[j] = e
                total += e
            logsum[s, t, begin + i] = top + log(total)
            by = F(1) / total if total != F(0) else F(0)
            for j in range(n):
                row[j] *= by
            for j in range(n, seen):
                scores[i, j] = F(0)
        gemm(scores, v[s, t, :seen], 0, out[s, t, begin:end])
        release(scores)


attention = attending.of("blocks", pack=rank, pick=lambda a, b: Symbol.apply("maximum", a, b), unpack=unrank)


@kernel(layouts="A4 A4 A4 A4 R4 R3 F I I I W4 W4 W4")
def attention_backward(g, q, k, v, mask, logsum, scale, masked, causal, block, dq, dk, dv):
    """The gradients of q, k and v from that of the output."""
    stacks, each, queries = q.shape[:3]
    keys = k.shape[2]
    for task in prange(stacks * each):
        s, t = task // each, task % each
        dk[s, t] = F(0)
        dv[s, t] = F(0)
        for begin in range(0, queries, block):
            end = min(begin + block, queries)
            seen = min(end, keys) if causal else keys
            weights, dscores = scratch((end - begin, seen), F), scratch((end - begin, seen), F)
            gemm(q[s, t, begin:end], k[s, t, :seen].T, 0, weights)
            gemm(g[s, t, begin:end], v[s, t, :seen].T, 0, dscores)
            for i in range(end - begin):
                row = weights[i, : min(seen, begin + i + 1)] if causal else weights[i]
                gradient = dscores[i]
                n = row.size
                shift = logsum[s, t, begin + i]
                if masked:
                    terms = mask[
                        s if mask.shape[0] > 1 else 0,
                        t if mask.shape[1] > 1 else 0,
                        begin + i if mask.shape[2] > 1 else 0,
                    ]
                    for j in range(n):
                        row[j] = row[j] * scale + terms[j]
                else:
                    for j in range(n):
                        row[j] *= scale
                if shift == F(-np.inf):
                    shift = F(0)
                along = F(0)
                for j in across(n):
                    w = exp_falling(row[j] - shift)
                    row[j] = w
                    along += w * gradient[j]
                for j in range(n):
                    gradient[j] = row[j] * (gradient[j] - along) * scale
                for j in range(n, seen):
                    weights[i, j] = F(0)
                    gradient[j] = F(0)
            gemm(dscores, k[s, t, :seen], 0, dq[s, t, begin:end])
            gemm(dscores.T, q[s, t, begin:end], 1, dk[s, t, :seen])
            gemm(weights.T, g[s, t, begin:end], 1, dv[s, t, :seen])
            release(weights, dscores)
