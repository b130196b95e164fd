"""Layers that draw random numbers, are ours, or do more than compute: what a table can't compare."""

import numpy as np
import pytest
import torch

import autograd
import nn
from nn import functional as F


@pytest.mark.parametrize(
    ("name", "shape", "channels"),
    [
        ("Dropout", (60, 50, 4), False),
        ("Dropout1d", (60, 50, 4), True),
        ("Dropout1d", (500, 4), True),
        ("Dropout2d", (60, 50, 2, 2), True),
        ("Dropout3d", (60, 50, 2, 1, 2), True),
    ],
)
def test_dropout(name, shape, channels):
    x = autograd.ones(*shape)
    y = getattr(nn, name)(0.2)(x).numpy()
    assert np.allclose(np.unique(y), [0, 1.25])
    assert abs(y.mean() - 1) < 0.1
    lead = 1 if len(shape) == 2 else 2
    rows = y.reshape(int(np.prod(shape[:lead])), -1)
    same = (rows == rows[:, :1]).all()
    assert same == channels
    z = x.clone()
    out = getattr(nn, name)(0.2, inplace=True)(z)
    assert out is z and len(np.unique(z.numpy())) == 2


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
def test_alpha_dropout_keeps_the_moments(name):
    x = autograd.randn(400, 300)
    y = getattr(nn, name)(0.3)(x)
    assert abs(y.mean().item()) < 0.02 and abs(y.std().item() - 1) < 0.02
    assert getattr(nn, name)(0.3, inplace=True)(z := x.clone()) is z
    assert not getattr(nn, name)(1.0)(x).array.any()


def test_feature_alpha_dropout_drops_channels():
    y = nn.FeatureAlphaDropout(0.5)(autograd.zeros(50, 40, 3)).numpy()
    assert (y == y[..., :1]).all() and len(np.unique(y)) == 2


def test_zoneout():
    new, old = autograd.ones(100, 100), autograd.zeros(100, 100)
    layer = nn.Zoneout(0.3)
    y = layer(new, old)
    assert set(np.unique(y.numpy())) == {0, 1} and abs(y.mean().item() - 0.7) < 0.02
    assert np.allclose(layer.eval()(new, old).numpy(), 0.7) and repr(layer) == "Zoneout(p=0.3)"


def test_maxout():
    layer = nn.Maxout(3, 2, num_pieces=4).double()
    x = autograd.randn(5, 3, dtype="float64").requires_grad_()
    pieces = x.detach().numpy() @ layer.linear.weight.detach().numpy().T + layer.linear.bias.detach().numpy()
    assert np.allclose(layer(x).detach().numpy(), pieces.reshape(5, 2, 4).max(-1))
    assert autograd.gradcheck(layer, (x,))


def test_lazy_linear():
    layer = nn.LazyLinear(2)
    assert repr(layer) == "LazyLinear(in_features=0, out_features=2, bias=True)"
    parameters = list(layer.parameters())
    assert repr(parameters[0]) == "<UninitializedParameter>"
    with pytest.raises(RuntimeError, match=r"^LazyLinear: it has no state before its first input"):
        layer.state_dict()
    y = layer(autograd.ones(5, 3))
    assert type(layer) is nn.Linear and y.shape == (5, 2) and layer.weight is parameters[0]
    assert type(parameters[0]) is nn.Parameter and parameters[0].shape == (2, 3)
    other = nn.Sequential(nn.LazyLinear(2))
    other.load_state_dict({"0.weight": layer.weight, "0.bias": layer.bias})
    assert (other(autograd.ones(5, 3)) == y).all()


def test_embedding_from_pretrained():
    table = autograd.randn(4, 3)
    layer = nn.Embedding.from_pretrained(table, padding_idx=1)
    assert not layer.weight.requires_grad and (layer(autograd.tensor([2])) == table[2]).all()
    assert layer.padding_idx == 1 and nn.EmbeddingBag.from_pretrained(table, freeze=False).weight.requires_grad
    assert not nn.Embedding(4, 3, padding_idx=-1).weight[3].detach().array.any()


def test_embedding_rows_are_scaled_in_place():
    layer = nn.Embedding(4, 3, max_norm=0.5)
    layer(autograd.tensor([1, 2, 1]))
    norms = np.linalg.norm(layer.weight.detach().numpy(), axis=1)
    assert (norms[1:3] <= 0.5001).all() and (norms[[0, 3]] > 0.5001).any()


def test_batch_norm_state_without_a_count():
    layer = nn.BatchNorm1d(2)
    state = dict(layer.state_dict())
    del state["num_batches_tracked"]
    layer.load_state_dict(state)
    layer.reset_running_stats()
    theirs = torch.nn.BatchNorm1d(2)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in layer.state_dict().items()})


def test_one_hot_and_pdist():
    assert F.one_hot(autograd.tensor([1, 0])).tolist() == [[0, 1], [1, 0]]
    rows = np.random.default_rng(0).normal(size=(4, 3))
    for p in (1.0, 2.0, 3.0):
        expected = torch.nn.functional.pdist(torch.from_numpy(rows), p).numpy()
        assert np.allclose(F.pdist(autograd.from_numpy(rows), p).numpy(), expected)
    for p in (1.0, 2.0, 0.5):
        expected = torch.nn.functional.normalize(torch.from_numpy(rows), p=p).numpy()
        assert np.allclose(F.normalize(autograd.from_numpy(rows), p=p).numpy(), expected)


def test_the_norm_of_zero_has_gradient_zero():
    x = autograd.zeros(2, 3, requires_grad=True)
    for p in (1.0, 2.0, 3.0):
        x.grad = None
        F.normalize(x, p=p).sum().backward()
        F.pairwise_distance(x, autograd.zeros(2, 3), p=p, eps=0.0).sum().backward()
        assert x.grad.isfinite().all()


a = autograd.zeros(2, 3)
ERRORS = [
    (
        lambda: F.embedding(autograd.tensor([5]), a),
        IndexError,
        "embedding: an index must be in 0 to 1; got 5",
    ),
    (
        lambda: F.embedding(a, a),
        RuntimeError,
        "embedding: the input must be int64 or int32; got float32; convert with long()",
    ),
    (
        lambda: nn.Embedding(3, 2, padding_idx=3),
        AssertionError,
        "Embedding: padding_idx must be in -3 to 2; got 3",
    ),
    (
        lambda: F.embedding_bag(autograd.tensor([1]), a),
        ValueError,
        "embedding_bag: offsets must be given for an input with one axis; got None",
    ),
    (
        lambda: nn.Bilinear(2, 3, 1)(a, a),
        RuntimeError,
        "bilinear: the inputs must be (*, 2) and (*, 3); got (2, 3) and (2, 3)",
    ),
    (
        lambda: nn.LayerNorm(4)(a),
        RuntimeError,
        "LayerNorm((4,)): the last axes of the input must be (4,), got (2, 3)",
    ),
    (
        lambda: nn.GroupNorm(2, 3),
        ValueError,
        "GroupNorm: num_channels must be divisible by num_groups; got 3 and 2",
    ),
    (
        lambda: nn.GroupNorm(2, 4)(a),
        RuntimeError,
        "GroupNorm(2, 4): axis 1 of the input must be 4 (channels), got (2, 3)",
    ),
    (
        lambda: nn.InstanceNorm1d(4, affine=True)(a),
        RuntimeError,
        "InstanceNorm1d(4): axis -2 of the input must be 4 (channels), got (2, 3)",
    ),
    (
        lambda: nn.PixelShuffle(2)(autograd.zeros(3, 2, 2)),
        RuntimeError,
        "pixel_shuffle: axis -3 must be divisible by 2^2; got shape (3, 2, 2)",
    ),
    (
        lambda: nn.LayerNorm(3)(a.double()),
        RuntimeError,
        "layer_norm: input and weight must have one dtype; got float64 and float32; convert one with to()",
    ),
    (
        lambda: nn.Linear(3, 1)([[1.0, 2.0, 3.0]]),
        TypeError,
        "Linear(in_features=3): the input must be a Tensor, got list",
    ),
    (
        lambda: nn.CrossEntropyLoss()(a, [0, 1]),
        TypeError,
        "cross_entropy: the target must be a Tensor; got list; use as_tensor()",
    ),
    (lambda: nn.Zoneout(2), ValueError, "Zoneout: p must be in [0, 1]; got 2"),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[e[2][:50] for e in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["running_mean", "running_var"])
def test_a_graph_that_read_a_running_statistic_notices_that_it_moved(name):
    norm, weight = nn.BatchNorm1d(3), autograd.ones(3, requires_grad=True)
    y = (getattr(norm, name) * weight).sum()
    norm(autograd.ones(4, 3))
    with pytest.raises(RuntimeError, match="a value saved for backward was changed in place"):  # PyTorch's is wrong
        y.backward()
