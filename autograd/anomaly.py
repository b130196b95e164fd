"""`detect_anomaly`: stop where the first infinity or NaN is born, and say where that is."""

import math
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .graph import Node, Slot
from .modes import intercept, state
from .tensor import Tensor
from .writes import line_at, user_line

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]

# The outermost module that was being called when a node was made, for nodes made while anomalies are looked for.
_models: weakref.WeakKeyDictionary[Node, weakref.ref] = weakref.WeakKeyDictionary()


class set_detect_anomaly:  # noqa: N801 (PyTorch's name)
    """Look for anomalies, or stop looking, at once; as a context until the block ends. See `detect_anomaly`.

    >>> import autograd
    >>> with autograd.set_detect_anomaly(True):
    ...     autograd.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        others = [i for i in state.interceptors if not isinstance(i, _Detector)]
        detector = _Detector(check_nan)
        self._watch, state.watch = state.watch, detector.watch if mode else None
        self._context = intercept((detector, *others) if mode else tuple(others))
        self._context.__enter__()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        self._context.__exit__(*exc)
        state.watch = self._watch


class detect_anomaly:  # noqa: N801 (PyTorch's name)
    """Stop, in a ``with`` block, at the first operation whose output is not finite although its inputs are, and in
    backward at the first whose gradients are not finite although what they are computed from is.

    The error names the operation, the ranges of its inputs, the line that called it and the module it was called in.
    Everything runs slower. With ``check_nan=False`` only lines are recorded.

    >>> import autograd
    >>> x = autograd.tensor([1.0, 0.0], requires_grad=True)
    >>> with detect_anomaly():
    ...     x.sqrt().sum().backward()
    Traceback (most recent call last):
    ...
    RuntimeError: sqrt: the gradient must be finite where its inputs are; got inf for gradient in [1, 1], ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self._entered: list[set_detect_anomaly] = []

    def __enter__(self) -> None:
        self._entered.append(set_detect_anomaly(True, self.check_nan))

    def __exit__(self, *exc: object) -> None:
        self._entered.pop().__exit__(*exc)


def is_anomaly_enabled() -> bool:
    """Whether this thread looks for anomalies."""
    return any(isinstance(i, _Detector) for i in state.interceptors)


def is_anomaly_check_nan_enabled() -> bool:
    """Whether this thread checks values when it looks for anomalies; True is the default."""
    return all(i.check_nan for i in state.interceptors if isinstance(i, _Detector))


class _Detector:
    """The interceptor that looks at every operation, and at every node that backward passes."""

    def __init__(self, check_nan: bool) -> None:
        self.check_nan = check_nan

    def __call__(self, op: Any, inputs: Sequence, attrs: dict) -> Any:
        out = op(*inputs, **attrs)
        outs = [t for t in (out if isinstance(out, tuple) else (out,)) if isinstance(t, Tensor)]
        model = _model()
        if model is not None:
            for tensor in outs:
                node = tensor.node
                if node is not None and op.name != "assign":
                    _models[node.edges[0] if isinstance(node, Slot) else node] = weakref.ref(model)
        if self.check_nan and (bad := _first_bad(outs)) is not None:
            numbers = [v for v in attrs.values() if isinstance(v, float)]
            if _first_bad(inputs) is None and all(map(math.isfinite, numbers)):
                names = [*getattr(op, "inputs", ()), *["input"] * len(inputs)]
                raise RuntimeError(
                    f"{op.name}: the output must be finite where the inputs are; got {bad} for "
                    f"{_ranges(zip(names, inputs, strict=False))}; "
                    f"called at {user_line()}{_place(state.within[0], _model())}"
                )
        return out

    def watch(self, node: Node, saved: Sequence, gradient: Any, parts: Sequence) -> None:
        """Look at what the rules of a node made of its gradient and of what it saved."""
        for part, edge in zip(parts, node.edges, strict=False):
            if part is not None and edge is not None and part.shape != edge.shape:
                raise RuntimeError(
                    f"{node.op.name}: the rule of an input must give a gradient of its shape; "
                    f"got {part.shape} for {edge.shape}; called at {line_at(node.place)}"
                )
        if not self.check_nan or (bad := _first_bad(parts)) is None:
            return
        gradients = gradient if isinstance(gradient, list) else [gradient]
        if _first_bad([*gradients, *saved]) is not None:
            return
        op = node.op
        names = [*[*getattr(op, "inputs", ()), *["input"] * len(saved)][: len(saved) - 1], "output"]
        found = [*zip(["gradient"] * len(gradients), gradients, strict=True), *zip(names, saved, strict=False)]
        model = _models.get(node)
        raise RuntimeError(
            f"{op.name}: the gradient must be finite where its inputs are; got {bad} for {_ranges(found)}; "
            f"called at {line_at(node.place)}{_place(node.module, model() if model is not None else None)}"
        )


def _arrays(values: Iterable) -> Iterator[np.ndarray]:
    for value in values:
        if isinstance(value, (tuple, list)):
            yield from _arrays(value)
        else:
            array = value.array if isinstance(value, Tensor) else value
            if isinstance(array, np.ndarray) and array.dtype.kind == "f":
                yield array


def _first_bad(values: Iterable) -> float | None:
    """The first value that is not finite, None if all are."""
    for array in _arrays(values):
        bad = ~np.isfinite(array)
        if bad.any():
            return float(array[bad][0])
    return None


def _ranges(named: Iterable[tuple[str, Any]]) -> str:
    found = []
    for name, value in named:
        for array in _arrays([value]):
            found.append(
                f"{name} in [{array.min():g}, {array.max():g}]" if array.size else f"{name} of shape {array.shape}"
            )
    return ", ".join(found) or "no inputs"


def _model() -> Any:
    """The outermost module that is being called."""
    found, frame = None, sys._getframe(1) if state.within[0] is not None else None
    while frame is not None:
        if frame.f_code.co_name == "__call__" and hasattr(called := frame.f_locals.get("self"), "named_modules"):
            found = called
        frame = frame.f_back
    return found


def _place(module: Any, model: Any) -> str:
    """Where in the model a module is."""
    if module is None:
        return ""
    named: Callable = getattr(model, "named_modules", lambda: ())
    path = next((name for name, part in named() if part is module), "")
    return f' in {type(module).__name__} "{path}"' if path else f" in {type(module).__name__}"
