"""What the tables of modules don't reach: kinks and extremes, random functions, signatures, errors."""

import numpy as np
import pytest
import torch
from nn_table import signature

import autograd
import nn
from nn import functional as F

KINKS = [-1e4, -50.0, -6.0, -3.0, -1.0, -0.5, -1e-3, -0.0, 0.0, 1e-3, 0.5, 1.0, 3.0, 6.0, 20.0, 50.0, 1e4]
ACTIVATIONS = [
    "relu", "relu6", "hardtanh", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "hardsigmoid", "hardswish",
    "softplus", "logsigmoid", "softsign", "tanhshrink", "hardshrink", "softshrink", "sigmoid", "tanh",
]  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_kinks_and_extremes(name):
    mine = autograd.tensor(KINKS, dtype="float64").requires_grad_()
    theirs = torch.tensor(KINKS, dtype=torch.float64, requires_grad=True)
    out, expected = getattr(F, name)(mine), getattr(torch.nn.functional, name)(theirs)
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-14)
    out.sum().backward()
    expected.sum().backward()
    assert mine.grad.isfinite().all()
    rtol = 1e-7 if name == "hardsigmoid" else 1e-10  # its 1/6 there is a float32
    np.testing.assert_allclose(mine.grad.numpy(), theirs.grad.numpy(), rtol=rtol, atol=1e-14)


def test_nan_comes_through():
    for name in ACTIVATIONS:
        assert getattr(F, name)(autograd.tensor([float("nan")])).isnan().all(), name


# The rest are built-in functions, which have no signature to read.
WRITTEN_IN_PYTHON = [
    n
    for n in F.__dict__
    if hasattr(torch.nn.functional, n) and type(getattr(torch.nn.functional, n)).__name__ == "function"
]


@pytest.mark.parametrize("name", WRITTEN_IN_PYTHON)
def test_signatures(name):
    ours = [p for p in signature(getattr(F, name)) if p[0] != "sample_weight"]
    theirs = signature(getattr(torch.nn.functional, name))
    assert not theirs or ours == theirs  # some of PyTorch's take just *args


@pytest.mark.parametrize("name", ["relu", "elu", "celu", "selu", "leaky_relu", "hardtanh", "rrelu"])
def test_underscore_is_in_place(name):
    x = autograd.randn(5)
    expected = getattr(F, name)(x)
    out = getattr(F, f"{name}_")(x)
    assert out is x and (x == expected).all()
    leaf = autograd.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf that requires a gradient can't be changed in place"):
        getattr(F, f"{name}_")(leaf)


def test_random_slopes():
    x = -autograd.ones(1000, dtype="float64").requires_grad_()
    layer = nn.RReLU(0.1, 0.3)
    y = layer(x)
    assert -0.3 <= y.min().item() < -0.29 and -0.11 < y.max().item() <= -0.1
    y.sum().backward()


def test_gumbel_softmax():
    logits = autograd.tensor([[0.0, 1.0, 2.0]]).expand(20000, 3).clone().requires_grad_()
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True)
    assert set(np.unique(hard.detach().numpy().round(6))) == {0, 1}
    frequency = hard.detach().numpy().mean(0)
    assert np.allclose(frequency, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), atol=0.02)
    (hard * autograd.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert logits.grad.array.any()
    assert np.allclose(F.gumbel_softmax(logits).sum(1).detach().numpy(), 1, atol=1e-5)


def test_step():
    x = autograd.tensor([-1.0, 0.0, 0.5, 2.0], requires_grad=True)
    assert nn.Step(0.5)(x).tolist() == [0, 0, 1, 1] and repr(nn.Step(0.5)) == "Step(threshold=0.5)"
    F.step(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 0, 0]


a = autograd.zeros(2, 3)
ERRORS = [
    (
        lambda: F.softmax(a),
        UserWarning,
        "softmax: dim should be given; got none for shape (2, 3); dim=1 is taken",
    ),
    (lambda: F.gelu(a, "exact"), RuntimeError, "gelu: approximate must be 'none' or 'tanh'; got 'exact'"),
    (lambda: F.glu(a), RuntimeError, "glu: the length along dim -1 must be even; got shape (2, 3)"),
    (lambda: F.hardtanh(a, 1, 0), ValueError, "hardtanh: min_val must not be above max_val; got 1 and 0"),
    (lambda: F.rrelu(a, 1, 0), ValueError, "rrelu: lower must not be above upper; got 1 and 0"),
    (
        lambda: F.prelu(a, autograd.ones(2)),
        RuntimeError,
        "prelu: weight must have one value, or one for each channel; got 2 for (2, 3)",
    ),
    (
        lambda: nn.Softmax2d()(a),
        ValueError,
        "Softmax2d: the input must be (n, c, h, w) or (c, h, w); got (2, 3)",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[e[2][:50] for e in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
