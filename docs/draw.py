"""Draws the pictures that the README shows: ``python docs/draw.py``."""

import contextlib
import re
import shutil
import tempfile
from pathlib import Path

import autograd
import nn
import nn.cli
import optim

HERE = Path(__file__).parent


def draw_graph(folder: Path) -> None:
    """Run the README's first example, walk back once more with the data kept, and save the graph in ``folder``."""
    example = re.search(r"```python\n(.*?)```", (HERE.parent / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    names: dict = {}
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        exec(example[1], names)
    x, y, model = names["x"], names["y"], names["model"]
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward(retain_graph=True)
    picture = autograd.viz.backprop_graph(loss, model, names={"x": x, "y": y}, direction="LR")
    picture.save(folder / "backprop_graph.svg")


def draw_program(folder: Path) -> None:
    """Compile a small training step and save the picture of its program in ``folder``."""
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @autograd.compile
    def step(x: autograd.Tensor, y: autograd.Tensor) -> autograd.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step(autograd.randn(32, 2), autograd.randint(2, (32,)))
    picture = folder / "program.svg"
    autograd.viz.program_graph(step, direction="LR").save(picture)
    # Each box names its line of this file; a reader's checkout lies elsewhere.
    picture.write_text(picture.read_text(encoding="utf-8").replace(f"{HERE.parent}/", ""), encoding="utf-8")


def draw_curves(folder: Path) -> None:
    """Do what ``make train`` does, and keep its learning curves in ``folder``."""
    with tempfile.TemporaryDirectory() as scratch:
        status = nn.cli.main(["train", "--quiet", "--out", f"{scratch}/digits"])
        assert status == 0
        shutil.copy(f"{scratch}/digits/learning_curves.png", folder)


if __name__ == "__main__":
    draw_graph(HERE)
    draw_program(HERE)
    draw_curves(HERE)
