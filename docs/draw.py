"""Draws the pictures that the README shows, from the README's own first example: ``python docs/draw.py``."""

import contextlib
import re
import tempfile
from pathlib import Path

import autograd
import nn

HERE = Path(__file__).parent


def draw(folder: Path) -> None:
    """Run the first example, walk back once more with the data kept, and save the graph in ``folder``."""
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


if __name__ == "__main__":
    draw(HERE)
