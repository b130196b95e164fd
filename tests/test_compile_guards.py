"""What may differ between the runs of a compiled function, and that it then does what the function does."""

import copy
import inspect

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import tensor

F = nn.functional


def programs(compiled):
    return [variant for variants in compiled.variants.values() for variant in variants]


def outcome(function, *args):
    """What a call gives: the value and the gradients of its arguments, or the error."""
    given = [a.clone().requires_grad_(a.requires_grad) for a in args]
    try:
        out = function(*given)
    except (RuntimeError, IndexError) as error:
        return str(error)
    if out.requires_grad:
        out.sum().backward()
    return [out.detach().numpy(), *(a.grad.numpy() for a in given if a.grad is not None)]


def assert_as_eager(function, *calls):
    """Run after run what the function gives as it stands."""
    compiled = autograd.compile(function)
    for args in calls:
        got, expected = outcome(compiled, *args), outcome(function, *args)
        assert type(got) is type(expected), f"{got} is not {expected}"
        if isinstance(got, str):  # the operation inside may say it in its own name
            continue
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-6)


# --- values ----------------------------------------------------------------------------------------------------------

TABLE = autograd.arange(12.0).reshape(6, 2)
PICKS = {
    "gather": lambda x, i: x.gather(0, i),
    "take_along_dim": lambda x, i: autograd.take_along_dim(x, i, 0),
    "index_select": lambda x, i: x.index_select(0, i),
    "getitem": lambda x, i: x[i],
    "scatter": lambda x, i: x.scatter(0, i, 1.0),
    "scatter_add": lambda x, i: x.scatter_add(0, i, autograd.ones(2)),
    "index_add": lambda x, i: x.index_add(0, i, autograd.ones(2)),
    "index_put": lambda x, i: x.index_put((i,), autograd.ones(2), accumulate=True),
    "embedding_bag": lambda x, i: F.embedding_bag(i, TABLE, tensor([0, 1])) * x[0],
}


@pytest.mark.parametrize("name", PICKS)
def test_indices_out_of_bounds_are_refused_at_every_run(name):
    x = autograd.arange(6.0)
    good, bad = tensor([0, 1]), [tensor([9, 1]), tensor([10**9, 1]), tensor([-7, 2])]
    assert_as_eager(PICKS[name], *[(x, i) for i in (good, *bad, good)])


def test_bags_that_do_not_fit_are_refused_at_every_run():
    bags = lambda starts: F.embedding_bag(tensor([1, 2, 3]), TABLE, starts)
    assert_as_eager(bags, *[(tensor(starts),) for starts in ([0, 1], [0, 9], [2, 1], [0, 2])])


IN_PLACE = {
    "sin_": lambda y: y.sin_(),
    "square_": lambda y: y.square_(),
    "clamp_": lambda y: y.clamp_(-0.5, 0.5),
    "pow_": lambda y: y.pow_(2),
    "mul_ by itself": lambda y: y.mul_(y),
    "atan2_": lambda y: y.atan2_(tensor([1.0, 2.0, 3.0])),
    "cumprod_": lambda y: y.cumprod_(0),
    "div_": lambda y: y.div_(y + 3),
}
POINTS = [tensor(v, requires_grad=True) for v in ([0.3, -1.2, 2.0], [-0.4, 0.7, 0.05], [0.1, 0.2, -0.4])]


@pytest.mark.parametrize("name", IN_PLACE)
def test_gradients_read_what_was_written_over_as_it_was_in_this_run(name):
    def function(x):
        y = x * 1
        IN_PLACE[name](y)
        return y * 1

    assert_as_eager(function, *[(x,) for x in POINTS])


def view_before_write(x):
    y = x * 1
    z = y[1:]
    y.mul_(3.0)
    return z


def filled_view(x):
    y = x.sin()
    z = y[:]
    z.fill_(-1.0)
    return z


def overlapping_views(x):
    y = x * 1
    z, w = y[1:], y[:2]
    z.fill_(2.0)
    return w


@pytest.mark.parametrize("function", [view_before_write, filled_view, overlapping_views])
def test_a_returned_view_has_the_history_of_its_memory(function):
    assert_as_eager(function, *[(x,) for x in POINTS])


@pytest.mark.parametrize(
    "write",
    [
        lambda a, b: a.copy_(b) * 1,
        lambda a, b: a.fill_(True) * 1,
        lambda a, b: (a.__setitem__(..., 2.5), a * 1)[1],
        lambda a, b: (a * b).to(autograd.float16),
        lambda a, b: a.half() * 2,
        lambda a, b: a.to(autograd.uint8),
    ],
)
def test_conversions(write):
    a = tensor([1, 2, 3])
    assert_as_eager(write, *[(a * k, tensor(2.7 * k)) for k in (1, 2, 1)])
    assert_as_eager(write, *[((a * k).half(), tensor(2.7 * k).half()) for k in (1, 2, 1)])


def test_what_depends_on_no_argument_is_new_at_every_call():
    run = autograd.compile(lambda x: (tensor([1.0, 2.0]), autograd.arange(3.0)))
    for _ in range(3):
        for made in run(autograd.ones(1)):
            made.zero_()
    assert [made.tolist() for made in run(autograd.ones(1))] == [[1.0, 2.0], [0.0, 1.0, 2.0]]
    w = autograd.ones(2)
    share = autograd.compile(lambda x: w.detach())
    for _ in range(3):
        share(autograd.ones(1)).add_(1)
    assert w.tolist() == [4.0, 4.0]


# --- arguments -------------------------------------------------------------------------------------------------------


def test_the_gradient_an_argument_comes_with():
    run = autograd.compile(lambda x: (x**2).sum().backward())
    x = tensor([1.0, 2.0], requires_grad=True)
    for expected in ([2.0, 4.0], [4.0, 8.0], [6.0, 12.0]):
        run(x)
        assert x.grad.tolist() == expected
    x.grad = None
    run(x)
    assert x.grad.tolist() == [2.0, 4.0]
    double = autograd.compile(lambda x: x.grad * 2)
    of_a_leaf_outside = autograd.compile(lambda y: x.grad * y)
    for value in (3.0, 5.0):
        x.grad = autograd.full((2,), value)
        assert double(x).tolist() == [2 * value] * 2
        for _ in range(2):
            assert of_a_leaf_outside(autograd.ones(2)).tolist() == [value] * 2


def test_a_gradient_that_is_looked_at_before_it_is_given_up():
    w = tensor([1.0, 2.0], requires_grad=True)

    @autograd.compile
    def step(x):
        if w.grad is not None:
            w.grad = None
        (w * x).sum().backward()

    for k in range(5):
        step(autograd.full((2,), float(k)))
        assert w.grad.tolist() == [k, k]
    assert len(programs(step)) <= 2


def test_arguments_that_are_written_to():
    def through_a_copy(x):
        y = x.reshape(-1)
        y.add_(1)
        return y

    run = autograd.compile(through_a_copy)
    run(autograd.arange(6.0).reshape(2, 3))
    x = autograd.arange(6.0).reshape(3, 2).t()
    assert run(x).tolist() == [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]
    assert x.tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]], "reshape has copied"

    run = autograd.compile(lambda a, b: (a.mul_(2), b + 1)[1])
    run(autograd.ones(3), autograd.ones(3))
    for _ in range(2):
        whole = tensor([1.0, 2.0, 3.0, 4.0])
        assert run(whole[:3], whole[1:]).tolist() == [5.0, 7.0, 5.0]


@pytest.mark.parametrize("change", [lambda a: a.t_(), lambda a: a.unsqueeze_(0), lambda a: setattr(a, "data", a * 2)])
def test_arguments_are_not_given_another_shape_or_memory(change):
    with pytest.raises(RuntimeError, match="can't give its arguments other memory or another shape; got argument 0"):
        autograd.compile(change)(autograd.ones(2, 3))


# --- modules and optimizers ------------------------------------------------------------------------------------------

X = autograd.randn(16, 5, generator=autograd.Generator().manual_seed(0))
Y = X[:, :1] * 2


def replace_a_weight(model, optimizer):
    model[0].weight = nn.Parameter(autograd.full((4, 5), 0.3))


def replace_a_layer(model, optimizer):
    model[1] = nn.ReLU()


def assign_a_state(model, optimizer):
    model.load_state_dict({k: 2 * v for k, v in model.state_dict().items()}, assign=True)


def prune(model, optimizer):
    nn.utils.prune.l1_unstructured(model[0], "weight", 0.5)


def remove_a_bias(model, optimizer):
    model[0].bias = None


def change_an_option(model, optimizer):
    model[2].eps = 0.5


CHANGES = [replace_a_weight, replace_a_layer, assign_a_state, prune, remove_a_bias, change_an_option]


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_that_is_made_of_other_things(change):
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.LayerNorm(4))
    run = autograd.compile(lambda x: model(x))
    for _ in range(2):
        run(X)
    change(model, None)
    for _ in range(2):
        np.testing.assert_allclose(run(X).detach().numpy(), model(X).detach().numpy(), rtol=1e-5, atol=1e-6)


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(5, 5), nn.Linear(5, 1)])
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        for layer in self.layers:
            x = layer(x)
        return x


def test_a_list_of_layers_and_what_a_forward_keeps():
    model = Layers()
    run = autograd.compile(lambda x: model(x))
    for _ in range(3):
        run(X)
    assert len(programs(run)) == 1, "what forward() keeps of its own is no other model"
    model.layers[0] = nn.Linear(5, 5)
    np.testing.assert_allclose(run(X).detach().numpy(), model(X).detach().numpy(), rtol=1e-5)


def trained(compiled, change):
    """Parameters and state after some steps, a change, and some steps more."""
    autograd.manual_seed(3)
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.05)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = autograd.compile(step) if compiled else step
    for _ in range(3):
        run(X, Y)
    for _ in change(model, optimizer):  # a generator goes on with steps in between
        for _ in range(3):
            run(X, Y)
    for _ in range(3):
        run(X, Y)
    state = [v.numpy() for values in optimizer.state_dict()["state"].values() for v in values.values()]
    return [p.detach().numpy() for p in model.parameters()] + state


def go_back(model, optimizer):
    kept = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    yield
    model.load_state_dict(kept[0])
    optimizer.load_state_dict(kept[1])


def forget(model, optimizer):
    optimizer.state.clear()
    yield


def decay(model, optimizer):
    optimizer.param_groups[0]["weight_decay"] = 0.1
    yield


def climb(model, optimizer):
    optimizer.param_groups[0]["maximize"] = True
    yield


def slow_down(model, optimizer):
    optimizer.param_groups[0]["lr"] = 0.001
    yield


@pytest.mark.parametrize("change", [go_back, forget, decay, climb, slow_down])
def test_an_optimizer_that_is_changed(change):
    for got, expected in zip(trained(True, change), trained(False, change), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_a_value_that_the_program_itself_changes_is_not_read():
    model = nn.Linear(5, 1)
    average = optim.swa_utils.AveragedModel(model)

    @autograd.compile
    def step(x):
        average.update_parameters(model)
        return model(x)

    with pytest.raises(RuntimeError, match="can't read a value that changes from run to run"):
        step(X)


# --- another program, or none ----------------------------------------------------------------------------------------


def test_what_leads_to_another_program():
    calls = []

    @autograd.compile
    def f(x, scale=1.0, flip=False):
        calls.append(1)
        return -x * scale if flip else x * scale

    f(autograd.ones(3)), f(autograd.ones(3)), f(autograd.zeros(3))
    assert len(calls) == 1
    for args, kwargs in [
        ((autograd.ones(4),), {}), ((autograd.ones(3, dtype=autograd.float64),), {}),
        ((autograd.ones(3, requires_grad=True),), {}), ((autograd.ones(3), 2.0), {}), ((autograd.ones(3),), {"flip": True}),
    ]:  # fmt: skip
        before = len(calls)
        f(*args, **kwargs), f(*args, **kwargs)
        assert len(calls) == before + 1


def test_parameters_that_are_given_other_memory():
    w = tensor([2.0])
    run = autograd.compile(lambda x: x * w)
    assert run(tensor([1.0])).item() == 2
    w.data = tensor([5.0])
    assert run(tensor([1.0])).item() == 5 and len(programs(run)) == 2


def test_the_limit():
    @autograd.compile(limit=2)
    def f(x):
        return x + 1

    f(autograd.ones(1)), f(autograd.ones(2))
    with pytest.warns(UserWarning, match="compile: f has been compiled 2 times") as caught:
        assert f(autograd.ones(3)).tolist() == [2, 2, 2]
    assert str(caught[0].message) == (
        "compile: f has been compiled 2 times and runs uncompiled where none of the programs fits; what changed last: "
        "argument 0: float32 (3,) instead of float32 (2,); raise limit= or keep it constant"
    )
    f(autograd.ones(4)), f(autograd.ones(1))


def line_of(function, text):
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


def test_reading_a_value_names_the_line():
    def branch(x):
        if x.sum() > 1:
            return x
        return -x

    with pytest.raises(RuntimeError) as caught:
        autograd.compile(branch)(autograd.ones(2))
    assert str(caught.value) == (
        "bool: a compiled function can't read a value that changes from run to run; got a tensor of shape () at "
        f"{__file__}:{line_of(branch, 'if x.sum')}; use where(condition, a, b) for a branch, or return the tensor"
    )
    for read in (
        lambda x: x.sum().item(),
        lambda x: x.numpy(),
        lambda x: x.tolist(),
        lambda x: float(x[0]),
        np.asarray,
        lambda x: autograd.allclose(x, x),
        lambda x: autograd.equal(x, x),
    ):
        with pytest.raises(RuntimeError, match="can't read a value that changes from run to run"):
            autograd.compile(lambda x, read=read: read(x * 2))(autograd.ones(2))


def test_errors_inside_are_the_eager_ones_and_nothing_is_lost():
    model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 4))
    optimizer = optim.Adam(model.parameters(), lr=0.1)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = autograd.compile(step)
    x, y = X[:6].clone(), tensor([0, 1, 2, 3, 2, 1])
    run(x, y), run(x, y)
    before = [p.array.copy() for p in model.parameters()]
    y.array[2] = 7
    for f in (run, step):
        with pytest.raises(IndexError) as caught:
            f(x, y)
        assert str(caught.value) == "cross_entropy: a target must be a class, 0 to 3; got 7 at row 2"
        assert all((p.array == b).all() for p, b in zip(model.parameters(), before, strict=True))
    y.array[2] = 0
    assert run(x, y).item() > 0
    with pytest.raises(RuntimeError, match="the last axis of the input must be 5"):
        run(autograd.ones(6, 9), y)


def test_a_shape_that_depends_on_values():
    run = autograd.compile(lambda x: x[x > 0])
    assert run(tensor([1.0, -1.0])).tolist() == [1]
    with pytest.raises(RuntimeError, match="the shape of a result must not depend on values"):
        run(tensor([1.0, 1.0]))


def test_arguments_are_tensors():
    with pytest.raises(TypeError) as caught:
        autograd.compile(lambda x: x)(np.ones(2))
    assert str(caught.value) == "compile: arguments are tensors; got an array of shape (2,); use from_numpy()"
    with pytest.raises(TypeError) as caught:
        autograd.compile(3)
    assert str(caught.value) == "compile: a function is needed; got int"
