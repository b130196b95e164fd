"""Einstein's summation."""

import math
from collections.abc import Sequence
from functools import lru_cache, reduce
from itertools import chain
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import promote_types
from ..kernels import products
from ..tensor import Tensor
from .convert import cast
from .diagonal import diagonal
from .op import op
from .reduce import sum as sum_
from .shape import movedim, permute, squeeze

__all__ = ["einsum"]

Labels = tuple[int, ...]


def _gradient(g: Any, xs: Sequence, index: int, terms: Sequence[Labels], target: Labels) -> Any:
    """The gradient of an operand is an einsum too: that operand and the output change places."""
    others = [x for i, x in enumerate(xs) if i != index]
    labels = [t for i, t in enumerate(terms) if i != index]
    return _einsum(g, *others, terms=(target, *labels), target=terms[index])


@op(xs=lambda g, xs, index, terms, target: _gradient(g, xs, index, terms, target))
@np.errstate(all="ignore")  # infinities and NaN are results like others
def _einsum(*xs, terms, target):
    """Each label stands once in a term, and in another term or in ``target``, the labels of the output."""
    steps, order = _program(terms, target, tuple([x.shape for x in xs]))
    values = list(xs)
    for i, j, step in steps:
        values.append(_multiply(values[i], values[j], step))
    return values[-1].transpose(order)


class Step(NamedTuple):
    """How two operands are multiplied: each is summed over some axes, transposed and made a stack of matrices."""

    sums: tuple[Labels, Labels]
    orders: tuple[list[int], list[int]]
    stacks: tuple[list[int], list[int]]
    summing: bool  # whether the matrices are multiplied as such, or element by element
    shape: list[int]


def _multiply(x: np.ndarray, y: np.ndarray, step: Step) -> np.ndarray:
    a, b = (
        (z.sum(gone, dtype=z.dtype) if gone else z).transpose(order).reshape(stack)
        for z, gone, order, stack in zip((x, y), step.sums, step.orders, step.stacks, strict=True)
    )
    return (products.matmul(a, b) if step.summing else a * b).reshape(step.shape)


@lru_cache(1024)
def _program(terms: tuple[Labels, ...], target: Labels, shapes: tuple) -> tuple[list, list[int]]:
    """The steps for operands of these shapes, (number, number, step), each making one more; at last the axes' order."""
    sizes = {
        label: n for labels, shape in zip(terms, shapes, strict=True) for label, n in zip(labels, shape, strict=True)
    }
    labels, steps, waiting = list(terms), [], list(range(len(terms)))
    for places in _path(terms, target, shapes):
        picked = [waiting.pop(place) for place in sorted(places, reverse=True)]
        while len(picked) > 1:
            i, j = picked.pop(), picked.pop()
            needed = set(target).union(*(labels[k] for k in (*waiting, *picked)))
            step, product = _step(labels[i], labels[j], needed, sizes)
            steps.append((i, j, step))
            picked.append(len(labels))
            labels.append(product)
        waiting += picked
    return steps, [labels[-1].index(label) for label in target]


def _path(terms: Sequence[Labels], target: Labels, shapes: tuple) -> Sequence[Sequence[int]]:
    """Which operands to multiply, as numpy says it: those of a step leave the list, and their product joins it."""
    if len(terms) < 3:
        return [range(len(terms))]
    small = {label: i for i, label in enumerate(dict.fromkeys(chain(*terms)))}  # numpy takes labels up to 51
    arguments: list[Any] = []
    for labels, shape in zip(terms, shapes, strict=True):
        arguments += np.broadcast_to(0.0, shape), [small[n] for n in labels]
    return np.einsum_path(*arguments, [small[n] for n in target], optimize="greedy")[0][1:]


def _step(left: Labels, right: Labels, needed: set[int], sizes: dict[int, int]) -> tuple[Step, Labels]:
    """How operands with these labels are multiplied where only ``needed`` ones are of use later, and what results."""
    sums, kept = [], []
    for labels, others in ((left, right), (right, left)):
        gone = [label for label in labels if label not in needed and label not in others]
        sums.append(tuple(labels.index(label) for label in gone))
        kept.append([label for label in labels if label not in gone])
    left, right = map(tuple, kept)
    both = [label for label in left if label in right and label in needed]
    summed = [label for label in left if label in right and label not in needed]
    rows = [label for label in left if label not in right]
    columns = [label for label in right if label not in left]
    groups = ((both, rows, summed), (both, summed, columns))
    orders = [[labels.index(n) for group in g for n in group] for labels, g in zip((left, right), groups, strict=True)]
    stacks = [[math.prod(sizes[n] for n in group) for group in g] for g in groups]
    product = (*both, *rows, *columns)
    shape = [sizes[n] for n in product]
    return Step((sums[0], sums[1]), (orders[0], orders[1]), (stacks[0], stacks[1]), bool(summed), shape), product


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
    for x in operands[1:]:
        if x.dtype != operands[0].dtype:
            raise RuntimeError(f"einsum: the dtypes must be equal; got {operands[0].dtype} and {x.dtype}")
    plan = _plan(equation, tuple([tuple(x.shape) for x in operands]))
    xs = [_prepare(x, *steps) if any(steps) else x for x, steps in zip(operands, plan.steps, strict=True)]
    if len(xs) == 1:
        return permute(xs[0], [plan.terms[0].index(label) for label in plan.target])  # a view, as in PyTorch
    if len({x.dtype for x in xs}) > 1:  # integers that were summed are int64
        dtype = reduce(promote_types, [x.dtype for x in xs])
        xs = [cast(x, dtype) for x in xs]
    return _einsum(*xs, terms=plan.terms, target=plan.target)


def _prepare(x: Any, diagonals: list[tuple[int, int]], stretched: list[int], alone: list[int]) -> Any:
    """An operand with one axis for each label that it shares with others."""
    for first, second in diagonals:
        x = movedim(diagonal(x, 0, first, second), -1, first)
    if stretched:
        x = squeeze(x, stretched)
    return sum_(x, alone) if alone else x


class Plan(NamedTuple):
    """What `_prepare` does to each operand, the labels that are left, and those of the output."""

    steps: list[tuple]
    terms: tuple[Labels, ...]
    target: Labels


@lru_cache(1024)
def _plan(equation: str, shapes: tuple) -> Plan:
    """An equation as it is for operands of these shapes."""
    written, target = _labels(equation, shapes)
    operands = [_diagonals(equation, labels, shape) for labels, shape in zip(written, shapes, strict=True)]
    sizes = _sizes(equation, [(labels, shape) for _, labels, shape in operands])
    steps: list[tuple] = []
    full: list[list[int]] = []
    for diagonals, labels, shape in operands:
        # An axis of length 1 that another operand stretches has nothing to say.
        stretched = [at for at, label in enumerate(labels) if shape[at] != sizes[label]]
        steps.append((diagonals, stretched))
        full.append([label for at, label in enumerate(labels) if at not in stretched])
    terms = []
    for i, labels in enumerate(full):
        elsewhere = set(target).union(*(t for j, t in enumerate(full) if j != i))
        steps[i] = (*steps[i], [at for at, label in enumerate(labels) if label not in elsewhere])
        terms.append(tuple(label for label in labels if label in elsewhere))
    return Plan(steps, tuple(terms), tuple(target))


def _diagonals(equation: str, labels: list[int], shape: tuple) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of axes with one label, which lose the second of them; the labels and lengths that are left."""
    pairs, labels, lengths = [], list(labels), list(shape)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            if lengths[first] != lengths[second]:
                got = f"{lengths[first]} and {lengths[second]} in {equation!r}"
                raise RuntimeError(f"einsum: the lengths of {chr(label)!r} differ; got {got}")
            pairs.append((first, second))
            del labels[second], lengths[second]
    return pairs, labels, lengths


def _as_equation(args: tuple) -> tuple[str, list[Tensor]]:
    """Both ways of writing it as a string and a list of tensors."""
    if len(args) < 2:
        raise ValueError(f"einsum: an equation and at least one operand are needed; got {args}")
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


def _labels(equation: str, shapes: tuple) -> tuple[list[list[int]], list[int]]:
    """Numbers for the labels: letters by their code, the axes that ... stands for by 0, -1 ... from the last one on."""
    inputs, arrow, output = equation.partition("->")
    written = [_parse(equation, term) for term in inputs.split(",")]
    if len(written) != len(shapes):
        raise RuntimeError(
            f"einsum: the equation must have as many terms as there are operands; got {equation!r} for {len(shapes)}"
        )
    counts = []
    for term, shape in zip(written, shapes, strict=True):
        count = len(shape) - len(term) + ("..." in term)
        if count < 0 or (count and "..." not in term):
            raise RuntimeError(
                f"einsum: a term must have a label for each axis; got {''.join(term)!r} for shape {shape}"
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


def _sizes(equation: str, operands: list[tuple[list[int], list[int]]]) -> dict[int, int]:
    """The length of each label; an axis of length 1 stretches to any."""
    sizes: dict[int, int] = {}
    for labels, lengths in operands:
        for label, n in zip(labels, lengths, strict=True):
            known = sizes.setdefault(label, n)
            if known == 1:
                sizes[label] = n
            elif n not in (1, known):
                name = chr(label) if label > 0 else "..."
                raise RuntimeError(f"einsum: the lengths of {name!r} differ; got {known} and {n} in {equation!r}")
    return sizes
