"""What every way of pruning shares.

A pruned parameter ``weight`` is the plain attribute weight_orig * weight_mask: ``weight_orig`` is what is learned,
``weight_mask`` a buffer of ones and zeros, and a forward pre-hook multiplies them anew before every forward. Pruning
again combines the masks: amounts count what the earlier masks left.
"""

from abc import ABC, abstractmethod
from typing import Any

import autograd
from autograd import Tensor
from autograd.hooks import Handle

from ...module import Module

__all__ = ["BasePruningMethod", "PruningContainer"]


def check_amount(name: str, amount: Any) -> None:
    """A count from 0 on, or a fraction from 0 to 1."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise TypeError(f"{name}: amount must be an int or a float; got {amount!r}")
    if amount < 0 or (isinstance(amount, float) and not amount <= 1):
        raise ValueError(f"{name}: amount must be a count from 0 on or a fraction in [0, 1]; got {amount}")


def count_of(name: str, amount: float, left: int) -> int:
    """How many of ``left`` to prune."""
    if not isinstance(amount, int):
        return round(amount * left)
    if amount > left:
        raise ValueError(f"{name}: amount must be at most the {left} that are left; got {amount}")
    return amount


class BasePruningMethod(ABC):
    """A way to choose a mask. Define ``compute_mask(t, default_mask)`` and set ``PRUNING_TYPE``: ``"unstructured"``, to
    be shown the elements that are left, ``"structured"``, the slices along ``self.dim`` that are left, or ``"global"``,
    everything.

    >>> import nn
    >>> class EveryOther(BasePruningMethod):
    ...     def compute_mask(self, t, default_mask):
    ...         mask = default_mask.clone()
    ...         mask.view(-1)[::2] = 0
    ...         return mask
    >>> layer = nn.Linear(4, 1)
    >>> method = EveryOther.apply(layer, "weight")
    >>> layer.weight_mask
    tensor([[0., 1., 0., 1.]])
    """

    PRUNING_TYPE = "unstructured"
    dim: int
    _tensor_name: str
    _handle: Handle

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for scores ``t``, ``default_mask`` being the one so far."""

    def apply_mask(self, module: Module) -> Tensor:
        """orig * mask."""
        name = self._tensor_name
        orig, mask = vars(module)[f"{name}_orig"], vars(module)[f"{name}_mask"]
        return orig * mask.to(orig.dtype)

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> "BasePruningMethod":
        """Prune a parameter by this method, made with the arguments; returns what is called before each forward."""
        method = cls(*args, **kwargs)
        old = method_of(module, name)
        parameter = module._parameters.get(name if old is None else f"{name}_orig")
        if parameter is None:
            raise AttributeError(f"{cls.__name__}: {type(module).__name__} has no parameter of this name; got {name!r}")
        scores = current(module, name) if importance_scores is None else importance_scores
        if scores.shape != parameter.shape:
            raise ValueError(
                f"{cls.__name__}: importance_scores must be {tuple(parameter.shape)} as {name} is; "
                f"got {tuple(scores.shape)}"
            )
        so_far = autograd.ones_like(parameter) if old is None else vars(module)[f"{name}_mask"].detach().clone()
        method._tensor_name = name
        made: BasePruningMethod = method
        if old is not None:
            made = PruningContainer(*(old if isinstance(old, PruningContainer) else [old]), method)
        mask = made.compute_mask(scores.detach(), so_far)  # may raise: nothing has changed so far
        if old is None:
            delattr(module, name)
            module.register_parameter(f"{name}_orig", parameter)
        else:
            old._handle.remove()
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, made.apply_mask(module))
        made._handle = module.register_forward_pre_hook(made)
        return made

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """``t`` times its mask, without a module."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise ValueError(f"prune: importance_scores must be {tuple(t.shape)} as t is; got {tuple(scores.shape)}")
        so_far = autograd.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores.detach(), so_far)

    def remove(self, module: Module) -> None:
        """Make the pruned parameter a plain one again, with zeros where the mask has them."""
        name = self._tensor_name
        value = self.apply_mask(module).detach()
        parameter = vars(module)[f"{name}_orig"]
        for attribute in (name, f"{name}_orig", f"{name}_mask"):
            delattr(module, attribute)
        parameter.data = value  # the object stays: an optimizer may hold it
        module.register_parameter(name, parameter)
        self._handle.remove()


def methods_of(module: Module) -> list[BasePruningMethod]:
    """What prunes the parameters of this module alone."""
    hooks = module._hooks.at("forward_pre") if module._hooks is not None else []
    return [hook.function for hook in hooks if isinstance(hook.function, BasePruningMethod)]


def method_of(module: Module, name: str) -> BasePruningMethod | None:
    return next((method for method in methods_of(module) if method._tensor_name == name), None)


def current(module: Module, name: str) -> Tensor:
    """The parameter as it is now: a step of the optimizer changes orig, and only a forward the product."""
    method = method_of(module, name)
    return getattr(module, name) if method is None else method.apply_mask(module)


class PruningContainer(BasePruningMethod):
    """Several methods, applied one after the other: each sees what those before it left."""

    def __init__(self, *methods: BasePruningMethod) -> None:
        self._methods: tuple[BasePruningMethod, ...] = ()
        for method in methods:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add a method of the same parameter."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"PruningContainer: a BasePruningMethod is needed; got {type(method).__name__}")
        name = getattr(method, "_tensor_name", None)
        if self._methods and name != self._tensor_name:
            raise ValueError(f"PruningContainer: a method for {self._tensor_name!r} is needed; got one for {name!r}")
        if name is not None:
            self._tensor_name = name
        self._methods += (method,)

    def __len__(self) -> int:
        return len(self._methods)

    def __iter__(self) -> Any:
        return iter(self._methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, and the last method's among what it left."""
        method = self._methods[-1]
        mask = default_mask.clone()
        if method.PRUNING_TYPE == "global":
            return method.compute_mask(t, mask)
        if method.PRUNING_TYPE == "unstructured":
            left = mask == 1
            mask[left] = method.compute_mask(t[left], mask[left])
            return mask
        if method.PRUNING_TYPE != "structured":
            raise ValueError(
                f"{type(method).__name__}: PRUNING_TYPE must be 'unstructured', 'structured' or 'global'; "
                f"got {method.PRUNING_TYPE!r}"
            )
        dim = method.dim % t.ndim
        kept = (mask.movedim(dim, 0).reshape(mask.shape[dim], -1) != 0).any(1).nonzero().reshape(-1)
        inner = method.compute_mask(t.index_select(dim, kept), mask.index_select(dim, kept))
        return mask.index_copy(dim, kept, inner)
