"""Checkpointing and hooks on saved tensors: the same gradients to the bit, less memory, and what goes wrong said."""

import gc
import tracemalloc

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor
from autograd.graph import saved_tensors_hooks
from autograd.utils.checkpoint import checkpoint, checkpoint_sequential


def leaf(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def model(*, dropout=0.0, width=8, depth=6):
    autograd.manual_seed(1)
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.Tanh(), nn.Dropout(dropout)]
    return nn.Sequential(*layers).double()


def gradients(net, run, x):
    autograd.manual_seed(2)
    for p in net.parameters():
        p.grad = None
    x.grad = None
    y = run(x)
    y.square().sum().backward()
    return [y.array, x.grad.array, *(p.grad.array for p in net.parameters())]


def assert_equal(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_gradients_are_the_same_to_the_bit(dropout, use_reentrant):
    net, x = model(dropout=dropout), leaf(5, 8)
    wanted = gradients(net, net, x)
    assert_equal(gradients(net, lambda t: checkpoint(net, t, use_reentrant=use_reentrant), x), wanted)
    assert_equal(gradients(net, lambda t: checkpoint_sequential(net, 3, t), x), wanted)
    assert_equal(gradients(net, lambda t: checkpoint_sequential(net, 4, t, use_reentrant=use_reentrant), x), wanted)


def test_the_random_stream_goes_on_as_without():
    net, x = model(dropout=0.5), leaf(5, 8)
    gradients(net, net, x)
    wanted = autograd.rand(3)
    gradients(net, lambda t: checkpoint(net, t), x)
    np.testing.assert_array_equal(autograd.rand(3).array, wanted.array)


def test_without_the_random_state_other_numbers_are_drawn():
    x = leaf(1000)

    def function(t):
        return (nn.functional.dropout(t) * t).sum()

    first = autograd.grad(checkpoint(function, x, preserve_rng_state=False), x)[0]
    autograd.manual_seed(3)
    y = checkpoint(function, x, preserve_rng_state=False)
    assert (autograd.grad(y, x)[0].array != first.array).any()


def test_checkpoints_in_checkpoints():
    net, x = model(dropout=0.3), leaf(5, 8)
    first, second = net[:9], net[9:]

    def inner(t):
        return checkpoint(second, checkpoint(first, t))

    assert_equal(gradients(net, lambda t: checkpoint(inner, t), x), gradients(net, net, x))


def test_second_derivatives_and_second_walks():
    x = leaf(4)

    def function(t):
        return (t.exp() * t.sin()).tanh().sum()

    for create in (True, False):
        y, z = checkpoint(function, x), function(x)
        (g,) = autograd.grad(y, x, create_graph=create, retain_graph=True)
        (h,) = autograd.grad(z, x, create_graph=create, retain_graph=True)
        np.testing.assert_array_equal(g.array, h.array)
        np.testing.assert_array_equal(autograd.grad(y, x, retain_graph=True)[0].array, h.array)
        if create:
            np.testing.assert_array_equal(autograd.grad(g.sum(), x)[0].array, autograd.grad(h.sum(), x)[0].array)


def test_several_outputs_keywords_and_other_arguments():
    x = leaf(3, 4)

    def function(t, power, *, shift):
        return {"a": t**power + shift, "b": [t.max(dim=1).values, t.sort().values]}

    out = checkpoint(function, x, 3, shift=1.0)
    total = out["a"].sum() + out["b"][0].exp().sum() + (out["b"][1] * autograd.arange(4.0)).sum()
    plain = function(x, 3, shift=1.0)
    wanted = plain["a"].sum() + plain["b"][0].exp().sum() + (plain["b"][1] * autograd.arange(4.0)).sum()
    np.testing.assert_array_equal(autograd.grad(total, x)[0].array, autograd.grad(wanted, x)[0].array)


def test_a_function_of_the_user_is_repeated():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, t):
            ctx.save_for_backward(t)
            return t * t * t

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

    x = leaf(4)
    (g,) = autograd.grad(checkpoint(lambda t: Cube.apply(t.exp()), x).sum(), x)
    np.testing.assert_array_equal(g.array, autograd.grad(Cube.apply(x.exp()).sum(), x)[0].array)


def test_the_function_runs_twice_and_no_further_than_needed():
    calls = []

    def function(t):
        calls.append("start")
        y = t.exp()
        calls.append("end")
        return y

    x = leaf(3)
    y = checkpoint(function, x)
    y.sum().backward()
    assert calls == ["start", "end", "start"]
    with autograd.no_grad():
        checkpoint(function, x)
    assert calls == ["start", "end", "start", "start", "end"]


def peak(run):
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_memory_is_saved():
    """32 layers, of which forward keeps an array each; checkpointed in 4 parts it keeps 4 inputs and one part's."""
    net, x = nn.Sequential(*[nn.Tanh() if i % 2 else nn.Sigmoid() for i in range(32)]), leaf(50_000)
    net(x).sum().backward()  # kernels are compiled
    plain = peak(lambda: net(x).sum().backward())
    saved = peak(lambda: checkpoint_sequential(net, 4, x).sum().backward())
    assert plain > 32 * x.nbytes
    assert saved < 0.5 * plain


def test_nothing_is_kept_and_there_are_no_cycles():
    net, x = model(), leaf(5, 8)

    def step():
        checkpoint_sequential(net, 3, x).sum().backward()

    for _ in range(3):
        step()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(20):
            step()
        assert len(gc.get_objects()) - before < 20
        assert gc.collect() == 0
    finally:
        gc.enable()


def changes_its_mind():
    count = iter([3, 2])
    x = leaf(3)

    def function(t):
        for _ in range(next(count)):
            t = t.exp()
        return t

    checkpoint(function, x).sum().backward()


def changes_its_shape():
    count = iter([3, 2])
    x = leaf(3)
    checkpoint(lambda t: t[: next(count)].exp().sum(), x).backward()


REFUSED = [
    (
        lambda: checkpoint(autograd.exp, leaf(2), determinism_check="some"),
        'checkpoint: determinism_check must be "default" or "none"; got \'some\'',
    ),
    (
        lambda: checkpoint_sequential([autograd.exp], 2, leaf(2)),
        "checkpoint_sequential: segments must be in [1, 1]; got 2",
    ),
    (
        changes_its_mind,
        "checkpoint: the function must do the same when backward calls it again; "
        "got 3 tensors saved the first time, fewer the second",
    ),
    (
        changes_its_shape,
        "checkpoint: the function must do the same when backward calls it again; "
        "got a tensor of shape (3,) and float64 the first time, (2,) and float64 the second",
    ),
]


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[m[:50] for _, m in REFUSED])
def test_refused(act, message):
    with pytest.raises((RuntimeError, ValueError)) as caught:
        act()
    assert str(caught.value) == message


def test_what_was_changed_in_place_is_not_used():
    x, w = leaf(2), leaf(2, seed=1)
    a = x * 1
    y = checkpoint(lambda t: (t * w).sin(), a).sum()
    with autograd.no_grad():
        w.add_(1)  # line 1
    with pytest.raises(RuntimeError) as caught:
        y.backward()
    line = test_what_was_changed_in_place_is_not_used.__code__.co_firstlineno + 5
    assert str(caught.value) == (
        "checkpoint: a tensor that the function reads was changed in place before backward called the function again; "
        f"got a tensor of shape (2,) overwritten at {__file__}:{line}; clone() it before the change"
    )
    y = checkpoint(autograd.sin, a).sum()
    a.add_(1)
    with pytest.raises(RuntimeError, match=r"^checkpoint: an argument was changed in place"):
        y.backward()


def test_writes_in_place_inside_are_fine():
    x = leaf(4)

    def function(t):
        y = t * 1
        y.mul_(2)
        y.sigmoid_()
        y.mul_(y.detach())
        z = y.exp() * y
        z[0] = 0.0
        return z.sin()

    (g,) = autograd.grad(checkpoint(function, x).sum(), x)
    np.testing.assert_array_equal(g.array, autograd.grad(function(x).sum(), x)[0].array)


# --- hooks on saved tensors ------------------------------------------------------------------------------------------


def test_hooks_see_what_is_saved():
    packed, unpacked = [], []

    def pack(tensor):
        packed.append(tensor.array)
        return len(packed) - 1

    def unpack(number):
        unpacked.append(number)
        return Tensor(packed[number])

    a, b = leaf(3), leaf(3, seed=1)
    with saved_tensors_hooks(pack, unpack):
        y = a * b
    assert [p is q.array for p, q in zip(packed, (a, b), strict=True)] == [True, True]
    (ga, gb) = autograd.grad(y.sum(), (a, b), create_graph=True)
    np.testing.assert_array_equal(ga.array, b.array)
    np.testing.assert_array_equal(gb.array, a.array)
    assert unpacked == [0, 1]


def test_the_innermost_hooks_count():
    seen = []
    x = leaf(3)
    with saved_tensors_hooks(lambda t: seen.append("outer") or t, lambda t: t):
        with saved_tensors_hooks(lambda t: seen.append("inner") or t, lambda t: t):
            x.exp()
        x.exp()
    assert seen == ["inner", "outer"]


def test_hooks_may_use_operations():
    x = leaf(3)
    with saved_tensors_hooks(lambda t: t * 2, lambda t: t / 2):
        y = x.exp().sin()
    np.testing.assert_array_equal(autograd.grad(y.sum(), x)[0].array, autograd.grad(x.exp().sin().sum(), x)[0].array)


def test_several_outputs_are_packed():
    x = leaf(3, 3)
    count = []

    def loss(t):
        values, vectors = autograd.linalg.eigh(t + t.mT)
        return (values**3).sum() + vectors.abs().sum()

    with saved_tensors_hooks(lambda t: count.append(t) or t.clone(), lambda t: t):
        y = loss(x)
    assert count
    np.testing.assert_array_equal(autograd.grad(y, x)[0].array, autograd.grad(loss(x), x)[0].array)


def test_a_wrong_unpack_hook_is_named():
    for unpack, got in ((lambda t: t[:2], "shape (2,)"), (lambda t: 1, "int")):
        with saved_tensors_hooks(lambda t: t, unpack):
            y = leaf(3).exp().sum()
        with pytest.raises(RuntimeError) as caught:
            y.backward()
        assert str(caught.value) == (
            f"saved_tensors_hooks: unpack_hook must return the tensor that was packed; got {got} for (3,)"
        )


def test_a_write_over_what_was_packed_is_found():
    x = leaf(3)
    y = x * 1
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        z = y.sin()
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"^sin: a value saved for backward was changed in place"):
        z.sum().backward()


def test_inside_maps_and_around_them():
    x = leaf(4, 3).detach()

    def function(t):
        return (t.exp() * t.sin()).sum()

    def repeated(t):
        return checkpoint(function, t)

    wanted = autograd.func.vmap(autograd.func.grad(function))(x)
    np.testing.assert_allclose(autograd.func.vmap(autograd.func.grad(repeated))(x).array, wanted.array)
    around = autograd.func.grad(lambda t: checkpoint(lambda u: autograd.func.vmap(function)(u).sum(), t))
    np.testing.assert_allclose(around(x).array, wanted.array)
    outside = autograd.func.grad(lambda t: autograd.func.vmap(repeated)(t).sum())
    np.testing.assert_allclose(outside(x).array, wanted.array)
    np.testing.assert_allclose(
        autograd.func.hessian(repeated)(x[0]).array, autograd.func.hessian(function)(x[0]).array, rtol=1e-12
    )


def test_anomalies_in_a_repetition_are_found():
    x = autograd.tensor([1.0, 0.0], requires_grad=True)
    with autograd.detect_anomaly(), pytest.raises(RuntimeError, match=r"^sqrt: the gradient must be finite"):
        checkpoint(autograd.sqrt, x).sum().backward()
