"""Products of more than two matrices, and of tensors of more axes."""

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
from .products import matmul
from .reduce import sum as sum_
from .shape import permute, reshape, sum_to, unsqueeze

__all__ = ["chain_matmul", "cross", "inner", "kron", "linalg_cross", "multi_dot", "tensordot", "trace"]


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


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The dot products of the last axes; (*a, k), (*b, k) -> (*a, *b). With a 0-d tensor the product by it."""
    if not input.ndim or not other.ndim:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner: the last axes must be equally long; got {tuple(input.shape)} and {tuple(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


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
