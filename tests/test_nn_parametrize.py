"""Parametrized tensors: values, gradients and states are PyTorch's, and modules come out of it as they were."""

import copy
import pickle

import numpy as np
import pytest
import torch
from nn_table import signature
from oracle import assert_same, to_ours, to_torch
from samples import x
from torch.nn.utils import parametrizations as their_ready
from torch.nn.utils import parametrize as theirs

import autograd
import nn
from nn.utils import parametrizations as ready
from nn.utils import parametrize

LAYERS = {
    "Linear(4, 3)": ("Linear", (4, 3), x(5, 4)),
    "Linear(3, 4)": ("Linear", (3, 4), x(5, 3)),
    "Linear(3, 3)": ("Linear", (3, 3), x(5, 3)),
    "Conv1d(2, 3, 2)": ("Conv1d", (2, 3, 2), x(2, 2, 5)),
    "ConvTranspose2d(2, 3, 2)": ("ConvTranspose2d", (2, 3, 2), x(1, 2, 3, 3)),
}
ROWS = [
    *((layer, "weight_norm", {"dim": dim}) for layer in LAYERS for dim in (0, 1, None)),
    *((layer, "spectral_norm", {}) for layer in LAYERS),
    ("Linear(4, 3)", "spectral_norm", {"n_power_iterations": 3, "dim": 1, "eps": 1e-3}),
    ("Linear(4, 3)", "spectral_norm", {"name": "bias"}),
    ("Linear(4, 3)", "weight_norm", {"name": "bias"}),
    *(
        (layer, "orthogonal", {"orthogonal_map": kind})
        for layer in ("Linear(4, 3)", "Linear(3, 4)", "Linear(3, 3)")
        for kind in (None, "matrix_exp", "cayley", "householder")
    ),
    ("Conv1d(2, 3, 2)", "orthogonal", {}),
    ("Linear(4, 3)", "orthogonal", {"orthogonal_map": "householder", "use_trivialization": False}),
    ("Linear(3, 4)", "orthogonal", {"orthogonal_map": "householder", "use_trivialization": False}),
    *(
        ("Linear(3, 3)", "orthogonal", {"orthogonal_map": kind, "use_trivialization": False})
        for kind in ("matrix_exp", "cayley")
    ),
]


def numpy_state(module):
    return {k: v.detach().numpy().copy() for k, v in module.state_dict().items()}


def torch_state(state):
    return {k: torch.from_numpy(np.array(v)) for k, v in state.items()}


def make(layer, function, options):
    """Both libraries' layer, parametrized, with the same state, moved away from where it started."""
    name, args, array = LAYERS[layer]
    torch.manual_seed(0)
    other = getattr(torch.nn, name)(*args).double()
    mine = getattr(nn, name)(*args).double()
    mine.load_state_dict(numpy_state(other))
    assert getattr(ready, function)(mine, **options) is mine
    getattr(their_ready, function)(other, **options)
    return mine, other, array


def move(mine, other):
    """Give both the same state: PyTorch's, with the parameters moved."""
    with torch.no_grad():
        for i, p in enumerate(other.parameters()):
            p.add_(torch.from_numpy(x(*p.shape, seed=i)) * 0.3)
    mine.load_state_dict(numpy_state(other))


def test_signatures():
    for name in ("weight_norm", "spectral_norm", "orthogonal"):
        assert signature(getattr(ready, name)) == signature(getattr(their_ready, name))
    for name in ("register_parametrization", "remove_parametrizations", "is_parametrized", "cached"):
        assert signature(getattr(parametrize, name)) == signature(getattr(theirs, name))


@pytest.mark.parametrize(("layer", "function", "options"), ROWS, ids=str)
def test_values_and_gradients_are_pytorchs(layer, function, options):
    mine, other, array = make(layer, function, options)
    state, expected = mine.state_dict(), other.state_dict()
    assert [(k, tuple(v.shape)) for k, v in state.items()] == [(k, tuple(v.shape)) for k, v in expected.items()]
    assert repr(mine) == repr(other)
    move(mine, other)
    for training in (True, False):
        mine.train(training)
        other.train(training)
        a, b = to_ours(array, requires_grad=True), to_torch(array, requires_grad=True)
        out, out_ = mine(a), other(b)
        assert_same(out, out_, "output")
        parameters, parameters_ = list(mine.parameters()), list(other.parameters())
        weights = autograd.from_numpy(x(*out.shape, seed=9))
        grads = autograd.grad((out * weights).sum(), [a, *parameters], allow_unused=True)
        grads_ = torch.autograd.grad(
            (out_ * torch.from_numpy(weights.numpy())).sum(), [b, *parameters_], allow_unused=True
        )
        for g, g_ in zip(grads, grads_, strict=True):
            assert (g is None) == (g_ is None)
            if g is not None:
                assert_same(g, g_, "gradient", terms=1.0)
    for key, value in numpy_state(other).items():
        np.testing.assert_allclose(mine.state_dict()[key].numpy(), value, rtol=1e-10, atol=1e-12, err_msg=key)
    theirs.remove_parametrizations(other, options.get("name", "weight"))
    parametrize.remove_parametrizations(mine, options.get("name", "weight"))
    assert list(mine.state_dict()) == list(other.state_dict()) and repr(mine) == repr(other)
    for key, value in numpy_state(other).items():
        np.testing.assert_allclose(mine.state_dict()[key].numpy(), value, rtol=1e-10, atol=1e-12, err_msg=key)


STARTS = [row for row in ROWS if row[1] != "spectral_norm" and row[:2] != ("Conv1d(2, 3, 2)", "orthogonal")]


@pytest.mark.parametrize(("layer", "function", "options"), STARTS, ids=str)
def test_it_starts_and_is_assigned_as_in_pytorch(layer, function, options):
    mine, other, _ = make(layer, function, options)
    which = options.get("name", "weight")
    rows, columns = (mine.weight.shape[0], mine.weight.shape[1]) if function == "orthogonal" else (0, 0)
    if rows == columns or not options.get("use_trivialization", True):  # else the basis is completed at random
        for key, value in numpy_state(other).items():
            np.testing.assert_allclose(mine.state_dict()[key].numpy(), value, rtol=1e-10, atol=1e-12, err_msg=key)
    if options.get("use_trivialization", True) is False and options["orthogonal_map"] != "householder":
        with pytest.raises(NotImplementedError) as caught:
            mine.weight = autograd.eye(3).double()
        assert str(caught.value) == (
            "orthogonal: without use_trivialization only the map 'householder' has an inverse; "
            f"got {options['orthogonal_map']!r}"
        )
        return
    shape = tuple(getattr(mine, which).shape)
    new = x(*shape, seed=3)
    if function == "orthogonal":
        new = np.linalg.qr(x(max(shape), max(shape), seed=3))[0][: shape[0], : shape[1]]
    held = dict(mine.named_parameters())
    setattr(mine, which, autograd.from_numpy(new))
    setattr(other, which, torch.from_numpy(new))
    np.testing.assert_allclose(getattr(mine, which).detach().numpy(), new, rtol=1e-10, atol=1e-12)
    assert_same(getattr(mine, which), getattr(other, which), "assigned", terms=1.0)
    assert dict(mine.named_parameters()).keys() == held.keys()
    assert all(p is held[key] for key, p in mine.named_parameters()), "an optimizer may hold them"


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (5, 2), (2, 5), (2, 4, 3)], ids=str)
def test_orthogonal_is_orthogonal(shape, kind):
    m = nn.Module()
    m.weight = nn.Parameter(autograd.from_numpy(x(*shape)))
    ready.orthogonal(m, orthogonal_map=kind)
    for _ in range(2):
        q = m.weight.detach().numpy()
        gram = np.swapaxes(q, -1, -2) @ q if shape[-2] >= shape[-1] else q @ np.swapaxes(q, -1, -2)
        np.testing.assert_allclose(gram, np.broadcast_to(np.eye(min(shape[-2:])), gram.shape), atol=1e-12)
        with autograd.no_grad():
            off = 1 - np.eye(*shape[-2:])  # the diagonal holds signs
            m.parametrizations.weight.original.add_(autograd.from_numpy(x(*shape, seed=1) * off))
    if kind != "householder":  # whose gradient is compared with PyTorch's
        m.parametrizations.weight.original.data = autograd.from_numpy(x(*shape, seed=2))

        def read(original):
            return nn.utils.parametrizations._MAPS[kind](original.mT if shape[-2] < shape[-1] else original)

        assert autograd.gradcheck(read, [autograd.from_numpy(x(*shape, seed=2)).requires_grad_()])


def test_weight_norm_at_any_moment_has_the_length_learned():
    layer = ready.weight_norm(nn.Linear(3, 2).double())
    layer.parametrizations.weight.original0.data = autograd.tensor([[2.0], [5.0]]).double()
    np.testing.assert_allclose(np.linalg.norm(layer.weight.detach().numpy(), axis=1), [2, 5])


def test_states_of_the_older_weight_norm_are_read():
    mine, other = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    ready.weight_norm(mine)
    with pytest.warns(FutureWarning):
        torch.nn.utils.weight_norm(other)
    mine.load_state_dict(numpy_state(other))
    np.testing.assert_allclose(mine.weight.detach().numpy(), other.weight.detach().numpy(), rtol=1e-6)


class Doubled(nn.Module):
    def forward(self, value):
        return value * 2

    def right_inverse(self, value):
        return value / 2


class Shifted(nn.Module):
    def forward(self, value):
        return value + 1

    def right_inverse(self, value):
        return value - 1


class Squared(nn.Module):
    """Has no right inverse."""

    def forward(self, value):
        return value * value


class Factored(nn.Module):
    """A matrix as a product of two."""

    def forward(self, left, right):
        return left @ right

    def right_inverse(self, value):
        return value, autograd.eye(value.shape[1], dtype=value.dtype)


def in_torch(kind):
    """The same parametrization there: they only use operators and eye."""
    made = {k: v for k, v in vars(kind).items() if k in ("forward", "right_inverse")}
    if kind is Factored:
        made["right_inverse"] = lambda self, value: (value, torch.eye(value.shape[1], dtype=value.dtype))
    return type(kind.__name__, (torch.nn.Module,), made)()


CHAINS = [
    [Doubled],
    [Squared],
    [Doubled, Shifted],
    [Shifted, Doubled, Shifted],
    [Squared, Doubled],
    [Factored, Doubled],
]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda c: "-".join(k.__name__ for k in c))
def test_chains(chain):
    mine, other = nn.Linear(3, 2).double(), torch.nn.Linear(3, 2).double()
    other.load_state_dict(torch_state(numpy_state(mine)))
    for kind in chain:
        parametrize.register_parametrization(mine, "weight", kind())
        theirs.register_parametrization(other, "weight", in_torch(kind))
    assert list(mine.state_dict()) == list(other.state_dict())
    assert len(mine.parametrizations.weight) == len(chain)
    inputs, inputs_ = to_ours(x(4, 3)), to_torch(x(4, 3))
    assert_same(mine(inputs), other(inputs_), "output")
    (mine(inputs) ** 2).sum().backward()
    (other(inputs_) ** 2).sum().backward()
    for p, q in zip(mine.parameters(), other.parameters(), strict=True):
        assert_same(p.grad, q.grad, "gradient")
    if Squared not in chain:
        mine.weight = nn.Parameter(to_ours(x(2, 3)))  # a Parameter is a value like any other
        other.weight = to_torch(x(2, 3))
        assert_same(mine.weight, other.weight, "assigned")
        np.testing.assert_allclose(mine.weight.detach().numpy(), x(2, 3), rtol=1e-12)
    parametrize.remove_parametrizations(mine, "weight")
    theirs.remove_parametrizations(other, "weight")
    assert_same(mine.weight, other.weight, "left")
    assert type(mine) is nn.Linear and isinstance(mine.weight, nn.Parameter) and mine.weight.requires_grad


def test_removing_without_the_value_leaves_the_original():
    layer = nn.Linear(3, 2)
    original = layer.weight
    parametrize.register_parametrization(layer, "weight", Squared())
    assert layer.weight is not original and layer.parametrizations.weight.original is original
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight is original


def test_several_names_and_what_says_so():
    layer = nn.Linear(3, 2)
    kind = type(layer)
    assert not parametrize.is_parametrized(layer) and not parametrize.is_parametrized(layer, "weight")
    parametrize.register_parametrization(layer, "weight", Doubled())
    parametrize.register_parametrization(layer, "bias", Shifted())
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "bias")
    assert not parametrize.is_parametrized(layer, "other")
    assert isinstance(layer, nn.Linear) and type(layer).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(layer) is kind
    assert [name for name, _ in layer.named_parameters()] == [
        "parametrizations.weight.original",
        "parametrizations.bias.original",
    ]
    other = nn.Linear(3, 2)
    assert not parametrize.is_parametrized(other), "only this one changed"
    parametrize.remove_parametrizations(layer, "weight")
    assert not parametrize.is_parametrized(layer, "weight") and parametrize.is_parametrized(layer, "bias")
    parametrize.remove_parametrizations(layer, "bias")
    assert type(layer) is kind and not hasattr(layer, "parametrizations")


def test_buffers_are_parametrized_too():
    norm = nn.BatchNorm1d(2)
    parametrize.register_parametrization(norm, "running_var", Shifted())
    np.testing.assert_array_equal(norm.running_var.numpy(), [1, 1])
    assert "parametrizations.running_var.original" in dict(norm.named_buffers())
    parametrize.remove_parametrizations(norm, "running_var")
    assert "running_var" in dict(norm.named_buffers())


def test_another_shape_or_dtype_when_unsafe():
    class Total(nn.Module):
        def forward(self, value):
            return value.sum().double()

    layer = nn.Linear(3, 2)
    parametrize.register_parametrization(layer, "weight", Total(), unsafe=True)
    assert layer.weight.shape == () and layer.weight.dtype == autograd.float64
    assert layer.parametrizations.weight.unsafe


class Counted(nn.Module):
    calls = 0

    def forward(self, value):
        Counted.calls += 1
        return value * 2

    def right_inverse(self, value):
        return value / 2


def test_cached_computes_once():
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Counted())
    before = Counted.calls
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first and Counted.calls == before + 1
        layer(autograd.ones(1, 2)).sum().backward()
        assert layer.parametrizations.weight.original.grad is not None
        layer.weight = autograd.ones(2, 2)
        np.testing.assert_array_equal(layer.weight.detach().numpy(), np.ones((2, 2)))
    assert layer.weight is not layer.weight


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"])
def test_copies_stand_alone(again):
    layer = ready.spectral_norm(ready.weight_norm(nn.Linear(3, 2)), "bias")
    made = again(layer).eval()
    layer.eval()
    inputs = autograd.from_numpy(x(4, 3).astype("float32"))
    np.testing.assert_array_equal(made(inputs).detach().numpy(), layer(inputs).detach().numpy())
    parametrize.remove_parametrizations(made, "weight")
    assert parametrize.is_parametrized(layer, "weight"), "the class of the copy is its own"
    np.testing.assert_allclose(made(inputs).detach().numpy(), layer(inputs).detach().numpy(), rtol=1e-6)


def test_training_a_parametrized_model():
    model = nn.Sequential(
        ready.weight_norm(nn.Linear(3, 8)), nn.Tanh(), ready.orthogonal(nn.Linear(8, 8)), nn.Linear(8, 1)
    )
    inputs = autograd.from_numpy(x(16, 3).astype("float32"))
    first = None
    for _ in range(20):
        loss = ((model(inputs) - 1) ** 2).mean()
        first = loss.item() if first is None else first
        model.zero_grad()
        loss.backward()
        with autograd.no_grad():
            for p in model.parameters():
                p.sub_(p.grad * 0.1)
    assert loss.item() < 0.2 * first
    q = model[2].weight.detach().numpy()
    np.testing.assert_allclose(q.T @ q, np.eye(8), atol=1e-5)


def test_recurrent_networks_and_conversions():
    net = ready.weight_norm(nn.LSTM(3, 4), "weight_hh_l0")
    out, _ = net(autograd.ones(5, 2, 3))
    out.sum().backward()
    assert net.parametrizations.weight_hh_l0.original1.grad is not None
    net.double()
    assert net.weight_hh_l0.dtype == autograd.float64


class Shaped(nn.Module):
    def forward(self, value):
        return value.sum()


class Typed(nn.Module):
    def forward(self, value):
        return value.double()


class Text(nn.Module):
    def forward(self, value):
        return "text"


class Wrong(nn.Module):
    def forward(self, value):
        return value

    def right_inverse(self, value):
        return value.double()


class Nothing(nn.Module):
    def forward(self, value):
        return value

    def right_inverse(self, value):
        return None


class Doubtful(nn.Module):
    """Splits at first, and gives fewer parts or other shapes later."""

    parts = 2

    def forward(self, left, right):
        return left + right

    def right_inverse(self, value):
        return [value / 2] * self.parts


class Unwilling(nn.Module):
    def forward(self, value):
        return value

    def right_inverse(self, value):
        raise NotImplementedError


def test_a_right_inverse_may_refuse_at_the_start():
    for kinds in ([Unwilling], [Unwilling, Doubled], [Doubled, Unwilling]):
        layer = nn.Linear(3, 2)
        before = layer.weight.detach().numpy().copy()
        for kind in kinds:
            parametrize.register_parametrization(layer, "weight", kind())
        np.testing.assert_allclose(layer.weight.detach().numpy(), before * (2 if kinds[-1] is Doubled else 1))


def three():
    layer = registered(Doubtful)
    layer.parametrizations.weight[0].parts = 3
    layer.weight = autograd.ones(2, 3)


def registered(*kinds, **options):
    layer = nn.Linear(3, 2)
    for kind in kinds:
        parametrize.register_parametrization(layer, "weight", kind(), **options)
    return layer


_op = "register_parametrization: the parametrized tensor must"
ERRORS = [
    (lambda: parametrize.register_parametrization(nn.Linear(3, 2), "w", Doubled()), "register_parametrization: Linear has no parameter or buffer of this name; got 'w'"),
    (lambda: parametrize.register_parametrization(nn.LazyLinear(2), "weight", Doubled()), "register_parametrization: the shape of 'weight' must be known; got an uninitialized one; call the module first"),
    (lambda: registered(Shaped), f"{_op} keep the shape; got () for (2, 3); pass unsafe=True to allow it"),
    (lambda: registered(Typed), f"{_op} keep the dtype; got float64 for float32; pass unsafe=True to allow it"),
    (lambda: registered(Text), f"{_op} be a tensor; got str"),
    (lambda: registered(Doubled, Shaped), f"{_op} keep the shape; got () for (2, 3); pass unsafe=True to allow it"),
    (lambda: registered(Doubled, Wrong), "register_parametrization: the right inverse must keep the dtype; got float64 for float32; pass unsafe=True to allow it"),
    (lambda: registered(Wrong), "register_parametrization: a right inverse must keep the dtype; got float64 for float32"),
    (lambda: registered(Nothing), "register_parametrization: a right inverse must give a tensor or a sequence of them; got NoneType"),
    (lambda: setattr(registered(Squared), "weight", autograd.ones(2, 3)), "right_inverse: what is assigned must be turned into the original; got Squared; define right_inverse(self, value) in it"),
    (lambda: setattr(registered(Doubled), "weight", autograd.ones(3, 3)), "right_inverse: original is (2, 3) of float32; got (3, 3) of float32"),
    (three, "right_inverse: there are 2 originals; got 3 tensors"),
    (lambda: registered(Doubled).register_parameter("weight", nn.Parameter(autograd.ones(1))), "\"ParametrizedLinear: 'weight' is parametrized; got another Parameter of this name; assign a value to it, or call remove_parametrizations first\""),
    (lambda: parametrize.remove_parametrizations(nn.Linear(3, 2), "weight"), "remove_parametrizations: Linear has no parametrization of this name; got 'weight'"),
    (lambda: parametrize.remove_parametrizations(registered(Factored), "weight", leave_parametrized=False), "remove_parametrizations: with leave_parametrized=False the original must be one tensor; got 2; leave the parametrized value"),
    (lambda: ready.weight_norm(nn.Linear(3, 2), "w"), "weight_norm: Linear has no parameter or buffer of this name; got 'w'"),
    (lambda: ready.spectral_norm(nn.Linear(3, 2), n_power_iterations=0), "spectral_norm: n_power_iterations must be positive; got 0"),
    (lambda: ready.spectral_norm(nn.Linear(3, 2), dim=2), "spectral_norm: dim must be in [-2, 1]; got 2"),
    (lambda: ready.orthogonal(nn.Linear(3, 2), "bias"), "orthogonal: a tensor with 2 or more axes is needed; got shape (2,)"),
    (lambda: ready.orthogonal(nn.Linear(3, 2), orthogonal_map="svd"), "orthogonal: orthogonal_map must be one of matrix_exp, cayley, householder; got 'svd'"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), ERRORS, ids=[m[:60] for _, m in ERRORS])
def test_errors(act, message):
    with pytest.raises((ValueError, RuntimeError, KeyError, IndexError)) as caught:
        act()
    assert str(caught.value) == message
