"""What the rows of convolution and pooling don't say: threads, NaN and infinities, dtypes that are refused."""

import numpy as np
import pytest
import torch

import autograd
import nn.functional as F
from autograd.ops import conv


@pytest.fixture(params=["planes", "columns"])
def way(request, monkeypatch):
    """Both ways to convolve, whatever the number of outputs."""
    for name in ("_MANY", "_MANY_GRADIENTS"):
        monkeypatch.setattr(conv, name, 1 if request.param == "columns" else 10**9)


def step(threads: int) -> list[np.ndarray]:
    """Outputs and gradients of a chain of convolutions and poolings large enough to be shared out."""
    random = np.random.default_rng(0)
    shapes = ((32, 3, 28, 28), (8, 3, 3, 3), (8,), (8, 4, 2, 2))
    leaves = [autograd.from_numpy(random.standard_normal(s).astype(np.float32)).requires_grad_() for s in shapes]
    x, weight, bias, back = leaves
    before = autograd.get_num_threads()
    autograd.set_num_threads(threads)
    try:
        y = F.max_pool2d(F.conv2d(x, weight, bias, padding=1), 2)
        z = F.avg_pool2d(F.conv_transpose2d(y, back, stride=2), 3, 1, 1)
        (z * z).sum().backward()
    finally:
        autograd.set_num_threads(before)
    return [y.detach().numpy(), z.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves]]


def test_threads_change_no_bit(way):
    for alone, shared in zip(step(1), step(2), strict=True):
        np.testing.assert_array_equal(alone, shared)


@pytest.mark.parametrize("options", [{}, {"padding": 1, "stride": 2}, {"dilation": 2}], ids=str)
def test_nan_and_infinity_reach_what_reads_them_alone(options, way):
    """The kernel lays rows behind each other: what it reads across their ends must not show."""
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((2, 3, 6, 6)), random.standard_normal((4, 3, 3, 3))
    x[0, 0, 0, 5], x[1, 1, 3, 3], x[1, 2, 5, 0] = np.nan, np.inf, -np.inf
    results = []
    for library, convolve in ((autograd, F.conv2d), (torch, torch.nn.functional.conv2d)):
        a, b = (library.from_numpy(v.copy()).requires_grad_() for v in (x, weight))
        out = convolve(a, b, **options)
        out.sum().backward()
        results.append([out.detach().numpy(), a.grad.numpy(), b.grad.numpy()])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(12))
def test_any_shape_and_options(seed, dtype, way):
    """Outputs that fill no tile, images that fill no panel, positions across images, taps that nothing reads."""
    random = np.random.default_rng(seed)
    rank = seed % 3 + 1
    groups = int(random.choice([1, 1, 2]))
    stride, dilation = (random.integers(1, 4, rank).tolist() for _ in range(2))
    padding = random.integers(0, 3, rank).tolist()
    kernel = random.integers(1, 4, rank)
    least = (kernel - 1) * dilation + 1 - 2 * np.array(padding)
    sizes = np.maximum(least, 1) + random.integers(0, (400, 20, 6)[rank - 1], rank)
    images, inputs, outputs = (int(n) for n in random.integers(1, (9, 40, 50)))
    x = random.standard_normal((images, inputs * groups, *sizes)).astype(dtype)
    weight = random.standard_normal((outputs * groups, inputs, *kernel)).astype(dtype)
    bias = random.standard_normal(outputs * groups).astype(dtype)
    back = random.standard_normal((outputs * groups, inputs, *kernel)).astype(dtype)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    results = []
    for library, functions in ((autograd, F), (torch, torch.nn.functional)):
        leaves = [library.from_numpy(v.copy()).requires_grad_() for v in (x, weight, bias, back)]
        out = getattr(functions, f"conv{rank}d")(*leaves[:3], **options)
        again = getattr(functions, f"conv_transpose{rank}d")(out, leaves[3], **options)
        (again * again).sum().backward()
        results.append([out.detach().numpy(), again.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves]])
    for mine, theirs in zip(*results, strict=True):
        scale = np.abs(theirs).max(initial=1.0)
        np.testing.assert_allclose(mine / scale, theirs / scale, rtol=0, atol=300 * np.finfo(dtype).eps)


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_images_narrower_than_a_step(width, stride, way):
    """Of which some phases have nothing: a kernel that copied at least one number each wrote anywhere."""
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((2, 3, 2, width)), random.standard_normal((4, 3, 3, 3))
    results = []
    for library, functions in ((autograd, F), (torch, torch.nn.functional)):
        a, b = (library.from_numpy(v.copy()).requires_grad_() for v in (x, weight))
        out = functions.conv2d(a, b, stride=stride, padding=1)
        again = functions.conv_transpose2d(out, b, stride=stride, padding=1)
        (again * again).sum().backward()
        results.append([v.detach().numpy() for v in (out, again, a.grad, b.grad)])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


def test_outputs_that_threads_share():
    """So many outputs that they are cut, since there are too few images; not in whole tiles."""
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((3, 40, 4, 5)), random.standard_normal((390, 40, 3, 3))
    found = []
    before = autograd.get_num_threads()
    try:
        for threads in (1, 2):
            autograd.set_num_threads(threads)
            a, b = (autograd.from_numpy(v.copy()).requires_grad_() for v in (x, weight))
            out = F.conv2d(a, b, padding=1)
            (out * out).sum().backward()
            found.append([out.detach().numpy(), a.grad.numpy(), b.grad.numpy()])
    finally:
        autograd.set_num_threads(before)
    a, b = (torch.from_numpy(v).requires_grad_() for v in (x, weight))
    out = torch.nn.functional.conv2d(a, b, padding=1)
    (out * out).sum().backward()
    for alone, shared, theirs in zip(*found, (out.detach(), a.grad, b.grad), strict=True):
        np.testing.assert_array_equal(alone, shared)
        np.testing.assert_allclose(alone, theirs.numpy(), rtol=0, atol=1e-12 * theirs.abs().max().item())


@pytest.mark.parametrize("dtype", ["float16", "int64", "int32", "uint8"])
def test_other_dtypes(dtype, way):
    random = np.random.default_rng(0)
    x, weight = (random.integers(0, 4, s).astype(dtype) for s in ((2, 3, 6, 7), (4, 3, 3, 3)))
    mine, theirs = (
        [convolve(*map(of, (x, weight)), padding=1), pool(of(x), 2)]
        for of, convolve, pool in (
            (autograd.from_numpy, F.conv2d, F.max_pool2d),
            (torch.from_numpy, torch.nn.functional.conv2d, torch.nn.functional.max_pool2d),
        )
    )
    for a, b in zip(mine, theirs, strict=True):
        assert a.dtype == dtype
        np.testing.assert_array_equal(a.numpy(), b.numpy())


REFUSED = {
    "avg_pool2d: the tensor must be floating; got int32; convert it, with float() say": lambda: F.avg_pool2d(
        autograd.ones(1, 1, 4, 4).int(), 2
    ),
    "adaptive_max_pool2d: the tensor must be floating; got int64; convert it, with float() say": lambda: (
        F.adaptive_max_pool2d(autograd.ones(1, 1, 4, 4).long(), 2)
    ),
    "adaptive_avg_pool2d: no axis to pool over may be empty; got sizes (0, 4)": lambda: F.adaptive_avg_pool2d(
        autograd.ones(1, 1, 0, 4), 2
    ),
    "conv2d: input and bias must have one dtype; got float32 and float64": lambda: F.conv2d(
        autograd.ones(1, 1, 4, 4), autograd.ones(1, 1, 3, 3), autograd.ones(1).double()
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refuses(message):
    with pytest.raises((RuntimeError, NotImplementedError)) as error:
        REFUSED[message]()
    assert str(error.value) == message
