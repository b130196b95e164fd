"""The numba text of a program. Every group, product, kernel and update is a small module of its own, which takes
addresses; equal ones are one module, compiled once and cached like every kernel. The program itself only calls them.
"""

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..kernels import gemm, hand, threads
from ..kernels.loader import load
from ..kernels.parts import IMPORTS, addresses, import_of
from ..kernels.updates import UpdateKernel
from .fuse import Group
from .loops import Loop, numba_name
from .memory import Layout
from .program import Call, Copy, Fed, KernelCall, Memory, Product, Ref, Step, Tally, UpdateCall

__all__ = ["Emitted", "emit", "print_call"]

_NJIT = "\n\n@njit(cache=True, nogil=True, no_cfunc_wrapper=True, _nrt=False)\n"


class Line(NamedTuple):
    """What an item of a program became: a function of a module, what it is called with, and what becomes of what it
    returns, as text.
    """

    item: Any
    function: str
    arguments: str
    result: str = ""  # its name
    error: int = 0  # to return if it returns another than 0

    @property
    def text(self) -> str:
        """The line of the program."""
        call = f"{self.function}({self.arguments})"
        if self.error:
            return f"if {call} != 0:\n        return {self.error}"
        return f"{self.result} = {call}" if self.result else call


class Emitted:
    """The text of a program, its compiled segments, and the calls between them."""

    def __init__(self, source: str, parts: list[Any], emitter: "_Emitter", lines: list[Line]) -> None:
        self.source = source
        self.parts = parts  # functions of the program, and Calls, in order
        self.pieces = emitter.pieces  # the text of each module, by the name of its function in the program
        self.functions = emitter.functions
        self.checks = emitter.checks  # what to run again for the error, by the number a function returns
        self.on_pool = emitter.on_pool
        self.lines = lines


class _Emitter:
    def __init__(self, layout: Layout, table: dict[Memory, int], parallel: bool) -> None:
        self.layout, self.table = layout, table
        self.parallel = parallel  # whether what is large may use the pool of threads
        self.on_pool = False  # whether anything does
        self.imports: dict[str, str] = {}  # module -> the line that imports it
        self.names: dict[tuple[str, str], str] = {}
        self.pieces: dict[str, str] = {}
        self.functions: dict[str, Callable] = {}
        self.checks: list[Any] = []
        self.prepared: dict[int, str] = {}  # what updates take in the place of their numbers, in this segment

    # --- addresses ----------------------------------------------------------------------------------------------------

    def address(self, ref: Ref) -> str:
        """The address of the first byte that a reference may touch, as text."""
        low = ref.span[0]
        if ref.memory in self.layout.offsets:
            return f"t[0] + {self.layout.offsets[ref.memory] + low}"
        place = f"t[{self.table[ref.memory]}]"
        return f"{place} + {low}" if low else place

    def first(self, ref: Ref) -> str:
        """The address of the first element, which where a stride is negative is not the first byte."""
        after = ref.offset * ref.dtype.itemsize - ref.span[0]
        return f"{self.address(ref)} + {after}" if after else self.address(ref)

    def number(self, value: Any) -> str:
        """A number of an update as text."""
        if isinstance(value, Fed):
            if value.ref is None:
                return f"s[{value.slot}]"
            value = value.ref
        if isinstance(value, Ref):
            return f"np.float64(array_at({self.address(value)}, 1, {numba_name(value.dtype)})[0])"
        return _literal(float(value))

    def _pays(self, many: int, *shapes: tuple[int, ...]) -> bool:
        """Whether arrays of these shapes are worth the pool, as one of ``many`` elements is."""
        pays = self.parallel and max(map(math.prod, shapes), default=0) >= many
        self.on_pool = self.on_pool or pays
        return pays

    # --- pieces -------------------------------------------------------------------------------------------------------

    def piece(self, title: str, function: str, text: str) -> str:
        """The name in the program of a function of a module with this text."""
        known = self.names.get((function, text))
        if known is None:
            module = load(title, text)
            known = self.names[function, text] = f"{_identifier(title)}_{len(self.names)}"
            self.imports[known] = f"from {module.__name__} import {function} as {known}"
            self.pieces[known] = text
            self.functions[known] = getattr(module, function)
        return known

    def group(self, group: Group) -> Line:
        loop = Loop(group, self.parallel)
        self.on_pool = self.on_pool or loop.parallel
        name = self.piece(_short(group.title), "loop", loop.text())
        return Line(group, name, ", ".join(map(self.address, loop.pointers)))

    def copy(self, step: Copy) -> Line:
        source, out = step.source, step.out
        text = [IMPORTS, addresses(), import_of("arrays", ["strided_at"])]
        given = isinstance(source, Ref)
        text.append(f"{_NJIT}def convert(o{', x' if given else ''}):\n")
        text.append(f"    out = {_view('o', out)}\n")
        index = ", ".join(f"i{d}" for d in range(len(out.shape))) or "()"
        if given:
            text.append(f"    source = {_view('x', source)}\n")
        pad = "    "
        for d, n in enumerate(out.shape):
            text.append(f"{pad}for i{d} in range({n}):\n")
            pad += "    "
        value = f"{numba_name(out.dtype)}(source[{index}])" if given else f"{numba_name(out.dtype)}({_literal(source)})"
        if given and out.dtype.kind == "b":
            value = f"source[{index}] != 0"
        text.append(f"{pad}out[{index}] = {value}\n")
        name = self.piece("convert", "convert", "".join(text))
        arguments = [self.address(out), *([self.address(source)] if given else [])]
        return Line(step, name, ", ".join(arguments))

    def product(self, step: Product) -> Line:
        a, b, out = step.a, step.b, step.out
        gemm.prepare(out.dtype)
        lead = out.shape[:-2]
        each = out.shape[-2] * out.shape[-1] * a.shape[-1]
        pays = self.parallel and each * math.prod(lead) >= gemm.WORTH_THREADS
        self.on_pool = self.on_pool or pays
        text = gemm.print_product(out.dtype, len(lead), threads.options(pays))
        size = out.dtype.itemsize
        numbers: list[Any] = []
        for d, count in enumerate(lead):
            numbers += [count, *(ref.strides[d] * size for ref in (a, b, out))]
        for ref in (a, b):
            numbers += [self.first(ref), *ref.strides[-2:]]
        numbers += [self.first(out), out.strides[-2], *out.shape[-2:], a.shape[-1], threads.count if pays else 1]
        return Line(step, self.piece("product", "product", text), ", ".join(map(str, numbers)))

    def kernel(self, step: KernelCall) -> Line:
        shapes = [a.shape for a in step.args if isinstance(a, Ref)]
        pays = isinstance(step.kernel, hand.ParallelKernel) and self._pays(step.kernel.many, *shapes)
        if step.kernel.multiplies:
            gemm.prepare(step.dtype)
        name = self.piece(step.kernel.name, "call", print_call(step.kernel, step.args, step.dtype, pays))
        arguments = ", ".join(self.address(a) for a in step.args if isinstance(a, Ref))
        if step.status is None:
            return Line(step, name, arguments)
        self.checks.append(step.check)
        return Line(step, name, arguments, error=len(self.checks))

    def update(self, step: UpdateCall) -> Line:
        kernel: UpdateKernel = step.update.kernel
        text = [kernel.text(step.dtype, self._pays(kernel.many, (step.tensors[0].size,))), addresses()]
        arrays = [f"x{i}" for i in range(len(step.tensors))]
        text.append(f"{_NJIT}def call(n, {', '.join(arrays)}, numbers):\n")
        given = [f"array_at({a}, n, F)" for a in arrays]
        text.append(f"    {kernel.name}({', '.join(given)}, *numbers)\n")
        name = self.piece(kernel.name, "call", "".join(text))
        arguments = [str(step.tensors[0].size), *map(self.address, step.tensors), self.prepared[id(step.numbers)]]
        return Line(step, name, ", ".join(arguments))

    def prepare(self, step: UpdateCall) -> Line:
        """What the loops of an update take in the place of its numbers, for the first of those that share them."""
        result = self.prepared[id(step.numbers)] = f"n{len(self.prepared)}"
        kernel: UpdateKernel = step.update.kernel
        name = self.piece(f"{kernel.name}_numbers", "prepare", kernel.text_of_numbers())
        return Line(step, name, ", ".join(map(self.number, step.numbers)), result)

    def tally(self, step: Tally) -> Line:
        text = f"{_NJIT}def tally(x):\n    {_view('x', step.counter)}[()] += 1\n"
        name = self.piece("tally", "tally", IMPORTS + addresses() + text)
        return Line(step, name, self.address(step.counter))

    def lines(self, item: Group | Step) -> list[Line]:
        """What this becomes."""
        if isinstance(item, Group):
            return [self.group(item)]
        if isinstance(item, UpdateCall) and id(item.numbers) not in self.prepared:
            return [self.prepare(item), self.update(item)]
        by_type: dict[type, Callable] = {
            Copy: self.copy, Product: self.product, KernelCall: self.kernel, UpdateCall: self.update,
            Tally: self.tally,
        }  # fmt: skip
        return [by_type[type(item)](item)]


def emit(
    name: str,
    items: Sequence[Group | Step],
    layout: Layout,
    table: dict[Memory, int],
    inputs: Sequence[Memory],
    parallel: bool = False,
) -> Emitted:
    """Print and load the program of these items. ``table`` says where in ``t`` the address of each memory is."""
    emitter = _Emitter(layout, table, parallel)
    segments: list[list[str]] = [[]]
    all_lines: list[Line] = []
    parts: list[Any] = []
    for item in items:
        if isinstance(item, Call):
            parts += [len(segments) - 1, item]
            segments.append([])
            emitter.prepared = {}
        else:
            lines = emitter.lines(item)
            all_lines += lines
            segments[-1] += [line.text for line in lines]
    parts.append(len(segments) - 1)
    arguments = "".join(f", x{i}" for i in range(len(inputs)))
    functions = []
    for k, segment in enumerate(segments):
        text = [f"{_NJIT}def run{k}(t, s{arguments if k == 0 else ''}):\n"]
        if k == 0:
            text += [f"    t[{table[m]}] = x{i}.ctypes.data\n" for i, m in enumerate(inputs)]
        text += [f"    {line}\n" for line in segment]
        text.append("    return 0\n")
        functions.append("".join(text))
    source = "".join([
        IMPORTS,
        "".join(f"{line}\n" for line in emitter.imports.values()),
        addresses(),
        *functions,
    ])  # fmt: skip
    module: ModuleType = load(f"program_{_identifier(name)}", source)
    made = [getattr(module, f"run{p}") if isinstance(p, int) else p for p in parts]
    # An empty segment is not worth a call; the first one takes the inputs.
    kept = [m for p, m in zip(parts, made, strict=True) if not isinstance(p, int) or segments[p] or p == 0]
    return Emitted(source, kept, emitter, all_lines)


# --- as text ---------------------------------------------------------------------------------------------------------


def print_call(kernel: Any, args: Sequence[Any], dtype: np.dtype, parallel: bool) -> str:
    """The text of a function ``call`` that runs a kernel on arrays at these addresses. ``args`` are references, of
    which only shapes and strides count, and numbers; what the kernel reports in ``status`` is returned.
    """
    names = [f"x{i}" for i, a in enumerate(args) if isinstance(a, Ref)]
    given = [_view(f"x{i}", a) if isinstance(a, Ref) else _literal(a) for i, a in enumerate(args)]
    text = [kernel.text(dtype, parallel), addresses()]
    if any("strided_at" in value for value in given):
        text.append(import_of("arrays", ["strided_at"]))
    text.append(f"{_NJIT}def call({', '.join(names)}):\n")
    text.append("".join(f"    v{i} = {value}\n" for i, value in enumerate(given)))
    passed = [f"v{i}" for i in range(len(given))]
    if kernel.takes_parts:
        passed.append(str(threads.count if parallel else 1))
    text.append(f"    {kernel.function.__name__}({', '.join(passed)})\n")
    if "status" in kernel.parameters:
        text.append(f"    return v{kernel.parameters.index('status')}[0]\n")
    return "".join(text)


def _identifier(title: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in title).strip("_") or "step"


def _short(title: str) -> str:
    words = title.split()
    return "_".join(words[:3]) + (f"_and_{len(words) - 3}_more" if len(words) > 3 else "")


def _literal(value: Any) -> str:
    if isinstance(value, float):
        if value != value:
            return "np.nan"
        if value in (float("inf"), float("-inf")):
            return "np.inf" if value > 0 else "-np.inf"
    return repr(value)


def _view(address: str, ref: Ref) -> str:
    """An array of a reference, of which the first byte is at the address."""
    if ref.contiguous:
        return f"array_at({address}, {ref.shape!r}, {numba_name(ref.dtype)})"
    turned = Ref(ref.memory, ref.offset, ref.shape[::-1], ref.strides[::-1], ref.dtype)
    if turned.contiguous:
        return f"array_at({address}, {turned.shape!r}, {numba_name(ref.dtype)}).T"
    size = ref.dtype.itemsize
    start, steps = ref.offset * size - ref.span[0], tuple(s * size for s in ref.strides)
    return f"strided_at({address} + {start}, {ref.shape!r}, {steps!r}, {numba_name(ref.dtype)})"
