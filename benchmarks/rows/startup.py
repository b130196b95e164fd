"""What a fresh process pays: the import, and the import with a first training step.

Each measurement is a process of its own, which times itself from its first line and prints the seconds. The
interpreter's own start is not in it. Python keeps the bytecode of what it imports, as it does for a package that is
installed, even where the environment says not to.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Any

from benchmarks.contenders import Step
from benchmarks.rows.row import Row, Timed

IMPORT = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
import sys
loaded = [name for name in {unwanted} if name in sys.modules]
assert not loaded, "import {module} loaded " + ", ".join(loaded)
"""

FIRST_STEP = """
import time
start = time.perf_counter()
from benchmarks.contenders import CONTENDERS
from benchmarks.rows.mlp import train
step = train(CONTENDERS["{contender}"].load({threads}), (64, 128, 64, 10), 64)
float(step())
print(time.perf_counter() - start)
"""


def fresh(script: str) -> Step:
    """A step that runs the script in a new interpreter and takes the seconds it printed."""

    def step() -> Timed:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=env)
        if run.returncode:
            raise RuntimeError(run.stderr.strip().splitlines()[-1])
        return Timed(float(run.stdout.split()[-1]))

    return step


def import_time(lib: Any, module: str, unwanted: tuple[str, ...] = ()) -> Step:
    """`import module`, which must not load the unwanted ones."""
    return fresh(IMPORT.format(module=module, unwanted=unwanted))


def first_step(lib: Any, contender: str) -> Step:
    """The import, a digits MLP built and one training step; kernels come from the disk cache after the first run."""
    return fresh(FIRST_STEP.format(contender=contender, threads=os.environ["OMP_NUM_THREADS"]))


ROWS = (
    Row(
        "import",
        "import in a fresh process",
        others={
            "jitgrad": partial(import_time, module="autograd", unwanted=("numba", "llvmlite")),
            "torch": partial(import_time, module="torch"),
            "jax": partial(import_time, module="jax"),
            "mygrad": partial(import_time, module="mygrad"),
            "numpy": partial(import_time, module="numpy"),
        },
        unit="import",
        check_steps=1,
        tolerance=None,
        inside=False,
    ),
    Row(
        "first-step",
        "import and first training step of MLP 64-128-64-10 in a fresh process, warm cache",
        others={name: partial(first_step, contender=name) for name in ("jitgrad", "torch")},
        unit="process",
        check_steps=1,
        tolerance=None,
        inside=False,
    ),
)
