"""Kernels that ran inside an operation, and whether they are all that it did.

An operation whose forward only makes room (`np.empty`, views) and calls hand-written kernels is, in a program, these
calls. It is so if every array that a kernel reads was there before, or another of the kernels has written it, and all
results are in memory that they have written. Anything else that numpy did in between would show as an array from
nowhere, and the operation is called as it stands.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..func.tree import leaves, map_leaves
from ..kernels import gemm
from ..kernels.hand import FLOATS
from ..kernels.loader import load
from ..ops.dims import is_filled
from ..tensor import Tensor
from ..writes import owner_of
from .effects import effects_of
from .emit import print_call
from .program import KernelCall, Memory, Ref

__all__ = ["KernelRun", "arrays_in", "note_kernels"]


def arrays_in(nest: Any) -> list[Any]:
    """The leaves of a nest, tensors as their arrays."""
    return [leaf.array if isinstance(leaf, Tensor) else leaf for leaf in leaves(nest)]


class KernelRun:
    """A kernel about to run. ``zeros`` are the places of new arguments that it adds to, and that hold zeros;
    ``unknown`` those that hold something else, which numpy must have put there.
    """

    def __init__(self, kernel: Any, args: Sequence[Any], tracer: Any) -> None:
        self.kernel, self.args = kernel, args
        self.effects = effects_of(kernel.function)
        added_to = self.effects.written & self.effects.read_first  # what a kernel writes first it writes whole
        new = {
            i
            for i, (name, arg) in enumerate(zip(self.effects.parameters, args, strict=False))
            if isinstance(arg, np.ndarray) and name in added_to and tracer.known(arg) is None
        }
        self.zeros = {i for i in new if not (args[i] != 0).any()}
        self.unknown = new - self.zeros

    def as_in_programs(self, parallel: bool) -> Callable[[], Any] | None:
        """What runs the kernel as a program that is compiled for these arguments will, so that it is compiled once;
        None if no program can.
        """
        kernel, dtype = self.kernel, self.args[0].dtype
        given = [_place_of(a) if isinstance(a, np.ndarray) else a for a in self.args]
        if self.effects.returns or dtype not in FLOATS or not all(_is_plain(a) for a in given):
            return None
        if kernel.multiplies:
            gemm.prepare(dtype)
        call = load(kernel.name, print_call(kernel, given, dtype, parallel)).call
        return lambda: call(*(array.ctypes.data for _, array in self.arrays()))

    def arrays(self) -> list[tuple[str, np.ndarray]]:
        """The arguments that are arrays, with the names of their parameters."""
        pairs = zip(self.effects.parameters, self.args, strict=False)
        return [(name, arg) for name, arg in pairs if isinstance(arg, np.ndarray)]


def note_kernels(
    tracer: Any, runs: Sequence[KernelRun], results: Sequence[Any], again: Callable, arguments: Any
) -> bool:
    """Take the kernels for the whole of an operation, if they account for all results. ``again(*arguments)`` is the
    operation, for the error it raises when a kernel reports that an input is bad.
    """
    if not runs or not _are_all(tracer, runs, results, arguments):
        return False
    written: set[int] = set()
    for run in runs:
        for i in run.zeros:
            if id(owner_of(run.args[i])) not in written:
                tracer.copy(0, run.args[i])
        _add(tracer, run, again, arguments)
        written |= {id(owner_of(array)) for _, array in run.arrays()}
    return True


def _place_of(array: np.ndarray) -> Ref:
    """A reference of the array's shape and strides."""
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return Ref(Memory(array, "outside"), 0, array.shape, strides, array.dtype)


def _is_plain(value: Any) -> bool:
    """Whether a program can hand this to a kernel as it stands: a number, or an array in row-major order."""
    return value.contiguous if isinstance(value, Ref) else value is None or type(value) in (int, float, bool)


def _are_all(tracer: Any, runs: Sequence[KernelRun], results: Sequence[Any], arguments: Any) -> bool:
    fresh: set[int] = set()  # memory that only these kernels have written

    def is_known(array: np.ndarray) -> bool:
        return tracer.known(array) is not None or id(owner_of(array)) in fresh

    for run in runs:
        plain = all(_is_plain(a) for a in run.args if not isinstance(a, np.ndarray))
        if run.effects.returns or not plain or run.args[0].dtype not in FLOATS:
            return False
        if any(id(owner_of(run.args[i])) not in fresh for i in run.unknown):
            return False
        for name, array in run.arrays():
            if name in run.effects.written:
                fresh.add(id(owner_of(array)))
            elif not is_known(array) and not _is_part_of(array, arguments):
                return False
    return all(is_known(a) for a in results if isinstance(a, np.ndarray))


def _is_part_of(array: np.ndarray, arguments: Any) -> bool:
    """Whether this is (part of) an array that was given to the operation, not made in it."""
    owner = owner_of(array)
    given = any(isinstance(a, np.ndarray) and owner_of(a) is owner for a in arrays_in(arguments))
    return given or is_filled(owner)


def _add(tracer: Any, run: KernelRun, again: Callable, arguments: Any) -> None:
    effects = run.effects
    args: list[Any] = []
    reads, writes, status = [], [], None
    for name, arg in zip(effects.parameters, run.args, strict=False):
        if not isinstance(arg, np.ndarray):
            args.append(arg)
            continue
        written = name in effects.written
        ref = tracer.made(arg) if written else tracer.ref(arg)
        args.append(ref)
        if name in effects.read or not written:
            reads.append(ref)
        if written:
            writes.append(ref)
        if name == "status":
            status = ref
    check = None
    if status is not None:
        nest = map_leaves(lambda a: tracer.ref(a) if isinstance(a, np.ndarray) else a, arguments)
        reads += [r for r in leaves(nest) if isinstance(r, Ref)]
        check = (again, nest)
    tracer.add(KernelCall(run.kernel, args, run.args[0].dtype, status, check, reads=reads, writes=writes))
