"""Rules of `vmap` for products: as few and as large ones as can be."""

import math
from typing import Any

import numpy as np

from ..ops.comparison import ne
from ..ops.gather import index_select_along
from ..ops.products import matmul
from ..ops.reduce import sum
from ..ops.selection import where
from ..ops.shape import expand, movedim, permute, reshape, transpose
from ..tensor import Tensor
from .batching import all_mapped, lane_ndims, ranked, rule_for

__all__: list[str] = []


# --- products --------------------------------------------------------------------------------------------------------


@rule_for("matmul")
def _matmul(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    a, b = values
    ndims = lane_ndims(values, mapped)
    if mapped[0] and not mapped[1] and ndims[1] == 2:
        # One product of all rows, where numpy would make one of each lane.
        return reshape(op(reshape(a, (math.prod(a.shape[:-1]), a.shape[-1])), b), (*a.shape[:-1], b.shape[-1]))
    if mapped[1] and not mapped[0] and ndims == [2, 2]:
        columns = reshape(permute(b, (1, 0, 2)), (b.shape[1], lanes * b.shape[2]))
        return transpose(reshape(op(a, columns), (a.shape[0], lanes, b.shape[2])), 0, 1)
    return op(*(ranked(v, here, max(ndims)) for v, here in zip(values, mapped, strict=True)))


@rule_for("linear")
def _linear(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, weight, bias = values
    if not mapped[1] and not mapped[2]:
        return op(x, weight, bias)
    if not mapped[1]:
        return matmul(x, transpose(weight, 0, 1)) + ranked(bias, True, max(x.ndim - mapped[0], 1))
    sizes = x.shape[mapped[0] : -1]
    rows = reshape(x, (*x.shape[: mapped[0]], math.prod(sizes), x.shape[-1]))
    out = reshape(matmul(rows, transpose(weight, 1, 2)), (lanes, *sizes, weight.shape[1]))
    return out + ranked(bias, mapped[2], out.ndim - 1)


@rule_for("attention")
def _attention(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    ndim = max(lane_ndims(values[:3], mapped[:3]))
    return op(*(v if v is None else ranked(v, here, ndim) for v, here in zip(values, mapped, strict=True)), **attrs)


@rule_for("cross_entropy")
def _cross_entropy(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    weight = attrs["weight"]
    x, target = all_mapped(values, mapped, lanes)
    flat = reshape(target, (-1,))
    losses = op(_rows(x), flat, **{**attrs, "reduction": "none"})
    losses = reshape(losses, target.shape)
    if attrs["reduction"] == "none":
        return losses
    total = sum(losses, 1)
    if attrs["reduction"] == "sum":
        return total
    counted = ne(flat, attrs["ignored"])
    counts: Any = 1.0
    if weight is not None:
        counts = index_select_along(Tensor(weight), where(counted, flat, 0), dim=0)
    return total / sum(reshape(where(counted, counts, 0.0), target.shape), 1)


@rule_for(
    "inv", "pinv", "det", "cofactors", "slogdet", "cholesky", "eigh", "eig", "svd", "svdvals", "matrix_exp",
    "lu_factor", "permutation", "qr", "count_above", "solve", "solve_triangular", "lstsq", "block_diag",
)  # fmt: skip
def _of_matrices(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    """Operations on the last two axes, which take stacks of matrices anyhow."""
    ndim = max(lane_ndims(values, mapped))
    if op.name == "block_diag":
        values, mapped = all_mapped(values, mapped, lanes), [True] * len(values)
    out = op(*(ranked(v, here, ndim) for v, here in zip(values, mapped, strict=True)), **attrs)
    if type(out) is not tuple:
        return out
    # What was not asked for, Q say, is empty.
    return tuple(o if o.ndim > 1 or o.shape == (lanes,) else expand(o, (lanes, *o.shape)) for o in out)


@rule_for("cross")
def _cross(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    dim = attrs["dim"]
    return op(*all_mapped(values, mapped, lanes), dim=dim if dim < 0 else dim + 1)


@rule_for("euclidean")
def _euclidean(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    out = op(*map(_rows, all_mapped(values, mapped, lanes)))
    return reshape(out, (lanes, out.shape[0] // max(lanes, 1), *out.shape[1:]))


# --- convolution and normalisation -----------------------------------------------------------------------------------


def _side_by_side(x: Any) -> Any:
    """(lanes, batch, channels, *) as (batch, lanes * channels, *): each lane a group of channels."""
    moved = movedim(x, 0, 1)
    return reshape(moved, (moved.shape[0], moved.shape[1] * moved.shape[2], *moved.shape[3:]))


def _rows(x: Any) -> Any:
    """The first two axes as one."""
    return reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


@rule_for("conv", "conv_input")
def _conv(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, weight, bias = values
    if not mapped[1] and not mapped[2]:
        out = op(_rows(x), weight, bias, **attrs)
        return reshape(out, (*x.shape[:2], *out.shape[1:]))
    x, weight, bias = all_mapped(values, mapped, lanes)
    out = op(_side_by_side(x), _rows(weight), _rows(bias), **{**attrs, "groups": attrs["groups"] * lanes})
    return movedim(reshape(out, (out.shape[0], lanes, out.shape[1] // lanes, *out.shape[2:])), 1, 0)


@rule_for("conv_weight")
def _conv_weight(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    part, x = all_mapped(values, mapped, lanes)
    out = op(_side_by_side(part), _side_by_side(x), **{**attrs, "groups": attrs["groups"] * lanes})
    return reshape(out, (lanes, out.shape[0] // lanes, *out.shape[1:]))


@rule_for("normalize_rows")
def _normalize_rows(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, weight, bias = values
    (x,) = all_mapped([x], mapped[:1], lanes)
    if not mapped[1] and not mapped[2]:
        return op(x, weight, bias, **attrs)
    count = attrs["groups"] * attrs["channels"]
    normal = op(x, np.ones(count, x.dtype), np.zeros(count, x.dtype), **attrs)
    by, plus = (reshape(t, (lanes if here else 1, 1, count, 1)) for t, here in zip((weight, bias), mapped[1:]))
    return reshape(reshape(normal, (lanes, -1, count, attrs["length"])) * by + plus, x.shape)


@rule_for("channel_moments")
def _channel_moments(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return tuple(reshape(out, (lanes, values[0].shape[2])) for out in op(_side_by_side(values[0])))


@rule_for("normalize_channels")
def _normalize_channels(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, *of_channels = all_mapped(values, mapped, lanes)
    out = op(_side_by_side(x), *[reshape(t, (lanes * x.shape[2],)) for t in of_channels], **attrs)
    return movedim(reshape(out, (x.shape[1], lanes, *x.shape[2:])), 1, 0)


@rule_for("einsum")
def _einsum(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    lane = 1 + max((label for term in attrs["terms"] for label in term), default=0)
    terms = tuple((lane, *term) if here else term for term, here in zip(attrs["terms"], mapped, strict=True))
    return op(*values, terms=terms, target=(lane, *attrs["target"]))
