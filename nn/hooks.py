"""Functions that are called before or after a module's forward and backward, and around saving and loading."""

from collections.abc import Callable
from typing import Any, NamedTuple

from autograd import Function, Tensor
from autograd.hooks import Handle, Hooks

__all__ = ["Hook", "ModuleHooks"]


class Hook(NamedTuple):
    """A function with how it wants to be called."""

    function: Callable
    with_kwargs: bool = False
    always_call: bool = False


class ModuleHooks:
    """The hooks of one module, by the moment they are called at. A module without any has no Hooks."""

    def __init__(self) -> None:
        self._at: dict[str, Hooks] = {}

    def add(self, moment: str, hook: Hook, prepend: bool = False) -> Handle:
        """Add a hook as the last, or the first, of its moment."""
        return self._at.setdefault(moment, Hooks()).add(hook, prepend)

    def at(self, moment: str) -> list[Hook]:
        """The hooks of a moment, in order."""
        return self._at[moment].in_order() if moment in self._at else []

    def call(self, module: Any, args: tuple, kwargs: dict) -> Any:
        """Run the module's forward with its hooks around it."""
        for hook in self.at("forward_pre"):
            args, kwargs = _before(hook, module, args, kwargs)
        tap = _Tap(module, self) if self.at("backward") or self.at("backward_pre") else None
        called: set[int] = set()
        try:
            if tap is not None:
                args = tap.inputs(args)
            out = module.forward(*args, **kwargs)
            for i, hook in enumerate(self.at("forward")):
                called.add(i)
                out = _after(hook, module, args, kwargs, out)
        except Exception:
            for i, hook in enumerate(self.at("forward")):
                if hook.always_call and i not in called:
                    _after(hook, module, args, kwargs, None)
            raise
        return out if tap is None else tap.outputs(out)


def _before(hook: Hook, module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    if not hook.with_kwargs:
        changed = hook.function(module, args)
        if changed is None:
            return args, kwargs
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    changed = hook.function(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if not isinstance(changed, tuple) or len(changed) != 2:
        raise RuntimeError(
            f"{type(module).__name__}: a forward pre-hook with_kwargs must return None or (args, kwargs); "
            f"got {type(changed).__name__}"
        )
    return changed


def _after(hook: Hook, module: Any, args: tuple, kwargs: dict, out: Any) -> Any:
    function = hook.function
    changed = function(module, args, kwargs, out) if hook.with_kwargs else function(module, args, out)
    return out if changed is None else changed


class _Tap:
    """Listens to the gradients that pass a module in one call: first those of its outputs, then of its inputs."""

    def __init__(self, module: Any, hooks: ModuleHooks) -> None:
        self.module = module
        self.hooks = hooks
        self.grad_output: tuple = ()
        self.count = 0
        self.reaches_inputs = False

    def inputs(self, args: tuple) -> tuple:
        places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        self.count = len(places)
        self.reaches_inputs = any(args[i].requires_grad for i in places)
        if not self.reaches_inputs:
            return args
        tapped = _InputTap.apply(self, *(args[i] for i in places))
        changed = list(args)
        for i, tensor in zip(places, tapped, strict=True):
            changed[i] = tensor
        return tuple(changed)

    def outputs(self, out: Any) -> Any:
        several = isinstance(out, (tuple, list))
        outs = list(out) if several else [out]
        places = [i for i, o in enumerate(outs) if isinstance(o, Tensor)]
        if not any(outs[i].requires_grad for i in places):
            return out
        tapped = _OutputTap.apply(self, *(outs[i] for i in places))
        for i, tensor in zip(places, tapped, strict=True):
            outs[i] = tensor
        return type(out)(outs) if several else outs[0]

    def left(self, grads: tuple) -> tuple:
        """The gradients of the outputs arrived."""
        for hook in self.hooks.at("backward_pre"):
            grads = _replaced(hook.function(self.module, grads), grads)
        self.grad_output = grads
        if not self.reaches_inputs:
            self.entered((None,) * self.count)
        return grads

    def entered(self, grads: tuple) -> tuple:
        """The gradients of the inputs arrived."""
        for hook in self.hooks.at("backward"):
            grads = _replaced(hook.function(self.module, grads, self.grad_output), grads)
        return grads


def _replaced(returned: Any, grads: tuple) -> tuple:
    if returned is None:
        return grads
    return returned if isinstance(returned, tuple) else (returned,)


class _InputTap(Function):
    @staticmethod
    def forward(ctx: Any, tap: _Tap, *xs: Tensor) -> tuple:
        ctx.tap = tap
        return xs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple:
        return (None, *ctx.tap.entered(grads))


class _OutputTap(Function):
    @staticmethod
    def forward(ctx: Any, tap: _Tap, *xs: Tensor) -> tuple:
        ctx.tap = tap
        return xs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple:
        return (None, *ctx.tap.left(grads))
