"""The folder of a run is replaced as a whole, or left as it was."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_runs import FILES, QUICK, jitgrad, run, write
from cli_runs import folder as folder  # a fixture

from nn.cli import main

pytestmark = pytest.mark.usefixtures("folder")


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture
def old_run():
    """A run's files, to be compared with what is there later."""
    assert main(["train", "--data", "iris", *QUICK]) == 0
    return contents("runs/iris")


def test_a_run_takes_the_place_of_an_older_one(old_run):
    assert main(["train", "--data", "iris", "--seed", "2", *QUICK]) == 0
    assert os.listdir("runs") == ["iris"]
    assert contents("runs/iris")["model.safetensors"] != old_run["model.safetensors"]


@pytest.mark.parametrize("where", ["fit.fit", "predictor.Predictor.save", "report.draw_curves", "folder.os.rename"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk full")], ids=["interrupt", "error"])
def test_the_old_run_survives(where, error, old_run, capsys, monkeypatch):
    """Whatever goes wrong, and wherever: in training, in saving, in drawing, in changing places."""
    calls = []

    def fail(*args, **kwargs):
        calls.append(args)
        if where == "folder.os.rename" and len(calls) != 2:  # the second of the two: the old folder is away already
            return rename(*args)
        raise error

    rename = os.rename
    target = "nn.cli.train.fit" if where == "fit.fit" else f"nn.cli.{where}"
    monkeypatch.setattr(target, fail)
    expected = (130, "", "jitgrad train: interrupted; nothing was written\n")
    if isinstance(error, OSError):
        expected = (2, "", "jitgrad train: --out: 'runs/iris' can't be written; disk full; name another folder\n")
    assert run(capsys, "train", "--data", "iris", *QUICK) == expected
    assert calls
    assert os.listdir("runs") == ["iris"]
    assert contents("runs/iris") == old_run


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_leaves_the_old_run(old_run):
    """A real process and a real signal, in the midst of training."""
    process = jitgrad("train", "--data", "iris", "--epochs", "1000000", "--layers", "8", stdout=subprocess.PIPE)
    for _ in range(600):
        if len(os.listdir("runs")) == 2:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"jitgrad train: interrupted; nothing was written\n")
    assert os.listdir("runs") == ["iris"]
    assert contents("runs/iris") == old_run


def test_nothing_is_left_where_nothing_was(capsys, monkeypatch):
    monkeypatch.setattr("nn.cli.report.write_metrics", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run(capsys, "train", "--data", "iris", "--out", "a/b/c", *QUICK)[0] == 130
    assert os.listdir() == []


@pytest.mark.parametrize(
    "out, message",
    [
        ("file", "--out: 'file' is a file; name a folder"),
        ("file/run", "--out: 'file/run' can't be written; Not a directory; name another folder"),
        (".", "--out: '.' is the current folder, which can't be replaced; name one in it"),
        ("mine", "--out: 'mine' holds 'thesis.tex', which no run wrote; name another folder"),
    ],
)
def test_folders_that_are_not_for_a_run(out, message, capsys):
    write("", "file")
    os.mkdir("mine")
    write("by hand", "mine/thesis.tex")
    assert run(capsys, "train", "--data", "iris", "--out", out, *QUICK) == (2, "", f"jitgrad train: {message}\n")
    assert sorted(os.listdir()) == ["file", "mine"] and os.listdir("mine") == ["thesis.tex"]


def test_a_link_to_a_folder_stays_one():
    os.mkdir("there")
    os.symlink("there", "here")
    assert main(["train", "--data", "iris", "--out", "here", *QUICK]) == 0
    assert os.path.islink("here") and sorted(os.listdir("there")) == FILES
