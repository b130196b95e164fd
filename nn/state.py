"""The state of a module as one flat dictionary of tensors, out and back in."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, load, no_grad, save

from .hooks import ModuleHooks
from .parameter import Parameter
from .registry import Registry

__all__ = ["LoadResult", "StateDict", "Stateful"]

EXTRA = "_extra_state"


class StateDict(dict):
    """Tensors by their path in the module, with the version of every module in ``_metadata``."""

    _metadata: dict[str, dict[str, Any]]


class LoadResult(NamedTuple):
    """What `load_state_dict` did not find in the state, and what it found there and did not need."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"LoadResult(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Stateful(Registry):
    """What a module has to do with its state: `state_dict`, `load_state_dict` and what subclasses may override."""

    _version = 1
    _hooks: ModuleHooks | None = None

    def _persistent(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters and buffers of this module alone that are part of its state."""
        for name, value in self._parameters.items():
            if value is not None:
                yield name, value
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent:
                yield name, buffer

    def get_extra_state(self) -> Any:
        """Override this and `set_extra_state` to keep something besides tensors in the state."""
        raise NotImplementedError(f"{type(self).__name__}: get_extra_state must be defined to save an extra state")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise NotImplementedError(f"{type(self).__name__}: set_extra_state must be defined to load an extra state")

    # --- out ----------------------------------------------------------------------------------------------------------

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Every parameter and persistent buffer by its path (``"hidden.0.weight"``), sharing memory with the module.

        The values are detached unless ``keep_vars``; ``destination`` is a mapping to fill, ``prefix`` stands before
        every path.
        """
        if destination is None:
            destination = StateDict()
            destination._metadata = {}
        hooks = self._hooks
        for hook in hooks.at("state_dict_pre") if hooks is not None else ():
            hook.function(self, prefix, keep_vars)
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in hooks.at("state_dict") if hooks is not None else ():
            hook.function(self, destination, prefix, metadata)
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put the state of this module alone into ``destination``."""
        for name, value in self._persistent():
            destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    # --- in -----------------------------------------------------------------------------------------------------------

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> LoadResult:
        """Copy the tensors (or arrays) of ``state_dict`` into the parameters and buffers of these paths.

        With ``strict`` every path must be on both sides; a shape that differs is an error in any case, and the message
        lists all that does not fit. ``assign`` makes the given tensors the module's own instead of copying values.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"load_state_dict: a mapping from paths to tensors is needed; got {type(state_dict).__name__}"
            )
        state = StateDict(state_dict)
        metadata = getattr(state_dict, "_metadata", {})
        missing: list[str] = []
        unexpected: list[str] = []
        mismatched: list[str] = []
        self._load(state, "", metadata, strict, assign, missing, unexpected, mismatched)
        result = LoadResult(missing, unexpected)
        hooks = self._hooks
        for hook in hooks.at("load_post") if hooks is not None else ():
            hook.function(self, result)
        problems = []
        if strict and missing:
            problems.append(f"missing {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected {', '.join(unexpected)}")
        if mismatched:
            problems.append(f"mismatching {', '.join(mismatched)}")
        if problems:
            raise RuntimeError(f"load_state_dict: the state does not fit {type(self).__name__}; {'; '.join(problems)}")
        return result

    def save(self, path: Any) -> None:
        """Write the state to a safetensors file, at once or not at all; PyTorch reads it too."""
        save(dict(self.state_dict()), path)

    def load(self, path: Any, strict: bool = True) -> LoadResult:
        """Take the state from a safetensors file, whoever wrote it, as `load_state_dict` does."""
        return self.load_state_dict(load(path), strict)

    def _load(
        self,
        state: StateDict,
        prefix: str,
        metadata: Mapping,
        strict: bool,
        assign: bool,
        missing: list[str],
        unexpected: list[str],
        mismatched: list[str],
    ) -> None:
        local = dict(metadata.get(prefix[:-1], {}))
        if assign:
            local["assign_to_params_buffers"] = True
        hooks = self._hooks
        for hook in hooks.at("load_pre") if hooks is not None else ():
            hook.function(self, state, prefix, local, strict, missing, unexpected, mismatched)
        self._load_from_state_dict(state, prefix, local, strict, missing, unexpected, mismatched)
        for name, module in self._modules.items():
            if module is not None:
                module._load(state, f"{prefix}{name}.", metadata, strict, assign, missing, unexpected, mismatched)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take the state of this module alone out of ``state_dict``; what does not fit goes into the lists."""
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, held in self._persistent():
            path = prefix + name
            if path not in state_dict:
                missing_keys.append(path)
                continue
            given = state_dict[path]
            array = given.array if isinstance(given, Tensor) else np.asarray(given)
            if array.shape != held.shape:
                error_msgs.append(f"{path} {array.shape} for {held.shape}")
            elif assign:
                self._take(name, held, given if isinstance(given, Tensor) else Tensor(array))
            else:
                with no_grad():
                    held.copy_(Tensor(array))
        if type(self).set_extra_state is not Stateful.set_extra_state:
            if prefix + EXTRA in state_dict:
                self.set_extra_state(state_dict[prefix + EXTRA])
            else:
                missing_keys.append(prefix + EXTRA)
        self._find_unexpected(state_dict, prefix, unexpected_keys)

    def _take(self, name: str, held: Tensor, given: Tensor) -> None:
        if isinstance(held, Parameter) and not isinstance(given, Parameter):
            given = Parameter(given, requires_grad=held.requires_grad)
        setattr(self, name, given)

    def _find_unexpected(self, state_dict: Mapping, prefix: str, unexpected: list[str]) -> None:
        """Paths below this module that neither it nor its submodules have."""
        known = {name for name, _ in self._persistent()}
        if type(self).set_extra_state is not Stateful.set_extra_state:
            known.add(EXTRA)
        for path in state_dict:
            if path.startswith(prefix):
                first, dot, _ = path[len(prefix) :].partition(".")
                if (self._modules.get(first) is None) if dot else (first not in known):
                    unexpected.append(path)
