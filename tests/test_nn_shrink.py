"""Units masked for what they do, a shrunk model that computes what the masked one did, and the report on both."""

import copy
import pickle

import numpy as np
import pytest
from samples import x

import autograd
import nn
from nn.utils import parametrizations
from nn.utils import prune as ours

# --- by activations and by redundancy ---------------------------------------------------------------------------------


def dense(weights, biases, activation=None):
    """A Linear of these weights, an activation, and a Linear above."""
    layer = nn.Linear(len(weights[0]), len(weights))
    layer.weight = nn.Parameter(autograd.tensor(weights))
    layer.bias = nn.Parameter(autograd.tensor(biases))
    return nn.Sequential(layer, activation or nn.ReLU(), nn.Linear(len(weights), 2))


DATA = [autograd.tensor([[1.0, 0.0], [0.0, 1.0]]), (autograd.tensor([[1.0, 1.0]]), autograd.tensor([1]))]


def test_units_of_small_activations_go():
    model = dense([[1.0, 0.0], [0.1, 0.1], [-9.0, -9.0], [2.0, 2.0]], [0.0, 0.0, 1.0, 0.0])
    assert ours.activation_structured(model, DATA, 1) is model
    assert model[0].weight_mask[:, 0].tolist() == [1, 1, 0, 1] == model[0].bias_mask.tolist()
    ours.activation_structured(model, DATA, 0.34)  # of the three that are left
    assert model[0].bias_mask.tolist() == [1, 0, 0, 1]
    assert not ours.is_pruned(model[2]) and model.training


def test_units_most_often_zero_go():
    model = dense([[-1.0, 0.0], [-1.0, -1.0], [0.5, 0.5]], [0.5, 1.0, 0.0])  # zero for 2, 3 and none of 3 samples
    ours.activation_structured(model, DATA, 1, criterion="zeros")
    assert model[0].bias_mask.tolist() == [1, 0, 1]
    ours.activation_structured(model, DATA, 1, criterion="zeros")
    assert model[0].bias_mask.tolist() == [0, 0, 1]


def test_an_activation_in_several_places_is_told_apart():
    relu = nn.ReLU()
    first, second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    first.weight = nn.Parameter(autograd.tensor([[1.0, 0.0], [0.0, 2.0]]))
    second.weight = nn.Parameter(autograd.tensor([[3.0, 0.0], [0.0, 1.0]]))
    model = nn.Sequential(first, relu, second, relu, nn.Linear(2, 1))
    ours.activation_structured(model, DATA, 1)
    assert first.weight_mask.tolist() == [[0, 0], [1, 1]] and second.weight_mask.tolist() == [[1, 1], [0, 0]]
    assert_same_outputs(ours.shrink(model), model, autograd.randn(4, 2))


def test_activations_of_convolutions_and_the_norms_between():
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)), nn.Flatten(), nn.Linear(3, 2)
    )
    with autograd.no_grad():
        model[0][1].weight.copy_(autograd.tensor([1.0, 0.01, 1.0]))
    running = model[0][1].running_mean.numpy().copy()
    ours.activation_structured(model, [autograd.randn(4, 1, 3, 3)], 1)
    for owner, name in ((model[0][0], "weight"), (model[0][0], "bias"), (model[0][1], "weight"), (model[0][1], "bias")):
        mask = getattr(owner, f"{name}_mask").numpy().reshape(3, -1)
        np.testing.assert_array_equal(mask, np.broadcast_to([[1], [0], [1]], mask.shape))
    np.testing.assert_array_equal(model[0][1].running_mean.numpy(), running)


def test_layers_can_be_chosen():
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))
    ours.activation_structured(model, DATA, 2, layers=[model[2], model[4]])
    assert [ours.is_pruned(m) for m in model] == [False, False, True, False, True]
    assert model[4].bias_mask.sum().item() == 1


def test_units_with_the_weights_of_another_go():
    model = dense([[1.0, 2.0], [1.0, -1.0], [2.0, 4.0], [-1.0, -2.0]], [0.5, 0.0, 1.0, -0.5])
    ours.redundancy_structured(model, 1)
    assert model[0].bias_mask.tolist() == [0, 1, 1, 1], "the smaller one; the opposite one is another unit after relu"
    ours.redundancy_structured(model, 0.5)  # two of the three left
    assert model[0].bias_mask.sum().item() == 1


def test_units_with_the_activations_of_another_go():
    model = dense([[1.0, 0.0], [0.0, 1.0], [-2.0, 0.0], [0.0, 0.0]], [0.0, 0.0, 3.0, 1.0], nn.Identity())
    data = [autograd.randn(20, 2), autograd.randn(30, 2) + 5]
    for masked in ([1, 1, 1, 0], [0, 1, 1, 0]):  # first what never varies, then one of two that are linear in another
        ours.redundancy_structured(model, 1, data)
        assert model[0].bias_mask.tolist() == masked
    values = np.concatenate([d.numpy() for d in data])
    joint = ours.units._Joint(2)
    for d in data:
        joint.add(d.numpy().astype("float64"))
    alike, deviation = joint.likeness()
    np.testing.assert_allclose(alike, np.abs(np.corrcoef(values.T)), rtol=1e-6)
    np.testing.assert_allclose(deviation, values.std(0), rtol=1e-6)


# --- shrink -----------------------------------------------------------------------------------------------------------


def mlp():
    return nn.Sequential(
        nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5, bias=False), nn.Sigmoid(), nn.Linear(5, 2, bias=False)
    )


def normed():
    return nn.MLP([3, 6, 6, 2], "tanh", dropout=0.3, batch_norm=True)


def convolutional():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(6, 5, 2), nn.PReLU(5), nn.AvgPool2d(2), nn.Dropout2d(0.2)),
        nn.Flatten(),
        nn.Linear(20, 6),
        nn.GELU(),
        nn.Linear(6, 3),
    )


def series():
    return nn.Sequential(
        nn.Conv1d(2, 6, 3, padding=1, padding_mode="circular"), nn.InstanceNorm1d(6, affine=True), nn.SiLU(),
        nn.Conv1d(6, 4, 2, padding=1, padding_mode="reflect", bias=False), nn.AdaptiveAvgPool1d(2), nn.Flatten(),
        nn.BatchNorm1d(8), nn.Linear(8, 2),
    )  # fmt: skip


def volumes():
    return nn.Sequential(
        nn.Conv3d(1, 4, 2), nn.BatchNorm3d(4, affine=False), nn.Softplus(), nn.Conv3d(4, 3, 2, padding="valid"),
        nn.AdaptiveMaxPool3d(1), nn.Flatten(), nn.Linear(3, 2),
    )  # fmt: skip


def untracked():
    return nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6, track_running_stats=False), nn.ELU(), nn.Linear(6, 2))


MODELS = {
    mlp: (7, 3), normed: (7, 3), convolutional: (4, 1, 10, 10), series: (4, 2, 6), volumes: (2, 1, 4, 4, 4),
    untracked: (7, 3),
}  # fmt: skip


def settled(make):
    """A model with statistics of its own in its norms, and inputs for it."""
    model = make()
    inputs = autograd.from_numpy(x(*MODELS[make]).astype("float32"))
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            p.data = autograd.from_numpy(x(*p.shape, seed=len(name)).astype("float32"))
    model.train()
    for _ in range(2):
        model(inputs)
    return model.eval(), inputs


def assert_same_outputs(small, model, inputs):
    np.testing.assert_allclose(small(inputs).detach().numpy(), model(inputs).detach().numpy(), rtol=1e-4, atol=1e-5)


def sizes(model):
    return [m.weight.shape[0] for m in model.modules() if isinstance(m, ours.chain.LAYERS)]


@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
def test_shrinking_what_activations_masked(make):
    model, inputs = settled(make)
    before = sizes(model)
    ours.activation_structured(model, [inputs], 0.5)
    state = {key: value.numpy().copy() for key, value in model.state_dict().items()}
    expected = model(inputs).detach().numpy()
    model.train()
    small = ours.shrink(model)
    assert sizes(small) == [n - round(n * 0.5) for n in before[:-1]] + before[-1:]
    assert not ours.is_pruned(small) and all(m.training for m in small.modules()) and ours.is_pruned(model)
    np.testing.assert_allclose(small.eval()(inputs).detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[key], "the masked model stays as it was")
    small.train()
    small(inputs).sum().backward()  # it can be trained on
    assert all(p.grad is not None for p in small.parameters())
    again = ours.shrink(small.eval())
    assert sizes(again) == sizes(small)
    assert_same_outputs(again, small, inputs)


@pytest.mark.parametrize("make", [m for m in MODELS if m is not convolutional], ids=lambda m: m.__name__)
def test_shrinking_units_that_still_give_a_constant(make):
    model, inputs = settled(make)
    layers = [m for m in model.modules() if isinstance(m, ours.chain.LAYERS)]
    for layer in layers[:-1]:
        ours.ln_structured(layer, "weight", 2, 2, 0)
    ours.l1_unstructured(layers[-1], "weight", 0.3)
    model(inputs)
    small = ours.shrink(model)
    assert sizes(small) == [n - 2 for n in sizes(model)[:-1]] + sizes(model)[-1:]
    assert_same_outputs(small, model, inputs)


def test_the_attributes_say_the_new_sizes():
    model, _ = settled(convolutional)
    ours.activation_structured(model, [autograd.randn(4, 1, 10, 10)], 0.5)
    assert repr(ours.shrink(model)) == (
        "Sequential(\n"
        "  (0): Sequential(\n"
        "    (0): Conv2d(1, 3, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "    (1): BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)\n"
        "    (2): ReLU()\n"
        "    (3): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
        "  )\n"
        "  (1): Sequential(\n"
        "    (0): Conv2d(3, 3, kernel_size=(2, 2), stride=(1, 1))\n"
        "    (1): PReLU(num_parameters=3)\n"
        "    (2): AvgPool2d(kernel_size=2, stride=2, padding=0)\n"
        "    (3): Dropout2d(p=0.2, inplace=False)\n"
        "  )\n"
        "  (2): Flatten(start_dim=1, end_dim=-1)\n"
        "  (3): Linear(in_features=12, out_features=3, bias=True)\n"
        "  (4): GELU(approximate='none')\n"
        "  (5): Linear(in_features=3, out_features=3, bias=True)\n"
        ")"
    )


def test_a_bias_is_made_where_a_constant_needs_one():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1, bias=False))
    ours.ln_structured(model[0], "weight", 1, 2, 0)
    small = ours.shrink(model)
    assert small[2].bias is not None
    assert_same_outputs(small, model, autograd.randn(5, 2))


def test_scattered_masks_are_applied_for_good():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    ours.l1_unstructured(model[0], "weight", 3)
    small = ours.shrink(model)
    assert not ours.is_pruned(small) and sizes(small) == sizes(model)
    assert_same_outputs(small, model, autograd.randn(5, 4))
    assert type(pickle.loads(pickle.dumps(copy.deepcopy(small)))) is nn.Sequential


def test_inputs_that_are_masked_stay_inputs():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    ours.ln_structured(model[0], "weight", 2, 2, 1)
    assert ours.shrink(model)[0].in_features == 4


# --- the report -------------------------------------------------------------------------------------------------------


def test_report():
    model, inputs = settled(convolutional)
    targets = model(inputs).argmax(1)
    data = [(inputs[:3], targets[:3]), (inputs[3:], targets[3:])]
    ours.activation_structured(model, [inputs], 0.5)
    small = ours.shrink(model)
    small.train()
    found = ours.report(model, small, data, repeats=2)
    assert small.training and found.before.accuracy == found.after.accuracy
    macs = [6 * 9 * 100 + 5 * 6 * 4 * 16 + 20 * 6 + 6 * 3, 3 * 9 * 100 + 3 * 3 * 4 * 16 + 12 * 3 + 3 * 3]
    assert [found.before.multiply_adds, found.after.multiply_adds] == macs
    for measured, kept in ((found.before, nn.utils.prune.shrink(convolutional())), (found.after, small)):
        assert measured.bytes == sum(v.numpy().nbytes for v in kept.state_dict().values())
        assert measured.seconds > 0
    accurate = ours.report(convolutional().eval(), small, data, metric=lambda out, y: 1.0, repeats=1)
    assert accurate.before.accuracy == 1


def test_report_of_one_output_and_of_transposed_convolutions():
    model = nn.Sequential(nn.Linear(1, 1))
    model[0].weight = nn.Parameter(autograd.tensor([[1.0]]))
    model[0].bias = nn.Parameter(autograd.tensor([0.0]))
    data = [(autograd.tensor([[1.0], [-1.0], [2.0], [3.0]]), autograd.tensor([[1.0], [0.0], [0.0], [1.0]]))]
    assert ours.report(model, model, data, repeats=1).before.accuracy == 0.75
    up = nn.Sequential(nn.ConvTranspose1d(2, 3, 4, stride=2))
    counted = ours.report(up, up, [(autograd.ones(5, 2, 6), None)], metric=lambda out, y: 0.0, repeats=1)
    assert counted.after.multiply_adds == 2 * 6 * 3 * 4


def test_report_as_text():
    found = ours.Report(ours.Measured(0.975, 20520, 4736, 0.00004), ours.Measured(0.97, 5130, 1184, 0.00002))
    assert str(found) == (
        "                     before         after  after/before\n"
        "accuracy             0.9750        0.9700         0.995\n"
        "bytes                20,520         5,130         0.250\n"
        "multiply-adds         4,736         1,184         0.250\n"
        "seconds            0.000040      0.000020         0.500"
    )
    nothing = ours.Measured(0.0, 0, 0, 0.1)
    assert "-" in str(ours.Report(nothing, nothing)).splitlines()[1]


# --- what is refused --------------------------------------------------------------------------------------------------


def masked(model, *paths, bias=True):
    """The model with two units of each of these layers masked, with their bias."""
    for path in paths:
        layer = model.get_submodule(path)
        mask = autograd.ones(layer.weight.shape[0])
        mask[:2] = 0
        ours.custom_from_mask(
            layer, "weight", mask.reshape(-1, *(1,) * (layer.weight.ndim - 1)).expand(*layer.weight.shape)
        )
        if bias:
            ours.custom_from_mask(layer, "bias", mask)
    return model


def shared():
    layer = nn.Linear(4, 4)
    return masked(nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(4, 1)), "0")


def shared_norm():
    norm = nn.BatchNorm1d(4, affine=False)
    return masked(nn.Sequential(nn.Linear(4, 4), norm, nn.Linear(4, 4), norm, nn.Linear(4, 1)), "0")


def constant(model):
    for p in model.parameters():
        nn.init.constant_(p, 1.5)
    return masked(model, "0", bias=False)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, input):
        return self.layer(input)


Seq, Lin = nn.Sequential, nn.Linear
_two = 'got 2 masked units of Linear at "0"'
ERRORS = [
    (lambda: ours.activation_structured(Lin(2, 2), DATA, 1), ValueError, "activation_structured: the model must be a Sequential; got Linear"),
    (lambda: ours.activation_structured(mlp(), DATA, 1, "median"), ValueError, "activation_structured: criterion must be one of magnitude, zeros; got 'median'"),
    (lambda: ours.activation_structured(mlp(), [], 1), ValueError, "activation_structured: one batch of data at least is needed; got none"),
    (lambda: ours.activation_structured(mlp(), [autograd.ones(2, 3)], 7), ValueError, "activation_structured: amount must be at most the 6 that are left; got 7"),
    (lambda: ours.redundancy_structured(mlp(), 1, layers=[Lin(2, 2)]), ValueError, "redundancy_structured: layers must be Linear, Conv1d, Conv2d, Conv3d of the model; got Linear"),
    (lambda: ours.redundancy_structured(mlp(), 1.5), ValueError, "redundancy_structured: amount must be a count from 0 on or a fraction in [0, 1]; got 1.5"),
    (lambda: ours.shrink(None), TypeError, "shrink: a module is needed; got NoneType"),
    (lambda: ours.shrink(Lin(2, 2)), ValueError, "shrink: the model must be a Sequential; got Linear"),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), nn.LayerNorm(4), Lin(4, 1)), "0")), ValueError, f'shrink: LayerNorm at "1": masked units before it can\'t be taken out; {_two}'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), Seq(nn.Softmax(1)), Lin(4, 1)), "0")), ValueError, f'shrink: Softmax at "1.0": masked units before it can\'t be taken out; {_two}'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), Own()), "0")), ValueError, f'shrink: Own at "1": masked units before it can\'t be taken out; {_two}'),
    (lambda: ours.shrink(masked(Seq(Own(), Lin(4, 4)), "0.layer")), ValueError, 'shrink: Linear at "0.layer": masked units can be taken out of Linear and Conv that stand in Sequentials only; got 2 masked units'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), parametrizations.weight_norm(Lin(4, 1))), "0")), ValueError, f'shrink: ParametrizedLinear at "1": masked units before it can\'t be taken out; {_two}'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 2), Lin(2, 1)), "0")), ValueError, 'shrink: Linear at "0": one unit at least must be left; got all 2 masked'),
    (lambda: ours.shrink(masked(Seq(nn.Conv1d(1, 4, 2), nn.Conv1d(4, 4, 2, groups=2)), "0")), ValueError, 'shrink: Conv1d at "1": units can be taken out without groups only; got groups=2, 2 masked units of Conv1d at "0"'),
    (lambda: ours.shrink(shared()), ValueError, 'shrink: Linear at "0": a module in several places can\'t be made smaller; got 0, 2; 2 masked units of Linear at "0"'),
    (lambda: ours.shrink(shared_norm()), ValueError, 'shrink: BatchNorm1d at "1": a module in several places can\'t be made smaller; got 1, 3; 2 masked units of Linear at "0"'),
    (lambda: ours.shrink(constant(Seq(nn.Conv1d(1, 4, 2), nn.Conv1d(4, 1, 3, padding=1)))), ValueError, 'shrink: Conv1d at "1": with zero padding a masked unit before it must give 0; got 1.5; mask its bias, and weight and bias of the norm after it, too'),
    (lambda: ours.shrink(constant(Seq(nn.Conv1d(1, 4, 2), nn.Conv1d(4, 1, 3, padding="same")))), ValueError, 'shrink: Conv1d at "1": with zero padding a masked unit before it must give 0; got 1.5; mask its bias, and weight and bias of the norm after it, too'),
    (lambda: ours.shrink(constant(Seq(nn.Conv1d(1, 4, 2), nn.AvgPool1d(2, padding=1), nn.Conv1d(4, 1, 3)))), ValueError, 'shrink: AvgPool1d at "1": a masked unit before it must give 0; got 1.5; mask its bias, and weight and bias of the norm after it, too'),
    (lambda: ours.shrink(masked(Seq(nn.Conv1d(1, 4, 2), Lin(4, 1)), "0")), ValueError, 'shrink: Linear at "1": its inputs must be the units before it; put a Flatten between; got channels'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), nn.Conv1d(4, 1, 2)), "0")), ValueError, 'shrink: Conv1d at "1": its inputs must be the units before it; got features'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), Lin(5, 1)), "0")), ValueError, 'shrink: Linear at "1": its inputs must be the units before it; got 5 inputs for 4 units'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), nn.MaxPool1d(2), Lin(2, 1)), "0")), ValueError, 'shrink: MaxPool1d at "1": it pools over units, of which some are to be taken out; got features without channels'),
    (lambda: ours.shrink(masked(Seq(Lin(2, 4), nn.BatchNorm1d(3), Lin(4, 1)), "0")), ValueError, 'shrink: BatchNorm1d at "1": it must have a parameter for each unit before it; got 3 for 4 units'),
    (lambda: ours.shrink(masked(Seq(nn.Conv1d(1, 4, 2), nn.Flatten(0), Lin(4, 1)), "0")), ValueError, 'shrink: Flatten at "1": it must flatten all axes but the first; got start_dim=0, end_dim=-1'),
    (lambda: ours.shrink(masked(Seq(nn.Conv1d(1, 4, 2), nn.Flatten(), Lin(6, 1)), "0")), ValueError, 'shrink: Linear at "2": in_features must be a multiple of the channels; got 6 for 4'),
    (lambda: ours.report(mlp(), mlp(), []), ValueError, "report: one batch of data at least is needed; got none"),
    (lambda: ours.report(mlp(), mlp(), [(autograd.ones(2, 3), autograd.zeros(2))], repeats=0), ValueError, "report: repeats must be positive; got 0"),
    (lambda: ours.report(Seq(nn.GRU(2, 3)), mlp(), [(autograd.ones(2, 3, 2), autograd.zeros(2))], metric=lambda out, y: 0.0), ValueError, 'report: GRU at "0": multiply-adds are counted for Linear and convolutions; got parameters weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0'),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "message"), ERRORS, ids=[m[:60] for *_, m in ERRORS])
def test_errors(act, kind, message):
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == message
