"""numpy's functions on tensors: ``np.exp(t)``, ``np.concatenate([t, a])`` and ``a + t`` give tensors with their graph.

Numpy asks a tensor what its functions mean for it. One table answers: each entry has the arguments of numpy's function
and calls ours, which knows the gradient. What numpy means counts (``np.var`` divides by n, ``np.median`` takes the
mean of the two in the middle), dtypes are PyTorch's.
"""

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dtypes import category, get_default_dtype, is_float, promote
from .ops.dims import normal_dims
from .ops.formula import Elementwise
from .tensor import Tensor

__all__ = ["array_function", "array_ufunc"]


# --- ufuncs ----------------------------------------------------------------------------------------------------------

# The ufuncs that are not called as our functions are. All others are found by their name.
_UFUNCS = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "degrees": "rad2deg", "divide": "div", "equal": "eq", "fabs": "abs",
    "greater": "gt", "greater_equal": "ge", "invert": "bitwise_not", "left_shift": "bitwise_left_shift", "less": "lt",
    "less_equal": "le", "multiply": "mul", "negative": "neg", "not_equal": "ne", "power": "pow", "radians": "deg2rad",
    "right_shift": "bitwise_right_shift", "rint": "round", "subtract": "sub", "vecdot": "linalg.vecdot",
}  # fmt: skip
_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "amax", "minimum": "amin", "logical_and": "all", "logical_or": "any",
}  # fmt: skip
_SCANS = {"add": "cumsum", "multiply": "cumprod"}
_OF_FLOATS = frozenset({"fabs", "hypot", "rint"})  # of integers too, as numpy has it


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """What numpy's ufuncs, and with them the operators of arrays, do when an operand is a tensor."""
    known = _elementwise.get(ufunc)
    if known is not None and method == "__call__" and not kwargs and not any(type(x) is list for x in inputs):
        return known(*inputs)
    name = ufunc.__name__
    dtype = kwargs.pop("dtype", None)
    if method == "__call__":
        function = _ufunc(name)
        if dtype is not None and getattr(function, "result", None) == "bool":
            kwargs["dtype"] = dtype
        if kwargs:
            raise TypeError(
                f"np.{name}: with tensors only the operands are taken; got {', '.join(f'{k}=' for k in kwargs)}; "
                "write into a tensor with copy_(), into an array with .detach().numpy()"
            )
        if function is not None:
            if isinstance(function, Elementwise) and name not in _OF_FLOATS:
                _elementwise[ufunc] = function
            operands = [x if type(x) in _OPERANDS else _as_tensor(x) for x in inputs]
            if name in _OF_FLOATS and dtype is None and category(promote(map(_plain, operands))) < 2:
                dtype = get_default_dtype()
            return function(*(operands if dtype is None else [_in(dtype, x) for x in operands]))
    elif method in ("reduce", "accumulate"):
        found = (_REDUCTIONS if method == "reduce" else _SCANS).get(name)
        axis, keepdims = kwargs.pop("axis", 0), kwargs.pop("keepdims", False)
        if found is not None and not kwargs and len(inputs) == 1:
            function = _over_all(found) if method == "reduce" else getattr(_library(), found)
            x = inputs[0] if dtype is None else inputs[0].to(dtype)
            return function(x, axis, keepdims) if method == "reduce" else function(x, axis)
    raise _unknown(name if method == "__call__" else f"{name}.{method}")


_elementwise: dict[np.ufunc, Callable] = {}  # those called so far; they take arrays as they are
_OPERANDS = frozenset({Tensor, float, int, bool})


def _as_tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _plain(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x


def _unknown(name: str) -> TypeError:
    return TypeError(f"np.{name}: there is no such function of tensors; use np.{name} on .detach().numpy()")


@functools.cache
def _ufunc(name: str) -> Callable | None:
    library: Any = _library()
    for part in _UFUNCS.get(name, name).split("."):
        library = getattr(library, part, None)
    return library


@functools.cache
def _library() -> Any:
    import autograd

    return autograd


# --- other functions -------------------------------------------------------------------------------------------------


def array_function(self: Tensor, func: Callable, types: Sequence[type], args: tuple, kwargs: dict) -> Any:
    """What numpy's other functions do when there is a tensor among the arguments."""
    if not all(issubclass(t, (Tensor, np.ndarray)) for t in types):
        return NotImplemented
    name = func.__module__.removeprefix("numpy").removeprefix(".") + "." + func.__name__
    name = name.removeprefix(".")
    adapter = _table().get(name)
    if adapter is None:
        raise _unknown(name)
    kwargs = {key: value for key, value in kwargs.items() if not (key == "out" and value is None)}
    try:
        inspect.signature(adapter).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"np.{name}: with tensors not every argument is taken; {error}; use .detach().numpy()"
        ) from None
    try:
        return adapter(*map(_tensors, args), **{key: _tensors(value) for key, value in kwargs.items()})
    except AttributeError as error:  # what is no tensor has not what one has
        raise TypeError(f"np.{name}: tensors and arrays are needed; {error}; use .detach().numpy()") from None


def _tensors(value: Any) -> Any:
    """The argument with its arrays as tensors."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf":
        return Tensor(value)
    if type(value) in (list, tuple) and any(isinstance(v, (Tensor, np.ndarray, list, tuple)) for v in value):
        return type(value)(map(_tensors, value))
    return value


def _flat(a: Any, axis: Any) -> tuple[Any, Any]:
    """Numpy's ``axis=None`` of a scan or sort: all elements in a row."""
    return (a.reshape(-1), 0) if axis is None else (a, axis)


def _floating(x: Any) -> Tensor:
    """x as numpy takes it for a mean: whole numbers in double precision."""
    x = _as_tensor(x)
    return x if is_float(x.dtype) else x.double()


def _in(dtype: Any, x: Any) -> Tensor:
    """x as a tensor of this dtype; a number is rounded once."""
    return x.to(dtype) if isinstance(x, Tensor) else Tensor(np.asarray(x, dtype))


def _pair(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of the dtype they promote to."""
    a, b = (x if type(x) in _OPERANDS else _as_tensor(x) for x in (a, b))
    dtype = _library().result_type(a, b)
    return _in(dtype, a), _in(dtype, b)


def _of_axes(function: Callable) -> Callable:
    """What is a ``function`` of a tensor and one axis, of numpy's axes: one, several, or None for all."""

    def over(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
        axes = normal_dims("axis", axis, x.ndim)
        rest = [n for d, n in enumerate(x.shape) if d not in axes]
        lines = x.movedim(axes, tuple(range(len(rest), x.ndim))) if axes else x
        out = function(lines.reshape(*rest, math.prod(x.shape[d] for d in axes)), -1)
        before = out.ndim - len(rest)  # the axis of several quantiles
        for d in axes if keepdims else ():
            out = out.unsqueeze(before + d)
        return out

    return over


def _over_all(name: str) -> Callable:
    """Our reduction of this name, over any number of axes."""
    function = getattr(_library(), name)
    return _of_axes(function) if name == "prod" else function


@functools.cache
def _table() -> dict[str, Callable]:
    """Our meaning of numpy's functions, by name."""
    A = _library()
    L = A.linalg
    from .numpy_shapes import shape_functions

    def reduction(function: Callable) -> Callable:
        return lambda a, axis=None, *, keepdims=False: function(_as_tensor(a), axis, keepdims)

    def adding(function: Callable, prepare: Callable = _as_tensor) -> Callable:
        def reduce(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
            return function(prepare(a) if dtype is None else _as_tensor(a).to(dtype), axis, keepdims)

        return reduce

    def deviation(function: Callable) -> Callable:
        def deviate(
            a: Any, axis: Any = None, *, ddof: float = 0, correction: Any = None, keepdims: bool = False
        ) -> Tensor:
            return function(_floating(a), axis, correction=ddof if correction is None else correction, keepdim=keepdims)

        return deviate

    def quantile(function: Callable, whole: float = 1) -> Callable:
        def of(a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
            x = _floating(a)
            level = _in(x.dtype, q) / whole
            return _of_axes(lambda x, dim: function(x, level, dim, interpolation=method))(x, axis, keepdims)

        return of

    def middle(function: Callable) -> Callable:
        return lambda a, axis=None, *, keepdims=False: quantile(function)(a, 0.5, axis, keepdims=keepdims)

    def scan(function: Callable) -> Callable:
        return lambda a, axis=None, dtype=None: function(*_flat(a, axis), dtype=dtype)

    def of_lines(function: Callable) -> Callable:
        return lambda a, b, /: function(*(x.reshape(-1) for x in _pair(a, b)))

    def dot(a: Any, b: Any) -> Tensor:
        a, b = _pair(a, b)
        if not a.ndim or not b.ndim:
            return a * b
        return A.matmul(a, b) if b.ndim <= 2 else A.tensordot(a, b, ([-1], [-2]))

    def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
        return L.norm(x, ord, axis, keepdims)

    def average(a: Any, axis: Any = None, weights: Any = None) -> Tensor:
        a = _floating(a)
        return A.mean(a, axis) if weights is None else A.sum(a * weights, axis) / A.sum(weights + a * 0, axis)

    table: dict[str, Callable] = {
        # reductions
        "sum": adding(A.sum), "prod": adding(_of_axes(A.prod)), "mean": adding(A.mean, _floating),
        "max": reduction(A.amax), "min": reduction(A.amin), "amax": reduction(A.amax), "amin": reduction(A.amin),
        "any": reduction(A.any), "all": reduction(A.all),
        "nansum": adding(A.nansum), "nanmean": adding(A.nanmean, _floating),
        "argmax": reduction(A.argmax), "argmin": reduction(A.argmin),
        "count_nonzero": lambda a, axis=None: A.count_nonzero(a, axis),
        "ptp": lambda a, axis=None, *, keepdims=False: A.amax(a, axis, keepdims) - A.amin(a, axis, keepdims),
        "std": deviation(A.std), "var": deviation(A.var), "average": average,
        "median": middle(A.quantile), "nanmedian": middle(A.nanquantile),
        "quantile": quantile(A.quantile), "nanquantile": quantile(A.nanquantile),
        "percentile": quantile(A.quantile, 100), "nanpercentile": quantile(A.nanquantile, 100),
        "cov": lambda m, *, ddof=1: A.cov(m, correction=ddof), "corrcoef": lambda x: A.corrcoef(x),
        # scans, sorting and counting
        "cumsum": scan(A.cumsum), "cumprod": scan(A.cumprod),
        "diff": lambda a, n=1, axis=-1: A.diff(a, n, axis),
        "trapezoid": lambda y, x=None, dx=1.0, axis=-1: (
            A.trapezoid(y, dx=dx, dim=axis) if x is None else A.trapezoid(y, x, dim=axis)
        ),
        "sort": lambda a, axis=-1, *, stable=None: A.sort(*_flat(a, axis)).values,
        "argsort": lambda a, axis=-1, *, stable=None: A.argsort(*_flat(a, axis), stable=bool(stable)),
        "searchsorted": lambda a, v, side="left": A.searchsorted(_as_tensor(a), _as_tensor(v), side=side),
        "bincount": lambda x, /, weights=None, minlength=0: A.bincount(x, weights, minlength),
        "unique": lambda ar, *, return_inverse=False, return_counts=False: A.unique(
            ar, return_inverse=return_inverse, return_counts=return_counts
        ),
        "isin": lambda element, test_elements: A.isin(_as_tensor(element), _as_tensor(test_elements)),
        # elementwise
        "where": lambda condition, x=None, y=None: (
            A.nonzero(condition, as_tuple=True) if x is None else A.where(_as_tensor(condition), x, y)
        ),
        "clip": lambda a, a_min=None, a_max=None, *, min=None, max=None: A.clip(
            a, min if a_min is None else a_min, max if a_max is None else a_max
        ),
        "round": lambda a, decimals=0: A.round(a, decimals=decimals),
        "around": lambda a, decimals=0: A.round(a, decimals=decimals),
        "nan_to_num": lambda x, *, nan=0.0, **limits: A.nan_to_num(x, nan, **limits),
        "isclose": lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: A.isclose(
            *_pair(a, b), rtol, atol, equal_nan
        ),
        "allclose": lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: A.allclose(
            *_pair(a, b), rtol, atol, equal_nan
        ),
        "array_equal": lambda a1, a2: A.equal(_as_tensor(a1), _as_tensor(a2)),
        "isposinf": lambda x: A.isposinf(x), "isneginf": lambda x: A.isneginf(x), "isreal": lambda x: A.isreal(x),
        "sinc": lambda x: A.sinc(x), "i0": lambda x: A.i0(x),
        # products
        "dot": dot, "vdot": of_lines(A.vdot), "inner": lambda a, b, /: A.inner(*_pair(a, b)),
        "outer": lambda a, b: of_lines(A.outer)(a, b), "kron": lambda a, b: A.kron(*_pair(a, b)),
        "tensordot": lambda a, b, axes=2: A.tensordot(a, b, axes),
        "einsum": lambda subscripts, *operands: A.einsum(subscripts, *operands),
        "cross": lambda a, b, *, axis=-1: L.cross(a, b, dim=axis),
        # linear algebra
        "linalg.norm": norm, "linalg.solve": lambda a, b: L.solve(a, b), "linalg.inv": lambda a: L.inv(a),
        "linalg.det": lambda a: L.det(a), "linalg.slogdet": lambda a: L.slogdet(a), "linalg.pinv": lambda a: L.pinv(a),
        "linalg.cholesky": lambda a, /, *, upper=False: L.cholesky(a, upper=upper),
        "linalg.qr": lambda a, mode="reduced": L.qr(a, mode),
        "linalg.eigh": lambda a, UPLO="L": L.eigh(a, UPLO), "linalg.eigvalsh": lambda a, UPLO="L": L.eigvalsh(a, UPLO),
        "linalg.eigvals": lambda a: L.eigvals(a),
        "linalg.svd": lambda a, full_matrices=True, compute_uv=True: (
            L.svd(a, full_matrices) if compute_uv else L.svdvals(a)
        ),
        "linalg.svdvals": lambda x, /: L.svdvals(x), "linalg.lstsq": lambda a, b: L.lstsq(a, b),
        "linalg.matrix_power": lambda a, n: L.matrix_power(a, n),
        "linalg.multi_dot": lambda arrays: L.multi_dot(arrays),
        "linalg.matrix_rank": lambda A: L.matrix_rank(A), "linalg.cond": lambda x, p=None: L.cond(x, p),
        "linalg.matrix_norm": lambda x, /, *, keepdims=False, ord="fro": L.matrix_norm(x, ord, keepdim=keepdims),
        "linalg.vector_norm": lambda x, /, *, axis=None, keepdims=False, ord=2: L.vector_norm(x, ord, axis, keepdims),
        "linalg.vecdot": lambda x1, x2, /, *, axis=-1: L.vecdot(x1, x2, dim=axis),
        "linalg.cross": lambda x1, x2, /, *, axis=-1: L.cross(x1, x2, dim=axis),
        "linalg.matmul": lambda x1, x2, /: A.matmul(x1, x2),
        "linalg.outer": lambda x1, x2, /: A.outer(x1, x2),
        "linalg.tensordot": lambda x1, x2, /, *, axes=2: A.tensordot(x1, x2, axes),
    }  # fmt: skip
    return table | shape_functions(A, _as_tensor)


Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
