"""How a module is compared with PyTorch's of the same name: outputs, gradients, buffers, state and repr."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from oracle import assert_same, gradients, ours, tensors, to_ours, to_torch

import autograd
import nn


@dataclass
class Case:
    """A module made with these arguments and the inputs, each a tuple, it is called with."""

    name: str
    args: tuple
    kwargs: dict
    inputs: list[tuple]
    training: Sequence[bool] = (True, False)
    second: bool = True
    ulps: float | None = None
    differentiable: tuple[int, ...] | None = None  # which inputs have gradients; None: all that are floating
    check: bool = True  # whether the gradient is the derivative, everywhere
    in_place: bool = False  # whether it writes over its input, which then must not be a leaf
    axes: tuple[int | None, ...] | None = None  # the axis of the samples in each input; None: the first

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())]
        return f"{self.name}({', '.join(shown)})".replace("\n", "")

    def inputs_for(self, convert: Any, args: tuple, dtype: str) -> tuple:
        """The inputs as tensors, those requiring gradients that have them."""
        wanted = range(len(args)) if self.differentiable is None else self.differentiable
        return tuple(convert(a, dtype, i in wanted) for i, a in enumerate(args))

    def call(self, module: Any, args: tuple) -> Any:
        """The output; what is written over is the result of something."""
        return module(*(a * 1 for a in args) if self.in_place else args)

    def batch_axes(self, args: tuple) -> tuple[int | None, ...]:
        """Which axis of each input counts the samples."""
        return self.axes if self.axes is not None else (0,) * len(args)

    def samples(self, args: tuple) -> int:
        """How many samples the inputs have."""
        return args[0].shape[self.batch_axes(args)[0]]

    def make(self) -> tuple[Any, Any]:
        """Our module and PyTorch's with the same parameters, in float64; the values have no structure."""
        torch.manual_seed(0)
        theirs = getattr(torch.nn, self.name)(*to_torch(self.args), **to_torch(self.kwargs)).double()
        mine = getattr(nn, self.name)(*to_ours(self.args), **to_ours(self.kwargs)).double()
        random = np.random.default_rng(5)
        with torch.no_grad():
            for name, tensor in theirs.state_dict().items():
                if tensor.is_floating_point() and not name.endswith("weight_g"):
                    low = 0.5 if "var" in name else -1.0
                    tensor.copy_(torch.from_numpy(np.asarray(random.uniform(low, 1.0, tuple(tensor.shape)))))
        result = mine.load_state_dict({k: v.numpy().copy() for k, v in theirs.state_dict().items()})
        assert repr(result) == "<All keys matched successfully>"
        return mine, theirs


CASES: list[Case] = []


def module(name: str, *args: Any, inputs: Sequence, options: dict | None = None, **kwargs: Any) -> None:
    """Add a row; an input that is no tuple is the only argument."""
    listed = [i if isinstance(i, tuple) else (i,) for i in inputs]
    CASES.append(Case(name, args, kwargs, listed, **(options or {})))


def both_inputs(case: Case, args: tuple) -> tuple[tuple, tuple]:
    return case.inputs_for(to_ours, args, "float64"), case.inputs_for(to_torch, args, "float64")


def assert_equal_modules(case: Case) -> None:
    """Outputs, gradients of inputs and parameters, second gradients, and buffers, in training and evaluation."""
    for mode in case.training:
        mine, theirs = case.make()
        mine.train(mode)
        theirs.train(mode)
        for args in case.inputs:
            what = f"{case!r}, training={mode}, inputs {[getattr(a, 'shape', a) for a in args]}"
            a, b = both_inputs(case, args)
            out, expected = case.call(mine, a), case.call(theirs, b)
            assert_same(out, expected, what, case.ulps)
            mine_all = [*a, *mine.parameters()]
            their_all = [*b, *theirs.parameters()]
            find = gradients if case.second else first_gradients
            first, second = find(lambda *_, m=mine, a=a: case.call(m, a), mine_all, {}, ours)
            first_, second_ = find(lambda *_, m=theirs, b=b: case.call(m, b), their_all, {}, torch)
            _assert_same_gradients(first, first_, f"gradients of {what}", case.ulps)
            _assert_same_gradients(second, second_, f"second gradients of {what}", case.ulps)
            for (name, buffer), other in zip(mine.named_buffers(), theirs.buffers(), strict=True):
                assert_same(buffer, other, f"buffer {name} of {what}", case.ulps)


def first_gradients(call: Callable, args: Sequence, kwargs: dict, library: Any) -> tuple[list, list]:
    """As `gradients`, where PyTorch has no second ones."""
    inputs = [t for t in tensors(args) if t.requires_grad]
    outputs = [(t * t).sum() for t in tensors(call()) if t.requires_grad]
    return list(library.autograd.grad(sum(outputs), inputs, allow_unused=True)) if outputs else [], []


def values(tensor: Any) -> np.ndarray:
    """The array of a tensor of either library; some of PyTorch's zeros have no memory."""
    return tensor.detach().numpy(force=True)


def _assert_same_gradients(mine: list, theirs: list, what: str, ulps: float | None) -> None:
    if not mine or not theirs:  # one side knows that it is zero
        assert all(t is None or not t.any() for t in [*mine, *theirs] if t is not None), what
        return
    for a, b in zip(mine, theirs, strict=True):
        if a is None or b is None:
            known = a if b is None else b
            assert known is None or not values(known).any(), what
        elif max(np.abs(values(t)).max(initial=0) for t in (a, b)) > 1e-14:  # less is 0 with rounding
            assert_same(a, b, what, ulps)


def assert_float32(case: Case) -> None:
    """In float32 the output is within rounding of PyTorch's."""
    mine, theirs = case.make()
    mine, theirs = mine.float().eval(), theirs.float().eval()
    args = case.inputs[0]
    out, expected = mine(*to_ours(args, "float32")), theirs(*to_torch(args, "float32"))
    assert_same(out, expected, f"{case!r} in float32", 256, terms=0.1)


def assert_gradients_check(case: Case) -> None:
    """The derivatives are those of finite differences, to second order."""
    mine, _ = case.make()
    mine.eval()
    args = case.inputs_for(to_ours, case.inputs[0], "float64")
    places = [i for i, a in enumerate(args) if getattr(a, "requires_grad", False)]
    owners = [(module, name) for module in mine.modules() for name, p in module._parameters.items() if p is not None]
    inputs = [*(args[i] for i in places), *(vars(owner)[name] for owner, name in owners)]

    def call(*values: Any) -> tuple:
        now = list(args)
        for i, value in zip(places, values, strict=False):
            now[i] = value
        for (owner, name), value in zip(owners, values[len(places) :], strict=True):
            vars(owner)[name] = value
        return tuple(t for t in tensors(case.call(mine, tuple(now))) if t.requires_grad)

    assert autograd.gradcheck(call, inputs)
    if case.second:
        assert autograd.gradgradcheck(call, inputs)


def signature(function: Any) -> list[tuple[str, Any]]:
    """Names and defaults of the parameters, without self and what takes any argument."""
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [(p.name, None if p.default is p.empty else p.default) for p in named if p.name != "self"]
