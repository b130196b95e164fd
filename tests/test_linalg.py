"""Linear algebra beyond the table: what raises, named results, singular matrices, results that come out several at a
time."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

import autograd
from autograd import Tensor, gradcheck, gradgradcheck, linalg


def random(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


# --- what raises -----------------------------------------------------------------------------------------------------

ones = autograd.ones
NAN = ones(2, 2) * float("nan")
ZERO_SECOND = Tensor(np.stack([np.eye(2), np.zeros((2, 2))]))
ERRORS = [
    (lambda: autograd.matmul(ones(2, 3), ones(2, 3)), "matmul: inner sizes differ: (2, 3) @ (2, 3), 3 != 2"),
    (lambda: autograd.matmul(ones(()), ones(2)), "matmul: both tensors need an axis; got () @ (2,); use *"),
    (
        lambda: autograd.matmul(ones(2, 2, 2), ones(3, 2, 2)),
        "matmul: the leading axes do not broadcast; got (2, 2, 2) @ (3, 2, 2)",
    ),
    (
        lambda: ones(2, 2) @ ones(2, 2).double(),
        "matmul: the dtypes must be equal, and numbers; got float32 and float64; convert with to()",
    ),
    (lambda: autograd.mm(ones(2, 3), ones(2, 3)), "mm: inner sizes differ: (2, 3) @ (2, 3), 3 != 2"),
    (
        lambda: autograd.mm(ones(2), ones(2, 3)),
        "mm: the arguments must be a matrix and a matrix; got (2,) and (2, 3); matmul() takes any",
    ),
    (
        lambda: autograd.bmm(ones(2, 2, 3), ones(3, 3, 2)),
        "bmm: the stacks must be equally long; got (2, 2, 3) and (3, 3, 2)",
    ),
    (
        lambda: autograd.addmm(ones(5), ones(2, 3), ones(3, 4)),
        "addmm: input must broadcast to the product; got (5,) for (2, 4)",
    ),
    (lambda: autograd.inner(ones(2), ones(3)), "inner: the last axes must be equally long; got (2,) and (3,)"),
    (
        lambda: autograd.tensordot(ones(2, 3), ones(2, 3), 1),
        "tensordot: axes that are summed over must be equally long; got 3 and 2 for pair 0 of (2, 3) and (2, 3)",
    ),
    (lambda: autograd.cross(ones(2), ones(2)), "cross: an axis must be 3 long; got (2,)"),
    (
        lambda: linalg.cross(ones(2), ones(2)),
        "cross: the axis must be 3 long; got (2,) and (2,) with dim=-1",
    ),
    (lambda: linalg.multi_dot([ones(2, 2)]), "multi_dot: at least 2 matrices are multiplied; got 1"),
    (lambda: linalg.multi_dot([ones(2, 2), ones(3, 3)]), "multi_dot: inner sizes differ: (2, 2) @ (3, 3), 2 != 3"),
    (
        lambda: linalg.vecdot(ones(2), ones(3)),
        "vecdot: the shapes do not broadcast; got (2,), (3,); from the last axis on, lengths must be equal or one of "
        "them 1",
    ),
    (lambda: autograd.trace(ones(2)), "trace: a matrix is needed; got shape (2,)"),
    (
        lambda: autograd.einsum("ij,jk", ones(2, 3), ones(2, 3)),
        "einsum: the lengths of 'j' differ; got 3 and 2 in 'ij,jk'",
    ),
    (lambda: autograd.einsum("ii", ones(2, 3)), "einsum: the lengths of 'i' differ; got 2 and 3 in 'ii'"),
    (lambda: autograd.einsum("ij", ones(2)), "einsum: a term must have a label for each axis; got 'ij' for shape (2,)"),
    (
        lambda: autograd.einsum("ij->ik", ones(2, 2)),
        "einsum: 'k' is in the output without being in an operand; got 'ij->ik'",
    ),
    (lambda: autograd.einsum("ij->ii", ones(2, 2)), "einsum: 'i' is in the output twice; got 'ij->ii'"),
    (
        lambda: autograd.einsum("i1", ones(2, 2)),
        "einsum: labels are letters, and ... stands once in a term; got 'i1'",
    ),
    (
        lambda: autograd.einsum("ij,j", ones(2, 2)),
        "einsum: the equation must have as many terms as there are operands; got 'ij,j' for 1",
    ),
    (lambda: linalg.inv(ones(2)), "inv: a matrix or a stack of matrices is needed; got shape (2,)"),
    (lambda: linalg.inv(ones(2, 3)), "inv: the matrices must be square; got shape (2, 3)"),
    (
        lambda: linalg.inv(ones(2, 2).long()),
        "inv: the tensor must be float32 or float64; got int64; convert it with to()",
    ),
    (
        lambda: linalg.solve(ones(2, 2), ones(2).double()),
        "solve: the dtypes must be equal; got float32 and float64; convert one with to()",
    ),
    (lambda: linalg.solve(ones(2, 2), ones(3)), "solve: A and B must have as many rows; got (2, 2) and (3,)"),
    (
        lambda: linalg.lstsq(ones(2, 2), ones(2, 1), driver="fast"),
        "lstsq: driver must be one of gels, gelsy, gelsd, gelss; got 'fast'",
    ),
    (lambda: linalg.qr(ones(2, 2), "full"), "qr: mode must be 'reduced', 'complete' or 'r'; got 'full'"),
    (lambda: linalg.eigh(ones(2, 2), "X"), "eigh: UPLO must be 'L' or 'U'; got 'X'"),
    (
        lambda: linalg.matrix_norm(ones(2, 2), 3),
        "matrix_norm: ord must be one of fro, nuc, inf, -inf, 1, -1, 2, -2; got 3",
    ),
    (lambda: linalg.norm(ones(2), "fro"), "norm: ord='fro' is a norm of matrices; got dim=None of shape (2,)"),
    (
        lambda: linalg.norm(ones(2, 2, 2), 2),
        "norm: with ord=2 and no dim a vector or a matrix is needed; got (2, 2, 2)",
    ),
    (
        lambda: linalg.norm(ones(2, 2, 2), 2, (0, 1, 2)),
        "norm: with ord=2 dim must name one axis or two; got (0, 1, 2)",
    ),
    (
        lambda: linalg.vector_norm(ones(2).long()),
        "vector_norm: the tensor must be floating; got int64; convert it with to()",
    ),
    (
        lambda: linalg.vector_norm(ones(0), float("inf")),
        "vector_norm: ord=inf of no elements is not defined; got shape (0,)",
    ),
    (lambda: autograd.matrix_power(ones(2, 3), 2), "matrix_power: the matrices must be square; got shape (2, 3)"),
    (lambda: linalg.vander(ones(2), N=0), "vander: N must be at least 1; got 0"),
]
NOT_POSSIBLE = [
    (
        lambda: linalg.inv(ZERO_SECOND),
        "inv: the matrix must be invertible; got a singular one of shape (2, 2, 2) at batch element 1",
    ),
    (
        lambda: linalg.solve(ones(2, 2), ones(2)),
        "solve: the matrix must be invertible; got a singular one of shape (2, 2)",
    ),
    (
        lambda: linalg.cholesky(ZERO_SECOND),
        "cholesky: the matrix must be positive-definite; got one of shape (2, 2, 2) that is not at batch element 1",
    ),
    (
        lambda: linalg.cholesky(NAN),
        "cholesky: the matrix must be positive-definite; got one of shape (2, 2) that is not",
    ),
    (
        lambda: linalg.svd(autograd.full((3, 4), math.inf)),
        "svd: the algorithm did not converge; got a matrix of shape (3, 4); look for NaN and infinities in it",
    ),
    (
        lambda: linalg.eigh(autograd.tensor([[1.0, 0.0], [-math.inf, 1.0]])),
        "eigh: the algorithm did not converge; got a matrix of shape (2, 2); look for NaN and infinities in it",
    ),
    (
        lambda: linalg.lstsq(autograd.full((3, 2), math.inf), ones(3, 1), driver="gelsd"),
        "lstsq: the algorithm did not converge; got a matrix of shape (3, 2); look for NaN and infinities in it",
    ),
    (
        lambda: linalg.svd(NAN),
        "svd: the algorithm did not converge; got a matrix of shape (2, 2); look for NaN and infinities in it",
    ),
    (
        lambda: linalg.eigvals(autograd.tensor([[0.0, 1.0], [-1.0, 0.0]])),
        "eigvals: the eigenvalues must be real, there are no complex tensors; "
        "got a matrix of shape (2, 2) with complex ones",
    ),
]


@pytest.mark.parametrize(("act", "message"), ERRORS, ids=[message[:50] for _, message in ERRORS])
def test_errors(act, message):
    with pytest.raises(RuntimeError) as caught:
        act()
    assert str(caught.value) == message


@pytest.mark.parametrize(("act", "message"), NOT_POSSIBLE, ids=[message[:50] for _, message in NOT_POSSIBLE])
def test_matrices_that_do_not_allow_it(act, message):
    with pytest.raises(linalg.LinAlgError) as caught:
        act()
    assert str(caught.value) == message
    assert isinstance(caught.value, RuntimeError)


def test_einsum_of_nothing():
    with pytest.raises(ValueError, match=r"^einsum: an equation and at least one operand are needed; got \('ii',\)$"):
        autograd.einsum("ii")


def test_gradients_that_do_not_exist():
    q, _ = linalg.qr(random(3, 2), "complete")
    with pytest.raises(RuntimeError) as caught:
        q.sum().backward()
    assert str(caught.value) == (
        "qr: with mode='complete' a matrix with more rows than columns has no gradient; got (3, 2); use mode='reduced'"
    )
    _, r = linalg.qr(random(3, 2), "r")
    with pytest.raises(RuntimeError) as caught:
        r.sum().backward()
    assert str(caught.value) == (
        "qr: the gradient reads Q; got mode='r', which does not compute it; use mode='reduced'"
    )


# --- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "fields"),
    [
        (linalg.slogdet(random(2, 2)), "sign logabsdet"),
        (linalg.qr(random(2, 2)), "Q R"),
        (linalg.svd(random(2, 2)), "U S Vh"),
        (autograd.svd(random(2, 2)), "U S V"),
        (linalg.eigh(random(2, 2)), "eigenvalues eigenvectors"),
        (linalg.lu(random(2, 2)), "P L U"),
        (linalg.lu_factor(random(2, 2)), "LU pivots"),
        (linalg.lstsq(random(2, 2), random(2, 1)), "solution residuals rank singular_values"),
        (autograd.triangular_solve(random(2, 1), random(2, 2)), "solution cloned_coefficient"),
    ],
)
def test_named_results(result, fields):
    assert result._fields == tuple(fields.split())


def test_lu_without_exchanges():
    a = random(3, 4) + 3 * autograd.eye(3, 4).double()
    p, low, up = linalg.lu(a, pivot=False)
    assert p.shape == (0,)
    np.testing.assert_allclose((low @ up).detach().numpy(), a.detach().numpy())
    assert gradcheck(lambda t: linalg.lu(t, pivot=False)[1:], Tensor(a.detach().numpy(), requires_grad=True))


def test_multi_dot_takes_the_cheap_order():
    a, b, c = ones(10, 1000), ones(1000, 10), ones(10, 1000)
    out = linalg.multi_dot([a.requires_grad_(), b, c])
    sizes = [node.shape for node in autograd.graph.reachable([out.node]) if node.name() == "matmul"]
    assert sizes == [(10, 1000), (10, 10)]  # (a b) c, not a (b c)


# --- singular matrices and zeros -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 2])
def test_determinant_of_a_singular_matrix_has_the_gradient_of_a_polynomial(rank):
    rng = np.random.default_rng(0)
    array = rng.standard_normal((3, rank)) @ rng.standard_normal((rank, 3))
    a = Tensor(array, requires_grad=True)
    (found,) = autograd.grad(linalg.det(a), a)
    minors = [
        [np.linalg.det(np.delete(np.delete(array, i, 0), j, 1)) * (-1) ** (i + j) for j in range(3)] for i in range(3)
    ]
    np.testing.assert_allclose(found.numpy(), minors, atol=1e-12)


def test_determinant_of_zeros_in_a_stack():
    a = Tensor(np.stack([np.eye(2), np.zeros((2, 2))]), requires_grad=True)
    linalg.det(a).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), np.stack([np.eye(2), np.zeros((2, 2))]))


@pytest.mark.parametrize("name", ["matmul", "einsum", "det", "slogdet", "matrix_exp", "cross"])
@pytest.mark.parametrize("bad", [float("inf"), float("nan"), 1e308])
def test_what_is_not_finite_comes_through_without_a_warning(name, bad):
    a = Tensor(np.array([[bad, bad, 0.0], [1.0, 5.0, bad], [bad, 1.0, 1.0]]), requires_grad=True)
    calls = {
        "matmul": lambda: a @ a,
        "einsum": lambda: autograd.einsum("ij,jk->ik", a, a),
        "matrix_exp": lambda: linalg.matrix_exp(a),
        "cross": lambda: linalg.cross(a, a),
        "slogdet": lambda: linalg.slogdet(a)[1],
        "det": lambda: linalg.det(a),
    }
    out = calls[name]()
    assert not np.isfinite(out.detach().numpy()).all() or bad == 1e308


@pytest.mark.parametrize("ord", [2, 1, 3, 1.5, float("inf")])
def test_norm_of_zeros_has_gradient_zero(ord):
    x = Tensor(np.zeros(3), requires_grad=True)
    norm = linalg.vector_norm(x, ord)
    (first,) = autograd.grad(norm, x, create_graph=True)
    np.testing.assert_array_equal(first.detach().numpy(), np.zeros(3))
    if first.requires_grad:
        (second,) = autograd.grad(first.sum(), x)
        np.testing.assert_array_equal(second.numpy(), np.zeros(3))


@pytest.mark.parametrize("p", ["fro", "nuc", 1, -1, float("inf"), float("-inf")])
def test_gradient_of_the_condition_number(p):
    a = Tensor(random(3, 3).detach().numpy() + 3 * np.eye(3), requires_grad=True)
    assert gradcheck(lambda t: linalg.cond(t, p), a)
    assert gradgradcheck(lambda t: linalg.cond(t, p), a)


# --- several outputs -------------------------------------------------------------------------------------------------


def test_second_derivatives_through_every_output_and_both_ways():
    """The rule of svd reads its outputs, which the loss uses too: both ways count."""
    a = random(3, 3)

    def loss(t):
        u, s, vh = linalg.svd(t)
        return ((u * s) @ vh * s).sum() + s.prod()

    assert gradcheck(loss, a)
    assert gradgradcheck(loss, a)


def test_a_gradient_that_reads_an_output_depends_on_it():
    """The gradient of A by way of U and S reads them: its own gradient arrives at them, and at their hooks."""
    a = random(3, 3)
    u, s, _ = linalg.svd(a)
    seen = []
    s.register_hook(lambda g: seen.append(g.numpy(force=True)))
    (first,) = autograd.grad((s * s).sum(), a, create_graph=True)
    assert len(seen) == 1
    by_u, by_s = autograd.grad((first * first).sum(), [u, s])
    np.testing.assert_allclose(by_u.numpy(), 8 * u.detach().numpy() * s.detach().numpy() ** 2)
    np.testing.assert_allclose(by_s.numpy(), 8 * s.detach().numpy())
    assert len(seen) == 2


def test_third_derivative():
    a = Tensor(np.array([[2.0, 0.5], [0.5, 1.0]]), requires_grad=True)

    def second(t):
        (first,) = autograd.grad(linalg.eigvalsh(t)[0], t, create_graph=True)
        return autograd.grad((first * first).sum(), t, create_graph=True)[0]

    assert gradcheck(lambda t: second((t + t.mT) / 2), a)


def test_an_output_written_over_is_noticed():
    q, r = linalg.qr(random(3, 3))
    q.detach().zero_()
    with pytest.raises(RuntimeError, match=r"^qr: a value saved for backward was changed in place afterwards"):
        r.sum().backward()


def test_in_place_products():
    x, a, b = random(2, 2), random(2, 3, seed=1), random(3, 2, seed=2)
    y = x * 1
    y.addmm_(a, b, beta=0.5)
    np.testing.assert_allclose(y.detach().numpy(), 0.5 * x.detach().numpy() + a.detach().numpy() @ b.detach().numpy())
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full((2, 2), 0.5))


@pytest.mark.parametrize("beta", [0, 0.5])
@pytest.mark.parametrize("alpha", [0, 2.0])
@pytest.mark.parametrize("bad", [None, 0, 1])
@pytest.mark.parametrize(
    ("name", "shapes"),
    {
        "addmm": [(2, 3), (2, 4), (4, 3)], "addmv": [(2,), (2, 3), (3,)], "addr": [(2, 3), (2,), (3,)],
        "addbmm": [(2, 3), (5, 2, 4), (5, 4, 3)], "baddbmm": [(5, 2, 3), (5, 2, 4), (5, 4, 3)],
    }.items(),
)  # fmt: skip
def test_what_has_the_factor_0_is_not_looked_at(name, shapes, alpha, beta, bad):
    """Its infinities do not reach the result; its gradient is PyTorch's, and is there."""
    arrays = [np.arange(1.0, 1 + np.prod(shape)).reshape(shape) for shape in shapes]
    if bad is not None:
        arrays[bad].flat[0] = np.inf
    results = []
    for library, grad in ((autograd, autograd.grad), (torch, torch.autograd.grad)):
        xs = [library.tensor(a, requires_grad=True) for a in arrays]
        out = getattr(library, name)(*xs, alpha=alpha, beta=beta)
        results.append([t.detach().numpy() for t in (out, *grad(out.sum(), xs))])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_power_0_has_a_gradient_of_0():
    x = autograd.full((2, 2), float("inf"), requires_grad=True)
    y = x.matrix_power(0)
    assert y.tolist() == [[1, 0], [0, 1]] and y.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [[0, 0], [0, 0]]


def test_scipy_is_imported_when_it_is_used():
    code = (
        "import autograd, sys; a = autograd.eye(2); autograd.linalg.inv(a) @ a; first = 'scipy' in sys.modules; "
        "autograd.linalg.matrix_exp(a); sys.exit(first or 'scipy' not in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
