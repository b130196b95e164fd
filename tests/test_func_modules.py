"""vmap over modules: every row of the table of modules, in evaluation, against a loop in Python."""

import numpy as np
import pytest
import test_nn_modules  # noqa: F401 (fills the table)
from nn_table import CASES
from oracle import tensors, to_ours

import autograd
from autograd import Tensor
from autograd.func import functional_call, grad, vmap

LANES = 3
ROWS = [(case, args) for case in CASES for args in case.inputs]
IDS = [f"{case!r}{[getattr(a, 'shape', a) for a in args]}" for case, args in ROWS]
every_module = pytest.mark.parametrize(("case", "args"), ROWS, ids=IDS)


def lanes_of(args):
    """The arguments for each lane: floating ones differ."""
    return [
        tuple(a * (1 - 0.2 * i) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in args)
        for i in range(LANES)
    ]


def together(lanes):
    """The arguments of all lanes, and their in_dims."""
    args, dims = [], []
    for column in zip(*lanes, strict=True):
        mapped = isinstance(column[0], np.ndarray)
        args.append(Tensor(np.stack(column)) if mapped else to_ours(column[0]))
        dims.append(0 if mapped else None)
    return tuple(args), tuple(dims)


def module_of(case):
    mine, _ = case.make()
    return mine.eval()


def flat(out):
    return tuple(t for t in tensors(out) if t.is_floating_point())


@every_module
def test_outputs(case, args):
    net, lanes = module_of(case), lanes_of(args)
    given, dims = together(lanes)
    if not any(d == 0 for d in dims):
        return
    with autograd.no_grad():
        expected = [flat(case.call(net, to_ours(lane, "float64"))) for lane in lanes]
        result = vmap(lambda *a: flat(case.call(net, a)), in_dims=dims)(*given)
    for i, y in enumerate(result):
        np.testing.assert_allclose(y.array, np.stack([e[i].array for e in expected]), rtol=1e-9, atol=1e-12)


@every_module
def test_gradients_of_parameters(case, args):
    net, lanes = module_of(case), lanes_of(args)
    p = {name: value.detach() for name, value in net.named_parameters()}
    given, dims = together(lanes)
    if not p or not any(d == 0 for d in dims):
        return

    def loss(q, *a):
        outs = flat(functional_call(net, q, tuple(t * 1 for t in a) if case.in_place else a))
        return sum((o * o).sum() for o in outs)

    result = vmap(grad(loss), in_dims=(None, *dims))(p, *given)
    expected = [grad(loss)(p, *to_ours(lane, "float64")) for lane in lanes]
    for name, value in result.items():
        np.testing.assert_allclose(value.array, np.stack([e[name].array for e in expected]), rtol=1e-9, atol=1e-11)
