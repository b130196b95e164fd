"""Files of tensors: what comes back, what other programs see, and that nothing is lost or silently wrong."""

import json
import math
import os
import stat
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import autograd
import nn
import optim
from autograd import Tensor

X = autograd.arange(6, dtype=autograd.float32).reshape(2, 3)
EYE = autograd.from_numpy(np.eye(2))


def same(a, b):
    """Equal in value, nesting and type; nan equals nan."""
    if isinstance(a, Tensor):
        return (
            isinstance(b, Tensor)
            and (a.shape, a.dtype) == (b.shape, b.dtype)
            and np.array_equal(a.detach().numpy(), b.detach().numpy(), equal_nan=a.dtype.kind == "f")
        )
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[k], b[k]) for k in a) and same(list(a), list(b))
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"weight": X, "bias": autograd.zeros(3)},
        {"model": {"0.weight": X}, "optimizer": {"state": {0: {"step": autograd.tensor(3.0)}, 1: {}}}},
        {"a": [1, 2.5, "text", True, None, [X]], "b": (1, (2, X), ())},
        {1: "int", "1": "str", 1.5: "float", False: "bool", None: X},
        {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0, "tiny": 5e-324, "third": 1 / 3},
        {"big": 10**30, "negative": -7, "unicode": "größe ∇ \ud800 \0", "": X, "two words": X},
        {"tensor": 1, "dict": {"items": [], "tuple": {"float": "nan"}}},  # words that mark something in the file
        {"a": {"b": X}, "a.b": EYE, "a.b~2": autograd.ones(1)},  # names that would meet
        {"__metadata__": X},  # the format's own word
        {"\ud800": X},  # a name that is no UTF-8
        [X],
        (),
        "text",
        7,
        None,
        X,
        Tensor(np.array(True)),
        {d: autograd.ones(2, dtype=d) for d in ("bool", "uint8", "int8", "int16", "int32", "int64")},
        {d: autograd.ones(2, dtype=d) for d in ("float16", "float32", "float64")},
        {"0-d": autograd.tensor(2.5), "empty": autograd.zeros(0, 3), "transposed": X.T, "step": X[:, ::2]},
        {"nan": autograd.tensor([math.nan, math.inf, -math.inf])},
        {"grad": autograd.ones(2, requires_grad=True), "result": autograd.ones(2, requires_grad=True) * 2},
        {"shared": X, "again": X, "view": X[0]},
    ],
    ids=lambda obj: repr(obj)[:40].encode("ascii", "replace").decode(),
)
def test_what_is_saved_comes_back(obj, tmp_path):
    autograd.save(obj, tmp_path / "x.safetensors")
    assert same(autograd.load(tmp_path / "x.safetensors"), obj)


def test_subclasses_and_numpy_numbers_come_back_plain(tmp_path):
    autograd.save(OrderedDict(a=np.float64(0.5), b=np.int32(3), c=np.bool_(True)), tmp_path / "x")
    assert same(autograd.load(tmp_path / "x"), {"a": 0.5, "b": 3, "c": True})


def test_loaded_tensors_are_new_and_writable(tmp_path):
    autograd.save({"x": X.clone().requires_grad_()}, tmp_path / "x")
    first, second = autograd.load(tmp_path / "x")["x"], autograd.load(tmp_path / "x")["x"]
    first.numpy()[0, 0] = 100
    assert second.numpy()[0, 0] == 0
    assert not first.requires_grad


def test_a_flat_dict_is_the_file_that_safetensors_writes(tmp_path):
    """Both ways, and with PyTorch's side too."""
    autograd.save({"b": X, "a": EYE}, tmp_path / "ours")
    for read in (safetensors.numpy.load_file, safetensors.torch.load_file):
        found = read(tmp_path / "ours")
        assert sorted(found) == ["a", "b"]
        assert np.array_equal(found["b"], X.numpy()) and np.array_equal(found["a"], EYE.numpy())
    safetensors.torch.save_file({"w.x": torch.ones(2, 3), "n": torch.tensor(3)}, tmp_path / "theirs", {"format": "pt"})
    found = autograd.load(tmp_path / "theirs")
    assert same(found, {k: found[k] for k in found}) and set(found) == {"w.x", "n"}
    assert same(found["w.x"], autograd.ones(2, 3)) and same(found["n"], autograd.tensor(3))


def test_nested_tensors_have_readable_names(tmp_path):
    autograd.save({"model": nn.Linear(2, 1).state_dict(), "optimizer": {"state": {0: {"m": [X]}}}}, tmp_path / "x")
    names = {"model.weight", "model.bias", "optimizer.state.0.m.0"}
    assert set(safetensors.numpy.load_file(tmp_path / "x")) == names


def test_the_same_object_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        autograd.save({"w": X, "b": EYE, "epoch": 3, "name": "x"}, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_training_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(tmp_path):
    def step(model, optimizer):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(X), autograd.ones(2, 1)).backward()
        optimizer.step()

    def fresh():
        model = nn.MLP([3, 4, 1], batch_norm=True)
        return model, optim.Adam(model.parameters(), lr=0.1)

    model, optimizer = fresh()
    step(model, optimizer)
    autograd.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "x")
    other, its_optimizer = fresh()
    found = autograd.load(tmp_path / "x")
    other.load_state_dict(found["model"])
    its_optimizer.load_state_dict(found["optimizer"])
    for _ in range(3):
        step(model, optimizer)
        step(other, its_optimizer)
    assert same(dict(model.state_dict()), dict(other.state_dict()))


# --- what can't be saved ---------------------------------------------------------------------------------------------


def endless():
    x = []
    x.append(x)
    return x


CAN = "save: tensors, numbers, strings, bools and None can be saved, in dicts, lists and tuples; "
KEY = "save: a key must be a string, number, bool or None; "


@pytest.mark.parametrize(
    "obj, error, message",
    [
        (
            {"m": {"act": [X, len]}},
            TypeError,
            CAN + "got builtin_function_or_method at obj['m']['act'][1]; leave it out",
        ),
        (nn.Linear(1, 1), TypeError, CAN + "got Linear at obj; leave it out"),
        ({1: 1j}, TypeError, CAN + "got complex at obj[1]; leave it out"),
        ({"x": np.ones(2)}, TypeError, CAN + "got ndarray at obj['x']; use autograd.from_numpy"),
        (({"x": {X}},), TypeError, CAN + "got set at obj[0]['x']; leave it out"),
        ({"a": {(1, 2): X}}, TypeError, KEY + "got tuple (1, 2) at obj['a']"),
        ({math.nan: 1}, TypeError, KEY + "got float nan at obj"),
        (endless(), ValueError, "save: the nesting must end; got an object that contains itself, or is too deep"),
    ],
)
def test_what_cannot_be_saved_is_named_before_anything_is_written(obj, error, message, tmp_path):
    (tmp_path / "x").write_text("precious")
    with pytest.raises(error) as caught:
        autograd.save(obj, tmp_path / "x")
    assert str(caught.value) == message
    assert os.listdir(tmp_path) == ["x"] and (tmp_path / "x").read_text() == "precious"


@pytest.mark.parametrize(
    "path, error, message",
    [
        ("folder", IsADirectoryError, "save: a file is needed; got the folder 'folder'"),
        (os.devnull, OSError, f"save: a regular file is needed; got the device or pipe {os.devnull!r}"),
        ("no/x", FileNotFoundError, "save: the folder must exist; got 'no/x'; make '{cwd}/no' first"),
        (None, TypeError, "save: the path of a file is needed; got NoneType"),
    ],
)
def test_where_nothing_can_be_saved(path, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder")
    with pytest.raises(error) as caught:
        autograd.save({}, path)
    assert str(caught.value) == message.format(cwd=os.path.realpath(tmp_path))


# --- crashes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_an_interrupted_save_loses_nothing(call, error, tmp_path, monkeypatch):
    autograd.save({"x": X}, tmp_path / "x")

    def fail(*args):
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(type(error)):
        autograd.save({"x": EYE}, tmp_path / "x")
    assert os.listdir(tmp_path) == ["x"]
    assert same(autograd.load(tmp_path / "x"), {"x": X})


def test_contents_reach_the_disk_before_the_name_does(tmp_path, monkeypatch):
    """Else a power cut could leave the new name on an empty file. The folder comes last."""
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(stat.S_IFMT(os.fstat(fd).st_mode)), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("replace"), replace(a, b)))
    autograd.save({"x": X}, tmp_path / "x")
    assert calls == [stat.S_IFREG, "replace", stat.S_IFDIR][: 3 if os.name == "posix" else 2]


@pytest.mark.skipif(os.name != "posix", reason="links and modes are POSIX's")
def test_a_link_stays_one_and_the_mode_is_that_of_any_new_file(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/x")
    autograd.save({"x": X}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and same(autograd.load(tmp_path / "there" / "x"), {"x": X})
    (tmp_path / "plain").touch()
    assert (tmp_path / "there" / "x").stat().st_mode == (tmp_path / "plain").stat().st_mode


# --- files that are not whole ----------------------------------------------------------------------------------------


def saved(tmp_path):
    autograd.save({"x": X, "n": 3, "t": (X,)}, tmp_path / "x")
    return (tmp_path / "x").read_bytes()


def other_metadata(**entries):
    return safetensors.numpy.save({"x": X.numpy()}, entries)


ALTERED = "load: 'f' was altered after it was saved; got contents its checksum does not fit"
NOT_WHOLE = "load: 'f' is not a whole safetensors file; got "
KIND = " bytes that were cut short, altered, or are of another kind"


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda whole: b"", NOT_WHOLE + "an empty file"),
        (lambda whole: whole[:5], NOT_WHOLE + "5" + KIND),
        (lambda whole: whole[:100], NOT_WHOLE + "100" + KIND),
        (lambda whole: whole[:-1], NOT_WHOLE + "SIZE" + KIND),
        (lambda whole: whole + b"\0", NOT_WHOLE + "SIZE" + KIND),
        (lambda whole: b"a,b\n1,2\n3,4\n", NOT_WHOLE + "12" + KIND),
        (
            lambda whole: b"PK\x03\x04" + whole,
            NOT_WHOLE + "a pickle, as torch.save writes; write it with safetensors.torch.save_file instead",
        ),
        (lambda whole: whole[:-1] + b"\1", ALTERED),
        (lambda whole: whole.replace(b'"n": 3', b'"n": 4').replace(b'\\"n\\": 3', b'\\"n\\": 4'), ALTERED),
        (lambda whole: whole.replace(b'"F32"', b'"I32"', 1), ALTERED),
        (lambda whole: other_metadata(jitgrad="not JSON"), ALTERED),
        (lambda whole: other_metadata(jitgrad=json.dumps({"sha256": 1})), ALTERED),
        (lambda whole: other_metadata(jitgrad="[" * 100_000), ALTERED),
        (
            lambda whole: safetensors.torch.save({"w": torch.ones(2, dtype=torch.bfloat16)}),
            "load: 'f' holds a dtype that tensors here don't have; got BF16 for 'w'; "
            "convert it to float32 where it was written",
        ),
    ],
)
def test_a_file_that_is_not_whole_is_refused(damage, message, tmp_path, monkeypatch):
    whole = saved(tmp_path)
    damaged = damage(whole)
    assert damaged != whole
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"^load: ") as caught:
        autograd.load("f")
    assert str(caught.value) == message.replace("SIZE", f"{len(damaged):,}")


def test_no_single_altered_byte_goes_unnoticed(tmp_path):
    whole = saved(tmp_path)
    right = autograd.load(tmp_path / "x")
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 1
        (tmp_path / "f").write_bytes(altered)
        try:
            found = autograd.load(tmp_path / "f")
        except ValueError:
            continue
        assert same(found, right), f"byte {place}, {whole[place : place + 1]!r}"  # the name of the metadata's entry


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    autograd.save({}, "model.safetensors")
    for path, error, message in [
        ("x.st", FileNotFoundError, "load: no such file; got 'x.st'"),
        ("modle.safetensors", FileNotFoundError,
         "load: no such file; got 'modle.safetensors'; did you mean 'model.safetensors'?"),
        ("no/x", FileNotFoundError, "load: no such file; got 'no/x'"),
        (".", IsADirectoryError, "load: a file is needed; got the folder '.'"),
        (3.5, TypeError, "load: the path of a file is needed; got float"),
    ]:  # fmt: skip
        with pytest.raises(error) as caught:
            autograd.load(path)
        assert str(caught.value) == message
