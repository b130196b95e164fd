"""How a module knows its parameters, buffers and submodules: they are registered when they are assigned.

What is registered stands in ``__dict__`` like any attribute, so that reading one costs what reading an attribute
costs; the dictionaries ``_parameters``, ``_buffers`` and ``_modules`` say which attributes those are, in order.
"""

import itertools
from typing import Any

from autograd import Tensor

from .parameter import Parameter

__all__ = ["Registry"]

_RULES = {
    "_parameters": ("parameter", "a Parameter or None"),
    "_buffers": ("buffer", "a Tensor or None"),
    "_modules": ("submodule", "a Module or None"),
}


_editions = itertools.count()


class Registry:
    """Attributes that sort themselves into parameters, buffers, submodules and everything else."""

    _edition = -1  # another number whenever the module is made of other things: compiled programs know it by that
    _is_ours = True  # whether its forward is this library's
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]
    _non_persistent: set[str]

    def __init__(self) -> None:
        vars(self).update(_parameters={}, _buffers={}, _modules={}, _non_persistent=set())

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Registry):
            self._register("_modules", name, value)
        else:
            self._assign(name, value)

    def _assign(self, name: str, value: Any) -> None:
        """Give a registered name a new value of its kind, or any other attribute any value."""
        attributes = self.__dict__
        for home, (kind, allowed) in _RULES.items():
            held = attributes.get(home)
            if held is None or name not in held:
                continue
            if value is not None and not (home == "_buffers" and isinstance(value, Tensor)):
                raise TypeError(
                    f"{type(self).__name__}: the {kind} {name!r} must be {allowed}; got {type(value).__name__}; "
                    f"del it first to make it a plain attribute"
                )
            held[name] = value
            attributes[name] = value
            attributes["_edition"] = next(_editions)
            return
        # What a module of the user's keeps besides may change in every forward.
        if self._is_ours and name != "training" and attributes.get(name) is not value:
            attributes["_edition"] = next(_editions)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if not self._forget(name):
            object.__delattr__(self, name)

    def _forget(self, name: str, keep: str = "") -> bool:
        """Unregister a name from every dictionary but ``keep``; says whether it was registered there."""
        attributes = self.__dict__
        found = False
        for home in _RULES:
            if home != keep and name in attributes.get(home, ()):
                del attributes[home][name]
                attributes.pop(name, None)
                found = True
        if found:
            self._non_persistent.discard(name)
            attributes["_edition"] = next(_editions)
        return found

    def _register(self, home: str, name: str, value: Any) -> None:
        attributes = self.__dict__
        kind, _ = _RULES[home]
        owner = type(self).__name__
        if home not in attributes:
            raise AttributeError(f"{owner}: super().__init__() must be called before the {kind} {name!r} is assigned")
        if not isinstance(name, str):
            raise TypeError(f"{owner}: the name of a {kind} must be a string; got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"{owner}: the name of a {kind} must not be empty or contain a dot; got {name!r}")
        self._forget(name, keep=home)
        attributes[home][name] = value
        attributes[name] = value
        attributes["_edition"] = next(_editions)

    def _check_free(self, home: str, name: str) -> None:
        if isinstance(name, str) and hasattr(self, name) and name not in self.__dict__.get(home, ()):
            kind, _ = _RULES[home]
            raise KeyError(f"{type(self).__name__}: an attribute {name!r} exists already; give the {kind} another name")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make ``param`` the parameter ``name``; None keeps the name free for one, as ``bias=False`` does."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"{type(self).__name__}: the parameter {name!r} must be a Parameter or None; "
                f"got {type(param).__name__}; wrap it in nn.Parameter"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"{type(self).__name__}: the parameter {name!r} must be a leaf; got the output of "
                f"{param.grad_fn.name()}; compute it in forward() instead"
            )
        if param is None:
            self._check_free("_parameters", name)
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make ``tensor`` part of the module's state without being learned; in `state_dict` if ``persistent``."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"{type(self).__name__}: the buffer {name!r} must be a Tensor or None; got {type(tensor).__name__}"
            )
        self._check_free("_buffers", name)
        self._register("_buffers", name, tensor)
        if persistent:
            self._non_persistent.discard(name)
        else:
            self._non_persistent.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Make ``module`` the submodule ``name``."""
        if module is not None and not isinstance(module, Registry):
            raise TypeError(
                f"{type(self).__name__}: the submodule {name!r} must be a Module or None; got {type(module).__name__}"
            )
        self._check_free("_modules", name)
        self._register("_modules", name, module)

    register_module = add_module
