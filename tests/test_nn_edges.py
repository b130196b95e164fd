"""Functions and layers where something is empty, missing or of an unusual shape: the answer is PyTorch's there too."""

import numpy as np
import pytest
import torch
from oracle import assert_same

import autograd
import nn
from autograd.ops.pool import _add_places, _read_places

# `l` is the library, `F` and `nn` its own; a row gives tensors.
EDGES = {
    "max_pool1d, windows that step over the input": lambda l, F, nn: F.max_pool1d(l.tensor([[[1.0, 2.0]]]), 2, 1, 1, 3),
    "max_pool2d, windows that step over the input": lambda l, F, nn: F.max_pool2d(
        l.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2, 1, 1, 3, return_indices=True
    ),
    "max_pool2d, all windows step over the columns": lambda l, F, nn: F.max_pool2d(
        l.ones(1, 1, 8, 1), (1, 2), None, (0, 1), (1, 3), True, True
    ),
    "max_pool3d of integers, windows that step over the input": lambda l, F, nn: F.max_pool3d(
        l.arange(24).reshape(1, 2, 3, 4).int(), (1, 1, 2), 1, (0, 0, 1), (1, 1, 5), return_indices=True
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    ours = EDGES[name](autograd, nn.functional, nn)
    assert_same(ours, EDGES[name](torch, torch.nn.functional, torch.nn), name)


def test_a_window_that_steps_over_the_input_has_no_gradient():
    x = autograd.ones(1, 1, 2, 2, requires_grad=True)
    (g,) = autograd.grad(nn.functional.max_pool2d(x, 2, 1, 1, 3).sum(), x, create_graph=True)
    assert not g.array.any()
    row, places = np.ones((1, 2), np.float32), np.array([[1, 6]])
    assert _add_places(row, places, sizes=(2,)).tolist() == [[0, 1]]
    assert _read_places(row, places, sizes=(2,)).tolist() == [[1, 0]]
