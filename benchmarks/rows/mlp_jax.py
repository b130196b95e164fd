"""The MLP's training step for JAX: the whole step under one `jax.jit`, buffers donated, as its users write it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.contenders import Step
from benchmarks.rows.mlp_numpy import shapes
from benchmarks.rows.row import initial, labels, normal

Update = Callable[[Any, Any, Any, Any], tuple[Any, Any]]


def adam(jnp: Any, parameters: Any, gradients: Any, state: Any) -> tuple[Any, Any]:
    """Adam's step; the state is two moments a parameter, and the count."""
    beta1, beta2, lr, eps = 0.9, 0.999, 1e-3, 1e-8
    means, squares, count = state
    count = count + 1
    step_size, root = lr / (1 - beta1**count), jnp.sqrt(1 - beta2**count)
    means = [beta1 * m + (1 - beta1) * g for m, g in zip(means, gradients, strict=True)]
    squares = [beta2 * v + (1 - beta2) * g * g for v, g in zip(squares, gradients, strict=True)]
    moved = [p - step_size * m / (jnp.sqrt(v) / root + eps) for p, m, v in zip(parameters, means, squares, strict=True)]
    return moved, (means, squares, count)


def sgd(jnp: Any, parameters: Any, gradients: Any, state: Any) -> tuple[Any, Any]:
    """Gradient descent with momentum; the velocity is in the first of the state's places."""
    velocities, squares, count = state
    velocities = [0.9 * v + g for v, g in zip(velocities, gradients, strict=True)]
    return [p - 1e-2 * v for p, v in zip(parameters, velocities, strict=True)], (velocities, squares, count)


def train(jax: Any, sizes: tuple[int, ...], batch: int, optimizer: Update = adam, activation: str = "relu") -> Step:
    """A pure function of parameters and moments; each call waits for its result, as the other contenders do."""
    jnp = jax.numpy
    depth = len(sizes) - 1
    x, y = jnp.asarray(normal(batch, sizes[0])), jnp.asarray(labels(batch, sizes[-1]))
    between = partial(jax.nn.gelu, approximate=False) if activation == "gelu" else getattr(jax.nn, activation)

    def loss_of(parameters: Any) -> Any:
        out = x
        for n in range(depth):
            out = out @ parameters[2 * n].T + parameters[2 * n + 1]
            out = between(out) if n < depth - 1 else out
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1))

    def update(parameters: Any, state: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        return loss, optimizer(jnp, parameters, gradients, state)

    compiled = jax.jit(update, donate_argnums=(0, 1))
    parameters = [jnp.asarray(values) for values in initial(shapes(sizes)).values()]
    zeros = [[jnp.zeros_like(p) for p in parameters] for _ in range(2)]
    state: Any = (*zeros, jnp.zeros((), jnp.float32))

    def step() -> Any:
        nonlocal parameters, state
        loss, (parameters, state) = compiled(parameters, state)
        return jax.block_until_ready((loss, parameters))[0]

    return step
