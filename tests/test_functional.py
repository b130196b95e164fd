"""autograd.functional with torch.autograd.functional as the oracle."""

import numpy as np
import pytest
import torch
from test_func import array, assert_same, both

import autograd
from autograd import Tensor
from autograd import functional as ours

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

theirs = torch.autograd.functional


def exp_sum(x):
    return x.exp().sum(1)


def one(x):
    return (x**3).sin().sum()


def two(x, y):
    return (x @ y.T).sin().sum() + (y**3).sum()


def many(x, y):
    return x.exp() * y.sum(), (x * y).sum(1)


X, Y = array(2, 3), array(2, 3, seed=1)

CASES = {
    "jacobian": lambda F, x, y, **o: F.jacobian(exp_sum, x, **o),
    "jacobian of two": lambda F, x, y, **o: F.jacobian(two, (x, y), **o),
    "jacobian of many": lambda F, x, y, **o: F.jacobian(many, (x, y), **o),
    "jacobian at once": lambda F, x, y, **o: F.jacobian(many, (x, y), vectorize=True, **o),
    "jacobian by columns": lambda F, x, y, **o: F.jacobian(many, (x, y), vectorize=True, strategy="forward-mode", **o),
    "jacobian of unused": lambda F, x, y, **o: F.jacobian(lambda a, b: a * 2, (x, y), **o),
    "hessian": lambda F, x, y, **o: F.hessian(one, x, **o),
    "hessian of two": lambda F, x, y, **o: F.hessian(two, (x, y), **o),
    "hessian at once": lambda F, x, y, **o: F.hessian(two, (x, y), vectorize=True, **o),
    "hessian by columns": lambda F, x, y, **o: F.hessian(
        two, (x, y), vectorize=True, outer_jacobian_strategy="forward-mode", **o
    ),
    "hessian of a line": lambda F, x, y, **o: F.hessian(lambda a: a.sum(), x, **o),
    "jacobian of truth values": lambda F, x, y, **o: F.jacobian(lambda a, b: (a > b, a * b), (x, y), **o),
    "jacobian of a place": lambda F, x, y, **o: F.jacobian(lambda a: a.argmax(), x, vectorize=True, **o),
    "vjp of truth values": lambda F, x, y, **o: F.vjp(lambda a: a > 0, x, y, **o),
    "vjp": lambda F, x, y, **o: F.vjp(many, (x, y), (y, y.sum(1)), **o),
    "vjp of one": lambda F, x, y, **o: F.vjp(one, x, **o),
    "vjp of unused": lambda F, x, y, **o: F.vjp(lambda a, b: a * 2, (x, y), y, **o),
    "jvp": lambda F, x, y, **o: F.jvp(many, (x, y), (y, x), **o),
    "jvp of one": lambda F, x, y, **o: F.jvp(exp_sum, x, y, **o),
    "jvp of a number": lambda F, x, y, **o: F.jvp(lambda a: a * x, x[0, 0].clone(), **o),
    "vhp": lambda F, x, y, **o: F.vhp(two, (x, y), (y, x), **o),
    "hvp": lambda F, x, y, **o: F.hvp(two, (x, y), (y, x), **o),
    "hvp of one": lambda F, x, y, **o: F.hvp(one, x, y, **o),
}


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name):
    mine, other = both((X, Y))
    result, wanted = CASES[name](ours, *mine), CASES[name](theirs, *other)
    assert_same(result, as_tuples(wanted))
    flat = [t for t in autograd.func.tree.leaves(result) if isinstance(t, Tensor)]
    assert not any(t.requires_grad for t in flat)


@pytest.mark.parametrize("name", [n for n in CASES if "line" not in n and "columns" not in n])
def test_graphs_of_results(name):
    """With create_graph the results can be differentiated by the inputs."""
    mine, other = both((X, Y))
    gradients = []
    for F, (x, y), library in ((ours, mine, autograd), (theirs, other, torch.autograd)):
        x.requires_grad_()
        y.requires_grad_()
        result = CASES[name](F, x, y, create_graph=True)
        flat = [t for t in flatten(result) if t.requires_grad]
        total = sum(((t**2).sum() for t in flat), (x * y).sum())
        gradients.append(library.grad(total, (x, y), allow_unused=True))
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(values(a), values(b), rtol=1e-9, atol=1e-12)


def as_tuples(tree):
    """PyTorch returns lists by columns, where it returns tuples by rows."""
    return tuple(map(as_tuples, tree)) if isinstance(tree, (tuple, list)) else tree


def flatten(tree):
    return [leaf for branch in tree for leaf in flatten(branch)] if isinstance(tree, tuple) else [tree]


def values(gradient):
    return np.zeros(()) if gradient is None else gradient.detach().numpy()


def test_nothing_of_nothing():
    x = Tensor(np.zeros(0))
    for options in ({}, {"vectorize": True}):
        assert ours.jacobian(lambda a: a * 2, x, **options).shape == (0, 0)


def test_strict_takes_what_depends():
    x = Tensor(X.copy())
    np.testing.assert_allclose(ours.jacobian(exp_sum, x, strict=True).array, ours.jacobian(exp_sum, x).array)
    np.testing.assert_allclose(ours.hessian(one, x, strict=True).array, ours.hessian(one, x).array)


REFUSED = [
    (lambda x: ours.jacobian(exp_sum, x, strategy="some"), 'jacobian: strategy must be "reverse-mode" or "forward-mode"; got \'some\''),
    (lambda x: ours.jacobian(exp_sum, x, strategy="forward-mode"), "jacobian: forward-mode goes with vectorize=True; got vectorize=False"),
    (lambda x: ours.jacobian(exp_sum, x, strict=True, vectorize=True), "jacobian: strict looks at one row at a time; got vectorize=True"),
    (lambda x: ours.jacobian(lambda a: autograd.ones(2), x, strict=True), "jacobian: with strict every output must depend on the inputs; got output 0 that does not"),
    (lambda x: ours.jacobian(lambda a, b: a * 2, (x, x), strict=True), "jacobian: with strict the outputs must depend on every input; got none on input 1"),
    (lambda x: ours.hessian(exp_sum, x), "hessian: the function must return a tensor of one element; got shape (2,)"),
    (lambda x: ours.vhp(lambda a: (a, a), x), "vhp: the function must return a tensor of one element; got a tuple of 2"),
    (lambda x: ours.vjp(exp_sum, x), "vjp: v can be left out only for one element; got outputs of shape (2,)"),
    (lambda x: ours.jvp(exp_sum, x), "jvp: v can be left out only for one element; got inputs of shape (2, 3)"),
    (lambda x: ours.hvp(one, x, x[0]), "hvp: v must have the shapes of the inputs; got (3,) for (2, 3)"),
    (lambda x: ours.vjp(exp_sum, [1.0]), "vjp: the inputs must be tensors or a tuple of them; got float"),
    (lambda x: ours.vjp(lambda a: 1.0, x), "vjp: the outputs must be tensors or a tuple of them; got float"),
    (lambda x: ours.vjp(exp_sum, x.long()), "vjp: the inputs must be floating tensors; got int64"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[f"{i}: {m[:50]}" for i, (_, m) in enumerate(REFUSED)])
def test_refused(act, message):
    with pytest.raises((RuntimeError, ValueError, TypeError, NotImplementedError)) as caught:
        act(Tensor(X.copy()))
    assert str(caught.value) == message
