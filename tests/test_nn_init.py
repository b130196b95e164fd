"""The first values of parameters: their distribution, fans and gains, and that seeds repeat them."""

import math

import numpy as np
import pytest
import torch

import autograd
from nn import init

SHAPE = (60, 40, 5, 3)  # fan in 600, fan out 900


def drawn(name, *args, shape=SHAPE, **kwargs):
    tensor = autograd.zeros(*shape)
    assert getattr(init, name)(tensor, *args, **kwargs) is tensor
    return tensor.numpy().astype(float)


# name, arguments, standard deviation, largest absolute value
DRAWN = [
    ("uniform_", (-3, 3), math.sqrt(3), 3),
    ("normal_", (0, 2), 2, None),
    ("xavier_uniform_", (), math.sqrt(2 / 1500), math.sqrt(6 / 1500)),
    ("xavier_uniform_", (2.0,), 2 * math.sqrt(2 / 1500), 2 * math.sqrt(6 / 1500)),
    ("xavier_normal_", (), math.sqrt(2 / 1500), None),
    ("kaiming_uniform_", (), math.sqrt(2 / 600), math.sqrt(6 / 600)),
    ("kaiming_uniform_", (math.sqrt(5),), math.sqrt(1 / 1800), math.sqrt(1 / 600)),
    ("kaiming_normal_", (0, "fan_out", "relu"), math.sqrt(2 / 900), None),
    ("kaiming_normal_", (0, "fan_in", "tanh"), 5 / 3 / math.sqrt(600), None),
    ("lecun_uniform_", (), math.sqrt(1 / 600), math.sqrt(3 / 600)),
    ("lecun_normal_", (), math.sqrt(1 / 600), None),
    ("variance_scaling_", (2.0, "fan_avg", "normal"), math.sqrt(2 / 750), None),
    ("variance_scaling_", (1.0, "fan_out", "uniform"), math.sqrt(1 / 900), math.sqrt(3 / 900)),
    ("variance_scaling_", (1.0, "fan_in", "truncated"), math.sqrt(1 / 600), 2 * math.sqrt(1 / 600) / 0.87962566),
    ("trunc_normal_", (0.0, 1.0, -2.0, 2.0), 0.87962566, 2.0),
]


@pytest.mark.parametrize(("name", "args", "std", "largest"), DRAWN, ids=[f"{d[0]}{d[1]}" for d in DRAWN])
def test_distribution(name, args, std, largest):
    values = drawn(name, *args)
    assert abs(values.mean()) < 5 * std / math.sqrt(values.size)
    assert values.std() == pytest.approx(std, rel=0.02)
    if largest is not None:
        assert 0.97 * largest < np.abs(values).max() <= largest * (1 + 1e-6)
    elif "normal" in name:
        kurtosis = ((values / values.std()) ** 4).mean()
        assert kurtosis == pytest.approx(3, abs=0.1)


def test_truncated_normal_off_centre():
    values = drawn("trunc_normal_", 1.0, 1.0, 1.5, 4.0)
    assert values.min() >= 1.5 and values.max() <= 4
    assert values.mean() == pytest.approx(2.13, abs=0.02)


def test_fixed_values():
    assert (drawn("constant_", 0.3, shape=(2, 2)) == np.float32(0.3)).all()
    assert (drawn("constant_", autograd.tensor(0.5), shape=(2, 2)) == 0.5).all()
    assert (drawn("ones_", shape=(2,)) == 1).all() and not drawn("zeros_", shape=(2,)).any()
    assert (drawn("eye_", shape=(2, 3)) == np.eye(2, 3)).all()
    for shape, groups in [((4, 2, 3), 1), ((4, 2, 3, 3), 2), ((2, 4, 2, 3, 1), 1)]:
        expected = torch.nn.init.dirac_(torch.zeros(shape), groups).numpy()
        assert (drawn("dirac_", groups, shape=shape) == expected).all()


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (3, 2, 5), (5, 5)])
def test_orthogonal(shape):
    m = drawn("orthogonal_", 2.0, shape=shape).reshape(shape[0], -1)
    small = m @ m.T if m.shape[0] <= m.shape[1] else m.T @ m
    assert np.allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_sparse():
    values = drawn("sparse_", 0.3, 1.0, shape=(10, 50))
    assert ((values == 0).sum(0) == 3).all() and values[values != 0].std() == pytest.approx(1, rel=0.15)


def test_gains():
    for name in ("linear", "conv2d", "conv_transpose1d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.3))


def test_reproducible():
    random = [
        "uniform_",
        "normal_",
        "xavier_normal_",
        "kaiming_uniform_",
        "trunc_normal_",
        "orthogonal_",
        "lecun_normal_",
    ]
    for name in random:
        autograd.manual_seed(5)
        first = drawn(name, shape=(4, 3))
        autograd.manual_seed(5)
        assert (drawn(name, shape=(4, 3)) == first).all()
        own = drawn(name, shape=(4, 3), generator=autograd.Generator().manual_seed(5))
        assert (own == first).all()


def test_no_graph_is_left():
    weight = autograd.zeros(3, 3, requires_grad=True)
    init.normal_(weight)
    assert weight.is_leaf and weight.requires_grad and weight.array.any()


ERRORS = [
    (
        lambda t: init.xavier_uniform_(t),
        "xavier_uniform_: fan in and fan out need a tensor with 2 or more axes; got shape (3,)",
    ),
    (lambda t: init.eye_(t), "eye_: a matrix is needed; got shape (3,)"),
    (lambda t: init.dirac_(t), "dirac_: a tensor with 3, 4 or 5 axes is needed; got shape (3,)"),
    (lambda t: init.sparse_(t, 0.5), "sparse_: a matrix is needed; got shape (3,)"),
    (lambda t: init.orthogonal_(t), "orthogonal_: a tensor with 2 or more axes is needed; got shape (3,)"),
    (
        lambda t: init.kaiming_normal_(t, mode="fan"),
        "kaiming_normal_: mode must be 'fan_in' or 'fan_out'; got 'fan'",
    ),
    (
        lambda t: init.calculate_gain("swish"),
        "calculate_gain: a nonlinearity is one of conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, "
        "conv_transpose3d, leaky_relu, linear, relu, selu, sigmoid, tanh; got 'swish'",
    ),
    (
        lambda t: init.calculate_gain("leaky_relu", True),
        "calculate_gain: the slope of leaky_relu must be a number; got True",
    ),
    (
        lambda t: init.variance_scaling_(autograd.zeros(2, 2), mode="fan"),
        "variance_scaling_: mode must be one of fan_in, fan_out, fan_avg; got 'fan'",
    ),
    (
        lambda t: init.variance_scaling_(autograd.zeros(2, 2), distribution="x"),
        "variance_scaling_: distribution must be normal, truncated or uniform; got 'x'",
    ),
]


REFUSED = [
    (lambda l, i: i.constant_(l.zeros(2), None), "constant_: the value must be a number; got None"),
    (lambda l, i: i.constant_(l.zeros(2), [1.0, 2.0]), "constant_: the value must be a number; got [1.0, 2.0]"),
    (lambda l, i: i.normal_(l.zeros(2).long()), "normal_: the tensor must be floating; got int64"),
    (lambda l, i: i.uniform_(l.zeros(2).int()), "uniform_: the tensor must be floating; got int32"),
    (lambda l, i: i.xavier_normal_(l.zeros(2, 2).long()), "xavier_normal_: the tensor must be floating; got int64"),
    (lambda l, i: i.trunc_normal_(l.zeros(2).long()), "trunc_normal_: the tensor must be floating; got int64"),
    (lambda l, i: i.orthogonal_(l.zeros(2, 2).long()), "orthogonal_: the tensor must be floating; got int64"),
    (lambda l, i: i.sparse_(l.zeros(2, 2).long(), 0.5), "sparse_: the tensor must be floating; got int64"),
    (lambda l, i: i.uniform_(l.zeros(2), 2, 1), "uniform_: the lower bound must not be above the upper; got 2 and 1"),
    (lambda l, i: i.normal_(l.zeros(2), 0, -1), "normal_: std must not be negative; got -1"),
    (lambda l, i: i.sparse_(l.zeros(2, 2), 0.5, -1), "sparse_: std must not be negative; got -1"),
    (
        lambda l, i: i.trunc_normal_(l.zeros(2), 0.0, 1.0, 2.0, 1.0),
        "trunc_normal_: std must be positive and a not above b; got std=1.0, a=2.0 and b=1.0",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message[:50] for _, message in REFUSED])
def test_what_pytorch_refuses(call, message):
    with pytest.raises((RuntimeError, TypeError, ValueError)) as theirs:
        call(torch, torch.nn.init)
    with pytest.raises((RuntimeError, TypeError, ValueError)) as ours:
        call(autograd, init)
    assert issubclass(ours.type, theirs.type)
    assert str(ours.value) == message


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[e[1][:50] for e in ERRORS])
def test_errors(call, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (compared in full below)
        call(autograd.zeros(3))
    assert str(caught.value) == message
