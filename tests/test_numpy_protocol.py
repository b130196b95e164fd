"""numpy's functions on tensors: numpy's values, and our graph."""

import timeit

import numpy as np
import pytest

import autograd
from autograd import Tensor
from autograd.numpy_protocol import _table


def array(*shape, low=0.1, high=0.9, seed=0):
    return np.random.default_rng(seed).uniform(low, high, shape)


A, B, V, W = array(2, 3), array(2, 3, seed=1), array(4), array(4, seed=2)
S = array(3, 3) @ array(3, 3).T + np.eye(3)
M = np.array([[True, False, True], [False, False, True]])
N = np.array([[2, 0, 1], [1, 1, 0]])

UFUNCS = {
    1: "absolute arccos arcsin arcsinh arctan arctanh ceil cos cosh deg2rad degrees exp exp2 expm1 fabs floor isfinite isinf "
    "isnan log log10 log1p log2 logical_not negative positive rad2deg radians reciprocal rint sign signbit sin sinh sqrt "
    "square tan tanh trunc",
    2: "add arctan2 copysign divide equal float_power floor_divide fmax fmin fmod greater greater_equal heaviside hypot less "
    "less_equal logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum multiply nextafter not_equal power "
    "remainder subtract",
}


@pytest.mark.parametrize(("arity", "name"), [(n, name) for n, names in UFUNCS.items() for name in names.split()])
def test_ufuncs(arity, name):
    function = getattr(np, name)
    arrays = [A, B][:arity]
    check(function, arrays, {})
    if arity == 2:
        mixed = function(A, Tensor(B))
        np.testing.assert_allclose(mixed.array, function(A, B), rtol=1e-12)
        np.testing.assert_allclose(function(Tensor(A), 2.0).array, function(A, 2.0), rtol=1e-12)


def test_ufuncs_of_integers():
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm", "left_shift", "right_shift"):
        np.testing.assert_array_equal(getattr(np, name)(Tensor(N), N + 1).array, getattr(np, name)(N, N + 1))
    np.testing.assert_array_equal(np.invert(Tensor(N)).array, ~N)


@pytest.mark.parametrize("name", ["fabs", "rint", "hypot"])
def test_ufuncs_that_make_floats_of_integers(name):
    args = [N - 1, 3][: getattr(np, name).nin]
    found = getattr(np, name)(*convert(args))
    assert found.dtype == autograd.float32
    np.testing.assert_allclose(found.array, getattr(np, name)(*args), rtol=1e-6)


def test_a_dtype_for_ufuncs():
    t = Tensor(A.copy(), requires_grad=True)
    for ufunc, args in ((np.add, (t, 1)), (np.exp, (t,)), (np.hypot, (Tensor(N), 2)), (np.add.reduce, (t,))):
        assert ufunc(*args, dtype=np.float32).dtype == np.float32
    np.add(t, 1, dtype=np.float32).sum().backward()
    assert t.grad.dtype == np.float64


def check(function, args, kwargs):
    """The values of the call with arrays, for tensors; a gradient where the result is floating."""
    wanted = function(*args, **kwargs)
    given = convert(args)
    result = function(*given, **convert(kwargs))
    compare(result, wanted)
    outs = [t for t in flat(result) if isinstance(t, Tensor) and t.is_floating_point()]
    if any(t.requires_grad for t in outs) and function not in (np.floor_divide, np.bincount):
        sum(t.sum() for t in outs if t.requires_grad).backward()


def convert(value):
    if isinstance(value, np.ndarray):
        return Tensor(value.copy(), requires_grad=value.dtype.kind == "f")
    if isinstance(value, dict):
        return {k: convert(v) for k, v in value.items()}
    return type(value)(map(convert, value)) if type(value) in (list, tuple) else value


def flat(value):
    return [leaf for v in value for leaf in flat(v)] if isinstance(value, (list, tuple)) else [value]


def compare(result, wanted):
    if isinstance(wanted, (list, tuple)):
        assert len(result) == len(wanted)
        for a, b in zip(result, wanted, strict=True):
            compare(a, b)
    elif isinstance(result, Tensor):
        assert result.shape == np.shape(wanted)
        np.testing.assert_allclose(result.detach().numpy(), wanted, rtol=1e-9, atol=1e-12)
    else:
        assert result == wanted


T = np.stack([A, B])

# (function by its name in numpy, calls of it)
CALLS = {
    "sum": [(A,), (A, 0), ((A,), {"axis": (0, 1)}), ((A,), {"axis": 1, "keepdims": True}), ((N, 0), {}), ((N,), {"dtype": np.float64})],
    "prod": [(A,), (A, 1), ((T,), {"keepdims": True}), ((T,), {"axis": (0, 2)}), ((T,), {"axis": (2, 0), "keepdims": True}), (N, 0, np.float64)],
    "mean": [(A,), (A, 0), (N, 1), ((A,), {"dtype": np.float32, "axis": 0, "keepdims": True})],
    "max": [(A,), (A, 1)], "min": [(A,), ((A,), {"axis": 0, "keepdims": True})], "amax": [(A, 1)], "amin": [(A,)],
    "any": [(M,), (M, 1)], "all": [(M, 0)], "nansum": [(A, 0)], "nanmean": [(A,)],
    "argmax": [(A,), (A, 1)], "argmin": [(A, 0)], "count_nonzero": [(N,), (N, 1)], "ptp": [(A, 0)],
    "std": [(A,), ((A, 0), {"ddof": 1})], "var": [(A, 1), ((A,), {"correction": 1, "keepdims": True})],
    "average": [(A, 0), ((A,), {"axis": 1, "weights": B}), (N,), ((N,), {"axis": 1, "weights": N + 1})],
    "median": [(V,), (A, 0), (N,), (N, 1), ((T,), {"axis": (0, 1)}), ((T,), {"keepdims": True})], "nanmedian": [(A, 1)],
    "quantile": [(A, 0.3), ((A, 0.3, 1), {"keepdims": True}), (T, 0.3, (0, 2)), ((T, [0.3, 0.6], (2, 0)), {"keepdims": True}), (N, 0.3)],
    "nanquantile": [(A, 0.3)],
    "percentile": [(A, 30, 0), (A, [30, 60], (0, 1))], "nanpercentile": [(A, 30)],
    "cov": [(A,), ((A,), {"ddof": 0})], "corrcoef": [(A,)],
    "cumsum": [(A,), (A, 1), (N, 1, np.float64)], "cumprod": [(A, 0)], "diff": [(A,), (A, 2), ((A,), {"axis": 0})],
    "trapezoid": [(A,), ((A,), {"dx": 0.5, "axis": 0}), (V, np.sort(W))],
    "sort": [(A,), (A, None), (A, 0)], "argsort": [(A,), (A, 0)], "searchsorted": [(np.sort(V), W), ((np.sort(V), W, "right"), {})],
    "bincount": [(N[0],), ((N[0], A[0], 5), {})], "unique": [(N,), ((N,), {"return_counts": True})],
    "isin": [(N, np.array([1, 2]))],
    "where": [(M, A, B), (M, A, 0.0), (M,)], "clip": [(A, 0.3, 0.6), ((A,), {"max": 0.5}), ((A,), {"min": 0.4})],
    "round": [(A,), (A, 1)], "around": [(A, 2)], "nan_to_num": [(A,)],
    "isclose": [(A, B), (A, 0.5), (N, 1), (N, A), (0.1, A)], "allclose": [(A, A), (A, 1), (A * 0 + 1, 1), (N, N + 1e-9)], "array_equal": [(A, A), (A, B)],
    "isposinf": [(A,)], "isneginf": [(A,)], "isreal": [(A,)], "sinc": [(A,)], "i0": [(A,)],
    "dot": [(V, W), (A, B.T), (A, A[0]), (A, array(2, 3, 4))], "vdot": [(A, B)], "inner": [(A, B), (A, 2), (A, N), (V, [1, 2, 3, 4])],
    "outer": [(V, A), (V, 2), (N, V)], "kron": [(A, B), (A, 2), (0.1, A), (A, N)], "tensordot": [(A, B), ((A, B), {"axes": ([0], [0])})],
    "einsum": [("ij,ij->i", A, B)], "cross": [(A, B)], "matmul": [(A, B.T)],
    "linalg.norm": [(A,), (V, 1), (A, "nuc"), ((A,), {"axis": 1, "keepdims": True})],
    "linalg.solve": [(S, A.T), (S, A[0])], "linalg.inv": [(S,)], "linalg.det": [(S,)], "linalg.slogdet": [(S,)],
    "linalg.pinv": [(A,)], "linalg.cholesky": [(S,), ((S,), {"upper": True})], "linalg.qr": [(S,)],
    "linalg.eigh": [], "linalg.eigvalsh": [(S,)], "linalg.eigvals": [], "linalg.svd": [((A,), {"compute_uv": False})],
    "linalg.svdvals": [(A,)], "linalg.lstsq": [], "linalg.matrix_power": [(S, 3)], "linalg.multi_dot": [([A, S, S],)],
    "linalg.matrix_rank": [(S,)], "linalg.cond": [(S,)], "linalg.matrix_norm": [(A,)],
    "linalg.vector_norm": [(A,), ((A,), {"axis": 1, "ord": 1})], "linalg.vecdot": [(A, B)], "linalg.cross": [(A, B)],
    "linalg.matmul": [(A, B.T)], "linalg.outer": [(V, W)], "linalg.tensordot": [(A, B)], "linalg.trace": [(T,)],
    "linalg.diagonal": [(T,)], "linalg.matrix_transpose": [(T,)],
    "reshape": [(A, (3, 2)), (A, -1)], "ravel": [(A,)], "squeeze": [(A[None],), (A[None], 0)],
    "expand_dims": [(A, 1), (A, (0, 3))], "transpose": [(T,), (T, (1, 0, 2))], "matrix_transpose": [(T,)],
    "swapaxes": [(T, 0, 2)], "moveaxis": [(T, 0, -1)], "broadcast_to": [(A, (4, 2, 3))], "broadcast_arrays": [(A, A[0])],
    "atleast_1d": [(A,), (A, 2)], "atleast_2d": [(V,)], "atleast_3d": [(T,)],
    "flip": [(A,), (A, 1)], "fliplr": [(A,)], "flipud": [(A,)], "roll": [(A, 1), (A, 1, 1)], "rot90": [(A,), (A, 2)],
    "tile": [(A, 2), (A, (2, 1, 2))], "repeat": [(A, 2), (A, 2, 1)],
    "diag": [(V,), (S, 1)], "diagflat": [(V,)], "diagonal": [(S,), (T, 0, 1, 2)], "trace": [(S,), (T, 0, 1, 2)],
    "tril": [(S,), (S, -1), (V,)], "triu": [(S, 1), (V, 1)],
    "concatenate": [([A, B],), ([A, B], 1), ([A, V], None)], "append": [(A, V), (A, B, 0)], "stack": [([A, B],), ([A, B], -1)],
    "hstack": [([A, B],)], "vstack": [([A, B],)], "dstack": [([A, B],)], "column_stack": [([V, W],)],
    "split": [(V, 2), (A, [1, 2], 1)], "array_split": [(A, 2, 1)], "hsplit": [(A, 3)], "vsplit": [(A, 2)], "dsplit": [(T, 3)],
    "unstack": [(A,)], "meshgrid": [(V, W), ((V, W), {"indexing": "ij"})],
    "take": [(A, N), (A, N, 1)], "take_along_axis": [(A, N, 1)], "nonzero": [(N,)], "argwhere": [(N,)], "flatnonzero": [(N,)],
    "zeros_like": [(A,)], "ones_like": [(A,)], "empty_like": [], "full_like": [(A, 3.0)], "copy": [(A,)], "astype": [(A, np.float32)],
    "shape": [(A,)], "ndim": [(A,)], "size": [(A,), (A, 1)], "iscomplexobj": [(A,)], "isrealobj": [(A,)],
    "result_type": [(A, B)], "shares_memory": [(A, B)], "may_share_memory": [(A, B)],
}  # fmt: skip


def named(name):
    found = np
    for part in name.split("."):
        found = getattr(found, part)
    return found


def test_every_entry_has_a_call():
    assert set(_table()) - set(CALLS) == set()


@pytest.mark.parametrize(
    ("name", "call"),
    [(n, c) for n, calls in CALLS.items() for c in calls],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_functions(name, call):
    args, kwargs = call if len(call) == 2 and isinstance(call[1], dict) else (call, {})
    if name == "astype":
        np.testing.assert_array_equal(np.astype(Tensor(A), np.float32).array, A.astype(np.float32))
        return
    check(named(name), args, kwargs)


def test_decompositions():
    values, vectors = np.linalg.eigh(Tensor(S))
    np.testing.assert_allclose((vectors * values @ vectors.mT).array, S)
    u, s, vh = np.linalg.svd(Tensor(A), full_matrices=False)
    np.testing.assert_allclose((u * s @ vh).array, A)
    np.testing.assert_allclose(np.linalg.lstsq(Tensor(S), Tensor(A.T))[0].array, np.linalg.solve(S, A.T))
    np.testing.assert_allclose(np.linalg.eigvals(Tensor(np.diag(V))).array, V)


def test_gradients_come_through():
    t = Tensor(A.copy(), requires_grad=True)
    y = np.sum(np.exp(np.concatenate([t, B])) * A.repeat(2, 0), axis=0)
    (g,) = autograd.grad(y.sum(), t)
    np.testing.assert_allclose(g.array, np.exp(A) * A.repeat(2, 0)[:2])
    (g,) = autograd.grad(np.linalg.solve(S, t.mT).sum(), t)
    np.testing.assert_allclose(g.array, np.tile(np.linalg.solve(S.T, np.ones(3)), (2, 1)))


def test_operators_with_arrays():
    t = Tensor(A.copy(), requires_grad=True)
    for result in (B + t, t + B, B * t, B - t, B / t, B @ t.mT, B**t, t < B, np.float64(2) * t, np.add.reduce(t)):
        assert isinstance(result, Tensor)
    np.testing.assert_allclose((B - t).detach().numpy(), B - A)
    (g,) = autograd.grad((B / t).sum(), t)
    np.testing.assert_allclose(g.array, -B / A**2)
    assert (np.float32(2) * autograd.ones(2)).dtype == np.float32
    assert (np.ones(2) + autograd.ones(2)).dtype == np.float64
    np.testing.assert_allclose(np.add([1.0, 2.0, 3.0], Tensor(A)).array, A + np.array([1.0, 2.0, 3.0]))


def test_inside_vmap_and_grad():
    t = Tensor(A)
    np.testing.assert_allclose(autograd.vmap(lambda row: np.sum(np.exp(row)))(t).array, np.exp(A).sum(1))
    np.testing.assert_allclose(autograd.func.grad(lambda x: np.sum(B * np.exp(x)))(t).array, B * np.exp(A))


def test_methods_of_ufuncs():
    t = Tensor(A)
    for ufunc in (np.add, np.multiply, np.maximum, np.minimum):
        np.testing.assert_allclose(ufunc.reduce(t).array, ufunc.reduce(A))
        np.testing.assert_allclose(ufunc.reduce(t, axis=1, keepdims=True).array, ufunc.reduce(A, axis=1, keepdims=True))
    np.testing.assert_allclose(np.add.accumulate(t, axis=1).array, np.add.accumulate(A, axis=1))


def test_what_numpy_makes_of_a_tensor_is_an_array():
    assert type(np.asarray(Tensor(A))) is np.ndarray
    assert type(np.array(Tensor(A), dtype=np.float32)) is np.ndarray
    np.testing.assert_allclose(Tensor(A), A)


def test_operators_are_as_fast_with_the_array_on_the_left():
    t, a = autograd.ones(4), np.ones(4, np.float32)
    t + a

    def best(call):
        return min(timeit.repeat(call, number=500, repeat=20))

    assert best(lambda: a + t) < 4 * best(lambda: t + a)


def into_an_array():
    a = np.ones((2, 3))
    a += Tensor(A)


REFUSED = [
    (lambda t: np.cbrt(t), "np.cbrt: there is no such function of tensors; use np.cbrt on .detach().numpy()"),
    (lambda t: np.gradient(t), "np.gradient: there is no such function of tensors; use np.gradient on .detach().numpy()"),
    (lambda t: np.fft.fft(t), "np.fft.fft: there is no such function of tensors; use np.fft.fft on .detach().numpy()"),
    (lambda t: np.add.at(t, 0, 1), "np.add.at: there is no such function of tensors; use np.add.at on .detach().numpy()"),
    (lambda t: np.add(t, t, out=t), "np.add: with tensors only the operands are taken; got out=; write into a tensor with copy_(), into an array with .detach().numpy()"),
    (lambda t: np.add(t, t, where=M), "np.add: with tensors only the operands are taken; got where=; write into a tensor with copy_(), into an array with .detach().numpy()"),
    (lambda t: into_an_array(), "np.add: with tensors only the operands are taken; got out=; write into a tensor with copy_(), into an array with .detach().numpy()"),
    (lambda t: np.sum(t, where=M), "np.sum: with tensors not every argument is taken; got an unexpected keyword argument 'where'; use .detach().numpy()"),
    (lambda t: np.sum(t, out=np.ones(())), "np.sum: with tensors not every argument is taken; got an unexpected keyword argument 'out'; use .detach().numpy()"),
    (lambda t: np.less(t, t, dtype=bool), "np.less: with tensors only the operands are taken; got dtype=; write into a tensor with copy_(), into an array with .detach().numpy()"),
    (lambda t: np.cross([1, 2, 3], t), "np.cross: tensors and arrays are needed; 'list' object has no attribute 'ndim'; use .detach().numpy()"),
    (lambda t: np.split(t, 2, 1), "np.split: the parts must be equal; got 2 of an axis of length 3"),
    (lambda t: np.asarray(t.requires_grad_()), "numpy: the tensor needs a gradient; got requires_grad=True; use detach().numpy()"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[f"{i}: {m[:40]}" for i, (_, m) in enumerate(REFUSED)])
def test_refused(act, message):
    with pytest.raises((RuntimeError, ValueError, TypeError)) as caught:
        act(Tensor(A.copy()))
    assert str(caught.value) == message
