"""The printer: formulas, as Symbols, become the text of a kernel. There is no other place that writes kernels of
formulas: the eager forward, the eager backward, fused chains and the optimizers' updates all come through here.

A kernel's text stands alone (it imports numpy, numba and what `arrays` writes) and every constant in it has the
kernel's dtype: a bare Python literal would quietly turn a float32 loop into a float64 one.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from . import scalar
from .bounds import with_checks, with_standins
from .parts import addresses
from .symbol import Symbol, formulas, topological

__all__ = [
    "EXACT", "Argument", "Function", "expand", "indented", "is_primitive", "is_printable", "print_function",
    "print_helpers", "print_loop", "print_prologue",
]  # fmt: skip

PRIMITIVES = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}", "pow": "{} ** {}",
    "lt": "{} < {}", "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}", "eq": "{} == {}", "ne": "{} != {}",
    "where": "{1} if {0} else {2}", "abs": "abs({})", "sqrt": "np.sqrt({})",
    "floor": "np.floor({})", "ceil": "np.ceil({})", "trunc": "np.trunc({})", "round": "np.rint({})",
    "maximum": "{0} if ({0} > {1}) | ({0} != {0}) else {1}", "minimum": "{0} if ({0} < {1}) | ({0} != {0}) else {1}",
    "copysign": "math.copysign({}, {})", "c_fmod": "np.fmod({}, {})",
    "bitwise_and": "{} & {}", "bitwise_or": "{} | {}", "bitwise_xor": "{} ^ {}", "bitwise_not": "~{}",
    "logical_and": "({} != 0) & ({} != 0)", "logical_or": "({} != 0) | ({} != 0)", "logical_not": "not {}",
    "bitwise_left_shift": "{} << {}", "bitwise_right_shift": "{} >> {}",
    "to_int": "I({})", "to_real": "F({})", "bits": "F({}).view(I)", "from_bits": "I({}).view(F)",
    "to_double": "np.float64({})", "fma": "fma({}, {}, {})",
    "math_sin": "math.sin({})", "math_cos": "math.cos({})", "math_tan": "math.tan({})", "hypot": "math.hypot({}, {})",
}  # fmt: skip
"""How each primitive is written in numba; the functions of ``scalar`` are primitives too, written as calls."""

_BOOLEAN = {"lt", "le", "gt", "ge", "eq", "ne", "logical_and", "logical_or", "logical_not"}
_INTEGER = {"to_int", "bits"}
_REAL = {"to_real", "from_bits"}
_ATOMS = ("input", "constant")
_FLAGS = 31  # invalid, division by zero, overflow and underflow, on x86 and on Arm
_CASTS = {"integer": "I", "double": "np.float64"}  # of the constants of a kind; others are F

BLOCK = 1024
"""A loop looks at blocks of this many elements before it chooses how to compute them."""


EXACT = 'EXACT = {"error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}\n'
"""Flags of every function. numpy's division gives infinity where Python's raises, and a test for that would keep a loop
from becoming SIMD code. Nobody needs what numba adds to each function for calls from C, and from Python to those
inside, and compiling it takes a tenth of the time. Nor does anybody count who holds an array: `arrays` tells why.
"""

_FMA = """
from numba.extending import intrinsic


@intrinsic
def fma(context, a, b, c):
    return a(a, b, c), lambda context, builder, signature, values: builder.fma(*values)
"""
"""``fma(a, b, c)`` is a * b + c, rounded once."""


class Argument(NamedTuple):
    """An input of a kernel. A ``scalar`` one is expected to be a single number for the whole loop; those that are
    ``either``, all, one or none of them, may be that.
    """

    name: str
    dtype: np.dtype
    scalar: bool = False
    either: bool = False


def is_primitive(name: str) -> bool:
    """Whether the operation has a text of its own."""
    return name in PRIMITIVES or name in scalar.FUNCTIONS


def is_printable(outputs: Iterable[Symbol]) -> bool:
    """Whether every operation has a text; one that is only known to a library (digamma, say) has none."""
    return all(s.op in _ATOMS or is_primitive(s.op) for s in topological(expand(outputs)))


def expand(outputs: Iterable[Symbol]) -> list[Symbol]:
    """The same values with every formula replaced by what it computes, equal subexpressions made one, and functions
    replaced by those that are enough for the arguments they get.
    """
    return with_standins(_expand(outputs))


def _expand(outputs: Iterable[Symbol]) -> list[Symbol]:
    outputs = list(outputs)
    known: dict[tuple, Symbol] = {}
    new: dict[Symbol, Symbol] = {}
    for symbol in topological(outputs):
        if symbol.op in formulas:
            operands = [new[a] for a in symbol.args]
            (new[symbol],) = _expand([Symbol.of(formulas[symbol.op](*operands))])
            continue
        args = symbol.args if symbol.op in _ATOMS else tuple(new[a] for a in symbol.args)
        # repr tells 0.0 from -0.0 and 1 from True, which compare equal.
        key = (symbol.op, repr(args[0])) if symbol.op == "constant" else (symbol.op, args)
        new[symbol] = known.setdefault(key, Symbol(symbol.op, args))
    return [new[s] for s in outputs]


def print_prologue(dtype: np.dtype) -> str:
    """What every kernel begins with: F and I are its number type and the integer of the same width."""
    bits = 8 * dtype.itemsize
    return (
        "import math\n\nimport numpy as np\nfrom numba import cfunc, njit, prange, types\n\n"
        f"F = np.{dtype.name}\nI = np.int{bits}\n"
        # A formula rounds at every operation, as numpy does; inside exp and the like a * b + c may be fused. No other
        # part of fastmath is used: NaN, infinities and the sign of zero come through.
        f"{EXACT}"
        'FUSED = {"fastmath": {"contract"}, **EXACT}\n'
        'INSIDE = {"forceinline": True, "no_cpython_wrapper": True}\n'
    )


def print_helpers(names: Iterable[str], dtype: np.dtype) -> str:
    """The scalar functions of these names, and those they use, as the text of jitted functions."""
    texts: dict[str, str] = {}

    def add(name: str) -> None:
        if name == "fma":
            texts[name] = _FMA
        if name in texts or name not in scalar.FUNCTIONS:
            return
        args, body = scalar.build(name, dtype)
        for used in topological([body]):
            add(used.op)
        flags = "EXACT" if name in scalar.AS_WRITTEN else "FUSED"
        texts[name] = print_function(name, args, [body], flags=flags)

    for name in names:
        add(name)
    return "".join(texts.values())


def print_loop(
    name: str, inputs: Sequence[Argument], outputs: Sequence[Symbol], dtypes: Sequence[np.dtype], dtype: np.dtype
) -> str:
    """The text of a ufunc's inner loop that computes ``outputs`` (of ``dtypes``) with arithmetic in ``dtype``."""
    results = expand(outputs)
    names = [a.name for a in inputs]
    kinds = {a.name: "bool" if a.dtype.kind == "b" else "real" for a in inputs}
    outs = [f"result{i}" for i in range(len(results))]
    formula = Function("formula", names, results, kinds)
    lines = [
        print_prologue(dtype),
        addresses(),
        '_raised = types.ExternalFunction("fetestexcept", types.int32(types.int32))\n',
        '_clear = types.ExternalFunction("feclearexcept", types.int32(types.int32))\n',
        print_helpers(formula.used, dtype),
        formula.text,
        "\n\nLOOP = types.void(types.CPointer(types.voidptr), types.CPointer(types.intp),"
        " types.CPointer(types.intp), types.voidptr)\n",
        f"\n\n@cfunc(LOOP, cache=True, **EXACT)\ndef {name}(args, dims, steps, data):\n    n = dims[0]\n",
    ]
    # Arrays are prefixed, so that an input may be called anything.
    for i, (array, kind) in enumerate([*((a.name, a.dtype) for a in inputs), *zip(outs, dtypes, strict=True)]):
        lines.append(f"    a_{array} = array_at(args[{i}], n, np.{_numba_name(kind)})\n")
        lines.append(f"    d_{array} = steps[{i}] // {kind.itemsize}\n")
    for scalars in _scalar_patterns(inputs):
        unit = [f"d_{a} == {int(a not in scalars)}" for a in (*names, *outs)]
        # In blocks i begins at a start that LLVM can't prove is not negative: unsigned, numba need not wrap it around.
        turn = "np.uint64(i)" if formula.is_checked else "i"
        lines.append(f"    if {' and '.join(unit)}:\n")
        lines.extend(f"        s_{a} = a_{a}[0]\n" for a in names if a in scalars)
        arguments = ", ".join(f"s_{a}" if a in scalars else f"a_{a}[{turn}]" for a in names)
        lines.append(_print_iteration(formula, [f"a_{o}[{turn}]" for o in outs], arguments, 8))
        lines.append(f"{_print_clearing(8)}        return\n")
    # Unsigned, because numba would take a negative stride times i as an index from the end.
    at = {a: f"a_{a}[np.uint64(i * d_{a})]" for a in (*names, *outs)}
    lines.append(_print_iteration(formula, [at[o] for o in outs], ", ".join(at[a] for a in names), 4))
    lines.append(_print_clearing(4))
    return "".join(lines)


def _scalar_patterns(inputs: Sequence[Argument]) -> list[set[str]]:
    """Which inputs may be one number throughout the loop: each pattern gets a loop of its own that vectorises."""
    fixed, either = {a.name for a in inputs if a.scalar and not a.either}, {a.name for a in inputs if a.either}
    patterns = [fixed | either, *({*fixed, name} for name in sorted(either) if len(either) > 1)]
    if either:
        patterns.append(fixed)
    if len(inputs) == 2 and patterns == [set()]:
        patterns += [{inputs[1].name}, {inputs[0].name}]
    return patterns


def _print_clearing(indent: int) -> str:
    """Infinities and NaN are results like others: numpy would warn of the processor's flags after the loop. To look
    whether there are any takes a fifth of the time that it takes to clear them.
    """
    return f"{' ' * indent}if _raised({_FLAGS}) != 0:\n{' ' * indent}    _clear({_FLAGS})\n"


def _print_iteration(formula: "Function", places: Sequence[str], arguments: str, indent: int) -> str:
    turn = f"{', '.join(places)} = {{}}({arguments})"
    if formula.is_checked:
        lines = formula.print_turns("for i in range(start, end):", arguments, turn)
        lines = [f"for start in range(0, n, {BLOCK}):", *indented([f"end = min(start + {BLOCK}, n)", *lines])]
    else:
        lines = formula.print_turns("for i in range(n):", arguments, turn)
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def _numba_name(dtype: np.dtype) -> str:
    return "bool_" if dtype.kind == "b" else dtype.name


def indented(lines: Iterable[str]) -> list[str]:
    """The lines one step further to the right."""
    return [f"    {line}" for line in lines]


class Function:
    """The text of a function of scalars for loops. If one that it calls is `scalar.CHECKED`, there are two of it, the
    second with the stand-in, and a third function that tells whether the arguments forbid that.
    """

    def __init__(self, name: str, args: Sequence[str], results: Sequence[Symbol], kinds: dict) -> None:
        self.name, self.args = name, args
        self.text = print_function(name, args, results, kinds)
        self._used = list(results)
        checks = with_checks(results)
        self.is_checked = checks is not None
        if checks is not None:
            near, forbidden = checks
            self.text += print_function(f"{name}_near", args, near, kinds)
            self.text += print_function(f"{name}_forbids", args, [forbidden], kinds)
            self._used += near

    @property
    def used(self) -> list[str]:
        """The operations in it."""
        return [s.op for s in topological(self._used)]

    def print_turns(self, head: str, arguments: str, *turn: str) -> list[str]:
        """The lines of a loop that begins with ``head``, whose ``turn`` is these lines with the function's name."""

        def loop(function: str) -> list[str]:
            return [head, *indented(line.format(function) for line in turn)]

        if not self.is_checked:
            return loop(self.name)
        look = [head, f"    forbidden |= {self.name}_forbids({arguments})"]
        near, far = loop(f"{self.name}_near"), loop(self.name)
        return ["forbidden = False", *look, "if forbidden:", *indented(far), "else:", *indented(near)]


def print_function(
    name: str, args: Sequence[str], results: Sequence[Symbol], kinds: dict | None = None, flags: str = "EXACT"
) -> str:
    """A jitted function of scalars. What is used once is written where it is used, the rest gets a name."""
    order = topological(results)
    uses = Counter(operand for s in order for operand in _mentions(s))
    kind = _kinds(order, kinds or {})
    text: dict[Symbol, str] = {}
    # A call that LLVM does not find worth inlining would keep the loop around it from becoming SIMD code.
    lines = [f"\n\n@njit(**INSIDE, **{flags})\ndef {name}({', '.join(args)}):\n"]
    for symbol in order:
        if symbol.op == "input":
            text[symbol] = symbol.args[0]
        elif symbol.op != "constant":
            valued = symbol.operands[symbol.op == "where" :]  # the condition says nothing about the kind of the values
            siblings = [kind[a] for a in valued if kind[a] is not None]
            alone = "double" if symbol.op == "to_double" else "real"
            own = alone if symbol.op in scalar.FUNCTIONS or not siblings else siblings[-1]
            operands = [text[a] if a.op != "constant" else _print_constant(a.args[0], own) for a in symbol.operands]
            written = _print_operation(symbol.op, operands)
            if uses[symbol] > 1 or len(written) > 60:
                variable = f"t{len(lines)}"
                lines.append(f"    {variable} = {written}\n")
                text[symbol] = variable
            else:
                text[symbol] = f"({written})"
    returned = [text[r] if r.op != "constant" else _print_constant(r.args[0], "real") for r in results]
    lines.append(f"    return {', '.join(returned)}\n")
    return "".join(lines)


def _print_operation(op: str, operands: list[str]) -> str:
    return f"{op}({', '.join(operands)})" if op in scalar.FUNCTIONS else PRIMITIVES[op].format(*operands)


def _mentions(symbol: Symbol) -> list[Symbol]:
    """The operands of a Symbol, each as often as the text of the operation names it."""
    template = PRIMITIVES.get(symbol.op, "")
    return [a for i, a in enumerate(symbol.operands) for _ in range(max(1, template.count(f"{{{i}}}")))]


def _kinds(order: Sequence[Symbol], inputs: dict[str, str]) -> dict[Symbol, str | None]:
    """Whether each Symbol is real, a double, an integer or a truth value; a constant is what its neighbours are."""
    kind: dict[Symbol, str | None] = {}
    for symbol in order:
        if symbol.op == "constant":
            kind[symbol] = None
        elif symbol.op == "input":
            kind[symbol] = inputs.get(symbol.args[0], "real")
        elif symbol.op in _BOOLEAN:
            kind[symbol] = "bool"
        elif symbol.op in _INTEGER:
            kind[symbol] = "integer"
        elif symbol.op == "to_double":
            kind[symbol] = "double"
        elif symbol.op in _REAL or symbol.op in scalar.FUNCTIONS:
            kind[symbol] = "real"
        else:
            known = [kind[a] for a in symbol.operands[symbol.op == "where" :] if kind[a] is not None]
            kind[symbol] = known[0] if known else "real"
    return kind


def _print_constant(value: bool | int | float, kind: str | None) -> str:
    if kind == "bool":
        return str(bool(value))
    if isinstance(value, float) and not math.isfinite(value):
        text = "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    else:
        text = repr(value)
    return f"{_CASTS.get(kind or 'real', 'F')}({text})"
