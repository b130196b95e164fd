"""A tensor's text is PyTorch's, but for the names of dtypes and of graph nodes."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import autograd
from autograd import Tensor


def theirs(tensor: torch.Tensor) -> str:
    return plain(repr(tensor).replace("torch.", ""))


def ours(tensor: Tensor) -> str:
    return plain(repr(tensor))


def plain(text: str) -> str:
    """Without the names of nodes, and without the line break that depends on how long names are."""
    text = re.sub(r"grad_fn=<\w+>", "grad_fn=<>", text)
    return re.sub(r",\s+(size|dtype|requires_grad|grad_fn)=", r", \1=", text)


@pytest.fixture
def _default_options():
    yield
    autograd.set_printoptions(profile="default")
    torch.set_printoptions(profile="default")


ARRAYS = [
    np.float32([]),
    np.zeros((0, 3), np.float32),
    np.zeros((2, 0)),
    np.zeros(0, np.int64),
    np.zeros(0, bool),
    np.float32(1.5),
    np.float64(1.5),
    np.int32(3),
    np.array(True),
    np.array(np.nan, np.float32),
    np.float32([1, 2, 3]),
    np.float32([0, 0]),
    np.float32([-0.0, 1]),
    np.float32([1, 10000]),
    np.float32([1e9, 2e9]),
    np.float32([0.1, 1000]),
    np.float32([1e-5, 1]),
    np.float32([1e-5]),
    np.float32([np.nan, np.inf, -np.inf]),
    np.float32([np.nan, 1, 2.5, -np.inf]),
    np.float32([np.nan, 100, -np.inf]),
    np.float32([3.14159, -2.71828, 100]),
    np.float16([1.5, 2.25]),
    np.float64([1e-300, 1e300]),
    np.float64([[1, 2.5], [3, 4]]),
    np.array([1, -20, 300]),
    np.array([1, 2], np.uint8),
    np.array([[True, False], [False, False]]),
    np.arange(24).reshape(2, 3, 4),
    np.arange(24.0, dtype=np.float32).reshape(2, 3, 2, 2),
    np.arange(40),
    np.arange(30.0, dtype=np.float32) / 7,
    np.arange(1000),
    np.arange(1001),
    np.arange(1001.0, dtype=np.float32),
    np.arange(1001.0, dtype=np.float32) / 3,
    np.arange(2000).reshape(4, 500),
    np.arange(3000.0, dtype=np.float32).reshape(500, 6),
    np.arange(2400.0).reshape(2, 3, 400),
    np.arange(10_000).reshape(10, 10, 10, 10),
    np.float32([[1e-9] * 9] * 2),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{list(a.shape)}")
def test_text(array):
    assert ours(Tensor(np.asarray(array))) == theirs(torch.from_numpy(np.asarray(array)))


@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 0), (2, 2), (1, 14), (1, 15), (1, 16), (1, 17)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_traits(shape, dtype):
    x = autograd.ones(shape, dtype=np.dtype(dtype), requires_grad=True)
    y = torch.ones(shape, dtype=getattr(torch, dtype), requires_grad=True)
    assert ours(x) == theirs(y)
    assert ours(x + 1.5) == theirs(y + 1.5)


def test_traits_break_the_line():
    x = autograd.ones(14, dtype=np.dtype("float32"), requires_grad=True)
    assert repr(x) == repr(torch.ones(14, requires_grad=True)) and "\n" in repr(x)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2},
        {"threshold": 5},
        {"threshold": 5, "edgeitems": 1},
        {"linewidth": 30},
        {"profile": "short"},
        {"profile": "full"},
        {"sci_mode": True},
        {"sci_mode": False},
        {"linewidth": 5},
    ],
    ids=str,
)
@pytest.mark.usefixtures("_default_options")
def test_options(options):
    autograd.set_printoptions(**options)
    torch.set_printoptions(**options)
    for array in ARRAYS:
        assert ours(Tensor(np.asarray(array))) == theirs(torch.from_numpy(np.asarray(array)))


def test_unknown_profile():
    with pytest.raises(ValueError, match=r"^set_printoptions: profile is one of default, short, full; got 'long'$"):
        autograd.set_printoptions(profile="long")


@given(
    arrays.arrays(
        st.sampled_from(["float32", "float64", "int64", "int8", "bool"]),
        arrays.array_shapes(min_dims=0, min_side=0, max_side=9),
    )
)
def test_any_text(array):
    assert ours(Tensor(array)) == theirs(torch.from_numpy(array))
