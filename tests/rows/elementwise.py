"""Elementwise operations: every one in the registry has samples without being listed; here stands what is special."""

from collections.abc import Callable

import numpy as np
from samples import ROWS, Row, Sample, b, transposed, x

from autograd.ops.formula import Elementwise
from autograd.ops.op import registry

DOMAINS: dict[str, dict[str, tuple[float, float]]] = {
    **{name: {"input": (0.1, 3.0)} for name in ("log", "log2", "log10", "sqrt", "rsqrt", "pow", "polygamma_n")},
    **{name: {"input": (0.1, 0.9)} for name in ("logit", "logit_clamped")},
    **{name: {"input": (-0.9, 0.9)} for name in ("asin", "acos", "atanh", "erfinv")},
    "log1p": {"input": (-0.9, 3.0)},
    "acosh": {"input": (1.1, 3.0)},
    "xlogy": {"other": (0.1, 3.0)},
}
"""For an operation with a limited domain, the range its inputs are drawn from, by input name."""

INTEGER_ONLY = {op.name for op in registry.values() if isinstance(op, Elementwise) and "f" not in op.takes}
WITHOUT_GRADIENT = {"floor_divide", "heaviside"}
"""Operations that PyTorch does not differentiate."""

ROUGH_AT_THE_EDGES = {"digamma", "polygamma_n"}
"""At the poles PyTorch's trigamma is a large number, not infinite."""

ROUGH = {"digamma": 1e8, "lgamma": 1e8}
"""How many units in the last place to allow for derivatives: PyTorch's trigamma is good to 1e-9 only."""


def elementwise_rows() -> list[Row]:
    """A row for every elementwise operation: plain, broadcast, 0-d, empty and non-contiguous inputs."""
    return [_elementwise_row(op) for op in registry.values() if isinstance(op, Elementwise)]


def _elementwise_row(op: Elementwise) -> Row:
    def inputs(*shapes: tuple[int, ...], layout: Callable = x) -> Sample:
        args = []
        for i, (name, shape) in enumerate(zip(op.inputs, shapes, strict=False)):
            low, high = DOMAINS.get(op.name, {}).get(name, (-2.0, 2.0))
            args.append(b(*shape, seed=i) if i in op.conditions else layout(*shape, low=low, high=high, seed=i))
        return Sample(tuple(args))

    tensors = [name for i, name in enumerate(op.inputs) if i not in op.numbers]
    shapes = [[(2, 3)] * 3, [()] * 3, [(0, 3)] * 3]
    if len(tensors) > 1:
        shapes += [[(2, 1, 3), (4, 1), (3,)], [(), (2, 2), ()], [(2, 0), (1,), ()]]
    samples = [inputs(*s[: len(tensors)]) for s in shapes]
    samples.append(inputs(*[(3, 2)] * len(tensors), layout=transposed))
    if op.name in INTEGER_ONLY:
        samples = [Sample(tuple(np.asarray(10 * a).astype(np.int64) for a in s.args)) for s in samples]
    differentiable = op.name not in INTEGER_ONLY | WITHOUT_GRADIENT
    return Row(
        op.name, samples, differentiable=differentiable, method=not op.conditions, gradient_ulps=ROUGH.get(op.name)
    )


ROWS.extend(elementwise_rows())
