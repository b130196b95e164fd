"""Clipping, norms, constraints, penalties, parameters as a vector and fusion: against PyTorch, or by their laws."""

import copy

import numpy as np
import pytest
import torch
from oracle import assert_same, to_ours, to_torch
from samples import x
from torch.nn import utils as theirs

import autograd
import nn
from nn import utils as ours

ARRAYS = [x(3, 4, seed=1), x(5, seed=2), x(2, 2, 3, seed=3)]
ORDERS = [2.0, 1.0, 3, float("inf"), 0.5]


def parameters(dtype="float64", missing=False):
    """Parameters of both libraries with gradients, the last without one if ``missing``."""
    mine = [nn.Parameter(t) for t in to_ours(ARRAYS, dtype)]
    other = [torch.nn.Parameter(t) for t in to_torch(ARRAYS, dtype)]
    for p, q, a in list(zip(mine, other, ARRAYS, strict=True))[: 2 if missing else 3]:
        p.grad, q.grad = to_ours(a * 3 - 1, dtype), to_torch(a * 3 - 1, dtype)
    return mine, other


def assert_same_gradients(mine, other, what):
    for p, q in zip(mine, other, strict=True):
        assert (p.grad is None) == (q.grad is None), what
        if p.grad is not None:
            assert_same(p.grad, q.grad, what)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_total_norm(order, dtype):
    assert_same(
        ours.get_total_norm(to_ours(ARRAYS, dtype), order),
        theirs.get_total_norm(to_torch(ARRAYS, dtype), order),
        f"order {order}",
    )


def test_total_norm_of_one_tensor_and_of_none():
    assert_same(ours.get_total_norm(to_ours(ARRAYS[0])), theirs.get_total_norm(to_torch(ARRAYS[0])), "one")
    assert_same(ours.get_total_norm([]), theirs.get_total_norm([]), "none")


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("max_norm", [0.5, 3, 1000.0])
@pytest.mark.parametrize("order", ORDERS)
def test_clip_grad_norm(order, max_norm, missing):
    mine, other = parameters(missing=missing)
    norm = ours.clip_grad_norm_(iter(mine), max_norm, order)
    assert_same(norm, theirs.clip_grad_norm_(other, max_norm, order), "norm")
    assert_same_gradients(mine, other, f"order {order}, at most {max_norm}")
    if order >= 1:
        clipped = ours.get_total_norm([p.grad for p in mine if p.grad is not None], order)
        assert clipped.item() <= max_norm * (1 + 1e-6)


def test_clip_grads_with_a_norm_that_is_given():
    mine, other = parameters("float32")
    ours.clip_grads_with_norm_(mine, 2.0, autograd.tensor(7.0))
    theirs.clip_grads_with_norm_(other, 2.0, torch.tensor(7.0))
    assert_same_gradients(mine, other, "given norm")


def test_clipping_one_parameter_and_none_with_a_gradient():
    mine, other = parameters()
    ours.clip_grad_norm_(mine[0], 0.1)
    theirs.clip_grad_norm_(other[0], 0.1)
    ours.clip_grad_value_(mine[1], 0.1)
    theirs.clip_grad_value_(other[1], 0.1)
    assert_same_gradients(mine, other, "one parameter")
    without = [nn.Parameter(autograd.ones(2))]
    assert ours.clip_grad_norm_(without, 1.0).item() == 0 and without[0].grad is None
    ours.clip_grad_value_(without, 1.0)


@pytest.mark.parametrize("missing", [False, True])
def test_clip_grad_value(missing):
    mine, other = parameters(missing=missing)
    held = mine[0].grad
    ours.clip_grad_value_(iter(mine), 1)
    theirs.clip_grad_value_(other, 1)
    assert_same_gradients(mine, other, "value")
    assert mine[0].grad is held, "clipping is in place"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_clipping_what_is_not_finite(bad):
    mine, other = parameters("float32")
    mine[0].grad[0, 0] = bad
    other[0].grad[0, 0] = bad
    assert_same(ours.clip_grad_norm_(mine, 1.0), theirs.clip_grad_norm_(other, 1.0), "norm")
    assert_same_gradients(mine, other, "gradients")


@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2), (4,)], ids=str)
def test_max_norm(shape):
    weight = autograd.from_numpy(x(*shape) * 2)
    before = np.linalg.norm(weight.numpy().reshape(shape[0], -1), axis=1)
    limit = float(np.median(before))
    kept = weight.numpy().copy()
    assert ours.max_norm_(weight, limit) is weight
    after = np.linalg.norm(weight.numpy().reshape(shape[0], -1), axis=1)
    np.testing.assert_allclose(after, np.minimum(before, limit), rtol=1e-12)
    np.testing.assert_array_equal(weight.numpy()[before <= limit], kept[before <= limit])


def test_constraints_leave_zeros_and_work_on_parameters():
    weight = nn.Parameter(autograd.tensor([[0.0, 0.0], [3.0, 4.0]]))
    ours.max_norm_(weight, 1.0)
    np.testing.assert_allclose(weight.detach().numpy(), [[0, 0], [0.6, 0.8]], rtol=1e-6)
    ours.unit_norm_(weight)
    np.testing.assert_allclose(weight.detach().numpy(), [[0, 0], [0.6, 0.8]], rtol=1e-6)
    assert weight.requires_grad and weight.grad_fn is None


@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2)], ids=str)
def test_unit_norm(shape):
    weight = autograd.from_numpy(x(*shape))
    direction = weight.numpy().copy()
    ours.unit_norm_(weight)
    rows = weight.numpy().reshape(shape[0], -1)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-12)
    cosine = (rows * direction.reshape(shape[0], -1)).sum(1) / np.linalg.norm(direction.reshape(shape[0], -1), axis=1)
    np.testing.assert_allclose(cosine, 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("penalty", "value", "slope"),
    [(ours.l1_penalty, np.abs, np.sign), (ours.l2_penalty, np.square, lambda w: 2 * w)],
    ids=["l1", "l2"],
)
def test_penalties(penalty, value, slope):
    mine, _ = parameters()
    for p in mine:
        p.grad = None
    total = penalty(iter(mine), 0.3)
    np.testing.assert_allclose(total.item(), 0.3 * sum(value(a).sum() for a in ARRAYS), rtol=1e-12)
    assert total.dtype == autograd.float64 and total.shape == ()
    total.backward()
    for p, a in zip(mine, ARRAYS, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), 0.3 * slope(a), rtol=1e-12)
    assert penalty(mine[0]).item() == penalty([mine[0]], 1.0).item() and penalty([]).item() == 0


def test_parameters_as_a_vector():
    mine, other = parameters()
    vector, expected = ours.parameters_to_vector(iter(mine)), theirs.parameters_to_vector(other)
    assert_same(vector, expected, "vector")
    (vector**2).sum().backward()
    (expected**2).sum().backward()
    assert_same_gradients(mine, other, "through the vector")
    held = list(mine)
    ours.vector_to_parameters(vector.detach() * 2 + 1, iter(mine))
    theirs.vector_to_parameters(expected.detach() * 2 + 1, other)
    for p, q, h in zip(mine, other, held, strict=True):
        assert_same(p, q, "from the vector")
        assert p is h and p.requires_grad and p.grad_fn is None


CONVOLUTIONS = [
    ("Conv1d", (2, 4, 3), {}, x(2, 2, 5)),
    ("Conv2d", (4, 4, (3, 2)), {"groups": 2, "bias": False}, x(2, 4, 5, 5)),
    ("Conv3d", (1, 2, 2), {"stride": 2}, x(1, 1, 4, 4, 4)),
    ("ConvTranspose1d", (2, 4, 3), {"bias": False}, x(2, 2, 5)),
    ("ConvTranspose2d", (2, 4, 3), {"stride": 2}, x(1, 2, 3, 3)),
]


def fused_pair(name, args, kwargs, affine):
    """A layer and a batch norm of both libraries, in evaluation, with the same values."""
    rank = name[-2:] if name[-1] == "d" else "1d"
    outs = args[1]
    other = torch.nn.Sequential(
        getattr(torch.nn, name)(*args, **kwargs), getattr(torch.nn, f"BatchNorm{rank}")(outs, affine=affine)
    ).double()
    mine = nn.Sequential(
        getattr(nn, name)(*args, **kwargs), getattr(nn, f"BatchNorm{rank}")(outs, affine=affine)
    ).double()
    random = np.random.default_rng(1)
    state = {k: random.uniform(0.5, 1.5, tuple(v.shape)) for k, v in mine.state_dict().items()}
    mine.load_state_dict(state)
    other.load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    return mine.eval(), other.eval()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("name", "args", "kwargs", "array"), CONVOLUTIONS, ids=[c[0] for c in CONVOLUTIONS])
def test_fusing_a_convolution(name, args, kwargs, array, affine):
    mine, other = fused_pair(name, args, kwargs, affine)
    transpose = "Transpose" in name
    before = copy.deepcopy(mine.state_dict())
    fused = ours.fuse_conv_bn_eval(*mine, transpose=transpose)
    expected = theirs.fuse_conv_bn_eval(*other, transpose=transpose)
    assert_same(fused.weight, expected.weight, "weight")
    assert_same(fused.bias, expected.bias, "bias")
    inputs = autograd.from_numpy(array)
    np.testing.assert_allclose(fused(inputs).detach().numpy(), mine(inputs).detach().numpy(), rtol=1e-10)
    for key, value in mine.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key].numpy(), "the layer itself stays as it was")


def test_fusing_a_transposed_convolution_with_groups():
    mine, _ = fused_pair("ConvTranspose2d", (4, 6, 2), {"groups": 2}, True)
    inputs = autograd.from_numpy(x(2, 4, 3, 3))
    fused = ours.fuse_conv_bn_eval(*mine, transpose=True)
    np.testing.assert_allclose(fused(inputs).detach().numpy(), mine(inputs).detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("bias", [True, False])
def test_fusing_an_affine_layer(bias):
    mine, other = fused_pair("Linear", (3, 4), {"bias": bias}, True)
    fused, expected = ours.fuse_linear_bn_eval(*mine), theirs.fuse_linear_bn_eval(*other)
    assert_same(fused.weight, expected.weight, "weight")
    assert_same(fused.bias, expected.bias, "bias")
    inputs = autograd.from_numpy(x(5, 3))
    np.testing.assert_allclose(fused(inputs).detach().numpy(), mine(inputs).detach().numpy(), rtol=1e-10)


def test_fused_weights_keep_dtype_and_whether_they_learn():
    mine = nn.Linear(3, 4).requires_grad_(False).eval()
    fused = ours.fuse_linear_bn_eval(mine, nn.BatchNorm1d(4).double().eval())
    other = torch.nn.Linear(3, 4).requires_grad_(False).eval()
    expected = theirs.fuse_linear_bn_eval(other, torch.nn.BatchNorm1d(4).double().eval())
    for a, b in ((fused.weight, expected.weight), (fused.bias, expected.bias)):
        assert str(b.dtype) == f"torch.{a.dtype}" and a.requires_grad == b.requires_grad


@pytest.mark.parametrize("fuse", ["linear", "conv"])
def test_a_fused_bias_learns_if_there_was_one_that_did(fuse):
    for library, module in ((nn, ours), (torch.nn, theirs)):
        name, rest = ("Linear", ()) if fuse == "linear" else ("Conv1d", (2,))
        learned = []
        for bias in (False, True):
            layer = getattr(library, name)(3, 4, *rest, bias=bias)
            fused = getattr(module, f"fuse_{fuse}_bn_eval")(layer.eval(), library.BatchNorm1d(4).eval())
            learned.append((fused.weight.requires_grad, fused.bias.requires_grad))
        assert learned == [(True, False), (True, True)]


def evaluated(*modules):
    return [m.eval() for m in modules]


REFUSED = [
    (
        lambda: ours.get_total_norm([autograd.tensor([float("nan")])], error_if_nonfinite=True),
        "get_total_norm: the norm of order 2.0 must be finite; got nan; pass error_if_nonfinite=False to go on with it",
    ),
    (
        lambda: ours.vector_to_parameters(autograd.zeros(5), [autograd.zeros(2, 2)]),
        "vector_to_parameters: the parameters have 4 elements; got a vector (5,)",
    ),
    (
        lambda: ours.parameters_to_vector([]),
        "parameters_to_vector: one parameter at least is needed; got none",
    ),
    (
        lambda: ours.fuse_linear_bn_eval(nn.Linear(2, 3), nn.BatchNorm1d(3).eval()),
        "fuse_linear_bn_eval: both modules must be in evaluation mode; got one in training; call eval()",
    ),
    (
        lambda: ours.fuse_conv_bn_eval(*evaluated(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2, track_running_stats=False))),
        "fuse_conv_bn_eval: the batch norm must track running statistics; got track_running_stats=False",
    ),
    (
        lambda: ours.fuse_linear_bn_eval(*evaluated(nn.Linear(2, 3), nn.BatchNorm1d(4))),
        "fuse_linear_bn_eval: the batch norm must have a feature for each of the 3 outputs; got 4",
    ),
    (
        lambda: ours.fuse_conv_bn_eval(*evaluated(nn.Conv1d(2, 3, 1), nn.BatchNorm1d(4))),
        "fuse_conv_bn_eval: the batch norm must have a feature for each of the 3 outputs; got 4",
    ),
]


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[m[:50] for _, m in REFUSED])
def test_refused(act, message):
    with pytest.raises((RuntimeError, ValueError)) as caught:
        act()
    assert str(caught.value) == message
