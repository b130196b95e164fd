"""Who imports whom, what an import costs, and what it must not load."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parent.parent

# What each room may import of the others, first match first. `graph` knows nodes only; `kernels` never a tensor.
ALLOWED = {
    "autograd/kernels/": {"kernels"},
    "autograd/modes.py": set(),
    "autograd/writes.py": set(),
    "autograd/hooks.py": set(),
    "autograd/graph.py": {"hooks", "modes", "writes"},
    "autograd/dtypes.py": set(),
    "autograd/tensor.py": {"graph", "hooks", "modes", "dtypes", "creation", "printing"},
    "autograd/door.py": {"graph", "modes", "dtypes", "tensor"},
    "autograd/backprop.py": {"graph", "modes", "dtypes", "tensor"},
    "autograd/ops/": {
        "ops",
        "tensor",
        "door",
        "backprop",
        "graph",
        "modes",
        "writes",
        "tracing",
        "kernels",
        "dtypes",
        "random",
        "creation",
    },
}


def imports(file: Path) -> set[str]:
    """The modules of this repository that a file imports, dotted from the root."""
    package = file.relative_to(ROOT).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] in ("autograd", "nn", "optim")}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", files("autograd"), ids=lambda f: str(f.relative_to(ROOT)))
def test_rooms_of_the_engine(file):
    names = imports(file)
    assert not {n for n in names if not n.startswith("autograd")}, "the engine knows neither nn nor optim"
    place = file.relative_to(ROOT).as_posix()
    for room, allowed in ALLOWED.items():
        if place.startswith(room):
            used = {n.split(".")[1] for n in names if "." in n}
            assert used <= allowed, f"{place} imports {used - allowed}"
            break


@pytest.mark.parametrize("folder", ["autograd/compiler", "autograd/viz", "autograd/gradcheck.py"])
def test_nothing_inside_imports_the_outer_rooms(folder):
    module = folder.removesuffix(".py").replace("/", ".")
    for file in files("autograd"):
        place = file.relative_to(ROOT).as_posix()
        if not place.startswith(folder) and place != "autograd/__init__.py":
            assert not {n for n in imports(file) if n.startswith(module)}, place


def test_only_kernels_name_numba():
    for file in [*files("autograd"), *files("nn"), *files("optim")]:
        if "kernels" not in file.parts:
            assert "import numba" not in file.read_text() and "from numba" not in file.read_text(), file


def test_nn_and_optim_use_what_autograd_shows():
    for file in [*files("nn"), *files("optim")]:
        inner = {n for n in imports(file) if n.startswith(("autograd.ops", "autograd.kernels", "autograd.compiler"))}
        # The command line counts the kernels that it has compiled ahead.
        assert not inner or file.name == "rehearsal.py", f"{file.relative_to(ROOT)} imports {inner}"


def test_optim_does_not_know_nn():
    for file in files("optim"):
        assert not {n for n in imports(file) if n.startswith("nn")}, file


def answer_of(code: str, env: dict | None = None) -> str:
    """What a fresh process prints that runs this."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=env).stdout.strip()


def test_importing_loads_neither_numba_nor_scipy():
    code = (
        "import sys, autograd; print(sorted({'numba', 'scipy', 'matplotlib', 'pandas', 'graphviz'} & set(sys.modules)))"
    )
    assert answer_of(code) == "[]"


def test_importing_does_not_enter_rooms_that_most_processes_do_without():
    rooms = ("autograd.compiler.function", "autograd.func", "autograd.functional", "autograd.viz.scene", "safetensors")
    code = f"import sys, autograd; print(sorted({set(rooms)} & set(sys.modules)), 'func' in dir(autograd))"
    assert answer_of(code) == "[] True"
    assert autograd.func.vmap is autograd.vmap
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'nothing'"):
        _ = autograd.nothing


def test_rooms_that_are_not_entered_are_there():
    """As in PyTorch, they need no import of their own."""
    code = (
        "import autograd as torch\n"
        "torch.utils.data.DataLoader, torch.utils.checkpoint.checkpoint, torch.func.grad, torch.functional.jacobian\n"
        "try:\n    torch.utils.nowhere\nexcept AttributeError as error:\n    print(error)"
    )
    assert answer_of(code) == "module 'autograd.utils' has no attribute 'nowhere'"


def test_a_few_lines_never_load_numba():
    code = (
        "import sys, autograd as a\n"
        "x = a.tensor([1.0, 2.0], requires_grad=True); ((x * 2 + 1) * x).sum().backward()\n"
        "print(x.grad.tolist(), 'numba' in sys.modules)"
    )
    assert answer_of(code) == "[5.0, 9.0] False"


def test_a_kernel_loads_no_blas_and_numba_finds_it_where_it_does(tmp_path):
    """Neither where it is compiled, the first time, nor where it is loaded; nor where it runs on several threads."""
    env = os.environ | {"JITGRAD_CACHE_DIR": str(tmp_path)}
    code = (
        "import sys, autograd as a\n"
        "a.rand(3).exp()\n"
        "a.rand(2**17).exp()\n"
        "print('numba' in sys.modules, 'scipy.linalg' in sys.modules)\n"
        "import numba, numpy as np\n"
        "print(numba.njit(lambda x: np.dot(x, x))(np.eye(2)).tolist())"
    )
    for _ in range(2):
        assert answer_of(code, env) == "True False\n[[1.0, 0.0], [0.0, 1.0]]"
