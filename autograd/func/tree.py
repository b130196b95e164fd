"""Nested tuples, lists and dictionaries: their leaves, and the same nest with other leaves."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["leaves", "map_leaves", "rebuild", "spread"]


def _children(tree: Any) -> Iterable[Any] | None:
    """What stands directly below, or None for a leaf."""
    if isinstance(tree, (tuple, list)):
        return tree
    return tree.values() if isinstance(tree, dict) else None


def leaves(tree: Any) -> list[Any]:
    """The leaves from left to right."""
    below = _children(tree)
    return [tree] if below is None else [leaf for child in below for leaf in leaves(child)]


def rebuild(tree: Any, new: Iterable[Any]) -> Any:
    """The nest of ``tree`` with the leaves ``new``."""
    return _rebuild(tree, iter(new))


def _rebuild(tree: Any, new: Iterator[Any]) -> Any:
    below = _children(tree)
    if below is None:
        return next(new)
    made = [_rebuild(child, new) for child in below]
    if isinstance(tree, dict):
        return type(tree)(zip(tree, made, strict=True))
    return type(tree)(*made) if hasattr(tree, "_fields") else type(tree)(made)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The nest with the function applied to every leaf."""
    return rebuild(tree, map(function, leaves(tree)))


def spread(prefix: Any, tree: Any) -> list[Any] | None:
    """For each leaf of ``tree`` the leaf of ``prefix`` at or above its place; None if the nests do not fit."""
    above = _children(prefix)
    if above is None:
        return [prefix] * len(leaves(tree))
    below = _children(tree)
    if below is None or type(prefix) is not type(tree):
        return None
    above, below = list(above), list(below)
    if len(above) != len(below) or (isinstance(tree, dict) and list(prefix) != list(tree)):
        return None
    parts = [spread(p, t) for p, t in zip(above, below, strict=True)]
    return None if any(part is None for part in parts) else [leaf for part in parts for leaf in part or ()]
