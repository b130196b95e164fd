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


def sign(*shape, seed=0):
    return np.where(x(*shape, seed=seed) > 0, 1.0, -1.0)


for _name in ("L1Loss", "SmoothL1Loss", "HuberLoss"):
    loss(_name, inputs=[(x(4, 3), x(4, 3, seed=1)), (x(4), x(4, seed=1))])
loss("SmoothL1Loss", beta=0.3, inputs=[(x(4, 3), x(4, 3, seed=1))])
loss("SmoothL1Loss", beta=0, inputs=[(x(4, 3), x(4, 3, seed=1))])
loss("HuberLoss", delta=0.4, inputs=[(x(4, 3), x(4, 3, seed=1))])
loss("PoissonNLLLoss", inputs=[(x(4, 3), 4 * p(4, 3))])
loss("PoissonNLLLoss", full=True, inputs=[(x(4, 3), 4 * p(4, 3))], options={"differentiable": (0,)})
loss("PoissonNLLLoss", log_input=False, inputs=[(p(4, 3), 4 * p(4, 3))])
loss("GaussianNLLLoss", inputs=[(x(4, 3), x(4, 3, seed=1), p(4, 3)), (x(4, 3), x(4, 3, seed=1), p(4, 1))])
loss(
    "GaussianNLLLoss",
    full=True,
    eps=0.5,
    inputs=[(x(4, 3), x(4, 3, seed=1), p(4)), (x(4), x(4, seed=1), p(4))],
    options={"check": False},
)
loss("KLDivLoss", inputs=[(np.log(simplex(4, 3)), p(4, 3)), (x(4), p(4))])
loss("KLDivLoss", log_target=True, inputs=[(x(4, 3), x(4, 3, seed=1))])
loss("BCELoss", inputs=[(p(4, 3), p(4, 3, seed=1)), (p(4), p(4, seed=1))])
loss("BCELoss", weight=p(4, 3, seed=2), inputs=[(p(4, 3), p(4, 3, seed=1))], batched=False)
loss("SoftMarginLoss", inputs=[(x(4, 3), sign(4, 3))], options={"differentiable": (0,)})
loss("HingeEmbeddingLoss", inputs=[(x(4, 3), sign(4, 3, seed=1))], options={"differentiable": (0,)})
loss("HingeEmbeddingLoss", margin=0.4, inputs=[(x(4), sign(4, seed=1))], options={"differentiable": (0,)})
_pair = (x(4, 3), x(4, 3, seed=1))
loss("MarginRankingLoss", margin=0.2, inputs=[(*_pair, sign(4, 3)), (x(4), x(4, seed=1), sign(4, seed=2))])
loss("CosineEmbeddingLoss", inputs=[(*_pair, sign(4, seed=4))], options={"differentiable": (0, 1)})
loss("CosineEmbeddingLoss", margin=-0.5, inputs=[(*_pair, sign(4, seed=4))], options={"differentiable": (0, 1)})
loss("CosineEmbeddingLoss", inputs=[(x(3), x(3, seed=1), sign())], batched=False, options={"differentiable": (0, 1)})
loss("MultiMarginLoss", inputs=[(x(4, 3), n(4, high=3))], options={"second": False})
loss("MultiMarginLoss", inputs=[(x(3), n(high=3))], batched=False, options={"second": False})
loss("MultiMarginLoss", p=2, margin=0.5, weight=weights, inputs=[(x(4, 3), n(4, high=3))], options={"second": False})
_labels = np.array([[1, -1, 0], [0, 2, -1], [2, 1, 0], [-1, 0, 1]])
loss("MultiLabelMarginLoss", inputs=[(x(4, 3), _labels)], options={"second": False})
loss("MultiLabelMarginLoss", inputs=[(x(3), _labels[0])], batched=False, options={"second": False})
loss("MultiLabelSoftMarginLoss", inputs=[(x(4, 3), p(4, 3))])
loss("MultiLabelSoftMarginLoss", weight=weights, inputs=[(x(4, 3), p(4, 3))])
_three = (*_pair, x(4, 3, seed=2))
loss("TripletMarginLoss", inputs=[_three])
loss("TripletMarginLoss", inputs=[(x(3), x(3, seed=1), x(3, seed=2))], batched=False)
loss("TripletMarginLoss", p=1, margin=3.0, inputs=[_three])
loss("TripletMarginLoss", p=3.0, margin=3.0, swap=True, inputs=[_three])
loss("TripletMarginWithDistanceLoss", margin=2.0, inputs=[_three])
loss("TripletMarginWithDistanceLoss", margin=2.0, swap=True, inputs=[_three])

every_loss = pytest.mark.parametrize("case", CASES, ids=map(repr, CASES))
with_batch = pytest.mark.parametrize("case", BATCHED, ids=map(repr, BATCHED))


@every_loss
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # PyTorch's advice to use "batchmean"
def test_equals_pytorch(case):
    assert_equal_modules(case)


DERIVED = [case for case in CASES[::3] if case.check]


@pytest.mark.parametrize("case", DERIVED, ids=map(repr, DERIVED))
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
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        theirs = getattr(torch.nn.functional, name)(
            *(torch.from_numpy(v.numpy()) for v in (a, t)), weight=torch.from_numpy(w.numpy())
        )
        mine = getattr(nn.functional, name)
        assert_same(mine(a, t, weight=w), theirs, name)
        both = mine(a, t, weight=w, sample_weight=autograd.tensor([1.0, 0.0, 2.0, 1.0]))
        rows = [0, 2, 2, 3]
        assert both.item() == pytest.approx(mine(a[rows], t[rows], weight=w[rows]).item(), rel=1e-6)


def test_batchmean():
    a, t = np.log(simplex(4, 3)), p(4, 3)
    expected = torch.nn.KLDivLoss(reduction="batchmean")(torch.from_numpy(a), torch.from_numpy(t))
    mine = nn.KLDivLoss(reduction="batchmean")
    assert_same(mine(autograd.from_numpy(a), autograd.from_numpy(t)), expected, "batchmean")
    counts = np.array([2, 0, 1, 1])
    weighted = mine(autograd.from_numpy(a), autograd.from_numpy(t), sample_weight=counts)
    repeated = mine(*(autograd.from_numpy(np.repeat(v, counts, 0)) for v in (a, t)))
    assert weighted.item() == pytest.approx(repeated.item())


CTC = [
    ("padded", x(7, 4, 5), n(4, 3, low=1, high=5), [7, 6, 7, 4], [3, 2, 1, 3], 0),
    ("one after the other", x(7, 4, 5), n(8, low=1, high=5), [7, 6, 7, 4], [3, 2, 0, 3], 0),
    ("repeats", x(7, 2, 3), np.array([[1, 1, 1], [0, 0, 1]]), [7, 7], [3, 3], 2),
    ("one sample", x(7, 5), n(3, low=1, high=5), 7, 3, 0),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("row", CTC, ids=lambda row: row[0])
def test_ctc(row, reduction):
    _, scores, targets, times, lengths, blank = row
    # PyTorch's gradient is that of the scores before log_softmax, so compare it there.
    mine, theirs = autograd.tensor(scores, requires_grad=True), torch.tensor(scores, requires_grad=True)
    kwargs = {"blank": blank, "reduction": reduction}
    sizes = [torch.tensor(times), torch.tensor(lengths)]
    expected = torch.nn.CTCLoss(**kwargs)(theirs.log_softmax(-1), torch.from_numpy(targets), *sizes)
    sizes = [autograd.tensor(times), autograd.tensor(lengths)]
    out = nn.CTCLoss(**kwargs)(mine.log_softmax(-1), autograd.from_numpy(targets), *sizes)
    assert_same(out, expected, "CTC")
    out.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(mine.grad.numpy(), theirs.grad.numpy(), rtol=1e-9, atol=1e-13)


def test_ctc_weights_and_impossible_targets():
    scores, targets = autograd.tensor(x(4, 3, 3), requires_grad=True), np.array([[1, 1, 1], [1, 2, 1], [2, 2, 0]])
    args = (autograd.from_numpy(targets), [4, 4, 4], [3, 3, 2])
    log_p = scores.log_softmax(-1)
    assert nn.CTCLoss(reduction="none")(log_p, *args).tolist()[0] == float("inf")
    out = nn.CTCLoss(zero_infinity=True)(log_p, *args)
    out.backward()
    assert out.isfinite() and scores.grad.isfinite().all() and not scores.grad.array[:, 0].any()
    rows, args = [1, 2, 2], (autograd.from_numpy(targets[[1, 2, 2]]), [4, 4, 4], [3, 2, 2])
    repeated = nn.CTCLoss()(log_p[:, rows].detach(), *args)
    args = (autograd.from_numpy(targets[1:]), [4, 4], [3, 2])
    weighted = nn.CTCLoss()(log_p[:, 1:].detach(), *args, sample_weight=autograd.tensor([1.0, 2.0]))
    assert weighted.item() == pytest.approx(repeated.item(), rel=1e-12)
    assert autograd.gradcheck(lambda t: nn.CTCLoss()(t.log_softmax(-1)[:, 1:], *args), (scores,))


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
        "cross_entropy: a target must be a class, 0 to 2; got 3 at row 1",
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
        lambda: F.binary_cross_entropy(a * 0, a * 0 - 1),
        RuntimeError,
        "binary_cross_entropy: the target must be in [0, 1]; got values from -1.0 to -1.0",
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


def test_gradients_of_binary_cross_entropy_at_its_ends():
    """Where a probability is 0 or 1, and its logarithm was replaced, the slope is PyTorch's, not 0."""
    p, y = np.array([0.0, 0.0, 0.5, 1.0, 1.0]), np.array([0.0, 1.0, 0.25, 0.0, 1.0])
    gradients = []
    for library, loss in ((autograd, F.binary_cross_entropy), (torch, torch.nn.functional.binary_cross_entropy)):
        a, b = (library.from_numpy(v.copy()).requires_grad_() for v in (p, y))
        loss(a, b.detach()).backward()
        loss(a.detach(), b).backward()
        gradients.append((a.grad.numpy(), b.grad.numpy()))
    for mine, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-8)  # its bound of 1e-12 is a float32
