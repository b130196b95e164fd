"""Rules of `vmap` for operations on elements and axes: the lanes are one axis more in front."""

import itertools
import math
from typing import Any

from ..door import note_view
from ..ops.index import _getitem as getitem_op
from ..ops.shape import reshape
from ..ops.split import along
from .batching import all_mapped, lane_ndims, ranked, rule_for

__all__: list[str] = []

_ALL = slice(None)


# --- elements --------------------------------------------------------------------------------------------------------


@rule_for("elementwise")
def _elementwise(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    ndim = max(lane_ndims(values, mapped))
    return op(*(ranked(v, here, ndim) for v, here in zip(values, mapped, strict=True)))


@rule_for("cast", "clone", "mantissa", "exponent", "isreal", "reinterpret", "from_the_end", "places", "median_of_rows")
def _same_shape(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*values, **attrs)


# --- shapes ----------------------------------------------------------------------------------------------------------


@rule_for("reshape")
def _reshape(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], to=(lanes, *attrs["to"]))


@rule_for("expand")
def _expand(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(ranked(values[0], True, len(attrs["to"])), to=(lanes, *attrs["to"]))


@rule_for("sum_to")
def _sum_to(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    (x,), to = values, attrs["to"]
    summed = op(x, to=(lanes, *[1] * (x.ndim - 1 - len(to)), *to))
    return summed if summed.ndim == len(to) + 1 else reshape(summed, (lanes, *to))


@rule_for("permute")
def _permute(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], dims=(0, *(d + 1 for d in attrs["dims"])))


@rule_for("unfold", "fold")
def _windows(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*values, **{**attrs, "dim": attrs["dim"] + 1, **_to(attrs, lanes)})


@rule_for("as_strided")
def _as_strided(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    array = values[0].array
    step = array.strides[0] // array.itemsize
    more = {"size": (lanes, *attrs["size"]), "stride": (step, *attrs["stride"]), "own": (step, *attrs["own"])}
    return op(values[0], **{**attrs, **more})


@rule_for("flip", "roll")
def _dims(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    dims = attrs["dims"]
    return NotImplemented if dims is None else op(*values, **{**attrs, "dims": tuple(d + 1 for d in dims)})


@rule_for("tril", "triu", "windows", "overlap_add", "max_pool", "mean_pool", "spread_mean")
def _of_last_axes(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*values, **attrs)


@rule_for("diagonal", "undiagonal", "diagonal_scatter")
def _diagonal(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    moved = {"dim1": attrs["dim1"] + 1, "dim2": attrs["dim2"] + 1, **_to(attrs, lanes)}
    # A number to write is not for one lane.
    whole = [not here and not ndim for here, ndim in zip(mapped, lane_ndims(values, mapped), strict=True)]
    xs = [v if w else all_mapped([v], [m], lanes)[0] for v, m, w in zip(values, mapped, whole, strict=True)]
    return op(*xs, **{**attrs, **moved})


def _to(attrs: dict, lanes: int) -> dict:
    """The attribute ``to``, a shape, with the lanes; nothing for an operation without."""
    return {"to": (lanes, *attrs["to"])} if "to" in attrs else {}


@rule_for("pad", "pad_repeating", "unpad")
def _pad(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*values, **{**attrs, "sides": ((0, 0), *attrs["sides"]), **_to(attrs, lanes)})


@rule_for("cat", "stack")
def _join(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*all_mapped(values, mapped, lanes), **{**attrs, "dim": attrs["dim"] + 1})


@rule_for("split", "unbind")
def _parts(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    dim = attrs["dim"] + 1
    parts = op(values[0], **{**attrs, "dim": dim})
    bounds = attrs.get("bounds")
    keys = range(len(parts)) if bounds is None else itertools.starmap(slice, itertools.pairwise(bounds))
    for key, part in zip(keys, parts, strict=True):
        note_view(getitem_op, values[0], {"key": along(dim, key)}, part)
    return parts


# --- along axes ------------------------------------------------------------------------------------------------------


@rule_for(
    "sum", "mean", "var", "std", "prod", "amax", "amin", "any", "all", "count_nonzero", "argmax", "argmin", "softmax",
    "log_softmax", "cumsum", "cumprod", "logcumsumexp", "cummax", "cummin", "shift", "argsort", "topk", "kth",
    "median_place", "mode_place", "norm", "logsumexp", "largest", "smallest",
)  # fmt: skip
def _along_axes(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    (x,), dim = values, attrs["dim"]
    if dim is None:
        out = op(reshape(x, (lanes, math.prod(x.shape[1:]))), **{**attrs, "dim": 1})
        return reshape(out, (lanes, *[1] * (x.ndim - 1))) if attrs.get("keepdim") else out
    if x.ndim == 1:  # one number a lane
        out = op(reshape(x, (lanes, 1)), **{**attrs, "dim": 1 if isinstance(dim, int) else (1,)})
        return reshape(out, (lanes,))
    return op(x, **{**attrs, "dim": dim + 1 if isinstance(dim, int) else tuple(d + 1 for d in dim)})


@rule_for("gather_along", "recurrence", "scatter_zeros", "how_many")
def _along_one_axis(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*all_mapped(values, mapped, lanes), **{**attrs, "dim": attrs["dim"] + 1, **_to(attrs, lanes)})


# --- views by a key --------------------------------------------------------------------------------------------------


@rule_for("getitem")
def _getitem(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], key=(_ALL, *attrs["key"]))


@rule_for("ungetitem")
def _ungetitem(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(values[0], key=(_ALL, *attrs["key"]), to=(lanes, *attrs["to"]))


# --- writes in place -------------------------------------------------------------------------------------------------


@rule_for("overwrite")
def _overwrite(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, value = values
    if not mapped[0]:
        x = all_mapped([x], [False], lanes)[0]
    return op(x, ranked(value, mapped[1], x.ndim - 1))


@rule_for("assign")
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
    return op(x, *all_mapped([value], mapped[1:], lanes))
