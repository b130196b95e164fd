"""What Module does with its attributes, its state, its hooks and its errors."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import safetensors.torch
import torch

import autograd
import nn
import optim


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(autograd.ones(()))
        self.hidden = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh())
        self.out = nn.Linear(4, 2, bias=False)
        self.register_buffer("seen", autograd.zeros(1))
        self.register_buffer("scratch", autograd.zeros(1), persistent=False)

    def forward(self, x):
        return self.out(self.hidden(x)) * self.scale


def test_parameter():
    data = autograd.ones(2)
    parameter = nn.Parameter(data)
    assert repr(parameter) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert parameter.array is data.array and parameter.requires_grad and parameter.is_leaf
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert type(parameter * 2) is autograd.Tensor and type(parameter.detach()) is autograd.Tensor


def test_names_and_order():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "scale", "hidden.0.weight", "hidden.0.bias", "hidden.1.weight", "hidden.1.bias", "out.weight",
    ]  # fmt: skip
    assert [n for n, _ in net.named_parameters(prefix="m", recurse=False)] == ["m.scale"]
    assert [n for n, _ in net.named_buffers()] == [
        "seen", "scratch", "hidden.1.running_mean", "hidden.1.running_var", "hidden.1.num_batches_tracked",
    ]  # fmt: skip
    assert [n for n, _ in net.named_modules()] == ["", "hidden", "hidden.0", "hidden.1", "hidden.2", "out"]
    assert [n for n, _ in net.named_children()] == ["hidden", "out"]
    assert len(list(net.modules())) == 6 and len(list(net.children())) == 2
    assert len(list(net.parameters())) == 6 and len(list(net.buffers())) == 5
    assert net.get_submodule("hidden.0") is net.hidden[0] and net.get_submodule("") is net
    assert net.get_parameter("hidden.0.bias") is net.hidden[0].bias
    assert net.get_buffer("hidden.1.running_var") is net.hidden[1].running_var


def test_shared_parts_are_named_once():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    net.append(net[0])
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert [n for n, _ in net.named_modules()] == ["", "0", "1"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_assignment_moves_a_name_between_kinds():
    m = nn.Module()
    m.a = 1
    m.a = nn.Parameter(autograd.ones(1))
    assert list(m._parameters) == ["a"] and m.a is m._parameters["a"]
    m.a = nn.Linear(1, 1)
    assert not m._parameters and list(m._modules) == ["a"]
    del m.a
    assert not hasattr(m, "a") and not m._modules
    m.register_parameter("w", None)
    assert m.w is None and not list(m.parameters())
    m.w = nn.Parameter(autograd.ones(1))
    m.w = None
    assert "w" in m._parameters and m.state_dict() == {}
    m.register_buffer("b", autograd.ones(1))
    m.b = autograd.zeros(1)
    assert m.b is m._buffers["b"]
    assert "b" in dir(m)


ERRORS = [
    (lambda: Net().missing, AttributeError, "'Net' object has no attribute 'missing'"),
    (
        lambda: setattr(Net(), "scale", autograd.ones(())),
        TypeError,
        "Net: the parameter 'scale' must be a Parameter or None; got Tensor; del it first to make it a plain attribute",
    ),
    (
        lambda: setattr(Net(), "out", 3),
        TypeError,
        "Net: the submodule 'out' must be a Module or None; got int; del it first to make it a plain attribute",
    ),
    (
        lambda: Net().register_parameter("x", autograd.ones(1)),
        TypeError,
        "Net: the parameter 'x' must be a Parameter or None; got Tensor; wrap it in nn.Parameter",
    ),
    (
        lambda: Net().register_buffer("x", 3),
        TypeError,
        "Net: the buffer 'x' must be a Tensor or None; got int",
    ),
    (
        lambda: Net().register_buffer("forward", autograd.ones(1)),
        KeyError,
        "\"Net: an attribute 'forward' exists already; give the buffer another name\"",
    ),
    (
        lambda: Net().add_module("a.b", nn.Tanh()),
        KeyError,
        "\"Net: the name of a submodule must not be empty or contain a dot; got 'a.b'\"",
    ),
    (lambda: Net().add_module("a", 3), TypeError, "Net: the submodule 'a' must be a Module or None; got int"),
    (
        lambda: Net().get_submodule("hidden.9"),
        AttributeError,
        "get_submodule: Sequential has no submodule '9'; got the path 'hidden.9'",
    ),
    (
        lambda: Net().get_parameter("out.bias"),
        AttributeError,
        "get_parameter: Linear has no parameter 'bias'; got the path 'out.bias'",
    ),
    (lambda: nn.Module()(1), NotImplementedError, "Module: forward(self, ...) must be defined"),
    (lambda: Net().train("yes"), ValueError, "train: mode must be True or False; got 'yes'"),
    (lambda: Net().to(autograd.int64), TypeError, "to: a module can be converted to a floating dtype only; got int64"),
    (
        lambda: Net()(autograd.ones(2, 5)),
        RuntimeError,
        'Linear(in_features=3) at "hidden.0": the last axis of the input must be 3, got (2, 5)',
    ),
    (
        lambda: nn.Linear(3, 1)(autograd.ones(2, 3).double()),
        RuntimeError,
        "Linear(in_features=3): the input must be float32 as the weight is, got float64; convert with to()",
    ),
    (
        lambda: nn.BatchNorm1d(3)(autograd.ones(2, 4)),
        RuntimeError,
        "BatchNorm1d(3): axis 1 of the input must be 3 (channels), got (2, 4)",
    ),
    (
        lambda: nn.BatchNorm1d(3)(autograd.ones(3)),
        RuntimeError,
        "BatchNorm1d(3): the input must be (n, c) or (n, c, l), got (3,)",
    ),
    (
        lambda: nn.BatchNorm1d(3)(autograd.ones(1, 3)),
        ValueError,
        "batch_norm: training needs more than one value for each channel; got shape (1, 3)",
    ),
    (lambda: nn.Dropout(1.5), ValueError, "Dropout: p must be in [0, 1]; got 1.5"),
    (lambda: nn.MLP([3]), ValueError, "MLP: sizes must name the inputs and the outputs at least; got [3]"),
    (lambda: nn.Sequential()[0], IndexError, "Sequential: the index must be in [0, -1]; got 0"),
    (
        lambda: nn.Linear(2, 2, device="cuda"),
        RuntimeError,
        "empty: the only device is \"cpu\"; got 'cuda'",
    ),
    (
        lambda: Net().load_state_dict({"scale": np.ones(2), "other": np.ones(1)}),
        RuntimeError,
        "load_state_dict: the state does not fit Net; missing seen, hidden.0.weight, hidden.0.bias, hidden.1.weight, "
        "hidden.1.bias, hidden.1.running_mean, hidden.1.running_var, out.weight; unexpected other; "
        "mismatching scale (2,) for ()",
    ),
    (
        lambda: Net().load_state_dict([1]),
        TypeError,
        "load_state_dict: a mapping from paths to tensors is needed; got list",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[e[2][:60] for e in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_forgotten_super_init():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError) as caught:
        Forgetful()
    assert str(caught.value) == (
        "Forgetful: super().__init__() must be called before the submodule 'layer' is assigned"
    )


def test_state_dict_round_trip():
    a, b = Net(), Net()
    a.hidden[1].running_mean.fill_(3)
    state = a.state_dict()
    assert "scratch" not in state and "seen" in state
    assert state["scale"].array is a.scale.array and not state["scale"].requires_grad
    assert repr(b.load_state_dict(state)) == "<All keys matched successfully>"
    x = autograd.randn(5, 3)
    assert (a.eval()(x) == b.eval()(x)).all()
    assert b.scale is b.state_dict(keep_vars=True)["scale"]
    del state["scale"]
    state["extra"] = autograd.ones(1)
    result = b.load_state_dict(state, strict=False)
    assert result.missing_keys == ["scale"] and result.unexpected_keys == ["extra"]
    c = Net().double()
    assert c.load_state_dict(a.state_dict()) and c.out.weight.dtype == autograd.float64
    d = Net()
    given = {k: v.clone() for k, v in a.state_dict().items()}
    d.load_state_dict(given, assign=True)
    assert d.out.weight.array is given["out.weight"].array and isinstance(d.out.weight, nn.Parameter)


def test_files(tmp_path):
    net, other = Net(), Net()
    net.save(tmp_path / "net.safetensors")
    assert repr(other.load(tmp_path / "net.safetensors")) == "<All keys matched successfully>"
    x = autograd.randn(5, 3)
    assert (net.eval()(x) == other.eval()(x)).all()
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    safetensors.torch.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    mine = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    mine.load(tmp_path / "theirs.safetensors")
    assert (mine[0].weight.detach().numpy() == theirs[0].weight.detach().numpy()).all()
    mine.save(tmp_path / "mine.safetensors")
    theirs.load_state_dict(safetensors.torch.load_file(tmp_path / "mine.safetensors"))


def test_extra_state():
    class Counter(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    a, b = nn.Sequential(Counter()), nn.Sequential(Counter())
    a[0].count = 3
    assert a.state_dict() == {"0._extra_state": {"count": 3}}
    b.load_state_dict(a.state_dict())
    assert b[0].count == 3


def test_train_eval_freeze_zero_grad_apply():
    net = Net()
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())
    net(autograd.randn(4, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(not p.grad.array.any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(autograd.randn(4, 3)).requires_grad
    order = []
    net.apply(lambda m: order.append(type(m).__name__))
    assert order == ["Linear", "BatchNorm1d", "Tanh", "Sequential", "Linear", "Net"]


def test_conversions_keep_the_tensors():
    net = Net()
    weight = net.out.weight
    net(autograd.randn(4, 3)).sum().backward()
    net.double()
    assert net.out.weight is weight and weight.dtype == weight.grad.dtype == autograd.float64
    assert net.hidden[1].num_batches_tracked.dtype == autograd.int64
    assert net.to(autograd.float32).out.weight.dtype == autograd.float32
    assert net.to("cpu") is net and net.to(dtype=autograd.float64).out.weight.dtype == autograd.float64
    assert net.float().to(autograd.zeros(1, dtype=autograd.float64)).out.weight.dtype == autograd.float64


def test_copies():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.out.weight is other._modules["out"]._parameters["weight"]
        assert other.out.weight is not net.out.weight and isinstance(other.out.weight, nn.Parameter)
        assert (other.out.weight == net.out.weight).all() and other.out.weight.requires_grad
        x = autograd.randn(3, 3)
        assert (other.eval()(x) == net.eval()(x)).all()


def test_a_module_from_memory_that_is_only_read_can_be_trained():
    buffers = []
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    text = pickle.dumps(model, protocol=5, buffer_callback=buffers.append)
    again = pickle.loads(text, buffers=[bytes(buffer) for buffer in buffers])
    again(autograd.randn(3, 2)).sum().backward()
    optim.Adam(again.parameters()).step()
    assert buffers and all(p.array.flags.writeable for p in again.parameters())


def test_a_model_is_freed_without_the_collector():
    gc.disable()
    try:
        net = Net()
        net(autograd.randn(4, 3)).sum().backward()
        gone = weakref.ref(net)
        del net
        assert gone() is None
    finally:
        gc.enable()


def test_forward_hooks():
    layer = nn.Linear(2, 2)
    seen = []
    before = layer.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    after = layer.register_forward_hook(lambda m, args, out: seen.append(args[0].array.copy()) or out + 1)
    x = autograd.ones(1, 2)
    y = layer(x)
    before.remove()
    after.remove()
    assert np.allclose(y.detach().numpy(), (layer(x * 2) + 1).detach().numpy())
    assert (seen[0] == 2).all()
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"input": x}), with_kwargs=True)
    assert (layer() == layer(input=x)).all()
    with layer.register_forward_hook(lambda m, args, kwargs, out: out * 0, with_kwargs=True):
        assert not layer(input=x).array.any()
    calls = []
    layer.register_forward_hook(lambda *a: calls.append(a[-1]), always_call=True)
    with pytest.raises(RuntimeError):
        nn.Linear.forward(layer, autograd.ones(1, 5))
    layer._hooks._at["forward_pre"].clear()
    with pytest.raises(RuntimeError):
        layer(autograd.ones(1, 5))
    assert calls == [None]


def test_hooks_in_order():
    layer, order = nn.Tanh(), []
    layer.register_forward_pre_hook(lambda *_: order.append("second"))
    layer.register_forward_pre_hook(lambda *_: order.append("first"), prepend=True)
    layer(autograd.ones(1))
    assert order == ["first", "second"]


def test_backward_hooks():
    layer = nn.Linear(2, 3)
    seen = {}
    layer.register_full_backward_hook(
        lambda m, gi, go: seen.update(gi=gi, go=go) or (None if gi[0] is None else (gi[0] * 10,))
    )
    layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 2,))
    x = autograd.ones(1, 2).requires_grad_()
    layer(x).sum().backward()
    assert (seen["go"][0] == 2).all()
    assert np.allclose(x.grad.numpy(), 20 * layer.weight.detach().numpy().sum(0))
    assert np.allclose(seen["gi"][0].numpy() * 10, x.grad.numpy())
    seen.clear()
    layer(autograd.ones(1, 2)).sum().backward()
    assert seen["gi"] == (None,) and (seen["go"][0] == 2).all()


def test_state_dict_hooks():
    layer, order = nn.Linear(1, 1), []
    layer.register_state_dict_pre_hook(lambda m, prefix, keep: order.append("pre"))
    layer.register_state_dict_post_hook(lambda m, state, prefix, meta: state.pop("bias") and None)
    layer.register_load_state_dict_pre_hook(lambda m, state, *_: state.setdefault("bias", np.zeros(1)) and None)
    layer.register_load_state_dict_post_hook(lambda m, result: result.missing_keys.clear())
    state = layer.state_dict()
    assert list(state) == ["weight"] and order == ["pre"]
    layer.load_state_dict(state)
    assert layer.bias.item() == 0


def test_nodes_know_their_module():
    net = Net()
    y = net(autograd.randn(4, 3))
    modules = []
    stack = [y.grad_fn]
    while stack:
        node = stack.pop()
        modules.append(node.module)
        stack += [edge for edge, _ in node.next_functions if hasattr(edge, "next_functions")]
    assert {net, net.out, net.hidden[0], net.hidden[1], net.hidden[2]} == set(modules)
    assert autograd.modes.state.within == (None, None)


def test_dropout_scales_and_repeats():
    x = autograd.ones(200, 200)
    drop = nn.Dropout(0.25)
    autograd.manual_seed(3)
    y = drop(x)
    autograd.manual_seed(3)
    assert (y == drop(x)).all()
    values = np.unique(y.numpy())
    assert np.allclose(values, [0, 1 / 0.75]) and abs(y.mean().item() - 1) < 0.02
    assert drop.eval()(x) is x
    assert not nn.Dropout(1.0)(x).array.any()
