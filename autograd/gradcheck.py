"""Gradients checked against finite differences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backprop import grad
from .dtypes import is_float
from .tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient that finite differences contradict."""


def _outputs(value: Any) -> list[Tensor]:
    values = list(value) if isinstance(value, (tuple, list)) else [value]
    return [v for v in values if isinstance(v, Tensor) and is_float(v.dtype)]


def gradcheck(
    func: Callable,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the gradients of ``func(*inputs)`` are those that central differences give, element by element.

    Checked for every input that requires a gradient, which should be float64: (f(x + eps) - f(x - eps)) / (2 eps)
    must agree within ``atol + rtol * |value|``.

    >>> x = Tensor(np.array([0.5, 2.0]), requires_grad=True)
    >>> gradcheck(lambda x: x * x, x)
    True
    """
    args = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    places = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
    if not places:
        raise ValueError("gradcheck: at least one input must require a gradient; got none")
    for i in places:
        if args[i].dtype != np.float64:
            raise ValueError(f"gradcheck: inputs must be float64, differences are lost in less; got {args[i].dtype}")
    try:
        for number, output in enumerate(_outputs(func(*args))):
            for i in places:
                _compare(func, args, i, number, output, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _compare(
    func: Callable, args: list, i: int, number: int, output: Tensor, eps: float, atol: float, rtol: float
) -> None:
    numeric = _numeric_jacobian(func, args, i, number, output.array.size, eps)
    analytic = _analytic_jacobian(func, args, i, number)
    if not np.allclose(analytic, numeric, rtol, atol, equal_nan=True):
        row, column = np.unravel_index(np.nanargmax(np.abs(analytic - numeric)), numeric.shape)
        raise GradcheckError(
            f"gradcheck: the gradient of output {number} with respect to input {i} is wrong; "
            f"got {analytic[row, column]:.6g} for element {row} by element {column}, differences give "
            f"{numeric[row, column]:.6g}"
        )


def _numeric_jacobian(func: Callable, args: list, i: int, number: int, rows: int, eps: float) -> np.ndarray:
    original = args[i].array
    jacobian = np.zeros((rows, original.size))

    def moved(column: int, step: float) -> np.ndarray:
        array = original.copy()
        array.reshape(-1)[column] += step
        trial = [*args[:i], Tensor(array, requires_grad=True), *args[i + 1 :]]
        return _outputs(func(*trial))[number].array.reshape(-1).astype(np.float64)

    for column in range(original.size):
        jacobian[:, column] = (moved(column, eps) - moved(column, -eps)) / (2 * eps)
    return jacobian


def _analytic_jacobian(func: Callable, args: list, i: int, number: int) -> np.ndarray:
    output = _outputs(func(*args))[number]
    jacobian = np.zeros((output.array.size, args[i].array.size))
    if not output.requires_grad:
        return jacobian
    for row in range(output.array.size):
        seed = np.zeros(output.shape, output.dtype)
        seed.reshape(-1)[row] = 1
        (found,) = grad(output, args[i], Tensor(seed), retain_graph=True, allow_unused=True)
        if found is not None:
            jacobian[row] = found.array.reshape(-1)
    return jacobian


def gradgradcheck(
    func: Callable,
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """`gradcheck` of the gradients: whether second derivatives are right too.

    The gradients of the outputs are weighted by ``grad_outputs``, random ones if left out, which are checked as
    inputs as well.
    """
    args = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    places = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
    if grad_outputs is None:
        random = np.random.default_rng(0)
        shapes = [y.shape for y in _outputs(func(*args)) if y.requires_grad]
        seeds = [Tensor(np.asarray(random.standard_normal(s)), requires_grad=True) for s in shapes]
    else:
        seeds = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)

    def first_order(*values: Any) -> tuple[Tensor, ...]:
        trial, weights = list(values[: len(args)]), values[len(args) :]
        outputs = [y for y in _outputs(func(*trial)) if y.requires_grad]
        found = grad(outputs, [trial[i] for i in places], weights, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(first_order, [*args, *seeds], eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
