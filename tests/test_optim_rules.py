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
    ("SGD", {"lr": 1e-3, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.2}),
    ("Adamax", {"lr": 0.1}),
    ("Adamax", {"betas": (0.7, 0.9), "eps": 1e-2, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.05}),
    ("NAdam", {"momentum_decay": 0.1, "weight_decay": 0.1, "betas": (0.8, 0.9)}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.01}),
    ("RAdam", {"betas": (0.8, 0.9), "weight_decay": 0.1}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "alpha": 0.9, "eps": 1e-3}),
    ("RMSprop", {"centered": True, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.2), "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lambd": 0.1, "alpha": 0.5, "t0": 3, "weight_decay": 0.1, "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 1e-2), "d": 2.0, "weight_decay": 0.1}),
    ("Adafactor", {"maximize": True}),
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
        assert np.isfinite(b).all()
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
    before = ours.values
    for run in (ours, theirs):
        for p, g in zip(run.parameters, starts(np.float32)[::-1], strict=True):
            p.grad = run.lib.from_numpy(np.resize(g, tuple(p.shape)))
        run.optimizer.step()
    for start, a, b in zip(before, ours.values, theirs.values, strict=True):
        unit = np.spacing(np.maximum(np.abs(start), np.abs(b - start)))
        assert (np.abs(a - b) <= 4 * unit).all()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adafactor", {"beta2_decay": 0.0}), ("RMSprop", {"alpha": 0.0, "centered": True, "eps": 1e-3}),
        ("Muon", {"momentum": 0.0}), ("Muon", {"momentum": 0.0, "nesterov": False}),
    ],
    ids=str,
)  # fmt: skip
def test_averages_that_forget_everything_leave_nothing_behind(name, options):
    shapes = [(2, 2)] if name == "Muon" else [(3,), (2, 2)]
    ours, theirs = pair(name, options, dtype=np.float32, shapes=shapes)
    for size in (100.0, 1e-3):
        for run in (ours, theirs):
            for p in run.parameters:
                p.grad = run.lib.full(tuple(p.shape), size)
            run.optimizer.step()
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        for key, value in theirs.optimizer.state[b].items():
            np.testing.assert_allclose(ours.optimizer.state[a][key].numpy(), value.numpy(), rtol=1e-6)


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
def test_resumes_from_a_file_to_the_same_bits(name, options, tmp_path):
    whole, _ = pair(name, options)
    for _ in range(5):
        whole.step()
    autograd.save(whole.optimizer.state_dict(), tmp_path / "state.safetensors")
    saved = autograd.load(tmp_path / "state.safetensors")
    second, _ = pair(name, options)
    for p, q in zip(second.parameters, whole.parameters, strict=True):
        p.data = q.detach().clone()
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


# --- rules with a test of their own -----------------------------------------------------------------------------------

MUON = [
    {},
    {"lr": 0.1, "weight_decay": 0.2, "nesterov": False, "momentum": 0.8},
    {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "ns_coefficients": (3.0, -4.0, 2.0), "eps": 1e-3},
]


@pytest.mark.parametrize("options", MUON, ids=str)
def test_muon(options, monkeypatch):
    # PyTorch iterates in bfloat16; without that step it must agree in every digit.
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    ours, theirs = pair("Muon", options, shapes=[(3, 5), (5, 2), (4, 4)])
    for _ in range(STEPS):
        ours.step()
        theirs.step()
        compare(ours, theirs, rtol=1e-7)
    mine, reference = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine["param_groups"] == reference["param_groups"]
    assert [list(s) for s in mine["state"].values()] == [list(s) for s in reference["state"].values()]


def test_muon_in_bfloat16_is_close():
    ours, theirs = pair("Muon", {"lr": 0.01}, shapes=[(3, 5)])
    ours.step()
    theirs.step()
    compare(ours, theirs, rtol=0, atol=3e-4)


LBFGS = [
    {"max_iter": 4},
    {"lr": 0.5, "max_iter": 3, "history_size": 2},
    {"lr": 0.1, "max_iter": 5, "max_eval": 4},
    {"max_iter": 4, "line_search_fn": "strong_wolfe"},
    {"lr": 5.0, "max_iter": 3, "line_search_fn": "strong_wolfe", "history_size": 3},
    {"lr": 1e-3, "max_iter": 3, "line_search_fn": "strong_wolfe"},
    {"max_iter": 6, "max_eval": 3, "line_search_fn": "strong_wolfe"},
    {"max_iter": 10, "tolerance_grad": 1.0},
    {"max_iter": 10, "tolerance_change": 0.1, "line_search_fn": "strong_wolfe"},
]


def rosenbrock(run):
    """Curved valleys, so that line searches have to work."""
    total = 0.0
    for p in run.parameters:
        x = p.reshape(-1)
        total = total + (1.5 * (x[1:] - x[:-1] ** 2) ** 2).sum() + ((1 - x) ** 2).sum() * 0.5 + (x**4).sum() * 0.02
    return total


def descend(run):
    def closure():
        run.evaluations += 1
        run.optimizer.zero_grad()
        loss = rosenbrock(run)
        loss.backward()
        return loss

    return run.optimizer.step(closure).item()


@pytest.mark.parametrize("options", LBFGS, ids=str)
def test_lbfgs(options):
    ours, theirs = pair("LBFGS", options)
    ours.evaluations = theirs.evaluations = 0
    for _ in range(6):
        np.testing.assert_allclose(descend(ours), descend(theirs), rtol=1e-7)
        compare(ours, theirs, rtol=1e-7, atol=1e-9)
        assert ours.evaluations == theirs.evaluations
    mine, reference = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine["param_groups"] == reference["param_groups"]
    state, expected = mine["state"][0], reference["state"][0]
    assert state.keys() == expected.keys() - {"al"}  # what PyTorch keeps there is scratch
    for key in ("func_evals", "n_iter"):
        assert state[key] == expected[key]
    assert len(state["old_dirs"]) == len(expected["old_dirs"])
    for key in ("d", "prev_flat_grad"):
        np.testing.assert_allclose(state[key].numpy(), expected[key].numpy(), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("source", ["ours", "theirs"])
@pytest.mark.parametrize("options", LBFGS[:5], ids=str)
def test_lbfgs_resumes(options, source):
    ours, theirs = pair("LBFGS", options)
    second, _ = pair("LBFGS", options)
    ours.evaluations = theirs.evaluations = second.evaluations = 0
    whole = ours if source == "ours" else theirs
    for _ in range(2):
        descend(whole)
    for p, values in zip(second.parameters, whole.values, strict=True):
        p.data = autograd.from_numpy(np.array(values))
    second.optimizer.load_state_dict(whole.optimizer.state_dict())
    for _ in range(2):
        descend(whole)
        descend(second)
    for a, b in zip(whole.values, second.values, strict=True):
        if source == "ours":
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(b, a, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("bad", range(1, 12))
def test_lbfgs_goes_on_after_an_error_of_the_closure(search, bad):
    w = autograd.tensor([-1.2, 1.0], dtype=autograd.float64, requires_grad=True)
    optimizer = optim.LBFGS([w], lr=1.0 if search else 0.001, max_iter=40, line_search_fn=search)
    calls = 0

    def closure():
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        loss = 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2
        loss.backward()
        if calls == bad:
            raise ZeroDivisionError("a bad batch")
        return loss

    with pytest.raises(ZeroDivisionError):
        optimizer.step(closure)
    before = closure().item()
    assert np.isfinite(before)
    for _ in range(3):
        optimizer.step(closure)
    assert closure().item() < (1e-8 if search else before)
