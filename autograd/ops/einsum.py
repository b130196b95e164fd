"""Einstein's summation."""

import math
from collections.abc import Sequence
from itertools import chain
from string import ascii_letters
from typing import Any

import numpy as np

from ..tensor import Tensor
from .convert import cast
from .diagonal import diagonal
from .op import op
from .reduce import sum as sum_
from .shape import movedim, squeeze

__all__ = ["einsum"]

Labels = tuple[int, ...]


def _gradient(g: Any, xs: Sequence, index: int, terms: Sequence[Labels], target: Labels) -> Any:
    """The gradient of an operand is an einsum too: that operand and the output change places."""
    others = [x for i, x in enumerate(xs) if i != index]
    labels = [t for i, t in enumerate(terms) if i != index]
    return _einsum(g, *others, terms=(target, *labels), target=terms[index])


@op(xs=lambda g, xs, index, terms, target: _gradient(g, xs, index, terms, target))
def _einsum(*xs, terms, target):
    """Each label stands once in a term, and in another term or in ``target``, the labels of the output."""
    operands = list(zip(xs, terms, strict=True))
    for places in _order(xs, terms, target):
        # Those that are multiplied in one step leave the list, and their product joins it.
        picked = [operands.pop(place) for place in sorted(places, reverse=True)][::-1]
        needed = set(target).union(*(labels for _, labels in operands))
        product = picked[0]
        for other in picked[1:]:
            product = _contract(product, other, needed)
        operands.append(product)
    x, labels = operands[0]
    return x.transpose([labels.index(label) for label in target])


def _order(xs: Sequence[np.ndarray], terms: Sequence[Labels], target: Labels) -> Sequence[Sequence[int]]:
    """Which operands to multiply, step by step."""
    if len(xs) < 3:
        return [range(len(xs))] if len(xs) == 2 else []
    small = {label: i for i, label in enumerate(dict.fromkeys(chain(*terms)))}  # numpy takes labels up to 51
    arguments = [part for x, labels in zip(xs, terms, strict=True) for part in (x, [small[n] for n in labels])]
    return np.einsum_path(*arguments, [small[n] for n in target], optimize="greedy")[0][1:]


def _contract(
    a: tuple[np.ndarray, Labels], b: tuple[np.ndarray, Labels], needed: set[int]
) -> tuple[np.ndarray, Labels]:
    """Two operands multiplied and summed over what is not needed any more, as one stack of matrix products."""
    (x, left), (y, right) = (_sum_out(*a, needed.union(b[1])), _sum_out(*b, needed.union(a[1])))
    size = dict(zip(left, x.shape, strict=True)) | dict(zip(right, y.shape, strict=True))
    both = [label for label in left if label in right and label in needed]
    summed = [label for label in left if label in right and label not in needed]
    rows = [label for label in left if label not in right]
    columns = [label for label in right if label not in left]

    def matrices(array: np.ndarray, labels: Labels, *groups: list[int]) -> np.ndarray:
        order = [labels.index(label) for group in groups for label in group]
        return array.transpose(order).reshape([math.prod(size[label] for label in group) for group in groups])

    if summed:
        product = np.matmul(matrices(x, left, both, rows, summed), matrices(y, right, both, summed, columns))
    else:
        product = matrices(x, left, both, rows, []) * matrices(y, right, both, [], columns)
    labels = (*both, *rows, *columns)
    return product.reshape([size[label] for label in labels]), labels


def _sum_out(x: np.ndarray, labels: Labels, needed: set[int]) -> tuple[np.ndarray, Labels]:
    gone = tuple(i for i, label in enumerate(labels) if label not in needed)
    return (x.sum(gone, dtype=x.dtype), tuple(n for n in labels if n in needed)) if gone else (x, labels)


# --- what users write, made definite ---------------------------------------------------------------------------------


def einsum(*args: Any) -> Tensor:
    """Sums of products of the operands' elements, over the labels that the output does not have.

    ``einsum("ij,jk->ik", a, b)`` names the axes by letters, ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` by numbers.
    ``...`` stands for any axes in front, which broadcast; a label twice in one operand takes the diagonal; without
    ``->`` the output has the labels that occur once, in alphabetical order.

    >>> einsum("ij,ij->i", Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 1.0], [2.0, 2.0]]))
    tensor([ 3., 14.])
    """
    equation, operands = _as_equation(args)
    terms, out = _labels(equation, operands)
    for x in operands[1:]:
        if x.dtype != operands[0].dtype:
            raise RuntimeError(f"einsum: the dtypes must be equal; got {operands[0].dtype} and {x.dtype}")
    sizes = _sizes(equation, operands, terms)
    plain = [_without_stretched(*_diagonals(x, labels), sizes) for x, labels in zip(operands, terms, strict=True)]
    xs, terms = [x for x, _ in plain], [labels for _, labels in plain]
    for i, (x, labels) in enumerate(plain):
        elsewhere = set(out).union(*(t for j, t in enumerate(terms) if j != i))
        alone = [at for at, label in enumerate(labels) if label not in elsewhere]
        if alone:
            xs[i] = cast(sum_(x, alone), x.dtype)
            terms[i] = [label for label in labels if label in elsewhere]
    return _einsum(*xs, terms=tuple(map(tuple, terms)), target=tuple(out))


def _without_stretched(x: Any, labels: list[int], sizes: dict[int, int]) -> tuple[Any, list[int]]:
    """Without the axes of length 1 that another operand stretches: they have nothing to say."""
    stretched = [at for at, label in enumerate(labels) if x.shape[at] != sizes[label]]
    if not stretched:
        return x, labels
    return squeeze(x, stretched), [label for at, label in enumerate(labels) if at not in stretched]


def _as_equation(args: tuple) -> tuple[str, list[Tensor]]:
    """Both ways of writing it as a string and a list of tensors."""
    if not args:
        raise ValueError("einsum: an equation and operands are needed; got nothing")
    if isinstance(args[0], str):
        rest = args[1:]
        if len(rest) == 1 and isinstance(rest[0], (list, tuple)):
            rest = tuple(rest[0])
        return args[0].replace(" ", ""), list(rest)
    operands, sublists = list(args[::2]), list(args[1::2])
    out = operands.pop() if len(args) % 2 else None
    equation = ",".join(map(_letters, sublists))
    return (equation if out is None else f"{equation}->{_letters(out)}"), operands


def _letters(sublist: Sequence) -> str:
    for label in sublist:
        if label is not Ellipsis and not 0 <= label < len(ascii_letters):
            raise ValueError(f"einsum: labels in a list are numbers from 0 to {len(ascii_letters) - 1}; got {label}")
    # PyTorch sorts the numbers as it does the letters: A-Z before a-z.
    return "".join("..." if label is Ellipsis else sorted(ascii_letters)[label] for label in sublist)


def _parse(equation: str, term: str) -> list[str]:
    """The labels of one term, "..." counting as one."""
    head, dots, tail = term.partition("...")
    for letter in head + tail:
        if letter not in ascii_letters:
            raise RuntimeError(f"einsum: labels are letters, and ... stands once in a term; got {equation!r}")
    return [*head, *([dots] if dots else []), *tail]


def _labels(equation: str, operands: list) -> tuple[list[list[int]], list[int]]:
    """Numbers for the labels: letters by their code, the axes that ... stands for by 0, -1 ... from the last one on."""
    inputs, arrow, output = equation.partition("->")
    written = [_parse(equation, term) for term in inputs.split(",")]
    if len(written) != len(operands):
        raise RuntimeError(
            f"einsum: the equation must have as many terms as there are operands; got {equation!r} for {len(operands)}"
        )
    counts = []
    for term, x in zip(written, operands, strict=True):
        count = x.ndim - len(term) + ("..." in term)
        if count < 0 or (count and "..." not in term):
            raise RuntimeError(
                f"einsum: a term must have a label for each axis; got {''.join(term)!r} for shape {tuple(x.shape)}"
            )
        counts.append(count if "..." in term else 0)

    def numbers(term: list[str], count: int) -> list[int]:
        dots = list(range(1 - count, 1))
        return [n for label in term for n in (dots if label == "..." else [ord(label)])]

    terms = [numbers(term, count) for term, count in zip(written, counts, strict=True)]
    every = list(chain.from_iterable(terms))
    most = max(counts, default=0)
    if not arrow:
        return terms, [*range(1 - most, 1), *sorted(n for n in set(every) if n > 0 and every.count(n) == 1)]
    out = numbers(_parse(equation, output), most)
    for label in out:
        if out.count(label) > 1 or label not in every:
            problem = "twice" if out.count(label) > 1 else "without being in an operand"
            raise RuntimeError(f"einsum: {chr(label)!r} is in the output {problem}; got {equation!r}")
    return terms, out


def _sizes(equation: str, operands: list, terms: list[list[int]]) -> dict[int, int]:
    """The length of each label; an axis of length 1 stretches to any."""
    sizes: dict[int, int] = {}
    for x, labels in zip(operands, terms, strict=True):
        for label, n in zip(labels, x.shape, strict=True):
            known = sizes.setdefault(label, n)
            if known == 1:
                sizes[label] = n
            elif n not in (1, known):
                name = chr(label) if label > 0 else "..."
                raise RuntimeError(f"einsum: the lengths of {name!r} differ; got {known} and {n} in {equation!r}")
    return sizes


def _diagonals(x: Any, labels: list[int]) -> tuple[Any, list[int]]:
    """One axis for each label: of a label that stands twice, the diagonal."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            n, m = x.shape[first], x.shape[second]
            if n != m:
                raise RuntimeError(f"einsum: the lengths of {chr(label)!r} differ; got {n} and {m} in one operand")
            x = movedim(diagonal(x, 0, first, second), -1, first)
            del labels[second]
    return x, labels
