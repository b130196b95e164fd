"""Pruning: masks, gradients and states are PyTorch's."""

import numpy as np
import pytest
import torch
from nn_table import signature
from oracle import assert_same
from samples import x
from torch.nn.utils import prune as theirs

import autograd
import nn
from nn.utils import parametrizations
from nn.utils import prune as ours

inf = float("inf")


def tensors(array):
    return autograd.from_numpy(np.array(array)), torch.from_numpy(np.array(array))


def pair(name="Linear", *args):
    """A layer of each library with the same parameters, no two of which are equally large."""
    args = args or (4, 6)
    mine, other = getattr(nn, name)(*args).double(), getattr(torch.nn, name)(*args).double()
    for i, (p, q) in enumerate(zip(mine.parameters(), other.parameters(), strict=True)):
        p.data, q.data = tensors(x(*p.shape, seed=i))
    return mine, other


LINEAR, CONV = ("Linear", 4, 6), ("Conv2d", 3, 5, 2)
SAME = [
    (LINEAR, [("identity", "weight")]),
    *((layer, [("l1_unstructured", "weight", amount)]) for layer in (LINEAR, CONV) for amount in (0, 3, 0.5, 1.0, 0.0)),
    (LINEAR, [("l1_unstructured", "bias", 0.3)]),
    *((LINEAR, [("ln_structured", "weight", 2, n, dim)]) for n in (1, 2, 3.0, inf, -inf, "fro") for dim in (0, 1, -1)),
    *((CONV, [("ln_structured", "weight", 0.4, n, dim)]) for n in (1, 2, inf) for dim in (0, 1, -1)),
    (("Conv1d", 3, 5, 2), [("ln_structured", "weight", 2, "nuc", 0)]),
    (LINEAR, [("ln_structured", "weight", 0, 2, 0)]),
    (LINEAR, [("l1_unstructured", "weight", 0.5), ("l1_unstructured", "weight", 0.5), ("l1_unstructured", "weight", 2)]),
    (LINEAR, [("ln_structured", "weight", 0.5, 2, 0), ("ln_structured", "weight", 0.5, 2, 0)]),
    (LINEAR, [("ln_structured", "weight", 1, 2, 0), ("ln_structured", "weight", 1, 1, 1), ("l1_unstructured", "weight", 0.3)]),
    (LINEAR, [("l1_unstructured", "weight", 10), ("ln_structured", "weight", 2, 2, 0)]),
    (CONV, [("ln_structured", "weight", 2, 2, 0), ("ln_structured", "weight", 1, inf, -1)]),
    (LINEAR, [("l1_unstructured", "weight", 10), ("identity", "weight")]),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "calls"), SAME, ids=str)
def test_masks_are_pytorchs(layer, calls):
    mine, other = pair(*layer)
    for name, *args in calls:
        assert getattr(ours, name)(mine, *args) is mine
        getattr(theirs, name)(other, *args)
        assert list(mine.state_dict()) == list(other.state_dict())
        for key, value in other.state_dict().items():
            assert_same(mine.state_dict()[key], value, f"{key} after {name}{args}")
    name = calls[-1][1]
    inputs, inputs_ = tensors(
        x(2, layer[1], 4, 4)[(...,) if layer[0] == "Conv2d" else (slice(None), slice(None), 0, 0)]
    )
    if layer[0] == "Conv1d":
        inputs, inputs_ = tensors(x(2, 3, 4))
    out, out_ = mine(inputs), other(inputs_)
    assert_same(out, out_, "output")
    (out * out).sum().backward()
    (out_ * out_).sum().backward()
    for (key, p), (key_, q) in zip(mine.named_parameters(), other.named_parameters(), strict=True):
        assert key == key_
        assert_same(p.grad, q.grad, f"gradient of {key}")
    assert ours.is_pruned(mine) and ours.is_pruned(nn.Sequential(mine))
    held = dict(mine.named_parameters())[f"{name}_orig"]
    assert ours.remove(mine, name) is mine
    theirs.remove(other, name)
    assert list(mine.state_dict()) == list(other.state_dict()) and getattr(mine, name) is held
    for key, value in other.state_dict().items():
        assert_same(mine.state_dict()[key], value, f"{key} after all")
    assert not ours.is_pruned(mine) and repr(mine) == repr(other)


def test_signatures():
    for name in (
        "identity", "random_unstructured", "l1_unstructured", "random_structured", "ln_structured",
        "global_unstructured", "custom_from_mask", "remove", "is_pruned", "RandomUnstructured", "L1Unstructured",
        "RandomStructured", "LnStructured", "CustomFromMask",
    ):  # fmt: skip
        assert signature(getattr(ours, name)) == signature(getattr(theirs, name)), name


@pytest.mark.parametrize("amount", [5, 0.25, 0, 24])
def test_random_masks(amount):
    layer = nn.Linear(4, 6)
    ours.random_unstructured(layer, "weight", amount)
    assert (layer.weight_mask == 0).sum().item() == (round(amount * 24) if isinstance(amount, float) else amount)
    again = ours.random_unstructured(nn.Linear(4, 6), "weight", 12).weight_mask
    other = ours.random_unstructured(nn.Linear(4, 6), "weight", 12).weight_mask
    assert (again != other).any()


def test_random_structured_masks_whole_slices_of_those_left():
    layer = nn.Conv2d(3, 8, 2)
    for masked in (4, 6, 7):
        ours.random_structured(layer, "weight", 0.5, 0)
        rows = layer.weight_mask.reshape(8, -1)
        assert ((rows == 0).all(1) | (rows == 1).all(1)).all() and (rows[:, 0] == 0).sum().item() == masked
    ours.random_structured(layer, "weight", 1, 1)
    assert sorted(layer.weight_mask.sum((0, 2, 3)).tolist()) == [0, 4, 4]


@pytest.mark.parametrize("name", ["l1_unstructured", "ln_structured"])
def test_importance_scores_decide(name):
    mine, other = pair()
    scores, scores_ = tensors(x(6, 4, seed=9))
    args = (2, 2, 0) if name == "ln_structured" else (7,)
    getattr(ours, name)(mine, "weight", *args, importance_scores=scores)
    getattr(theirs, name)(other, "weight", *args, importance_scores=scores_)
    assert_same(mine.weight_mask, other.weight_mask, "mask")


@pytest.mark.parametrize("amount", [0.4, 9])
@pytest.mark.parametrize("scored", [False, True])
def test_global(amount, scored):
    (a, a_), (b, b_) = pair(), pair("Conv1d", 3, 5, 2)
    given = given_ = None
    for _ in range(2):
        if scored:
            s, s_ = tensors(x(6, 4, seed=7))
            given, given_ = {(a, "weight"): s}, {(a_, "weight"): s_}
        ours.global_unstructured([(a, "weight"), (b, "weight"), (b, "bias")], ours.L1Unstructured, given, amount=amount)
        theirs.global_unstructured(
            [(a_, "weight"), (b_, "weight"), (b_, "bias")], theirs.L1Unstructured, given_, amount=amount
        )
        for m, m_ in ((a, a_), (b, b_)):
            for key, value in m_.state_dict().items():
                assert_same(m.state_dict()[key], value, key)


def test_custom_masks_combine():
    mine, other = pair()
    for seed in (0, 1):
        mask, mask_ = tensors((x(6, 4, seed=seed) > 0).astype("int64"))
        ours.custom_from_mask(mine, "weight", mask)
        theirs.custom_from_mask(other, "weight", mask_)
        assert_same(mine.weight_mask, other.weight_mask, "mask")


class EveryOther(ours.BasePruningMethod):
    def compute_mask(self, t, default_mask):
        mask = default_mask.clone()
        mask.view(-1)[::2] = 0
        return mask


def test_a_method_of_your_own():
    layer = nn.Linear(4, 1)
    method = EveryOther.apply(layer, "weight")
    assert layer.weight_mask.tolist() == [[0, 1, 0, 1]] and isinstance(method, EveryOther)
    container = EveryOther.apply(layer, "weight")
    assert layer.weight_mask.tolist() == [[0, 0, 0, 1]], "every other one of those left"
    assert isinstance(container, ours.PruningContainer) and len(container) == 2 and container[0] is method
    assert EveryOther().prune(autograd.ones(3)).tolist() == [0, 1, 0]
    scores = autograd.tensor([3.0, 1.0, 2.0])
    assert ours.L1Unstructured(1).prune(autograd.ones(3), importance_scores=scores).tolist() == [1, 0, 1]
    assert ours.L1Unstructured(1).prune(autograd.ones(3), autograd.tensor([1.0, 1.0, 0.0])).sum().item() <= 2


def test_masked_weights_stay_zero_while_training():
    layer = ours.l1_unstructured(nn.Linear(3, 2), "weight", 3)
    for _ in range(3):
        loss = (layer(autograd.ones(4, 3)) ** 2).sum()
        layer.zero_grad()
        loss.backward()
        with autograd.no_grad():
            for p in layer.parameters():
                p.sub_(p.grad * 0.05)
        assert not layer.weight_orig.grad[layer.weight_mask == 0].any()
    layer(autograd.ones(1, 3))
    assert not layer.weight[layer.weight_mask == 0].any()
    np.testing.assert_array_equal(
        layer.weight.detach().numpy(), (layer.weight_orig * layer.weight_mask).detach().numpy()
    )


def test_pruning_again_sees_the_weights_of_now():
    layer = nn.Linear(3, 1)
    layer.weight = nn.Parameter(autograd.tensor([[1.0, 2.0, 3.0]]))
    ours.l1_unstructured(layer, "weight", 1)
    with autograd.no_grad():
        layer.weight_orig.copy_(autograd.tensor([[1.0, 5.0, 3.0]]))  # as a step of an optimizer does
    ours.l1_unstructured(layer, "weight", 1)
    assert layer.weight_mask.tolist() == [[0, 1, 0]]


def test_states_go_between_the_libraries():
    mine, other = pair()
    ours.l1_unstructured(mine, "weight", 0.5)
    theirs.identity(other, "weight")
    other.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in mine.state_dict().items()})
    inputs, inputs_ = tensors(x(3, 4))
    assert_same(mine(inputs), other(inputs_), "output")


def test_a_method_that_fails_changes_nothing():
    layer = nn.Linear(3, 2)
    before = list(layer.state_dict())
    with pytest.raises(ValueError, match="at most the 6 that are left"):
        ours.l1_unstructured(layer, "weight", 7)
    assert list(layer.state_dict()) == before and not ours.is_pruned(layer)
    ours.l1_unstructured(layer, "weight", 3)
    with pytest.raises(ValueError, match="at most the 3 that are left"):
        ours.l1_unstructured(layer, "weight", 4)
    assert layer.weight_mask.sum().item() == 3 and len(ours.base.methods_of(layer)) == 1


class Diagonal(ours.Identity):
    PRUNING_TYPE = "diagonal"


def named(name):
    return ours.Identity.apply(nn.Linear(2, 2), name)


Lin = nn.Linear
ERRORS = [
    (lambda: ours.l1_unstructured(Lin(2, 2), "weight", 5), ValueError, "L1Unstructured: amount must be at most the 4 that are left; got 5"),
    (lambda: ours.l1_unstructured(Lin(2, 2), "weight", 1.5), ValueError, "L1Unstructured: amount must be a count from 0 on or a fraction in [0, 1]; got 1.5"),
    (lambda: ours.l1_unstructured(Lin(2, 2), "weight", float("nan")), ValueError, "L1Unstructured: amount must be a count from 0 on or a fraction in [0, 1]; got nan"),
    (lambda: ours.random_structured(Lin(2, 2), "weight", -1, 0), ValueError, "RandomStructured: amount must be a count from 0 on or a fraction in [0, 1]; got -1"),
    (lambda: ours.random_unstructured(Lin(2, 2), "weight", "a"), TypeError, "RandomUnstructured: amount must be an int or a float; got 'a'"),
    (lambda: ours.random_unstructured(Lin(2, 2), "weight", True), TypeError, "RandomUnstructured: amount must be an int or a float; got True"),
    (lambda: ours.ln_structured(Lin(2, 2), "bias", 1, 2, 0), ValueError, "LnStructured: a parameter with 2 or more axes is needed; got shape (2,)"),
    (lambda: ours.ln_structured(Lin(2, 2), "weight", 1, 2, 3), IndexError, "LnStructured: dim must be in [-2, 1]; got 3"),
    (lambda: ours.identity(Lin(2, 2), "w"), AttributeError, "Identity: Linear has no parameter of this name; got 'w'"),
    (lambda: ours.identity(parametrizations.weight_norm(Lin(2, 2)), "weight"), AttributeError, "Identity: ParametrizedLinear has no parameter of this name; got 'weight'"),
    (lambda: ours.identity(Lin(2, 2, bias=False), "bias"), AttributeError, "Identity: Linear has no parameter of this name; got 'bias'"),
    (lambda: ours.custom_from_mask(Lin(2, 2), "weight", autograd.ones(3)), ValueError, "CustomFromMask: the mask must be (2, 2) as the parameter is; got (3,)"),
    (lambda: ours.l1_unstructured(Lin(2, 2), "weight", 1, importance_scores=autograd.ones(3)), ValueError, "L1Unstructured: importance_scores must be (2, 2) as weight is; got (3,)"),
    (lambda: ours.L1Unstructured(1).prune(autograd.ones(2), importance_scores=autograd.ones(3)), ValueError, "prune: importance_scores must be (2,) as t is; got (3,)"),
    (lambda: ours.remove(Lin(2, 2), "weight"), ValueError, "remove: the parameter must be pruned; got 'weight' of Linear"),
    (lambda: ours.global_unstructured([(Lin(2, 2), "weight")], ours.LnStructured, amount=1, n=2), TypeError, "global_unstructured: parameters and an unstructured method are needed; got LnStructured, which is structured"),
    (lambda: ours.global_unstructured([], ours.L1Unstructured, amount=1), TypeError, "global_unstructured: parameters and an unstructured method are needed; got no parameters"),
    (lambda: ours.PruningContainer(3), TypeError, "PruningContainer: a BasePruningMethod is needed; got int"),
    (lambda: ours.PruningContainer(named("weight"), named("bias")), ValueError, "PruningContainer: a method for 'weight' is needed; got one for 'bias'"),
    (lambda: [Diagonal.apply(layer, "weight") for layer in [Lin(2, 2)] * 2], ValueError, "Diagonal: PRUNING_TYPE must be 'unstructured', 'structured' or 'global'; got 'diagonal'"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "message"), ERRORS, ids=[m[:60] for *_, m in ERRORS])
def test_errors(act, kind, message):
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == message
