"""Changes to the text of a hand-written kernel that are for the compiler, and would be in the way of a reader."""

import ast
import re
import textwrap
from typing import Any

__all__ = ["masked_ends", "signed_counters"]


def masked_ends(source: str, itemsize: int) -> str:
    """The text with ``for j in across(n)``, a loop over a row, made two where the processor has masks: one over as many
    whole vectors as LLVM works on at a time, four, and one over the rest, whose last vector is masked (`advice`).
    """
    from .vectors import vector_bytes

    return ast.unparse(_Ends(vector_bytes() // itemsize if vector_bytes() == 64 else 0).visit(ast.parse(source)))


def signed_counters(source: str) -> str:
    """The text with signed counters in the loops that are shared out.

    numba counts the turns of a ``prange`` in unsigned integers, which with signed ones make floating numbers. Where the
    loop is the innermost and its counter an index, it stays, since SIMD wants it to be known not to be negative.
    """
    return ast.unparse(_SignedCounters().visit(ast.parse(source)))


class _Ends(ast.NodeTransformer):
    def __init__(self, lanes: int) -> None:
        self.lanes = lanes

    def visit_For(self, node: ast.For) -> Any:
        self.generic_visit(node)
        if not (isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func) == "across"):
            return node
        n, j, body = (
            f"({ast.unparse(node.iter.args[0])})",
            ast.unparse(node.target),
            "\n".join(map(ast.unparse, node.body)),
        )
        if not self.lanes:
            return _loops((j, f"range({n})", body))
        # Less than a vector is done sooner one by one. numba takes unsigned counters for indices that are not negative.
        whole = f"({n} if {n} <= {self.lanes} else {n} // {4 * self.lanes} * {4 * self.lanes})"
        rest = re.sub(rf"\b{j}\b", f"{j}_rest", body) + "\nmasked_turn()"
        return _loops((j, f"range({whole})", body), (f"{j}_rest", f"range(np.uint64({whole}), np.uint64({n}))", rest))


def _loops(*loops: tuple[str, str, str]) -> list[ast.stmt]:
    """Loops of these counters, ranges and bodies."""
    return ast.parse(
        "\n".join(f"for {j} in {turns}:\n{textwrap.indent(body, '    ')}" for j, turns, body in loops)
    ).body


class _SignedCounters(ast.NodeTransformer):
    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        loop, counter = node.iter, node.target
        is_prange = isinstance(loop, ast.Call) and isinstance(loop.func, ast.Name) and loop.func.id == "prange"
        inside = [part for statement in node.body for part in ast.walk(statement)]
        innermost = not any(isinstance(part, ast.For) for part in inside)
        if innermost and any(isinstance(part, ast.Subscript) for part in inside):
            return node
        if is_prange and isinstance(counter, ast.Name):
            turn = f"{counter.id}_turn"
            node.target = ast.copy_location(ast.Name(turn, ast.Store()), counter)
            node.body = [*ast.parse(f"{counter.id} = np.intp({turn})").body, *node.body]
        return node
