"""The picture of backprop: what its DOT text says, the files it writes, and what happens without Graphviz."""

import re
import subprocess
import sys

import graphviz
import pytest

import autograd
from autograd.viz import backprop_graph
from nn import MLP, Linear, Module


@pytest.fixture
def trained():
    """A small model, its loss, and the same after backward."""
    model = MLP([2, 3, 1], activation="tanh")
    loss = ((model(autograd.randn(4, 2)) - autograd.randn(4, 1)) ** 2).mean()
    return model, loss


def labels(source: str) -> list[str]:
    """The text of every box, without its markup."""
    found = re.findall(r"^\t+(\w+) \[label=<(.*?)> \w+=", source, re.MULTILINE)
    return [f"{name.rstrip('0123456789')}: " + " ".join(re.sub(r"<.*?>", " ", text).split()) for name, text in found]


def test_boxes_before_backward(trained):
    model, loss = trained
    assert sorted(labels(backprop_graph(loss, model).source)) == sorted([
        "leaf: 0.weight (3, 2)", "leaf: 0.bias (3,)", "leaf: 2.weight (1, 3)", "leaf: 2.bias (1,)",
        "op: linear (4, 3)", "op: tanh (4, 3)", "op: linear (4, 1)", "op: sub (4, 1)", "op: square (4, 1)", "op: mean ()",
        "data: data (4, 2)", "data: data", f"loss: loss = {loss.item():.4g}",
    ])  # fmt: skip


def test_gradient_sizes_after_backward(trained):
    model, loss = trained
    loss.backward()
    source = backprop_graph(loss, model).source
    for name, parameter in model.named_parameters():
        size = (parameter.grad**2).sum().sqrt().item()
        assert f"leaf: {name} {parameter.shape} ‖grad‖ {size:.3g}" in labels(source)
    assert "op: tanh (4, 3)" in labels(source)  # the graph is freed, its shape is not


def test_retained_gradients_are_shown():
    x = autograd.tensor([3.0, 4.0], requires_grad=True)
    h = x * 1.0
    h.retain_grad()
    (h * h).sum().backward()
    loss = (h * h).sum()
    assert "op: mul (2,) ‖grad‖ 10" in labels(backprop_graph(loss).source)


def clusters(source: str) -> list[tuple[int, str]]:
    """The depth and the title of every cluster, in order."""
    depth, found = 0, []
    for line in source.splitlines():
        depth += line.endswith("{")
        depth -= line.strip() == "}"
        title = re.search(r"label=(\"[^\"]*\"|\w+) labeljust=l ", line)
        if title:
            found.append((depth - 1, title[1].strip('"')))
    return found


def test_clusters_are_the_module_tree():
    class Block(Module):
        def __init__(self):
            super().__init__()
            self.inner = Linear(2, 2)

        def forward(self, x):
            return self.inner(x).relu()

    class Net(Module):
        def __init__(self):
            super().__init__()
            self.first = Block()
            self.last = Linear(2, 1)

        def forward(self, x):
            return self.last(self.first(x))

    net = Net()
    source = backprop_graph(net(autograd.ones(3, 2)).sum(), net).source
    assert sorted(clusters(source)) == [
        (1, "Net"),
        (2, "first: Block"),
        (2, "last: Linear"),
        (3, "first.inner: Linear"),
    ]
    assert {"leaf: first.inner.weight (2, 2)", "leaf: last.bias (1,)"} <= set(labels(source))
    # Each box is inside its module: the relu of Block between its opening and that of the module in it, or after.
    block = source[source.index("first: Block") :]
    assert block.index("relu") < block.index("\n\t\t}")


def test_modules_are_known_without_the_model(trained):
    _, loss = trained
    source = backprop_graph(loss).source
    assert {"Linear", "Tanh"} <= {title for _, title in clusters(source)}
    assert "leaf: weight (3, 2)" in labels(source)


def test_names_for_leaves_data_and_results():
    w, x = autograd.tensor([1.0, 2.0], requires_grad=True), autograd.tensor([3.0, 4.0])
    h = w * x
    found = labels(backprop_graph(h.sum(), names={"w": w, "x": x, "h": h}).source)
    assert found == ["loss: loss = 11", "op: sum ()", "op: h = mul (2,)", "leaf: w (2,)", "data: x (2,)"]
    found = labels(backprop_graph(h * 2.0).source)
    assert found == [
        "loss: output (2,)",
        "op: mul (2,)",
        "op: mul (2,)",
        "data: 2",
        "leaf: tensor (2,)",
        "data: data (2,)",
    ]


def test_data_have_their_shapes_after_backward_too():
    w, x = autograd.tensor([1.0, 2.0], requires_grad=True), autograd.tensor([3.0, 4.0])
    loss = (w * x * 2.0).sum() + (w * x).sum() + (w * autograd.ones(1, 2)).sum()

    def data():
        found = labels(backprop_graph(loss, names={"x": x}).source)
        return sorted(text for text in found if text.startswith("data"))

    assert data() == ["data: 2", "data: data (1, 2)", "data: x (2,)"]
    loss.backward()
    assert data() == ["data: 2", "data: data (1, 2)", "data: x (2,)"]


def test_a_leaf_used_twice_is_one_box():
    w = autograd.tensor([1.0, 2.0], requires_grad=True)
    source = backprop_graph((w * w).sum()).source
    assert [text for text in labels(source) if text.startswith("leaf")] == ["leaf: tensor (2,)"]
    assert source.count("leaf") == 4  # the box, two arrows, the legend


def test_an_operation_with_several_outputs():
    class Two(autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2, a.sum()

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h

    a, b = Two.apply(autograd.ones(3).requires_grad_())
    found = labels(backprop_graph((a * b).sum()).source)
    assert {"op: Two (3,), ()", "output: [0] (3,)", "output: [1] ()"} <= set(found)


def test_a_long_chain_is_cut_with_a_note():
    y = autograd.ones(()).requires_grad_()
    for _ in range(20_000):
        y = y * 1.0
    found = labels(backprop_graph(y, limit=100).source)
    assert len(found) <= 103
    drawn = sum(text.startswith("op") for text in found)
    assert f"rest: {20_001 - drawn:,} more limit=100; a larger one draws them" in found


def test_infinite_and_missing_gradients():
    w, v = (autograd.ones(2).requires_grad_() for _ in range(2))
    w.grad = autograd.tensor([float("inf"), 0.0])
    found = labels(backprop_graph((w * v).sum()).source)
    assert {"leaf: tensor (2,) ‖grad‖ inf", "leaf: tensor (2,)"} <= set(found)


MAGIC = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "pdf": b"%PDF-", "dot": b"digraph"}


@pytest.mark.parametrize("suffix", MAGIC)
def test_saved_files(trained, tmp_path, suffix):
    model, loss = trained
    picture = backprop_graph(loss, model, direction="LR", legend=False)
    assert isinstance(picture, graphviz.Digraph)
    path = tmp_path / "new" / f"graph.{suffix}"
    assert picture.save(path) == str(path)
    content = path.read_bytes()
    assert content.startswith(MAGIC[suffix])
    if suffix in ("svg", "dot"):
        assert all(name.encode() in content for name, _ in model.named_parameters())


def test_a_notebook_shows_it(trained):
    bundle = backprop_graph(trained[1])._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<?xml")


def test_without_the_dot_program(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    picture = backprop_graph(trained[1], trained[0])
    with pytest.raises(RuntimeError) as caught:
        picture.save(tmp_path / "graph.svg")
    message = (
        "backprop_graph: drawing a picture needs the program dot of Graphviz; got no dot on the PATH for svg; "
        "install it (apt install graphviz, brew install graphviz, conda install graphviz, winget install graphviz), "
        "or save a .dot file"
    )
    assert str(caught.value) == message
    assert picture._repr_mimebundle_() == {"text/plain": message}
    assert not (tmp_path / "graph.svg").exists()
    picture.save(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text(encoding="utf-8") == picture.source


ONE = autograd.ones(2).requires_grad_()


def test_graphviz_draws_in_its_own_way_too(trained, tmp_path):
    _, loss = trained
    assert backprop_graph(loss).render(tmp_path / "graph", format="svg") == str(tmp_path / "graph.svg")
    assert (tmp_path / "graph").read_text(encoding="utf-8").startswith("digraph")


MISTAKES = [
    (lambda: backprop_graph(1.0), TypeError, "backprop_graph: loss must be a tensor; got float"),
    (
        lambda: backprop_graph(ONE),
        RuntimeError,
        "backprop_graph: no recorded operation made the tensor; got a leaf of shape (2,); "
        "compute it, outside no_grad(), from tensors that require a gradient",
    ),
    (
        lambda: backprop_graph(ONE * 2, direction="up"),
        ValueError,
        "backprop_graph: direction must be 'TB' or 'LR'; got 'up'",
    ),
    (lambda: backprop_graph(ONE * 2, limit=0), ValueError, "backprop_graph: limit must be at least 1; got 0"),
    (
        lambda: backprop_graph(ONE * 2).save("graph.bmp"),
        ValueError,
        "save: the suffix must be .svg, .png, .pdf or .dot; got 'graph.bmp'",
    ),
    (
        lambda: backprop_graph(ONE * 2).save("graph"),
        ValueError,
        "save: the suffix must be .svg, .png, .pdf or .dot; got 'graph'",
    ),
    (
        lambda: backprop_graph(ONE * 2).save(None),
        ValueError,
        "save: the suffix must be .svg, .png, .pdf or .dot; got None",
    ),
    (
        lambda: backprop_graph(ONE * 2).save(""),
        ValueError,
        "save: the suffix must be .svg, .png, .pdf or .dot; got ''",
    ),
    (
        lambda: backprop_graph(ONE * 2, {"w": ONE}),
        TypeError,
        "backprop_graph: model must be a module; got dict; names= takes a dict",
    ),
]


@pytest.mark.parametrize("act, kind, message", MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_mistakes(act, kind, message):
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == message


def test_importing_the_library_does_not_import_graphviz():
    code = "import autograd, sys; autograd.viz.backprop_graph; sys.exit('graphviz' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
