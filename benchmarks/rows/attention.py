"""Attention over 128 positions."""

from __future__ import annotations

from benchmarks.contenders import Lib, Step
from benchmarks.rows.row import Row, normal, seeded, training_step


def attention(lib: Lib) -> Step:
    """Self-attention with four heads of 32 on 8 sequences of 128 positions, mean squared error, Adam."""
    model = seeded(lib, lib.nn.MultiheadAttention(128, 4, batch_first=True))
    x, y = lib.torch.from_numpy(normal(8, 128, 128)), lib.torch.from_numpy(normal(8, 128, 128, seed=3))
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    return training_step(lib, optimizer, lambda: lib.F.mse_loss(model(x, x, x, need_weights=False)[0], y))


ROWS = (Row("attention", "self-attention over 128 positions, 4 heads of 32, batch 8, Adam step", pytorch=attention),)
