"""Every optimizer, with every option, walks PyTorch's path step by step; a new rule is a new row."""

import numpy as np
import pytest
import torch

import autograd
import optim

STEPS = 20

RULES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.2}),
]
IDS = [f"{name}({', '.join(f'{k}={v}' for k, v in options.items())})" for name, options in RULES]
SHAPES = [(3, 4), (4,), (2, 3, 2), ()]


def starts(dtype, shapes=SHAPES):
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def curve(lib, parameters):
    """A loss with curvature of its own along every axis, so that no two weights see the same gradients."""
    total = 0.0
    for i, p in enumerate(parameters):
        scale = lib.arange(1, p.numel() + 1, dtype=p.dtype).reshape(p.shape)
        total = total + (scale * (p - 0.3 * (i + 1)) ** 2).sum() + (p**3).sum() * 0.1
    return total


class Run:
    """An optimizer of one library on the curve."""

    def __init__(self, lib, optimizers, name, options, dtype=np.float64, shapes=SHAPES, groups=None):
        self.lib = lib
        self.parameters = [lib.from_numpy(np.array(a)).requires_grad_() for a in starts(dtype, shapes)]
        given = self.parameters if groups is None else groups(self.parameters)
        self.optimizer = getattr(optimizers, name)(given, **options)

    def step(self, without=()):
        self.optimizer.zero_grad()
        curve(self.lib, self.parameters).backward()
        for i in without:
            self.parameters[i].grad = None
        self.optimizer.step()

    @property
    def values(self):
        return [np.array(p.detach().numpy()) for p in self.parameters]


def pair(*args, **kwargs):
    return Run(autograd, optim, *args, **kwargs), Run(torch, torch.optim, *args, **kwargs)


def compare(ours, theirs, rtol, atol=0.0):
    for a, b in zip(ours.values, theirs.values, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_path_in_double_precision(name, options):
    ours, theirs = pair(name, options)
    for _ in range(STEPS):
        ours.step()
        theirs.step()
        compare(ours, theirs, rtol=1e-7)


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_path_in_single_precision(name, options):
    ours, theirs = pair(name, options, dtype=np.float32)
    for _ in range(STEPS):
        ours.step()
        theirs.step()
    compare(ours, theirs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_one_step_in_single_precision_is_within_a_few_units(name, options):
    ours, theirs = pair(name, options, dtype=np.float32)
    ours.step()
    theirs.step()
    for a, b in zip(ours.values, theirs.values, strict=True):
        np.testing.assert_array_max_ulp(a, b, maxulp=8)


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_parameters_without_gradient_stand_still(name, options):
    ours, theirs = pair(name, options)
    for i in range(8):
        without = ((1,), (1, 2), (), (0,))[i % 4]
        before = ours.values
        ours.step(without)
        theirs.step(without)
        compare(ours, theirs, rtol=1e-7)
        for k in without:
            np.testing.assert_array_equal(ours.values[k], before[k])


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_state_has_the_layout_of_pytorch(name, options):
    ours, theirs = pair(name, options)
    for _ in range(3):
        ours.step()
        theirs.step()
    mine, reference = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine["param_groups"] == reference["param_groups"]
    assert [list(g) for g in mine["param_groups"]] == [list(g) for g in reference["param_groups"]]
    assert mine["state"].keys() == reference["state"].keys()
    for number, values in reference["state"].items():
        assert list(mine["state"][number]) == list(values)
        for key, value in values.items():
            if isinstance(value, torch.Tensor):
                found = mine["state"][number][key].numpy()
                assert (found.shape, found.dtype.name) == (tuple(value.shape), str(value.dtype).partition(".")[2])
                np.testing.assert_allclose(found, value.numpy(), rtol=1e-7)
    assert repr(ours.optimizer) == repr(theirs.optimizer)


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_resumes_to_the_same_bits(name, options):
    whole, _ = pair(name, options)
    for _ in range(5):
        whole.step()
    saved = whole.optimizer.state_dict()
    second, theirs = pair(name, options)
    for p, q, r in zip(second.parameters, theirs.parameters, whole.parameters, strict=True):
        p.data = r.detach().clone()
        q.data = torch.from_numpy(np.array(r.detach().numpy()))
    second.optimizer.load_state_dict(saved)
    for _ in range(5):
        whole.step()
        second.step()
    for a, b in zip(whole.values, second.values, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "options"), RULES, ids=IDS)
def test_goes_on_from_a_state_of_pytorch(name, options):
    ours, theirs = pair(name, options)
    for _ in range(5):
        theirs.step()
    for p, q in zip(ours.parameters, theirs.parameters, strict=True):
        p.data = autograd.from_numpy(np.array(q.detach().numpy()))
    ours.optimizer.load_state_dict(theirs.optimizer.state_dict())
    for _ in range(5):
        ours.step()
        theirs.step()
        compare(ours, theirs, rtol=1e-7)


@pytest.mark.parametrize("name", dict.fromkeys(name for name, _ in RULES))
def test_groups_keep_their_options(name):
    def groups(p):
        return [{"params": p[:2], "lr": 0.01}, {"params": p[2:], "maximize": True}]

    ours, theirs = pair(name, {"lr": 0.02}, groups=groups)
    for _ in range(5):
        ours.step()
        theirs.step()
        compare(ours, theirs, rtol=1e-7)
