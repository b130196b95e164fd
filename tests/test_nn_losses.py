"""Every loss against PyTorch's, with every reduction, and the laws of sample weights: a new loss is a new row."""

import numpy as np
import pytest
import torch
from nn_table import Case, assert_equal_modules, assert_gradients_check, signature
from oracle import assert_same, to_ours
from samples import n, x

import autograd
import nn

CASES: list[Case] = []
BATCHED: list[Case] = []


def loss(name, *args, inputs, batched=True, options=None, **kwargs):
    """Add a row for each reduction; the inputs' first axis is that of the samples unless said otherwise."""
    for reduction in ("mean", "sum", "none"):
        case = Case(name, args, {**kwargs, "reduction": reduction}, inputs, training=[True], **(options or {}))
        CASES.append(case)
        if batched:
            BATCHED.append(case)


def p(*shape, seed=0):
    """Probabilities along axis 1, or of yes."""
    return x(*shape, low=0.05, high=0.95, seed=seed)


def simplex(*shape, dim=1):
    e = np.exp(x(*shape, seed=9))
    return e / e.sum(dim, keepdims=True)


def ignoring(target, value):
    target = target.copy()
    target.flat[1] = value
    return target


weights = p(3, seed=7)

loss("MSELoss", inputs=[(x(4, 3), x(4, 3, seed=1)), (x(4), x(4, seed=1))])
loss("BCEWithLogitsLoss", inputs=[(x(4, 3, low=-30, high=30), p(4, 3)), (x(4), p(4))])
loss("BCEWithLogitsLoss", weight=p(4, 3, seed=2), inputs=[(x(4, 3), p(4, 3))], batched=False)
loss("BCEWithLogitsLoss", pos_weight=3 * weights, inputs=[(x(4, 3), p(4, 3))])
for _name, _input in (("NLLLoss", lambda *s: -p(*s)), ("CrossEntropyLoss", x)):
    _rows = [
        (_input(4, 3), n(4, high=3)),
        (_input(4, 3, 2), n(4, 2, high=3)),
        (_input(2, 3, 2, 2), n(2, 2, 2, high=3)),
        (_input(4, 3), ignoring(n(4, high=3), -100)),
    ]
    loss(_name, inputs=_rows)
    loss(_name, inputs=[(_input(3), n(high=3))], batched=False)
    loss(_name, weight=weights, inputs=_rows)
    loss(_name, ignore_index=1, weight=weights, inputs=_rows[:3])
loss("CrossEntropyLoss", label_smoothing=0.2, inputs=[(x(4, 3), n(4, high=3)), (x(4, 3, 2), n(4, 2, high=3))])
loss("CrossEntropyLoss", label_smoothing=0.2, weight=weights, inputs=[(x(4, 3), ignoring(n(4, high=3), -100))])
loss("CrossEntropyLoss", label_smoothing=0.2, ignore_index=2, inputs=[(x(4, 3, 2), n(4, 2, high=3))])
loss("CrossEntropyLoss", inputs=[(x(4, 3), simplex(4, 3)), (x(2, 3, 2), simplex(2, 3, 2))])
loss("CrossEntropyLoss", label_smoothing=0.1, weight=weights, inputs=[(x(4, 3), simplex(4, 3))])
loss("CrossEntropyLoss", inputs=[(x(3), simplex(3, dim=0))], batched=False)

every_loss = pytest.mark.parametrize("case", CASES, ids=map(repr, CASES))
with_batch = pytest.mark.parametrize("case", BATCHED, ids=map(repr, BATCHED))


@every_loss
def test_equals_pytorch(case):
    assert_equal_modules(case)


@pytest.mark.parametrize("case", CASES[::3], ids=map(repr, CASES[::3]))
def test_gradients(case):
    assert_gradients_check(case)


def run(case, args, **kwargs):
    mine, _ = case.make()
    given = to_ours(args, "float64", True)
    out = mine(*given, **kwargs)
    out.sum().backward()
    return out, given[0].grad


@with_batch
def test_weights_of_one_change_nothing(case):
    for args in case.inputs:
        ones = autograd.ones(case.samples(args))
        for a, b in zip(run(case, args), run(case, args, sample_weight=ones), strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-14)


@with_batch
def test_integer_weights_are_repetition(case):
    for args in case.inputs:
        counts = np.arange(case.samples(args)) % 3
        weighted, gradient = run(case, args, sample_weight=autograd.from_numpy(counts))
        repeated = tuple(np.repeat(a, counts, axis) for a, axis in zip(args, case.batch_axes(args), strict=True))
        expected, parts = run(case, repeated)
        if case.kwargs["reduction"] == "none":
            per_sample = weighted.reshape(len(counts), -1).sum(1)
            owner = np.repeat(np.arange(len(counts)), counts)
            total = np.zeros(len(counts))
            np.add.at(total, owner, expected.detach().numpy().reshape(len(owner), -1).sum(1))
            np.testing.assert_allclose(per_sample.detach().numpy(), total, rtol=1e-12, atol=1e-14)
            continue
        np.testing.assert_allclose(weighted.item(), expected.item(), rtol=1e-12)
        axis = case.batch_axes(args)[0]
        owner = np.repeat(np.arange(len(counts)), counts)
        total = np.zeros(np.moveaxis(gradient.numpy(), axis, 0).shape)
        np.add.at(total, owner, np.moveaxis(parts.numpy(), axis, 0))
        np.testing.assert_allclose(np.moveaxis(gradient.numpy(), axis, 0), total, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", sorted({case.name for case in CASES}))
def test_signatures(name):
    assert signature(getattr(nn, name)) == signature(getattr(torch.nn, name))


def test_weights_of_elements_and_of_samples():
    a, t, w = autograd.randn(4, 3), autograd.randn(4, 3), autograd.rand(4, 3)
    for name in ("mse_loss",):
        theirs = getattr(torch.nn.functional, name)(*(torch.from_numpy(v.numpy()) for v in (a, t)), weight=torch.from_numpy(w.numpy()))
        mine = getattr(nn.functional, name)
        assert_same(mine(a, t, weight=w), theirs, name)
        both = mine(a, t, weight=w, sample_weight=autograd.tensor([1.0, 0.0, 2.0, 1.0]))
        rows = [0, 2, 2, 3]
        assert both.item() == pytest.approx(mine(a[rows], t[rows], weight=w[rows]).item(), rel=1e-6)


def test_old_names_of_reductions():
    a, t = autograd.randn(4, 3), autograd.randn(4, 3)
    assert nn.MSELoss(reduce=False).reduction == "none" and nn.MSELoss(size_average=False).reduction == "sum"
    assert nn.functional.mse_loss(a, t, True).item() == nn.MSELoss()(a, t).item()


def test_everything_ignored():
    out = nn.CrossEntropyLoss()(autograd.randn(2, 3), autograd.full((2,), -100))
    assert out.isnan() and nn.CrossEntropyLoss(reduction="sum")(autograd.randn(2, 3), autograd.full((2,), -100)) == 0


def test_extreme_scores():
    scores = autograd.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    out = nn.CrossEntropyLoss(label_smoothing=0.1)(scores, autograd.tensor([0, 0]))
    out.backward()
    assert out.isfinite() and scores.grad.isfinite().all()
    logit = autograd.tensor([1e4, -1e4], requires_grad=True)
    out = nn.BCEWithLogitsLoss()(logit, autograd.tensor([0.0, 1.0]))
    out.backward()
    assert out.item() == 1e4 and (logit.grad == autograd.tensor([0.5, -0.5])).all()


a, t = autograd.zeros(2, 3), autograd.zeros(2, dtype=autograd.int64)
F = nn.functional
ERRORS = [
    (
        lambda: F.cross_entropy(a, t + 3),
        IndexError,
        "cross_entropy: a target must be a class, 0 to 2; got 3 at row 1",
    ),
    (
        lambda: F.cross_entropy(a, t + 3, label_smoothing=0.1),
        IndexError,
        "cross_entropy: a target must be a class, 0 to 2; got 3",
    ),
    (
        lambda: F.cross_entropy(a, autograd.zeros(3, dtype=autograd.int64)),
        ValueError,
        "cross_entropy: the target must have the shape (2,) for an input (2, 3); got (3,)",
    ),
    (
        lambda: F.nll_loss(a, t.float()),
        RuntimeError,
        "nll_loss: classes must be integers; got float32; convert with long()",
    ),
    (
        lambda: F.nll_loss(a, t, weight=autograd.ones(2)),
        RuntimeError,
        "nll_loss: weight must have one value for each of the 3 classes; got shape (2,)",
    ),
    (
        lambda: F.cross_entropy(a, t, reduction="average"),
        ValueError,
        "cross_entropy: reduction must be 'none', 'mean' or 'sum'; got 'average'",
    ),
    (
        lambda: F.cross_entropy(a, t, label_smoothing=2.0),
        ValueError,
        "cross_entropy: label_smoothing must be in [0, 1]; got 2.0",
    ),
    (
        lambda: F.cross_entropy(a, t, sample_weight=autograd.ones(3)),
        ValueError,
        "cross_entropy: sample_weight must have the shape (2,); got (3,)",
    ),
    (
        lambda: F.mse_loss(a, a, sample_weight=autograd.ones(3)),
        ValueError,
        "mse_loss: sample_weight must have the shape (2,) or (2, 3); got (3,)",
    ),
    (
        lambda: F.binary_cross_entropy_with_logits(a, a[0]),
        ValueError,
        "binary_cross_entropy_with_logits: the target must have the shape of the input; got (3,) for (2, 3)",
    ),
    (
        lambda: F.mse_loss(a, a[:, :1]),
        UserWarning,
        "mse_loss: the target should have the shape of the input; got (2, 1) for (2, 3); they are broadcast",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[e[2][:50] for e in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
