"""Templates over the table of operations: values, dtypes, gradients and second gradients are PyTorch's."""

import importlib
import pkgutil
import re
from functools import partial
from operator import attrgetter

import numpy as np
import pytest
import torch
from oracle import assert_close, assert_same, gradients, ours, tensors, to_ours, to_torch
from rows.elementwise import INTEGER_ONLY, ROUGH_AT_THE_EDGES, WITHOUT_GRADIENT
from samples import Row, Sample, load_rows

import autograd
from autograd import Tensor
from autograd.methods import IN_ANOTHER_SHAPE
from autograd.ops.formula import Elementwise
from autograd.ops.op import registry

CASES = [(row, sample) for row in load_rows() for sample in row.samples]
IDS = [f"{row.name}{sample!r}" for row, sample in CASES]
every_sample = pytest.mark.parametrize(("row", "sample"), CASES, ids=IDS)


def oracle(row: Row):
    """PyTorch's function of this name."""
    found = row.oracle or FORMULAS.get(row.name) or _in_torch(row.name)
    return found if row.through is None else partial(row.through, found)


def _in_torch(name: str):
    if "." in name:
        return attrgetter(name)(torch)
    return next(getattr(place, name) for place in PLACES if hasattr(place, name))


PLACES = (torch, torch.nn.functional, torch.special, torch.Tensor)


SHAPES_IN_PLACE = {name for names in IN_ANOTHER_SHAPE.values() for name in names}


def _of_pairs(loss):
    """A loss of PyTorch for each pair of elements, which it wants to be of tensors of one shape."""
    return lambda a, b: loss(*torch.broadcast_tensors(a, b), reduction="none")


def _log_loss(x, t):
    """PyTorch's; where that refuses a probability, by its formula."""
    loss = _of_pairs(torch.nn.functional.binary_cross_entropy)
    probable = (x >= 0) & (x <= 1) & (t >= 0) & (t <= 1)
    yes, no = torch.clamp(torch.log(x), min=-100), torch.clamp(torch.log1p(-1.0 * x), min=-100)
    return torch.where(
        probable, loss(torch.where(probable, x, 0.5), torch.where(probable, t, 0.5)), (t - 1) * no - t * yes
    )


# Rows that PyTorch has under another name.
FORMULAS = {
    "add_scaled": lambda a, b: torch.add(a, b, alpha=1.0),
    "gelu_erf": torch.nn.functional.gelu,
    "gelu_tanh": lambda t: torch.nn.functional.gelu(t, approximate="tanh"),
    "logit_clamped": lambda t: torch.logit(t, eps=0.0),
    "near": torch.isclose,
    "div_trunc": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
    "div_floor": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "polygamma_n": lambda t: torch.where(t == torch.inf, 0.0, torch.special.zeta(2.0, t)),
    "power": torch.pow,
    "cube": lambda t: t**3,
    "trigamma": lambda t: torch.where(t.isinf(), torch.polygamma(1, t), torch.special.zeta(2.0, t)),
    "i1": torch.special.i1,
    "squared_error": _of_pairs(torch.nn.functional.mse_loss),
    "absolute_error": _of_pairs(torch.nn.functional.l1_loss),
    "huber_error": _of_pairs(torch.nn.functional.huber_loss),
    "log_loss": _log_loss,
    "logistic_loss": _of_pairs(torch.nn.functional.binary_cross_entropy_with_logits),
    "softmax_cross_entropy": torch.nn.functional.cross_entropy,
}


def function(row: Row):
    """Ours; a row that other operations are made from is not public."""
    public = "." in row.name or hasattr(autograd, row.name)
    found = attrgetter(row.name)(autograd) if public else registry[row.name]
    return found if row.through is None else partial(row.through, found)


WITHOUT_A_ROW = {
    "broadcast_shapes", "is_floating_point", "is_tensor", "numel", "tril_indices", "triu_indices", "update",
    "gru_sequence", "lstm_sequence", "check_attention", "of_arrays", "overlap_add", "placements", "rnn_sequence", "windows",
}  # fmt: skip
"""What takes no tensor or gives none; what others are made of, where nothing in PyTorch is like it."""


def test_every_operation_has_a_row():
    names = {row.name for row, _ in CASES} | WITHOUT_A_ROW
    tested = {id(getattr(autograd, name)) for name in names if hasattr(autograd, name)}
    for module in pkgutil.iter_modules(autograd.ops.__path__):
        room = importlib.import_module(f"autograd.ops.{module.name}")
        public = [name for name in getattr(room, "__all__", ()) if callable(getattr(autograd, name, None))]
        missing = [name for name in public if name not in names and id(getattr(autograd, name)) not in tested]
        assert not missing, f"ops/{module.name}.py: {missing} have no row in tests/rows"


def torch_kwargs(sample: Sample) -> dict:
    return {k: getattr(torch, v.name) if isinstance(v, np.dtype) else v for k, v in to_torch(sample.kwargs).items()}


@every_sample
def test_value(row, sample):
    for dtype in row.dtypes:
        theirs = oracle(row)(*to_torch(sample.args, dtype), **torch_kwargs(sample))
        result = function(row)(*to_ours(sample.args, dtype), **to_ours(sample.kwargs, dtype))
        assert_same(result, theirs, f"{row.name}{sample} in {dtype}", row.ulps, terms=row.terms)


@every_sample
def test_method_is_the_function(row, sample):
    if not row.method or row.through or not hasattr(Tensor, row.name) or not isinstance(sample.args[0], np.ndarray):
        return
    args = to_ours(sample.args, "float64")
    method = getattr(args[0], row.name)(*args[1:], **to_ours(sample.kwargs, "float64"))
    for a, b in zip(tensors(method), tensors(function(row)(*args, **sample.kwargs)), strict=True):
        np.testing.assert_array_equal(a.array, b.array)


@every_sample
def test_in_place_form_is_the_function(row, sample):
    """x.f_() writes what f(x) is into x, and leaves the same gradients."""
    if row.through or not hasattr(Tensor, f"{row.name}_") or not isinstance(sample.args[0], np.ndarray):
        return
    args = to_ours(sample.args, "float64", row.differentiable)
    kwargs = to_ours(sample.kwargs, "float64")
    expected = function(row)(*args, **kwargs)
    keeps_shape = expected.shape == args[0].shape and expected.dtype == args[0].dtype
    if not keeps_shape and row.name not in SHAPES_IN_PLACE:
        return
    x = autograd.clone(args[0])
    assert getattr(x, f"{row.name}_")(*args[1:], **kwargs) is x
    np.testing.assert_array_equal(x.detach().numpy(), expected.detach().numpy())
    assert x.requires_grad == expected.requires_grad
    leaves = [t for t in tensors(args) if t.requires_grad]
    if expected.requires_grad and leaves:
        wanted, found = (autograd.grad((y * y).sum(), leaves, materialize_grads=True) for y in (expected, x))
        for g, h in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(g.numpy(), h.numpy())


@every_sample
def test_shares_memory(row, sample):
    """Views are views where PyTorch's are, and copies elsewhere."""
    theirs_in, mine_in = to_torch(sample.args, "float64"), to_ours(sample.args, "float64")
    first = next((t for t in tensors(theirs_in) if t.numel()), None)
    if first is None or isinstance(registry.get(row.name), Elementwise):
        return
    theirs = oracle(row)(*theirs_in, **torch_kwargs(sample))
    mine = function(row)(*mine_in, **to_ours(sample.kwargs, "float64"))
    source = next(t for t in tensors(mine_in) if t.numel())
    for a, b in zip(tensors(mine), tensors(theirs), strict=True):
        if b.numel():
            shares = b.untyped_storage().data_ptr() == first.untyped_storage().data_ptr()
            assert np.shares_memory(a.array, source.array) == shares, (
                f"{row.name}{sample} shares memory: {shares} there"
            )


@every_sample
def test_gradients(row, sample):
    if not row.differentiable:
        return
    args = to_torch(sample.args, "float64", requires_grad=True)
    try:
        first, second = gradients(oracle(row), args, torch_kwargs(sample), torch)
    except RuntimeError as error:
        fails = row.torch_fails or "broadcast" * (row.name == "clamp")
        if not fails or not re.search(fails, str(error)):
            raise
        return
    mine, my_second = gradients(function(row), to_ours(sample.args, "float64", True), sample.kwargs, ours)
    for order, (a, b) in {"first": (mine, first), "second": (my_second, second)}.items():
        for i, (g, h) in enumerate(zip(a, b, strict=False)):
            name = f"{order} gradient {i} of {row.name}{sample}"
            if g is None or h is None:
                other = h if g is None else g
                assert other is None or not np.any(other.detach().numpy()), f"{name}: {g} is not {h}"
            else:
                assert_close(g.detach().numpy(), h.detach().numpy(force=True), name, row.gradient_ulps, terms=1e-3)


SMALL = 40


def differentiable_inputs(sample: Sample) -> list:
    args = to_ours(sample.args, "float64", requires_grad=True)
    return args if any(t.requires_grad and t.numel() for t in tensors(args)) else []


@every_sample
def test_gradcheck(row, sample):
    args = differentiable_inputs(sample)
    if not row.differentiable or not row.gradcheck or not args:
        return
    flat = [t for t in tensors(args) if t.requires_grad]

    def call(*values):
        replaced = dict(zip(map(id, flat), values, strict=True))
        outs = function(row)(*_replace(args, replaced), **sample.kwargs)
        return tuple(t for t in tensors(outs) if t.requires_grad)

    if call(*flat):
        assert autograd.gradcheck(call, flat)
        if sum(t.numel() for t in flat) <= SMALL:  # its cost is the cube; test_gradients compares the others
            assert autograd.gradgradcheck(call, flat)


def _replace(value, replaced):
    if isinstance(value, (list, tuple)):
        return type(value)(_replace(v, replaced) for v in value)
    return replaced.get(id(value), value)


EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e4, -1e4, 100.0, -100.0, np.inf, -np.inf, np.nan]


FORMULA_ROWS = [op for op in registry.values() if isinstance(op, Elementwise)]


@pytest.mark.parametrize("op", [op for op in FORMULA_ROWS if op.name not in INTEGER_ONLY], ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_edges(op, dtype):
    """Values and gradients at kinks, ties, overflow, infinities and NaN."""
    count = op.arity - len(op.conditions) - len(op.numbers)
    grid = np.meshgrid(*[np.array(EDGES, dtype)] * count)
    arrays = iter([g.ravel() for g in grid])
    args = [
        np.arange(len(EDGES) ** count) % 2 == 0 if i in op.conditions else next(arrays)
        for i in range(op.arity - len(op.numbers))
    ]
    call = oracle(Row(op.name, []))
    theirs_in, mine_in = to_torch(tuple(args), dtype, True), to_ours(tuple(args), dtype, True)
    theirs, mine = call(*theirs_in), op(*mine_in)
    expected = theirs.detach().numpy()
    if (op.name, dtype) == ("gelu_erf", "float32"):
        expected[EDGES.index(np.inf)] = np.inf  # the limit, also PyTorch's answer but for float32 in AVX-512
    assert_close(mine.detach().numpy(), expected, f"{op.name} at the edges", terms=1.0)
    if not theirs.requires_grad or op.name in WITHOUT_GRADIENT | ROUGH_AT_THE_EDGES:
        return
    theirs.sum().backward()
    mine.sum().backward()
    for name, t, m in zip(op.inputs, theirs_in, mine_in, strict=False):
        if t.requires_grad:
            expected = np.zeros(t.shape) if t.grad is None else t.grad.numpy(force=True)
            if op.name in ("logit", "logit_clamped"):
                # At -0 PyTorch's has either sign: that depends on the width of its vectors.
                expected = np.where(t.detach().numpy() == 0, np.abs(expected), expected)
            assert_close(m.grad.numpy(), expected.astype(dtype), f"gradient of {op.name} by {name}", terms=1.0)


@pytest.mark.parametrize("op", FORMULA_ROWS, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_integers(op, dtype):
    """Integers and truth values: the same result, dtype, or refusal."""
    values = np.array([0, 1, 2, 3, 7]).astype(dtype)
    args = [
        values > 1 if i in op.conditions else np.roll(values, i) + (i > 0) for i in range(op.arity - len(op.numbers))
    ]
    args = [a if a.dtype == bool else a.astype(dtype) for a in args]
    try:
        theirs = oracle(Row(op.name, []))(*to_torch(tuple(args)))
    except (RuntimeError, ZeroDivisionError):
        return
    assert_same(op(*to_ours(tuple(args))), theirs, f"{op.name} of {dtype}")
