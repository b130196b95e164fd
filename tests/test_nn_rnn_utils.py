"""Sequences of different lengths: padded, packed, and run through recurrent networks, as PyTorch does it."""

import numpy as np
import pytest
import torch
from oracle import assert_same
from samples import x
from torch.nn.utils import rnn as theirs

import autograd
import nn
from nn.utils import rnn as ours

LENGTHS = [[4, 3, 1], [1, 4, 2], [2, 2, 2]]


def pair(array):
    return autograd.from_numpy(array.copy()), torch.from_numpy(array.copy())


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("batch_first", [False, True])
def test_packing_and_back(lengths, batch_first):
    a, b = pair(x(3, 4, 2) if batch_first else x(4, 3, 2))
    mine = ours.pack_padded_sequence(a, autograd.tensor(lengths), batch_first, enforce_sorted=False)
    other = theirs.pack_padded_sequence(b, torch.tensor(lengths), batch_first, enforce_sorted=False)
    for part, expected in zip(mine, other, strict=True):
        assert_same(part, expected, "packed")
    for options in ({}, {"padding_value": -1.0, "total_length": 6}):
        out, expected = (m.pad_packed_sequence(p, batch_first, **options) for m, p in ((ours, mine), (theirs, other)))
        assert_same(out, expected, f"padded {options}")


@pytest.mark.parametrize(
    "options", [{}, {"batch_first": True}, {"padding_value": 9.0, "padding_side": "left"}], ids=str
)
def test_padding_sequences(options):
    arrays = [x(n, 2, seed=n) for n in (2, 4, 1)]
    mine = ours.pad_sequence([autograd.from_numpy(a) for a in arrays], **options)
    assert_same(mine, theirs.pad_sequence([torch.from_numpy(a) for a in arrays], **options), str(options))


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32"), ("int64", "float32")], ids=str)
def test_padded_sequences_have_the_dtype_of_the_first(dtypes):
    arrays = [x(n, seed=n).astype(dtype) for n, dtype in zip((2, 3), dtypes)]
    mine = ours.pad_sequence([autograd.from_numpy(a) for a in arrays], padding_value=1.5)
    assert_same(mine, theirs.pad_sequence([torch.from_numpy(a) for a in arrays], padding_value=1.5), str(dtypes))


def test_packing_sequences_and_back():
    arrays = [x(n, 2, seed=n) for n in (2, 4, 1)]
    packed = ours.pack_sequence([autograd.from_numpy(a) for a in arrays], enforce_sorted=False)
    for part, array in zip(ours.unpack_sequence(packed), arrays, strict=True):
        np.testing.assert_array_equal(part.numpy(), array)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_recurrent_networks_run_packed(name, lengths):
    mine = getattr(nn, name)(2, 3, 2, bidirectional=True).double()
    other = getattr(torch.nn, name)(2, 3, 2, bidirectional=True).double()
    mine.load_state_dict({k: autograd.from_numpy(v.numpy()) for k, v in other.state_dict().items()})
    a, b = pair(x(4, 3, 2))
    packed = ours.pack_padded_sequence(a.requires_grad_(), lengths, enforce_sorted=False)
    expected = theirs.pack_padded_sequence(b.requires_grad_(), lengths, enforce_sorted=False)
    (out, state), (out_, state_) = mine(packed), other(expected)
    assert_same(out.data, out_.data, "output")
    assert_same(state, state_, "state")
    (out.data**2).sum().backward()
    (out_.data**2).sum().backward()
    assert_same(a.grad, b.grad, "gradient")
    for p, q in zip(mine.parameters(), other.parameters(), strict=True):
        assert_same(p.grad, q.grad, "gradient of a parameter")


REFUSED = [
    (lambda: ours.pack_padded_sequence(autograd.zeros(3, 2), [1, 3]), "pack_padded_sequence: lengths must fall; got [1, 3]; pass enforce_sorted=False to have them sorted"),
    (lambda: ours.pack_padded_sequence(autograd.zeros(3, 2), [4, 3]), "pack_padded_sequence: lengths must be from 1 to 3; got [4, 3]"),
    (lambda: ours.pack_padded_sequence(autograd.zeros(3, 2), [3]), "pack_padded_sequence: a length for each sequence; got 1 for 2"),
    (lambda: nn.GRU(2, 3)(autograd.zeros(4, 1, 5)), "GRU(input_size=2): the input must be (time, n, 2), got (4, 1, 5)"),
    (lambda: nn.GRU(2, 3)(autograd.zeros(4, 1, 2), autograd.zeros(1, 2, 3)), "GRU: the hidden state must be (1, 1, 3), got (1, 2, 3)"),
    (lambda: nn.LSTM(2, 3, proj_size=3), "LSTM: proj_size must be from 0 to hidden_size - 1; got 3"),
    (lambda: nn.RNN(2, 3, nonlinearity="sin"), "RNN: nonlinearity must be 'tanh' or 'relu'; got 'sin'"),
    (lambda: nn.GRUCell(2, 3)(autograd.zeros(4, 5)), "GRUCell(input_size=2, hidden_size=3): the input must be (n, 2), got (4, 5)"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_refused(act, message):
    with pytest.raises((RuntimeError, ValueError)) as caught:
        act()
    assert str(caught.value) == message
