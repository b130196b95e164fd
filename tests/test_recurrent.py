"""Whole sequences as one operation: what the kernels compute is what the steps compute."""

import functools

import numpy as np
import pytest
import torch
from samples import x

import autograd
import nn
from autograd.ops.recurrent_steps import gru_step, lstm_step, rnn_step, walk

SIZES = [None, (3, 2, 2, 1), (2, 2)]
NETWORKS = {
    "rnn": (1, 1, autograd.rnn_sequence, rnn_step, {"nonlinearity": "tanh"}),
    "relu": (1, 1, functools.partial(autograd.rnn_sequence, nonlinearity="relu"), rnn_step, {"nonlinearity": "relu"}),
    "lstm": (4, 2, autograd.lstm_sequence, lstm_step, {"projection": None}),
    "gru": (3, 1, autograd.gru_sequence, gru_step, {}),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def arguments(name, sizes, hidden=2, features=2, dtype="float64"):
    """Input, states and parameters, all requiring gradients."""
    gates, states = NETWORKS[name][:2]
    shape = (3, 2, features) if sizes is None else (sum(sizes), features)
    batch = 2 if sizes is None else sizes[0]
    shapes = [shape, *[(batch, hidden)] * states, (gates * hidden, features), (gates * hidden, hidden)]
    shapes += [(gates * hidden,)] * 2
    arrays = [(x(*s, seed=i) * hidden**-0.5).astype(dtype) for i, s in enumerate(shapes)]
    return [autograd.tensor(a, requires_grad=True) for a in arrays]


def steps(name, args, sizes, reverse):
    """The same by operations on one step after the other."""
    _, states, _, step, options = NETWORKS[name]
    state, (weight_ih, weight_hh, bias_ih, bias_hh) = args[1 : 1 + states], args[1 + states :]
    step = functools.partial(step, weight=weight_hh, bias=bias_hh, **options)
    return walk(step, autograd.linear(args[0], weight_ih, bias_ih), tuple(state), sizes, reverse)


def first_and_second(outs, args):
    """Gradients, and gradients of their squares."""
    first = autograd.grad(sum((o**2).sum() for o in outs), args, create_graph=True)
    return [*first, *autograd.grad(sum((g**2).sum() for g in first), args)]


@every_network
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_kernels_are_the_steps(name, sizes, reverse, dtype):
    # Wide enough for the loops over a row to be SIMD code with a rest.
    args = arguments(name, sizes, hidden=37, features=5, dtype=dtype)
    outs, expected = NETWORKS[name][2](*args, sizes=sizes, reverse=reverse), steps(name, args, sizes, reverse)
    tolerance = {"rtol": 1e-11, "atol": 1e-12} if dtype == "float64" else {"rtol": 1e-4, "atol": 1e-4}
    for out, other in zip(outs, expected, strict=True):
        np.testing.assert_allclose(out.numpy(force=True), other.numpy(force=True), **tolerance)
    mine, theirs = (autograd.grad(sum((o**2).sum() for o in ys), args) for ys in (outs, expected))
    for g, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(g.numpy(), other.numpy(), **tolerance)


@every_network
def test_second_gradients(name):
    args = arguments(name, SIZES[1])
    mine = first_and_second(NETWORKS[name][2](*args, sizes=SIZES[1]), args)
    expected = first_and_second(steps(name, args, SIZES[1], False), args)
    for g, other in zip(mine, expected, strict=True):
        np.testing.assert_allclose(g.numpy(force=True), other.numpy(force=True), rtol=1e-10)


@every_network
def test_gradgradcheck(name):
    sequence = functools.partial(NETWORKS[name][2], sizes=(2, 1))
    args = arguments(name, (2, 1), hidden=1, features=1)
    assert autograd.gradcheck(sequence, args)
    assert name == "relu" or autograd.gradgradcheck(sequence, args)


@every_network
def test_each_output_alone_has_gradients(name):
    args = arguments(name, None)
    outs, expected = NETWORKS[name][2](*args), steps(name, args, None, False)
    for out, other in zip(outs, expected, strict=True):
        mine = autograd.grad(out.sum(), args, retain_graph=True)
        theirs = autograd.grad(other.sum(), args, retain_graph=True)
        for g, h in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_come_through(name, value):
    theirs, mine = getattr(torch.nn, name)(3, 4), getattr(nn, name)(3, 4)
    mine.load_state_dict({k: autograd.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    array = x(3, 2, 3).astype("float32")
    array[1, 0, 2] = value
    out, expected = mine(autograd.from_numpy(array))[0].numpy(force=True), theirs(torch.from_numpy(array))[0]
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_no_sequences(name):
    net = getattr(nn, name)(3, 4, bidirectional=True)
    out, state = net(autograd.zeros(5, 0, 3))
    (out.sum() + sum(s.sum() for s in (state if name == "LSTM" else (state,)))).backward()
    assert out.shape == (5, 0, 8)
    assert not any(p.grad.any() for p in net.parameters())
    with pytest.raises(RuntimeError, match="a sequence has at least one step"):
        net(autograd.zeros(0, 2, 3))


@every_network
@pytest.mark.parametrize("batch", [1, 3, 9, 32])
def test_several_threads_walk_as_one(name, batch):
    sizes = [max(1, batch - step // 3) for step in range(60)]  # sequences of many lengths, a few for each thread
    before, results = autograd.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            autograd.set_num_threads(threads)
            args = arguments(name, sizes, hidden=300 if batch == 1 else 64, features=5)
            outs = NETWORKS[name][2](*args, sizes=sizes)
            loss = sum((o * o).sum() for o in outs)
            results.append([*outs, *autograd.grad(loss, args)])
    finally:
        autograd.set_num_threads(before)
    for found in results[1:]:
        for a, b in zip(found, results[0], strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_gradients_of_biases_are_arrays_of_their_own():
    args = arguments("lstm", None)
    autograd.lstm_sequence(*args)[0].sum().backward()
    assert not np.shares_memory(args[-1].grad.numpy(), args[-2].grad.numpy())


def test_half_is_computed_in_float32():
    args = [a.detach() for a in arguments("gru", None, dtype="float16")]
    wide = autograd.gru_sequence(*(a.float() for a in args))
    for out, other in zip(autograd.gru_sequence(*args), wide, strict=True):
        assert out.dtype == autograd.float16
        assert autograd.equal(out, other.half())


def test_one_dtype():
    args = [a.detach() for a in arguments("gru", None)]
    message = "gru_sequence: input, state and parameters must have one dtype; got float32, float64"
    with pytest.raises(RuntimeError) as caught:
        autograd.gru_sequence(args[0].float(), *args[1:])
    assert str(caught.value) == message


def test_gradients_for_each_sequence():
    args = [a.detach() for a in arguments("lstm", None)]

    def loss(sequence, weight):
        inputs = [sequence.unsqueeze(1), *(a[:1] for a in args[1:3]), args[3], weight, *args[5:]]
        return (autograd.lstm_sequence(*inputs)[0] ** 2).sum()

    of_each = autograd.vmap(autograd.func.grad(loss, argnums=(0, 1)), in_dims=(1, None))(args[0], args[4])
    for i in range(2):
        alone = autograd.func.grad(loss, argnums=(0, 1))(args[0][:, i], args[4])
        for part, expected in zip(of_each, alone, strict=True):
            np.testing.assert_allclose(part[i].numpy(), expected.numpy(), rtol=1e-11)
    jacobian = autograd.func.jacrev(loss, argnums=1)(args[0][:, 0], args[4])
    forward = autograd.func.jacfwd(loss, argnums=1)(args[0][:, 0], args[4])
    np.testing.assert_allclose(jacobian.numpy(), forward.numpy(), rtol=1e-10)


def test_what_is_saved_may_be_packed():
    args = arguments("lstm", None)
    expected = autograd.grad(autograd.lstm_sequence(*args)[0].sum(), args)
    with autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        out = autograd.lstm_sequence(*args)[0].sum()
    for g, other in zip(autograd.grad(out, args), expected, strict=True):
        assert autograd.equal(g, other)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_cells_are_sequences_of_one_step(name):
    cell, net = getattr(nn, name + "Cell")(3, 4), getattr(nn, name)(3, 4)
    net.load_state_dict({f"{k}_l0": v for k, v in cell.state_dict().items()})
    single = autograd.randn(3)
    h = cell(single)
    out, _ = net(single.unsqueeze(0))
    assert autograd.allclose(h[0] if name == "LSTM" else h, out[0])
