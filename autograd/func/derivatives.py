"""Derivatives of functions: `grad` and its relatives."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ops.shape import reshape
from ..tensor import Tensor
from .engine import Recording, check_float
from .mapping import vmap
from .tree import leaves, rebuild

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]


def _places(name: str, argnums: int | tuple[int, ...], args: tuple) -> list[int]:
    wanted = [argnums] if isinstance(argnums, int) else list(argnums)
    if not wanted:
        raise RuntimeError(f"{name}: argnums must name an argument; got ()")
    for place in wanted:
        if not isinstance(place, int) or not -len(args) <= place < len(args):
            raise RuntimeError(f"{name}: argnums must name positional arguments; got {place!r} for {len(args)} of them")
    places = [place % len(args) for place in wanted]
    if len(set(places)) != len(places):
        raise RuntimeError(f"{name}: each argument may be named once; got argnums={argnums}")
    return places


def _as_arguments(argnums: int | tuple[int, ...], args: tuple, places: list[int], flat: Sequence[Any]) -> Any:
    """One value for each leaf of the named arguments, in their nest."""
    nests = rebuild(tuple(args[place] for place in places), flat)
    return nests[0] if isinstance(argnums, int) else nests


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that returns ``(gradient, value)`` of ``func``, as `grad` and with its arguments; with ``has_aux``
    it returns ``(gradient, (value, aux))``.

    >>> import autograd
    >>> grad_and_value(lambda x: x * x)(autograd.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = _places("grad", argnums, args)
        run = Recording("grad", functools.partial(func, **kwargs), args, places, has_aux)
        if not isinstance(run.output, Tensor) or run.output.ndim:
            got = f"shape {tuple(run.output.shape)}" if isinstance(run.output, Tensor) else type(run.output).__name__
            raise RuntimeError(f"grad: the function must return one 0-d tensor; got {got}; use jacrev() or sum()")
        flat = run.pull([Tensor(np.ones((), run.output.dtype))])
        value = run.value(run.output)
        gradient = _as_arguments(argnums, args, places, flat)
        return (gradient, (value, run.value(run.aux))) if has_aux else (gradient, value)

    return wrapped


def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that returns the gradient of ``func``, which returns a 0-d tensor, by its argument ``argnums``.

    The gradient has the nest of that argument; for several argnums it is a tuple of them. With ``has_aux``, ``func``
    returns ``(value, aux)`` and the gradient comes as ``(gradient, aux)``. Gradients of gradients are
    ``grad(grad(func))``, those of each example ``vmap(grad(func))``.

    >>> import autograd
    >>> grad(autograd.sin)(autograd.tensor(0.0))
    tensor(1.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """``(output, pullback)`` of ``func`` at the primals: ``pullback(cotangents)`` is the tuple of the products of the
    cotangents, of the nest of the output, with the Jacobian by each primal. With ``has_aux``, ``func`` returns
    ``(output, aux)`` and aux is the third.

    >>> import autograd
    >>> y, pullback = vjp(autograd.sin, autograd.zeros(2))
    >>> pullback(autograd.tensor([1.0, 10.0]))
    (tensor([ 1., 10.]),)
    """
    run = Recording("vjp", func, primals, range(len(primals)), has_aux)

    def pullback(*cotangents: Any, **options: Any) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        _check_like("vjp", "cotangents", given, "outputs", run.output)
        return rebuild(primals, run.pull(leaves(given)))

    output = run.value(run.output)
    return (output, pullback, run.value(run.aux)) if has_aux else (output, pullback)


def _check_like(name: str, what: str, given: Any, like_what: str, like: Any) -> None:
    got, wanted = leaves(given), leaves(like)
    for x in got:
        check_float(name, x, what)
    shapes, expected = ([tuple(x.shape) for x in flat] for flat in (got, wanted))
    if shapes != expected:
        raise RuntimeError(
            f"{name}: the {what} must have the shapes of the {like_what}; got {', '.join(map(str, shapes))} "
            f"for {', '.join(map(str, expected))}"
        )


def jvp(func: Callable, primals: tuple, tangents: tuple, *, strict: bool = False, has_aux: bool = False) -> tuple:
    """``(output, tangent)`` of ``func`` at the primals: the Jacobian times the tangents, in the nest of the output.
    With ``has_aux``, ``func`` returns ``(output, aux)`` and aux is the third. With ``strict`` an output that does not
    depend on an input is an error.

    >>> import autograd
    >>> jvp(autograd.sin, (autograd.zeros(2),), (autograd.tensor([1.0, 10.0]),))
    (tensor([0., 0.]), tensor([ 1., 10.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError(
            f"jvp: primals and tangents must be tuples; got {type(primals).__name__} and {type(tangents).__name__}"
        )
    _check_like("jvp", "tangents", tangents, "primals", primals)
    run = Recording("jvp", func, primals, range(len(primals)), has_aux, floating=False)
    if strict and not all(y.requires_grad for y in run.outputs):
        raise RuntimeError("jvp: with strict every output must depend on the primals; got one that does not")
    tangent = rebuild(run.output, run.pusher()(leaves(tangents)))
    output = run.value(run.output)
    return (output, tangent, run.value(run.aux)) if has_aux else (output, tangent)


# --- Jacobians -------------------------------------------------------------------------------------------------------


def jacrev(
    func: Callable, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable:
    """The function that returns the Jacobian of ``func`` by its argument ``argnums``, row by row: (*output, *input).

    In the nest of the output stand the nests of the argument, in a tuple if there are several argnums. All rows, or
    ``chunk_size`` of them, are computed in one backward. With ``has_aux`` it returns ``(jacobian, aux)``.

    >>> import autograd
    >>> jacrev(lambda x: x * x)(autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = _places("jacrev", argnums, args)
        run = Recording("jacrev", functools.partial(func, **kwargs), args, places, has_aux)
        jacobians: list[Any] = []
        for rows in _each_basis(run.pull, run.outputs, chunk_size):
            y = run.outputs[len(jacobians)]
            flat = [reshape(r, (*y.shape, *x.shape)) for r, x in zip(rows, run.inputs, strict=True)]
            jacobians.append(_as_arguments(argnums, args, places, flat))
        jacobian = rebuild(run.output, jacobians)
        return (jacobian, run.value(run.aux)) if has_aux else jacobian

    return wrapped


def _each_basis(linear: Callable, sources: Sequence[Tensor], chunk_size: int | None) -> Any:
    """For each of the tensors, what the linear function makes of its unit vectors: stacked along a first axis."""
    for i, source in enumerate(sources):
        size = source.numel()
        others = [Tensor(np.zeros(x.shape, x.dtype)) for x in sources]

        def apply(unit: Tensor, i: int = i, others: list[Tensor] = others) -> tuple:
            return tuple(linear([*others[:i], unit, *others[i + 1 :]]))

        units = Tensor(np.eye(size, dtype=source.dtype).reshape(size, *source.shape))
        if size:
            yield vmap(apply, chunk_size=chunk_size)(units)
        else:
            yield tuple(Tensor(np.zeros((0, *out.shape), out.dtype)) for out in apply(Tensor(others[i].array)))


def jacfwd(
    func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable:
    """The Jacobian as `jacrev` returns it, column by column: for functions with fewer inputs than outputs.

    ``randomness`` says what random functions do, see `vmap`: ``func`` runs once, so that every column sees the same.

    >>> import autograd
    >>> jacfwd(lambda x: x * x)(autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = _places("jacfwd", argnums, args)
        run = Recording("jacfwd", functools.partial(func, **kwargs), args, places, has_aux, floating=False)
        by_input: list[list[Tensor]] = []  # for each input, the columns of each output
        for columns in _each_basis(run.pusher(), run.inputs, None):
            x = run.inputs[len(by_input)]
            by_input.append([_columns_last(c, y, x) for c, y in zip(columns, run.outputs, strict=True)])
        flat = [_as_arguments(argnums, args, places, parts) for parts in zip(*by_input, strict=True)]
        jacobian = rebuild(run.output, flat)
        return (jacobian, run.value(run.aux)) if has_aux else jacobian

    return wrapped


def _columns_last(columns: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """(inputs, *output) as (*output, *input)."""
    return reshape(columns.movedim(0, -1), (*y.shape, *x.shape))


def hessian(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """The function that returns the second derivatives of ``func``: ``jacrev(jacrev(func))``, (*out, *input, *input).

    >>> import autograd
    >>> hessian(lambda x: (x * x * x).sum())(autograd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)
