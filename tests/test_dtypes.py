"""Number types: promotion between all pairs, casting, limits and the default, as in PyTorch."""

import itertools
import operator

import numpy as np
import pytest
import torch

import autograd
from autograd import Tensor
from autograd.dtypes import SUPPORTED

NAMES = [d.name for d in SUPPORTED]


def name(dtype) -> str:
    return str(dtype).removeprefix("torch.")


def operands():
    """Every dtype as a tensor and as a 0-d tensor, and Python's numbers: (label, ours, PyTorch's)."""
    for n, shape in itertools.product(NAMES, [(2,), ()]):
        array = np.ones(shape, n)
        yield f"{n}{list(shape)}", Tensor(array), torch.from_numpy(array)
    for value in (True, 2, 2.5):
        yield repr(value), value, value


PAIRS = [(a, b) for a, b in itertools.product(list(operands()), repeat=2)]


def test_result_type():
    for (label, x, u), (other, y, v) in PAIRS:
        assert name(autograd.result_type(x, y)) == name(torch.result_type(u, v)), f"{label} with {other}"


@pytest.mark.parametrize("op", [operator.add, operator.mul, operator.truediv, operator.lt], ids=lambda op: op.__name__)
def test_dtype_of_arithmetic(op):
    for (label, x, u), (other, y, v) in PAIRS:
        if isinstance(x, Tensor) or isinstance(y, Tensor):
            assert name(op(x, y).dtype) == name(op(u, v).dtype), f"{label} with {other}"


def test_joins_promote():
    for (label, x, u), (other, y, v) in PAIRS:
        if isinstance(x, Tensor) and isinstance(y, Tensor) and x.shape == y.shape:
            assert name(autograd.stack([x, y]).dtype) == name(torch.stack([u, v]).dtype), f"{label} with {other}"


@pytest.mark.parametrize("first", NAMES)
def test_pairs_of_dtypes(first):
    for second in NAMES:
        a, b = getattr(torch, first), getattr(torch, second)
        assert name(autograd.promote_types(first, second)) == name(torch.promote_types(a, b))
        assert autograd.can_cast(first, second) == torch.can_cast(a, b), f"{first} to {second}"
        theirs = torch.tensor([0, 1, 2], dtype=a).to(b)
        ours = autograd.tensor([0, 1, 2], dtype=np.dtype(first)).to(np.dtype(second))
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        assert name(ours.dtype) == second


@pytest.mark.parametrize("which", ["float16", "float32", "float64"])
def test_finfo(which):
    ours, theirs = autograd.finfo(which), torch.finfo(getattr(torch, which))
    for field in ("bits", "resolution", "min", "max", "eps", "smallest_normal", "tiny", "dtype"):
        assert getattr(ours, field) == getattr(theirs, field), field
    assert type(ours.eps) is float


@pytest.mark.parametrize("which", ["uint8", "int8", "int16", "int32", "int64"])
def test_iinfo(which):
    ours, theirs = autograd.iinfo(which), torch.iinfo(getattr(torch, which))
    assert (ours.bits, ours.min, ours.max, ours.dtype) == (theirs.bits, theirs.min, theirs.max, theirs.dtype)


def test_default_dtype():
    assert autograd.get_default_dtype() == autograd.float32 and autograd.finfo().bits == 32
    try:
        autograd.set_default_dtype(autograd.float64)
        assert autograd.tensor(1.0).dtype == autograd.zeros(2).dtype == autograd.rand(2).dtype == autograd.float64
        assert (autograd.tensor([1]) * 1.5).dtype == autograd.float64
        assert repr(autograd.tensor([1.0])) == "tensor([1.])"
        autograd.set_default_dtype("float16")
        assert autograd.result_type(autograd.tensor([1]), 1.5) == autograd.float16
    finally:
        autograd.set_default_dtype(autograd.float32)


def test_names_of_pytorch():
    for ours, theirs in [
        ("float", "float32"),
        ("double", "float64"),
        ("half", "float16"),
        ("int", "int32"),
        ("long", "int64"),
        ("bool", "bool"),
    ]:
        assert getattr(autograd, ours) == np.dtype(theirs)
    x = autograd.tensor([1.5])
    methods = {
        "float": "float32",
        "double": "float64",
        "half": "float16",
        "long": "int64",
        "int": "int32",
        "short": "int16",
        "char": "int8",
        "byte": "uint8",
        "bool": "bool",
    }
    for method, dtype in methods.items():
        assert getattr(x, method)().dtype == np.dtype(dtype)
        old = getattr(torch.tensor([1.5]), method)().type()
        assert getattr(x, method)().type() == old and x.type(old).dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: autograd.finfo("int32"), TypeError, "finfo: a floating dtype is needed; got int32; use iinfo()"),
        (lambda: autograd.iinfo("float32"), TypeError, "iinfo: an integer dtype is needed; got float32"),
        (lambda: autograd.iinfo(autograd.bool), TypeError, "iinfo: an integer dtype is needed; got bool"),
        (
            lambda: autograd.set_default_dtype("int64"),
            TypeError,
            "set_default_dtype: the default is a floating dtype; got int64",
        ),
        (
            lambda: autograd.zeros(2, dtype="complex64"),
            TypeError,
            "dtype: not a tensor dtype; got 'complex64'; one of bool, uint8, int8, int16, int32, int64, float16, float32, float64",
        ),
        (
            lambda: autograd.zeros(2, dtype="flaot32"),
            TypeError,
            "dtype: not a tensor dtype; got 'flaot32'; one of bool, uint8, int8, int16, int32, int64, float16, float32, float64",
        ),
        (
            lambda: autograd.zeros(2, dtype=autograd.int64, requires_grad=True),
            RuntimeError,
            "requires_grad: only a floating dtype has gradients; got int64",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
