"""Parameters that are computed from others: what a module reads as ``weight`` is f(original), and original is learned.

A parametrized module gets a class of its own, a subclass of the one it had, in which the name is a property: reading it
runs the chain of parametrizations, assigning to it runs their right inverses, the last first. The originals and the
parametrizations stand in ``module.parametrizations``, so that ``state_dict`` has
``parametrizations.weight.original``.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd import Tensor, no_grad

from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter, UninitializedParameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "type_before_parametrizations",
]  # fmt: skip

_cache: dict[tuple[Module, str], Tensor] = {}
_caching = 0


@contextmanager
def cached() -> Iterator[None]:
    """Within the block every parametrized tensor is computed once, when it is first read, and then kept.

    For models that read a weight several times in one pass, a recurrent one say. The graph is kept too, so ``backward``
    belongs inside the block or right after it, and a step of the optimizer after it.

    >>> import autograd, nn
    >>> from nn.utils import parametrizations
    >>> layer = parametrizations.weight_norm(nn.Linear(2, 2))
    >>> with cached():
    ...     layer.weight is layer.weight
    True
    """
    global _caching
    _caching += 1
    try:
        yield
    finally:
        _caching -= 1
        if not _caching:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor in the order they are applied, with what they are applied to.

    ``original`` is that tensor, or ``original0``, ``original1``, ... where the right inverse of the first one gives
    several. With ``unsafe`` results of another shape or dtype than the tensor's are allowed.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            found: Any = original
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        found = module.right_inverse(found)
                    except NotImplementedError:  # it starts from the tensor as it is
                        continue
        self.is_tensor = isinstance(found, Tensor)
        if self.is_tensor:
            self._names = ["original"]
            if found.dtype != original.dtype:
                raise ValueError(
                    f"register_parametrization: a right inverse must keep the dtype; "
                    f"got {found.dtype} for {original.dtype}"
                )
            original.data = found.detach()  # the object stays: an optimizer may hold it
            self._keep("original", original, original)
        else:
            parts = _several("register_parametrization", found)
            self._names = [f"original{i}" for i in range(len(parts))]
            for name, part in zip(self._names, parts):
                self._keep(name, part.detach(), original)
        if not unsafe:
            _check_like("register_parametrization", self(), original)

    def _keep(self, name: str, value: Tensor, like: Tensor) -> None:
        if not isinstance(like, Parameter):
            self.register_buffer(name, value)
        elif isinstance(value, Parameter):
            self.register_parameter(name, value)
        else:
            self.register_parameter(name, Parameter(value * 1, requires_grad=like.requires_grad))

    def originals(self) -> list[Any]:
        """What the first parametrization is applied to."""
        return [getattr(self, name) for name in self._names]

    @no_grad()
    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrized tensor is ``value``, or what it can be nearest to it."""
        found: Any = value
        for module in reversed(list(self)):
            if not hasattr(module, "right_inverse"):
                raise RuntimeError(
                    f"right_inverse: what is assigned must be turned into the original; got {type(module).__name__}; "
                    f"define right_inverse(self, value) in it"
                )
            found = module.right_inverse(found)
        parts = [found] if self.is_tensor else _several("right_inverse", found)
        held = self.originals()
        if len(parts) != len(held):
            raise ValueError(f"right_inverse: there are {len(held)} originals; got {len(parts)} tensors")
        for name, original, part in zip(self._names, held, parts):
            if part.shape != original.shape or part.dtype != original.dtype:
                raise ValueError(
                    f"right_inverse: {name} is {original.shape} of {original.dtype}; got {part.shape} of {part.dtype}"
                )
            original.copy_(part.detach())

    def forward(self) -> Tensor:
        """The parametrized tensor."""
        modules = iter(self)
        out = next(modules)(*self.originals())
        for module in modules:
            out = module(out)
        return out


def _several(op: str, found: Any) -> list[Tensor]:
    if not isinstance(found, Sequence) or not found or not all(isinstance(part, Tensor) for part in found):
        raise ValueError(f"{op}: a right inverse must give a tensor or a sequence of them; got {type(found).__name__}")
    return list(found)


def _check_like(op: str, made: Any, like: Tensor, what: str = "the parametrized tensor") -> None:
    if not isinstance(made, Tensor):
        raise ValueError(f"{op}: {what} must be a tensor; got {type(made).__name__}")
    for rule in ("shape", "dtype"):
        got, wanted = getattr(made, rule), getattr(like, rule)
        if got != wanted:
            raise ValueError(f"{op}: {what} must keep the {rule}; got {got} for {wanted}; pass unsafe=True to allow it")


class _Parametrized(Module):
    """What the classes made for parametrized modules have besides the properties."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self)._parametrized:  # a Parameter, too, goes through the right inverses
            _cache.pop((self, name), None)
            self.parametrizations[name].right_inverse(value)
        else:
            super().__setattr__(name, value)

    def _register(self, home: str, name: str, value: Any) -> None:
        if name in type(self)._parametrized:
            raise KeyError(
                f"{type(self).__name__}: {name!r} is parametrized; got another {type(value).__name__} of this name; "
                f"assign a value to it, or call remove_parametrizations first"
            )
        super()._register(home, name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The class is made on the fly and cannot be found by its name: copies and pickles make it again.
        return _made_again, (type_before_parametrizations(self), type(self)._parametrized), self.__dict__

    _parametrized: tuple[str, ...] = ()
    parametrizations: ModuleDict


def _made_again(base: type[Module], names: tuple[str, ...]) -> Module:
    made = base.__new__(base)
    _set_class(made, base, names)
    return made


def _set_class(module: Module, base: type[Module], names: tuple[str, ...]) -> None:
    """Make ``module`` one of ``base``, or of the subclass of it in which these names are properties."""
    if not names:
        module.__class__ = base
        return
    members = {name: property(_reader(name)) for name in names}
    made = {**members, "_parametrized": names, "__module__": base.__module__, "__doc__": base.__doc__}
    module.__class__ = type(f"Parametrized{base.__name__}", (_Parametrized, base), made)


def _reader(name: str) -> Any:
    def read(self: Any) -> Tensor:
        if not _caching:
            return self.parametrizations[name]()
        key = (self, name)
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    return read


def _names(module: Module) -> tuple[str, ...]:
    return type(module)._parametrized if isinstance(module, _Parametrized) else ()


def _listed(module: Any) -> ModuleDict:
    return module.parametrizations


def type_before_parametrizations(module: Module) -> type[Module]:
    """The class a module had before it was parametrized; its class if it is not."""
    kind = type(module)
    return kind.__bases__[1] if issubclass(kind, _Parametrized) else kind


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the tensor of this name is parametrized, or any."""
    return bool(_names(module)) if tensor_name is None else tensor_name in _names(module)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Have ``module`` read its parameter or buffer ``tensor_name`` as ``parametrization(original)``; returns it.

    A second one is applied to the result of the first. If it has a method ``right_inverse(value)`` the original starts
    as what it gives, and so does every later assignment; it may give several tensors, which the first parametrization
    then takes. Raises ValueError if there is no such tensor, if its shape is not known yet, and, unless ``unsafe``, if
    the result has another shape or dtype.

    >>> import autograd, nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    >>> list(layer.state_dict())
    ['bias', 'parametrizations.weight.original']
    """
    op = "register_parametrization"
    if is_parametrized(module, tensor_name):
        listed = _listed(module)[tensor_name]
        if not unsafe:
            _check_added(op, getattr(module, tensor_name), parametrization)
        listed.append(parametrization)
        listed.unsafe = listed.unsafe or unsafe
        _cache.pop((module, tensor_name), None)
        return module
    original: Tensor | None = module._parameters.get(tensor_name)
    if original is None:
        original = module._buffers.get(tensor_name)
    if original is None:
        raise ValueError(f"{op}: {type(module).__name__} has no parameter or buffer of this name; got {tensor_name!r}")
    if isinstance(original, UninitializedParameter):
        raise ValueError(
            f"{op}: the shape of {tensor_name!r} must be known; got an uninitialized one; call the module first"
        )
    listed = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    _set_class(module, type_before_parametrizations(module), (*_names(module), tensor_name))
    _listed(module)[tensor_name] = listed
    return module


@no_grad()
def _check_added(op: str, before: Tensor, parametrization: Module) -> None:
    after = parametrization(before)
    _check_like(op, after, before)
    if hasattr(parametrization, "right_inverse"):
        try:
            back = parametrization.right_inverse(after)
        except NotImplementedError:
            return
        _check_like(op, back, before, "the right inverse")


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make ``tensor_name`` a plain parameter or buffer again, with the value it had, or that of the original unless
    ``leave_parametrized``; returns ``module``, of its former class when nothing of it is parametrized any more.

    Raises ValueError if it is not parametrized, or if the original is several tensors and is to be left.

    >>> import nn
    >>> from nn.utils import parametrizations
    >>> layer = parametrizations.weight_norm(nn.Linear(2, 2))
    >>> remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    op = "remove_parametrizations"
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{op}: {type(module).__name__} has no parametrization of this name; got {tensor_name!r}")
    listed = _listed(module)[tensor_name]
    originals = listed.originals()
    if not listed.is_tensor and not leave_parametrized:
        raise ValueError(
            f"{op}: with leave_parametrized=False the original must be one tensor; got {len(originals)}; "
            f"leave the parametrized value"
        )
    left = originals[0]
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name).detach()
        if listed.is_tensor:
            left.data = value  # the object stays: an optimizer may hold it
        elif isinstance(left, Parameter):
            left = Parameter(value, requires_grad=any(o.requires_grad for o in originals))
        else:
            left = value
    names = tuple(name for name in _names(module) if name != tensor_name)
    del _listed(module)[tensor_name]
    _cache.pop((module, tensor_name), None)
    _set_class(module, type_before_parametrizations(module), names)
    if not names:
        delattr(module, "parametrizations")
    if isinstance(left, Parameter):
        module.register_parameter(tensor_name, left)
    else:
        module.register_buffer(tensor_name, left)
    return module
