"""What documentation claims is run: the README's examples and commands, and the examples in docstrings."""

import doctest
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn.cli
from autograd.kernels.symbol import formulas
from autograd.ops.op import registry

ROOT = Path(__file__).parent.parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def modules():
    """Every module of the three packages with an example in it, by name."""
    for package in ("autograd", "nn", "optim"):
        for file in sorted((ROOT / package).rglob("*.py")):
            if ">>> " in file.read_text(encoding="utf-8"):
                yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def check(test):
    said = []
    outcome = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False)
    assert not outcome.failed, "".join(said)


@pytest.mark.parametrize("name", list(modules()))
def test_docstrings(name):
    found = [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]
    assert found
    for test in found:
        autograd.manual_seed(0)
        check(test)


# --- the README ------------------------------------------------------------------------------------------------------

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def _as_before():
    """Rows that an example adds are taken away again, with the formulas of their gradients."""
    held = set(registry)
    yield
    for row in set(registry) - held:
        del registry[row]
        for name in [name for name in formulas if name == row or name.startswith(f"{row}_backward")]:
            del formulas[name]


@pytest.mark.usefixtures("_as_before")
def test_readme():
    """All its blocks, one after the other, as a reader would type them."""
    names = {"__name__": "readme"}
    for block in re.finditer(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        kind, text = block.groups()
        line = README[: block.start()].count("\n") + 1
        if kind == "python":
            exec(compile("\n" * line + text, "README.md", "exec"), names)
        elif kind == "pycon":
            session = doctest.DocTestParser().get_doctest(text, names, f"README.md:{line}", "README.md", line)
            check(session)
            names = session.globs  # a copy, with what the session added
        elif kind == "console":
            for command in re.findall(r"^\$ jitgrad (.*)$", text, re.MULTILINE):
                assert nn.cli.main(shlex.split(command)) == 0, command
    assert Path("backprop_graph.svg").exists() and Path("predictions.csv").exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))))
def test_readme_links(target):
    assert (ROOT / target).exists()


def test_readme_map():
    """Every file and folder that the map names is there, and every folder of the repository is on it."""
    section = README.partition("## A map of the house")[2].partition("\n## ")[0]
    folder, named = "", set()
    for indent, entry in re.findall(r"^    ( *)([\w.]+/?) +", section, re.MULTILINE):
        folder = folder if indent else entry
        named.add(folder + entry if indent else entry)
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing
    folders = {f"{file.parent.name}/" for file in ROOT.glob("[a-z]*/*.py")}
    assert folders <= named


def test_readme_shows_the_kernels_that_are_printed():
    from autograd.kernels.printer import Argument, print_loop
    from autograd.kernels.symbol import Symbol

    def printed(name, *inputs):
        dtype = autograd.float32
        root = Symbol.apply(name, *map(Symbol.input, inputs))
        return print_loop(name, [Argument(i, dtype) for i in inputs], [root], [dtype], dtype)

    gradient = autograd.sigmoid.gradient(0)
    shown = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert len(shown) == 2
    assert shown[0] in printed("sigmoid", "input")
    assert shown[1] in printed(gradient.name, *gradient.inputs)


def test_the_readme_picture_is_drawn_by_its_script(tmp_path):
    """The boxes are those of the committed picture; layouts differ between versions of Graphviz."""
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'docs')!r}); import draw, pathlib; draw.draw_graph(pathlib.Path({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)
    committed = (ROOT / "docs" / "backprop_graph.svg").read_text(encoding="utf-8")
    drawn = (tmp_path / "backprop_graph.svg").read_text(encoding="utf-8")
    titles = [re.findall(r"<text[^>]*>([^<]*[a-z][^<]*)</text>", text) for text in (committed, drawn)]
    assert "cross_entropy" in titles[0]
    assert sorted(re.sub(r"\d+\.\d+", "", t) for t in titles[0]) == sorted(
        re.sub(r"\d+\.\d+", "", t) for t in titles[1]
    )
