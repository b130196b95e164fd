"""Ops that reduce or multiply: cross-entropy, layer norm, small products, broadcasting; forward and backward."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.contenders import Lib, Step
from benchmarks.rows import elementwise_jax
from benchmarks.rows.elementwise import forward_backward
from benchmarks.rows.row import Row, labels, normal


def cross_entropy(lib: Lib) -> Step:
    """Cross-entropy of 512 rows over 10,000 classes."""
    x = lib.torch.from_numpy(normal(512, 10_000)).requires_grad_()
    y = lib.torch.from_numpy(labels(512, 10_000))

    def step() -> Any:
        x.grad = None
        lib.F.cross_entropy(x, y).backward()
        return x.grad

    return lib.compiled(step)


def layer_norm(lib: Lib, x: Any) -> Any:
    """Normalise the last axis, without scale and shift."""
    return lib.F.layer_norm(x, x.shape[-1:])


def small_products(lib: Lib) -> Step:
    """512 products of 16x16 in one batched matmul; both factors get gradients."""
    a = lib.torch.from_numpy(normal(512, 16, 16)).requires_grad_()
    b = lib.torch.from_numpy(normal(512, 16, 16, seed=3)).requires_grad_()
    upstream = lib.torch.from_numpy(normal(512, 16, 16, seed=4))

    def step() -> Any:
        a.grad = b.grad = None
        (a @ b).backward(upstream)
        return a.grad + b.grad

    return lib.compiled(step)


def broadcast_multiply(lib: Lib) -> Step:
    """(1024, 1024) * (1024,), summed; the small factor's gradient is summed back."""
    x = lib.torch.from_numpy(normal(1024, 1024)).requires_grad_()
    scale = lib.torch.from_numpy(normal(1024, seed=3)).requires_grad_()

    def step() -> Any:
        x.grad = scale.grad = None
        (x * scale).sum().backward()
        return scale.grad

    return lib.compiled(step)


ROWS = (
    Row("cross-entropy", "cross-entropy on 512x10000, forward and backward", pytorch=cross_entropy, check_steps=1),
    Row(
        "layer-norm",
        "layer norm on 4096x512, forward and backward",
        pytorch=partial(forward_backward, function=layer_norm, shape=(4096, 512)),
        others={
            "jax": partial(elementwise_jax.forward_backward, function=elementwise_jax.layer_norm, shape=(4096, 512))
        },
        check_steps=1,
    ),
    Row(
        "small-products",
        "512 products of 16x16, forward and backward",
        pytorch=small_products,
        check_steps=1,
    ),
    Row(
        "broadcast-multiply",
        "1024x1024 times a row of 1024, summed, forward and backward",
        pytorch=broadcast_multiply,
        check_steps=1,
    ),
)
