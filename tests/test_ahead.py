"""`warmup`: what it runs runs, and what goes wrong in its processes is told."""

import subprocess
import sys

import pytest

import autograd
from autograd import ahead
from nn.cli import rehearsal

SCENES = [scene for scene in rehearsal.rehearsals(autograd.float32) if hasattr(scene, "func")]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: "-".join([scene.func.__name__, *map(str, scene.args)]))
def test_scenes(scene):
    scene()


def test_rows_are_compiled_with_their_gradients():
    row = autograd.softsign
    row.compile(autograd.float32)
    for op in (row, row.gradient(0)):
        assert op.kernels[autograd.float32].__class__.__name__ == "ufunc"
    assert len(ahead.compile_rows(autograd.float32)) > 40


def test_processes_share_the_pieces(monkeypatch):
    done = []
    monkeypatch.setattr(rehearsal, "rehearsals", lambda dtype: [lambda n=n: done.append(n) for n in range(5)])
    for part in range(2):
        rehearsal.main(part, 2, ["float32"])
    assert done == [0, 2, 4, 1, 3]


def test_what_the_processes_are_told(monkeypatch):
    commands = []

    class Process(subprocess.Popen):
        def __init__(self, command, **options):
            commands.append(command)
            super().__init__([sys.executable, "-c", ""], **options)

    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setattr(ahead, "get_num_threads", lambda: 2)
    autograd.warmup(["float64", autograd.float32, autograd.half])
    assert [command[3:] for command in commands] == [[str(i), "2", "float64", "float32"] for i in range(2)]


def test_errors(monkeypatch):
    with pytest.raises(TypeError) as caught:
        autograd.warmup("int64")
    assert str(caught.value) == "warmup: models are trained in floating dtypes; got int64"
    monkeypatch.setattr(ahead, "_REHEARSAL", "nn.cli.nothing")
    with pytest.raises(RuntimeError, match=r"warmup: a process that compiles kernels failed; got .*nn\.cli\.nothing"):
        autograd.warmup()
