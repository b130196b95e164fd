"""What all optimizers share: groups, closures, hooks, state, errors; and updates in place from a formula."""

import copy
import warnings

import numpy as np
import pytest
import torch

import autograd
import nn
import optim

ALL = [
    optim.SGD, optim.Adam, optim.AdamW, optim.Adamax, optim.NAdam, optim.RAdam, optim.RMSprop, optim.Adagrad,
    optim.Adadelta, optim.Rprop, optim.ASGD, optim.Adafactor, optim.Muon, optim.LBFGS,
]  # fmt: skip


def parameter(*shape, value=1.0, gradient=None):
    p = autograd.full(shape, value, requires_grad=True)
    if gradient is not None:
        p.grad = autograd.full(shape, gradient)
    return p


def values(p):
    return p.detach().numpy()


# --- steps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_rule_goes_down(kind):
    w = autograd.tensor([[3.0, -2.0], [1.0, 4.0]], requires_grad=True)
    optimizer = kind([w])

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    first = optimizer.step(closure)
    for _ in range(20):
        optimizer.step(closure)
    assert closure().item() < first.item() == 30


def test_the_closure_is_given_gradients_and_its_loss_comes_back():
    p = parameter(2)
    optimizer = optim.SGD([p], lr=0.5)
    recorded = []

    def closure():
        recorded.append(autograd.is_grad_enabled())
        loss = (p * 3).sum()
        loss.backward()
        return loss

    with autograd.no_grad():
        loss = optimizer.step(closure)
    assert recorded == [True]
    assert loss.item() == 6
    np.testing.assert_array_equal(values(p), [-0.5, -0.5])


def test_a_step_without_gradients_does_nothing():
    p = parameter(2)
    optimizer = optim.Adam([p, parameter(3)])
    assert optimizer.step() is None
    np.testing.assert_array_equal(values(p), [1, 1])
    assert optimizer.state_dict()["state"] == {}


def test_zero_grad():
    p = parameter(2, gradient=3.0)
    optimizer = optim.SGD([p])
    held = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is held
    np.testing.assert_array_equal(held.numpy(), [0, 0])
    optimizer.zero_grad()
    assert p.grad is None


def test_a_graph_notices_the_step():
    p = parameter(2)
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    optim.Adam([p]).step()
    with pytest.raises(
        RuntimeError, match=r"mul: a value saved for backward was changed in place afterwards; .*test_optim_base"
    ):
        loss.backward()


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.Muon, optim.Adafactor])
def test_memory_that_is_not_contiguous_is_moved_too(kind):
    base = np.ones((4, 6), np.float32)
    strided, plain = autograd.from_numpy(base[::2, ::3]), autograd.ones(2, 2)
    for w in (strided, plain):
        w.requires_grad_()
        w.grad = autograd.tensor([[1.0, -2.0], [0.5, 3.0]])
    optimizer = kind([strided, plain], lr=0.1)
    for _ in range(3):
        optimizer.step()
    np.testing.assert_allclose(values(strided), values(plain), rtol=1e-6)
    np.testing.assert_array_equal(base[::2, ::3], values(strided))
    assert (base[1::2] == 1).all()
    assert (values(plain) != 1).all()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_several_elements_in_one_place_are_refused(kind):
    p = autograd.zeros(1, 1).expand(3, 2).detach().requires_grad_()
    p.grad = autograd.ones(3, 2)
    with pytest.raises(RuntimeError, match=r"share one place in memory; got an expanded tensor of shape \(3, 2\)"):
        kind([p]).step(lambda: autograd.tensor(1.0))
    assert p[0, 0].item() == 0


def test_half_precision_computes_in_single():
    p = autograd.ones(3, dtype=autograd.float16, requires_grad=True)
    p.grad = autograd.full((3,), 1e-4, dtype=autograd.float16)
    optimizer = optim.Adam([p], lr=0.25)
    optimizer.step()
    assert p.dtype == autograd.float16
    np.testing.assert_allclose(values(p).astype(np.float64), 0.75, rtol=1e-2)


def test_empty_and_zero_dimensional_parameters():
    empty, scalar = autograd.zeros(0, 3, requires_grad=True), autograd.tensor(1.0, requires_grad=True)
    empty.grad, scalar.grad = autograd.zeros(0, 3), autograd.tensor(2.0)
    optim.Adam([empty, scalar], lr=0.5).step()
    assert scalar.item() == pytest.approx(0.5)


def test_rates_that_are_tensors():
    p, q = parameter(2, gradient=1.0), parameter(2, gradient=1.0)
    optim.Adam([p], lr=autograd.tensor(0.25)).step()
    optim.Adam([q], lr=0.25).step()
    np.testing.assert_array_equal(values(p), values(q))


# --- groups -----------------------------------------------------------------------------------------------------------


def test_options_of_a_group_may_change_between_steps():
    p, q = parameter(1, gradient=1.0), parameter(1, gradient=1.0)
    optimizer = optim.SGD([{"params": p}, {"params": [q], "lr": 0.25}], lr=0.5)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 2.0
    optimizer.param_groups[1]["maximize"] = True
    optimizer.step()
    assert (p.item(), q.item()) == (-1.5, 1.0)


def test_a_group_is_added_later():
    p, q = parameter(1, gradient=1.0), parameter(1, gradient=1.0)
    optimizer = optim.Adam([p], lr=0.5)
    optimizer.step()
    optimizer.add_param_group({"params": [q], "lr": 0.25})
    optimizer.step()
    assert q.item() == pytest.approx(0.75)
    assert optimizer.param_groups[1]["betas"] == (0.9, 0.999)
    assert [s["step"].item() for s in optimizer.state.values()] == [2, 1]


def test_named_parameters():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["params"] == list(model.parameters())
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_a_parameter_twice_in_a_group_is_told():
    p = parameter(2)
    with pytest.warns(UserWarning, match="SGD: a parameter is in a group twice and will be moved twice a step"):
        optim.SGD([p, p])


# --- state ------------------------------------------------------------------------------------------------------------


def test_the_loaded_state_is_a_copy_in_the_dtype_of_the_parameters():
    p, q = parameter(2, gradient=1.0), autograd.ones(2, dtype=autograd.float64, requires_grad=True)
    first, second = optim.Adam([p], lr=0.5), optim.Adam([q], lr=0.1)
    first.step()
    second.load_state_dict(first.state_dict())
    loaded = second.state[q]
    assert (loaded["exp_avg"].dtype, loaded["step"].dtype) == (autograd.float64, autograd.float32)
    assert second.param_groups[0]["lr"] == 0.5
    first.step()
    assert loaded["step"].item() == 1
    assert loaded["exp_avg"].tolist() == pytest.approx([0.1, 0.1])


def test_options_and_numbers_of_older_states():
    p = parameter(2, gradient=1.0)
    optimizer = optim.Adam([p])
    state = {"step": 3, "exp_avg": np.zeros(2, np.float32), "exp_avg_sq": autograd.zeros(2)}
    state["exp_avg"] = autograd.from_numpy(state["exp_avg"])
    optimizer.load_state_dict({"state": {0: state}, "param_groups": [{"lr": 0.5, "betas": (0.9, 0.99), "params": [0]}]})
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 4
    assert optimizer.param_groups[0]["eps"] == 1e-8


def test_a_momentum_that_was_saved_as_none():
    p = parameter(1, gradient=1.0)
    optimizer = optim.SGD([p], lr=0.5, momentum=0.9)
    saved = optimizer.state_dict()
    saved["state"] = {0: {"momentum_buffer": None}}
    optimizer.load_state_dict(saved)
    optimizer.step()
    assert p.item() == 0.5


def test_state_can_be_forgotten():
    p = parameter(1, gradient=1.0)
    optimizer = optim.Adam([p], lr=0.5)
    optimizer.step()
    optimizer.state.clear()
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 1


def test_a_copy_goes_its_own_way():
    p = parameter(2, gradient=1.0)
    optimizer = optim.Adam([p], lr=0.5)
    optimizer.step()
    twin = copy.deepcopy(optimizer)
    twin.step()
    assert optimizer.state[p]["step"].item() == 1
    (q,) = twin.param_groups[0]["params"]
    assert (q is p, twin.state[q]["step"].item()) == (False, 2)


# --- hooks and optimizers of one's own --------------------------------------------------------------------------------


def test_hooks():
    p = parameter(1, gradient=1.0)
    optimizer = optim.SGD([p], lr=0.5)
    seen = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append((o is optimizer, args, p.item())))
    with optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append((o is optimizer, args, p.item()))):
        optimizer.step()
    optimizer.step()
    before.remove()
    before.remove()
    optimizer.step()
    assert seen == [(True, (optimizer,), 1.0), (True, (optimizer,), 0.5), (True, (optimizer,), 0.5)]


@pytest.mark.parametrize("lib", [autograd, torch], ids=["ours", "theirs"])
def test_a_hook_may_change_what_the_step_is_given(lib):
    p = lib.ones(1, requires_grad=True)
    optimizer = (optim if lib is autograd else torch.optim).SGD([p], lr=0.5)
    seen = []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((*args, lambda: 3.0), kwargs))
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((args[0],), {"closure": args[1]}))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append((args, [*kwargs])))
    assert optimizer.step() == 3.0
    assert seen == [((optimizer,), ["closure"])]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: args)
    with pytest.raises(RuntimeError):
        optimizer.step()


def test_a_rule_of_ones_own():
    @autograd.update
    def heavy_ball(p, g, velocity, *, lr, friction):
        velocity = (1 - friction) * velocity - lr * g
        return p + velocity, velocity

    class HeavyBall(optim.Optimizer):
        def __init__(self, params, lr=0.1, friction=0.5, weight_decay=0.0, maximize=False):
            options = {"lr": lr, "friction": friction, "weight_decay": weight_decay, "maximize": maximize}
            super().__init__(params, options)

        def rule(self, group):
            return heavy_ball, ("velocity",)

    p = parameter(1, gradient=1.0)
    optimizer = HeavyBall([p], lr=0.5, weight_decay=1.0)
    optimizer.step()
    assert p.item() == 0.0  # 1 - 0.5 (1 + 1)
    optimizer.step()
    assert p.item() == -1.0  # velocity 0.5 * -1 - 0.5 (1 + 0)
    assert {name: value.item() for name, value in optimizer.state[p].items()} == {"step": 2.0, "velocity": -1.0}
    assert repr(optimizer) == (
        "HeavyBall (\nParameter Group 0\n    friction: 0.5\n    lr: 0.5\n    maximize: False\n    weight_decay: 1.0\n)"
    )


def test_a_step_of_ones_own_calls_the_hooks():
    class Sign(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.5})

        @autograd.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.sub_(group["lr"] * p.grad.sign())

    p = parameter(1, gradient=3.0)
    optimizer = Sign([p])
    seen = []
    optimizer.register_step_post_hook(lambda *_: seen.append(p.item()))
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        schedule.step()
    optimizer.step()
    assert seen == [0.5, 0.25]


# --- updates from a formula -------------------------------------------------------------------------------------------


@autograd.update
def momentum(p, g, m, *, lr, beta):
    """Polyak's."""
    m = beta * m + g
    return p - lr * m, m


def test_an_update_writes_what_the_formula_returns():
    p, g, m = autograd.ones(2, 3), autograd.full((2, 3), 2.0), autograd.full((2, 3), 4.0)
    momentum(p, g, m, lr=0.25, beta=0.5)
    assert (p.tolist()[0][0], g.tolist()[0][0], m.tolist()[0][0]) == (0.0, 2.0, 4.0)
    assert momentum.__doc__ == "Polyak's."


def test_numbers_are_computed_in_double_precision():
    @autograd.update
    def average(p, g, *, beta):
        return beta * p + (1 - beta) * g

    p, g = autograd.zeros(1), autograd.ones(1)
    average(p, g, beta=0.999)
    assert values(p)[0] == np.float32(1 - 0.999) != 1 - np.float32(0.999)


def test_steps_before_an_update():
    def doubled(p, g, *, factor):
        return p, factor * g

    p, g, m = autograd.ones(1), autograd.ones(1), autograd.zeros(1)
    variant = momentum.after(doubled)
    assert variant is momentum.after(doubled)
    assert momentum.after() is momentum
    assert (variant.name, variant.numbers) == ("momentum_doubled", ("lr", "beta", "factor"))
    variant(p, g, m, lr=1.0, beta=0.0, factor=2.0)
    assert (p.item(), m.item()) == (-1.0, 2.0)


def test_infinities_and_nan_come_through():
    p, g, m = autograd.zeros(3), autograd.tensor([np.inf, -np.inf, np.nan]), autograd.zeros(3)
    momentum(p, g, m, lr=1.0, beta=0.5)
    np.testing.assert_array_equal(values(p), [-np.inf, np.inf, np.nan])


# --- errors -----------------------------------------------------------------------------------------------------------


def read_only(*shape):
    array = np.ones(shape, np.float32)
    array.flags.writeable = False
    return autograd.from_numpy(array)


def hooked(p):
    optimizer = optim.SGD([p])
    optimizer.register_step_pre_hook(lambda *_: 3)
    optimizer.step()


W, V = parameter(2), parameter(3)
ONES = autograd.ones
ERRORS = [
    (lambda: optim.SGD([]), ValueError, "SGD: there must be a parameter to optimize; got an empty list"),
    (
        lambda: optim.SGD(W),
        TypeError,
        "SGD: params must be a list of tensors or of dicts; got one tensor; wrap it in a list",
    ),
    (lambda: optim.SGD([3]), TypeError, "SGD: a parameter must be a tensor; got int at position 0"),
    (
        lambda: optim.SGD([W, W * 2]),
        ValueError,
        "SGD: a parameter must be a leaf; got the output of mul at position 1",
    ),
    (
        lambda: optim.SGD([{"params": [W]}, {"params": [V, W]}]),
        ValueError,
        "SGD: a parameter may be in one group alone; got one twice, here at position 1",
    ),
    (
        lambda: optim.SGD([{"params": {W}}]),
        TypeError,
        "SGD: parameters must come in an order; got a set; pass a list",
    ),
    (lambda: optim.SGD([{"params": [W]}, 3]), TypeError, "SGD: a parameter group must be a dict; got int"),
    (
        lambda: optim.SGD([("w", W), V]),
        ValueError,
        "SGD: either all parameters have names or none; got both",
    ),
    (
        lambda: optim.SGD([{"params": [("w", W)]}, {"params": [V]}]),
        ValueError,
        "SGD: either all groups have named parameters or none; got both",
    ),
    (lambda: optim.SGD([W], lr=-0.1), ValueError, "SGD: lr must not be negative; got -0.1"),
    (
        lambda: optim.SGD([{"params": [W], "momentum": -1}]),
        ValueError,
        "SGD: momentum must not be negative; got -1",
    ),
    (
        lambda: optim.SGD([W], nesterov=True),
        ValueError,
        "SGD: nesterov needs momentum above 0 and no dampening; got momentum=0 and dampening=0",
    ),
    (lambda: optim.Adam([W], betas=(0.9, 1.0)), ValueError, "Adam: betas must be in [0, 1); got (0.9, 1.0)"),
    (lambda: optim.Adam([W], betas=0.9), ValueError, "Adam: betas must be two numbers; got 0.9"),
    (
        lambda: optim.NAdam([W], betas=(0.9, 0.9, 0.9)),
        ValueError,
        "NAdam: betas must be two numbers; got (0.9, 0.9, 0.9)",
    ),
    (lambda: optim.Rprop([W], etas=0.5), ValueError, "Rprop: etas must be two numbers; got 0.5"),
    (lambda: optim.Rprop([W], step_sizes=(1,)), ValueError, "Rprop: step_sizes must be two numbers; got (1,)"),
    (lambda: optim.Adafactor([W], eps=1e-3), ValueError, "Adafactor: eps must be two numbers; got 0.001"),
    (lambda: optim.SGD([W]).load_state_dict(None), TypeError, "SGD: a saved state is a dict; got NoneType"),
    (
        lambda: optim.Adam([W]).load_state_dict(
            {"state": {0: {"momentum_buffer": ONES(2)}}, "param_groups": [{"params": [0]}]}
        ),
        ValueError,
        "Adam: the saved state must be of the same kind of optimizer; got momentum_buffer without exp_avg, exp_avg_sq, "
        "step for parameter 0",
    ),
    (
        lambda: optim.LBFGS([ONES(0), ONES(2, 0)]).step(lambda: 1.0),
        RuntimeError,
        "LBFGS: the parameters must have elements; got shape (0,), (2, 0)",
    ),
    (lambda: hooked(W), RuntimeError, "SGD: a hook before the step returns None or (args, kwargs); got 3"),
    (lambda: optim.AdamW([W], eps=-1), ValueError, "AdamW: eps must not be negative; got -1"),
    (lambda: optim.AdamW([W], lr=float("nan")), ValueError, "AdamW: lr must not be negative; got nan"),
    (
        lambda: optim.Adam([W], differentiable=True),
        NotImplementedError,
        "Adam: steps are not recorded in the graph; got differentiable=True",
    ),
    (
        lambda: optim.NAdam([W], momentum_decay=-1),
        ValueError,
        "NAdam: momentum_decay must not be negative; got -1",
    ),
    (lambda: optim.Adadelta([W], rho=1.5), ValueError, "Adadelta: rho must be in [0, 1); got 1.5"),
    (
        lambda: optim.Rprop([W], etas=(1.1, 1.2)),
        ValueError,
        "Rprop: etas must be below and above 1, and above 0; got (1.1, 1.2)",
    ),
    (
        lambda: optim.Adafactor([W], beta2_decay=0.5),
        ValueError,
        "Adafactor: beta2_decay must not be above 0; got 0.5",
    ),
    (lambda: optim.Adafactor([W], d=0.5), ValueError, "Adafactor: d must be 1 or more; got 0.5"),
    (
        lambda: optim.Adafactor([W], eps=(None, -1)),
        ValueError,
        "Adafactor: eps must not be negative; got (None, -1)",
    ),
    (
        lambda: optim.Muon([W]),
        ValueError,
        "Muon: a parameter must be a matrix; got shape (2,); use AdamW for the others",
    ),
    (
        lambda: optim.Muon([ONES(2, 2)], adjust_lr_fn="up"),
        ValueError,
        "Muon: adjust_lr_fn must be 'original' or 'match_rms_adamw'; got 'up'",
    ),
    (lambda: optim.Muon([ONES(2, 2)], ns_steps=100), ValueError, "Muon: ns_steps must be below 100; got 100"),
    (
        lambda: optim.Muon([ONES(2, 2)], ns_coefficients=(1, 2)),
        ValueError,
        "Muon: ns_coefficients must be three numbers; got (1, 2)",
    ),
    (
        lambda: optim.LBFGS([{"params": [W]}, {"params": [V]}]),
        ValueError,
        "LBFGS: all parameters are in one group; got a second",
    ),
    (
        lambda: optim.LBFGS([W], line_search_fn="armijo"),
        ValueError,
        "LBFGS: line_search_fn must be None or 'strong_wolfe'; got 'armijo'",
    ),
    (lambda: optim.LBFGS([W], max_iter=0), ValueError, "LBFGS: max_iter must be above 0; got 0"),
    (
        lambda: optim.LBFGS([W]).step(),
        TypeError,
        "LBFGS: step needs a closure that computes the loss again; got None",
    ),
    (
        lambda: optim.Optimizer([parameter(1, gradient=1.0)], {}).step(),
        NotImplementedError,
        "Optimizer: an optimizer states its rule, or its own step()",
    ),
    (
        lambda: optim.SGD([{"lr": 0.1}]),
        ValueError,
        "SGD: a parameter group must have params; got lr",
    ),
    (
        lambda: optim.SGD([W]).load_state_dict({"weight": ONES(1), "bias": ONES(1)}),
        ValueError,
        "SGD: a saved state has 'state' and 'param_groups'; got 'weight', 'bias'",
    ),
    (
        lambda: optim.SGD([W]).load_state_dict({"state": {}, "param_groups": []}),
        ValueError,
        "SGD: the saved state must have as many groups; got 0 for 1",
    ),
    (
        lambda: optim.SGD([W]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}),
        ValueError,
        "SGD: the saved state must have as many parameters; got 2 for 1 in group 0",
    ),
    (
        lambda: momentum(ONES(2, 2), ONES(2, 2), ONES(2), lr=1, beta=1),
        ValueError,
        "momentum: the tensors must have one shape; got p (2, 2), g (2, 2), m (2,)",
    ),
    (
        lambda: momentum(ONES(3), ONES(3), ONES(2), lr=1, beta=1),
        ValueError,
        "momentum: the tensors must have one shape; got p (3,), g (3,), m (2,)",
    ),
    (
        lambda: momentum(ONES(2), ONES(2), ONES(2), lr=1),
        TypeError,
        "momentum: takes the numbers lr, beta; got lr",
    ),
    (
        lambda: momentum(read_only(2), ONES(2), ONES(2), lr=1, beta=1),
        ValueError,
        "momentum: p is changed in place; got a read-only array of shape (2,); clone() it",
    ),
    (
        lambda: momentum(ONES(1).expand(2), ONES(2), ONES(2), lr=1, beta=1),
        RuntimeError,
        "momentum: several elements of p share one place in memory; got an expanded tensor of shape (2,); clone() it",
    ),
    (
        lambda: momentum(ONES(2, 2), ONES(2, 2), ONES(2).expand(2, 2), lr=1, beta=1),
        RuntimeError,
        "momentum: several elements of m share one place in memory; got an expanded tensor of shape (2, 2); clone() it",
    ),
    (
        lambda: momentum(ONES(2, dtype=autograd.int64), ONES(2), ONES(2), lr=1, beta=1),
        TypeError,
        "momentum: p must be a floating tensor; got int64",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[message.split(";")[0] for _, _, message in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
