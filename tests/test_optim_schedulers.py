"""Every schedule gives PyTorch's rates over fifty steps; a new schedule is a new row."""

import re
import warnings

import numpy as np
import pytest
import torch

import autograd
import optim

EPOCHS = 50
OURS, THEIRS = optim.lr_scheduler, torch.optim.lr_scheduler


def row(name, /, *args, **kwargs):
    """A schedule as a function of (library, optimizer)."""
    return lambda lib, optimizer: getattr(lib, name)(optimizer, *args, **kwargs)


def nested(name, parts, *args, **kwargs):
    return lambda lib, optimizer: getattr(lib, name)(optimizer, [p(lib, optimizer) for p in parts], *args, **kwargs)


def chained(*parts):
    return lambda lib, optimizer: lib.ChainedScheduler([p(lib, optimizer) for p in parts])


class Sawtooth:
    """A function with attributes, which are saved."""

    def __init__(self, period=3):
        self.period = period

    def __call__(self, x):
        return 1 / (1 + x % self.period)


SCHEDULES = {
    "LambdaLR": row("LambdaLR", lambda t: 0.95**t),
    "LambdaLR, a list": row("LambdaLR", [lambda t: 0.95**t, lambda t: 1 / (1 + t)]),
    "LambdaLR, an object": row("LambdaLR", Sawtooth()),
    "MultiplicativeLR": row("MultiplicativeLR", lambda t: 0.95 if t % 3 else 1.1),
    "StepLR": row("StepLR", 7, gamma=0.5),
    "MultiStepLR": row("MultiStepLR", [3, 11, 11, 30], gamma=0.5),
    "ConstantLR": row("ConstantLR"),
    "ConstantLR, long": row("ConstantLR", factor=0.25, total_iters=20),
    "LinearLR": row("LinearLR"),
    "LinearLR, down": row("LinearLR", start_factor=1.0, end_factor=0.2, total_iters=30),
    "ExponentialLR": row("ExponentialLR", 0.93),
    "PolynomialLR": row("PolynomialLR"),
    "PolynomialLR, squared": row("PolynomialLR", total_iters=40, power=2.0),
    "CosineAnnealingLR": row("CosineAnnealingLR", 10),
    "CosineAnnealingLR, bounded": row("CosineAnnealingLR", T_max=17, eta_min=0.01),
    "CosineAnnealingWarmRestarts": row("CosineAnnealingWarmRestarts", 7),
    "CosineAnnealingWarmRestarts, longer": row("CosineAnnealingWarmRestarts", T_0=3, T_mult=2, eta_min=0.01),
    "CyclicLR": row("CyclicLR", 0.01, 0.1, step_size_up=5),
    "CyclicLR, triangular2": row("CyclicLR", [0.01, 0.02], [0.1, 0.3], 4, step_size_down=7, mode="triangular2"),
    "CyclicLR, exp_range": row("CyclicLR", 0.01, 0.1, step_size_up=6, mode="exp_range", gamma=0.97, base_momentum=0.5),
    "CyclicLR, own scale": row("CyclicLR", 0.01, 0.1, step_size_up=3, scale_fn=Sawtooth(), scale_mode="iterations"),
    "CyclicLR, no momentum": row("CyclicLR", 0.01, 0.1, step_size_up=3, cycle_momentum=False),
    "OneCycleLR": row("OneCycleLR", 0.3, total_steps=EPOCHS + 1),
    "OneCycleLR, linear": row(
        "OneCycleLR", [0.3, 0.5], epochs=6, steps_per_epoch=9, anneal_strategy="linear", pct_start=0.2
    ),
    "OneCycleLR, three phases": row("OneCycleLR", 0.3, 60, three_phase=True, div_factor=10, final_div_factor=50),
    "OneCycleLR, no momentum": row("OneCycleLR", 0.3, total_steps=55, cycle_momentum=False),
    "SequentialLR": nested(
        "SequentialLR",
        [row("LinearLR", total_iters=5), row("ExponentialLR", 0.9), row("CosineAnnealingLR", 10)],
        milestones=[6, 20],
    ),
    "SequentialLR, the others": nested(
        "SequentialLR",
        [
            row("ConstantLR"), row("PolynomialLR", 8), row("StepLR", 3), row("MultiStepLR", [2, 4]),
            row("LambdaLR", Sawtooth()),
        ],
        milestones=[4, 15, 25, 35],
    ),
    "SequentialLR, restarts": nested(
        "SequentialLR", [row("LinearLR"), row("CosineAnnealingWarmRestarts", 6, T_mult=2)], milestones=[5]
    ),
    "SequentialLR, relative": nested(
        "SequentialLR", [row("ExponentialLR", 0.9), row("MultiplicativeLR", lambda t: 0.9)], milestones=[10]
    ),
    "ChainedScheduler": chained(row("ConstantLR", factor=0.1, total_iters=8), row("ExponentialLR", 0.95)),
    "ChainedScheduler, three": chained(
        row("LinearLR", total_iters=12), row("StepLR", 9, gamma=0.7), row("CosineAnnealingLR", 20)
    ),
}  # fmt: skip
CLOSED_FORM = [
    "StepLR", "ExponentialLR", "LambdaLR", "CosineAnnealingLR", "LinearLR", "PolynomialLR", "MultiStepLR",
]  # fmt: skip
PLATEAUS = {
    "min": {"patience": 2, "factor": 0.5},
    "max": {"mode": "max", "patience": 1},
    "absolute": {"threshold_mode": "abs", "threshold": 0.05, "patience": 3, "cooldown": 2},
    "max, absolute": {"mode": "max", "threshold_mode": "abs", "threshold": 0.05, "patience": 0, "cooldown": 1},
    "bounded": {"patience": 0, "min_lr": [0.01, 0.02], "eps": 1e-3},
}


def optimizer_of(lib, optimizers, name="SGD", lr=0.1, **options):
    tensors = [lib.zeros(2), lib.zeros(3)]
    groups = [{"params": tensors[:1]}, {"params": tensors[1:], "lr": lr / 2}]
    return getattr(optimizers, name)(groups, lr=lr, **options)


def both(make, **kwargs):
    ours, theirs = optimizer_of(autograd, optim, **kwargs), optimizer_of(torch, torch.optim, **kwargs)
    return make(OURS, ours), make(THEIRS, theirs)


def advance(schedule, *args):
    schedule.optimizer.step()
    schedule.step(*args)


def settings(schedule):
    """All that a schedule may change in the groups."""
    names = ("lr", "initial_lr", "momentum", "betas", "max_lr", "min_lr", "max_momentum", "base_momentum")
    return [{name: group[name] for name in names if name in group} for group in schedule.optimizer.param_groups]


def assert_same_settings(ours, theirs):
    for a, b in zip(settings(ours), settings(theirs), strict=True):
        assert a.keys() == b.keys()
        for name in b:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-12, atol=1e-15, err_msg=name)
    np.testing.assert_allclose(ours.get_last_lr(), theirs.get_last_lr(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(name):
    ours, theirs = both(SCHEDULES[name], momentum=0.9)
    assert_same_settings(ours, theirs)
    for _ in range(EPOCHS):
        advance(ours)
        advance(theirs)
        assert_same_settings(ours, theirs)
        assert getattr(ours, "last_epoch", None) == getattr(theirs, "last_epoch", None)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name.startswith(("Cyclic", "OneCycle"))])
def test_momentum_of_adam(name):
    ours, theirs = both(SCHEDULES[name], name="Adam")
    for _ in range(20):
        advance(ours)
        advance(theirs)
        assert_same_settings(ours, theirs)


@pytest.mark.parametrize("name", SCHEDULES)
def test_state_and_resuming(name, tmp_path):
    whole, theirs = both(SCHEDULES[name], momentum=0.9)
    for _ in range(12):
        advance(whole)
        advance(theirs)
    saved, reference = whole.state_dict(), theirs.state_dict()
    assert_same_state(saved, reference)
    autograd.save(saved, tmp_path / "state.safetensors")
    saved = autograd.load(tmp_path / "state.safetensors")
    for source in (saved, reference):
        second = SCHEDULES[name](OURS, optimizer_of(autograd, optim, momentum=0.9))
        second.load_state_dict(source)
        second.optimizer.load_state_dict((whole if source is saved else theirs).optimizer.state_dict())
        rates = []
        for _ in range(20):
            advance(second)
            rates.append(second.get_last_lr())
        if source is saved:
            continued = [advance(whole) or whole.get_last_lr() for _ in range(20)]
            assert rates == continued
        else:
            np.testing.assert_allclose(rates, [advance(theirs) or theirs.get_last_lr() for _ in range(20)], rtol=1e-12)
        assert_same_settings(second, whole)


def assert_same_state(ours, theirs):
    assert set(ours) == set(theirs) - {"_is_initial", "_get_lr_called_within_step"}
    for key, value in ours.items():
        if key == "_schedulers":
            for a, b in zip(value, theirs[key], strict=True):
                assert_same_state(a, b)
        elif key in ("_last_lr", "base_lrs"):
            np.testing.assert_allclose(value, theirs[key], rtol=1e-12, atol=1e-15)
        else:
            assert value == theirs[key], key


@pytest.mark.parametrize("name", CLOSED_FORM)
def test_going_on_from_an_epoch(name):
    made = []
    for lib, optimizers, schedulers in ((autograd, optim, OURS), (torch, torch.optim, THEIRS)):
        first = SCHEDULES[name](schedulers, optimizer_of(lib, optimizers, momentum=0.9))
        for _ in range(4):
            advance(first)
        make = row("LambdaLR", lambda t: 0.95**t, last_epoch=4) if name == "LambdaLR" else None
        arguments = {
            "StepLR": (7, 0.5), "ExponentialLR": (0.93,), "CosineAnnealingLR": (10,), "LinearLR": (),
            "PolynomialLR": (), "MultiStepLR": ([3, 11],),
        }  # fmt: skip
        make = make or row(name, *arguments[name], last_epoch=4)
        made.append(make(schedulers, first.optimizer))
    assert_same_settings(*made)
    for _ in range(10):
        for schedule in made:
            advance(schedule)
        assert_same_settings(*made)


@pytest.mark.parametrize("name", CLOSED_FORM)
def test_going_to_an_epoch(name):
    ours, theirs = both(SCHEDULES[name])
    for epoch in (7, 3, 0, 12):
        advance(ours, epoch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            advance(theirs, epoch)
        assert_same_settings(ours, theirs)


@pytest.mark.parametrize("name", ["CosineAnnealingWarmRestarts", "CosineAnnealingWarmRestarts, longer"])
def test_fractions_of_an_epoch(name):
    ours, theirs = both(SCHEDULES[name])
    for epoch in np.arange(0, 30, 0.3).tolist():
        advance(ours, epoch)
        advance(theirs, epoch)
        assert_same_settings(ours, theirs)


@pytest.mark.parametrize("name", PLATEAUS)
def test_plateau(name):
    ours, theirs = both(row("ReduceLROnPlateau", **PLATEAUS[name]))
    losses = 1 + np.cos(np.arange(EPOCHS) * 0.4) / (1 + np.arange(EPOCHS) * 0.1)
    for i, loss in enumerate(losses):
        advance(ours, autograd.tensor(loss))
        advance(theirs, torch.tensor(loss))
        assert_same_settings(ours, theirs)
        mine, reference = ours.state_dict(), theirs.state_dict()
        assert mine == {**reference, "_last_lr": mine["_last_lr"]}
        if i == 20:
            second = row("ReduceLROnPlateau")(OURS, ours.optimizer)
            second.load_state_dict(reference)
            ours = second


def test_a_rate_that_is_a_tensor_is_filled():
    p = autograd.zeros(2, requires_grad=True)
    rate = autograd.tensor(0.5, dtype=autograd.float64)
    optimizer = optim.SGD([p], lr=rate)
    schedule = OURS.ExponentialLR(optimizer, 0.5)
    p.grad = autograd.ones(2)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25
    optimizer.step()
    np.testing.assert_array_equal(p.detach().numpy(), [-0.75, -0.75])


def test_going_to_an_epoch_multiplies_from_the_first_rate():
    schedule = OURS.MultiplicativeLR(optimizer_of(autograd, optim), lambda t: 0.5)
    for epoch, rate in ((3, 0.0125), (0, 0.1), (1, 0.05)):
        advance(schedule, epoch)
        assert schedule.get_last_lr()[0] == pytest.approx(rate)


def test_a_schedule_of_ones_own():
    class Halving(OURS.LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    schedule = Halving(optimizer_of(autograd, optim))
    for _ in range(3):
        advance(schedule)
    assert schedule.get_last_lr() == [0.1 / 8, 0.05 / 8]


def test_a_chain_begins_again_after_a_milestone():
    optimizer = optimizer_of(autograd, optim)
    parts = [
        row("ExponentialLR", 0.5)(OURS, optimizer),
        chained(row("ConstantLR", 0.1), row("StepLR", 2))(OURS, optimizer),
    ]
    schedule = OURS.SequentialLR(optimizer, parts, milestones=[3])
    rates = []
    for _ in range(6):
        advance(schedule)
        rates.append(round(schedule.get_last_lr()[0], 6))
    assert rates == [0.05, 0.025, 0.01, 0.01, 0.001, 0.001]


def test_a_chain_of_sequences_and_a_sequence_of_chains():
    optimizer = optimizer_of(autograd, optim)
    chain = chained(row("ExponentialLR", 0.5), row("StepLR", 2))(OURS, optimizer)
    schedule = OURS.SequentialLR(optimizer, [chain, row("ConstantLR", 0.5, 1)(OURS, optimizer)], milestones=[3])
    outer = OURS.ChainedScheduler([schedule, row("ExponentialLR", 0.5)(OURS, optimizer)])
    rates = [outer.get_last_lr()[0]]
    for _ in range(4):
        advance(outer)
        rates.append(outer.get_last_lr()[0])
    np.testing.assert_allclose(rates, [0.1, 0.025, 0.000625, 0.025, 0.025])


def test_stepping_before_the_optimizer_is_told():
    schedule = OURS.StepLR(optimizer_of(autograd, optim), 3)
    with pytest.warns(UserWarning, match=re.escape("StepLR: step() was called before the optimizer's step()")):
        schedule.step()


SGD = optimizer_of(autograd, optim)
ERRORS = [
    (lambda: OURS.StepLR(3, 4), TypeError, "StepLR: optimizer must be an Optimizer; got int"),
    (
        lambda: OURS.StepLR(SGD, 4, last_epoch=3),
        KeyError,
        "StepLR: going on from last_epoch=3 needs the first rate; got group 0 without initial_lr; "
        "load the state of the optimizer before",
    ),
    (
        lambda: OURS.LambdaLR(SGD, [abs]),
        ValueError,
        "LambdaLR: lr_lambda must have a value for each group; got 1 for 2",
    ),
    (lambda: OURS.ConstantLR(SGD, 2.0), ValueError, "ConstantLR: factor must be above 0 and at most 1; got 2.0"),
    (lambda: OURS.LinearLR(SGD, 0), ValueError, "LinearLR: start_factor must be above 0 and at most 1; got 0"),
    (lambda: OURS.LinearLR(SGD, 1, 2), ValueError, "LinearLR: end_factor must be between 0 and 1; got 2"),
    (
        lambda: OURS.CosineAnnealingWarmRestarts(SGD, 0),
        ValueError,
        "CosineAnnealingWarmRestarts: T_0 must be an integer above 0; got 0",
    ),
    (
        lambda: OURS.CosineAnnealingWarmRestarts(SGD, 1, 0.5),
        ValueError,
        "CosineAnnealingWarmRestarts: T_mult must be an integer of 1 or more; got 0.5",
    ),
    (
        lambda: OURS.CyclicLR(SGD, 0.1, 0.2, mode="square"),
        ValueError,
        "CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range'; got 'square'",
    ),
    (
        lambda: OURS.CyclicLR(optim.Adagrad([autograd.zeros(2)]), 0.1, 0.2),
        ValueError,
        "CyclicLR: cycle_momentum needs an optimizer with momentum or betas; got Adagrad; pass cycle_momentum=False",
    ),
    (
        lambda: OURS.OneCycleLR(SGD, 0.1),
        ValueError,
        "OneCycleLR: total_steps is needed, or epochs and steps_per_epoch; got neither",
    ),
    (
        lambda: OURS.OneCycleLR(SGD, 0.1, total_steps=0),
        ValueError,
        "OneCycleLR: the number of steps must be an integer above 0; got 0",
    ),
    (
        lambda: OURS.OneCycleLR(SGD, 0.1, 5, pct_start=2.0),
        ValueError,
        "OneCycleLR: pct_start must be between 0 and 1; got 2.0",
    ),
    (
        lambda: OURS.OneCycleLR(SGD, 0.1, 5, anneal_strategy="up"),
        ValueError,
        "OneCycleLR: anneal_strategy must be 'cos' or 'linear'; got 'up'",
    ),
    (
        lambda: advance(OURS.OneCycleLR(optimizer_of(autograd, optim), 0.1, 5), 6),
        ValueError,
        "OneCycleLR: the cycle has 5 steps; got step 6",
    ),
    (lambda: OURS.ReduceLROnPlateau(SGD, factor=1), ValueError, "ReduceLROnPlateau: factor must be below 1; got 1"),
    (
        lambda: OURS.ReduceLROnPlateau(SGD, "low"),
        ValueError,
        "ReduceLROnPlateau: mode must be 'min' or 'max'; got 'low'",
    ),
    (
        lambda: OURS.ReduceLROnPlateau(SGD, threshold_mode="no"),
        ValueError,
        "ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs'; got 'no'",
    ),
    (lambda: OURS.ChainedScheduler([]), ValueError, "ChainedScheduler: there must be a scheduler; got none"),
    (
        lambda: OURS.ChainedScheduler([3]),
        TypeError,
        "ChainedScheduler: a scheduler has an optimizer; got int at position 0",
    ),
    (
        lambda: OURS.ChainedScheduler([OURS.ReduceLROnPlateau(SGD)]),
        ValueError,
        "ChainedScheduler: a scheduler takes no measure; got ReduceLROnPlateau at position 0",
    ),
    (
        lambda: OURS.SequentialLR(optimizer_of(autograd, optim), [OURS.StepLR(optimizer_of(autograd, optim), 3)], []),
        ValueError,
        "SequentialLR: all schedulers must act on one optimizer; got another at position 0",
    ),
    (
        lambda: nested("SequentialLR", [row("StepLR", 3)], [1])(OURS, optimizer_of(autograd, optim)),
        ValueError,
        "SequentialLR: there must be a milestone between each two schedulers; got 1 for 1 schedulers",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[message.split(";")[0] for _, _, message in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.args[0] == message


GROWN = {
    "LambdaLR": (lambda t: 0.5**t,), "MultiplicativeLR": (lambda t: 0.5,), "StepLR": (1,), "LinearLR": (),
    "ExponentialLR": (0.5,), "CosineAnnealingLR": (5,), "CosineAnnealingWarmRestarts": (5,),
}  # fmt: skip


@pytest.mark.parametrize("name", GROWN)
def test_a_group_that_is_added_later_is_scheduled_or_refused(name):
    def run(lib, optimizers):
        optimizer = optimizers.SGD([lib.zeros(2, requires_grad=True)], lr=0.5)
        schedule = getattr(optimizers.lr_scheduler, name)(optimizer, *GROWN[name])
        optimizer.add_param_group({"params": [lib.zeros(2, requires_grad=True)], "lr": 0.25})
        optimizer.step()
        schedule.step()
        return [group["lr"] for group in optimizer.param_groups]

    try:
        expected = run(torch, torch.optim)
    except ValueError:
        message = f"{name}: the groups must be those that the schedule began with; got 2 for 1; make it anew after add_"
        with pytest.raises(ValueError, match=f"^{message}"):
            run(autograd, optim)
    else:
        assert run(autograd, optim) == pytest.approx(expected)
