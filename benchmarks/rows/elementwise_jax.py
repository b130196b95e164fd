"""The elementwise rows for JAX: value and gradient under one `jax.jit`, both returned, so that neither is dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.contenders import Step
from benchmarks.rows.row import normal


def forward_backward(jax: Any, function: Callable[[Any, Any], Any], shape: tuple[int, ...]) -> Step:
    """The function and its gradient for a given upstream gradient; returns the gradient."""
    x, upstream = jax.numpy.asarray(normal(*shape)), jax.numpy.asarray(normal(*shape, seed=4))

    def both(x: Any, upstream: Any) -> Any:
        value, pull_back = jax.vjp(lambda x: function(jax, x), x)
        return value, pull_back(upstream)[0]

    compiled = jax.jit(both)
    return lambda: jax.block_until_ready(compiled(x, upstream))[1]


def relu(jax: Any, x: Any) -> Any:
    """max(x, 0)."""
    return jax.nn.relu(x)


def sigmoid(jax: Any, x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return jax.nn.sigmoid(x)


def gelu(jax: Any, x: Any) -> Any:
    """x Phi(x), with erf."""
    return jax.nn.gelu(x, approximate=False)


def chain(jax: Any, x: Any) -> Any:
    """The same eight ops."""
    jnp = jax.numpy
    return jnp.log(jnp.exp(jnp.tanh(x * 2 + 1) * 0.5) + 1) - x


def layer_norm(jax: Any, x: Any) -> Any:
    """Normalise the last axis, without scale and shift."""
    return jax.nn.standardize(x, axis=-1, epsilon=1e-5)
