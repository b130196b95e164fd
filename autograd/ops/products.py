"""Products of matrices and vectors."""

import math
from typing import Any

from ..kernels import products as kernels
from ..tensor import Tensor
from .convert import nothing_of
from .dims import numpy_spelling
from .elementwise import add, mul
from .op import op
from .reduce import sum as sum_
from .shape import expand, permute, reshape, sum_to, transpose, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "dot", "ger", "matmul", "mm", "mv", "outer", "vdot", "vecdot",
]  # fmt: skip


def _mt(x: Any) -> Any:
    return transpose(x, -2, -1)


def _right_gradient(g: Any, a: Any, shape: tuple[int, ...]) -> Any:
    if len(shape) == 2 and a.ndim > 2:  # one matrix for a whole stack: one product of all its rows
        rows = math.prod(a.shape[:-1])
        return _matmul(_mt(reshape(a, rows, shape[0])), reshape(g, rows, shape[1]))
    return sum_to(_matmul(_mt(a), g), shape)


@op(a=lambda g, b, shape: sum_to(_matmul(g, _mt(b)), shape), b=_right_gradient)
def _matmul(a, b):
    return kernels.matmul(a, b)


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
    raise NotImplementedError(
        f"matmul: the dtypes must be equal, and numbers; got {a.dtype} and {b.dtype}; convert with to()"
    )


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
    """beta * input + alpha * product. What has the factor 0 is not looked at, NaN or not, but has a gradient, of 0."""
    if input.dtype != product.dtype:
        raise RuntimeError(f"{name}: the dtypes must be equal; got {input.dtype} and {product.dtype}")
    if product.dtype.kind != "f" and not (isinstance(alpha, int) and isinstance(beta, int)):
        raise RuntimeError(f"{name}: alpha and beta of integer tensors must be integers; got {alpha} and {beta}")
    try:
        base = expand(input, product.shape)
    except RuntimeError:
        raise RuntimeError(
            f"{name}: input must broadcast to the product; got {tuple(input.shape)} for {tuple(product.shape)}"
        ) from None
    if alpha == 0 and name not in ("addr", "baddbmm"):  # PyTorch's kernels of these multiply by 0
        product, alpha = nothing_of(product), 1
    if beta == 0 and not input.requires_grad:
        return product if alpha == 1 else mul(product, alpha)
    base = nothing_of(base) if beta == 0 else base if beta == 1 else mul(base, beta)
    return add(base, product, alpha=alpha)


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
    (b, n, k), (c, l, m) = batch1.shape, batch2.shape
    if (b, k) != (c, l):
        raise RuntimeError(f"addbmm: the stacks must fit; got {(b, n, k)} @ {(c, l, m)}")
    # The sum of products is one product of the matrices laid side by side.
    product = matmul(reshape(permute(batch1, 1, 0, 2), n, b * k), reshape(batch2, b * k, m))
    return _add("addbmm", input, product, beta, alpha)
