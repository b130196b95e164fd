"""What functions and layers refuse: PyTorch's kind of error, and our message in full."""

import pytest
import torch

import autograd
import nn

# (call, message): `l` is the library, `F` and `nn` its own.
REFUSED = [
    (lambda l, F, nn: F.max_pool1d(l.ones(1, 4, 4), 2, 1, 2, 3), "max_pool1d: padding must be from 0 to half of the kernel; got (2,) for kernel (2,)"),
    (lambda l, F, nn: F.max_pool2d(l.ones(1, 4, 4), 3, 1, 2, 3), "max_pool2d: padding must be from 0 to half of the kernel; got (2, 2) for kernel (3, 3)"),
    (lambda l, F, nn: F.max_pool3d(l.ones(1, 4, 4, 4), 2, 1, 2, 3), "max_pool3d: padding must be from 0 to half of the kernel; got (2, 2, 2) for kernel (2, 2, 2)"),
    (lambda l, F, nn: F.max_pool2d(l.ones(1, 1, 0, 4), 2, 1, 1), "max_pool2d: no axis to pool over may be empty; got sizes (0, 4)"),
]  # fmt: skip

# PyTorch raises another kind of error, or none: what it computes then means nothing.
OWN = []  # fmt: skip


def refusal(call, library, functions, layers):
    with pytest.raises(Exception) as caught:  # noqa: PT011 (which kind is what the test compares)
        call(library, functions, layers)
    return caught


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[m[:60] for _, m in REFUSED])
def test_refused(call, message):
    theirs = refusal(call, torch, torch.nn.functional, torch.nn)
    ours = refusal(call, autograd, nn.functional, nn)
    assert (ours.type, str(ours.value)) == (theirs.type, message)


@pytest.mark.parametrize(("call", "message"), OWN, ids=[m[:60] for _, m in OWN])
def test_refused_in_our_way(call, message):
    ours = refusal(call, autograd, nn.functional, nn)
    assert ours.type in (RuntimeError, ValueError) and str(ours.value) == message
