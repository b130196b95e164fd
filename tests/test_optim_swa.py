"""Averaged models and their schedule, against PyTorch."""

import copy
import pickle

import numpy as np
import pytest
import torch
from oracle import assert_close
from torch.optim import swa_utils as theirs

import autograd
import nn
import optim
from optim import swa_utils as ours


def model_of(lib):
    return lib.Sequential(lib.Linear(3, 4), lib.BatchNorm1d(4), lib.ReLU(), lib.Linear(4, 2))


def pair():
    """The same model, twice."""
    torch.manual_seed(0)
    mine, reference = model_of(nn), model_of(torch.nn)
    mine.load_state_dict({name: autograd.from_numpy(v.numpy().copy()) for name, v in reference.state_dict().items()})
    return mine, reference


def shift(mine, reference, random):
    """The same change to both, as a step of training would make."""
    with autograd.no_grad(), torch.no_grad():
        for p, q in zip(mine.parameters(), reference.parameters(), strict=True):
            change = random.standard_normal(tuple(q.shape)).astype(np.float32)
            p.add_(autograd.from_numpy(change))
            q.add_(torch.from_numpy(change))
        x = random.standard_normal((8, 3)).astype(np.float32)
        mine(autograd.from_numpy(x))
        reference(torch.from_numpy(x))


AVERAGES = {
    "equal": lambda lib: {},
    "equal, by tensor": lambda lib: {"avg_fn": lib.get_swa_avg_fn()},
    "equal, by list": lambda lib: {"multi_avg_fn": lib.get_swa_multi_avg_fn()},
    "moving": lambda lib: {"multi_avg_fn": lib.get_ema_multi_avg_fn(0.9)},
    "moving, by tensor": lambda lib: {"avg_fn": lib.get_ema_avg_fn(0.9)},
    "moving, with buffers": lambda lib: {"multi_avg_fn": lib.get_ema_multi_avg_fn(0.9), "use_buffers": True},
    "own": lambda lib: {"avg_fn": lambda average, value, n: 0.5 * (average + value)},
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averages(name):
    random = np.random.default_rng(0)
    mine, reference = pair()
    average, expected = (
        ours.AveragedModel(mine, **AVERAGES[name](ours)),
        theirs.AveragedModel(reference, **AVERAGES[name](theirs)),
    )
    for _ in range(5):
        shift(mine, reference, random)
        average.update_parameters(mine)
        expected.update_parameters(reference)
    found, state = average.state_dict(), expected.state_dict()
    assert list(found) == list(state)
    for key, value in state.items():
        np.testing.assert_allclose(found[key].numpy(), value.numpy(), rtol=1e-5, atol=1e-6, err_msg=key)
    x = random.standard_normal((4, 3)).astype(np.float32)
    answer = average.eval()(autograd.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(answer, expected.eval()(torch.from_numpy(x)).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_an_averaged_model_is_a_module():
    model = model_of(nn)
    average = ours.AveragedModel(model)
    assert isinstance(average, nn.Module)
    assert isinstance(average, ours.AveragedModel)
    assert type(average) is type(ours.AveragedModel(nn.Linear(1, 1)))
    assert repr(average) == repr(theirs.AveragedModel(model_of(torch.nn)))
    assert next(average.named_buffers())[0] == "n_averaged"
    twin = copy.deepcopy(average)
    average.update_parameters(model)
    assert (average.n_averaged.item(), twin.n_averaged.item()) == (1, 0)
    twin.load_state_dict(average.state_dict())
    assert twin.n_averaged.item() == 1
    assert all(p is not q for p, q in zip(average.parameters(), model.parameters(), strict=True))


def test_statistics_of_batch_normalisation():
    random = np.random.default_rng(0)
    mine, reference = pair()
    batches = [random.standard_normal((n, 3)).astype(np.float32) for n in (8, 8, 5)]
    mine.eval()
    reference.eval()
    ours.update_bn([(autograd.from_numpy(b), "label") for b in batches], mine)
    theirs.update_bn([(torch.from_numpy(b), "label") for b in batches], reference)
    for key in ("1.running_mean", "1.running_var", "1.num_batches_tracked"):
        found, expected = mine.state_dict()[key].numpy(), reference.state_dict()[key].numpy()
        assert_close(found, expected, key, terms=1.0)  # a mean is a sum whose terms may cancel
    assert not mine.training
    assert mine[1].momentum == 0.1
    ours.update_bn([], nn.Linear(1, 1))


def test_momentum_comes_back_after_an_error():
    model = model_of(nn).eval()
    with pytest.raises(TypeError, match="forward"):
        ours.update_bn([autograd.ones(2, 3)], _Fails(model))
    assert model[1].momentum == 0.1


class _Fails(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        raise TypeError("forward")


@pytest.mark.parametrize(
    "options",
    [{}, {"anneal_epochs": 5}, {"anneal_epochs": 7, "anneal_strategy": "linear"}, {"anneal_epochs": 0}],
    ids=str,
)
def test_schedule(options):
    made = []
    for lib, optimizers, swa in ((autograd, optim, ours), (torch, torch.optim, theirs)):
        optimizer = optimizers.SGD([{"params": [lib.zeros(2)]}, {"params": [lib.zeros(3)], "lr": 0.3}], lr=0.5)
        made.append(swa.SWALR(optimizer, [0.05, 0.02], **options))
    mine, reference = made
    for i in range(20):
        for schedule in made:
            schedule.optimizer.step()
            schedule.step()
        np.testing.assert_allclose(mine.get_last_lr(), reference.get_last_lr(), rtol=1e-12)
        if i == 3:
            again = ours.SWALR(mine.optimizer, [0.05, 0.02], **options)
            again.load_state_dict(reference.state_dict())
            again.optimizer.load_state_dict(reference.optimizer.state_dict())
            assert set(mine.state_dict()) == set(reference.state_dict()) - {"_is_initial", "_get_lr_called_within_step"}
            mine = made[0] = again


OPTIMIZER = optim.SGD([autograd.zeros(2)], lr=0.5)
ERRORS = [
    (lambda: ours.get_ema_avg_fn(1.5), ValueError, "get_ema_avg_fn: decay must be between 0 and 1; got 1.5"),
    (lambda: ours.get_ema_multi_avg_fn(-1), ValueError, "get_ema_multi_avg_fn: decay must be between 0 and 1; got -1"),
    (
        lambda: ours.AveragedModel(nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max),
        ValueError,
        "AveragedModel: avg_fn or multi_avg_fn; got both",
    ),
    (
        lambda: ours.AveragedModel(3),
        TypeError,
        "AveragedModel: model must be a module, with parameters and buffers; got int",
    ),
    (
        lambda: ours.SWALR(OPTIMIZER, 0.1, anneal_epochs=-1),
        ValueError,
        "SWALR: anneal_epochs must be an integer of 0 or more; got -1",
    ),
    (
        lambda: ours.SWALR(OPTIMIZER, 0.1, anneal_strategy="steps"),
        ValueError,
        "SWALR: anneal_strategy must be 'cos' or 'linear'; got 'steps'",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[message.split(";")[0] for _, _, message in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_an_average_that_forgets_everything_is_the_last_model():
    model = nn.Linear(1, 1)
    average = ours.AveragedModel(model, multi_avg_fn=ours.get_ema_multi_avg_fn(0.0))
    for value in (1e4, 1e-6):
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    assert average.module.weight.item() == model.weight.item()


class OfOnesOwn(ours.AveragedModel, nn.Module):
    pass


@pytest.mark.parametrize("kind", [ours.AveragedModel, OfOnesOwn])
@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"])
def test_an_averaged_model_is_copied_and_pickled(kind, again):
    model = nn.Linear(2, 1)
    average = kind(model)
    average.update_parameters(model)
    other = again(average)
    assert type(other) is type(average) and isinstance(other, nn.Module) and other.n_averaged.item() == 1
    x = autograd.randn(3, 2)
    assert (other(x) == average(x)).all()
    nn.init.zeros_(model.weight)
    other.update_parameters(model)
    assert (average.n_averaged.item(), other.n_averaged.item()) == (1, 2)
