"""Modules that hold others: Sequential, lists and dicts of modules and parameters, MLP."""

import numpy as np
import pytest
import torch

import autograd
import nn
import nn.functional as F
from autograd.ops.formula import Elementwise
from autograd.ops.op import registry
from nn.activation import _OPERATIONS as OPERATIONS


def test_sequential():
    a, b, c = nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1)
    net = nn.Sequential(a, b)
    net.append(c)
    assert list(net) == [a, b, c] and len(net) == 3 and net[-1] is c
    assert list(net[1:]) == [b, c] and list(net[1:]._modules) == ["1", "2"]
    del net[1]
    assert list(net._modules) == ["0", "1"] and net[1] is c
    net.insert(1, b)
    assert list(net) == [a, b, c]
    assert net.pop(1) is b and list(net) == [a, c]
    net[0] = b
    assert net[0] is b
    assert list(nn.Sequential(a) + nn.Sequential(b)) == [a, b] and list(nn.Sequential(b) * 2) == [b, b]
    named = nn.Sequential({"first": a, "then": b})
    assert named.first is a and list(named._modules) == ["first", "then"]
    assert list(nn.MLP([1, 2, 1])[:2]._modules) == ["0", "1"]


ACTIVATIONS = [make() for make in OPERATIONS] + [nn.GELU(), nn.GELU(approximate="tanh")]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("dtype", [autograd.float32, autograd.float64, autograd.float16], ids=str)
def test_without_a_graph_a_linear_and_its_activation_are_what_they_are_one_by_one(activation, dtype):
    net = nn.Sequential(nn.Linear(5, 7), activation, nn.Linear(7, 40), nn.Linear(40, 2, bias=False), activation).to(
        dtype
    )
    x = autograd.randn(2, 3, 5).to(dtype) * 3
    expected = net(x)
    for context in (autograd.no_grad, autograd.inference_mode):
        with context():
            found = net(x)
            assert not found.requires_grad and found.dtype == dtype
            eps = np.finfo(dtype).eps
            np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=8 * eps, atol=8 * eps)
    with autograd.no_grad():
        assert autograd.func.vmap(net)(x).shape == (2, 3, 2)
        compiled = autograd.compile(lambda x: net(x))
        np.testing.assert_allclose(compiled(x).numpy(), expected.detach().numpy(), rtol=8 * eps, atol=8 * eps)


def test_without_a_graph_modules_with_hooks_are_called_one_by_one():
    for hooked in range(3):
        net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.ReLU())
        seen = []
        net[hooked].register_forward_hook(lambda module, args, output, seen=seen: seen.append(module))
        with autograd.no_grad():
            net(autograd.ones(1, 2))
        assert seen == [net[hooked]]


@pytest.mark.parametrize(
    "name", [name for name, op in registry.items() if isinstance(op, Elementwise) and op.arity == 1 and "f" in op.takes]
)
def test_any_operation_of_one_input_may_be_the_activation(name):
    x, w, b = (autograd.rand(*shape, dtype=autograd.float64) for shape in ((2, 3), (4, 3), (4,)))
    expected = registry[name](F.linear(x, w, b)).numpy()
    found = F.linear(x, w, b, activation=name)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14, atol=1e-14)


def test_linear_with_an_activation_has_the_gradients_of_both():
    x, w, b = (autograd.randn(*shape, dtype=autograd.float64).requires_grad_() for shape in ((3, 4), (2, 4), (2,)))
    for name in ("tanh", "gelu_erf"):
        assert autograd.gradcheck(lambda *t, name=name: F.linear(*t, activation=name), (x, w, b))
    with pytest.raises(NotImplementedError, match="bitwise_not: bool or integer tensors are needed"):
        F.linear(x.detach(), w.detach(), b.detach(), activation="bitwise_not")
    with pytest.raises(
        ValueError, match=r"^linear: activation must name an elementwise operation of one input; got .add.$"
    ):
        F.linear(x, w, b, activation="add")
    with autograd.no_grad(), pytest.raises(nn.errors.LayerError, match="the last axis of the input must be 2"):
        nn.MLP([2, 2, 1])(autograd.ones(1, 3))


def test_module_list_and_dict():
    a, b = nn.Linear(1, 2), nn.Tanh()
    layers = nn.ModuleList([a])
    layers.append(b)
    layers += [nn.ReLU()]
    layers.insert(0, nn.ReLU())
    assert [type(m).__name__ for m in layers] == ["ReLU", "Linear", "Tanh", "ReLU"]
    assert [type(m).__name__ for m in layers[1:3]] == ["Linear", "Tanh"]
    del layers[0]
    assert layers.pop() and layers[0] is a and len(layers) == 2 and list(layers._modules) == ["0", "1"]
    assert [n for n, _ in layers.named_parameters()] == ["0.weight", "0.bias"]
    named = nn.ModuleDict({"a": a})
    named["b"] = b
    named.update({"c": nn.ReLU()})
    assert list(named) == list(named.keys()) == ["a", "b", "c"] and "a" in named and named["a"] is a
    assert next(iter(named.values())) is a and dict(named.items())["b"] is b
    assert named.pop("b") is b and len(named) == 2
    named.clear()
    assert not len(named)


def test_parameter_containers():
    weights = nn.ParameterList([autograd.ones(2), nn.Parameter(autograd.zeros(3))])
    weights.append(autograd.ones(1))
    assert len(weights) == 3 and isinstance(weights[0], nn.Parameter) and weights[-1].shape == (1,)
    assert [n for n, _ in weights.named_parameters()] == ["0", "1", "2"] and len(weights[:2]) == 2
    named = nn.ParameterDict({"a": autograd.ones(2)})
    named["b"] = autograd.ones(1)
    assert list(named) == ["a", "b"] and "a" in named and named.get("z") is None
    assert named.pop("a").shape == (2,) and [n for n, _ in named.named_parameters()] == ["b"]
    assert named.setdefault("c", autograd.ones(4)).shape == (4,) and len(named.copy()) == 2
    assert named.popitem()[0] == "c"


def test_repr_is_pytorch_s():
    def models(lib, ones):
        yield lib.ParameterList([ones(2, 3)])
        yield lib.ParameterList([ones(2, 3), lib.Parameter(ones(1))])
        yield lib.ModuleDict({"a": lib.ReLU(), "b": lib.ParameterList([ones(1), ones(2)])})
        yield lib.Sequential(lib.ModuleList([lib.Linear(1, 1) for _ in range(3)]), lib.ModuleDict())

    for mine, theirs in zip(models(nn, autograd.ones), models(torch.nn, torch.ones), strict=True):
        assert repr(mine) == repr(theirs).replace("torch.", "")


def test_mlp():
    net = nn.MLP([4, 8, 6, 2], activation="gelu", dropout=0.1, batch_norm=True)
    kinds = ["Linear", "BatchNorm1d", "GELU", "Dropout"]
    assert [type(m).__name__ for m in net] == [*kinds, *kinds, "Linear"]
    assert [type(m).__name__ for m in nn.MLP([1, 2, 1], activation=nn.Sigmoid)] == ["Linear", "Sigmoid", "Linear"]
    assert len(nn.MLP([3, 1])) == 1
    for activation, got in (("nope", "'nope'"), (None, "None"), (nn.ReLU(), r"ReLU\(\)")):
        with pytest.raises(
            ValueError, match=rf"^MLP: activation must be one of .*relu.* or a module class; got {got}$"
        ):
            nn.MLP([1, 2, 1], activation=activation)
    with pytest.raises(TypeError, match=r"^MLP: dropout must be a number in \[0, 1\]; got None; 0 for none$"):
        nn.MLP([1, 2, 1], dropout=None)


def test_repr_of_nested_models():
    text = repr(nn.Sequential(nn.ModuleList([nn.Tanh(), nn.Tanh(), nn.ReLU(inplace=True)]), nn.Sequential()))
    assert text == (
        "Sequential(\n  (0): ModuleList(\n    (0-1): 2 x Tanh()\n    (2): ReLU(inplace=True)\n  )\n  (1): Sequential()\n)"
    )
