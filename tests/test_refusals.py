"""What operations on shapes and places refuse: PyTorch's kind of error, and our message in full."""

import pytest
import torch

import autograd

# (call, message): `l` is the library, `x` its ones(2, 3).
REFUSED = [
    (lambda l, x: l.reshape(x, (4, 2)), "reshape: the number of elements must stay the same; got (2, 3) to (4, 2), 6 elements"),
    (lambda l, x: l.reshape(x, (2.5, 2)), "shape: lengths and dims are integers; got 2.5 of type float"),
    (lambda l, x: l.sum(x, True), "sum: dim must be an integer; got True of type bool"),
    (lambda l, x: l.softmax(x, 1.0), "softmax: dim must be an integer; got 1.0 of type float"),
    (lambda l, x: l.as_strided(l.zeros(0), (2,), (1,)), "as_strided: size and stride must stay within the memory; got size (2,), stride (1,), 0 elements after the start of a tensor of 0"),
    (lambda l, x: l.roll(l.tensor(1.0), 1, 0), "roll: a 0-d tensor has no axis; got dims=(0,)"),
    (lambda l, x: l.renorm(x, 0, 0, 1.0), "renorm: p must be positive and maxnorm not negative; got p=0 and maxnorm=1.0"),
    (lambda l, x: l.floor(x > 0), "floor: integer or floating tensors are needed; got bool"),
    (lambda l, x: l.add(x, "a", alpha=2), "add: other must be a tensor or a number; got str"),
    (lambda l, x: l.addcmul(x, "a", x), "addcmul: tensor1 must be a tensor or a number; got str"),
    (lambda l, x: l.add(x, x, alpha=True), "add: alpha is a truth value only for truth values; got alpha=True for float32"),
    (lambda l, x: l.sub(x.char(), x.char(), alpha=300), "sub: a number does not fit the dtype; got 300 for int8"),
    (lambda l, x: l.lerp(x.int(), x.int(), 0.5), "lerp: floating tensors are needed; got int32"),
    (lambda l, x: l.linalg.eigvalsh(l.eye(2).int()), "eigh: the tensor must be float32 or float64; got int32; convert it with to()"),
    (lambda l, x: x * "a", "index: only an integer tensor with one element can index; got float32 of shape (2, 3)"),
    (lambda l, x: ~x, "~: bool or integer tensors are needed; got float32"),
    (lambda l, x: x.float_power_(2), "float_power_: the result is float64; got a tensor of float32; use float_power()"),
    (lambda l, x: l.reshape(x, (-1, -1)), "reshape: only one length may be -1; got (-1, -1)"),
    (lambda l, x: l.reshape(x, (5, -1)), "reshape: the number of elements must stay the same; got (2, 3) to (5, -1), 6 elements"),
    (lambda l, x: x.T.view(6), "view: the memory layout does not allow it; got shape (3, 2) with strides (4, 12) to (6,); use reshape()"),
    (lambda l, x: x.view(7), "view: the number of elements must stay the same; got (2, 3) to (7,), 6 elements"),
    (lambda l, x: x.view(l.float64), "view: the last axis must be contiguous and hold whole elements of the new dtype; got shape (2, 3) of float32 as float64"),
    (lambda l, x: l.flatten(x, 1, 0), "flatten: start_dim must not come after end_dim; got 1 and 0"),
    (lambda l, x: l.unflatten(x, 1, (2, 2)), "unflatten: the number of elements must stay the same; got (3,) to (2, 2), 3 elements"),
    (lambda l, x: l.unflatten(x, 1, ()), "unflatten: sizes name at least one length; got none"),
    (lambda l, x: x.expand(2, 4), "expand: only axes of length 1 can be stretched; got (2, 3) to (2, 4); lengths are matched from the last axis on"),
    (lambda l, x: x.expand(3), "expand: only axes of length 1 can be stretched; got (2, 3) to (3,); lengths are matched from the last axis on"),
    (lambda l, x: x.expand(-1, 2, 3), "expand: only axes of length 1 can be stretched; got (2, 3) to (-1, 2, 3); lengths are matched from the last axis on"),
    (lambda l, x: l.broadcast_shapes((2,), (3,)), "broadcast_shapes: the shapes do not broadcast; got (2,), (3,); from the last axis on, lengths must be equal or one of them 1"),
    (lambda l, x: l.broadcast_tensors(x, l.ones(4)), "broadcast_tensors: the shapes do not broadcast; got (2, 3), (4,); from the last axis on, lengths must be equal or one of them 1"),
    (lambda l, x: l.permute(x, (0, 0)), "permute: each axis must be named once; got (0, 0) for 2 axes"),
    (lambda l, x: l.permute(x, (0,)), "permute: each axis must be named once; got (0,) for 2 axes"),
    (lambda l, x: l.transpose(x, 0, 2), "transpose: dim must be in [-2, 1]; got 2"),
    (lambda l, x: l.t(l.ones(2, 2, 2)), "t: at most two axes; got shape (2, 2, 2); use transpose() or mT"),
    (lambda l, x: l.movedim(x, (0, 0), (0, 1)), "movedim: each axis is named once; got (0, 0) and (0, 1)"),
    (lambda l, x: l.movedim(x, (0, 1), (0,)), "movedim: one destination for each source; got (0, 1) and (0,)"),
    (lambda l, x: l.squeeze(x, 5), "squeeze: dim must be in [-2, 1]; got 5"),
    (lambda l, x: l.unsqueeze(x, 4), "unsqueeze: dim must be in [-3, 2]; got 4"),
    (lambda l, x: l.select(x, 0, 5), "select: index must be in [-2, 1] for dim 0; got 5"),
    (lambda l, x: l.select(x, 2, 0), "select: dim must be in [-2, 1]; got 2"),
    (lambda l, x: l.select(l.tensor(1.0), 0, 0), "select: a 0-d tensor has no axis; got dim=0"),
    (lambda l, x: l.narrow(x, 0, 1, 2), "narrow: start + length must be at most 2, the length of dim 0; got 1 + 2"),
    (lambda l, x: l.narrow(x, 0, 5, 1), "narrow: start must be in [-2, 2] for dim 0; got 5"),
    (lambda l, x: l.split(x, 0), "split: the length of a part must be positive; got 0"),
    (lambda l, x: l.split(x, [1, 2]), "split: the lengths must add up to 2, the length of dim 0; got [1, 2]"),
    (lambda l, x: l.split(l.tensor(1.0), 1), "split: a 0-d tensor has no axis; got dim=0"),
    (lambda l, x: l.chunk(x, 0), "chunk: at least one chunk; got 0"),
    (lambda l, x: l.tensor_split(x, 0), "tensor_split: at least one part; got 0"),
    (lambda l, x: l.hsplit(x, 2), "hsplit: the parts of dim 1 must be of one length; got 3 in 2"),
    (lambda l, x: l.hsplit(l.tensor(1.0), 1), "hsplit: at least 1 axis needed; got shape ()"),
    (lambda l, x: l.vsplit(l.ones(2), 2), "vsplit: at least 2 axes needed; got shape (2,)"),
    (lambda l, x: l.dsplit(x, 1), "dsplit: at least 3 axes needed; got shape (2, 3)"),
    (lambda l, x: l.unbind(l.tensor(1.0)), "unbind: a 0-d tensor has no axis; got dim=0"),
    (lambda l, x: x.repeat(2), "repeat: a number, not negative, for each axis; got (2,) for shape (2, 3)"),
    (lambda l, x: x.repeat(-1, 2), "repeat: a number, not negative, for each axis; got (-1, 2) for shape (2, 3)"),
    (lambda l, x: l.repeat_interleave(x, l.tensor([1, 2, 3]), 0), "repeat_interleave: one number for each of 2 parts; got shape (3,)"),
    (lambda l, x: l.repeat_interleave(x, -1, 0), "repeat_interleave: the numbers must not be negative; got -1"),
    (lambda l, x: l.flip(x, (0, 0)), "flip: each axis is named once; got dims=(0, 0)"),
    (lambda l, x: l.flip(x, (2,)), "flip: dim must be in [-2, 1]; got 2"),
    (lambda l, x: l.fliplr(l.ones(2)), "fliplr: at least two axes; got shape (2,)"),
    (lambda l, x: l.flipud(l.tensor(1.0)), "flipud: at least one axis; got a 0-d tensor"),
    (lambda l, x: l.roll(x, (1, 2), (0,)), "roll: one axis for each shift; got shifts=(1, 2) and dims=(0,)"),
    (lambda l, x: l.rot90(x, 1, (0, 0)), "rot90: the two axes differ; got dims=(0, 0)"),
    (lambda l, x: l.rot90(l.ones(2), 1, (0, 1)), "rot90: a plane of two axes; got dims=(0, 1) for shape (2,)"),
    (lambda l, x: l.diagonal(l.ones(2)), "diagonal: at least two axes; got 1"),
    (lambda l, x: l.diagonal(x, 0, 1, 1), "diagonal: dim1 and dim2 differ; got 1 and 1"),
    (lambda l, x: l.diag(l.ones(2, 2, 2)), "diag: a vector or a matrix; got shape (2, 2, 2); use diagonal()"),
    (lambda l, x: l.diag_embed(x, 0, 0, 0), "diag_embed: dim1 and dim2 differ; got 0 and 0"),
    (lambda l, x: l.diagonal_scatter(x, l.ones(3)), "diagonal_scatter: src has the shape of the diagonal; got (3,) for (2,)"),
    (lambda l, x: l.tril(l.ones(2)), "tril: at least two axes; got shape (2,)"),
    (lambda l, x: x.unfold(1, 4, 1), "unfold: size must be in [0, 3], the length of dim 1; got 4"),
    (lambda l, x: x.unfold(1, 2, 0), "unfold: step must be positive; got 0"),
    (lambda l, x: l.as_strided(x, (2, 2), (1,)), "as_strided: one stride for each length; got size (2, 2) and stride (1,)"),
    (lambda l, x: l.as_strided(x, (3, 3), (3, 1)), "as_strided: size and stride must stay within the memory; got size (3, 3), stride (3, 1), 0 elements after the start of a tensor of 6"),
    (lambda l, x: l.as_strided(x, (2, 2), (-1, 1)), "as_strided: lengths and strides must not be negative; got (2, 2) and (-1, 1)"),
    (lambda l, x: l.meshgrid(x, indexing="ij"), "meshgrid: vectors are needed; got shape (2, 3)"),
    (lambda l, x: l.meshgrid(l.ones(2), l.ones(2), indexing="ab"), 'meshgrid: indexing is "ij" or "xy"; got \'ab\''),
    (lambda l, x: l.cartesian_prod(x, x), "cartesian_prod: vectors are needed; got shape (2, 3)"),
    (lambda l, x: l.combinations(x), "combinations: a vector is needed; got shape (2, 3)"),
    (lambda l, x: l.combinations(l.ones(2), -1), "combinations: r must not be negative; got -1"),
    (lambda l, x: l.block_diag(l.ones(2, 2, 2)), "block_diag: tensors of at most two axes; got shape (2, 2, 2)"),
    (lambda l, x: l.cat([]), "cat: at least one tensor is needed; got none"),
    (lambda l, x: l.cat([x, l.ones(2, 2)]), "cat: lengths must be equal except along dim 0; got (2, 3), (2, 2)"),
    (lambda l, x: l.cat([x, l.ones(3)]), "cat: lengths must be equal except along dim 0; got (2, 3), (3,)"),
    (lambda l, x: l.cat([l.tensor(1.0), l.tensor(2.0)]), "cat: a 0-d tensor has no axis to join; got [(), ()]; use stack()"),
    (lambda l, x: l.cat([x, x], 2), "cat: dim must be in [-2, 1]; got 2"),
    (lambda l, x: l.cat([x, 3]), "cat: a sequence of tensors is needed; got int at 1"),
    (lambda l, x: l.stack([]), "stack: at least one tensor is needed; got none"),
    (lambda l, x: l.stack([x, l.ones(2)]), "stack: the shapes must be equal; got (2, 3), (2,)"),
    (lambda l, x: l.vstack([x, l.ones(2)]), "vstack: lengths must be equal except along dim 0; got (2, 3), (1, 2)"),
    (lambda l, x: l.gather(x, 0, l.tensor([[2]])), "gather: an index must be in [0, 2) for dim 0; got 2"),
    (lambda l, x: l.gather(x, 0, l.tensor([[-1]])), "gather: an index must be in [0, 2) for dim 0; got -1"),
    (lambda l, x: l.gather(x, 0, l.tensor([0])), "gather: index and input have as many axes; got (1,) and (2, 3)"),
    (lambda l, x: l.gather(x, 0, l.tensor([[0.0]])), "gather: the index holds integers; got float32"),
    (lambda l, x: l.gather(x, 0, l.zeros(1, 4, dtype=l.int64)), "gather: the index may be longer than input only along dim 0; got (1, 4) and (2, 3)"),
    (lambda l, x: l.take_along_dim(x, l.tensor([0]), 0), "take_along_dim: input and indices have as many axes; got (2, 3) and (1,)"),
    (lambda l, x: l.take_along_dim(x, l.tensor([[0.0]]), 0), "take_along_dim: the index holds integers; got float32"),
    (lambda l, x: l.index_select(x, 0, l.tensor([2])), "index_select: an index must be in [0, 2) for dim 0; got 2"),
    (lambda l, x: l.index_select(x, 0, l.tensor([-1])), "index_select: an index must be in [0, 2) for dim 0; got -1"),
    (lambda l, x: l.index_select(x, 0, l.tensor([[0]])), "index_select: the index is a vector; got shape (1, 1); use input[index] or gather()"),
    (lambda l, x: l.index_select(x, 0, l.tensor([0.0])), "index_select: the index holds integers; got float32"),
    (lambda l, x: l.take(x, l.tensor([6])), "take: an index must be in [-6, 6); got [6]"),
    (lambda l, x: l.take(x, l.tensor([0.0])), "take: the index holds integers; got float32"),
    (lambda l, x: l.masked_select(x, l.ones(2, 3)), "masked_select: the mask holds bools; got float32"),
    (lambda l, x: l.masked_select(x, l.ones(2, dtype=l.bool)), "masked_select: the shapes do not broadcast; got (2, 3), (2,); from the last axis on, lengths must be equal or one of them 1"),
    (lambda l, x: l.scatter(x, 0, l.tensor([[2]]), 1.0), "scatter: an index must be in [0, 2) for dim 0; got 2"),
    (lambda l, x: l.scatter(x, 0, l.tensor([[0]]), l.ones(1, 1, dtype=l.float64)), "scatter: both tensors have one dtype; got float32 and float64"),
    (lambda l, x: l.scatter(x, 0, l.tensor([[0, 0]]), l.ones(1, 1)), "scatter: the index may be longer than src nowhere; got (1, 2) and (1, 1)"),
    (lambda l, x: l.scatter(x, 0, l.tensor([[0]]), 1.0, reduce="max"), 'scatter: reduce is "add" or "multiply"; got \'max\''),
    (lambda l, x: l.scatter_add(x, 0, l.tensor([[0], [0]]), l.ones(1, 1)), "scatter_add: the index may be longer than src nowhere; got (2, 1) and (1, 1)"),
    (lambda l, x: l.scatter_reduce(x, 0, l.tensor([[9]]), l.ones(1, 1), "amax"), "scatter_reduce: an index must be in [0, 2) for dim 0; got 9"),
    (lambda l, x: l.index_add(x, 0, l.tensor([2]), l.ones(1, 3)), "index_add: an index must be in [0, 2) for dim 0; got 2"),
    (lambda l, x: l.index_add(x, 0, l.tensor([0]), l.ones(1, 2)), "index_add: the source has the shape of input, with the length of the index along dim 0; got (1, 2) for (1, 3)"),
    (lambda l, x: l.index_add(x, 0, l.tensor([0]), l.ones(1, 3, dtype=l.float64)), "index_add: both tensors have one dtype; got float32 and float64"),
    (lambda l, x: l.index_copy(x, 0, l.tensor([5]), l.ones(1, 3)), "index_copy: an index must be in [0, 2) for dim 0; got 5"),
    (lambda l, x: l.index_fill(x, 0, l.tensor([5]), 1.0), "index_fill: an index must be in [0, 2) for dim 0; got 5"),
    (lambda l, x: l.index_fill(x, 0, l.tensor([0]), l.ones(2)), "index_fill: the value is a number or a 0-d tensor; got shape (2,)"),
    (lambda l, x: l.index_put(x, (l.tensor([5]),), l.tensor(1.0)), "index_put: index 5 is out of bounds for dim 0 with length 2; got shape (2, 3)"),
    (lambda l, x: l.index_put(x, (l.tensor([0]),), l.tensor(1.0, dtype=l.float64)), "index_put: input and values have one dtype; got float32 and float64"),
    (lambda l, x: l.index_put(x, (l.tensor([0]),), l.ones(2)), "index_put: the value must broadcast to the place; got (2,) for (1, 3)"),
    (lambda l, x: l.masked_fill(x, l.ones(2, 3), 1.0), "masked_fill: the mask holds bools; got float32"),
    (lambda l, x: l.masked_fill(x, l.ones(2, 3, dtype=l.bool), l.ones(2)), "masked_fill: the value is a number or a 0-d tensor; got shape (2,)"),
    (lambda l, x: l.masked_fill(x, l.ones(4, dtype=l.bool), 1.0), "masked_fill: the shapes do not broadcast; got (2, 3), (4,); from the last axis on, lengths must be equal or one of them 1"),
    (lambda l, x: l.masked_scatter(x, l.ones(2, 3, dtype=l.bool), l.ones(5)), "masked_scatter: an element of source for each true of the mask; got 5 for 6"),
    (lambda l, x: l.masked_scatter(x, l.ones(2, 3, dtype=l.bool), l.ones(6, dtype=l.float64)), "masked_scatter: both tensors have one dtype; got float32 and float64"),
    (lambda l, x: l.select_scatter(x, l.ones(2), 0, 0), "select_scatter: src has the shape of the part it replaces; got (2,) for (3,)"),
    (lambda l, x: l.select_scatter(x, l.ones(3), 0, 4), "select_scatter: index must be in [-2, 1] for dim 0; got 4"),
    (lambda l, x: l.slice_scatter(x, l.ones(2, 2), 0, 0, 1), "slice_scatter: src has the shape of the part it replaces; got (2, 2) for (1, 3)"),
    (lambda l, x: l.isin(1, 2), "isin: one of the two is a tensor; got two numbers"),
]  # fmt: skip

# PyTorch raises another kind of error, or takes what its documentation does not name.
OWN = [
    (lambda l, x: l.repeat_interleave(x, l.tensor([1.0, 2.0]), 0), "repeat_interleave: the index holds integers; got float32"),
    (lambda l, x: l.scatter_reduce(x, 0, l.tensor([[0]]), l.ones(1, 1), "max"), "scatter_reduce: reduce is sum, prod, mean, amax or amin; got 'max'"),
    (lambda l, x: l.index_copy(x, 0, l.tensor([0]), l.ones(2, 3)), "index_copy: the source has the shape of input, with the length of the index along dim 0; got (2, 3) for (1, 3)"),
]  # fmt: skip


def refusal(call, library, kinds=Exception):
    with pytest.raises(kinds) as caught:
        call(library, library.ones(2, 3))
    return caught


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[m[:60] for _, m in REFUSED])
def test_refused(call, message):
    theirs = refusal(call, torch)
    ours = refusal(call, autograd)
    assert (ours.type, str(ours.value)) == (theirs.type, message)


@pytest.mark.parametrize(("call", "message"), OWN, ids=[m[:60] for _, m in OWN])
def test_refused_in_our_way(call, message):
    assert str(refusal(call, autograd, RuntimeError).value) == message
