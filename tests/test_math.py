"""Arithmetic, reductions and their like: error texts, choices at kinks, and what the table of rows can't say."""

import warnings

import numpy as np
import pytest
import torch

import autograd
from autograd import Tensor, tensor

F2 = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
F1 = tensor([1.0, 2.0, 3.0])
I1 = tensor([1, 2, 3])
B1 = tensor([True, False, True])

ERRORS = {
    "add alpha": (
        lambda: autograd.add(I1, I1, alpha=1.5), RuntimeError,
        "add: of integers alpha must be an integer; got alpha=1.5",
    ),
    "sub bool": (lambda: B1 - B1, RuntimeError, "sub: integer or floating tensors are needed; got bool"),
    "neg bool": (lambda: -B1, RuntimeError, "neg: integer or floating tensors are needed; got bool"),
    "gcd": (lambda: autograd.gcd(F1, F1), RuntimeError, "gcd: integer tensors are needed; got float32"),
    "xor": (lambda: F1 ^ F1, RuntimeError, "bitwise_xor: bool or integer tensors are needed; got float32"),
    "hypot": (lambda: autograd.hypot(I1, I1), RuntimeError, "hypot: floating tensors are needed; got int64"),
    "broadcast": (
        lambda: F2 + tensor([1.0, 2.0]), RuntimeError,
        "add: the shapes do not broadcast; got (2, 3), (2,); from the last axis on, lengths must be equal or one of them 1",
    ),
    "rounding mode": (
        lambda: autograd.div(F1, 2, rounding_mode="up"), RuntimeError,
        "div: rounding_mode must be None, \"trunc\" or \"floor\"; got 'up'",
    ),
    "integer power": (lambda: I1**-1, RuntimeError, "pow: integers have no negative powers; got -1 for int64; use floats"),
    "clamp": (
        lambda: F1.clamp(), RuntimeError, "clamp: at least one of min and max is needed; got None and None",
    ),
    "polygamma": (
        lambda: autograd.polygamma(-1, F1), RuntimeError, "polygamma: the order must not be negative; got n=-1",
    ),
    "isclose": (
        lambda: autograd.isclose(F1, I1), RuntimeError,
        "isclose: the dtypes must be equal; got float32 and int64",
    ),
    "frexp": (lambda: autograd.frexp(I1), RuntimeError, "frexp: floating tensors are needed; got int64"),
    "floor_divide gradient": (
        lambda: (F1.clone().requires_grad_() // 2).sum().backward(), RuntimeError,
        "floor_divide: no derivative with respect to input; got one that requires it; detach() it",
    ),
    "mean": (
        lambda: I1.mean(), RuntimeError, "mean: the tensor must be floating; got int64; convert it with to()",
    ),
    "var": (lambda: I1.var(), RuntimeError, "var: the tensor must be floating; got int64; convert it with to()"),
    "dim": (lambda: F1.sum(1), IndexError, "sum: dim must be in [-1, 0]; got 1"),
    "dims": (lambda: F2.sum((0, -2)), RuntimeError, "sum: each dim may be named once; got dim=(0, -2)"),
    "amax": (
        lambda: autograd.zeros(0, 3).amax(0), IndexError,
        "amax: nothing to choose from; got shape (0, 3) over dim (0,)",
    ),
    "max": (
        lambda: autograd.zeros(0).max(), RuntimeError, "max: nothing to choose from; got shape (0,) over dim (0,)",
    ),
    "argmax": (lambda: B1.argmax(), RuntimeError, "argmax: integer or floating tensors are needed; got bool"),
    "topk": (lambda: F1.topk(4), RuntimeError, "topk: k must be in [0, 3]; got 4 for shape (3,) over dim 0"),
    "kthvalue": (lambda: F1.kthvalue(0), RuntimeError, "kthvalue: k must be in [1, 3]; got 0 for shape (3,) over dim 0"),
    "mode": (
        lambda: autograd.zeros(2, 0).mode(), IndexError, "mode: nothing to choose from; got shape (2, 0) over dim 1",
    ),
    "searchsorted": (
        lambda: autograd.searchsorted(F2, F1), RuntimeError,
        "searchsorted: the sequence has one axis or the leading axes of the values; got (2, 3) and (3,)",
    ),
    "quantile": (lambda: F1.quantile(1.5), RuntimeError, "quantile: q must be in [0, 1]; got 1.5"),
    "quantile dtype": (
        lambda: I1.quantile(0.5), RuntimeError,
        "quantile: the tensor must be floating; got int64; convert it with to()",
    ),
    "interpolation": (
        lambda: F1.quantile(0.5, interpolation="cubic"), RuntimeError,
        "quantile: interpolation must be one of linear, lower, higher, nearest, midpoint; got 'cubic'",
    ),
    "bincount": (
        lambda: autograd.bincount(tensor([-1])), RuntimeError,
        "bincount: a vector of integers that are not negative is needed; got int64 of (1,)",
    ),
    "histc": (lambda: F1.histc(4, 5, 2), RuntimeError, "histc: max must not be below min; got 5 and 2"),
    "cdist": (
        lambda: autograd.cdist(F2, autograd.ones(2, 2)), RuntimeError,
        "cdist: rows must have equal lengths; got (2, 3) and (2, 2)",
    ),
    "prod": (lambda: F2.prod(keepdim=True), TypeError, "prod: keepdim goes with a dim; got keepdim=True alone"),
    "positive": (
        lambda: +(F2 > 0), NotImplementedError, "positive: integer or floating tensors are needed; got bool",
    ),
    "renorm": (lambda: F2.renorm(2, 0, -1), RuntimeError, "renorm: p must be positive and maxnorm not negative; got p=2 and maxnorm=-1"),
    "diff": (lambda: tensor(1.0).diff(), RuntimeError, "diff: the tensor must have an axis; got a 0-d tensor"),
    "trapezoid": (
        lambda: autograd.trapezoid(F1, F1, dx=1), RuntimeError,
        "trapezoid: either the points or their distance; got both x and dx",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    call, kind, text = ERRORS[case]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text


def gradient(function, values, dtype="float64"):
    mine = Tensor(np.array(values, dtype), requires_grad=True)
    theirs = torch.tensor(np.array(values, dtype), requires_grad=True)
    outs = [function(mine), function(theirs)]
    for out in outs:
        out.sum().backward()
    return mine.grad.numpy(), theirs.grad.numpy()


KINKS = {
    "amax": (lambda t: t.amax(), [1.0, 3.0, 3.0]),
    "amin over dim": (lambda t: t.amin(1), [[1.0, 1.0, 2.0], [0.0, 5.0, 0.0]]),
    "max": (lambda t: t.max(), [3.0, 3.0, 3.0]),
    "max over dim": (lambda t: t.max(0).values, [1.0, 3.0, 3.0]),
    "median": (lambda t: t.median(), [1.0, 2.0, 2.0]),
    "cummax": (lambda t: t.cummax(0).values, [1.0, 3.0, 3.0, 3.0]),
    "sort": (lambda t: t.sort().values * t.detach(), [2.0, 1.0, 3.0]),
    "norm": (lambda t: t.norm(), [0.0, 0.0]),
    "norm 1": (lambda t: t.norm(1), [0.0, -2.0]),
    "norm inf": (lambda t: t.norm(float("inf")), [2.0, -2.0, 1.0]),
    "std": (lambda t: t.std(), [1.0, 1.0, 1.0]),
    "prod": (lambda t: t.prod(), [0.0, 2.0, 3.0]),
    "prod of zeros": (lambda t: t.prod(), [0.0, 0.0, 3.0]),
    "cumprod": (lambda t: t.cumprod(0), [2.0, 0.0, 3.0, 0.0, 4.0]),
    "abs": (lambda t: t.abs(), [0.0, -1.0]),
    "clamp": (lambda t: t.clamp(-1, 1), [-1.0, 1.0, 2.0]),
    "dist": (lambda t: (t - t).norm(), [1.0, 2.0]),
    "nansum": (lambda t: t.nansum(), [1.0, np.nan]),
}


@pytest.mark.parametrize("case", KINKS)
def test_gradients_at_kinks(case):
    mine, theirs = gradient(*KINKS[case])
    np.testing.assert_array_equal(mine, theirs)


def test_gradients_stay_finite_where_the_true_one_is():
    x = tensor([float("-inf"), float("-inf"), 1.0, 2.0], requires_grad=True)
    x.logcumsumexp(0).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, 1.268941, 0.731059], rtol=1e-5)
    y = tensor([1000.0, -1000.0, 0.0], requires_grad=True)
    autograd.logaddexp(y, tensor([-1000.0, 1000.0, 0.0])).sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), [1, 0, 0.5])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, 0.5, 1.5, -0.5, -1, -2, -3, 2.0])
def test_powers_of_numbers(exponent):
    values = np.array([0.0, -0.0, 1.0, -1.0, 0.25, -3.0, 1e30, -1e30, np.inf, -np.inf, np.nan])
    if exponent % 1:
        values = values[~np.signbit(values)]  # roots of -0.0 and -inf are what each library makes of them
    for dtype in ("float32", "float64"):
        mine, theirs = gradient(lambda t: t**exponent, values, dtype)
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
        ours, torchs = (
            np.asarray(t**exponent) for t in (Tensor(values.astype(dtype)), torch.tensor(values.astype(dtype)))
        )
        np.testing.assert_allclose(ours, torchs, rtol=1e-6)
    if exponent >= 0:
        ours, torchs = tensor([2, 3, -1]) ** exponent, torch.tensor([2, 3, -1]) ** exponent
        np.testing.assert_allclose(ours.numpy(), torchs.numpy(), rtol=1e-6)
        assert ours.numpy().dtype == torchs.numpy().dtype


def test_fields_have_pytorchs_names():
    t = torch.tensor([[3.0, 1.0, 2.0]])
    x = tensor([[3.0, 1.0, 2.0]])
    calls = [
        lambda t: t.max(1), lambda t: t.min(1), lambda t: t.sort(), lambda t: t.topk(2), lambda t: t.kthvalue(1),
        lambda t: t.median(1), lambda t: t.nanmedian(1), lambda t: t.mode(1), lambda t: t.cummax(1),
        lambda t: t.cummin(1), lambda t: t.aminmax(), lambda t: t.frexp(), lambda t: t.histogram(2),
    ]  # fmt: skip
    for call in calls:
        names = [name for name in dir(call(t)) if not name.startswith(("_", "n_")) and name not in ("count", "index")]
        assert sorted(call(x)._fields) == sorted(names)


def test_positive_is_the_tensor_itself():
    x = tensor([1.0, 2.0])
    assert +x is x.positive() is autograd.positive(x) is x


def test_no_warning_leaks():
    values = np.array([0.0, -1.0, np.inf, -np.inf, np.nan, 1e300])
    x = Tensor(values, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("log", "sqrt", "exp", "sum", "mean", "var", "std", "prod", "amax", "median", "norm", "digamma"):
            getattr(x, name)().sum().backward()
        for name in ("cumsum", "cumprod", "cummax", "logcumsumexp", "diff", "remainder", "pow", "atan2", "xlogy"):
            out = getattr(x, name)(0 if name.startswith(("cum", "log")) else 1 if name == "diff" else x)
            (out[0] if isinstance(out, tuple) else out).sum().backward()
        x / 0, x // 0.0, x % 0.0, autograd.cov(x), autograd.quantile(x, 0.5), autograd.corrcoef(x)


def test_integer_division_by_zero_is_refused():
    for name in ("floor_divide", "remainder", "fmod"):
        with pytest.raises(RuntimeError, match=f"{name}: integers can't be divided by 0; got int64; use floats"):
            getattr(I1, name)(0)


def test_half_precision_sums_in_single():
    x = autograd.ones(4096, dtype=autograd.float16)
    assert x.sum().item() == 4096 and x.sum().dtype == np.float16
    assert x.mean().item() == 1


def test_a_long_column_is_summed_in_blocks():
    x = np.random.default_rng(0).uniform(size=(100_000, 2)).astype(np.float32)
    exact = x.astype(np.float64).sum(0)
    np.testing.assert_allclose(Tensor(x).sum(0).numpy(), exact, rtol=1e-6)


def test_importing_brings_in_neither_scipy_nor_numba():
    import subprocess
    import sys

    code = "import autograd, sys; print([m for m in ('scipy', 'numba') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name", ["add", "mul", "clamp", "round", "cumsum", "logical_not", "lt", "renorm", "nan_to_num"]
)
def test_forms_in_place(name):
    args = {"add": (2,), "mul": (3,), "clamp": (0, 1), "cumsum": (0,), "lt": (0.5,), "renorm": (2, 0, 1.0)}.get(
        name, ()
    )
    values = np.array([[0.25, -1.5, 2.5], [0.0, 7.0, 1.0]])
    mine, theirs = Tensor(values.copy()), torch.tensor(values)
    assert getattr(mine, f"{name}_")(*args) is mine
    getattr(theirs, f"{name}_")(*args)
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-6)


def test_shift_operators():
    assert ((I1 << 2).tolist(), (I1 >> 1).tolist(), (1 << I1).tolist()) == ([4, 8, 12], [0, 1, 1], [2, 4, 8])
