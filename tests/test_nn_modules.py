"""Every module against PyTorch's: a new module is a new row."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from nn_table import CASES, assert_equal_modules, assert_float32, assert_gradients_check, module, signature
from samples import n, x

import nn

for _file in sorted((Path(__file__).parent / "nn_rows").glob("*.py")):
    importlib.import_module(f"nn_rows.{_file.stem}")

module("Identity", inputs=[x(2, 3)])
module("Linear", 3, 2, inputs=[x(5, 3), x(3), x(2, 4, 3), x(0, 3)])
module("Linear", 3, 2, bias=False, inputs=[x(5, 3), x(3), x(2, 4, 3)])
module("Flatten", inputs=[x(2, 3, 4)])
module("Flatten", 0, 1, inputs=[x(2, 3, 4), x(2, 3)])
module("Dropout", 0.3, inputs=[x(2, 3)], options={"training": [False]})
module("Dropout", 0.0, inputs=[x(2, 3)])
module("BatchNorm1d", 3, inputs=[x(5, 3), x(4, 3, 2)])
module("BatchNorm1d", 3, momentum=None, inputs=[x(5, 3), x(4, 3, seed=1)])
module("BatchNorm1d", 3, affine=False, eps=0.1, inputs=[x(5, 3)])
module("BatchNorm1d", 3, track_running_stats=False, inputs=[x(5, 3)])

module("BatchNorm1d", 3, bias=False, inputs=[x(5, 3)])
module("BatchNorm2d", 3, inputs=[x(2, 3, 2, 2)])
module("BatchNorm3d", 2, momentum=0.3, inputs=[x(2, 2, 2, 1, 2)])
module("InstanceNorm1d", 3, inputs=[x(2, 3, 4), x(3, 4)])
module("InstanceNorm1d", 3, affine=True, track_running_stats=True, momentum=0.3, inputs=[x(2, 3, 4), x(3, 4)])
module("InstanceNorm2d", 3, affine=True, inputs=[x(2, 3, 2, 2), x(3, 2, 2)])
module("InstanceNorm3d", 2, inputs=[x(2, 2, 2, 1, 2), x(2, 2, 1, 2)])
module("LayerNorm", 3, inputs=[x(4, 3), x(3), x(2, 2, 3)])
module("LayerNorm", (2, 3), eps=0.1, bias=False, inputs=[x(4, 2, 3)])
module("LayerNorm", 3, elementwise_affine=False, inputs=[x(4, 3)])
module("RMSNorm", 3, inputs=[x(4, 3), x(3)])
module("RMSNorm", [2, 3], eps=0.1, elementwise_affine=False, inputs=[x(4, 2, 3)])
module("GroupNorm", 2, 4, inputs=[x(3, 4), x(2, 4, 3), x(2, 4, 2, 2)])
module("GroupNorm", 1, 4, affine=False, inputs=[x(2, 4, 3)])
module("GroupNorm", 2, 4, bias=False, eps=0.1, inputs=[x(2, 4, 3)])
module("LocalResponseNorm", 3, inputs=[x(2, 5, 3), x(2, 5, 2, 2)])
module("LocalResponseNorm", 2, alpha=0.5, beta=0.6, k=2.0, inputs=[x(2, 5, 3)])

module("Dropout1d", 0.2, inputs=[x(2, 3, 2), x(3, 2)], options={"training": [False]})
for _name in ("Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"):
    module(_name, 0.2, inputs=[x(2, 3, 2, 2)], options={"training": [False]})
module("Bilinear", 2, 3, 4, inputs=[(x(5, 2), x(5, 3)), (x(2, 2, 2), x(2, 2, 3)), (x(2), x(3))])
module("Bilinear", 2, 3, 4, bias=False, inputs=[(x(5, 2), x(5, 3))])
module("Embedding", 6, 3, inputs=[n(4, high=6), n(2, 3, high=6), n(high=6), n(0, high=6)])
module("Embedding", 6, 3, padding_idx=-2, inputs=[n(8, high=6)], options={"check": False})
module("Embedding", 6, 3, max_norm=1.0, norm_type=1.0, inputs=[n(8, high=6)], options={"check": False})
_once = {"check": False, "second": False}
module("Embedding", 6, 3, scale_grad_by_freq=True, inputs=[n(8, high=6)], options=_once)
for _mode in ("sum", "mean", "max"):
    module(
        "EmbeddingBag",
        6,
        3,
        mode=_mode,
        inputs=[n(4, 2, high=6), (n(7, high=6), np.array([0, 2, 2, 5]))],
        options=_once,
    )
module("EmbeddingBag", 6, 3, padding_idx=1, inputs=[n(4, 5, high=6)], options=_once)
module(
    "EmbeddingBag",
    6,
    3,
    mode="sum",
    include_last_offset=True,
    inputs=[(n(7, high=6), np.array([0, 2, 7]))],
    options=_once,
)
module("EmbeddingBag", 6, 3, mode="sum", inputs=[(n(4, 2, high=6), None, x(4, 2))], options=_once)
for _p in (1.0, 2.0, 3.0, float("inf")):
    module("PairwiseDistance", p=_p, inputs=[(x(4, 3), x(4, 3, seed=1)), (x(3), x(3, seed=1))])
module("PairwiseDistance", keepdim=True, eps=0.1, inputs=[(x(4, 3), x(4, 3, seed=1)), (x(4, 3), x(1, 3, seed=1))])
module(
    "CosineSimilarity",
    inputs=[(x(4, 3), x(4, 3, seed=1)), (x(4, 3), x(1, 3, seed=1)), (x(4, 3, 2), x(4, 3, 2, seed=1))],
)
module("CosineSimilarity", dim=0, eps=0.1, inputs=[(x(4, 3), x(4, 3, seed=1))])
module("PixelShuffle", 2, inputs=[x(2, 8, 2, 3), x(4, 2, 3)])
module("PixelUnshuffle", 2, inputs=[x(2, 2, 4, 2), x(2, 4, 2)])
module("ChannelShuffle", 2, inputs=[x(2, 6, 2, 2)])
module("Unflatten", 1, (2, 3), inputs=[x(2, 6, 2)])
module("Unflatten", -1, (-1, 2), inputs=[x(2, 6)])
_images = {1: x(2, 2, 4), 2: x(2, 2, 4, 3), 3: x(1, 2, 4, 3, 3)}
for _rank, _image in _images.items():
    for _name in ("ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"):
        module(f"{_name}{_rank}d", 1, inputs=[_image, _image[0]])
        module(f"{_name}{_rank}d", (1, 2) * _rank, inputs=[_image])
    module(f"ConstantPad{_rank}d", (2, 1) * _rank, 0.5, inputs=[_image, _image[0]])

for _name in (
    "ReLU", "ReLU6", "Sigmoid", "Tanh", "GELU", "SiLU", "Mish", "Hardswish", "ELU", "CELU", "SELU", "LogSigmoid",
    "Softplus", "Softsign", "Tanhshrink", "Hardtanh", "Hardshrink", "Softshrink", "LeakyReLU",
):  # fmt: skip
    module(_name, inputs=[x(2, 3, low=-7, high=7), x(), x(0, 2)])
module(
    "Hardsigmoid", inputs=[x(2, 3, low=-7, high=7), x()], options={"second": False, "ulps": 1e9}
)  # its 1/6 is float32
module("Threshold", 0.1, 20.0, inputs=[x(2, 3), x()])
module("Threshold", 0.1, 20, inplace=True, inputs=[x(2, 3)], options={"in_place": True})
module("RReLU", inputs=[x(2, 3)], options={"training": [False]})
module("PReLU", inputs=[x(2, 3), x(3), x()])
module("PReLU", 3, init=0.1, inputs=[x(2, 3), x(2, 3, 2)])
module("GELU", approximate="tanh", inputs=[x(2, 3)])
module("GLU", inputs=[x(2, 4), x(4)])
module("GLU", 0, inputs=[x(2, 4), x(4, 3, 2)])
for _name in ("ELU", "CELU"):
    module(_name, alpha=0.5, inputs=[x(2, 3)])
for _name in (
    "ReLU",
    "ReLU6",
    "SiLU",
    "Mish",
    "Hardswish",
    "ELU",
    "CELU",
    "SELU",
    "LeakyReLU",
    "Hardtanh",
    "Hardsigmoid",
):
    _options = {"in_place": True, **({"second": False, "ulps": 1e9} if _name == "Hardsigmoid" else {})}
    module(_name, inplace=True, inputs=[x(2, 3)], options=_options)
module("Hardtanh", -0.5, 1.5, inputs=[x(2, 3)])
module("LeakyReLU", 0.2, inputs=[x(2, 3)])
module("Softplus", beta=2.0, threshold=1.0, inputs=[x(2, 3)])
for _name in ("Hardshrink", "Softshrink"):
    module(_name, 0.8, inputs=[x(2, 3)])
for _name in ("Softmax", "LogSoftmax", "Softmin"):
    module(_name, dim=1, inputs=[x(2, 3), x(2, 3, 2)])
    module(_name, dim=-1, inputs=[x(3)])
module("Softmax2d", inputs=[x(2, 3, 2, 2), x(3, 2, 2)])

pytestmark = [  # PyTorch's, of its own speed and plans
    pytest.mark.filterwarnings("ignore:LSTM with projections"),
    pytest.mark.filterwarnings("ignore:enable_nested_tensor"),
    pytest.mark.filterwarnings("ignore:Support for mismatched"),
]
every_module = pytest.mark.parametrize("case", CASES, ids=map(repr, CASES))


@every_module
def test_equals_pytorch(case):
    assert_equal_modules(case)


@every_module
def test_float32(case):
    assert_float32(case)


DERIVED = [case for case in CASES if case.check]


@pytest.mark.parametrize("case", DERIVED, ids=map(repr, DERIVED))
def test_gradients(case):
    assert_gradients_check(case)


@every_module
def test_state_and_repr(case):
    mine, theirs = case.make()
    state, expected = mine.float().state_dict(), theirs.float().state_dict()
    assert [(k, tuple(v.shape), str(v.dtype)) for k, v in state.items()] == [
        (k, tuple(v.shape), str(v.dtype).removeprefix("torch.")) for k, v in expected.items()
    ]
    assert repr(mine) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in state.items()})


@pytest.mark.parametrize("name", sorted({case.name for case in CASES}))
def test_signatures(name):
    theirs = signature(getattr(torch.nn, name))
    named = [(p, getattr(default, "__name__", default)) for p, default in theirs]
    mine = [(p, getattr(default, "__name__", default)) for p, default in signature(getattr(nn, name))]
    assert not named or mine == named  # some of PyTorch's take just *args
