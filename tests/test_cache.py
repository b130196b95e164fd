"""The cache of kernels: what a process finds there, and what it does where it finds none."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn
import optim
from autograd.kernels import loader, threads

ROOT = Path(__file__).parent.parent

# A kernel that is compiled when it is loaded, and one that is compiled when it is called.
PROGRAM = """
import autograd, numpy as np
x = autograd.tensor(np.linspace(-2, 2, 9, dtype="float32"), requires_grad=True)
y = autograd.sigmoid(x)
y.cumsum(0).sum().backward()
print(y.tolist(), x.grad.tolist())
"""
# Tells which kernels numba compiles.
COMPILED = """
from numba.core import event
class Listener(event.Listener):
    def on_start(self, event): print("compiled", event.data["dispatcher"].__name__)
    def on_end(self, event): pass
event.register("numba:compile", Listener())
"""
# Files end after 4096 bytes, as on a disk that is full; the texts of kernels are shorter than their machine code.
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"


def start(program: str, cache: Path, cwd: Path = ROOT, **env: str) -> subprocess.Popen:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JITGRAD_CACHE_DIR": str(cache), "JITGRAD_QUIET": "", **env}
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=env)


def run(program: str, cache: Path, cwd: Path = ROOT, **env: str) -> tuple[str, str]:
    process = start(program, cache, cwd, **env)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out, err


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache, and what the program prints that filled it."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, *run(PROGRAM, cache)


def states(cache: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in cache.rglob("*") if file.is_file()}


def test_the_cache_is_used_from_anywhere(filled, tmp_path):
    cache, printed, _ = filled
    before = states(cache)
    assert any(file.suffix == ".nbc" for file in before), "no machine code was kept"
    assert run(COMPILED + PROGRAM, cache, tmp_path) == (printed, "")
    assert states(cache) == before


def test_the_first_time_is_told_in_one_line(filled, tmp_path):
    cache, _, err = filled
    assert err == f"jitgrad: compiling kernels, this first time on this machine; they are kept in {cache}\n"
    assert run(PROGRAM, tmp_path, JITGRAD_QUIET="1")[1] == ""


def test_a_cache_may_be_moved(filled, tmp_path):
    cache, printed, _ = filled
    shutil.copytree(cache, tmp_path / "copy")
    assert run(COMPILED + PROGRAM, tmp_path / "copy") == (printed, "")


def test_a_relative_folder_stays_where_it_was(tmp_path):
    program = (
        "import os, autograd; from autograd.kernels.loader import load; load('one', 'X = 1')\n"
        "os.mkdir('sub'); os.chdir('sub'); load('two', 'X = 2')"
    )
    run(program, Path("cache"), tmp_path)
    assert len(list((tmp_path / "cache").glob("*.py"))) == 2 and not list((tmp_path / "sub").iterdir())


def test_an_edited_text_is_another_module():
    one = loader.load("edited", "VALUE = 1\n")
    two = loader.load("edited", "VALUE = 2\n")
    assert (one.VALUE, two.VALUE, loader.load("edited", "VALUE = 1\n") is one) == (1, 2, True)


def test_an_edited_formula_is_compiled_anew(filled):
    cache = filled[0]
    program = (
        "import autograd\nfrom autograd.ops.formula import elementwise\n"
        "@elementwise()\ndef sigmoid(input):\n    return 1 / (1 + autograd.exp(-{} * input))\n"
        "print(sigmoid(autograd.tensor([0.0, 1.0])).tolist())"
    )
    one, two = (eval(run(program.format(factor), cache)[0]) for factor in (1, 2))
    assert one == pytest.approx([0.5, 0.7310586]) and two == pytest.approx([0.5, 0.8807971])


@pytest.mark.parametrize("package", ["numba", "numpy"])
def test_another_version_is_another_entry(monkeypatch, tmp_path, package):
    version = importlib.metadata.version
    monkeypatch.setattr(loader, "cache_folder", lambda: tmp_path)
    for _ in range(2):
        loader._versions.cache_clear()
        loader.load("versions", f"{package} = 1\n")
        monkeypatch.setattr(importlib.metadata, "version", lambda name: version(name) + ".1" * (name == package))
    loader._versions.cache_clear()
    assert len(list(tmp_path.glob("versions_*.py"))) == 2


def test_processes_fill_one_cache_at_once(tmp_path):
    running = [start(PROGRAM, tmp_path) for _ in range(3)]
    outputs = {process.communicate()[0] for process in running}
    assert len(outputs) == 1 and all(process.returncode == 0 for process in running)
    assert run(COMPILED + PROGRAM, tmp_path) == (*outputs, "")
    assert not [file for file in states(tmp_path) if "tmp" in file.name], "drafts were left behind"


def test_code_for_other_arguments_is_not_served(tmp_path):
    """Two processes that compile one kernel for different arguments may number both alike."""
    text = "from numba import njit\n\n@njit(cache=True)\ndef double(x):\n    return x + x\n"
    program = (
        f"import sys, autograd\nfrom autograd.kernels.loader import load\ndouble = load('double', {text!r}).double\n"
    )
    run(program + "double(1); double(1.0)", tmp_path)
    one, two = sorted(tmp_path.rglob("*.nbc"))
    one.write_bytes(two.read_bytes())
    assert run(program + "print(double(1), double(1.5))", tmp_path) == ("2 3.0\n", "")


def test_files_that_were_cut_off_are_made_anew(filled, tmp_path):
    cache, printed, _ = filled
    shutil.copytree(cache, tmp_path / "copy")
    for file in states(tmp_path / "copy"):
        file.write_bytes(file.read_bytes()[:100])
    assert run(PROGRAM, tmp_path / "copy")[0] == printed
    run(PROGRAM, tmp_path / "copy")
    assert run(COMPILED + PROGRAM, tmp_path / "copy") == (printed, "")


@pytest.mark.parametrize("size", [0, 4096])
def test_a_full_disk_is_told_and_no_obstacle(filled, tmp_path, size):
    pytest.importorskip("resource")
    out, err = run(FULL.format(size) + PROGRAM, tmp_path)
    assert out == filled[1]
    assert err.startswith("jitgrad: ") and f"can't be kept in {tmp_path}" in err and err.count("\n") == 1, err


def test_a_folder_that_cannot_be_written_is_told_and_no_obstacle(filled, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    out, err = run(PROGRAM, blocker / "cache")
    assert out == filled[1]
    assert err == (
        f"jitgrad: {blocker / 'cache'} can't be written to (Not a directory): this process compiles its kernels for "
        "itself; JITGRAD_CACHE_DIR may name another folder\n"
    )


def test_a_process_may_have_no_home(monkeypatch):
    def home():
        raise RuntimeError("Could not determine home directory.")

    for variable in ("JITGRAD_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", home)
    folder = loader.cache_folder.__wrapped__()
    assert folder.name.startswith("jitgrad-") and folder.is_dir()


def test_nothing_is_written_where_the_library_is(filled, tmp_path):
    for package in ("autograd", "nn", "optim"):
        shutil.copytree(ROOT / package, tmp_path / "install" / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = states(tmp_path / "install")
    out, _ = run(PROGRAM, tmp_path / "cache", PYTHONPATH=str(tmp_path / "install"), PYTHONDONTWRITEBYTECODE="1")
    assert out == filled[1] and states(tmp_path / "install") == before


def test_the_first_step_of_a_small_network_compiles_nothing_for_several_threads(monkeypatch):
    asked = []
    monkeypatch.setattr(threads, "enter", lambda: bool(asked.append(1)))
    autograd.set_num_threads(2)
    try:
        model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = optim.Adam(model.parameters())
        nn.functional.cross_entropy(model(autograd.randn(64, 64)), autograd.arange(64) % 10).backward()
        optimizer.step()
    finally:
        autograd.set_num_threads(1)
    assert not asked
