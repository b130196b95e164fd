"""Modules that hold others: Sequential, lists and dicts of modules and parameters, MLP."""

import pytest
import torch

import autograd
import nn


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
    with pytest.raises(ValueError, match=r"^MLP: activation must be one of .*relu.* or a module class; got 'nope'$"):
        nn.MLP([1, 2, 1], activation="nope")


def test_repr_of_nested_models():
    text = repr(nn.Sequential(nn.ModuleList([nn.Tanh(), nn.Tanh(), nn.ReLU(inplace=True)]), nn.Sequential()))
    assert text == (
        "Sequential(\n  (0): ModuleList(\n    (0-1): 2 x Tanh()\n    (2): ReLU(inplace=True)\n  )\n  (1): Sequential()\n)"
    )
