"""Tensors from data, filled, spaced and like another; conversions; copies: the same calls here and there."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from oracle import assert_same

import autograd
from autograd import Tensor

INT, FLOAT, BOOL, BYTE, DOUBLE = "int64", "float32", "bool", "uint8", "float64"


def there(call, *args, **kwargs):
    """The call in PyTorch: dtypes by name, arrays as tensors."""
    kwargs = {k: getattr(torch, v) if k == "dtype" else v for k, v in kwargs.items()}
    return call(*[torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in args], **kwargs)


def here(call, *args, **kwargs):
    return call(*[Tensor(a) if isinstance(a, np.ndarray) else a for a in args], **kwargs)


# (name, positional arguments, keyword arguments): the same in both libraries
CALLS = [
    ("tensor", (3,), {}), ("tensor", (3.5,), {}), ("tensor", (True,), {}), ("tensor", ([1, 2.0],), {}),
    ("tensor", ([True, 2],), {}), ("tensor", ([],), {}), ("tensor", ([[], []],), {}), ("tensor", ([[1, 2], [3, 4]],), {}),
    ("tensor", ((1, (2,)[0]),), {}), ("tensor", (range(3),), {}), ("tensor", ([np.float64(1), 2.0, np.float32(2)],), {}),
    ("tensor", ([np.int8(1), 2],), {}), ("tensor", (np.float64(1),), {}), ("tensor", ([np.array([1.0, 2.0])] * 2,), {}),
    ("tensor", ([1.5, -2.5],), {"dtype": INT}), ("tensor", ([0.0, 1.5],), {"dtype": BOOL}), ("tensor", (-1,), {"dtype": BYTE}),
    ("tensor", (1e300,), {"dtype": FLOAT}), ("tensor", ([0.1, 2**40],), {}), ("tensor", (0.1,), {"dtype": DOUBLE}),
    ("tensor", (2**70,), {"dtype": FLOAT}), ("tensor", ([0.1],), {"dtype": DOUBLE, "requires_grad": True}),
    ("as_tensor", ([1, 2],), {}), ("as_tensor", (3,), {"dtype": FLOAT}), ("asarray", ([1, 2.0],), {}), ("asarray", (2,), {"copy": True}),
    ("zeros", (2, 3), {}), ("zeros", ((2, 3),), {}), ("zeros", ([],), {}), ("zeros", (), {"size": (2, 1)}),
    ("zeros", (2, 0), {"dtype": BOOL}), ("ones", (np.int64(2),), {}), ("ones", (2,), {"dtype": INT}), ("ones", (), {"size": (2,), "requires_grad": True}),
    ("full", ((2,), True), {}), ("full", ((2,), 1), {}), ("full", ((), 1.5), {}), ("full", ([2], 2.5), {"dtype": INT}),
    ("full", ((2,), float("nan")), {}), ("full", ((2,), -0.0), {}), ("full", ((1,), float("inf")), {}), ("full", ((0,), 3), {"dtype": DOUBLE}),
    ("arange", (5,), {}), ("arange", (2.5,), {}), ("arange", (1, 4), {}), ("arange", (5, 0, -2), {}), ("arange", (0, 1, 0.25), {}),
    ("arange", (3, 3), {}), ("arange", (0, 3), {"dtype": DOUBLE}), ("arange", (0.5, 3), {"dtype": INT}), ("arange", (True,), {}),
    ("arange", (), {"start": 1, "end": 2, "step": 0.1}), ("arange", (3,), {"dtype": "float16"}), ("arange", (0, 2, 0.1), {}),
    ("linspace", (0, 1, 5), {}), ("linspace", (3, -2, 4), {}), ("linspace", (0, 1, 0), {}), ("linspace", (2, 9, 1), {}),
    ("linspace", (0, 10, 5), {"dtype": INT}), ("linspace", (0, 1), {"steps": 11, "dtype": DOUBLE}),
    ("linspace", (-2, 2.3, 5), {"dtype": INT}), ("linspace", (2.9, -3.7, 4), {"dtype": INT}), ("linspace", (-9, 9.7, 19), {"dtype": INT}),
    ("linspace", (1.5, 2.5, 1), {"dtype": INT}), ("logspace", (3.9, 4.1, 1, 2), {"dtype": INT}), ("logspace", (0.5, 2.3, 3), {"dtype": INT}), ("logspace", (0, 3.9, 5, 2), {"dtype": INT}),
    ("logspace", (0, 2, 3), {}), ("logspace", (0, 3, 4), {"base": 2, "dtype": DOUBLE}), ("logspace", (-1, 1), {"steps": 5}),
    ("eye", (3,), {}), ("eye", (2, 3), {}), ("eye", (0,), {}), ("eye", (2,), {"dtype": INT}),
    ("zeros_like", (np.ones((2, 3)),), {}), ("ones_like", (np.ones(2, np.int32),), {}), ("ones_like", (np.ones(2),), {"dtype": INT}),
    ("full_like", (np.ones(2), 3), {}), ("full_like", (np.ones(2, bool), 1), {}), ("full_like", (np.ones(2), 2.5), {"dtype": INT}),
    ("tril_indices", (3, 4), {}), ("tril_indices", (3, 4, -1), {}), ("triu_indices", (4, 3), {}), ("triu_indices", (3, 3), {"offset": 1}),
    ("broadcast_shapes", ((2, 1), (3,)), {}), ("broadcast_shapes", ((), 3), {}), ("broadcast_shapes", (), {}),
    ("is_tensor", (1,), {}), ("is_tensor", (np.ones(2),), {}), ("numel", (np.ones((2, 3)),), {}), ("is_floating_point", (np.ones(2),), {}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy.ndarrays")
@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=lambda v: str(v)[:40])
def test_like_pytorch(name, args, kwargs):
    theirs = there(getattr(torch, name), *args, **kwargs)
    ours = here(getattr(autograd, name), *args, **kwargs)
    if isinstance(theirs, torch.Tensor):
        assert_same(ours, theirs, name, ulps=2)
        assert ours.requires_grad == theirs.requires_grad
        np.testing.assert_array_equal(np.signbit(ours.detach().numpy()), np.signbit(theirs.detach().numpy()))
    else:
        assert ours == (tuple(theirs) if isinstance(theirs, torch.Size) else theirs)


METHODS = [
    ("new_tensor", ([1, 2],), {}), ("new_tensor", (2.5,), {"dtype": INT}), ("new_zeros", (2, 3), {}), ("new_zeros", ((2,),), {"dtype": INT}),
    ("new_ones", (3,), {}), ("new_ones", ((),), {"requires_grad": True}), ("new_full", ((2,), 3), {}), ("new_full", ((2,), 1.5), {"dtype": INT}),
    ("to", (), {"dtype": INT}), ("to", ("cpu",), {}), ("to", ("cpu",), {"dtype": DOUBLE}), ("type", (), {}), ("type", ("torch.LongTensor",), {}),
    ("size", (), {}), ("size", (-1,), {}), ("dim", (), {}), ("numel", (), {}), ("nelement", (), {}), ("element_size", (), {}),
    ("is_floating_point", (), {}), ("is_contiguous", (), {}), ("stride", (), {}), ("stride", (0,), {}), ("tolist", (), {}),
    ("contiguous", (), {}), ("clone", (), {}), ("detach", (), {}), ("cpu", (), {}), ("type_as", (np.ones(1, np.int8),), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "kwargs"), METHODS, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("layout", ["contiguous", "transposed"])
def test_methods(name, args, kwargs, layout):
    array = np.float32([[1, 2, 3], [4, 5, 6]])
    array = array.T if layout == "transposed" else array
    theirs = there(getattr(torch.from_numpy(array), name), *args, **kwargs)
    ours = here(getattr(Tensor(array), name), *args, **kwargs)
    if isinstance(theirs, torch.Tensor):
        assert_same(ours, theirs, name)
        assert ours.requires_grad == theirs.requires_grad
        assert name == "clone" or ours.is_contiguous() == theirs.is_contiguous()
        assert np.shares_memory(ours.array, array) == (theirs.data_ptr() == torch.from_numpy(array).data_ptr())
    else:
        assert ours == (tuple(theirs) if isinstance(theirs, torch.Size) else theirs)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_properties(shape):
    x, y = autograd.ones(shape), torch.ones(shape)
    assert (x.ndim, x.shape, x.nbytes, x.itemsize, x.device) == (
        y.ndim,
        tuple(y.shape),
        y.nbytes,
        y.itemsize,
        str(y.device),
    )
    assert x.is_leaf and x.grad_fn is None and not x.requires_grad
    if len(shape) == 2:
        assert x.T.shape == x.mT.shape == (3, 2)


def test_memory_is_shared_or_copied():
    array = np.zeros(3)
    for share in (autograd.from_numpy, autograd.as_tensor, autograd.asarray, autograd.from_dlpack, Tensor):
        array[:] = 0
        x = share(array)
        array[0] = 5
        assert x[0].item() == 5, share
    for copies in (
        autograd.tensor,
        lambda a: autograd.asarray(a, copy=True),
        lambda a: autograd.as_tensor(a, dtype=autograd.float32),
    ):
        array[:] = 0
        x = copies(array)
        array[0] = 5
        assert x[0].item() == 0
    x = autograd.ones(2)
    assert autograd.as_tensor(x) is x and autograd.asarray(x) is x and autograd.tensor(x) is not x
    assert x.to(autograd.float32) is x and x.to(autograd.float32, copy=True) is not x and x.contiguous() is x


def test_conversions_keep_the_graph():
    x = autograd.tensor([1.5, 2.5], requires_grad=True)
    (x.double() * 2).to(autograd.float32).type_as(x).clone().contiguous().sum().backward()
    assert x.grad.tolist() == [2.0, 2.0] and x.grad.dtype == autograd.float32
    assert autograd.as_tensor(x, dtype=autograd.float64).requires_grad


def test_to_other_libraries():
    x = autograd.tensor([[1.0, 2.0]])
    assert x.numpy() is x.array and np.asarray(x) is x.array and np.asarray(x, np.float64).dtype == np.float64
    assert np.array(x, copy=True) is not x.array
    y = torch.from_dlpack(x)
    y[0, 0] = 7
    assert x[0, 0].item() == 7 and np.from_dlpack(x)[0, 0] == 7 and autograd.from_dlpack(y)[0, 0].item() == 7
    assert x.tolist() == [[7.0, 2.0]] and x[0, 0].item() == 7.0 and float(x[0, 1]) == 2.0
    assert type(autograd.tensor(3).item()) is int and type(autograd.tensor(True).item()) is bool
    assert [10, 20, 30][autograd.tensor(1)] == 20 and int(autograd.tensor(2.7)) == 2 and len(x) == 1
    assert autograd.tensor([1, 2]).tolist() == [1, 2] and autograd.tensor(1.5).tolist() == 1.5


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda x: pickle.load(io.BytesIO(pickle.dumps(x)))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies(copied):
    x = autograd.tensor([1.0, 2.0], dtype=autograd.float64, requires_grad=True)
    y = copied(x)
    assert y.requires_grad and y.dtype is autograd.float64 and y.tolist() == [1.0, 2.0] and y is not x
    assert np.shares_memory(x.array, y.array) == (copied is copy.copy)
    twice = copied([x, x])
    assert twice[0] is twice[1]


ERRORS = [
    (lambda: autograd.tensor("a"), TypeError, "tensor: numbers, or nested sequences of them, are needed; got 'a' of str"),
    (lambda: autograd.tensor([1, None]), RuntimeError, "tensor: numbers, or nested sequences of them, are needed; got None of NoneType"),
    (lambda: autograd.tensor([[1], [1, 2]]), ValueError, "tensor: nested sequences have equal lengths; got ragged ones"),
    (lambda: autograd.tensor(2**70), ValueError, f"tensor: an integer does not fit int64; got {2**70}"),
    (lambda: autograd.tensor([300], dtype="uint8"), RuntimeError, "tensor: a number does not fit the dtype; got 300 for uint8"),
    (lambda: autograd.full((2,), float("nan"), dtype="int64"), RuntimeError, "full: a number does not fit the dtype; got nan for int64"),
    (lambda: autograd.full((2,), 1e300), RuntimeError, "full: a number does not fit the dtype; got 1e+300 for float32"),
    (lambda: autograd.from_numpy([1]), TypeError, "from_numpy: a numpy array is needed; got list; use tensor()"),
    (lambda: autograd.from_dlpack([1]), TypeError, "from_dlpack: an object with __dlpack__ is needed; got list"),
    (lambda: autograd.asarray([1], copy=False), ValueError, "asarray: copy=False needs an array of the dtype; got list for int64"),
    (lambda: autograd.zeros(2, -1), RuntimeError, "zeros: lengths must not be negative; got (2, -1)"),
    (lambda: autograd.zeros(2.5), TypeError, "zeros: the lengths are integers; got (2.5,)"),
    (lambda: autograd.zeros(2, fill=3), TypeError, "zeros: takes the shape, dtype, device and requires_grad; got fill"),
    (lambda: autograd.zeros(2, device="cuda"), RuntimeError, "zeros: the only device is \"cpu\"; got 'cuda'"),
    (lambda: autograd.ones(2).to("cuda"), RuntimeError, "to: the only device is \"cpu\"; got 'cuda'"),
    (lambda: autograd.eye(-1), RuntimeError, "eye: lengths must not be negative; got (-1, -1)"),
    (lambda: autograd.arange(0, 5, 0), RuntimeError, "arange: step must lead from start to end; got start=0, end=5, step=0"),
    (lambda: autograd.arange(0, 5, -1), RuntimeError, "arange: step must lead from start to end; got start=0, end=5, step=-1"),
    (lambda: autograd.linspace(0, 1, -1), RuntimeError, "linspace: steps must not be negative; got -1"),
    (lambda: autograd.ones(2).item(), RuntimeError, "item: the tensor must have one element; got shape (2,); use tolist()"),
    (lambda: autograd.ones(2, requires_grad=True).numpy(), RuntimeError, "numpy: the tensor needs a gradient; got requires_grad=True; use detach().numpy()"),
    (lambda: np.asarray(autograd.ones(2, requires_grad=True)), RuntimeError, "numpy: the tensor needs a gradient; got requires_grad=True; use detach().numpy()"),
    (lambda: autograd.ones(2, requires_grad=True).__dlpack__(), BufferError, "dlpack: the tensor needs a gradient; got requires_grad=True; use detach()"),
    (lambda: autograd.ones(2, 3).size(2), IndexError, "size: dim must be in [-2, 1]; got 2"),
    (lambda: autograd.ones(2).mT, RuntimeError, "mT: a matrix or a stack of them; got shape (2,); use unsqueeze() first"),
    (lambda: copy.deepcopy(autograd.ones(2, requires_grad=True) * 2), RuntimeError, "deepcopy: only a leaf can be copied; got a tensor with a graph; detach() it"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[m[:50] for _, _, m in ERRORS])
def test_errors(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
