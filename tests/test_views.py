"""Writes to views of every kind reach the tensor and its history, as in PyTorch."""

import numpy as np
import pytest
import torch

import autograd

WRITES = {
    "diagonal": lambda l, y, w: y.diagonal()[...].fill_(0.5).mul_(w),
    "upper diagonal": lambda l, y, w: y.diagonal(1).mul_(w),
    "unfold": lambda l, y, w: y.unfold(1, 2, 2)[:, 0].mul_(w),
    "as_strided": lambda l, y, w: y.as_strided((2, 2), (4, 1), 1).mul_(w),
    "select": lambda l, y, w: y.select(1, 2).mul_(w),
    "narrow": lambda l, y, w: y.narrow(1, 1, 2).mul_(w),
    "t": lambda l, y, w: y.t()[1].mul_(w),
    "reshape": lambda l, y, w: y.reshape(2, 6)[0, 1:3].mul_(w),
    "movedim": lambda l, y, w: l.movedim(y, 0, 1)[0].mul_(w),
    "unflatten": lambda l, y, w: y.unflatten(1, (2, 2))[:, 0].mul_(w),
    "squeeze": lambda l, y, w: y.unsqueeze(1).squeeze(1)[2].mul_(w),
    "swapaxes": lambda l, y, w: y.swapaxes(0, 1)[1:3].mul_(w),
    "expand that repeats nothing": lambda l, y, w: y[:, 1].expand(1, 3)[0].mul_(w),
    "broadcast_to": lambda l, y, w: y.t().broadcast_to(1, 4, 3)[0, 1].mul_(w),
    "diagonal of a part": lambda l, y, w: y[:2, 1:3].diagonal().mul_(w),
}
IN_MEMORY_ORDER = {"reshape", "as_strided"}  # on other layouts a copy, or other elements


def written(library, write, layout):
    base = np.arange(1.0, 13).reshape(3, 4)
    x = library.tensor(base, requires_grad=True)
    w = library.tensor(np.array(2.0), requires_grad=True)
    y = x * 1.0 if layout == "C" else (x.T.contiguous() * 1.0).T
    write(library, y, w)
    (y * y * y).sum().backward()
    return y.detach().numpy(), x.grad.numpy(), w.grad.numpy()


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("name", WRITES)
def test_write_to_a_view(name, layout):
    if layout == "F" and name in IN_MEMORY_ORDER:
        return
    for ours, theirs in zip(written(autograd, WRITES[name], layout), written(torch, WRITES[name], layout), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "parts", [lambda y: y.chunk(2), lambda y: y.split([1, 3]), lambda y: y.tensor_split(2), lambda y: y.hsplit(2)]
)
def test_write_to_one_of_several_parts(parts):
    """PyTorch refuses; here a part is a view like any other."""
    x = autograd.arange(1.0, 5, requires_grad=True)
    y = x * 1.0
    first = parts(y)[0]
    first.mul_(3.0)
    (y * y).sum().backward()
    scale = np.where(np.arange(4) < first.numel(), 3.0, 1.0)
    np.testing.assert_array_equal(x.grad.numpy(), 2 * scale * scale * x.detach().numpy())


def test_write_to_one_of_many():
    x = autograd.ones(4, 2, requires_grad=True)
    y = x * 1.0
    rows = y.unbind()
    rows[1].mul_(5.0)
    (rows[1] * y[1]).sum().backward()
    assert x.grad.tolist() == [[0, 0], [50, 50], [0, 0], [0, 0]]


def test_an_expansion_that_repeats_nothing_is_written_to():
    x = autograd.arange(6.0).reshape(3, 2)
    column = x[:, 0].expand(1, 3)
    column.numpy()[0, 0] = 5
    column[0, 1] = 6
    column[:, 2:].fill_(7)
    x.t().expand(2, 3).copy_(x.t() + 1)
    assert x.tolist() == [[6, 2], [7, 4], [8, 6]]


def test_unused_parts_have_gradients_of_zero():
    x = autograd.ones(5, requires_grad=True)
    a, _, c = x.split([2, 1, 2])
    (a.sum() + 3 * c[1]).backward()
    assert x.grad.tolist() == [1, 1, 0, 0, 3]
    x = autograd.ones(3, 2, requires_grad=True)
    x.unbind(1)[1].sum().backward()
    assert x.grad.tolist() == [[0, 1]] * 3


def test_as_strided_sees_the_memory():
    x = autograd.arange(6.0).reshape(2, 3)
    part = x[1:]
    assert part.as_strided((2,), (1,)).tolist() == [3, 4]
    assert part.as_strided((2,), (1,), 0).tolist() == [0, 1]
    assert x.T.stride() == (1, 3) and part.is_contiguous()
