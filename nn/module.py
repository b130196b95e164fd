"""`Module`: a function with parameters, made of other such functions."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np

import autograd
from autograd import Tensor
from autograd.hooks import Handle

from .errors import LayerError
from .hooks import Hook, ModuleHooks
from .parameter import Parameter
from .state import Stateful

__all__ = ["Module"]

_state = autograd.modes.state
_intercepting = autograd.modes.intercepting
_user_place = autograd.writes.user_place


class Module(Stateful):
    """The base of every layer and model. Define ``forward`` and call the module.

    >>> import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(2, 3)
    ...         self.out = nn.Linear(3, 1)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> net = Net()
    >>> net(autograd.ones(5, 2)).shape
    (5, 1)
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    forward: Callable[..., Any]

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["training"] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._is_ours = autograd.writes.is_ours[cls.__module__]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # The nodes recorded now know where they belong, in the model and in the program. Where all that runs inside is
        # this library's, the line is that of the outermost call, and is looked up once.
        outer = _state.within
        _state.within = self, (outer[1] or _user_place(2)) if self._is_ours and self._hooks is None else None
        if _intercepting and _state.tracer is not None:
            _state.tracer.note_module(self)
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return self._hooks.call(self, args, kwargs)
        except LayerError as error:
            if outer[0] is None:
                error.locate(self)
            raise
        finally:
            _state.within = outer

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[no-redef]
        """Compute the output; every module defines its own."""
        raise NotImplementedError(f"{type(self).__name__}: forward(self, ...) must be defined")

    # --- what it is made of -------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, "Module"]]:
        """This module as ``""`` and all below it, with their paths, each object once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator["Module"]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The direct submodules with their names, each object once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator["Module"]:
        """The direct submodules, each once."""
        return (module for _, module in self.named_children())

    def _named(self, home: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules: Iterable = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, value in vars(module)[home].items():
                if value is None or (remove_duplicate and id(value) in seen):
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths, each object once; of this module alone unless ``recurse``."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths, each object once."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> "Module":
        """The module at a path such as ``"hidden.0"``; ``""`` is this one."""
        found: Any = self
        for name in target.split(".") if target else ():
            below = found._modules.get(name)
            if below is None:
                kind = type(found).__name__
                raise AttributeError(f"get_submodule: {kind} has no submodule {name!r}; got the path {target!r}")
            found = below
        return found

    def set_submodule(self, target: str, module: "Module") -> None:
        """Put ``module`` at a path that is there already."""
        path, _, name = target.rpartition(".")
        self.get_submodule(target)
        setattr(self.get_submodule(path), name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``"hidden.0.weight"``."""
        return self._get(target, "_parameters", "parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path."""
        return self._get(target, "_buffers", "buffer")

    def _get(self, target: str, home: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        found = vars(owner)[home].get(name)
        if found is None:
            raise AttributeError(f"get_{kind}: {type(owner).__name__} has no {kind} {name!r}; got the path {target!r}")
        return found

    # --- doing something with all of it -------------------------------------------------------------------------------

    def apply(self, fn: Callable[["Module"], Any]) -> Self:
        """Call ``fn`` on every module, the innermost first; to initialise a model, say."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below to training, where dropout drops and batch norm uses the batch."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False; got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Switch this module and all below to evaluation: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Have every parameter collect a gradient, or none; to freeze a part of a model."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = autograd.zeros_like(parameter.grad)

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Replace the values of every parameter and buffer by ``fn`` of them; the tensors stay the same objects."""
        for module in self.modules():
            module._apply_here(fn)
        return self

    def _apply_here(self, fn: Callable[[Tensor], Tensor]) -> None:
        for tensor in [*self._parameters.values(), *self._buffers.values()]:
            if tensor is None:
                continue
            grad, tensor.grad = tensor.grad, None
            tensor.data = fn(tensor.detach())
            if grad is not None:
                tensor.grad = fn(grad)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating parameters and buffers: ``to(float64)``, ``to("cpu")``, ``to(other_tensor)``."""
        probe = autograd.zeros(())
        dtype = probe.to(*args, **kwargs).dtype
        given = [a for a in (*args, *kwargs.values()) if not isinstance(a, bool) and a is not None]
        if all(isinstance(a, str) and a.partition(":")[0] == "cpu" for a in given):
            return self
        if dtype.kind != "f":
            raise TypeError(f"to: a module can be converted to a floating dtype only; got {dtype}")
        return self._convert(dtype)

    def _convert(self, dtype: Any) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.dtype.kind == "f" else t)

    def type(self, dst_type: Any) -> Self:
        """Convert every parameter and buffer, also those of integers."""
        return self._apply(lambda t: t.to(dst_type))

    def float(self) -> Self:
        """Convert floating parameters and buffers to float32."""
        return self._convert(np.dtype(np.float32))

    def double(self) -> Self:
        """Convert floating parameters and buffers to float64."""
        return self._convert(np.dtype(np.float64))

    def half(self) -> Self:
        """Convert floating parameters and buffers to float16."""
        return self._convert(np.dtype(np.float16))

    def cpu(self) -> Self:
        """This module: everything is on the CPU."""
        return self

    # --- hooks --------------------------------------------------------------------------------------------------------

    def _add_hook(self, moment: str, hook: Hook, prepend: bool = False) -> Handle:
        if self._hooks is None:
            self._hooks = ModuleHooks()
        return self._hooks.add(moment, hook, prepend)

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> Handle:
        """Call ``hook(module, args)`` before each forward; what it returns replaces the positional arguments.

        ``with_kwargs`` passes the keyword arguments too: ``hook(module, args, kwargs)``, returning both or None.
        """
        return self._add_hook("forward_pre", Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Handle:
        """Call ``hook(module, args, output)`` after each forward; what it returns replaces the output.

        ``with_kwargs`` makes it ``hook(module, args, kwargs, output)``; with ``always_call`` it is called, with the
        output None, also when forward raised.
        """
        return self._add_hook("forward", Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known; it may replace them."""
        return self._add_hook("backward_pre", Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known; what it returns
        replaces them.
        """
        return self._add_hook("backward", Hook(hook), prepend)

    def register_state_dict_pre_hook(self, hook: Callable) -> Handle:
        """Call ``hook(module, prefix, keep_vars)`` before the state of the module is collected."""
        return self._add_hook("state_dict_pre", Hook(hook))

    def register_state_dict_post_hook(self, hook: Callable) -> Handle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` when the state of the module was collected."""
        return self._add_hook("state_dict", Hook(hook))

    def register_load_state_dict_pre_hook(self, hook: Callable) -> Handle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` before
        the module takes its part of a state.
        """
        return self._add_hook("load_pre", Hook(hook))

    def register_load_state_dict_post_hook(self, hook: Callable) -> Handle:
        """Call ``hook(module, incompatible_keys)`` when `load_state_dict` has run."""
        return self._add_hook("load_post", Hook(hook))

    # --- as text ------------------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the parentheses of `repr`: the arguments the module was made with."""
        return ""

    def _child_lines(self) -> list[str]:
        return [f"({name}): {indent(repr(module))}" for name, module in self._modules.items()]

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = self._child_lines()
        name = self._get_name()
        if not lines and "\n" not in extra:
            return f"{name}({extra})"
        return "\n  ".join([f"{name}(", *(extra.split("\n") if extra else ()), *lines]) + "\n)"


def indent(text: str) -> str:
    """The text with every line but the first moved in by one step."""
    return text.replace("\n", "\n  ")
