"""What a hand-written kernel does to its arguments, read off its text."""

import ast
import functools
import inspect
import textwrap
from typing import Any

__all__ = ["Effects", "effects_of"]

_SHAPE_ONLY = {"shape", "size", "ndim", "dtype", "strides", "itemsize", "len"}
_RESULT_OF = {"gemm": 3, "gemm_part": 2, "turn_square": 5}  # which argument these functions write
_SAME_MEMORY = {"T", "reshape", "ravel"}


class Effects(ast.NodeVisitor):
    """Which parameters are read and which are written, and whether a value is returned.

    What a parameter held before counts if it is read before anything is written to it, in the order of the text.
    """

    def __init__(self, function: Any) -> None:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        definition = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        self.parameters = [a.arg for a in definition.args.args]
        self.read: set[str] = set()
        self.read_first: set[str] = set()
        self.written: set[str] = set()
        self.returns = False
        self._root = {name: name for name in self.parameters}  # local names of the memory of a parameter
        bases = [node.value for node in ast.walk(definition) if isinstance(node, (ast.Attribute, ast.Subscript))]
        self._arrays = {base.id for base in bases if isinstance(base, ast.Name)}  # which are surely no numbers
        for statement in definition.body:
            self.visit(statement)

    def _memory(self, node: ast.AST) -> str | None:
        """The parameter whose memory an expression names."""
        if isinstance(node, ast.Name):
            return self._root.get(node.id)
        if isinstance(node, ast.Subscript):
            return self._memory(node.value)
        if isinstance(node, ast.Attribute) and node.attr in _SAME_MEMORY:
            return self._memory(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SAME_MEMORY:
            return self._memory(node.func.value)
        return None

    def _load(self, name: str) -> None:
        self.read.add(name)
        if name not in self.written:
            self.read_first.add(name)

    def _store(self, target: ast.AST) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._store(part)
        elif isinstance(target, ast.Subscript):
            if (name := self._memory(target)) is not None:
                self.written.add(name)
            self.visit(target.slice)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for name, value in zip(target.elts, node.value.elts, strict=True):
                    self._give(name, value)
            else:
                self._give(target, node.value)
            self._store(target)

    def _give(self, target: ast.AST, value: ast.AST) -> None:
        """A name for a part of an array does not read it; what is done with the name may. One for a number does."""
        name = target.id if isinstance(target, ast.Name) else ""
        memory = self._memory(value) if name else None
        if memory is not None and name in self._arrays:
            for part in ast.walk(value):
                if isinstance(part, ast.Subscript):
                    self.visit(part.slice)
        else:
            self.visit(value)
        if memory is not None:
            self._root[name] = memory

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Subscript) and (name := self._memory(node.target)) is not None:
            self._load(name)
        self._store(node.target)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr not in _SHAPE_ONLY:
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if (name := self._root.get(node.id)) is not None:
            self._load(name)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        result = _RESULT_OF.get(called)
        for i, argument in enumerate(node.args):
            if i == result:
                if (name := self._memory(argument)) is not None:
                    if called == "gemm" and ast.unparse(node.args[2]) != "0":
                        self._load(name)
                    self.written.add(name)
            elif called not in _SHAPE_ONLY:
                self.visit(argument)
        for keyword in node.keywords:
            self.visit(keyword.value)
        if isinstance(node.func, ast.Attribute) and self._memory(node.func.value) is not None:
            if node.func.attr == "fill":
                self.written.add(str(self._memory(node.func.value)))
            elif node.func.attr not in _SAME_MEMORY:
                self.visit(node.func.value)

    def visit_Return(self, node: ast.Return) -> None:
        self.returns = self.returns or node.value is not None


@functools.cache
def effects_of(function: Any) -> Effects:
    """The effects of a kernel's function."""
    return Effects(function)
