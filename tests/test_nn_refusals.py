"""What functions and layers refuse: PyTorch's kind of error, and our message in full."""

import pytest
import torch

import autograd
import nn


def attention(nn, **changed):
    layer = nn.MultiheadAttention(4, 2)
    for name, value in changed.items():
        setattr(layer, name, nn.Parameter(value))
    return layer


def ctc(l, F, shape, targets, times, lengths):
    return F.ctc_loss(l.zeros(*shape), l.tensor(targets), l.tensor(times), l.tensor(lengths))


# (call, message): `l` is the library, `F` and `nn` its own.
REFUSED = [
    (lambda l, F, nn: F.max_pool1d(l.ones(1, 4, 4), 2, 1, 2, 3), "max_pool1d: padding must be from 0 to half of the kernel; got (2,) for kernel (2,)"),
    (lambda l, F, nn: F.max_pool2d(l.ones(1, 4, 4), 3, 1, 2, 3), "max_pool2d: padding must be from 0 to half of the kernel; got (2, 2) for kernel (3, 3)"),
    (lambda l, F, nn: F.max_pool3d(l.ones(1, 4, 4, 4), 2, 1, 2, 3), "max_pool3d: padding must be from 0 to half of the kernel; got (2, 2, 2) for kernel (2, 2, 2)"),
    (lambda l, F, nn: F.max_pool2d(l.ones(1, 1, 0, 4), 2, 1, 1), "max_pool2d: no axis to pool over may be empty; got sizes (0, 4)"),
    (lambda l, F, nn: F.linear(l.ones(2, 3), l.ones(4, 3), l.ones(3)), "linear: the bias must have shape (4,), or broadcast to (2, 4); got (3,)"),
    (lambda l, F, nn: F.linear(l.ones(2, 3), l.ones(4, 3), l.ones(5)), "linear: the bias must have shape (4,), or broadcast to (2, 4); got (5,)"),
    (lambda l, F, nn: F.linear(l.ones(3), l.ones(4, 3), l.ones(2, 4)), "linear: the bias must have shape (4,), or broadcast to (4,); got (2, 4)"),
    (lambda l, F, nn: F.linear(l.ones(2, 3), l.ones(4, 3), l.ones(4).double()), "linear: input and bias must have one dtype; got float32 and float64"),
    (lambda l, F, nn: F.linear(l.ones(2, 3), l.ones(3), l.ones(1)), "linear: with a bias the weight must be (out, in); got (3,)"),
    (lambda l, F, nn: F.layer_norm(l.ones(2, 3), (3,), l.ones(2)), "layer_norm: the weight must have shape (3,); got (2,)"),
    (lambda l, F, nn: F.layer_norm(l.ones(2, 3), (3,), None, l.ones(4)), "layer_norm: the bias must have shape (3,); got (4,)"),
    (lambda l, F, nn: F.group_norm(l.ones(2, 3), 1, l.ones(2)), "group_norm: the weight must have shape (3,); got (2,)"),
    (lambda l, F, nn: F.group_norm(l.ones(2, 3), 1, None, l.ones(4)), "group_norm: the bias must have shape (3,); got (4,)"),
    (lambda l, F, nn: F.instance_norm(l.ones(2, 3, 2), None, None, l.ones(2)), "instance_norm: the weight must have shape (3,); got (2,)"),
    (lambda l, F, nn: F.instance_norm(l.ones(2, 3, 2), None, None, None, l.ones(4)), "instance_norm: the bias must have shape (3,); got (4,)"),
    (lambda l, F, nn: F.batch_norm(l.ones(2, 3), None, None, l.ones(2), training=True), "batch_norm: the weight must have shape (3,); got (2,)"),
    (lambda l, F, nn: F.batch_norm(l.ones(2, 3), None, None, None, l.ones(4), training=True), "batch_norm: the bias must have shape (3,); got (4,)"),
    (lambda l, F, nn: F.rms_norm(l.ones(2, 3), (3,), l.ones(2)), "rms_norm: the weight must have shape (3,); got (2,)"),
    (lambda l, F, nn: F.layer_norm(l.ones(2, 3), (3,), None, l.ones(3).double()), "layer_norm: input and bias must have one dtype; got float32 and float64; convert one with to()"),
    (lambda l, F, nn: F.batch_norm(l.ones(2, 3), l.ones(2), l.ones(3)), "batch_norm: the running_mean must have shape (3,); got (2,)"),
    (lambda l, F, nn: F.batch_norm(l.ones(2, 3), l.ones(3), l.ones(4), training=True), "batch_norm: the running_var must have shape (3,); got (4,)"),
    (lambda l, F, nn: F.instance_norm(l.ones(2, 3, 2), l.ones(3), l.ones(2)), "instance_norm: the running_var must have shape (3,); got (2,)"),
    (lambda l, F, nn: attention(nn, in_proj_bias=l.ones(6))(l.ones(3, 2, 4), l.zeros(3, 2, 4), l.ones(3, 2, 4)), "MultiheadAttention(embed_dim=4, num_heads=2): in_proj_bias must have 12 rows, got (6,)"),
    (lambda l, F, nn: attention(nn, in_proj_bias=l.ones(15))(l.ones(3, 2, 4), l.zeros(3, 2, 4), l.ones(3, 2, 4)), "MultiheadAttention(embed_dim=4, num_heads=2): in_proj_bias must have 12 rows, got (15,)"),
    (lambda l, F, nn: attention(nn, in_proj_weight=l.ones(16, 4))(*[l.ones(3, 2, 4)] * 3), "MultiheadAttention(embed_dim=4, num_heads=2): in_proj_weight must have 12 rows, got (16, 4)"),
    (lambda l, F, nn: F.group_norm(l.ones(1, 3), -1), "group_norm: num_groups must be positive; got -1"),
    (lambda l, F, nn: F.scaled_dot_product_attention(l.ones(1, 1, 4, 2), *[l.ones(1, 1, 2, 2)] * 2, l.zeros(2, 2)), "scaled_dot_product_attention: the mask must broadcast to (*, 4, 2); got (2, 2)"),
    (lambda l, F, nn: F.scaled_dot_product_attention(l.ones(1, 1, 4, 2), *[l.ones(1, 1, 2, 2)] * 2, l.zeros(4, 3)), "scaled_dot_product_attention: the mask must broadcast to (*, 4, 2); got (4, 3)"),
    (lambda l, F, nn: F.scaled_dot_product_attention(*[l.ones(2, 2)] * 3, l.zeros(2, 2).int()), "scaled_dot_product_attention: the mask must be of bool, float32 or the query's float32; got int32"),
    (lambda l, F, nn: F.scaled_dot_product_attention(*[l.ones(2, 2)] * 3, l.zeros(2, 2).double()), "scaled_dot_product_attention: the mask must be of bool, float32 or the query's float32; got float64"),
    (lambda l, F, nn: F.scaled_dot_product_attention(*[l.ones(2, 2)] * 3, l.zeros(2, 2).int(), 0.5), "scaled_dot_product_attention: the mask must be of bool, float32 or the query's float32; got int32"),
    (lambda l, F, nn: F.scaled_dot_product_attention(*[l.ones(2)] * 3), "scaled_dot_product_attention: query, key and value must have two or more axes; got (2,), (2,), (2,)"),
    (lambda l, F, nn: F.scaled_dot_product_attention(*[l.ones(2, 2)] * 3, enable_gqa=True), "scaled_dot_product_attention: enable_gqa needs an axis of heads; got (2, 2), (2, 2)"),
    (lambda l, F, nn: F.scaled_dot_product_attention(l.ones(1, 3, 2, 2), *[l.ones(1, 2, 2, 2)] * 2, enable_gqa=True), "scaled_dot_product_attention: with enable_gqa the heads of key and value must divide those of the query; got 2 and 3"),
    (lambda l, F, nn: F.interpolate(l.ones(1, 1, 3), size=0), "interpolate: input and output sizes must be positive; got (3,) to (0,)"),
    (lambda l, F, nn: F.interpolate(l.ones(1, 1, 3), scale_factor=-1.0, mode="linear"), "interpolate: input and output sizes must be positive; got (3,) to (-3,)"),
    (lambda l, F, nn: F.interpolate(l.ones(1, 1, 0), size=2), "interpolate: input and output sizes must be positive; got (0,) to (2,)"),
    (lambda l, F, nn: F.pad(l.ones(3), (1, 1), "reflect"), "pad: with mode 'reflect' the last one, two or three axes are padded, after one or two others; got (1, 1) for (3,)"),
    (lambda l, F, nn: F.pad(l.ones(1, 1, 2, 3), (0, 0), "circular"), "pad: with mode 'circular' the last one, two or three axes are padded, after one or two others; got (0, 0) for (1, 1, 2, 3)"),
    (lambda l, F, nn: nn.ReplicationPad1d(1)(l.ones(1, 1, 2, 3)), "pad: with mode 'replicate' the last one, two or three axes are padded, after one or two others; got (1, 1) for (1, 1, 2, 3)"),
    (lambda l, F, nn: nn.ReflectionPad2d((1, 2))(l.ones(1, 1, 2, 3)), "pad: with mode 'reflect' the last one, two or three axes are padded, after one or two others; got (1, 2) for (1, 1, 2, 3)"),
    (lambda l, F, nn: nn.ZeroPad2d((1, 2, 3))(l.ones(1, 1, 2, 3)), "pad: a pair of lengths for each padded axis; got (1, 2, 3) for 4 axes"),
    (lambda l, F, nn: nn.ZeroPad2d(1)(l.ones(3)), "pad: a pair of lengths for each padded axis; got (1, 1, 1, 1) for 1 axes"),
    (lambda l, F, nn: F.pad(l.ones(1, 1, 3), (-1, 3), "reflect"), "pad: with mode 'reflect' axis 2 of length 3 can be padded by at most 2; got (0, 3)"),
    (lambda l, F, nn: F.pad(l.ones(1, 1, 3), (-2, 2), "circular"), "pad: with mode 'circular' axis 2 of length 1 can be padded by at most 1; got (0, 2)"),
    (lambda l, F, nn: F.pad(l.ones(1, 1, 3), (-2, -1), "replicate"), "pad: something must be left of axis 2; got (-2, -1) for length 3"),
    (lambda l, F, nn: F.pad(l.ones(1, 1, 0), (1, 1), "replicate"), "pad: with mode 'replicate' axis 2 of length 0 can be padded by at most 0; got (1, 1)"),
    (lambda l, F, nn: F.dropout1d(l.ones(1, 1, 1, 1), 0.5), "dropout1d: the input must be (n, c, l) or (c, l); got shape (1, 1, 1, 1)"),
    (lambda l, F, nn: nn.Dropout1d().eval()(l.ones(2)), "dropout1d: the input must be (n, c, l) or (c, l); got shape (2,)"),
    (lambda l, F, nn: nn.FeatureAlphaDropout()(l.ones(2)), "feature_alpha_dropout: the input must have channels, (n, c, *); got shape (2,)"),
    (lambda l, F, nn: ctc(l, F, (2, 1, 3), [[1]], [-1], [1]), "ctc_loss: input_lengths must be integers and not negative; got [-1]"),
    (lambda l, F, nn: ctc(l, F, (2, 1, 3), [1], [2], [-1]), "ctc_loss: target_lengths must be integers and not negative; got [-1]"),
    (lambda l, F, nn: ctc(l, F, (2, 1, 3), [[1]], [2.0], [1]), "ctc_loss: input_lengths must be integers and not negative; got [2.0]"),
    (lambda l, F, nn: ctc(l, F, (2, 2, 3), [1, 1, 1], [2, 2], [1, 1]), "ctc_loss: target_lengths must sum to 3; got 2"),
    (lambda l, F, nn: ctc(l, F, (2, 2, 3), [[1]], [2, 2], [1, 1]), "ctc_loss: targets must be (2, s) or one after the other; got (1, 1)"),
    (lambda l, F, nn: ctc(l, F, (2, 0, 3), [[1]], [], []), "ctc_loss: log_probs must be (t, n, c) or (t, c), none 0; got (2, 0, 3)"),
    (lambda l, F, nn: ctc(l, F, (0, 1, 3), [[1]], [0], [1]), "ctc_loss: log_probs must be (t, n, c) or (t, c), none 0; got (0, 1, 3)"),
    (lambda l, F, nn: F.cross_entropy(l.ones(2, 3), l.tensor([0, 1]), l.ones(3).double()), "cross_entropy: input and weight must have one dtype; got float32 and float64"),
    (lambda l, F, nn: F.nll_loss(l.ones(2, 3), l.tensor([0, 1]), l.ones(3).double()), "nll_loss: input and weight must have one dtype; got float32 and float64"),
    (lambda l, F, nn: nn.Unflatten(1, (3, 1))(l.ones(3)), "unflatten: dim must be in [-1, 0]; got 1"),
    (lambda l, F, nn: F.hardtanh(l.tensor([1], dtype=l.uint8)), "hardtanh: the bounds of uint8 must not be negative; got -1.0"),
    (lambda l, F, nn: F.batch_norm(l.ones(2, 3), l.ones(3), l.ones(3), eps=-1.0), "batch_norm: eps must not be negative; got -1.0"),
    (lambda l, F, nn: F.batch_norm(l.ones(2, 3), None, None, training=True, eps=0.0), "batch_norm: eps must be positive; got 0.0"),
    (lambda l, F, nn: nn.GroupNorm(3, 3)(l.ones(1, 3)), "group_norm: more than one value for each group is needed; got shape (1, 3)"),
    (lambda l, F, nn: F.multi_margin_loss(l.ones(1, 2), l.tensor([2])), "multi_margin_loss: a target must be a class, 0 to 1; got 2 to 2"),
    (lambda l, F, nn: F.multi_margin_loss(l.ones(1, 2), l.tensor([0]), weight=l.ones(1)), "multi_margin_loss: weight must have shape (2,) and the input's float32; got (1,) of float32"),
    (lambda l, F, nn: F.multi_margin_loss(l.ones(2, 0), l.tensor([0, 0])), "multi_margin_loss: there must be a class; got shape (2, 0)"),
    (lambda l, F, nn: F.multilabel_margin_loss(l.ones(1, 3), l.tensor([[0, -1, 7]])), "multilabel_margin_loss: a target must be a class, 0 to 2, or -1; got -1 to 7"),
    (lambda l, F, nn: F.multilabel_margin_loss(l.ones(1, 3), l.tensor([[0, -2, -1]])), "multilabel_margin_loss: a target must be a class, 0 to 2, or -1; got -2 to 0"),
    (lambda l, F, nn: nn.utils.rnn.pad_sequence([]), "pad_sequence: sequences (length, *) are needed, at least one; got shapes []"),
    (lambda l, F, nn: F.embedding_bag(l.tensor([1, 2, 3]), l.ones(4, 3), l.tensor([1])), "embedding_bag: the first offset must be 0; got 1"),
    (lambda l, F, nn: F.embedding_bag(l.tensor([1, 2, 3]), l.ones(4, 3), l.tensor([[0]])), "embedding_bag: offsets must have one axis; got shape (1, 1)"),
    (lambda l, F, nn: F.embedding_bag(l.tensor([[1]]), l.ones(4, 3), mode="max", scale_grad_by_freq=True), "embedding_bag: scale_grad_by_freq is for the modes 'sum' and 'mean'; got mode 'max'"),
    (lambda l, F, nn: F.embedding(l.tensor([1, 2], dtype=l.uint8), l.ones(4, 3)), "embedding: the input must be int64 or int32; got uint8; convert with long()"),
    (lambda l, F, nn: F.embedding(l.tensor([1, 2]), l.ones(4)), "embedding: the weight must be (rows, d); got shape (4,)"),
    (lambda l, F, nn: F.adaptive_avg_pool2d(l.ones(1, 4, 4), (2, -1)), "adaptive_avg_pool2d: output_size must not be negative; got (2, -1)"),
    (lambda l, F, nn: F.adaptive_max_pool1d(l.ones(1, 4, 4), -1), "adaptive_max_pool1d: output_size must not be negative; got -1"),
    (lambda l, F, nn: F.interpolate(l.ones(1, 1, 4), size=-1, mode="area"), "adaptive_avg_pool1d: output_size must not be negative; got (-1,)"),
    (lambda l, F, nn: F.avg_pool2d(l.ones(1, 4, 4), 2, divisor_override=0), "avg_pool2d: divisor_override must not be 0; got 0"),
    (lambda l, F, nn: nn.Conv1d(1, 1, 3, stride=2, padding="same"), "Conv1d: padding='same' needs stride 1; got stride (2,)"),
    (lambda l, F, nn: F.conv1d(l.ones(1, 1, 5), l.ones(1, 1, 3), groups=0), "conv1d: groups must be positive; got 0"),
    (lambda l, F, nn: F.conv_transpose1d(l.ones(1, 1, 5), l.ones(1, 1, 3), groups=0), "conv_transpose1d: groups must be positive; got 0"),
    (lambda l, F, nn: F.conv1d(l.ones(1, 1, 5), l.ones(1, 1, 3), groups=1.0), "conv1d: groups must be an integer; got 1.0"),
    (lambda l, F, nn: F.conv1d(l.ones(1, 1, 5), l.ones(1, 1, 3), stride=1.5), "conv1d: stride must be an integer or 1 of them; got 1.5"),
    (lambda l, F, nn: F.conv2d(l.ones(1, 1, 5, 5), l.ones(1, 1, 3, 3), stride=(1, 1.5)), "conv2d: stride must be an integer or 2 of them; got (1, 1.5)"),
    (lambda l, F, nn: F.conv1d(l.ones(1, 1, 5), l.ones(1, 1, 3), stride=None), "conv1d: stride must be an integer or 1 of them; got None"),
    (lambda l, F, nn: F.conv1d(l.ones(1, 1, 5), l.ones(3)), "conv1d: the weight must have 3 axes; got (3,)"),
    (lambda l, F, nn: F.conv1d(l.ones(1, 1, 5).bool(), l.ones(1, 1, 3).bool()), "conv1d: the tensors must hold numbers; got bool; convert them, with float() say"),
    (lambda l, F, nn: F.conv_transpose1d(l.ones(1, 1, 5), l.ones(1, 1, 3), stride=0), "conv_transpose1d: stride must be positive; got (0,)"),
    (lambda l, F, nn: F.conv_transpose1d(l.ones(1, 1, 5), l.ones(1, 1, 3), dilation=0), "conv_transpose1d: dilation must be positive; got (0,)"),
    (lambda l, F, nn: F.conv_transpose1d(l.ones(1, 1, 5), l.ones(1, 1, 3), padding=-1), "conv_transpose1d: padding and output_padding must not be negative; got (-1,) and (0,)"),
    (lambda l, F, nn: F.conv_transpose1d(l.ones(1, 1, 5), l.ones(1, 1, 3), output_padding=-1), "conv_transpose1d: padding and output_padding must not be negative; got (0,) and (-1,)"),
    (lambda l, F, nn: nn.Fold((2,), 1)(l.ones(1, 1, 2)), "fold: output_size must be one number or 2; got (2,)"),
    (lambda l, F, nn: F.fold(l.ones(1, 1, 4), 2, 1, stride=0), "fold: stride must be positive; got (0, 0)"),
    (lambda l, F, nn: F.fold(l.ones(1, 1, 4), 2, 0), "fold: kernel_size must be positive; got (0, 0)"),
    (lambda l, F, nn: F.fold(l.ones(1, 1, 4), -2, 1), "fold: the kernel must fit into the padded input; got (1, 1) (dilation included) over (-2, -2)"),
    (lambda l, F, nn: F.unfold(l.ones(1, 1, 2, 2), (1, 1, 1)), "unfold: kernel_size must be one number or 2; got (1, 1, 1)"),
    (lambda l, F, nn: F.unfold(l.ones(1, 1, 2, 2), 1, dilation=0), "unfold: dilation must be positive; got (0, 0)"),
    (lambda l, F, nn: F.unfold(l.ones(1, 1, 2, 2), 1, padding=-1), "unfold: padding must not be negative; got (-1, -1)"),
]  # fmt: skip

# PyTorch raises another kind of error, or none: what it computes then means nothing.
OWN = [
    (lambda l, F, nn: F.group_norm(l.ones(1, 3), 0), "group_norm: num_groups must be positive; got 0"),
    (lambda l, F, nn: F.scaled_dot_product_attention(l.ones(1, 2, 2, 2), *[l.ones(1, 0, 2, 2)] * 2, enable_gqa=True), "scaled_dot_product_attention: with enable_gqa the heads of key and value must divide those of the query; got 0 and 2"),
    (lambda l, F, nn: F.pad(l.ones(1, 1, 3), (2, -3), "circular"), "pad: something must be left of axis 2; got (0, -3) for length 3"),
    (lambda l, F, nn: nn.Dropout3d()(l.ones(2)), "dropout3d: the input must have channels, (n, c, *); got shape (2,)"),
    (lambda l, F, nn: ctc(l, F, (2, 1, 3), [[-1]], [2], [1]), "ctc_loss: a target must be a class, 0 to 2; got values from -1 to -1"),
    (lambda l, F, nn: F.multi_margin_loss(l.ones(1, 2), l.tensor([-1])), "multi_margin_loss: a target must be a class, 0 to 1; got -1 to -1"),
    (lambda l, F, nn: l.normalize_rows(l.ones(2, 3), l.ones(2), None, 1e-5), "normalize_rows: weight and bias must have 3 numbers; got (2,) and (3,)"),
    (lambda l, F, nn: l.normalize_channels(l.ones(2, 3), None, l.ones(2), 1e-5), "normalize_channels: weight, bias and moments must have shape (3,); got (3,), (2,), (3,) and (3,)"),
    (lambda l, F, nn: l.normalize_channels(l.ones(2, 3), None, None, 1e-5, (l.ones(3), l.ones(2))), "normalize_channels: weight, bias and moments must have shape (3,); got (3,), (3,), (3,) and (2,)"),
    (lambda l, F, nn: l.attention(l.ones(4, 2), l.ones(2, 2), l.ones(2, 2), l.zeros(3, 2)), "attention: the mask must broadcast to (*, 4, 2); got (3, 2)"),
]  # fmt: skip


def refusal(call, library, functions, layers):
    with pytest.raises(Exception) as caught:  # noqa: PT011 (which kind is what the test compares)
        call(library, functions, layers)
    return caught


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[m[:60] for _, m in REFUSED])
def test_refused(call, message):
    theirs = refusal(call, torch, torch.nn.functional, torch.nn)
    ours = refusal(call, autograd, nn.functional, nn)
    assert issubclass(ours.type, theirs.type) and str(ours.value) == message


@pytest.mark.parametrize(("call", "message"), OWN, ids=[m[:60] for _, m in OWN])
def test_refused_in_our_way(call, message):
    ours = refusal(call, autograd, nn.functional, nn)
    assert ours.type in (RuntimeError, ValueError) and str(ours.value) == message
