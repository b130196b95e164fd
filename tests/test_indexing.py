"""Keys: reading and writing through any of them is PyTorch's, values, gradients, memory and refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Tensor

SHAPES = st.lists(st.integers(0, 4), min_size=0, max_size=4).map(tuple)


@st.composite
def slices(draw, length):
    edge = st.none() | st.integers(-length - 2, length + 2)
    return slice(draw(edge), draw(edge), draw(st.none() | st.integers(1, 3)))


@st.composite
def keys(draw):
    """A shape and a key for it: parts for some of its axes, with None, an Ellipsis and truth values among them."""
    shape = draw(SHAPES)
    common = draw(st.sampled_from([(), (1,), (3,), (2, 3), (2, 1), (0,)]))  # index tensors broadcast to one shape
    parts, axis, ellipsis = [], 0, False
    while axis < len(shape) and draw(st.integers(0, 5)):
        length = shape[axis]
        kind = draw(
            st.sampled_from(["int", "slice", "slice", "tensor", "list", "none", "ellipsis", "mask", "0-d", "bool"])
        )
        if kind == "none":
            parts.append(None)
        elif kind == "bool" and not any(isinstance(p, bool) for p in parts):
            parts.append(draw(st.booleans()))
        elif kind == "ellipsis" and not ellipsis:
            ellipsis = True
            parts.append(...)
            axis += draw(st.integers(0, len(shape) - axis))
        elif kind == "mask" and axis + (span := draw(st.integers(1, 2))) <= len(shape):
            lengths = shape[axis : axis + span]
            flags = draw(st.lists(st.booleans(), min_size=int(np.prod(lengths)), max_size=int(np.prod(lengths))))
            parts.append(np.array(flags, bool).reshape(lengths))
            axis += span
        else:
            if kind == "slice" or not length:
                parts.append(draw(slices(length)))
            elif kind == "int":
                parts.append(draw(st.integers(-length, length - 1)))
            else:
                size = common if kind == "tensor" else common[-1:] if kind == "list" else ()
                count = int(np.prod(size))
                places = draw(st.lists(st.integers(-length, length - 1), min_size=count, max_size=count))
                array = np.array(places, np.int64).reshape(size)
                parts.append(array.tolist() if kind == "list" and size else array)
            axis += 1
    key = tuple(parts)
    return shape, key[0] if len(key) == 1 and not isinstance(key[0], list) and draw(st.booleans()) else key


def as_theirs(key):
    if isinstance(key, tuple):
        return tuple(map(as_theirs, key))
    return torch.from_numpy(key) if isinstance(key, np.ndarray) else key


def as_ours(key):
    if isinstance(key, tuple):
        return tuple(map(as_ours, key))
    return Tensor(key) if isinstance(key, np.ndarray) else key


def pair(shape, requires_grad=True):
    array = np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape)
    return Tensor(array.copy(), requires_grad=requires_grad), torch.tensor(array, requires_grad=requires_grad)


def outcome(function):
    try:
        return function(), None
    except (IndexError, RuntimeError, ValueError, TypeError) as error:
        return None, error


def assert_alike(x, y):
    assert tuple(x.shape) == tuple(y.shape)
    np.testing.assert_array_equal(x.detach().numpy(), y.detach().numpy())


@given(keys())
def test_read(case):
    shape, key = case
    x, y = pair(shape)
    theirs, refused = outcome(lambda: y[as_theirs(key)])
    ours, error = outcome(lambda: x[as_ours(key)])
    assert (error is None) == (refused is None), f"{error!r} but PyTorch {refused!r}"
    if refused is not None:
        assert isinstance(error, IndexError)
        return
    assert_alike(ours, theirs)
    if theirs.numel():
        shares = theirs.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()
        assert np.shares_memory(ours.array, x.array) == shares
    assert_alike(x.detach()[as_ours(key)], theirs)
    (gx,) = autograd.grad((ours * ours * ours).sum(), x, create_graph=True)
    (gy,) = torch.autograd.grad((theirs * theirs * theirs).sum(), y, create_graph=True)
    assert_alike(gx, gy)
    assert_alike(autograd.grad(gx.sum(), x)[0], torch.autograd.grad(gy.sum(), y)[0])


@given(keys(), st.sampled_from(["number", "full", "last", "ones", "0-d"]))
def test_write(case, kind):
    shape, key = case
    x, y = pair(shape)
    place, refused = outcome(lambda: y.detach()[as_theirs(key)].shape)
    if refused is not None:
        with pytest.raises(IndexError):
            x.clone()[as_ours(key)] = 1.0
        return
    size = {"full": place, "last": place[-1:], "ones": (1, *place), "0-d": (), "number": ()}[kind]
    array = -1 - np.arange(np.prod(size, dtype=float)).reshape(size)
    v, w = Tensor(array.copy(), requires_grad=True), torch.tensor(array, requires_grad=True)
    # Which of several values for one place stays is left open.
    twice = len(set(torch.arange(y.numel()).reshape(y.shape)[as_theirs(key)].reshape(-1).tolist())) < np.prod(place)
    if twice and kind in ("full", "last"):
        return
    a, b = x * 1.0, y * 1.0
    a[as_ours(key)] = 7.5 if kind == "number" else v
    b[as_theirs(key)] = 7.5 if kind == "number" else w
    assert_alike(a, b)
    leaves, others = ([x], [y]) if kind == "number" else ([x, v], [y, w])
    mine = autograd.grad((a * a).sum(), leaves, allow_unused=True, materialize_grads=True)
    theirs = torch.autograd.grad((b * b).sum(), others, allow_unused=True, materialize_grads=True)
    for g, h in zip(mine, theirs, strict=True):
        assert_alike(g, h)


@given(keys(), st.booleans())
def test_index_put(case, accumulate):
    shape, key = case
    parts = [p for p in (key if isinstance(key, tuple) else (key,)) if isinstance(p, np.ndarray)]
    x, y = pair(shape)
    place, refused = outcome(lambda: y.detach()[as_theirs(tuple(parts))].shape)
    if refused is not None or not parts:
        return
    v, w = pair(place[-1:])
    if not accumulate:
        v, w = v.sum(), w.sum()
    theirs = y.index_put(as_theirs(tuple(parts)), w, accumulate)
    ours = x.index_put(as_ours(tuple(parts)), v, accumulate)
    assert_alike(ours, theirs)
    for g, h in zip(
        autograd.grad((ours * ours).sum(), [x, v]), torch.autograd.grad((theirs * theirs).sum(), [y, w]), strict=True
    ):
        assert_alike(g, h)


LIKE_PYTORCH = [
    [0, 1], [True, False], (0, slice(None), [0, 1]), ([0, 1], slice(None), [0, 1]),
    (slice(None), [0, 1]), True, False, np.int64(1), range(2), np.array([0, 1]), [], (0, None, [0, 1]), ([0, 1], None, [1, 1]),
    (slice(None), np.array([[0], [1]])), (np.array([True, False]), [0]), (slice(None), np.array([True, False, True]), [0]),
    (Ellipsis, [1, 2]), (Ellipsis, 1), (None, Ellipsis, 0), (0, 1, 2), (np.array(True), [0, 1]), np.zeros((0, 2), np.int64),
]  # fmt: skip


@pytest.mark.parametrize("key", LIKE_PYTORCH, ids=repr)
def test_meaning(key):
    x, y = pair((2, 3, 4))
    assert_alike(x[as_ours(key)], y[as_theirs(key)])
    a, b = x * 1.0, y * 1.0
    a[as_ours(key)] = b[as_theirs(key)] = -1.0
    assert_alike(a, b)


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
def test_uint8_is_a_mask():
    x, y = pair((3, 2))
    mask = np.array([1, 0, 1], np.uint8)
    assert_alike(x[Tensor(mask)], y[torch.from_numpy(mask)])


REFUSED = [
    (5, "index: index 5 is out of bounds for dim 0 with length 2; got shape (2, 3)"),
    ((0, -4), "index: index -4 is out of bounds for dim 1 with length 3; got shape (2, 3)"),
    ((0, 0, 0), "index: a tensor of 2 axes has no more to index; got 3 for shape (2, 3)"),
    ([0, 2], "index: index 2 is out of bounds for dim 0 with length 2; got shape (2, 3)"),
    (
        np.array([True, False, True]),
        "index: a mask has the lengths of the axes it stands for; got (3,) at dim 0 of shape (2, 3)",
    ),
    (np.array([0.5]), "index: an index tensor holds integers or bools; got float64"),
    (1.5, "index: integers, slices, None, ..., masks and integer tensors index; got 1.5 of type float"),
    (slice(None, None, -1), "index: the step of a slice is at least 1; got -1; use flip()"),
    (slice(0.5), "index: the bounds of a slice are integers; got slice(None, 0.5, None)"),
    (
        ([0, 1], [0, 1, 2]),
        "index: shape mismatch: indexing arrays could not be broadcast together with shapes (2,) (3,) ; got shape (2, 3)",
    ),
]


@pytest.mark.parametrize(("key", "message"), REFUSED, ids=[str(m)[:40] for _, m in REFUSED])
def test_refused(key, message):
    x, y = pair((2, 3))
    with pytest.raises((IndexError, ValueError, TypeError)) as theirs:
        y[as_theirs(key)]
    with pytest.raises(theirs.type) as ours:
        x[as_ours(key)]
    assert str(ours.value) == message
    with pytest.raises(theirs.type, match=r"^(index|setitem): "):
        x.detach()[as_ours(key)] = 0.0


@pytest.mark.parametrize("key", [[[0, 1], [1, 0]], [slice(0, 1), 0], [None, 0]], ids=repr)
def test_list_read_as_tuple(key):
    """PyTorch means to change this one day, and says so."""
    x, y = pair((2, 3, 4))
    with pytest.warns(
        UserWarning, match=r"^index: a list that holds more than numbers is read as a tuple, as in PyTorch"
    ):
        ours = x[key]
    assert_alike(ours, y[tuple(key)])


def test_value_that_does_not_broadcast():
    x = autograd.zeros(2, 3)
    with pytest.raises(RuntimeError) as error:
        x[:, [0, 1]] = autograd.ones(3)
    assert str(error.value) == "setitem: the value must broadcast to the place; got (3,) for (2, 2)"


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_a_mask_takes_a_value_with_leading_ones(shape):
    mask = np.ones(shape, bool)
    for recorded in (False, True):
        x, y = pair(shape, recorded)
        v, w = pair((1, 1, x.numel()), recorded)
        a, b = x * 1.0, y * 1.0
        a[Tensor(mask)], b[torch.from_numpy(mask)] = v, w
        assert_alike(a, b)
    (a * a).sum().backward()
    (b * b).sum().backward()
    assert_alike(v.grad, w.grad)
    with pytest.raises(RuntimeError, match=r"^index_put: the value must broadcast to the place; got \(1, 1, "):
        x.index_put((Tensor(mask),), v)


def test_zero_dimensional():
    x = autograd.tensor(3.0)
    assert x[...].shape == x[()].shape == () and x[None].shape == (1,) and x[True].shape == (1,)
    with pytest.raises(IndexError, match=r"^index: a tensor of 0 axes has no more to index; got 1 for shape \(\)$"):
        x[0]
    x[...] = 5.0
    assert x.item() == 5.0


def test_large_sums_into_rows():
    """Gradients of repeated rows, which are added up by another way than one by one."""
    index = np.random.default_rng(0).integers(0, 50, (40, 30))
    x, y = pair((50, 8))
    weights = np.cos(np.arange(40 * 30 * 8)).reshape(40, 30, 8)
    (x[Tensor(index)] * Tensor(weights)).sum().backward()
    (y[torch.from_numpy(index)] * torch.from_numpy(weights)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 10000), (10000,), (2, 5000, 3)])
@pytest.mark.parametrize("dim", [0, -1])
def test_gather_and_scatter_of_many(shape, dim):
    random = np.random.default_rng(0)
    x = random.standard_normal(shape).astype(np.float32)
    index = random.integers(0, shape[dim], shape)
    results = []
    for library in (autograd, torch):
        a, places = library.from_numpy(x.copy()).requires_grad_(), library.from_numpy(index)
        out = a.gather(dim, places)
        (out * out).sum().backward()
        added = library.zeros(*shape).scatter_add(dim, places, a.detach())
        results.append([out.detach().numpy(), a.grad.numpy(), added.numpy()])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)
