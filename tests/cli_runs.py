"""For the tests of the command line: how it is run, and the tables it is run on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nn.cli import main

FILES = ["backprop.svg", "learning_curves.png", "metrics.json", "model.safetensors"]
QUICK = ["--epochs", "2", "--layers", "8", "--quiet"]
EASY = ["--target", "kind", "--epochs", "40", "--layers", "16", "--lr", "0.02", "--quiet"]  # for the blobs below


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


def run(capsys, *args):
    """Exit status, what was printed, and the errors."""
    try:
        status = main(args)
    except SystemExit as error:  # argparse's way
        status = error.code
    return status, *capsys.readouterr()


def jitgrad(*args, **options):
    """The same as a process of its own."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "  # ignored in some shells
        "from nn.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *args]
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, **options)


def metrics(folder="runs/data"):
    return json.loads(Path(folder, "metrics.json").read_text(encoding="utf-8"))


def write(text, name="data.csv"):
    Path(name).write_text(text, encoding="utf-8", newline="")


def blobs(rows=60, names=("cat", "dog", "eel")):
    """A table of classes that are easy to tell apart: the columns x, y and kind."""
    random = np.random.default_rng(0)
    lines = ["x,y,kind"]
    for i in range(rows):
        x, y = random.normal(size=2) + 6 * np.array([i % 3, (i + 1) % 3])
        lines.append(f"{x:.4f},{y:.4f},{names[i % 3]}")
    return "\n".join(lines) + "\n"


def line(rows=80):
    """A table of values: c = 200 + 30 a - 10 b."""
    a, b = np.random.default_rng(0).normal(size=(2, rows))
    return "a,b,c\n" + "".join(f"{x:.6f},{y:.6f},{200 + 30 * x - 10 * y:.6f}\n" for x, y in zip(a, b))
