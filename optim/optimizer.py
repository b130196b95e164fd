"""What every optimizer is: groups of parameters with options, a state for each parameter, and a formula.

A rule is a short class on top of this one. It says which formula moves a parameter, which state goes with it, and
which numbers the formula takes; groups, weight decay and `maximize` are here, once, and the state is saved by `saving`.

    class Momentum(Optimizer):
        def rule(self, group):
            return momentum, ("velocity",)          # the formula, and the state it reads and writes after p and g

The state is zeros before the first step, unless `start` says otherwise. The keyword-only parameters of the formula are
the group's options by these names, ``t``, the number of the step, and what else `numbers` says.
"""

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import autograd
from autograd import Tensor
from autograd.hooks import Handle, Hooks

from .saving import Saved

__all__ = ["Optimizer"]


# --- what may happen to p and g before a rule sees them ---------------------------------------------------------------


def maximized(p, g):
    """Climb instead of descend."""
    return p, -g


def decayed(p, g, *, weight_decay):
    """The gradient of weight_decay / 2 * |p|^2 added: an L2 penalty."""
    return p, g + weight_decay * p


def shrunk(p, g, *, lr, weight_decay):
    """Weight decay apart from the gradient (Loshchilov and Hutter 2019, algorithm 2)."""
    return p * (1 - lr * weight_decay), g


def _with_hooks(step: Callable) -> Callable:
    """The step between the hooks that the user has registered."""

    @functools.wraps(step)
    def wrapper(self: "Optimizer", *args: Any, **kwargs: Any) -> Any:
        args = (self, *args)
        for hook in self._before_step.in_order():
            changed = hook(self, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(
                    f"{type(self).__name__}: a hook before the step returns None or (args, kwargs); got {changed!r}"
                )
            args, kwargs = changed
        result = step(*args, **kwargs)
        self._stepped = True
        for hook in self._after_step.in_order():
            hook(self, args, kwargs)
        return result

    return wrapper


class Optimizer(Saved):
    """The base of all optimizers: ``params`` are tensors, or dicts of tensors with options of their own.

    ``params`` may also be pairs (name, tensor), as `named_parameters()` gives them. ``defaults`` are the options of
    the groups that do not set them.
    """

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._before_step, self._after_step = Hooks(), Hooks()
        self._stepped = False
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise TypeError(f"{name}: params must be a list of tensors or of dicts; got one tensor; wrap it in a list")
        groups = list(params)
        if not groups:
            raise ValueError(f"{name}: there must be a parameter to optimize; got an empty list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A subclass with a step of its own calls the hooks too."""
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    # --- what a rule says ---------------------------------------------------------------------------------------------

    def rule(self, group: dict) -> tuple[Any, tuple[str, ...]]:
        """The update of a group, and the names of the state it takes after p and g."""
        raise NotImplementedError(f"{type(self).__name__}: an optimizer states its rule, or its own step()")

    def start(self, group: dict, p: Tensor) -> dict[str, Any]:
        """The state of a parameter before its first step: no step was done, and zeros for each name of the rule."""
        return {"step": autograd.tensor(0.0), **{name: autograd.zeros_like(p) for name in self.rule(group)[1]}}

    def advance(self, group: dict, p: Tensor, state: dict) -> Hashable:
        """Count a step of one parameter; what comes back is all that `numbers` may depend on besides the group."""
        return autograd.tally(state["step"])

    def numbers(self, group: dict, t: Any) -> dict[str, Any]:
        """The numbers of the formula that are not options of the group by the same name."""
        return {"t": t}

    # --- steps --------------------------------------------------------------------------------------------------------

    @_with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; ``closure`` computes the loss again, which is returned."""
        loss = None
        if closure is not None:
            with autograd.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.step_group(group)
        autograd.decides(self._arrangement)
        return loss

    def _arrangement(self) -> list:
        """What decides, besides numbers and tensors, what a step does."""
        has_rule = type(self).rule is not Optimizer.rule
        updates = [self._update(group) for group in self.param_groups] if has_rule else []
        return [self._edition, str(len(self.state)), *updates]

    def _update(self, group: dict) -> Any:
        """The rule of a group after what its options do to p and g before."""
        return self.rule(group)[0].after(*self.before(group))

    def step_group(self, group: dict) -> None:
        """Move the parameters of one group; those that have taken equally many steps share one set of numbers."""
        update, names = self._update(group), self.rule(group)[1]
        # A program counts by itself; what a rule of its own does in Python is done anew before each run of it.
        advance = self.advance if type(self).advance is Optimizer.advance else self._advance_in_python
        batches: dict[Hashable, list] = {}
        rows: list = []
        last: Any = object()
        states = self.state
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            state = states[p]
            if not state:
                state.update(self.start(group, p))
            t = advance(group, p, state)
            row = [p, g]
            for name in names:
                row.append(state[name])
            if t != last:
                rows, last = batches.setdefault(t, []), t
            rows.append(row)
        for t, rows in batches.items():
            update.each(rows, autograd.each_run(functools.partial(self._all_numbers, group, update, t)))

    def step_each(self, group: dict, move: Callable[[dict, Tensor, dict], None]) -> None:
        """Move the parameters of one group one by one with ``move(group, p, state)``: a rule that no formula says."""
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self.state[p]
            if not state:
                state.update(self.start(group, p))
            autograd.each_run(functools.partial(move, group, p, state), p, p.grad, *state.values())

    def _advance_in_python(self, group: dict, p: Tensor, state: dict) -> Hashable:
        return autograd.each_run(functools.partial(self.advance, group, p, state))

    def _all_numbers(self, group: dict, update: Any, t: Any) -> tuple:
        return update.choose(self.numbers(group, t), group)

    def before(self, group: dict) -> tuple[Callable, ...]:
        """What changes p and g ahead of the rule: `maximized`, `decayed` or `shrunk`, as the group's options say."""
        steps: tuple[Callable, ...] = (maximized,) if group.get("maximize") else ()
        if group.get("weight_decay"):
            steps = (*steps, shrunk if group.get("decoupled_weight_decay") else decayed)
        return steps

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif (g := p.grad) is None:
                    continue
                elif g.requires_grad:
                    p.grad = autograd.zeros_like(p)
                else:
                    g.zero_()

    # --- groups -------------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, such as ``{"params": tensors, "lr": 0.1}``."""
        name = type(self).__name__
        if not isinstance(param_group, dict):
            raise TypeError(f"{name}: a parameter group must be a dict; got {type(param_group).__name__}")
        group = dict(param_group)
        params = group.get("params")
        if params is None:
            raise ValueError(f"{name}: a parameter group must have params; got {', '.join(group) or 'nothing'}")
        if isinstance(params, set):
            raise TypeError(f"{name}: parameters must come in an order; got a set; pass a list")
        params = [params] if isinstance(params, Tensor) else list(params)
        if any(isinstance(p, tuple) for p in params):
            if not all(isinstance(p, tuple) for p in params):
                raise ValueError(f"{name}: either all parameters have names or none; got both")
            group["param_names"] = [label for label, _ in params]
            params = [p for _, p in params]
        group["params"] = params
        if self.param_groups and ("param_names" in group) != ("param_names" in self.param_groups[0]):
            raise ValueError(f"{name}: either all groups have named parameters or none; got both")
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"{name}: a parameter must be a tensor; got {type(p).__name__} at position {i}")
            if not p.is_leaf:
                raise ValueError(
                    f"{name}: a parameter must be a leaf; got the output of {p.grad_fn.op.name} at position {i}"  # type: ignore[union-attr]
                )
        for option, value in self.defaults.items():
            group.setdefault(option, value)
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for i, p in enumerate(params):
            if id(p) in known:
                raise ValueError(f"{name}: a parameter may be in one group alone; got one twice, here at position {i}")
        if len({id(p) for p in params}) != len(params):
            warnings.warn(f"{name}: a parameter is in a group twice and will be moved twice a step", stacklevel=3)
        if group.get("differentiable"):
            raise NotImplementedError(f"{name}: steps are not recorded in the graph; got differentiable=True")
        self.check(group)
        self.param_groups.append(group)
        self._edition = object()

    def check(self, group: dict) -> None:
        """Raise for options of a group that make no sense."""

    # --- hooks --------------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; returns a handle with ``remove()``.

        ``args`` begins with the optimizer. What the hook returns, a pair, takes their place.
        """
        return self._before_step.add(hook)

    def register_step_post_hook(self, hook: Callable) -> Handle:
        """Call ``hook(optimizer, args, kwargs)`` after each step; returns a handle with ``remove()``."""
        return self._after_step.add(hook)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines.extend(f"    {key}: {group[key]}" for key in sorted(group) if key != "params")
            lines.append("")
        return "\n".join([*lines[:-1], ")"])
