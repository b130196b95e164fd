"""func: derivatives and maps of functions, with torch.func as the oracle."""

import numpy as np
import pytest
import torch

import autograd
import nn
from autograd import Tensor
from autograd.func import (
    functional_call,
    grad,
    grad_and_value,
    jacfwd,
    jacrev,
    jvp,
    stack_module_state,
    vjp,
    vmap,
)

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of its own jvp


def array(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.2, 1.5, shape)


def both(tree):
    """A nest of arrays as our tensors and as PyTorch's."""
    return convert(tree, lambda a: Tensor(a.copy())), convert(tree, lambda a: torch.from_numpy(a.copy()))


def convert(tree, function):
    if isinstance(tree, np.ndarray):
        return function(tree)
    if isinstance(tree, dict):
        return {k: convert(v, function) for k, v in tree.items()}
    return type(tree)(convert(v, function) for v in tree) if isinstance(tree, (tuple, list)) else tree


def assert_same(mine, theirs):
    if isinstance(theirs, torch.Tensor):
        assert isinstance(mine, Tensor)
        assert tuple(mine.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-11)
    elif isinstance(theirs, dict):
        assert mine.keys() == theirs.keys()
        for key in theirs:
            assert_same(mine[key], theirs[key])
    elif isinstance(theirs, (tuple, list)):
        assert type(mine) is type(theirs)
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs, strict=True):
            assert_same(a, b)
    else:
        assert mine == theirs


def f_scalar(x, y):
    return (x.sin() * y).sum() + (x**3).mean() * y.max()


def f_vector(x, y):
    return x.exp() @ y + (x * x).sum(1)


def f_tree(p, x):
    h = (x @ p["w"] + p["b"]).tanh()
    return {"mean": h.mean(0), "parts": (h.sum(), [h[0], h.exp().prod()])}


def f_loss(p, x):
    return ((x @ p["w"] + p["b"]).tanh() ** 2).sum()


P = {"w": array(3, 2), "b": array(2, seed=1)}
X, Y = array(4, 3, seed=2), array(4, 3, seed=3)
V = array(3, seed=4)

# (what is called, our and their transformation): both get the namespace of functions as `F`.
CASES = {
    "grad": lambda F, x, y, v, p: F.grad(f_scalar)(x, y),
    "grad argnums": lambda F, x, y, v, p: F.grad(f_scalar, argnums=(1, 0))(x, y),
    "grad last": lambda F, x, y, v, p: F.grad(f_scalar, argnums=-1)(x, y),
    "grad nest": lambda F, x, y, v, p: F.grad(f_loss)(p, x),
    "grad aux": lambda F, x, y, v, p: F.grad(lambda a, b: (f_scalar(a, b), {"a": a * 2}), has_aux=True)(x, y),
    "grad keyword": lambda F, x, y, v, p: F.grad(f_scalar)(x, y=y),
    "grad_and_value": lambda F, x, y, v, p: F.grad_and_value(f_scalar, argnums=(0, 1))(x, y),
    "grad_and_value aux": lambda F, x, y, v, p: F.grad_and_value(lambda a: (a.sum(), a), has_aux=True)(x),
    "grad of grad": lambda F, x, y, v, p: F.grad(lambda a: F.grad(f_scalar)(a, y).sin().sum())(x),
    "grad three times": lambda F, x, y, v, p: F.grad(F.grad(F.grad(lambda a: (a**5).sin())))(v[0]),
    "grad of value": lambda F, x, y, v, p: F.grad(lambda a: F.grad_and_value(lambda b: (b**3).sum())(a)[1])(x),
    "no confusion": lambda F, x, y, v, p: F.grad(lambda a: a * F.grad(lambda b: a + b)(a))(v[0]),
    "vjp": lambda F, x, y, v, p: F.vjp(f_vector, x, v)[1](v.new_ones(4)),
    "vjp output": lambda F, x, y, v, p: F.vjp(f_vector, x, v)[0],
    "vjp nest": lambda F, x, y, v, p: F.vjp(f_tree, p, x)[1](f_tree(p, x)),
    "vjp aux": lambda F, x, y, v, p: F.vjp(lambda a: (a.exp(), a), x, has_aux=True)[2],
    "jvp": lambda F, x, y, v, p: F.jvp(f_vector, (x, v), (y, v)),
    "jvp nest": lambda F, x, y, v, p: F.jvp(f_tree, (p, x), (p, y)),
    "jvp aux": lambda F, x, y, v, p: F.jvp(lambda a: (a.exp(), a), (x,), (y,), has_aux=True),
    "jvp of jvp": lambda F, x, y, v, p: F.jvp(lambda a: F.jvp(lambda b: b.sin() * b, (a,), (y,))[1], (x,), (x,)),
    "grad of jvp": lambda F, x, y, v, p: F.grad(lambda a: F.jvp(lambda b: (b**3).sum(), (a,), (y,))[1])(x),
    "jvp of grad": lambda F, x, y, v, p: F.jvp(F.grad(lambda b: (b**3).sum()), (x,), (y,)),
    "jvp without dependence": lambda F, x, y, v, p: F.jvp(lambda a: y * 1, (x,), (x,)),
    "jvp of truth values": lambda F, x, y, v, p: F.jvp(lambda a: (a > 0, a * 2, a.argmax()), (x,), (y,)),
    "jacfwd of truth values": lambda F, x, y, v, p: F.jacfwd(lambda a: (a > 0, a * 2))(v),
    "vmap of jvp of a place": lambda F, x, y, v, p: F.vmap(lambda a: F.jvp(lambda b: b.argmax(), (a,), (a,)))(x),
    "vmap of writes": lambda F, x, y, v, p: F.vmap(lambda a: a.new_zeros(a.shape).copy_(a) + a.new_ones(2, a.shape[0]).mul_(a))(x),
    "vmap of vmap of writes": lambda F, x, y, v, p: F.vmap(F.vmap(lambda a: a.new_full((2,), 3.0).add_(a)))(x),
    "jacrev": lambda F, x, y, v, p: F.jacrev(f_vector)(x, v),
    "jacrev argnums": lambda F, x, y, v, p: F.jacrev(f_vector, argnums=(0, 1))(x, v),
    "jacrev nest": lambda F, x, y, v, p: F.jacrev(f_tree)(p, x),
    "jacrev aux": lambda F, x, y, v, p: F.jacrev(lambda a: (a.exp(), a), has_aux=True)(x),
    "jacrev chunks": lambda F, x, y, v, p: F.jacrev(f_vector, chunk_size=3)(x, v),
    "jacfwd": lambda F, x, y, v, p: F.jacfwd(f_vector)(x, v),
    "jacfwd argnums": lambda F, x, y, v, p: F.jacfwd(f_vector, argnums=(0, 1))(x, v),
    "jacfwd nest": lambda F, x, y, v, p: F.jacfwd(f_tree, argnums=1)(p, x),
    "jacfwd aux": lambda F, x, y, v, p: F.jacfwd(lambda a: (a.exp(), a), has_aux=True)(x),
    "jacfwd of jacrev": lambda F, x, y, v, p: F.jacfwd(F.jacrev(f_vector))(x, v),
    "jacrev of jacfwd": lambda F, x, y, v, p: F.jacrev(F.jacfwd(f_vector))(x, v),
    "hessian": lambda F, x, y, v, p: F.hessian(f_scalar)(x, y),
    "hessian argnums": lambda F, x, y, v, p: F.hessian(f_scalar, argnums=(0, 1))(x, y),
    "hessian of vector": lambda F, x, y, v, p: F.hessian(f_vector, argnums=1)(x, v),
    "vmap": lambda F, x, y, v, p: F.vmap(lambda a, b: (a * b).sum())(x, y),
    "vmap dims": lambda F, x, y, v, p: F.vmap(lambda a, b: a * b.sum(), in_dims=(1, None), out_dims=1)(x, y),
    "vmap nested dims": lambda F, x, y, v, p: F.vmap(f_tree, in_dims=({"w": 1, "b": None}, None), out_dims={"mean": 1, "parts": (0, [1, 0])})(
        {"w": p["w"][:, None] * v[None, :2, None], "b": p["b"]}, x
    ),
    "vmap out dims": lambda F, x, y, v, p: F.vmap(lambda a: (a, (a.sum(), a * 2)), out_dims=(1, (0, -1)))(x),
    "vmap constant output": lambda F, x, y, v, p: F.vmap(lambda a: (a, v * 2))(x),
    "vmap chunks": lambda F, x, y, v, p: F.vmap(lambda a, b: a @ b, chunk_size=3)(x, y),
    "vmap keyword": lambda F, x, y, v, p: F.vmap(lambda a, s: a * s.sum())(x, s=v),
    "vmap of vmap": lambda F, x, y, v, p: F.vmap(F.vmap(lambda a, b: a * b.sin(), in_dims=(None, 0)), in_dims=(0, None))(x, v),
    "vmap thrice": lambda F, x, y, v, p: F.vmap(F.vmap(F.vmap(lambda a, b: a * b, (0, None)), (None, 0)), (0, None))(x[None] * v[:2, None, None], v),
    "per-sample gradients": lambda F, x, y, v, p: F.vmap(F.grad(f_loss), in_dims=(None, 0))(p, x),
    "per-sample values": lambda F, x, y, v, p: F.vmap(F.grad_and_value(f_loss), in_dims=(None, 0))(p, x),
    "vmap of hessian": lambda F, x, y, v, p: F.vmap(F.hessian(lambda a, b: (a * b).sin().prod()), in_dims=(0, None))(x, v),
    "vmap of jacrev": lambda F, x, y, v, p: F.vmap(F.jacrev(lambda a: a.exp() * a.sum()))(x),
    "vmap of jacfwd": lambda F, x, y, v, p: F.vmap(F.jacfwd(lambda a: a.exp() * a.sum()))(x),
    "vmap of jvp": lambda F, x, y, v, p: F.vmap(lambda a, t: F.jvp(lambda b: b.exp() * b.sum(), (a,), (t,)))(x, y),
    "vmap of vjp": lambda F, x, y, v, p: F.vmap(lambda a, g: F.vjp(lambda b: b.exp() * b.sum(), a)[1](g))(x, y),
    "vmap of pullback": lambda F, x, y, v, p: F.vmap(F.vjp(lambda b: b.exp() * b.sum(), v)[1])(x),
    "vmap in vmap of pullback": lambda F, x, y, v, p: F.vmap(lambda a: F.vmap(F.vjp(lambda b: b.exp() * b.sum(), a)[1])(y))(x),
    "jacrev of vmap": lambda F, x, y, v, p: F.jacrev(F.vmap(lambda a: a.exp() * a.sum()))(x),
    "grad of vmap": lambda F, x, y, v, p: F.grad(lambda a: F.vmap(lambda b: (b * v).sin().sum())(a).prod())(x),
    "grad of vmap of grad": lambda F, x, y, v, p: F.grad(lambda a: F.vmap(F.grad(lambda b: (b**3).sum()))(a).sin().sum())(x),
    "vmap of grad of vmap": lambda F, x, y, v, p: F.vmap(F.grad(lambda a: F.vmap(lambda b: b.sin() * a.sum())(a).sum()))(x),
    "vmap of grad of grad": lambda F, x, y, v, p: F.vmap(F.grad(F.grad(lambda a: a.sin() * a)))(v),
    "vmap of one argument used twice": lambda F, x, y, v, p: F.vmap(F.grad(lambda a, b: (a * b).sum()), in_dims=(None, 0))(v, x),
    "whole argument inside": lambda F, x, y, v, p: F.vmap(lambda a: F.grad(lambda b: (b * a).sum())(v))(x),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_as_torch_func(name):
    mine, theirs = both((X, Y, V, P))
    assert_same(CASES[name](autograd.func, *mine), CASES[name](torch.func, *theirs))


# --- what belongs to what --------------------------------------------------------------------------------------------


def test_results_have_no_graph_unless_something_outside_asks():
    x, w = Tensor(V.copy()), Tensor(V.copy(), requires_grad=True)
    g, value = grad_and_value(lambda a: (a * a).sum())(x)
    assert not g.requires_grad
    assert not value.requires_grad
    g = grad(lambda a: (a * a * w).sum())(x)
    np.testing.assert_allclose(autograd.grad(g.sum(), w)[0].array, 2 * V)
    g = grad(lambda a: (a**3).sum())(w)
    np.testing.assert_allclose(autograd.grad(g.sum(), w)[0].array, 6 * V)
    y, pullback = vjp(autograd.sin, w)
    assert y.requires_grad
    np.testing.assert_allclose(autograd.grad(pullback(autograd.ones(3).double())[0].sum(), w)[0].array, -np.sin(V))
    with autograd.no_grad():
        assert not grad(lambda a: (a**3).sum())(w).requires_grad
        np.testing.assert_allclose(grad(lambda a: (a**3).sum())(w).array, 3 * V**2)
    assert w.grad is None


def test_aux_without_tensors_and_unused_arguments():
    x = Tensor(V.copy())
    g, aux = grad(lambda a, b: (a.sum(), {"n": 3, "t": a}), argnums=(0, 1), has_aux=True)(x, x)
    np.testing.assert_array_equal(g[1].array, np.zeros(3))
    assert aux["n"] == 3
    assert not aux["t"].requires_grad


def test_a_jacobian_of_nothing():
    x = Tensor(np.zeros((0,)))
    assert jacrev(lambda a: a * 2)(x).shape == (0, 0)
    assert jacfwd(lambda a: a * 2)(x).shape == (0, 0)


def test_pullbacks_can_be_called_again():
    _, pullback = vjp(autograd.sin, Tensor(V.copy()))
    one = autograd.ones(3).double()
    np.testing.assert_array_equal(pullback(one)[0].array, pullback(one)[0].array)


# --- modules ---------------------------------------------------------------------------------------------------------


def networks():
    mine = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
    theirs.load_state_dict({k: torch.from_numpy(v.array.copy()) for k, v in mine.state_dict().items()})
    return mine, theirs


def test_per_sample_gradients_of_a_module():
    mine, theirs = networks()
    t = np.array([0, 1, 1, 0])

    def loss(library, net, functional, F):
        def of(p, a, b):
            out = functional(net, p, (a[None],))
            return F.cross_entropy(out, b[None])

        return of

    p = {k: v.detach() for k, v in mine.named_parameters()}
    q = {k: v.detach() for k, v in theirs.named_parameters()}
    g = vmap(grad(loss(autograd, mine, functional_call, nn.functional)), in_dims=(None, 0, 0))(p, Tensor(X), Tensor(t))
    h = torch.func.vmap(
        torch.func.grad(loss(torch, theirs, torch.func.functional_call, torch.nn.functional)), in_dims=(None, 0, 0)
    )(q, torch.from_numpy(X), torch.from_numpy(t))
    assert_same(g, h)
    again = vmap(grad(loss(autograd, mine, functional_call, nn.functional)), in_dims=(None, 0, 0))(
        dict(mine.named_parameters()), Tensor(X), Tensor(t)
    )
    assert_same(again, h)
    assert again["0.weight"].requires_grad  # the parameters do, outside


def test_per_sample_gradients_of_a_convolution():
    autograd.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2)).double()
    p = {k: v.detach() for k, v in net.named_parameters()}
    x = Tensor(array(4, 2, 5, 5))

    def loss(q, a):
        return functional_call(net, q, (a[None],)).square().sum()

    g = vmap(grad(loss), in_dims=(None, 0))(p, x)
    for i in range(4):
        for name, value in grad(loss)(p, x[i]).items():
            np.testing.assert_allclose(g[name].array[i], value.array, rtol=1e-12)


def test_an_ensemble():
    nets = [networks()[0] for _ in range(3)]
    parameters, buffers = stack_module_state(nets)
    assert parameters["0.weight"].requires_grad
    assert buffers == {}
    x = Tensor(X)
    out = vmap(lambda p, b, a: functional_call(nets[0], (p, b), (a,)), in_dims=(0, 0, None))(parameters, buffers, x)
    for i, net in enumerate(nets):
        np.testing.assert_allclose(out.array[i], net(x).array, rtol=1e-12)


def test_functional_call_leaves_the_module_as_it_was():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).double()
    before = dict(net.named_parameters())
    mean = Tensor(np.zeros(4))
    x = Tensor(X)
    functional_call(net, {"0.weight": autograd.zeros(4, 3).double(), "1.running_mean": mean}, x)
    assert (mean.array != 0).any()
    assert (net[1].running_mean.array == 0).all()
    assert all(dict(net.named_parameters())[k] is v for k, v in before.items())
    assert net[0].weight is before["0.weight"]
    with pytest.raises(RuntimeError):
        functional_call(net, {"0.weight": autograd.zeros(4, 2).double()}, x)
    assert net[0].weight is before["0.weight"]


def test_tied_weights_are_replaced_together():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.a(x) + self.b(x)

    net, x, zero = Tied(), autograd.ones(1, 2), autograd.zeros(2, 2)
    assert functional_call(net, {"a.weight": zero}, x).abs().sum().item() == 0
    half = functional_call(net, {"a.weight": zero}, x, tie_weights=False)
    np.testing.assert_allclose(half.array, (net(x) / 2).detach().numpy(), rtol=1e-6)
    assert net.b.weight is net.a.weight


# --- maps ------------------------------------------------------------------------------------------------------------


def test_randomness():
    x = autograd.zeros(5)

    def noisy(a):
        return a + autograd.rand(3)

    for chunk in (None, 2):
        different = vmap(noisy, randomness="different", chunk_size=chunk)(x).array
        assert len(np.unique(different)) == 15
    same = vmap(noisy, randomness="same")(x).array
    assert (same == same[0]).all()
    assert (
        len(np.unique(vmap(vmap(noisy, randomness="different"), randomness="different")(x[None] + x[:2, None]).array))
        == 30
    )
    looped = vmap(lambda a: noisy(a) + float(len(np.unique(a.array))), randomness="same")(x).array
    assert (looped == looped[0]).all()


def test_what_needs_values_runs_lane_by_lane():
    x = Tensor(X)
    counts = []

    def function(row):
        counts.append(1)
        return row * float(np.median(row.array))

    np.testing.assert_allclose(vmap(function)(x).array, X * np.median(X, axis=1, keepdims=True))
    assert len(counts) == 1 + len(X)


def test_writes_in_place():
    x = Tensor(X.copy())

    def function(row):
        y = row * 2
        y[0] = row[1] * 10
        y[1:] += 1
        y.mul_(row)
        z = row.clone()
        z.zero_()
        for like in (autograd.zeros_like, autograd.ones_like, autograd.empty_like):
            z += like(row).copy_(row)
        return y + z + autograd.full_like(row, 3.0).mul_(row)

    wanted = np.stack([function(Tensor(row.copy())).array for row in X])
    np.testing.assert_allclose(vmap(function)(x).array, wanted)
    gradients = np.stack([grad(lambda r: function(r).sum())(Tensor(row.copy())).array for row in X])
    np.testing.assert_allclose(vmap(grad(lambda r: function(r).sum()))(x).array, gradients)
    vmap(lambda row: row.mul_(2))(x)
    np.testing.assert_allclose(x.array, 2 * X)


def test_a_function_of_the_user():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, a, power):
            ctx.save_for_backward(a)
            ctx.power = power
            return Tensor(a.array**power)

        @staticmethod
        def backward(ctx, g):
            return ctx.power * ctx.saved_tensors[0] ** (ctx.power - 1) * g, None

    x = Tensor(X.copy())
    np.testing.assert_allclose(vmap(lambda a: Cube.apply(a, 3))(x).array, X**3)
    np.testing.assert_allclose(vmap(grad(lambda a: Cube.apply(a, 3).sum()))(x).array, 3 * X**2)
    np.testing.assert_allclose(jacrev(lambda a: Cube.apply(a, 3))(x[0]).array, np.diag(3 * X[0] ** 2))


def test_indices_of_each_lane():
    x, i = Tensor(X), Tensor(np.array([2, 0, 1, 1]))
    j = Tensor(np.array([[2, 0], [1, 1], [0, 1], [2, 2]]))
    np.testing.assert_array_equal(vmap(lambda a, k: a[k])(x, i).array, X[np.arange(4), i.array])
    np.testing.assert_array_equal(vmap(lambda a, k: a[k])(x, j).array, np.take_along_axis(X, j.array, 1))
    np.testing.assert_array_equal(vmap(lambda k: x[0][k])(j).array, X[0][j.array])
    np.testing.assert_array_equal(vmap(lambda a, k: a.gather(0, k))(x, j).array, np.take_along_axis(X, j.array, 1))
    table = Tensor(array(3, 5))
    np.testing.assert_array_equal(vmap(lambda k: table[k])(j).array, table.array[j.array])


def test_a_mapped_tensor_shows_one_lane():
    seen = {}

    def function(a):
        seen.update(
            shape=a.shape, ndim=a.ndim, numel=a.numel(), dtype=a.dtype, size=a.size(0), length=len(a), repr=repr(a),
            grad=a.requires_grad, rows=len(list(a)), contiguous=a.is_contiguous(),
        )  # fmt: skip
        return a

    vmap(function)(Tensor(array(4, 3, 2)))
    assert seen == {
        "shape": (3, 2), "ndim": 2, "numel": 6, "dtype": np.dtype("float64"), "size": 3, "length": 3, "grad": False,
        "rows": 3, "contiguous": True, "repr": seen["repr"],
    }  # fmt: skip
    assert seen["repr"].endswith("lanes=4, shape=(3, 2), dtype=float64)")


def test_no_lanes():
    assert vmap(lambda a: a.sin().sum())(Tensor(np.zeros((0, 3)))).shape == (0,)


def branch(a):
    return a if a.sum() > 0 else -a


def leak():
    kept = []
    vmap(lambda a: kept.append(a) or a)(Tensor(X))
    kept[0].array + 1


def write_outside():
    kept = Tensor(V.copy())
    vmap(lambda a: kept.copy_(a))(Tensor(X))


REFUSED = [
    (lambda x: vmap(branch)(x), "bool: inside vmap a tensor has other values in every lane; got one of shape () a lane; choose with where(), which computes both sides"),
    (lambda x: vmap(lambda a: a.sum().item())(x), "item: inside vmap a tensor has other values in every lane; got one of shape () a lane; keep it a tensor"),
    (lambda x: vmap(lambda a: a.numpy())(x), "numpy: inside vmap a tensor has other values in every lane; got one of shape (3,) a lane; keep it a tensor"),
    (lambda x: vmap(lambda a: a.sum().backward())(x), "backward: inside vmap a tensor has other values in every lane; got one of shape () a lane; take gradients with func.grad or func.vjp"),
    (lambda x: vmap(lambda a: autograd.grad(a.sum(), a))(x.requires_grad_()), "vmap: the graph of a mapped tensor is that of all lanes; got one of shape (3,) a lane; take gradients with func.grad or func.vjp"),
    (lambda x: vmap(lambda a: a[a > 1])(x), "index: inside vmap a mask picks other numbers of elements in every lane; got a mask of shape (3,) a lane; use where()"),
    (lambda x: vmap(lambda a: a + autograd.rand(3))(x), 'vmap: random numbers were drawn in the mapped function; got randomness="error"; choose "different" or "same" for the lanes'),
    (lambda x: leak(), "vmap: a tensor was used after the map it belongs to, or by code that needs its values; got one that stands for every lane; return it from the mapped function"),
    (lambda x: write_outside(), "copy_: inside vmap the value is other in every lane, the tensor it is written into is not; got shape (3,); use the out-of-place operation"),
    (lambda x: vmap(lambda a: 1)(x), "vmap: the function must return tensors; got int; wrap it with tensor()"),
    (lambda x: vmap(lambda a: a, randomness="some")(x), "vmap: randomness must be \"error\", \"different\" or \"same\"; got 'some'"),
    (lambda x: vmap(lambda a: a, chunk_size=0)(x), "vmap: chunk_size must be at least 1; got 0"),
    (lambda x: vmap(lambda: x)(), "vmap: at least one positional argument must be mapped over; got none"),
    (lambda x: vmap(lambda a: a, in_dims="0")(x), "vmap: in_dims must be an integer or a tuple that fits the arguments; got '0'"),
    (lambda x: vmap(lambda a: a, in_dims=(0, 0))(x), "vmap: in_dims must fit the arguments; got in_dims=(0, 0) for 1 arguments"),
    (lambda x: vmap(lambda a, b: a)(x, 3), "vmap: only a tensor can be mapped over; got in_dims=0 for int; give it in_dims=None"),
    (lambda x: vmap(lambda a: a, in_dims=2)(x), "vmap: in_dims must name an axis of the argument; got 2 for shape (4, 3)"),
    (lambda x: vmap(lambda a: a, in_dims=(None,))(x), "vmap: at least one argument must be mapped over; got in_dims=(None,)"),
    (lambda x: vmap(lambda a, b: a, in_dims=(0, 1))(x, x), "vmap: the mapped axes must be of one length; got 4, 3"),
    (lambda x: vmap(lambda a: (a, a), out_dims=(0, 0, 0))(x), "vmap: out_dims must fit the outputs; got out_dims=(0, 0, 0)"),
    (lambda x: vmap(lambda a: a, out_dims=2)(x), "vmap: out_dims must name an axis of the output; got 2 for shape (4, 3)"),
    (lambda x: grad(lambda a: a)(x), "grad: the function must return one 0-d tensor; got shape (4, 3); use jacrev() or sum()"),
    (lambda x: grad(lambda a: (a.sum(), a.sum()))(x), "grad: the function must return one 0-d tensor; got tuple; use jacrev() or sum()"),
    (lambda x: grad(lambda a: a.sum(), has_aux=True)(x), "grad: with has_aux the function must return (output, aux); got Tensor"),
    (lambda x: grad(lambda a: a.sum(), argnums=1)(x), "grad: argnums must name positional arguments; got 1 for 1 of them"),
    (lambda x: grad(lambda a: a.sum(), argnums=())(x), "grad: argnums must name an argument; got ()"),
    (lambda x: grad(lambda a, b: a.sum(), argnums=(0, -2))(x, x), "grad: each argument may be named once; got argnums=(0, -2)"),
    (lambda x: grad(lambda a: a.sum())(x.long()), "grad: the inputs must be floating tensors; got int64"),
    (lambda x: grad(lambda a: 1)(x), "grad: the outputs must be floating tensors; got int"),
    (lambda x: vjp(autograd.sin, x)[1](x[0]), "vjp: the cotangents must have the shapes of the outputs; got (3,) for (4, 3)"),
    (lambda x: jvp(autograd.sin, (x,), (x[0],)), "jvp: the tangents must have the shapes of the primals; got (3,) for (4, 3)"),
    (lambda x: jvp(autograd.sin, x, x), "jvp: primals and tangents must be tuples; got Tensor and Tensor"),
    (lambda x: jvp(lambda a: x * 1, (x,), (x,), strict=True), "jvp: with strict every output must depend on the primals; got one that does not"),
    (lambda x: functional_call(nn.Linear(3, 1), {"weight": x}, x, strict=True), "functional_call: with strict every parameter and buffer must be given and no other name; got missing ['bias'], unexpected []"),
    (lambda x: functional_call(nn.Linear(3, 1), {"weight": 1}, x), "functional_call: 'weight' must be a tensor; got int"),
    (lambda x: functional_call(nn.Linear(3, 1), ({"weight": x}, {"weight": x}), x), "functional_call: each name may be given once; got weight twice"),
    (lambda x: functional_call(nn.Linear(3, 1), [1], x), "functional_call: a mapping from paths to tensors, or several, is needed; got int"),
    (lambda x: stack_module_state([]), "stack_module_state: at least one model is needed; got none"),
    (lambda x: stack_module_state([nn.ReLU(), nn.Tanh()]), "stack_module_state: the models must be of one class; got ReLU, Tanh"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[f"{i}: {m[:50]}" for i, (_, m) in enumerate(REFUSED)])
def test_refused(act, message):
    with pytest.raises((RuntimeError, ValueError, TypeError)) as caught:
        act(Tensor(X.copy()))
    assert str(caught.value) == message
