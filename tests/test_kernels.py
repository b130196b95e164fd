"""Kernels as such: what is compiled is what numpy computes, and the cache never serves an old text."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import llvmlite.binding
import numpy as np
import pytest

import autograd
from autograd.dtypes import bool_
from autograd.kernels import gemm, loader, normalize, parts, rewrite, turn, vectors
from autograd.kernels.printer import Argument
from autograd.kernels.symbol import Symbol
from autograd.kernels.ufuncs import compile_formula
from autograd.ops.formula import Elementwise
from autograd.ops.loops import Loop
from autograd.ops.op import registry

ROOT = Path(__file__).parent.parent
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e4, -1e38, 1e-40, np.inf, -np.inf, np.nan])


def differentiable(op: Elementwise, i: int) -> bool:
    return op.result != "bool" and "f" in op.takes and op.has_gradient(i)


def exact_operations() -> list[Elementwise]:
    """Every row and gradient that numpy may run for the first calls."""
    rows = [op for op in registry.values() if isinstance(op, Elementwise)]
    gradients = [op.gradient(i) for op in rows for i in range(op.arity) if differentiable(op, i)]
    found = {op.name: op for op in [*rows, *gradients] if "f" in op.takes}
    return [op for op in found.values() if Loop(op, np.dtype("float32")).by_numpy() is not None]


@pytest.mark.parametrize("op", exact_operations(), ids=lambda op: op.name)
def test_the_compiled_loop_is_numpy_to_the_last_bit(op):
    compile_loop = Loop(op, np.dtype("float32"))
    arity = len(op.inputs)
    points = [EDGES, np.linspace(-3, 3, 7)] if arity == 1 else [EDGES[: 13 if arity == 2 else 6]]
    for values in points:
        grid = [g.ravel() for g in np.meshgrid(*[values] * arity)]
        args = [g > 0 if i in op.conditions else g.astype(np.float32) for i, g in enumerate(grid)]
        by_numpy, compiled = compile_loop.by_numpy()(*args), compile_loop()(*args)
        assert by_numpy.dtype == compiled.dtype
        same = (
            (by_numpy == compiled) | (np.isnan(by_numpy) & np.isnan(compiled))
            if by_numpy.dtype != bool_
            else by_numpy == compiled
        )
        assert same.all(), [a[~same][:5] for a in (*args, by_numpy, compiled)]


def kernel(arity: int = 2, dtype: str = "float32") -> np.ufunc:
    inputs = [Symbol.input(name) for name in "abc"[:arity]]
    formula = inputs[0] * 2 + sum(inputs[1:], start=Symbol.of(1))
    arguments = [Argument(name, np.dtype(dtype)) for name in "abc"[:arity]]
    return compile_formula("probe", arguments, [formula], [np.dtype(dtype)], np.dtype(dtype))


@pytest.mark.parametrize(
    "shapes", [((5, 7), (5, 7)), ((5, 7), ()), ((), (5, 7)), ((5, 1), (1, 7)), ((0, 3), (3,)), ((), ())]
)
def test_a_kernel_broadcasts_and_strides(shapes):
    a, b = (np.random.standard_normal(s).astype(np.float32) for s in shapes)
    probe = kernel()
    for x, y in ((a, b), (a[::-1] if a.ndim else a, b[..., ::-1] if b.ndim else b), (np.asfortranarray(a), b)):
        np.testing.assert_array_equal(probe(x, y), x * np.float32(2) + (np.float32(1) + y))


def test_a_kernel_warns_of_nothing():
    with np.errstate(all="raise"):
        kernel()(np.array([np.inf, 1e38], np.float32), np.array([-np.inf, 3e38], np.float32))


def test_constants_have_the_dtype_of_the_kernel():
    assert kernel()(np.ones(3, np.float32), np.ones(3, np.float32)).dtype == np.float32


def test_an_edited_text_is_another_module():
    one = loader.load("edited", "VALUE = 1\n")
    two = loader.load("edited", "VALUE = 2\n")
    assert (one.VALUE, two.VALUE, loader.load("edited", "VALUE = 1\n") is one) == (1, 2, True)


def test_a_branch_in_a_formula_is_refused():
    with pytest.raises(TypeError) as caught:
        bool(Symbol.input("x") > 0)
    assert str(caught.value) == (
        "formula: a branch can't depend on a value; got `if`, `and`, `or` or `not`; use where(c, a, b)"
    )


def test_float16_is_computed_in_float32():
    x = autograd.tensor([1.0, 2.0, 3.0], dtype=autograd.float16)
    y = autograd.sigmoid(x)
    assert y.dtype == autograd.float16
    np.testing.assert_allclose(y.array, 1 / (1 + np.exp(-x.array.astype(np.float64))), rtol=1e-3)


# The last three are larger than one block of an operand.
SIZES = [
    (0, 3, 2), (3, 2, 0), (1, 40, 33), (2, 1, 70), (5, 17, 1), (13, 33, 20), (97, 530, 550), (40, 70, 530),
    (1070, 150, 30),
]  # fmt: skip
FORMS = {
    "rows": lambda x: x,
    "columns": lambda x: np.ascontiguousarray(x.T).T,
    "far apart": lambda x: np.pad(x, ((0, 0), (0, -x.shape[1] % 1024)))[:, : x.shape[1]],
    "every other": lambda x: np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2],
    "backward": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
}


@pytest.mark.parametrize("width", [32, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_product_in_registers_of_each_width(width, dtype, monkeypatch):
    gemm.prepare(np.dtype(dtype))
    ours = f"jitgrad_block_{dtype}{gemm._tile(np.dtype(dtype))[1][0]}"
    address = llvmlite.binding.address_of_symbol(ours)
    is_ours = vectors.vector_bytes() == width
    monkeypatch.setattr(vectors, "vector_bytes", lambda: width)
    multiply = loader.load("gemm", gemm._text(np.dtype(dtype))).gemm.ctypes
    assert is_ours or llvmlite.binding.address_of_symbol(ours) == address, "kernels loaded from now on call another"
    rng = np.random.default_rng(0)
    for m, n, k in SIZES:
        for left, right, adds in itertools.product(FORMS.values(), FORMS.values(), (0, 1)):
            a, b = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n)))
            room = rng.standard_normal((m, n + 3)).astype(dtype)
            expected = room.copy()
            expected[:, :n] = adds * room[:, :n] + a.astype(np.float64) @ b
            a, b = left(a), right(b)
            strides = [stride // room.itemsize for x in (a, b) for stride in x.strides]
            multiply(a.ctypes.data, *strides[:2], b.ctypes.data, *strides[2:], room.ctypes.data, n + 3, m, n, k, adds)
            np.testing.assert_allclose(room, expected, rtol=0, atol=4 * (k + 4) * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "float16", "int8", "bool"])
@pytest.mark.parametrize(
    "shape", [(80, 90), (64, 128), (5, 40, 33), (16, 16, 16), (3, 20, 1, 90), (4, 7, 20, 16), (5000,)]
)
def test_copies_in_row_major_order(shape, dtype, monkeypatch):
    monkeypatch.setattr(turn, "LARGE", 1)
    x = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    for axes in itertools.permutations(range(len(shape))):
        turned = x.transpose(axes)
        for view in (turned, turned[::2], turned[..., 1:], np.flip(turned, 0)):
            copy = turn.row_major(view)
            assert copy.flags.c_contiguous and copy.flags.owndata and copy.dtype == x.dtype
            np.testing.assert_array_equal(copy, view)
    x.flags.writeable = False
    np.testing.assert_array_equal(turn.row_major(x.T), x.T)


def test_a_compiled_copy_of_a_turned_matrix():
    x = autograd.randn(300, 320)
    run = autograd.compile(lambda x: x.T.contiguous() * 2)
    for _ in range(3):
        np.testing.assert_array_equal(run(x).numpy(), x.numpy().T * 2)


@pytest.mark.parametrize("module", ["tile", "panels"])
@pytest.mark.parametrize("edited", ["vectors", "itself"])
def test_a_kernel_says_which_version_it_imports(module, edited, monkeypatch):
    monkeypatch.setattr(parts, "_version", parts._version.__wrapped__)
    before, read = parts.import_of(module, ["some"]), Path.read_bytes
    name = f"{module if edited == 'itself' else edited}.py"
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"#" * (path.name == name))
    assert parts.import_of(module, ["some"]) != before


STEPS = (
    "import resource, autograd, numpy as np\n"
    "autograd.softmax(autograd.ones(3), 0)\n"
    "def step(): [np.ones(2**18, 'float32') for _ in range(8)]\n"
    "def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
    "step(); before = faults()\n"
    "for _ in range(10): step()\n"
    "print(faults() - before)"
)


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries have nothing to set")
def test_memory_that_a_step_freed_serves_the_next():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    for setting, few in (({}, True), ({"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}, False)):
        env = {**kept, **setting, "PYTHONPATH": str(ROOT)}
        found = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True, env=env)
        assert (int(found.stdout) < 2000) == few, "10 steps touch 20,480 pages"


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries have nothing to give back")
def test_freed_memory_is_given_back_when_asked_for():
    program = (
        "import autograd, numpy as np\n"
        "autograd.softmax(autograd.ones(3, 100), 0)\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "arrays = [np.ones(2**20, 'float32') for _ in range(16)]; last = np.ones(2**18, 'float32')\n"
        "del arrays; held = resident(); autograd.empty_cache(); print(held - resident())"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**env, "PYTHONPATH": str(ROOT)},
    )
    assert int(found.stdout) > 2**25, "64 MB were freed"


TAKING = [
    path
    for path in sorted((ROOT / "autograd" / "kernels").glob("*.py"))
    if path.name != "arrays.py" and "scratch(" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", TAKING, ids=lambda path: path.stem)
def test_what_kernels_take_they_give_back(path):
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"^ *([\w, ]+) = scratch\(", text, re.MULTILINE)
    calls = re.findall(r"^ *release\((.*)\)$", text, re.MULTILINE)
    assert sorted(", ".join(lines).split(", ")) == sorted(", ".join(calls).split(", "))
    assert len(re.findall(r"scratch\(", text)) == sum(line.count(",") + 1 for line in lines)


def test_kernels_do_not_count_who_holds_an_array():
    kernel = normalize.normalize_rows_backward
    text = kernel.text(np.dtype("float32")).replace("cache=True", "cache=False")
    known: dict = {}
    exec(text, known)
    compiled = known[kernel.function.__name__]
    rows, row, sums = np.ones(12, np.float32), np.ones(3, np.float32), np.ones((1, 2, 3), np.float32)
    compiled(rows, rows, row, 1, 3, 1, True, np.ones(4, np.float32), np.ones(4, np.float32), np.empty_like(rows), sums)
    (code,) = compiled.inspect_llvm().values()
    assert "NRT_incref" not in code


@pytest.mark.parametrize("nbytes", [32, 64])
def test_the_ends_of_rows_are_masked_where_the_processor_has_masks(monkeypatch, nbytes):
    monkeypatch.setattr(vectors, "vector_bytes", lambda: nbytes)
    text = "def f(first, end, seen):\n    for j in across(end - first):\n        seen.append(int(j))\n"
    text = rewrite.masked_ends(text, itemsize=4)
    assert ("masked_turn()" in text) == (nbytes == 64)
    known = {"np": np, "masked_turn": lambda: None}
    exec(text, known)
    for first, n in itertools.product((0, 50), (0, 1, 16, 17, 64, 100, 200)):
        seen: list[int] = []
        known["f"](first, first + n, seen)
        assert seen == [*range(n)]
