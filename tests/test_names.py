"""Arguments by the names that PyTorch's functions really take, which are not always those of its documentation."""

from operator import attrgetter

import numpy as np
import pytest
import torch
from oracle import assert_same, to_ours, to_torch

import autograd

M = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]])
V = np.array([0.2, 0.3, 0.5])
PLACES = np.array([0, 2, 1])
MASK = M > 1

CALLS = [
    ("linalg.norm", {"input": M, "ord": 1}), ("linalg.matrix_norm", {"input": M}), ("linalg.cond", {"input": M}),
    ("linalg.matrix_rank", {"input": M}), ("linalg.matrix_power", {"input": M, "n": 2}), ("linalg.pinv", {"input": M}),
    ("linalg.cholesky", {"input": M}), ("linalg.eigvalsh", {"input": M}), ("linalg.matrix_exp", {"input": M}),
    ("linalg.vector_norm", {"x": M}), ("linalg.det", {"A": M}), ("linalg.inv", {"A": M}),
    ("linalg.svdvals", {"A": M, "driver": None}), ("linalg.lstsq", {"input": M, "b": M}),
    ("linalg.solve", {"A": M, "B": M}), ("linalg.vecdot", {"x": M, "y": M}), ("linalg.lu_factor", {"A": M}),
    ("cholesky_solve", {"input": M, "input2": M}), ("cholesky_inverse", {"input": M}),
    ("dot", {"input": V, "tensor": V}), ("mm", {"input": M, "mat2": M}), ("mv", {"input": M, "vec": V}),
    ("outer", {"input": V, "vec2": V}), ("addmm", {"input": M, "mat1": M, "mat2": M, "beta": 2, "alpha": 3}),
    ("addr", {"input": M, "vec1": V, "vec2": V}), ("tensordot", {"a": M, "b": M, "dims": 1}),
    ("flip", {"input": M, "dims": (0,)}), ("permute", {"input": M, "dims": (1, 0)}),
    ("reshape", {"input": M, "shape": (9,)}), ("tile", {"input": M, "dims": (2, 1)}),
    ("broadcast_to", {"input": M, "size": (2, 3, 3)}), ("roll", {"input": M, "shifts": 1, "dims": 0}),
    ("split", {"tensor": M, "split_size_or_sections": 2, "dim": 1}), ("chunk", {"input": M, "chunks": 2, "dim": 1}),
    ("tensor_split", {"input": M, "sections": 2}), ("tensor_split", {"input": M, "indices": (1,), "dim": 1}),
    ("swapaxes", {"input": M, "axis0": 0, "axis1": 1}), ("unflatten", {"input": M, "dim": 0, "sizes": (1, 3)}),
    ("repeat_interleave", {"input": M, "repeats": 2, "dim": 0}), ("take_along_dim", {"input": V, "indices": PLACES, "dim": 0}),
    ("index_add", {"input": M, "dim": 0, "index": PLACES, "source": M, "alpha": 2}),
    ("masked_fill", {"input": M, "mask": MASK, "value": 1}), ("isin", {"elements": PLACES, "test_elements": PLACES, "invert": True}),
    ("searchsorted", {"sorted_sequence": V, "input": V, "right": True}), ("where", {"condition": MASK, "input": M, "other": M}),
    ("std", {"input": M, "dim": 0, "correction": 0, "keepdim": True}), ("heaviside", {"input": M, "values": M}),
    ("addcmul", {"input": M, "tensor1": M, "tensor2": M, "value": 2}), ("lerp", {"input": M, "end": M, "weight": 0.5}),
    ("quantile", {"input": M, "q": 0.5, "dim": 0}), ("diff", {"input": M, "n": 1, "dim": -1, "prepend": M}),
    ("renorm", {"input": M, "p": 2, "dim": 0, "maxnorm": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[f"{name}-{'-'.join(kwargs)}" for name, kwargs in CALLS])
def test_keywords(name, arguments):
    ours = attrgetter(name)(autograd)(**to_ours(arguments))
    assert_same(ours, attrgetter(name)(torch)(**to_torch(arguments)), name, ulps=1e6)


METHODS = [
    ("expand", {"size": (2, 3, 3)}), ("view", {"size": (9,)}), ("repeat", {"repeats": (2, 1)}), ("flip", {"dims": (1,)}),
    ("permute", {"dims": (1, 0)}), ("reshape", {"shape": (9,)}), ("tile", {"dims": (2,)}), ("split", {"split_size": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), METHODS, ids=[name for name, _ in METHODS])
def test_keywords_of_methods(name, arguments):
    assert_same(getattr(to_ours(M), name)(**arguments), getattr(to_torch(M), name)(**arguments), name)


def test_randint_by_keywords():
    assert autograd.randint(high=5, size=(100,)).max() < 5
