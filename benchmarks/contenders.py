"""The libraries that are compared, and how each is loaded with a given number of threads.

Adding one is a `load` function and an entry in `CONTENDERS`. A contender with PyTorch's API (`pytorch_api=True`)
takes part in every row that has shared code, a `Lib` being what that code receives. Any other contender takes part
in the rows that have a function under its name.

Everything is imported by name and late: the parent process and the other contenders' processes never load it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

Step = Callable[[], Any]
Builder = Callable[[Any], Step]

BASELINE = "torch"
"""The contender that the others are compared with, where a row names no other."""


class Lib:
    """PyTorch's names as one library spells them: `torch`, `nn`, `F`, `optim`, `data`.

    `compiled` is what a step goes through before it is run: nothing for an eager library, and the place where a
    contender that compiles whole steps puts its compiler.
    """

    def __init__(self, torch: str, nn: str, optim: str, compiled: Callable[[Step], Step] = lambda step: step) -> None:
        self.root = torch
        self.torch: Any = import_module(torch)
        self.nn: Any = import_module(nn)
        self.F: Any = import_module(f"{nn}.functional")
        self.optim: Any = import_module(optim)
        self.compiled = compiled

    @property
    def data(self) -> Any:
        """`utils.data`, imported when a row asks for it."""
        return import_module(f"{self.root}.utils.data")


@dataclass(frozen=True)
class Contender:
    """One library in one configuration.

    needs: import names without which it is left out.
    distributions: installed packages whose versions are printed.
    load: called in the child process with the number of threads; what it returns goes to the row's function.
    details: lines about the loaded library for the description of the machine.
    release: gives cached memory back before memory is measured.
    environment: further variables for the child, from the number of threads.
    """

    name: str
    needs: tuple[str, ...]
    distributions: tuple[str, ...]
    load: Callable[[int], Any]
    pytorch_api: bool = False
    details: Callable[[Any], list[str]] = field(default=lambda lib: [])
    release: Callable[[Any], None] = field(default=lambda lib: None)
    environment: Callable[[int], dict[str, str]] = field(default=lambda threads: {})

    def missing(self) -> list[str]:
        """The needed imports that are not installed."""
        return [name for name in self.needs if find_spec(name) is None]

    def versions(self) -> dict[str, str]:
        """The installed versions of the packages this contender stands on."""
        found = {}
        for name in self.distributions:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                found[name] = "not installed"
        return found


def thread_environment(threads: int) -> dict[str, str]:
    """The variables that thread pools read when they are loaded; how they wait is left as the user has it."""
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB", "NUMEXPR")
    suffixes = {"VECLIB": "MAXIMUM_THREADS"}
    return {f"{name}_{suffixes.get(name, 'NUM_THREADS')}": str(threads) for name in names}


def _set(lib: Lib, threads: int) -> Lib:
    """Have it use so many threads, and take denormal numbers for zero, as JAX always does."""
    lib.torch.set_num_threads(threads)
    lib.torch.set_flush_denormal(True)
    return lib


def load_jitgrad(threads: int) -> Lib:
    """This repository's engine, from the checkout."""
    return _set(Lib("autograd", "nn", "optim"), threads)


def load_compiled(threads: int) -> Lib:
    """This repository's engine with whole steps compiled."""
    lib = load_jitgrad(threads)
    lib.compiled = lib.torch.compile
    return lib


def release_jitgrad(lib: Lib) -> None:
    """Empty the engine's cache of freed blocks."""
    lib.torch.empty_cache()


def load_torch(threads: int) -> Lib:
    """PyTorch, eager."""
    return _set(Lib("torch", "torch.nn", "torch.optim"), threads)


def load_torch_compiled(threads: int) -> Lib:
    """PyTorch with whole steps compiled."""
    lib = load_torch(threads)
    lib.compiled = lib.torch.compile
    return lib


def torch_details(lib: Lib) -> list[str]:
    """PyTorch's own BLAS is linked in; its build report names it and the instruction set it uses."""
    wanted = ("Math Kernel Library", "MKL-DNN", "CPU capability")
    lines = lib.torch.__config__.show().splitlines()
    return [line.strip(" -") for line in lines if any(word in line for word in wanted)]


def load_numpy(threads: int) -> Any:
    """numpy; its BLAS has read its number of threads from the environment."""
    return import_module("numpy")


def load_jax(threads: int) -> Any:
    """JAX on the CPU; XLA has no call for its number of threads, so a single thread is one core to run on."""
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return import_module("jax")


def load_mygrad(threads: int) -> Any:
    """MyGrad, which computes with numpy and its threads."""
    return import_module("mygrad")


def load_sklearn(threads: int) -> Any:
    """scikit-learn, which computes with numpy and its threads."""
    return import_module("sklearn")


CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender(
            "jitgrad",
            needs=("autograd", "nn", "optim"),
            distributions=("numpy", "numba", "llvmlite", "scipy"),
            load=load_jitgrad,
            pytorch_api=True,
            release=release_jitgrad,
        ),
        Contender(
            "compiled",
            needs=("autograd", "nn", "optim"),
            distributions=("numpy", "numba", "llvmlite", "scipy"),
            load=load_compiled,
            pytorch_api=True,
            release=release_jitgrad,
        ),
        Contender(
            "torch",
            needs=("torch",),
            distributions=("torch",),
            load=load_torch,
            pytorch_api=True,
            details=torch_details,
        ),
        Contender(
            "torch.compile",
            needs=("torch",),
            distributions=("torch",),
            load=load_torch_compiled,
            pytorch_api=True,
        ),
        Contender(
            "jax",
            needs=("jax",),
            distributions=("jax", "jaxlib"),
            load=load_jax,
            environment=lambda threads: {"JAX_PLATFORMS": "cpu"},
        ),
        Contender("mygrad", needs=("mygrad",), distributions=("mygrad", "numpy"), load=load_mygrad),
        Contender(
            "scikit-learn", needs=("sklearn",), distributions=("scikit-learn", "numpy", "scipy"), load=load_sklearn
        ),
        Contender("numpy", needs=("numpy",), distributions=("numpy",), load=load_numpy),
        Contender("numpy-products", needs=("numpy",), distributions=("numpy",), load=load_numpy),
    )
}
