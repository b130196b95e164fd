"""detect_anomaly: the first operation that makes infinities or NaN, forward and backward, with its place."""

import gc
import threading
import weakref

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, detect_anomaly, set_detect_anomaly
from autograd.ops.op import Op


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x).relu().log()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 2), Branch())

    def forward(self, x):
        return self.layers(x)


def line_of(function, offset):
    return f"{__file__}:{function.__code__.co_firstlineno + offset}"


def message(act):
    with pytest.raises(RuntimeError) as caught:
        act()
    return str(caught.value)


def divide():
    with detect_anomaly():
        x = autograd.tensor([1.0, 2.0]) * 2
        return x / autograd.tensor([0.0, 3.0])


def test_born_in_forward():
    assert message(divide) == (
        "div: the output must be finite where the inputs are; got inf for input in [2, 4], other in [0, 3]; "
        f"called at {line_of(divide, 3)}"
    )


def test_a_rule_that_gives_another_shape():
    wrong = Op(lambda x: x.copy(), {"x": lambda g: g[:1]})
    x = autograd.ones(3, requires_grad=True)

    def act():
        with detect_anomaly():
            wrong(x).sum().backward()

    assert message(act).startswith(
        "<lambda>: the rule of an input must give a gradient of its shape; got (1,) for (3,);"
    )
    expected = (
        "backward: the gradient of a tensor must have its shape; got (1,) for (3,); "
        "in detect_anomaly() the operation is named whose rule gave it"
    )
    assert message(lambda: wrong(x).sum().backward()) == expected and x.grad is None
    assert message(lambda: autograd.grad(wrong(x).sum(), x)) == expected


def backward():
    x = autograd.tensor([4.0, 0.0], requires_grad=True)
    with detect_anomaly():
        y = x.sqrt()
        y.sum().backward()


def test_born_in_backward():
    assert message(backward) == (
        "sqrt: the gradient must be finite where its inputs are; got inf for gradient in [1, 1], output in [0, 2]; "
        f"called at {line_of(backward, 3)}"
    )


def backward_alone():
    x = autograd.tensor([4.0, 0.0], requires_grad=True)
    y = x.sqrt()
    with detect_anomaly():
        y.sum().backward()


def test_born_in_backward_of_an_unobserved_forward():
    assert message(backward_alone) == (
        "sqrt: the gradient must be finite where its inputs are; got inf for gradient in [1, 1], output in [0, 2]; "
        f"called at {line_of(backward_alone, 2)}"
    )


def test_born_in_a_second_derivative():
    x = autograd.tensor([0.0], requires_grad=True)
    with detect_anomaly():
        (g,) = autograd.grad((x**1.5).sum(), x, create_graph=True)
        text = message(lambda: autograd.grad(g.sum(), x))
    assert "the gradient must be finite where its inputs are; got " in text


def test_the_module_is_named():
    model = Model()
    for p in model.parameters():
        nn.init.zeros_(p)

    def call():
        with detect_anomaly():
            model(autograd.ones(1, 2))

    assert message(call) == (
        "log: the output must be finite where the inputs are; got -inf for input in [0, 0]; "
        f'called at {line_of(Branch.forward, 1)} in Branch "layers.1"'
    )


class Root(nn.Module):
    def forward(self, x):
        return x.sqrt()


def test_the_module_is_named_in_backward():
    model, x = nn.Sequential(nn.Identity(), Root()), autograd.zeros(1, requires_grad=True)

    def call():
        with detect_anomaly():
            model(x).sum().backward()

    wanted = (
        "sqrt: the gradient must be finite where its inputs are; got inf for gradient in [1, 1], output in [0, 0]; "
    )
    assert message(call) == f'{wanted}called at {line_of(Root.forward, 1)} in Root "1"'


def test_a_module_alone_has_no_path():
    def call():
        with detect_anomaly():
            Root()(autograd.tensor([-1.0]))

    assert message(call) == (
        "sqrt: the output must be finite where the inputs are; got nan for input in [-1, -1]; "
        f"called at {line_of(Root.forward, 1)} in Root"
    )


def test_operations_of_several_outputs_and_of_the_user():
    class Bad(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return Tensor(x.array * 1)

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    x = autograd.ones(2, requires_grad=True)

    def call():
        with detect_anomaly():
            Bad.apply(x).sum().backward()

    assert message(call).startswith(
        "Bad: the gradient must be finite where its inputs are; got nan for gradient in [1, 1]"
    )
    with detect_anomaly():
        values, _ = autograd.linalg.eigh(autograd.eye(2) * x)
        with pytest.raises(RuntimeError, match=r"^eigh: the gradient must be finite"):
            (autograd.linalg.eigh(autograd.eye(2) * x)[1] ** 2).sum().backward()
    assert values.shape == (2,)


def test_what_was_not_finite_before_is_no_anomaly():
    x = autograd.tensor([1.0, float("inf")], requires_grad=True)
    with detect_anomaly():
        y = x * 2
        y.sum().backward()
        (x.detach() - x.detach()).sum()
        mask = autograd.tensor([True, False])
        p = autograd.softmax(autograd.ones(2, requires_grad=True).masked_fill(mask, -float("inf")), 0)
        p[1].backward()
        nn.functional.max_pool1d(autograd.ones(1, 4, requires_grad=True), 3, padding=1).sum().backward()
    assert p.tolist() == [0.0, 1.0]


def test_without_checking_values():
    with detect_anomaly(check_nan=False):
        assert autograd.is_anomaly_enabled()
        assert not autograd.is_anomaly_check_nan_enabled()
        assert autograd.tensor([0.0]).log().item() == -float("inf")


def test_switching_on_and_off():
    assert not autograd.is_anomaly_enabled()
    assert autograd.is_anomaly_check_nan_enabled()
    with detect_anomaly():
        assert autograd.is_anomaly_enabled()
        with set_detect_anomaly(False):
            assert not autograd.is_anomaly_enabled()
            autograd.tensor([0.0]).log()
        assert autograd.is_anomaly_enabled()
        seen = []
        other = threading.Thread(target=lambda: seen.append(autograd.is_anomaly_enabled()))
        other.start()
        other.join()
        assert seen == [False]
    set_detect_anomaly(True)
    try:
        with pytest.raises(RuntimeError, match=r"^log: "):
            autograd.tensor([0.0]).log()
    finally:
        set_detect_anomaly(False)
    assert not autograd.is_anomaly_enabled()
    autograd.tensor([0.0]).log()


def overwritten():
    x = autograd.ones(2, requires_grad=True)
    with detect_anomaly():
        y = x.exp()
        y.add_(1)
        y.sum().backward()


def test_an_overwritten_value_is_named_with_both_lines():
    assert message(overwritten) == (
        "exp: a value saved for backward was changed in place afterwards; got a tensor of shape (2,) "
        f"saved at {line_of(overwritten, 3)}, overwritten at {line_of(overwritten, 4)}; "
        "clone() it before the change, or use the out-of-place operation"
    )


def test_inside_vmap_and_grad():
    with detect_anomaly():
        text = message(lambda: autograd.vmap(autograd.log)(autograd.tensor([1.0, 0.0])))
        assert text.startswith("log: the output must be finite where the inputs are; got -inf for input in [0, 1]")
        text = message(lambda: autograd.func.grad(autograd.sqrt)(autograd.tensor(0.0)))
        assert text.startswith("sqrt: the gradient must be finite")


def test_results_are_the_same_and_nothing_is_kept():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    x = autograd.randn(5, 3)

    def gradients():
        net.zero_grad()
        nn.functional.cross_entropy(net(x), autograd.tensor([0, 1, 0, 1, 1])).backward()
        return [p.grad.array for p in net.parameters()]

    wanted = gradients()
    with detect_anomaly():
        found = gradients()
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    with detect_anomaly():
        y = net(x)
    node = weakref.ref(y.grad_fn)
    del y
    gc.collect()
    assert node() is None
