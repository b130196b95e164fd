"""Writes in place, on tensors in the graph, on views and on what they are views of: the same programs here and in
PyTorch give the same gradients."""

import numpy as np
import pytest
import torch
from oracle import assert_same

import autograd


def leaf(lib, *shape):
    count = 1
    for n in shape:
        count *= n
    return (lib.arange(count, dtype=lib.float64) / 3 - 1).reshape(shape).requires_grad_()


def write_to_a_view(lib, x):
    y = x * 2
    y[1:3].mul_(3)
    y.add_(1)
    return y * y


def write_to_the_base_of_a_view(lib, x):
    y = x * 2
    v = y[1:]
    y.mul_(x)
    return v * v


def write_to_a_view_of_a_view(lib, x):
    y = x.clone()
    y.reshape(2, 2).t()[0].mul_(5)
    return y**2


def two_views_of_one_base(lib, x):
    y = x * 1
    a, b = y[:3], y[1:]
    a.mul_(2)
    b.add_(a[0])
    return a * b


def copy_rows(lib, x):
    y = lib.zeros(3, 4, dtype=lib.float64)
    y[0] = x
    y[1, 2:] = x[:2] * x[2]
    y[2] = y[0] + y[1]
    return y * y


def write_with_an_index(lib, x):
    y = x.clone()
    i = lib.tensor([0, 2])
    y[i] = y[i] * x[1]
    y[y > 100] = 0.0
    return y * y


def write_with_a_mask(lib, x):
    y = x.clone()
    y[x > 0] = 7.0
    return y * x


def overwrite(lib, x):
    y = x * x
    y.zero_()
    y += x
    z = x.clone()
    z.fill_(3.0)
    w = x.clone()
    w.copy_(x * x)
    return y + z + w


def saved_then_view_changed(lib, x):
    y = x * 2
    z = y.exp()
    y[0] = 5.0
    return z + y


def in_place_reads_what_was_there(lib, x):
    y = x * 3
    y.mul_(x)
    y.pow_(2)
    return y


def relu_in_place(lib, x):
    y = x * 1
    lib.relu_(y) if lib is torch else y.relu_()
    return y * y


def transpose_then_write(lib, x):
    y = x.reshape(2, 2) * 1
    y.transpose(0, 1)[0, 1] = 2.5
    y.T[1].mul_(x[0])
    return y


def augmented(lib, x):
    y = x * 1
    y += x
    y *= x
    y -= 1
    y /= 2
    return y


def another_shape_then_write(lib, x):
    y = x.reshape(2, 2) * 1
    y.t_()
    y[0].mul_(3)
    y.unsqueeze_(0).squeeze_()
    return y * lib.arange(4, dtype=lib.float64).reshape(2, 2)


def another_shape_of_a_base(lib, x):
    y = x.reshape(2, 2) * x[0]
    before = y[0]
    y.t_()
    after = y[0]
    before.mul_(3)
    after.mul_(x[1])
    y.transpose_(0, 1)
    before += 1
    return before * after + y


def another_shape_of_a_view(lib, x):
    y = x * 1
    v = y[1:3]
    v.unsqueeze_(1)
    v.mul_(5)
    y.mul_(2)
    v.swapaxes_(0, 1)
    return v * y[:2]


def another_shape_of_data(lib, x):
    y = lib.zeros(2, 2, dtype=lib.float64)
    v = y[1]
    y.t_()
    v.add_(x[:2])
    y.as_strided_((3,), (1,), 1)
    return y * y


def detached_in_place(lib, x):
    y = x * 2
    v = y[0]
    y.detach_()
    assert not y.requires_grad and y.is_leaf and v.requires_grad
    return x * y + v


PROGRAMS = [
    write_to_a_view, write_to_the_base_of_a_view, write_to_a_view_of_a_view, two_views_of_one_base, copy_rows,
    write_with_an_index, write_with_a_mask, overwrite, saved_then_view_changed, in_place_reads_what_was_there,
    relu_in_place, transpose_then_write, augmented, another_shape_then_write, another_shape_of_a_base,
    another_shape_of_a_view, another_shape_of_data, detached_in_place,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_gradients_are_pytorchs(program):
    results = []
    for lib, derive in ((autograd, autograd.grad), (torch, torch.autograd.grad)):
        x = leaf(lib, 4)
        out = program(lib, x)
        (first,) = derive(out.sum(), x, create_graph=True, retain_graph=True)
        second = derive((first**2).sum(), x)[0] if first.requires_grad else None
        results.append((out.detach(), first.detach(), second))
    for mine, theirs in zip(*results, strict=True):
        if theirs is not None:
            assert_same(mine, theirs, program.__name__)


def saved_and_overwritten(lib, x):
    y = x.exp()
    y.add_(1)
    return y


def saved_and_overwritten_through_a_view(lib, x):
    y = x * 1
    z = y * y
    y[0] = 1.0
    return z


def saved_and_overwritten_through_detach(lib, x):
    y = x * 1
    z = y * y
    y.detach().zero_()
    return z


def saved_and_another_shape(lib, x):
    y = x.exp()
    return y.unsqueeze_(0)


def leaf_in_another_shape(lib, x):
    return x.unsqueeze_(0)


def view_of_a_leaf_in_another_shape(lib, x):
    return x[1:].squeeze_()


def detached_view(lib, x):
    return (x * 1)[1:].detach_()


@pytest.mark.parametrize(
    "program",
    [
        saved_and_overwritten, saved_and_overwritten_through_a_view, saved_and_overwritten_through_detach,
        saved_and_another_shape, leaf_in_another_shape, view_of_a_leaf_in_another_shape, detached_view,
    ],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_what_pytorch_refuses_is_refused(program):
    for lib in (autograd, torch):
        with pytest.raises(RuntimeError):
            program(lib, leaf(lib, 4)).sum().backward()


def test_writes_without_recording_keep_the_leaf():
    x = leaf(autograd, 3)
    with autograd.no_grad():
        x.add_(1)
        x[0] = 5.0
    assert x.requires_grad and x.is_leaf and x.tolist()[0] == 5.0


def test_a_leaf_takes_another_shape_without_recording():
    for lib in (autograd, torch):
        x = lib.ones(2, 3, requires_grad=True)
        with lib.no_grad():
            assert x.t_() is x
        (x * lib.arange(6.0).reshape(3, 2)).sum().backward()
        assert x.is_leaf and x.requires_grad and x.grad.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_another_shape_in_every_lane():
    for lib, vmap in ((autograd, autograd.func.vmap), (torch, torch.vmap)):
        out = vmap(lambda t: (t * 1).t_().unsqueeze_(0))(lib.arange(12.0).reshape(2, 2, 3))
        assert tuple(out.shape) == (2, 1, 3, 2) and out[1, 0, 1].tolist() == [7, 10]


def test_a_write_without_a_graph_goes_straight_to_memory():
    x = autograd.zeros(1000)
    place = autograd.tensor([1, 5])
    memory = x.numpy()
    x[place] = 3.0
    x[place] += autograd.tensor([1.0, 2.0])
    assert x.numpy() is memory and memory[[1, 5]].tolist() == [4, 5]
    assert x.sum() == 9


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", [0, 1, 300, 4096, 5001, 300_000])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_unrecorded_operations_write_what_they_compute(size, dtype, threads):
    """However large: by way of an array of their own, or of tiles, which several threads share."""
    operations = [
        ("mul_", 0.5), ("add_", "y"), ("sub_", "y"), ("lerp_", "y", 0.25), ("sigmoid_",), ("addcmul_", "y", "y"),
        ("mul_", "x"), ("add_", "row"), ("div_", "y"), ("neg_",), ("clamp_", -0.5, 0.5),
    ]  # fmt: skip
    before = autograd.get_num_threads()
    autograd.set_num_threads(threads)
    try:
        generator = autograd.Generator().manual_seed(size)
        x, y = (autograd.rand(size, generator=generator).to(dtype) + 0.5 for _ in range(2))
        for _ in range(2):  # at first by numpy, then by compiled loops
            for name, *others in operations:
                args = [{"x": x, "y": y, "row": y[:1]}.get(a, a) if isinstance(a, str) else a for a in others]
                expected = getattr(x, name.rstrip("_"))(*args).numpy()
                memory = x.numpy()
                assert getattr(x, name)(*args) is x
                assert x.numpy() is memory
                np.testing.assert_array_equal(memory, expected, err_msg=name)
            for operation in (autograd.add, autograd.sub, autograd.mul, autograd.lerp, autograd.sigmoid):
                if dtype != "float16":  # which is computed in float32
                    operation.compile(x.dtype)
    finally:
        autograd.set_num_threads(before)


@pytest.mark.parametrize("n", [10, 20_000])
def test_operands_in_the_same_memory_are_read_as_they_were(n):
    x = autograd.arange(n, dtype=autograd.float32)
    for operation in (autograd.add, autograd.sub, autograd.mul):
        operation.compile(x.dtype)
    expected = x.numpy()[1:] + x.numpy()[:-1]
    x[1:].add_(x[:-1])
    np.testing.assert_array_equal(x.numpy()[1:], expected)
    square = autograd.arange(n, dtype=autograd.float32).reshape(2, -1).T.clone().reshape(10, -1)
    expected = square.numpy() + square.numpy()[::-1]
    square.add_(square.flip(0))
    np.testing.assert_array_equal(square.numpy(), expected)
    whole = autograd.ones(n)
    whole.add_(whole).mul_(whole)
    np.testing.assert_array_equal(whole.numpy(), np.full(n, 4, np.float32))
    whole.add_(whole[0]).sub_(whole[-1:])
    np.testing.assert_array_equal(whole.numpy(), np.zeros(n, np.float32))


@pytest.mark.parametrize("n", [10, 20_000])
def test_memory_that_can_not_be_written_to(n):
    array = np.ones(n, np.float32)
    array.flags.writeable = False
    x = autograd.from_numpy(array)
    autograd.mul.compile(x.dtype)
    writes = {
        "mul_": lambda: x.mul_(2.0), "add_": lambda: x.add_(x), "relu_": lambda: x.relu_(), "cumsum_": lambda: x.cumsum_(0),
        "fill_": lambda: x.fill_(2.0), "zero_": lambda: x.zero_(), "copy_": lambda: x.copy_(x + 1), "normal_": lambda: x.normal_(),
        "masked_fill_": lambda: x.masked_fill_(x > 0, 2.0), "setitem": lambda: x.__setitem__(0, 2.0),
        "__iadd__": lambda: x.__iadd__(1),
    }  # fmt: skip
    for name, write in writes.items():
        with pytest.raises(RuntimeError) as caught:
            write()
        rule = "the memory is read-only; got an array that numpy may not write to; clone() it"
        assert str(caught.value) == f"{name}: {rule}"
    with pytest.raises(RuntimeError, match=r"^setitem: the memory is read-only; "):
        x[autograd.tensor([0, 1])] = 2.0
    with pytest.raises(RuntimeError, match=r"^mul_: the memory is read-only; "):
        x[1:].mul_(autograd.tensor(2.0, requires_grad=True))
    assert (array == 1).all()


def test_what_was_read_before_an_unrecorded_write_is_missed_on_the_way_back():
    w = autograd.ones(5000, requires_grad=True)
    x = autograd.ones(5000)
    loss = (w * x).sum()
    x.mul_(2)
    with pytest.raises(RuntimeError, match="mul: a value saved for backward was changed in place afterwards"):
        loss.backward()


def test_a_number_is_written_as_it_is():
    x = autograd.zeros(4, 2, dtype=autograd.float64)
    x[0] = 0.1
    x[autograd.tensor([1])] = 0.1
    x[2].fill_(0.1)
    x[x == 0] = 0.1
    assert (x == 0.1).all()


def test_views_share_memory():
    x = autograd.arange(6).reshape(2, 3)
    x.T[0, 1] = 9
    x[1].fill_(7)
    assert x.tolist() == [[0, 1, 2], [7, 7, 7]]
