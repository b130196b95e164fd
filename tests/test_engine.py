"""The graph and the walk back: order, modes, hooks, freeing, threads, and what is refused."""

import _thread
import gc
import sys
import threading
import time
import weakref

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, graph, tensor
from autograd.writes import line_at


def leaf(*values: float) -> Tensor:
    return tensor(list(values), dtype=autograd.float64, requires_grad=True)


def test_a_diamond_adds_up():
    x = leaf(3.0)
    a = x * 2
    (a * a + a).sum().backward()
    assert x.grad.tolist() == [4 * 2 * 3 + 2]


def test_gradients_accumulate_until_cleared():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    (x * x).sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_leaves_never_share_a_gradient():
    x, y = leaf(1.0), leaf(2.0)
    seed = tensor([5.0], dtype=autograd.float64)
    (x + y).backward(seed)
    x.grad.mul_(10)
    assert (y.grad.tolist(), seed.tolist()) == ([5.0], [5.0])


def test_a_tensor_used_many_times_collects_every_part():
    x = leaf(1.0, 1.0)
    total = x
    for _ in range(50):
        total = total + x
    total.sum().backward()
    assert x.grad.tolist() == [51.0, 51.0]


def test_create_graph_gives_higher_derivatives():
    x = leaf(2.0)
    y = x**4
    for expected in (4 * 8.0, 12 * 4.0, 24 * 2.0, 24.0):
        (y,) = autograd.grad(y.sum(), x, create_graph=True)
        assert y.tolist() == [expected]


def test_backward_of_a_gradient_reaches_grad():
    x = leaf(3.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.sum().backward()
    assert (first.tolist(), x.grad.tolist()) == ([27.0], [18.0])


def test_grad_of_inner_tensors_leaves_the_leaves_alone():
    x, w = leaf(2.0), leaf(5.0)
    h = x * w
    (gh, gw) = autograd.grad((h * h).sum(), [h, w])
    assert (gh.tolist(), gw.tolist(), x.grad, w.grad) == ([20.0], [40.0], None, None)


def test_grad_walks_only_what_it_needs():
    x, w = leaf(2.0), leaf(5.0)
    called = []
    side = x * 3
    side.register_hook(lambda g: called.append(g))
    autograd.grad((side + w).sum(), w)
    assert called == []


def test_backward_with_inputs_fills_only_those():
    x, w = leaf(2.0), leaf(5.0)
    (x * w).sum().backward(inputs=[w])
    assert (x.grad, w.grad.tolist()) == (None, [2.0])


def test_grad_of_several_outputs_with_weights():
    x = leaf(2.0)
    (g,) = autograd.grad([x * 2, x * x], x, [tensor([10.0], dtype=autograd.float64), None])
    assert g.tolist() == [24.0]


def test_unused_inputs():
    x, w = leaf(2.0), leaf(5.0)
    assert autograd.grad((x * 2).sum(), [x, w], allow_unused=True)[1] is None
    assert autograd.grad((x * 2).sum(), [x, w], materialize_grads=True)[1].tolist() == [0.0]


# --- a second walk ---------------------------------------------------------------------------------------------------


def test_retain_graph_lets_it_be_walked_again():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]


def test_what_saves_nothing_may_be_walked_again():
    x = leaf(2.0)
    y = x + 1
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0]


# --- modes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [autograd.no_grad, autograd.inference_mode, lambda: autograd.set_grad_enabled(False)])
def test_modes_switch_recording_off(mode):
    x = leaf(1.0)
    with mode():
        assert not (x * 2).requires_grad
        with autograd.enable_grad():
            assert (x * 2).requires_grad
    assert (x * 2).requires_grad


DECORATORS = {
    "no_grad()": lambda: autograd.no_grad(),
    "no_grad": lambda: autograd.no_grad,
    "inference_mode()": lambda: autograd.inference_mode(),
    "set_grad_enabled": lambda: autograd.set_grad_enabled(False),
}


@pytest.mark.parametrize("make", DECORATORS.values(), ids=DECORATORS)
def test_modes_as_decorators(make):
    x = leaf(1.0)

    @make()
    def double(t):
        return t * 2

    assert autograd.is_grad_enabled()
    assert not double(x).requires_grad
    assert autograd.is_grad_enabled()


def test_a_mode_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), autograd.no_grad():
        raise ZeroDivisionError
    assert autograd.is_grad_enabled()


def test_set_grad_enabled_acts_at_once():
    autograd.set_grad_enabled(False)
    assert not autograd.is_grad_enabled()
    autograd.set_grad_enabled(True)
    assert autograd.is_grad_enabled()


def test_modes_are_per_thread():
    seen = {}
    inside, done = threading.Event(), threading.Event()

    def other():
        inside.wait(10)
        seen["enabled"] = autograd.is_grad_enabled()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with autograd.no_grad():
        inside.set()
        done.wait(10)
    thread.join()
    assert seen == {"enabled": True}


def test_a_recursive_decorated_function():
    @autograd.no_grad()
    def countdown(k):
        return autograd.is_grad_enabled() or (k > 0 and countdown(k - 1))

    assert countdown(3) is False
    assert autograd.is_grad_enabled()


# --- hooks -----------------------------------------------------------------------------------------------------------


def test_hooks_see_and_replace_gradients():
    x = leaf(1.0)
    h = x * 2
    seen = []
    h.register_hook(lambda g: seen.append(g.tolist()))
    h.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    (h * 3).sum().backward()
    assert (seen, x.grad.tolist()) == ([[3.0]], [61.0])


def test_a_leaf_hook_sees_the_whole_gradient_once():
    x = leaf(1.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x * 3).sum().backward()
    assert seen == [[5.0]]


def test_a_removed_hook_is_silent():
    x = leaf(1.0)
    handle = x.register_hook(lambda g: g * 100)
    handle.remove()
    handle.remove()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_retain_grad_keeps_the_gradient_of_an_inner_tensor():
    x = leaf(1.0, 2.0)
    h = x * x
    h.retain_grad()
    (h * 3).sum().backward()
    assert (h.grad.tolist(), h.retains_grad, x.retains_grad) == ([3.0, 3.0], True, False)


# --- the user's own operations ---------------------------------------------------------------------------------------


class Cube(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


def test_function_first_and_second_order():
    x = leaf(0.5, 2.0)
    assert autograd.gradcheck(Cube.apply, x)
    assert autograd.gradgradcheck(Cube.apply, x)


def test_function_with_several_outputs_and_other_arguments():
    class Split(autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            ctx.factor = factor
            out = x * factor, y * 1, (x > 0)
            ctx.mark_non_differentiable(out[2])
            return out

        @staticmethod
        def backward(ctx, gx, gy, _):
            assert ctx.needs_input_grad == (True, False, True)
            return gx * ctx.factor, None, gy

    x, y = leaf(1.0), leaf(2.0)
    a, b, c = Split.apply(x, 3.0, y)
    (a + b).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist(), c.requires_grad) == ([3.0], [1.0], False)


def test_function_saving_its_output():
    class Exp(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = leaf(0.3, -1.0)
    assert autograd.gradcheck(Exp.apply, x)
    assert autograd.gradgradcheck(Exp.apply, x)
    y = Exp.apply(x)
    alive = weakref.ref(y)
    gc.disable()
    try:
        del y
        assert alive() is None, "saving an output makes a reference cycle"
    finally:
        gc.enable()


# --- long chains and memory ------------------------------------------------------------------------------------------


def chain(length: int) -> tuple[Tensor, Tensor]:
    x = tensor(1.0, requires_grad=True)
    one = tensor(1.0)
    y = x
    for _ in range(length):
        y = y * one
    return x, y


def test_a_chain_of_a_million_nodes():
    x, y = chain(1_000_000)
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_the_cost_of_a_node_does_not_grow_with_the_chain():
    def cost(length: int) -> float:
        start = time.thread_time()
        _, y = chain(length)
        y.backward()
        del y
        return (time.thread_time() - start) / length

    cost(1000)
    short, long = min(cost(20_000) for _ in range(3)), cost(400_000)
    # Anything that grows with the length would be off by the factor of 20 between the lengths.
    assert long < 5 * short


def test_training_steps_leave_nothing_behind():
    def step(w):
        ((x @ w).relu() ** 2).mean().backward()
        w.grad = None

    x, w = autograd.randn(8, 4), autograd.randn(4, 3, requires_grad=True)
    for _ in range(100):  # until every kernel is compiled
        step(w)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(100):
            step(w)
        assert len(gc.get_objects()) - before < 50
    finally:
        gc.enable()


def test_two_threads_walk_into_one_leaf():
    x = autograd.ones(1000, dtype=autograd.float64, requires_grad=True)

    def work():
        for _ in range(50):
            (x * 2).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert x.grad.tolist() == [400.0] * 1000


# --- what is refused -------------------------------------------------------------------------------------------------


def overwritten():
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.add_(1)
    y.sum().backward()


def walked_twice():
    y = (leaf(1.0) * leaf(2.0)).sum()
    y.backward()
    y.backward()


def wrong_shape():
    class Tall(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.expand(3, 1)

        @staticmethod
        def backward(ctx, g):
            return g

    Tall.apply(leaf(1.0)).sum().backward()


def wrong_count():
    class Bad(autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    Bad.apply(leaf(1.0), leaf(2.0)).backward()


def change_requires_grad_inside():
    y = leaf(1.0) * 2
    y.requires_grad = False


REFUSED = [
    (lambda: (leaf(1.0, 2.0) * 2).backward(), "backward: a gradient can be left out only for a tensor of one element; got shape (2,); pass gradient= or reduce it, with sum() say"),
    (lambda: tensor([1.0]).backward(), "backward: the tensor does not depend on anything that requires a gradient; got requires_grad=False and no grad_fn"),
    (lambda: (leaf(1.0, 2.0) * 2).backward(tensor([1.0])), "backward: the gradient must have the shape of the tensor; got (1,) for (2,)"),
    (walked_twice, "backward: the graph was freed by an earlier backward; got a second walk through mul; pass retain_graph=True to the first"),
    (lambda: autograd.grad(leaf(1.0) * 2, leaf(1.0)), "grad: an output does not depend on this input; got no path to input 0 of shape (1,); pass allow_unused=True to get None for it"),
    (lambda: autograd.grad(leaf(1.0) * 2, tensor([1.0])), "grad: an input must require a gradient; got requires_grad=False; call requires_grad_()"),
    (lambda: tensor([1, 2], requires_grad=True), "requires_grad: only a floating dtype has gradients; got int64"),
    (change_requires_grad_inside, "requires_grad: only a leaf can change it; got the output of mul; use detach()"),
    (lambda: leaf(1.0).numpy(), "numpy: the tensor needs a gradient; got requires_grad=True; use detach().numpy()"),
    (lambda: bool(leaf(1.0, 2.0)), "bool: a tensor of shape (2,) is neither true nor false; use any() or all()"),
    (lambda: leaf(1.0, 2.0).item(), "item: the tensor must have one element; got shape (2,); use tolist()"),
    (lambda: leaf(1.0).add_(1), "add_: a leaf that requires a gradient can't be changed in place; got one of shape (1,); do it under no_grad(), or use the out-of-place operation"),
    (lambda: leaf(1.0, 2.0)[:1].add_(1), "add_: a view of a leaf that requires a gradient can't be changed in place; got one of shape (1,); do it under no_grad(), or use the out-of-place operation"),
    (lambda: autograd.zeros(2).expand(3, 2).add_(1), "add_: several elements share one place in memory; got an expanded tensor of shape (3, 2); clone() it"),
    (lambda: autograd.zeros(2).add_(autograd.zeros(3, 2)), "add_: the result must have the shape of the tensor; got (3, 2) for (2,)"),
    (lambda: autograd.zeros(2, dtype=autograd.int64).add_(1.5), "add_: the result can't be written into the tensor; got float32 for int64"),
    (lambda: leaf(1.0, 2.0) + leaf(1.0, 2.0, 3.0), "add: the shapes do not broadcast; got (2,), (3,); from the last axis on, lengths must be equal or one of them 1"),
    (lambda: tensor([1.0]).retain_grad(), "retain_grad: the tensor must require a gradient; got requires_grad=False"),
    (lambda: autograd.zeros(2, device="cuda"), 'zeros: the only device is "cpu"; got \'cuda\''),
    (wrong_shape, "Tall.backward: a gradient has the shape of its input; got (3, 1) for an input of shape (1,); sum it over the axes that were broadcast"),
    (wrong_count, "Bad.backward: one gradient for each argument of forward; got 1 for 2"),
    (lambda: autograd.exp("text"), "exp: input must be a tensor or a number; got str"),
    (lambda: setattr(leaf(1.0), "grad", autograd.zeros(2)), "grad: a gradient has the shape and dtype of its tensor; got (2,) float32 for (1,) float64"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[message[:60] for _, message in REFUSED])
def test_refused(act, message):
    with pytest.raises((RuntimeError, TypeError)) as caught:
        act()
    assert str(caught.value) == message


def overwritten_in_a_module():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    y = net(leaf(1.0, 2.0).float())
    y.zero_()
    y.sum().backward()


@pytest.mark.parametrize(("program", "name"), [(overwritten, "exp"), (overwritten_in_a_module, "tanh")])
def test_an_overwritten_value_is_named_with_its_places(program, name):
    first = program.__code__.co_firstlineno
    assert message(program) == (
        f"{name}: a value saved for backward was changed in place afterwards; got a tensor of shape (2,) "
        f"saved at {__file__}:{first + 2}, overwritten at {__file__}:{first + 3}; "
        "clone() it before the change, or use the out-of-place operation"
    )


class Double(nn.Module):
    def forward(self, x):
        return self.inner(x) + x

    def __init__(self):
        super().__init__()
        self.inner = nn.Tanh()


def test_a_node_knows_the_nearest_line_of_the_program():
    def hook(module, args, out):
        return out * 2

    def lines(net):
        node, found = net(leaf(1.0)).grad_fn, []
        while isinstance(node, graph.Node):
            found.append((node.op.name, int(line_at(node.place).rpartition(":")[2])))
            node = node.edges[0]
        return found

    called = lines.__code__.co_firstlineno + 1
    in_double = Double.forward.__code__.co_firstlineno + 1
    hooked = nn.Tanh()
    hooked.register_forward_hook(hook)
    own = [("add", in_double), ("tanh", in_double)]
    assert lines(nn.Sequential(nn.Sequential(nn.ReLU()), Double(), nn.ReLU())) == [
        ("relu", called), *own, ("relu", called)
    ]  # fmt: skip
    assert lines(nn.Sequential(hooked, nn.ReLU())) == [
        ("relu", called), ("mul", hook.__code__.co_firstlineno + 1), ("tanh", called)
    ]  # fmt: skip


def test_an_operation_that_no_python_code_calls(monkeypatch):
    errors = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: errors.append(str(raised.exc_value)))
    for function, *rest in ((autograd.exp,), (Tensor.add_, 1)):
        x = leaf(1.0) if function is autograd.exp else autograd.zeros(2)
        alive = weakref.ref(x)
        _thread.start_new_thread(function, (x, *rest))
        del x
        while alive() is not None:  # the thread holds it
            time.sleep(0.001)
    assert not errors


def message(program):
    with pytest.raises(RuntimeError) as caught:
        program()
    return str(caught.value)


def test_a_wrong_gradient_is_found():
    class Wrong(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 3

    with pytest.raises(autograd.gradcheck.__globals__["GradcheckError"]) as caught:
        autograd.gradcheck(Wrong.apply, leaf(1.0))
    assert str(caught.value) == (
        "gradcheck: the gradient of output 0 with respect to input 0 is wrong; "
        "got 3 for element 0 by element 0, differences give 2"
    )
    assert autograd.gradcheck(Wrong.apply, leaf(1.0), raise_exception=False) is False


def test_numpy_arrays_mix_with_tensors():
    x = leaf(1.0, 2.0)
    for y in (x + np.ones(2), np.ones(2) + x, np.float64(1) + x):
        assert isinstance(y, Tensor) and y.tolist() == [2.0, 3.0] and y.requires_grad
