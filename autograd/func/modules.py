"""Modules as functions of their parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..ops.join import stack
from ..tensor import Tensor

__all__ = ["functional_call", "stack_module_state"]

_HOMES = ("_parameters", "_buffers")


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with these tensors in the place of its parameters and buffers, named by their paths.

    ``args`` that is no tuple is the one argument. A parameter with several names is replaced under all of them when
    ``tie_weights``. Names left out keep what the module has; with ``strict`` that is an error. The module is as before
    when the call ends, and buffers it writes to are those given.

    >>> import autograd, nn
    >>> layer = nn.Linear(1, 1)
    >>> new = {"weight": autograd.tensor([[2.0]]), "bias": autograd.tensor([1.0])}
    >>> functional_call(layer, new, autograd.tensor([3.0]))
    tensor([7.])
    """
    given = _merge(parameter_and_buffer_dicts)
    named = _named(module)
    if strict and named.keys() != given.keys():
        missing, unexpected = sorted(named.keys() - given.keys()), sorted(given.keys() - named.keys())
        raise RuntimeError(
            f"functional_call: with strict every parameter and buffer must be given and no other name; "
            f"got missing {missing}, unexpected {unexpected}"
        )
    for path, tensor in list(given.items()):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"functional_call: {path!r} must be a tensor; got {type(tensor).__name__}")
        if tie_weights and path in named:
            for other, held in named.items():
                if held is named[path] and given.setdefault(other, tensor) is not tensor:
                    raise ValueError(
                        f"functional_call: {other!r} and {path!r} are one tensor of the module; got two for them; "
                        "give one, or set tie_weights=False"
                    )
    undo: list[tuple[dict, str, Any]] = []
    try:
        for path, tensor in given.items():
            undo += _swap(module, path, tensor)
        arguments = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*arguments, **(kwargs or {}))
    finally:
        for home, name, held in reversed(undo):
            if held is _ABSENT:
                home.pop(name, None)
            else:
                home[name] = held


_ABSENT = object()


def _merge(dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    merged: dict[str, Tensor] = {}
    for part in dicts:
        if not isinstance(part, Mapping):
            raise ValueError(
                f"functional_call: a mapping from paths to tensors, or several, is needed; got {type(part).__name__}"
            )
        twice = merged.keys() & part.keys()
        if twice:
            raise ValueError(f"functional_call: each name may be given once; got {', '.join(sorted(twice))} twice")
        merged.update(part)
    return merged


def _named(module: Any) -> dict[str, Tensor]:
    return {
        path: tensor
        for named in (module.named_parameters, module.named_buffers)
        for path, tensor in named(remove_duplicate=False)
    }


def _swap(module: Any, path: str, tensor: Tensor) -> list[tuple[dict, str, Any]]:
    """Put a tensor at a path; returns what was where."""
    where, _, name = path.rpartition(".")
    owner = module.get_submodule(where)
    attributes = vars(owner)
    homes = [attributes, *(attributes[home] for home in _HOMES if name in attributes[home])]
    held = [(home, name, home.get(name, _ABSENT)) for home in homes]
    for home in homes:
        home[name] = tensor
    return held


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and buffers of models of one kind, each stacked along a new first axis, for `vmap` over the
    models: ``vmap(lambda p, b, x: functional_call(model, (p, b), x), (0, 0, None))(parameters, buffers, x)``.

    >>> import nn
    >>> parameters, buffers = stack_module_state([nn.Linear(2, 3), nn.Linear(2, 3)])
    >>> parameters["weight"].shape
    (2, 3, 2)
    """
    if not models:
        raise RuntimeError("stack_module_state: at least one model is needed; got none")
    kinds = {type(model).__name__ for model in models}
    if len(kinds) > 1:
        raise RuntimeError(f"stack_module_state: the models must be of one class; got {', '.join(sorted(kinds))}")

    def stacked(read: str) -> dict[str, Tensor]:
        columns = [dict(getattr(model, read)()) for model in models]
        made = {path: stack([c[path] for c in columns]).detach() for path in columns[0]}
        for path, tensor in columns[0].items():
            made[path].requires_grad_(tensor.requires_grad)
        return made

    return stacked("named_parameters"), stacked("named_buffers")
