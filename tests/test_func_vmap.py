"""vmap: every row of the table of operations against a loop in Python, and the laws of maps."""

import numpy as np
import pytest
from oracle import assert_close, tensors, to_ours
from samples import load_rows
from test_ops import function as function_of

import autograd
from autograd import Tensor
from autograd.func import grad, vjp, vmap
from autograd.func.tree import leaves, map_leaves

LANES = 3

CASES = [(row, sample) for row in load_rows() for sample in row.samples]
IDS = [f"{row.name}{sample!r}" for row, sample in CASES]

DEPENDS_ON_VALUES = {
    "allclose", "equal", "nonzero", "argwhere", "unique", "unique_consecutive", "masked_select", "bincount", "histc",
    "histogram",
}  # fmt: skip
"""Operations whose output, or its shape, is a Python value or depends on the values."""


NEEDS_PLACES = {"tensor_split", "lu_solve", "linalg.lu_solve"}
"""Operations whose integers say where to cut, or how rows were exchanged."""


def is_places(value):
    return isinstance(value, np.ndarray) and value.dtype.kind in "bi" and value.size > 1


def lanes_of(name, value, number):
    """The arguments of one lane: every floating array differs from lane to lane, whatever else there is stays."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        if "linalg" in name or "cholesky" in name or not value.size:
            return value * (1 - 0.2 * number)  # what kind of matrix it is stays
        return np.roll(value.reshape(-1), number).reshape(value.shape)
    if isinstance(value, (list, tuple)):
        return type(value)(lanes_of(name, v, number) for v in value)
    return value


def stacked(values):
    """The arguments of all lanes as one, with its in_dims."""
    first = values[0]
    if isinstance(first, np.ndarray) and first.dtype.kind == "f":
        return Tensor(np.stack(values)), 0
    if isinstance(first, (list, tuple)) and any(isinstance(v, np.ndarray) for v in first):
        parts = [stacked(column) for column in zip(*values, strict=True)]
        return type(first)(p for p, _ in parts), type(first)(d for _, d in parts)
    return to_ours(first), None


@pytest.mark.parametrize(("row", "sample"), CASES, ids=IDS)
def test_every_operation(row, sample):
    function = function_of(row)
    lanes = [tuple(lanes_of(row.name, a, i) for a in sample.args) for i in range(LANES)]
    parts = [stacked(column) for column in zip(*lanes, strict=True)]
    args, dims = tuple(p for p, _ in parts), tuple(d for _, d in parts)
    kwargs = to_ours(sample.kwargs)
    if row.name in DEPENDS_ON_VALUES or not any(isinstance(d, int) for d in leaves(dims)):
        return
    expected = [function(*to_ours(lane), **kwargs) for lane in lanes]

    def mapped(*given):
        return function(*given, **kwargs)

    result = tensors(vmap(mapped, in_dims=dims)(*args))
    for i, y in enumerate(result):
        wanted = np.stack([tensors(e)[i].array for e in expected])
        assert y.array.dtype == wanted.dtype, f"{row.name}{sample}"
        assert y.array.shape == wanted.shape, f"{row.name}{sample}"
        assert_close(y.array, wanted, f"{row.name}{sample}", terms=1.0)


PLACES = [(row, sample) for row, sample in CASES if any(is_places(a) for a in leaves(sample.args))]


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "with the rest"])
@pytest.mark.parametrize(("row", "sample"), PLACES, ids=[f"{r.name}{s!r}" for r, s in PLACES])
def test_other_places_in_every_lane(row, sample, alone):
    """Indices and masks that differ from lane to lane, values and gradients; the other arguments differ or not."""
    function, kwargs = function_of(row), to_ours(sample.kwargs)
    arrays = [a for a in leaves(sample.args) if isinstance(a, np.ndarray) and (not alone or is_places(a))]
    if row.name in DEPENDS_ON_VALUES | NEEDS_PLACES:
        return

    def call(*given):
        replaced = dict(zip(map(id, arrays), given, strict=True))
        outs = tensors(function(*map_leaves(lambda a: replaced.get(id(a), to_ours(a)), sample.args), **kwargs))
        return tuple(outs)

    def loss(*given):
        return sum((out * out).sum().double() for out in call(*given))

    columns = [[np.roll(a.reshape(-1), i).reshape(a.shape) for i in range(LANES)] for a in arrays]
    lanes = list(zip(*[map(Tensor, column) for column in columns], strict=True))
    stack = [Tensor(np.stack(column)) for column in columns]
    try:
        expected = [call(*lane) for lane in lanes]
    except (RuntimeError, IndexError):  # what was moved around is no permutation any more, or not sorted
        return
    if len({tuple(y.shape for y in ys) for ys in expected}) > 1:
        return
    for y, wanted in zip(vmap(call)(*stack), zip(*expected, strict=True), strict=True):
        np.testing.assert_allclose(y.array, autograd.stack(wanted).array, 1e-12)
    floats = tuple(i for i, a in enumerate(arrays) if a.dtype.kind == "f")
    if floats and row.differentiable:
        wanted = zip(*[grad(loss, floats)(*lane) for lane in lanes], strict=True)
        for g, h in zip(vmap(grad(loss, floats))(*stack), wanted, strict=True):
            assert_close(g.array, autograd.stack(h).array, f"{row.name}{sample}", terms=1.0)


I3, I22 = (autograd.tensor(i) for i in ([0, -1, 1], [[0, 1], [1, -2]]))
MIXED_KEYS = {
    "after a slice": (lambda i: (slice(1, None), i), I3),
    "after another axis": (lambda i: (0, slice(None), i), I22),
    "apart": (lambda i: (i, slice(None, None, 2), autograd.tensor([1, 0, 1])), I3),
    "with a mask": (lambda i: (i, autograd.tensor([True, False, True, True])), I3),
    "after None and a mask": (lambda i: (None, autograd.arange(8).reshape(2, 4) > 4, i), I3),
    "at the end": (lambda i: (..., i), I22),
}


@pytest.mark.parametrize("same", [True, False], ids=["one index", "an index for each lane"])
@pytest.mark.parametrize("name", MIXED_KEYS)
def test_mixed_keys(name, same):
    key, index = MIXED_KEYS[name]
    x = autograd.randn(3, 2, 4, 3, dtype=autograd.float64)
    indices = index if same else autograd.stack([index.roll(k) for k in range(3)])

    def read(t, i):
        y = t[key(i)]
        return (y * autograd.arange(y.numel()).reshape(y.shape)).sum()

    def write(t, i):
        y = t * 2
        y[key(i)] = 7.0
        return (y * y).sum()

    for function in (read, write, grad(read), grad(write)):
        result = vmap(function, in_dims=(0, None if same else 0))(x, indices)
        expected = [function(x[k], index if same else indices[k]) for k in range(3)]
        assert_close(result.array, autograd.stack(expected).array, name)


DIFFERENTIABLE = [(row, sample) for row, sample in CASES if row.differentiable and row.name not in DEPENDS_ON_VALUES]


@pytest.mark.parametrize(("row", "sample"), DIFFERENTIABLE, ids=[f"{r.name}{s!r}" for r, s in DIFFERENTIABLE])
def test_gradients_of_each_lane(row, sample):
    """vmap(grad) by the first floating argument is the gradient of each lane."""
    function = function_of(row)
    if not isinstance(sample.args[0], np.ndarray) or sample.args[0].dtype.kind != "f":
        return
    kwargs, rest = to_ours(sample.kwargs), to_ours(sample.args[1:], "float64")

    def loss(x):
        outs = [t for t in tensors(function(x, *rest, **kwargs)) if t.is_floating_point()]
        weights = [autograd.arange(1.0, 1.0 + o.numel()).double().reshape(o.shape) for o in outs]
        return sum(((o * w).sum() for o, w in zip(outs, weights, strict=True)), x.sum() * 0)

    lanes = [Tensor(lanes_of(row.name, sample.args[0], i).copy()) for i in range(LANES)]
    expected = np.stack([grad(loss)(x).array for x in lanes])
    assert_close(vmap(grad(loss))(autograd.stack(lanes)).array, expected, f"{row.name}{sample}", terms=1.0)


@pytest.mark.parametrize(("row", "sample"), DIFFERENTIABLE, ids=[f"{r.name}{s!r}" for r, s in DIFFERENTIABLE])
def test_many_cotangents(row, sample):
    """vmap of a pullback: the rules of gradients with lanes."""
    function = function_of(row)
    if not isinstance(sample.args[0], np.ndarray) or sample.args[0].dtype.kind != "f":
        return
    kwargs, rest = to_ours(sample.kwargs), to_ours(sample.args[1:], "float64")

    def floats(x):
        return tuple(t for t in tensors(function(x, *rest, **kwargs)) if t.is_floating_point())

    x = Tensor(sample.args[0].copy())
    y, pullback = vjp(floats, x)
    if not y:
        return
    lanes = [tuple(autograd.randn(t.shape).to(t.dtype) for t in y) for _ in range(LANES)]
    expected = np.stack([pullback(lane)[0].array for lane in lanes])
    result = vmap(pullback)(tuple(autograd.stack(column) for column in zip(*lanes, strict=True)))[0]
    assert_close(result.array, expected, f"{row.name}{sample}", terms=1.0)


@pytest.mark.parametrize(("row", "sample"), CASES, ids=IDS)
def test_maps_in_maps(row, sample):
    """Two axes of lanes, for the first argument."""
    function = function_of(row)
    if row.name in DEPENDS_ON_VALUES or not isinstance(sample.args[0], np.ndarray) or sample.args[0].dtype.kind != "f":
        return
    kwargs, rest = to_ours(sample.kwargs), to_ours(sample.args[1:])
    outer = Tensor(
        np.stack([np.stack([lanes_of(row.name, sample.args[0], i + 2 * j) for i in range(2)]) for j in range(2)])
    )
    result = tensors(vmap(vmap(lambda x: function(x, *rest, **kwargs), in_dims=0), in_dims=1)(outer))
    for k, y in enumerate(result):
        wanted = np.stack(
            [
                np.stack([tensors(function(outer[j, i].clone(), *rest, **kwargs))[k].array for j in range(2)])
                for i in range(2)
            ]
        )
        assert_close(y.array, wanted, f"{row.name}{sample}", terms=1.0)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_lanes_of_weighted_losses(reduction):
    scores, classes = autograd.randn(4, 5, 3, dtype=autograd.float64), autograd.randint(0, 3, (4, 5))
    classes[0, 0] = -100
    weight = autograd.tensor([0.5, 1.0, 2.0], dtype=autograd.float64)

    def loss(x, t):
        return autograd.softmax_cross_entropy(x, t, weight, label_smoothing=0.1, reduction=reduction)

    each = [loss(x, t) for x, t in zip(scores, classes, strict=True)]
    np.testing.assert_allclose(autograd.vmap(loss)(scores, classes).numpy(), autograd.stack(each).numpy(), rtol=1e-12)
    weights = autograd.stack([weight, weight * 2])
    both = autograd.vmap(lambda w: autograd.softmax_cross_entropy(scores[1], classes[1], w, reduction=reduction))(
        weights
    )
    assert both.shape[0] == 2
