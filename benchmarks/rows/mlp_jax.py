"""The MLP's training step for JAX: the whole step under one `jax.jit`, buffers donated, as its users write it."""

from __future__ import annotations

from typing import Any

from benchmarks.contenders import Step
from benchmarks.rows.mlp_numpy import shapes
from benchmarks.rows.row import initial, labels, normal


def train(jax: Any, sizes: tuple[int, ...], batch: int) -> Step:
    """A pure function of parameters and moments; each call waits for its result, as the other contenders do."""
    jnp = jax.numpy
    depth = len(sizes) - 1
    x, y = jnp.asarray(normal(batch, sizes[0])), jnp.asarray(labels(batch, sizes[-1]))
    beta1, beta2, lr, eps = 0.9, 0.999, 1e-3, 1e-8

    def loss_of(parameters: Any) -> Any:
        out = x
        for n in range(depth):
            out = out @ parameters[2 * n].T + parameters[2 * n + 1]
            out = jax.nn.relu(out) if n < depth - 1 else out
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1))

    def update(parameters: Any, means: Any, squares: Any, count: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        count = count + 1
        step_size, root = lr / (1 - beta1**count), jnp.sqrt(1 - beta2**count)
        means = [beta1 * m + (1 - beta1) * g for m, g in zip(means, gradients, strict=True)]
        squares = [beta2 * v + (1 - beta2) * g * g for v, g in zip(squares, gradients, strict=True)]
        moved = [
            p - step_size * m / (jnp.sqrt(v) / root + eps) for p, m, v in zip(parameters, means, squares, strict=True)
        ]
        return loss, (moved, means, squares, count)

    compiled = jax.jit(lambda state: update(*state), donate_argnums=0)
    start = [jnp.asarray(values) for values in initial(shapes(sizes)).values()]
    zeros = [[jnp.zeros_like(p) for p in start] for _ in range(2)]
    state: Any = (start, *zeros, jnp.zeros((), jnp.float32))

    def step() -> Any:
        nonlocal state
        loss, state = compiled(state)
        return jax.block_until_ready((loss, state))[0]

    return step
