"""What pruning cost and what it saved."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from autograd import Tensor, no_grad

from ...conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ...embedding import Embedding, EmbeddingBag
from ...linear import Linear
from ...module import Module
from .base import methods_of

__all__ = ["Measured", "Report", "report"]


@dataclass(frozen=True)
class Measured:
    """One model: the metric over the data, the bytes of its parameters and buffers, the multiplications, each with an
    addition, for one sample, and the seconds for the first batch.
    """

    accuracy: float
    bytes: int
    multiply_adds: int
    seconds: float


@dataclass(frozen=True)
class Report:
    """Two models side by side; ``str`` gives a table."""

    before: Measured
    after: Measured

    def __str__(self) -> str:
        shown: dict[str, Callable[[Any], str]] = {
            "accuracy": "{:.4f}".format,
            "bytes": "{:,}".format,
            "multiply_adds": "{:,}".format,
            "seconds": "{:.6f}".format,
        }
        lines = [f"{'':<13}  {'before':>12}  {'after':>12}  {'after/before':>12}"]
        for name, text in shown.items():
            before, after = getattr(self.before, name), getattr(self.after, name)
            ratio = f"{after / before:.3f}" if before else "-"
            lines.append(f"{name.replace('_', '-'):<13}  {text(before):>12}  {text(after):>12}  {ratio:>12}")
        return "\n".join(lines)


def _correct(output: Tensor, target: Tensor) -> float:
    """The part of samples whose largest output, or the sign of whose only one, is the target's."""
    single = output.ndim == 1 or output.shape[1] == 1
    predicted = (output.reshape(-1) > 0) if single else output.argmax(1)
    return float((predicted == target.reshape(predicted.shape)).float().mean().item())


def report(
    before: Module,
    after: Module,
    data: Iterable,
    metric: Callable[[Tensor, Tensor], float] = _correct,
    repeats: int = 20,
) -> Report:
    """Measure two models in evaluation on batches (input, target).

    The accuracy is the mean of ``metric(output, target)`` weighted by the samples: by default the part of samples whose
    largest output, in axis 1, is at the target's number, or for a single output, whose sign says whether the target is
    1. Bytes leave out the masks, and count a pruned parameter once. Multiply-adds are those of Linear and convolutions.
    The time is the least of ``repeats`` calls on the first batch, the two models in turn. Raises ValueError without
    data and for modules whose multiply-adds are not known.

    >>> import autograd, nn
    >>> from nn.utils import prune
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> _ = prune.ln_structured(model[0], "weight", 0.5, n=1, dim=0)
    >>> found = report(model, prune.shrink(model), [(autograd.randn(20, 2), autograd.zeros(20))])
    >>> found.before.multiply_adds, found.after.multiply_adds, found.after.bytes
    (40, 20, 108)
    >>> print(found)
                         before         after  after/before
    accuracy ...
    bytes                   204           108         0.529
    multiply-adds            40            20         0.500
    seconds ...
    """
    batches = [(batch[0], batch[1]) for batch in data]
    if not batches:
        raise ValueError("report: one batch of data at least is needed; got none")
    if repeats < 1:
        raise ValueError(f"report: repeats must be positive; got {repeats}")
    models = (before, after)
    modes = [(module, module.training) for model in models for module in model.modules()]
    for model in models:
        model.eval()
    try:
        with no_grad():
            parts = [(_accuracy(m, batches, metric), _bytes(m), _multiply_adds(m, batches[0][0])) for m in models]
            seconds = _seconds(models, batches[0][0], repeats)
    finally:
        for module, mode in modes:
            module.training = mode
    first, second = (Measured(*part, spent) for part, spent in zip(parts, seconds))
    return Report(first, second)


def _accuracy(model: Module, batches: list, metric: Callable) -> float:
    counts = [len(inputs) for inputs, _ in batches]
    values = [float(metric(model(inputs), target)) * n for (inputs, target), n in zip(batches, counts)]
    return sum(values) / sum(counts)


def _bytes(model: Module) -> int:
    masks = {
        id(vars(module)[f"{method._tensor_name}_mask"]) for module in model.modules() for method in methods_of(module)
    }
    return sum(t.nbytes for t in [*model.parameters(), *model.buffers()] if id(t) not in masks)


def _multiply_adds(model: Module, inputs: Tensor) -> int:
    """Those of one sample, counted while the model runs."""
    total = 0

    def count(module: Any, args: tuple, output: Any) -> None:
        nonlocal total
        if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)):
            total += args[0].numel() * math.prod(module.weight.shape[1:])
        else:
            total += output.numel() * math.prod(module.weight.shape[1:])

    handles = []
    try:
        for path, module in model.named_modules():
            if isinstance(module, _COUNTED):
                handles.append(module.register_forward_hook(count))
            elif not isinstance(module, _FREE) and any(p.ndim > 1 for p in module.parameters(recurse=False)):
                names = ", ".join(name for name, _ in module.named_parameters(recurse=False))
                raise ValueError(
                    f'report: {type(module).__name__} at "{path}": multiply-adds are counted for Linear and '
                    f"convolutions; got parameters {names}"
                )
        model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return total // len(inputs)


_COUNTED = (Linear, Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
_FREE = (Embedding, EmbeddingBag)  # they look up


def _seconds(models: tuple[Module, Module], inputs: Tensor, repeats: int) -> list[float]:
    least = [math.inf, math.inf]
    for _ in range(repeats + 1):  # the first compiles kernels; the least of all is never its
        for i, model in enumerate(models):
            start = time.perf_counter()
            model(inputs)
            least[i] = min(least[i], time.perf_counter() - start)
    return least
