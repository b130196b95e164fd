"""Products of matrices and vectors."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..tensor import Tensor
from .convert import clone
from .diagonal import diagonal
from .dims import normal_dim, numpy_spelling
from .elementwise import mul
from .op import op
from .reduce import sum as sum_
from .shape import expand, permute, reshape, sum_to, transpose, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cross", "dot", "ger", "inner", "kron",
    "linalg_cross", "matmul", "mm", "multi_dot", "mv", "outer", "tensordot", "trace", "vdot", "vecdot",
]  # fmt: skip


def _mt(x: Any) -> Any:
    return transpose(x, -2, -1)


@op(
    a=lambda g, b, shape: sum_to(_matmul(g, _mt(b)), shape),
    b=lambda g, a, shape: sum_to(_matmul(_mt(a), g), shape),
)
@np.errstate(all="ignore")  # infinities and NaN are results like others
def _matmul(a, b):
    return np.dot(a, b) if a.ndim == b.ndim == 2 else np.matmul(a, b)  # of two matrices dot is the cheaper call


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: of two vectors their dot product, of a matrix and a vector the vector, of stacks of matrices
    the stack of products, leading axes broadcast; (*, n, k) @ (*, k, m) -> (*, n, m).

    >>> matmul(Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    n, m = input.shape, other.shape
    if len(n) < 2 or len(m) < 2:
        return _with_vector(input, other)
    if n[-1] != m[-2] or input.dtype != other.dtype or input.dtype.kind == "b":
        _refuse(input, other)
    try:
        return _matmul(input, other)
    except ValueError:
        raise RuntimeError(f"matmul: the leading axes do not broadcast; got {tuple(n)} @ {tuple(m)}") from None


def _with_vector(input: Any, other: Any) -> Any:
    """`matmul` where an argument is a vector: a row on the left, a column on the right."""
    n, m = input.shape, other.shape
    if not n or not m:
        raise RuntimeError(f"matmul: both tensors need an axis; got {tuple(n)} @ {tuple(m)}; use *")
    if n[-1] != m[-2 if len(m) > 1 else -1]:
        _refuse(input, other)
    out = matmul(unsqueeze(input, 0) if len(n) == 1 else input, unsqueeze(other, 1) if len(m) == 1 else other)
    return reshape(out, (*n[:-1], *m[:-2], *(m[-1:] if len(m) > 1 else ())))


def _refuse(a: Any, b: Any) -> None:
    k, m = a.shape[-1], b.shape[-2 if b.ndim > 1 else -1]
    if k != m:
        raise RuntimeError(f"matmul: inner sizes differ: {tuple(a.shape)} @ {tuple(b.shape)}, {k} != {m}")
    raise RuntimeError(f"matmul: the dtypes must be equal, and numbers; got {a.dtype} and {b.dtype}; convert with to()")


# --- products of given ranks -----------------------------------------------------------------------------------------


def _ranks(name: str, a: Any, b: Any, *ranks: int) -> None:
    if (a.ndim, b.ndim) != ranks:
        kinds = {1: "a vector", 2: "a matrix", 3: "a stack of matrices (3 axes)"}
        raise RuntimeError(
            f"{name}: the arguments must be {kinds[ranks[0]]} and {kinds[ranks[1]]}; "
            f"got {tuple(a.shape)} and {tuple(b.shape)}; matmul() takes any"
        )


def _product(name: str, a: Any, b: Any) -> Any:
    """`matmul` whose errors bear the name of the function that was called."""
    try:
        return matmul(a, b)
    except RuntimeError as error:
        raise RuntimeError(str(error).replace("matmul", name, 1)) from None


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices; (n, k) @ (k, m) -> (n, m)."""
    _ranks("mm", input, mat2, 2, 2)
    return _product("mm", input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two stacks of as many matrices; (b, n, k) @ (b, k, m) -> (b, n, m)."""
    _ranks("bmm", input, mat2, 3, 3)
    if len(input) != len(mat2):
        raise RuntimeError(f"bmm: the stacks must be equally long; got {tuple(input.shape)} and {tuple(mat2.shape)}")
    return _product("bmm", input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector; (n, k) @ (k,) -> (n,)."""
    _ranks("mv", input, vec, 2, 1)
    return _product("mv", input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors' elements; (n,), (n,) -> ()."""
    _ranks("dot", input, tensor, 1, 1)
    return _product("dot", input, tensor)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """`dot`: for real vectors the two are the same."""
    _ranks("vdot", input, other, 1, 1)
    return _product("vdot", input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The dot products of the last axes; (*a, k), (*b, k) -> (*a, *b). With a 0-d tensor the product by it."""
    if not input.ndim or not other.ndim:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner: the last axes must be equally long; got {tuple(input.shape)} and {tuple(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """out[i, j] = input[i] * vec2[j]; (n,), (m,) -> (n, m).

    >>> outer(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    _ranks("outer", input, vec2, 1, 1)
    return mul(unsqueeze(input, 1), vec2)


def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """`outer` under BLAS's name."""
    return outer(input, vec2)


@numpy_spelling
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The dot products along ``dim``, the other axes broadcast; (*, n), (*, n) -> (*)."""
    if x.dtype != y.dtype or x.dtype.kind != "f":
        raise RuntimeError(f"vecdot: the dtypes must be floating and equal; got {x.dtype} and {y.dtype}")
    try:
        product = mul(x, y)
    except RuntimeError as error:
        raise RuntimeError(str(error).replace("mul", "vecdot", 1)) from None
    return sum_(product, dim=dim)


# --- sums with products ----------------------------------------------------------------------------------------------


def _add(name: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    """beta * input + alpha * product; with beta 0 the input is not looked at, NaN or not."""
    if input.dtype != product.dtype:
        raise RuntimeError(f"{name}: the dtypes must be equal; got {input.dtype} and {product.dtype}")
    if product.dtype.kind != "f" and not (isinstance(alpha, int) and isinstance(beta, int)):
        raise RuntimeError(f"{name}: alpha and beta of integer tensors must be integers; got {alpha} and {beta}")
    if alpha != 1:
        product = mul(product, alpha)
    try:
        base = expand(input, product.shape)
    except RuntimeError:
        raise RuntimeError(
            f"{name}: input must broadcast to the product; got {tuple(input.shape)} for {tuple(product.shape)}"
        ) from None
    if beta == 0:
        return product
    return (base if beta == 1 else mul(base, beta)) + product


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2), for matrices; input broadcasts."""
    _ranks("addmm", mat1, mat2, 2, 2)
    return _add("addmm", input, _product("addmm", mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat @ vec), for a matrix and a vector; input broadcasts."""
    _ranks("addmv", mat, vec, 2, 1)
    return _add("addmv", input, _product("addmv", mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2); input broadcasts."""
    _ranks("addr", vec1, vec2, 1, 1)
    return _add("addr", input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (batch1 @ batch2), for stacks of matrices; input broadcasts."""
    _ranks("baddbmm", batch1, batch2, 3, 3)
    return _add("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (sum of the products batch1[i] @ batch2[i]); input broadcasts."""
    _ranks("addbmm", batch1, batch2, 3, 3)
    if len(batch1) != len(batch2):
        raise RuntimeError(
            f"addbmm: the stacks must be equally long; got {tuple(batch1.shape)} and {tuple(batch2.shape)}"
        )
    # The sum of products is one product of the matrices laid side by side.
    product = tensordot(batch1, batch2, ([0, 2], [0, 1]))
    return _add("addbmm", input, product, beta, alpha)


# --- chains ----------------------------------------------------------------------------------------------------------


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices in the order of fewest multiplications; the first and last may be vectors.

    The order is found by dynamic programming (Cormen et al., Introduction to Algorithms, 15.2).
    """
    chain = list(tensors)
    if len(chain) < 2:
        raise RuntimeError(f"multi_dot: at least 2 matrices are multiplied; got {len(chain)}")
    for i, x in enumerate(chain):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, len(chain) - 1)):
            raise RuntimeError(
                f"multi_dot: the tensors must be matrices, the first and last also vectors; got {tuple(x.shape)} at {i}"
            )
    row, column = chain[0].ndim == 1, chain[-1].ndim == 1
    if row:
        chain[0] = unsqueeze(chain[0], 0)
    if column:
        chain[-1] = unsqueeze(chain[-1], 1)
    for a, b in pairwise(chain):
        if a.shape[1] != b.shape[0]:
            got = f"{tuple(a.shape)} @ {tuple(b.shape)}, {a.shape[1]} != {b.shape[0]}"
            raise RuntimeError(f"multi_dot: inner sizes differ: {got}")
    out = _multiply_chain(chain)
    return reshape(out, out.shape[row : 2 - column])


def _multiply_chain(chain: list) -> Any:
    sizes = [chain[0].shape[0], *(x.shape[1] for x in chain)]
    count = len(chain)
    cost = {(i, i): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def multiply(i: int, j: int) -> Any:
        return chain[i] if i == j else matmul(multiply(i, split[i, j]), multiply(split[i, j] + 1, j))

    return multiply(0, count - 1)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices in the order of fewest multiplications; see `multi_dot`."""
    for i, x in enumerate(matrices):
        if x.ndim != 2:
            raise RuntimeError(f"chain_matmul: the tensors must be matrices; got {tuple(x.shape)} at {i}")
    return clone(matrices[0]) if len(matrices) == 1 else multi_dot(matrices)


# --- of more axes ----------------------------------------------------------------------------------------------------


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sum of products over ``dims``: so many of the last axes of a and the first of b, or two lists that pair them.

    >>> tensordot(Tensor(np.ones((2, 3, 4))), Tensor(np.ones((4, 3, 5))), ([1, 2], [1, 0])).shape
    (2, 5)
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot: dims must be between 0 and the number of axes; got {dims}")
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    over_a, over_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    over_a = [normal_dim("tensordot", d, a.ndim) for d in over_a]
    over_b = [normal_dim("tensordot", d, b.ndim) for d in over_b]
    if len(over_a) != len(over_b):
        raise RuntimeError(f"tensordot: both lists must name as many axes; got dims={over_a}, {over_b}")
    if a.dtype != b.dtype:
        raise RuntimeError(f"tensordot: the dtypes must be equal; got {a.dtype} and {b.dtype}; convert one with to()")
    for i, (d, e) in enumerate(zip(over_a, over_b, strict=True)):
        if a.shape[d] != b.shape[e]:
            if a.shape[d] != 1 and b.shape[e] != 1:
                raise RuntimeError(
                    f"tensordot: axes that are summed over must be equally long; got {a.shape[d]} and {b.shape[e]} "
                    f"for pair {i} of {tuple(a.shape)} and {tuple(b.shape)}"
                )
            # PyTorch stretches a length of 1: the longer one is summed first.
            a, b = (x if x.shape[at] == 1 else sum_(x, at, True) for x, at in ((a, d), (b, e)))
    keep_a = [d for d in range(a.ndim) if d not in over_a]
    keep_b = [d for d in range(b.ndim) if d not in over_b]
    shape = [a.shape[d] for d in keep_a] + [b.shape[d] for d in keep_b]
    inner_size = math.prod(a.shape[d] for d in over_a)
    rows = reshape(permute(a, *keep_a, *over_a), math.prod(shape[: len(keep_a)]), inner_size)
    columns = reshape(permute(b, *over_b, *keep_b), inner_size, math.prod(shape[len(keep_a) :]))
    return reshape(matmul(rows, columns), *shape) if shape else reshape(matmul(rows, columns), ())


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every element of input times all of other, in blocks; (*n), (*m) -> (*(n m)).

    >>> kron(Tensor([1.0, 2.0]), Tensor([1.0, 10.0]))
    tensor([ 1., 10.,  2., 20.])
    """
    ndim = max(input.ndim, other.ndim)
    n, m = ((*[1] * (ndim - x.ndim), *x.shape) for x in (input, other))
    a = reshape(input, *(size for pair in zip(n, [1] * ndim, strict=True) for size in pair)) if ndim else input
    b = reshape(other, *(size for pair in zip([1] * ndim, m, strict=True) for size in pair)) if ndim else other
    return reshape(mul(a, b), tuple(p * q for p, q in zip(n, m, strict=True)))


@op(
    a=lambda g, b, dim, shape: sum_to(_cross(b, g, dim=dim), shape),
    b=lambda g, a, dim, shape: sum_to(_cross(g, a, dim=dim), shape),
)
@np.errstate(all="ignore")
def _cross(a, b, *, dim):
    a0, a1, a2 = np.moveaxis(a, dim, 0)
    b0, b1, b2 = np.moveaxis(b, dim, 0)
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], dim)


@numpy_spelling
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product along ``dim``, of length 3; the other axes broadcast.

    >>> linalg_cross(Tensor([1.0, 0.0, 0.0]), Tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if input.ndim != other.ndim:
        raise RuntimeError(
            f"cross: the tensors must have as many axes; got {tuple(input.shape)} and {tuple(other.shape)}"
        )
    at = normal_dim("cross", dim, input.ndim)
    if input.shape[at : at + 1] != (3,) or other.shape[at : at + 1] != (3,):
        raise RuntimeError(
            f"cross: the axis must be 3 long; got {tuple(input.shape)} and {tuple(other.shape)} with dim={dim}"
        )
    # Counted from the end, the axis is the same for both after broadcasting.
    try:
        return _cross(input, other, dim=at - input.ndim)
    except ValueError:
        raise RuntimeError(
            f"cross: the shapes do not broadcast; got {tuple(input.shape)} and {tuple(other.shape)}"
        ) from None


@numpy_spelling
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product along ``dim``, by default the first axis of length 3; the other axes broadcast."""
    if dim is None:
        if 3 not in input.shape:
            raise RuntimeError(f"cross: an axis must be 3 long; got {tuple(input.shape)}")
        dim = input.shape.index(3)
    return linalg_cross(input, other, dim=dim)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix; integers are summed as int64."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: a matrix is needed; got shape {tuple(input.shape)}")
    return sum_(diagonal(input))
