"""Rules of `vmap` for reading and writing at places: through index tensors and masks, gather and scatter."""

import math
from typing import Any

import numpy as np

from ..ops.comparison import eq
from ..ops.elementwise import logical_not, where
from ..ops.gather import gather_along, scatter_zeros
from ..ops.index import Place, _pick, _places
from ..ops.reduce import any as any_of
from ..ops.scan import cumsum
from ..ops.scatter import _scatter
from ..ops.shape import expand, movedim, reshape
from .batching import all_mapped, lane_ndims, ranked, rule_for

__all__: list[str] = []

_ALL = slice(None)


# --- keys ------------------------------------------------------------------------------------------------------------


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
    ndim = max(lane_ndims(indices, mapped))
    lane_numbers = np.arange(lanes).reshape(-1, *[1] * ndim)
    aligned = [ranked(x, here, ndim) for x, here in zip(indices, mapped, strict=True)]
    return (Place(len(indices)), *key), [*aligned, lane_numbers]


def _positions(key: tuple, indices: list, mapped: list[bool], shape: tuple[int, ...], lanes: int) -> tuple[Any, tuple]:
    """Where in a flattened lane of this shape the elements are that ``key`` picks: (lanes, number), with the shape
    they have in a lane.
    """
    steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    parts: list[tuple[Any, bool]] = []
    kept: list[int] = []  # the axes that stay
    axis, lead = 0, -1
    for part in (*key, *[_ALL] * len(shape)):
        if axis == len(shape):
            break
        if not isinstance(part, Place):
            kept.append(axis)
            axis += 1
            continue
        index, here = indices[part.number], mapped[part.number]
        lead = len(kept) if lead < 0 else lead if lead == len(kept) else 0  # those that stand apart come in front
        columns = np.atleast_1d(_values(index)).nonzero() if index.dtype.kind == "b" else (index,)
        for column in columns:
            parts.append((_places(column, length=shape[axis], step=steps[axis]), here))
            axis += 1
    ndim = max(np.ndim(_values(p)) - here for p, here in parts)
    picked: Any = 0
    for p, here in parts:
        picked = picked + ranked(p, here, ndim)
    here = any(here for _, here in parts)
    block = picked.shape[here:]
    grid = np.zeros([shape[a] for a in kept], np.int64)
    for place, a in enumerate(kept):
        grid += (np.arange(shape[a]) * steps[a]).reshape(-1, *[1] * (len(kept) - place - 1))
    grid = grid.reshape(*grid.shape[:lead], *[1] * ndim, *grid.shape[lead:])
    before, after = [1] * lead, [1] * (len(kept) - lead)
    picked = reshape(picked, (*picked.shape[:here], *before, *block, *after)) + grid
    of_lane = tuple(picked.shape[here:])
    return reshape(all_mapped([picked], [here], lanes)[0], (lanes, math.prod(of_lane))), of_lane


def _values(x: Any) -> Any:
    return getattr(x, "array", x)


@rule_for("pick", "unpick")
def _pick_rule(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    _refuse_masks(values[1:], mapped[1:])
    (source,) = all_mapped(values[:1], mapped[:1], lanes)
    found = _key_of_lanes(attrs["key"], values[1:], mapped[1:], lanes)
    to = attrs.get("to")
    if found is not None:
        key, indices = found
        return op(source, *indices, **{**attrs, "key": key, **({} if to is None else {"to": (lanes, *to)})})
    shape = tuple(source.shape[1:]) if to is None else to
    places, of_lane = _positions(attrs["key"], values[1:], mapped[1:], shape, lanes)
    if to is None:
        return reshape(gather_along(_flat(source), places, dim=1), (lanes, *of_lane))
    return reshape(scatter_zeros(_flat(source), places, dim=1, to=(lanes, math.prod(to))), (lanes, *to))


def _refuse_masks(indices: list, mapped: list[bool]) -> None:
    for index, here in zip(indices, mapped, strict=True):
        if here and index.dtype.kind == "b":
            raise RuntimeError(
                "index: inside vmap a mask picks other numbers of elements in every lane; "
                f"got a mask of shape {tuple(index.shape[1:])} a lane; use where()"
            )


def _flat(x: Any) -> Any:
    """(lanes, *) as (lanes, number)."""
    return reshape(x, (x.shape[0], math.prod(x.shape[1:])))


@rule_for("setitem")
def _setitem_rule(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, value, *indices = values
    basic, picked = attrs["basic"], attrs["picked"]
    (x,) = all_mapped([x], mapped[:1], lanes)
    shape = tuple(x.shape[1:])
    of_view = shape if basic is None else np.broadcast_to(np.zeros(()), shape)[basic].shape
    view = None if basic is None else (_ALL, *basic)
    if picked is None:
        return op(x, ranked(value, mapped[1], len(of_view)), basic=view, picked=None)
    if any(mapped[2:]) and any(i.dtype.kind == "b" for i, here in zip(indices, mapped[2:], strict=True) if here):
        return _where_masked(x, value, mapped[1], indices, attrs, lanes)
    places, of_lane = _positions(picked, indices, mapped[2:], tuple(of_view), lanes)
    value = all_mapped([value], mapped[1:2], lanes)[0]
    if any(mapped[2:]) or _key_of_lanes(picked, indices, mapped[2:], lanes) is None:
        if basic is not None:
            places = _pick(np.arange(math.prod(shape)).reshape(shape)[basic].reshape(-1), places, key=(Place(0),))
        source = _flat(expand(ranked(value, True, len(of_lane)), (lanes, *of_lane)))
        return reshape(_scatter(_flat(x), source, places, dim=1), x.shape)
    return op(x, ranked(value, True, len(of_lane)), *indices, basic=view, picked=(_ALL, *picked))


def _where_masked(x: Any, value: Any, here: bool, indices: list, attrs: dict, lanes: int) -> Any:
    """A mask of its own in every lane can be written through with one value for all it picks."""
    (mask,) = indices if len(indices) == 1 else [None]
    one = not (value.ndim - here if hasattr(value, "ndim") else np.ndim(value))
    if mask is None or attrs["basic"] is not None or not one:
        _refuse_masks(indices, [True] * len(indices))
    assert mask is not None
    after = [1] * (x.ndim - mask.ndim)
    return where(reshape(mask, (*mask.shape, *after)), ranked(value, here, x.ndim - 1), x)


# --- along an axis ---------------------------------------------------------------------------------------------------


@rule_for("index_select_along")
def _index_select(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    (x, index), dim = values, attrs["dim"]
    if not mapped[1]:
        return op(x, index, dim=dim + 1)
    count = index.shape[1]
    if not mapped[0]:
        chosen = op(x, reshape(index, (lanes * count,)), dim=dim)
        return movedim(reshape(chosen, (*x.shape[:dim], lanes, count, *x.shape[dim + 1 :])), dim, 0)
    return gather_along(x, _spread(index, x.shape[1:], dim), dim=dim + 1)


def _spread(index: Any, shape: Any, dim: int) -> Any:
    """A vector of places for each lane, along ``dim``, as places of the elements of a lane of this shape."""
    lanes, count = index.shape
    aligned = reshape(index, (lanes, *[1] * dim, count, *[1] * (len(shape) - dim - 1)))
    return expand(aligned, (lanes, *shape[:dim], count, *shape[dim + 1 :]))


@rule_for("index_add_zeros")
def _index_add_zeros(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    (part, index), dim, to = values, attrs["dim"], attrs["to"]
    if not mapped[1]:
        return op(part, index, dim=dim + 1, to=(lanes, *to))
    # The rows of all lanes one after the other.
    (part,) = all_mapped([part], mapped[:1], lanes)
    part, rest = movedim(part, dim + 1, 1), (*to[:dim], *to[dim + 1 :])
    places = index + np.arange(lanes)[:, None] * to[dim]
    rows = reshape(part, (lanes * part.shape[1], *part.shape[2:]))
    added = op(rows, reshape(places, (-1,)), dim=0, to=(lanes * to[dim], *rest))
    return movedim(reshape(added, (lanes, to[dim], *rest)), 1, dim + 1)


@rule_for("index_write")
def _index_write(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    (x, source, index), dim = values, attrs["dim"]
    (x,) = all_mapped([x], mapped[:1], lanes)
    source = ranked(source, mapped[1], x.ndim - 1) if mapped[1] or np.ndim(_values(source)) else source
    if not mapped[2]:
        return op(x, source, index, **{**attrs, "dim": dim + 1})
    places = _spread(index, x.shape[1:], dim)
    (source,) = all_mapped([source], mapped[1:2], lanes)
    return _scatter(x, expand(ranked(source, True, x.ndim - 1), places.shape), places, dim=dim + 1)


@rule_for("scatter", "scatter_extremum", "scatter_prod")
def _scatter_rule(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, index = all_mapped(values[::2], mapped[::2], lanes)
    source = values[1]
    if mapped[1] or lane_ndims(values, mapped)[1]:  # not one number for all
        source = ranked(all_mapped([source], mapped[1:2], lanes)[0], True, x.ndim - 1)
    return op(x, source, index, **{**attrs, "dim": attrs["dim"] + 1})


@rule_for("put", "read_places", "add_places")
def _put(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    return op(*all_mapped(values, mapped, lanes), **attrs)


# --- masks and searching ---------------------------------------------------------------------------------------------


@rule_for("masked_scatter")
def _masked_scatter(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    x, mask, source = all_mapped(values, mapped, lanes)
    mask, source = _flat(mask), _flat(source)
    if not source.shape[1]:
        return NotImplemented
    # In order: the source's first element goes where the mask is true for the first time.
    order = cumsum(mask, 1) - 1
    places = where(mask, order, 0)
    return reshape(where(mask, gather_along(source, places, dim=1), _flat(x)), x.shape)


@rule_for("isin")
def _isin(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    if not mapped[1]:
        return op(*values, **attrs)
    elements, others = all_mapped(values, mapped, lanes)
    found = any_of(eq(reshape(elements, (*elements.shape, 1)), reshape(_flat(others), _between(others, elements))), -1)
    return logical_not(found) if attrs["invert"] else found


def _between(others: Any, elements: Any) -> tuple[int, ...]:
    return (others.shape[0], *[1] * (elements.ndim - 1), math.prod(others.shape[1:]))


@rule_for("searchsorted")
def _searchsorted(op: Any, values: list, mapped: list[bool], attrs: dict, lanes: int) -> Any:
    ndim = lane_ndims(values, mapped)[0]
    if ndim == 1 and not mapped[0]:
        return op(*values, **attrs)
    sequence, x = all_mapped(values, mapped, lanes)
    return reshape(op(sequence, _flat(x) if ndim == 1 else x, **attrs), x.shape)
