"""The state of an optimizer: out in PyTorch's layout, and back in."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import Tensor

__all__ = ["Saved"]


class Saved:
    """What an optimizer has to do with its state."""

    param_groups: list[dict[str, Any]]
    state: defaultdict[Tensor, dict[str, Any]]
    start: Callable[[dict, Tensor], dict[str, Any]]
    _edition: object  # another one whenever groups or state are others: compiled programs know it by that

    counters: ClassVar[tuple[str, ...]] = ("step",)
    """The state that counts steps of a parameter: single numbers, whose dtype is not the parameter's."""

    def state_dict(self) -> dict[str, Any]:
        """The state and the options in PyTorch's layout: parameters are numbered in the order of the groups."""
        order: dict[Tensor, int] = {}
        for i, p in enumerate(p for group in self.param_groups for p in group["params"]):
            order.setdefault(p, i)
        groups = []
        for group in self.param_groups:
            options = {key: value for key, value in group.items() if key != "params"}
            groups.append({**options, "params": [order[p] for p in group["params"]]})
        state = {order[p]: values for p, values in self.state.items() if p in order and values}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned, here or in PyTorch; tensors are copied."""
        name = type(self).__name__
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{name}: a saved state is a dict; got {type(state_dict).__name__}")
        if not {"state", "param_groups"} <= state_dict.keys():
            got = ", ".join(map(repr, state_dict)) or "nothing"
            raise ValueError(f"{name}: a saved state has 'state' and 'param_groups'; got {got}")
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError(
                f"{name}: the saved state must have as many groups; got {len(groups)} for {len(self.param_groups)}"
            )
        loaded = []
        for i, (saved, group) in enumerate(zip(groups, self.param_groups, strict=True)):
            if len(saved["params"]) != len(group["params"]):
                raise ValueError(
                    f"{name}: the saved state must have as many parameters; got {len(saved['params'])} "
                    f"for {len(group['params'])} in group {i}"
                )
            options = {key: _copy(value, None) for key, value in saved.items() if key != "params"}
            missing = {key: value for key, value in group.items() if key not in options and key != "params"}
            loaded.append({**options, **missing, "params": group["params"]})
        numbers = (number for saved in groups for number in saved["params"])
        params = dict(zip(numbers, ((p, group) for group in loaded for p in group["params"]), strict=True))
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for number, values in state_dict["state"].items():
            if number not in params:
                continue
            p, group = params[number]
            if values and (lacking := self._needed(group, p) - values.keys()):
                raise ValueError(
                    f"{name}: the saved state must be of the same kind of optimizer; got {', '.join(values)} without "
                    f"{', '.join(sorted(lacking))} for parameter {number}"
                )
            state[p] = {key: self.load(p, key, value) for key, value in values.items()}
        self.param_groups, self.state = loaded, state
        self._edition = object()

    def _needed(self, group: dict, p: Tensor) -> set[str]:
        """What a step counts on finding in the state; a class with a step of its own does not say."""
        try:
            return {*self.start(group, p)}
        except NotImplementedError:
            return set()

    def load(self, p: Tensor, key: str, value: Any) -> Any:
        """A saved value of the state of ``p``: counters keep their dtype, what belongs to elements takes that of p."""
        value = _copy(value, None if key in self.counters else p.dtype)
        return autograd.tensor(float(value)) if key == "step" and not isinstance(value, Tensor) else value


def _copy(value: Any, dtype: Any) -> Any:
    """A copy of a saved value, with tensors, PyTorch's too, as ours and in ``dtype``."""
    if isinstance(value, dict):
        return {key: _copy(v, dtype) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copy(v, dtype) for v in value)
    if isinstance(value, Tensor):
        value = value.detach().clone()
    elif hasattr(value, "numpy"):
        value = autograd.from_numpy(np.array(value.numpy()))
    else:
        return value
    return value if dtype is None or not value.is_floating_point() else value.to(dtype)
