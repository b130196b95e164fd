"""The part of `numpy_protocol`'s table that is about shapes, joins and what only asks about a tensor."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .tensor import Tensor

__all__ = ["shape_functions"]


def shape_functions(A: Any, as_tensor: Callable[[Any], Tensor]) -> dict[str, Callable]:
    """Our meaning of numpy's functions, by name; ``A`` is the package."""

    def concatenate(arrays: Any, /, axis: Any = 0) -> Tensor:
        xs = [as_tensor(x) for x in arrays]
        return A.cat([x.reshape(-1) for x in xs]) if axis is None else A.cat(xs, axis)

    def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        length = ary.shape[axis]
        if isinstance(indices_or_sections, int) and length % indices_or_sections:
            raise ValueError(
                f"np.split: the parts must be equal; got {indices_or_sections} of an axis of length {length}"
            )
        return array_split(ary, indices_or_sections, axis)

    def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        return list(A.tensor_split(ary, _plain(indices_or_sections), axis))

    def several(function: Callable) -> Callable:
        return lambda tup: function([as_tensor(x) for x in tup])

    def each(function: Callable) -> Callable:
        return lambda *arys: function(*map(as_tensor, arys))

    def triangle(function: Callable) -> Callable:
        return lambda m, k=0: function(m.expand(len(m), len(m)) if m.ndim == 1 else m, k)

    def expand_dims(a: Any, axis: Any) -> Tensor:
        axes = [axis] if isinstance(axis, int) else list(axis)
        ndim = a.ndim + len(axes)
        for at in sorted(d % ndim for d in axes):
            a = A.unsqueeze(a, at)
        return a

    def take(a: Any, indices: Any, axis: Any = None) -> Tensor:
        index = as_tensor(indices)
        x, at = (a.reshape(-1), 0) if axis is None else (a, axis % a.ndim)
        return x[(*[slice(None)] * at, index)]

    def flip(m: Any, axis: Any = None) -> Tensor:
        return A.flip(m, tuple(range(m.ndim)) if axis is None else axis)

    def append(arr: Any, values: Any, axis: Any = None) -> Tensor:
        return concatenate([arr, values], axis)

    def like(function: Callable) -> Callable:
        return lambda a, dtype=None: function(a, dtype=dtype)

    return {
        # shapes
        "reshape": lambda a, /, shape: A.reshape(a, shape), "ravel": lambda a: A.reshape(a, -1),
        "squeeze": lambda a, axis=None: A.squeeze(a, axis), "expand_dims": expand_dims,
        "transpose": lambda a, axes=None: A.permute(a, tuple(range(a.ndim))[::-1] if axes is None else tuple(axes)),
        "matrix_transpose": lambda x, /: x.mT, "swapaxes": lambda a, axis1, axis2: A.transpose(a, axis1, axis2),
        "moveaxis": lambda a, source, destination: A.movedim(a, source, destination),
        "broadcast_to": lambda array, shape: A.broadcast_to(array, (shape,) if isinstance(shape, int) else shape),
        "broadcast_arrays": lambda *args: A.broadcast_tensors(*map(as_tensor, args)),
        "atleast_1d": each(A.atleast_1d), "atleast_2d": each(A.atleast_2d), "atleast_3d": each(A.atleast_3d),
        "flip": flip, "fliplr": lambda m: A.fliplr(m), "flipud": lambda m: A.flipud(m),
        "roll": lambda a, shift, axis=None: A.roll(a, shift, axis),
        "rot90": lambda m, k=1, axes=(0, 1): A.rot90(m, k, axes),
        "tile": lambda A_, reps: A.tile(A_, *([reps] if isinstance(reps, int) else reps)),
        "repeat": lambda a, repeats, axis=None: A.repeat_interleave(a, repeats, axis),
        "diag": lambda v, k=0: A.diag(v, k), "diagflat": lambda v, k=0: A.diagflat(v, k),
        "diagonal": lambda a, offset=0, axis1=0, axis2=1: A.diagonal(a, offset, axis1, axis2),
        "trace": lambda a, offset=0, axis1=0, axis2=1: A.diagonal(a, offset, axis1, axis2).sum(-1),
        "linalg.trace": lambda x, /, *, offset=0: A.diagonal(x, offset, -2, -1).sum(-1),
        "linalg.diagonal": lambda x, /, *, offset=0: A.diagonal(x, offset, -2, -1),
        "linalg.matrix_transpose": lambda x, /: x.mT,
        "tril": triangle(A.tril), "triu": triangle(A.triu),
        # joins and parts
        "concatenate": concatenate, "append": append,
        "stack": lambda arrays, axis=0: A.stack([as_tensor(x) for x in arrays], axis),
        "hstack": several(A.hstack), "vstack": several(A.vstack), "dstack": several(A.dstack),
        "column_stack": several(A.column_stack),
        "split": split, "array_split": array_split,
        "hsplit": lambda ary, indices_or_sections: split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0),
        "vsplit": lambda ary, indices_or_sections: split(ary, indices_or_sections, 0),
        "dsplit": lambda ary, indices_or_sections: split(ary, indices_or_sections, 2),
        "unstack": lambda x, /, *, axis=0: A.unbind(x, axis),
        "meshgrid": lambda *xi, indexing="xy": A.meshgrid(*map(as_tensor, xi), indexing=indexing),
        # elements
        "take": take,
        "take_along_axis": lambda arr, indices, axis=-1: A.take_along_dim(arr, as_tensor(indices), axis),
        "nonzero": lambda a: A.nonzero(a, as_tuple=True), "argwhere": lambda a: A.nonzero(a),
        "flatnonzero": lambda a: A.nonzero(a.reshape(-1), as_tuple=True)[0],
        # new tensors
        "zeros_like": like(A.zeros_like), "ones_like": like(A.ones_like), "empty_like": like(A.empty_like),
        "full_like": lambda a, fill_value, dtype=None: A.full_like(a, fill_value, dtype=dtype),
        "copy": lambda a: A.clone(a), "astype": lambda x, dtype, /: x.to(dtype),
        # questions
        "shape": lambda a: tuple(a.shape), "ndim": lambda a: a.ndim,
        "size": lambda a, axis=None: a.array.size if axis is None else a.shape[axis],
        "iscomplexobj": lambda x: False, "isrealobj": lambda x: True,
        "result_type": lambda *args: A.result_type(*args),
        "shares_memory": lambda a, b: np.shares_memory(as_tensor(a).array, as_tensor(b).array),
        "may_share_memory": lambda a, b: np.may_share_memory(as_tensor(a).array, as_tensor(b).array),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Bounds as Python's integers."""
    if isinstance(value, Tensor):
        value = value.tolist()
    return value if isinstance(value, int) else [int(v) for v in value]
