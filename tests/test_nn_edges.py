"""Functions and layers where something is empty, missing or of an unusual shape: the answer is PyTorch's there too."""

import numpy as np
import pytest
import torch
from oracle import assert_same

import autograd
import nn
from autograd.ops.pool import _add_places, _read_places


def gradient(tensor, function):
    """Of the sum of what the function makes of the tensor."""
    tensor.requires_grad_()
    function(tensor).sum().backward()
    return tensor.grad


def trained(layer, x):
    """What a layer makes of x, its buffers, and the gradients of x and of the parameters."""
    x.requires_grad_()
    out = layer(x)
    out.sum().backward()
    return out, *layer.buffers(), x.grad, *(p.grad for p in layer.parameters())


def in_ones(layer):
    """With parameters that are the same in both libraries."""
    for p in layer.parameters():
        p.requires_grad_(False).fill_(1.0).requires_grad_()
    return layer


def second_order(l, function):
    """Of scores: what the function makes of them, its gradient, and the gradient of that one's square."""
    x = l.arange(12.0).reshape(3, 4).requires_grad_()
    out = function(x)
    (first,) = getattr(l, "autograd", l).grad(out.sum(), x, create_graph=True)
    (first * first + 0 * x.sum()).sum().backward()
    return out, first, x.grad


def attend(l, F, tensor, at):
    """Attention whose query, key or value is expanded over two heads."""
    inputs = [l.arange(12.0).reshape(1, 2, 3, 2) / 12 for _ in range(3)]
    inputs[at] = tensor.expand(1, 2, 3, 2)
    return F.scaled_dot_product_attention(*inputs)


# `l` is the library, `F` and `nn` its own; a row gives tensors.
EDGES = {
    "max_pool1d, windows that step over the input": lambda l, F, nn: F.max_pool1d(l.tensor([[[1.0, 2.0]]]), 2, 1, 1, 3),
    "max_pool2d, windows that step over the input": lambda l, F, nn: F.max_pool2d(
        l.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2, 1, 1, 3, return_indices=True
    ),
    "max_pool2d, all windows step over the columns": lambda l, F, nn: F.max_pool2d(
        l.ones(1, 1, 8, 1), (1, 2), None, (0, 1), (1, 3), True, True
    ),
    "max_pool3d of integers, windows that step over the input": lambda l, F, nn: F.max_pool3d(
        l.arange(24).reshape(1, 2, 3, 4).int(), (1, 1, 2), 1, (0, 0, 1), (1, 1, 5), return_indices=True
    ),
    **{
        f"linear of {x} with a bias {b}": lambda l, F, nn, x=x, b=b: (
            F.linear(l.ones(x), l.arange(12.0).reshape(4, 3), l.ones(b) * 2),
            gradient(l.ones(b), lambda t: F.linear(l.ones(x), l.ones(4, 3), t)),
        )
        for x, b in (((2, 3), (1,)), ((3,), ()), ((2, 2, 3), ()), ((2, 3), (2, 4)), ((2, 3), (2, 1)))
    },
    "attention, expanded heads": lambda l, F, nn: [
        gradient(l.arange(6.0).reshape(1, 1, 3, 2), lambda t, at=at: attend(l, F, t, at)) for at in range(3)
    ],
    "attention of nothing, which is 0 for all keys": lambda l, F, nn: (
        F.scaled_dot_product_attention(l.ones(1, 3, 0), l.ones(1, 2, 0), l.arange(8.0).reshape(1, 2, 4)),
        gradient(l.ones(1, 3, 0), lambda t: F.scaled_dot_product_attention(t, l.ones(1, 2, 0), l.ones(1, 2, 4))),
    ),
    "attention of no heads": lambda l, F, nn: F.scaled_dot_product_attention(
        l.ones(1, 0, 3, 4), l.ones(1, 2, 3, 4), l.ones(1, 2, 3, 4), enable_gqa=True
    ),
    "attention, a number and rows of it as a mask": lambda l, F, nn: [
        F.scaled_dot_product_attention(*[l.arange(6.0).reshape(3, 2)] * 3, l.arange(float(n)).reshape(shape))
        for n, shape in ((1, ()), (3, (3,)), (3, (3, 1)), (3, (1, 3)))
    ],
    **{
        f"{mode}, a factor that leaves every size": lambda l, F, nn, mode=mode, rank=rank: F.interpolate(
            l.arange(2.0**rank).reshape(1, 1, *[2] * rank), scale_factor=1.1, mode=mode
        )
        for mode, rank in (("linear", 1), ("bilinear", 2), ("trilinear", 3), ("bicubic", 2), ("nearest", 2))
    },
    **{
        f"{mode} padding {sides}": lambda l, F, nn, mode=mode, sides=sides: (
            F.pad(l.tensor([[[1.0, 2.0, 3.0]]]), sides, mode),
            gradient(l.tensor([[[1.0, 2.0, 3.0]]]), lambda t: F.pad(t, sides, mode).cumsum(-1)),
        )
        for mode, several in (
            ("reflect", ((-1, 1), (-1, 2), (-2, 2), (1, -2), (-4, 2), (-1, -1))),
            ("replicate", ((-1, 2), (-2, 1), (1, -2), (-4, 2), (-1, -1), (4, -2))),
            ("circular", ((-1, 2), (-2, 1), (1, -2), (-1, -1), (3, 0))),
        )
        for sides in several
    },
    **{
        f"{mode} padding of no samples": lambda l, F, nn, mode=mode: F.pad(l.zeros(0, 2, 3), (1, 1), mode)
        for mode in ("reflect", "replicate", "circular")
    },
    "padding of no samples by a convolution": lambda l, F, nn: nn.Conv1d(2, 3, 3, padding=1, padding_mode="reflect")(
        l.zeros(0, 2, 4)
    ),
    "padding of fewer and of more axes than the name says": lambda l, F, nn: (
        nn.ZeroPad2d((1, 2))(l.ones(1, 1, 1, 1)),
        nn.ConstantPad1d((1, 2, 1, 0), 3.0)(l.ones(1, 2, 2)),
    ),
    "dropout of what has no channels": lambda l, F, nn: (
        nn.FeatureAlphaDropout(0.5).eval()(l.ones(2)),
        nn.FeatureAlphaDropout(0.5).eval()(l.ones(())),
        nn.Dropout3d(0.5).eval()(l.ones(1, 1, 2, 2)),
    ),
    **{
        f"{name} with everything ignored, {options}": lambda l, F, nn, name=name, options=options: second_order(
            l, lambda t: getattr(F, name)(F.log_softmax(t, 1), l.full((3,), -100), **options)
        )
        for name in ("cross_entropy", "nll_loss")
        for options in ({}, {"reduction": "sum"}, {"reduction": "none"})
    },
    **{
        f"hardtanh of {dtype}": lambda l, F, nn, dtype=dtype: (
            F.hardtanh(l.tensor([-3, 0, 3], dtype=getattr(l, dtype))),
            F.hardtanh(l.tensor([-3, 0, 3], dtype=getattr(l, dtype)), -2, 1.5, True),
        )
        for dtype in ("int64", "int32")
    },
    **{
        f"{loss} of {shape} and a number of another dtype": lambda l, F, nn, loss=loss, shape=shape: (
            getattr(F, loss)(l.ones(shape), l.tensor(0.1, dtype=l.float64)),
            getattr(F, loss)(l.tensor(0.1, dtype=l.float64), l.ones(shape), reduction="none"),
            gradient(l.ones(shape), lambda t: getattr(F, loss)(t, l.tensor(0.1, dtype=l.float64))),
        )
        for loss in ("l1_loss", "mse_loss", "smooth_l1_loss")
        for shape in ((3,), ())
    },
    **{
        f"BatchNorm1d in training, {shape}": lambda l, F, nn, shape=shape: trained(nn.BatchNorm1d(3), l.zeros(shape))
        for shape in ((0, 3), (0, 3, 2), (2, 3, 0))
    },
    "BatchNorm1d with an average, no samples": lambda l, F, nn: trained(
        nn.BatchNorm1d(3, momentum=None), l.zeros(0, 3)
    ),
    **{
        f"Linear {ins, outs}, {lead}, bias={bias}": lambda l, F, nn, ins=ins, outs=outs, lead=lead, bias=bias: trained(
            in_ones(nn.Linear(ins, outs, bias)), l.ones(*lead, ins)
        )
        for ins, outs in ((0, 3), (3, 0), (0, 0))
        for lead in ((), (2,), (2, 2), (0,))
        for bias in (True, False)
    },
    "GroupNorm of no places": lambda l, F, nn: (
        nn.GroupNorm(3, 3)(l.zeros(2, 3, 0)),
        nn.GroupNorm(1, 3)(l.zeros(2, 3, 0)),
    ),
    "InstanceNorm of no places": lambda l, F, nn: trained(
        nn.InstanceNorm1d(3, affine=True, track_running_stats=True), l.zeros(2, 3, 0)
    ),
    "kl_div of numbers": lambda l, F, nn: [
        F.kl_div(l.tensor(-0.5), l.tensor(0.5), reduction=how) for how in ("batchmean", "sum")
    ],
    "margin losses of numbers": lambda l, F, nn: [
        *(
            F.multi_margin_loss(x, y, reduction=how)
            for x, y in (
                (l.tensor(0.5), l.tensor(0)),
                (l.tensor(0.5), l.tensor([0])),
                (l.tensor([0.5, 1.0]), l.tensor(0)),
                (l.tensor([0.5, 1.0]), l.tensor([0])),
            )
            for how in ("none", "mean")
        ),
        *(F.multilabel_margin_loss(l.tensor(0.5), l.tensor(y), reduction="none") for y in (0, -1)),
    ],
    "pad_sequence of sequences of no length": lambda l, F, nn: [
        nn.utils.rnn.pad_sequence([l.zeros(n, *rest) for n in lengths], first, padding_side=side)
        for lengths in ((0, 0), (0, 2))
        for rest in ((), (2,))
        for first in (True, False)
        for side in ("left", "right")
    ],
    "rms_norm of small float16": lambda l, F, nn: F.rms_norm(l.full((4,), 1e-3, dtype=l.float16), (4,)),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc_without_alignments(zero_infinity, reduction):
    """No steps, which spell nothing, and targets that are too long: inf and no number, or 0 and 0."""
    scores = np.random.default_rng(0).normal(size=(3, 5, 4))
    targets, times, lengths = np.array([[1, 1], [2, 0], [1, 2], [1, 1], [3, -9]]), [0, 0, 2, 2, 3], [0, 1, 2, 2, 1]
    found = []
    for library, functional in ((autograd, nn.functional), (torch, torch.nn.functional)):
        x = library.from_numpy(scores.copy()).requires_grad_()
        sizes = (library.tensor(times), library.tensor(lengths))
        arguments = (x.log_softmax(-1), library.from_numpy(targets), *sizes, 0, reduction, zero_infinity)
        out = functional.ctc_loss(*arguments)
        out.sum().backward()
        found.append((out.detach().numpy(), x.grad.numpy()))
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_padding_by_nothing_is_a_copy(mode):
    x = autograd.ones(1, 2, 3)
    padded = nn.functional.pad(x, (0, 0), mode)
    padded += 1
    assert (x == 1).all() and padded.tolist() == [[[2, 2, 2], [2, 2, 2]]]


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.filterwarnings("ignore::UserWarning")  # of broadcasting and of layers without elements
def test_edges(name):
    ours = EDGES[name](autograd, nn.functional, nn)
    assert_same(ours, EDGES[name](torch, torch.nn.functional, torch.nn), name, terms=1.0)


def test_a_window_that_steps_over_the_input_has_no_gradient():
    x = autograd.ones(1, 1, 2, 2, requires_grad=True)
    (g,) = autograd.grad(nn.functional.max_pool2d(x, 2, 1, 1, 3).sum(), x, create_graph=True)
    assert not g.array.any()
    row, places = np.ones((1, 2), np.float32), np.array([[1, 6]])
    assert _add_places(row, places, sizes=(2,)).tolist() == [[0, 1]]
    assert _read_places(row, places, sizes=(2,)).tolist() == [[1, 0]]


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_nearest_places_on_a_border(rank, dtype, mode):
    """Rounding decides about them: the same way as in PyTorch's kernels, of which there is one for small images."""
    random = np.random.default_rng(rank)
    changes = [{"size": (size,) + (2,) * (rank - 1)} for size in (58, 93, 130, 31)]
    changes += [{"scale_factor": (f,) + (1.01,) * (rank - 1)} for f in (0.6, 1.1, 1.7, 2.05, 2.3)]
    for change in changes:
        for length in (2, 3, 4, 10, *random.integers(5, 70, 12).tolist()):
            image = np.arange(length * 2 ** (rank - 1)).reshape(1, 1, length, *[2] * (rank - 1)).astype(dtype)
            ours = nn.functional.interpolate(autograd.from_numpy(image), mode=mode, **change)
            theirs = torch.nn.functional.interpolate(torch.from_numpy(image), mode=mode, **change)
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), f"{length} with {change}")
