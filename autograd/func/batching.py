"""How operations run on all lanes at once: one rule for each family of operations, in one table.

A rule is called with the operation, its inputs, for each of them whether its first axis is the lanes, its attributes
and the number of lanes; it returns the output with the lanes as first axis. It leaves a case it does not know by
returning NotImplemented: then, as for an operation without a rule, the operation runs on each lane.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ops.formula import Elementwise
from ..ops.gather import gather
from ..ops.index import Place
from ..ops.index import _getitem as getitem_op
from ..ops.join import stack
from ..ops.linalg import matmul
from ..ops.reduce import mean
from ..ops.shape import expand, movedim, permute, reshape, transpose
from ..ops.softmax import log_softmax
from ..ops.split import along
from ..tensor import Tensor, _note_view
from .lanes import Batched

__all__ = ["RULES", "Interpreter"]

_ALL = slice(None)

Rule = Callable[[Any, list, list[bool], dict, int], Any]

RULES: dict[str, Rule] = {}
"""Rules by the name of the operation. Elementwise operations need no entry."""


def _for(*names: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, rule))
        return rule

    return register


class Interpreter:
    """Runs the operations of one map: those with an input of its level on all lanes, the others as they are."""

    def __init__(self, level: int, lanes: int) -> None:
        self.level = level
        self.lanes = lanes

    def __call__(self, op: Any, inputs: Sequence, attrs: dict) -> Any:
        mapped = [isinstance(x, Batched) and x.level == self.level for x in inputs]
        if not any(mapped):
            return op(*inputs, **attrs)
        values = [x.value if here else x for x, here in zip(inputs, mapped, strict=True)]
        rule = RULES.get(op.name, _elementwise if isinstance(op, Elementwise) else _each_lane)
        out = rule(op, values, mapped, attrs, self.lanes)
        if out is NotImplemented:
            out = _each_lane(op, values, mapped, attrs, self.lanes)
        if type(out) is tuple:
            return tuple(Batched(self.level, o) for o in out)
        return Batched(self.level, out)


def _each_lane(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    """The operation on one lane after the other."""
    outs = [op(*(v[i] if here else v for v, here in zip(values, mapped, strict=True)), **attrs) for i in range(lanes)]
    if not outs:
        raise RuntimeError(f"vmap: {op.name} is run lane by lane; got 0 lanes")
    return tuple(stack(parts) for parts in zip(*outs, strict=True)) if type(outs[0]) is tuple else stack(outs)


def _ranked(x: Any, here: bool, ndim: int) -> Any:
    """x with axes of length 1 after the lanes, so that one lane has ``ndim`` axes and broadcasts as it should."""
    missing = ndim + 1 - x.ndim
    return reshape(x, (x.shape[0], *[1] * missing, *x.shape[1:])) if here and missing > 0 else x


def _all_mapped(values: list, mapped: list[bool], lanes: int) -> list:
    return [v if here else expand(_tensor(v), (lanes, *v.shape)) for v, here in zip(values, mapped, strict=True)]


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor) else Tensor(np.asarray(x))


def _lane_ndims(values: list, mapped: list[bool]) -> list[int]:
    return [np.ndim(v.array if isinstance(v, Tensor) else v) - here for v, here in zip(values, mapped, strict=True)]


def _elementwise(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    ndim = max(_lane_ndims(values, mapped))
    return op(*(_ranked(v, here, ndim) for v, here in zip(values, mapped, strict=True)))


@_for("cast", "clone", "mantissa", "exponent", "isreal")
def _same_shape(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*values, **attrs)


# --- shapes ----------------------------------------------------------------------------------------------------------


@_for("reshape")
def _reshape(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], to=(lanes, *attrs["to"]))


@_for("expand")
def _expand(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(_ranked(values[0], True, len(attrs["to"])), to=(lanes, *attrs["to"]))


@_for("sum_to")
def _sum_to(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    (x,), to = values, attrs["to"]
    summed = op(x, to=(lanes, *[1] * (x.ndim - 1 - len(to)), *to))
    return summed if summed.ndim == len(to) + 1 else reshape(summed, (lanes, *to))


@_for("permute")
def _permute(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], dims=(0, *(d + 1 for d in attrs["dims"])))


@_for("cat", "stack")
def _join(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*_all_mapped(values, mapped, lanes), **{**attrs, "dim": attrs["dim"] + 1})


@_for("split", "unbind")
def _parts(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    dim = attrs["dim"] + 1
    parts = op(values[0], **{**attrs, "dim": dim})
    bounds = attrs.get("bounds")
    keys = range(len(parts)) if bounds is None else itertools.starmap(slice, itertools.pairwise(bounds))
    for key, part in zip(keys, parts, strict=True):
        _note_view(getitem_op, values[0], {"key": along(dim, key)}, part)
    return parts


# --- along axes ------------------------------------------------------------------------------------------------------


@_for("sum", "mean", "var", "amax", "amin", "any", "all", "count_nonzero", "argmax", "argmin", "softmax", "log_softmax")
def _along_axes(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    dim = attrs["dim"]
    if dim is None:
        if attrs.get("keepdim"):
            return NotImplemented
        return op(reshape(values[0], (lanes, math.prod(values[0].shape[1:]))), **{**attrs, "dim": 1})
    if dim == ():  # one number a lane
        return op(reshape(values[0], (lanes, 1)), **{**attrs, "dim": (1,), "keepdim": False})
    return op(*values, **{**attrs, "dim": dim + 1 if isinstance(dim, int) else tuple(d + 1 for d in dim)})


@_for("gather_along")
def _gather(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*_all_mapped(values, mapped, lanes), dim=attrs["dim"] + 1)


@_for("scatter_zeros")
def _scatter_zeros(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*_all_mapped(values, mapped, lanes), dim=attrs["dim"] + 1, to=(lanes, *attrs["to"]))


# --- indexing --------------------------------------------------------------------------------------------------------


@_for("getitem")
def _getitem(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], key=(_ALL, *attrs["key"]))


@_for("ungetitem")
def _ungetitem(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], key=(_ALL, *attrs["key"]), to=(lanes, *attrs["to"]))


def _key_of_lanes(key: tuple, indices: list, mapped: list[bool], lanes: int) -> tuple[tuple, list] | None:
    """The key, and its index arrays, that pick in every lane what ``key`` picks in one; None if there is none such."""
    places = [i for i, part in enumerate(key) if isinstance(part, Place)]
    # Indices that stand apart put their axes in front, before the lanes.
    if places[-1] - places[0] >= len(places):
        return None
    if not any(mapped):
        return (_ALL, *key), indices
    if places[0] != 0 or any(index.dtype.kind == "b" for index in indices):
        return None
    ndim = max(_lane_ndims(indices, mapped))
    lane_numbers = np.arange(lanes).reshape(-1, *[1] * ndim)
    ranked = [_ranked(x, here, ndim) for x, here in zip(indices, mapped, strict=True)]
    return (Place(len(indices)), *key), [*ranked, lane_numbers]


@_for("pick", "unpick")
def _pick(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    for index, here in zip(values[1:], mapped[1:], strict=True):
        if here and index.dtype.kind == "b":
            raise RuntimeError(
                "index: inside vmap a mask picks other numbers of elements in every lane; "
                f"got a mask of shape {tuple(index.shape[1:])} a lane; use where()"
            )
    found = _key_of_lanes(attrs["key"], values[1:], mapped[1:], lanes)
    if found is None:
        return NotImplemented
    key, indices = found
    (source,) = _all_mapped(values[:1], mapped[:1], lanes)
    return op(source, *indices, **{**attrs, "key": key, **({"to": (lanes, *attrs["to"])} if "to" in attrs else {})})


# --- writes in place -------------------------------------------------------------------------------------------------


@_for("overwrite")
def _overwrite(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, value = values
    if not mapped[0]:
        x = _all_mapped([x], [False], lanes)[0]
    return op(x, _ranked(value, mapped[1], x.ndim - 1))


@_for("assign")
def _assign(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, value = values
    if not mapped[0]:
        raise RuntimeError(
            f"{op.method}: inside vmap the value is other in every lane, the tensor it is written into is not; "
            f"got shape {tuple(x.shape)}; use the out-of-place operation"
        )
    if x.shape[1:] != value.shape[mapped[1] :]:
        raise RuntimeError(
            f"{op.method}: the result must have the shape of the tensor; "
            f"got {tuple(value.shape[mapped[1] :])} for {tuple(x.shape[1:])}"
        )
    return op(x, *_all_mapped([value], mapped[1:], lanes))


# --- products --------------------------------------------------------------------------------------------------------


@_for("matmul")
def _matmul(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    a, b = values
    ndims = _lane_ndims(values, mapped)
    if mapped[0] and not mapped[1] and ndims[1] == 2:
        # One product of all rows, where numpy would make one of each lane.
        return reshape(op(reshape(a, (math.prod(a.shape[:-1]), a.shape[-1])), b), (*a.shape[:-1], b.shape[-1]))
    if mapped[1] and not mapped[0] and ndims == [2, 2]:
        columns = reshape(permute(b, (1, 0, 2)), (b.shape[1], lanes * b.shape[2]))
        return transpose(reshape(op(a, columns), (a.shape[0], lanes, b.shape[2])), 0, 1)
    return op(*(_ranked(v, here, max(ndims)) for v, here in zip(values, mapped, strict=True)))


@_for("linear")
def _linear(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, weight, bias = values
    if not mapped[1] and not mapped[2]:
        return op(x, weight, bias)
    if not mapped[1]:
        return matmul(x, transpose(weight, 0, 1)) + _ranked(bias, True, max(x.ndim - mapped[0], 1))
    sizes = x.shape[mapped[0] : -1]
    rows = reshape(x, (*x.shape[: mapped[0]], math.prod(sizes), x.shape[-1]))
    out = reshape(matmul(rows, transpose(weight, 1, 2)), (lanes, *sizes, weight.shape[1]))
    return out + _ranked(bias, mapped[2], out.ndim - 1)


@_for("cross_entropy")
def _cross_entropy(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, target = _all_mapped(values, mapped, lanes)
    picked = gather(log_softmax(x, -1), -1, reshape(target, (*target.shape, 1)))
    return -mean(picked, (-1, -2))


@_for(
    "inv", "pinv", "det", "cofactors", "slogdet", "cholesky", "eigh", "svd", "svdvals", "matrix_exp", "lu_factor",
    "solve", "solve_triangular",
)  # fmt: skip
def _of_matrices(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    """Operations on the last two axes, which take stacks of matrices anyhow."""
    ndims = _lane_ndims(values, mapped)
    if min(ndims) < 2 or len(set(ndims)) > 1:
        return NotImplemented
    return op(*_all_mapped(values, mapped, lanes), **attrs)


@_for("conv")
def _conv(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, weight = values
    if mapped[1]:
        # Lanes side by side as groups of channels: (batch, lanes * channels, *) with (lanes * out, channels, *).
        (x,) = _all_mapped([x], mapped[:1], lanes)
        channels, outs = x.shape[2], weight.shape[1]
        side_by_side = reshape(movedim(x, 0, 1), (x.shape[1], lanes * channels, *x.shape[3:]))
        kernels = reshape(weight, (lanes * outs, *weight.shape[2:]))
        out = op(side_by_side, kernels, **{**attrs, "groups": attrs["groups"] * lanes})
        return movedim(reshape(out, (out.shape[0], lanes, outs, *out.shape[2:])), 1, 0)
    out = op(reshape(x, (lanes * x.shape[1], *x.shape[2:])), weight, **attrs)
    return reshape(out, (*x.shape[:2], *out.shape[1:]))
