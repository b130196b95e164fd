"""Modules that hold other modules: in a row, in a list, by name."""

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import autograd

from .activation import activation_of
from .linear import Linear
from .module import Module, indent

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


def place(owner: Any, index: int, count: int) -> int:
    """``index`` counted from the front."""
    at = operator.index(index)
    if not -count <= at < count:
        raise IndexError(f"{type(owner).__name__}: the index must be in [{-count}, {count - 1}]; got {at}")
    return at % count


class _Listed(Module):
    """Submodules in order, named by their number."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def _name(self, index: int) -> str:
        return list(self._modules)[place(self, index, len(self))]

    def _refill(self, modules: Iterable[Module]) -> None:
        kept = list(modules)
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(kept):
            self.add_module(str(i), module)

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before the one at ``index``."""
        modules = list(self)
        modules.insert(index, module)
        self._refill(modules)

    def pop(self, key: int | slice = -1) -> Any:
        """Take the module at ``key`` out and return it."""
        module = self[key]
        del self[key]
        return module

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError

    def __delitem__(self, index: Any) -> None:
        raise NotImplementedError


class Sequential(_Listed):
    """Modules in a row: the output of each is the input of the next.

    ``Sequential(a, b)`` names them "0" and "1"; an OrderedDict (or any dict) gives them names of its own.

    >>> import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input: Any) -> Any:
        """Pass ``input`` through all modules; where no graph is recorded, a Linear and its activation are one step."""
        if autograd.is_grad_enabled():
            for module in self._modules.values():
                input = module(input)
        else:
            for module, activation in _steps(self._modules.values()):
                input = module(input) if activation is None else module(input, activation)
        return input

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Sequential(OrderedDict(list(self._modules.items())[index]))  # a subclass is made from other things
        return self._modules[self._name(index)]

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [self._name(index)]:
            delattr(self, name)
        if all(name.isdigit() for name in names):
            self._refill(self)

    def __add__(self, other: "Sequential") -> "Sequential":
        return Sequential(*self, *other)

    def __iadd__(self, other: "Sequential") -> Self:
        return self.extend(other)

    def __mul__(self, times: int) -> "Sequential":
        if not isinstance(times, int) or times < 1:
            raise ValueError(f"Sequential: it can be repeated a positive number of times; got {times!r}")
        return Sequential(*(list(self) * times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        self._refill(self * times)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at ``index``."""
        super().insert(index, module)
        return self


def _steps(modules: Iterable[Module]) -> Iterator[tuple[Module, str | None]]:
    """The modules to call, a Linear with the activation after it."""
    layer: Module | None = None
    for module in modules:
        if layer is not None:
            activation = activation_of(module)
            yield layer, activation
            layer = None
            if activation is not None:
                continue
        if type(module) is Linear and module._hooks is None:
            layer = module
        else:
            yield module, None
    if layer is not None:
        yield layer, None


class ModuleList(_Listed):
    """A list of modules that are registered; it has no forward of its own.

    >>> import nn
    >>> layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._name(index)]

    def __delitem__(self, index: Any) -> None:
        modules = list(self)
        del modules[index]
        self._refill(modules)

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def _child_lines(self) -> list[str]:
        """One line for each run of modules that look the same."""
        runs: list[list[Any]] = []
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        return [
            f"({first}): {indent(text)}" if first == last else f"({first}-{last}): {last - first + 1} x {indent(text)}"
            for first, last, text in runs
        ]


class ModuleDict(Module):
    """Modules by name, in the order they were added.

    >>> import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(8, 10), "parity": nn.Linear(8, 2)})
    >>> list(heads)
    ['digit', 'parity']
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._modules:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        for key in list(self._modules):
            delattr(self, key)

    def pop(self, key: str) -> Any:
        """Take the module of this name out and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs of name and module."""
        return self._modules.items()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping or of pairs."""
        for key, module in modules.items() if hasattr(modules, "items") else modules:
            self[key] = module
