"""Ready-made parametrizations: weight norm, spectral norm, orthogonal matrices."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, no_grad

from .. import functional as F
from ..conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..module import Module
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor(op: str, module: Module, name: str) -> Tensor:
    found = getattr(module, name, None)
    if not isinstance(found, Tensor):
        raise ValueError(f"{op}: {type(module).__name__} has no parameter or buffer of this name; got {name!r}")
    return found


# --- weight norm ------------------------------------------------------------------------------------------------------


class _WeightNorm(Module):
    """g v / |v|, the norm over every axis but ``dim``, or over all if it is None or -1."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def _norm(self, v: Tensor) -> Tensor:
        if self.dim == -1:
            return (v * v).sum().sqrt()
        others = [axis for axis in range(v.ndim) if axis != self.dim % v.ndim]
        return (v * v).sum(others, keepdim=True).sqrt() if others else v.abs()  # sum over [] would be over all

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return v * (g / self._norm(v))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self._norm(weight), weight


def _accept_old_names(name: str, module: Module, state: dict, prefix: str, *rest: Any) -> None:
    for i, old in enumerate("gv"):
        if f"{prefix}{name}_{old}" in state:
            state[f"{prefix}parametrizations.{name}.original{i}"] = state.pop(f"{prefix}{name}_{old}")


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn length and direction apart: w = g v / |v|, the 2-norm over every axis but ``dim``, or over all with None.

    ``original0`` is g, of the shape of the norm, ``original1`` is v, of w's. Returns ``module``; raises ValueError if
    it has no tensor of this name (Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868).

    >>> import nn
    >>> layer = weight_norm(nn.Linear(20, 40))
    >>> {key: tuple(value.shape) for key, value in layer.parametrizations.weight.state_dict().items()}
    {'original0': (40, 1), 'original1': (40, 20)}
    """
    _tensor("weight_norm", module, name)
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module.register_load_state_dict_pre_hook(partial(_accept_old_names, name))  # of states from before parametrizations
    return module


# --- spectral norm ----------------------------------------------------------------------------------------------------


class _SpectralNorm(Module):
    """w / sigma(w), sigma by power iteration, one or a few steps for each forward in training."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, eps: float, dim: int) -> None:
        super().__init__()
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: n_power_iterations must be positive; got {n_power_iterations}")
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"spectral_norm: dim must be in [{-weight.ndim}, {weight.ndim - 1}]; got {dim}")
        self.dim = dim % weight.ndim
        self.eps = eps
        self.n_power_iterations = n_power_iterations
        if weight.ndim > 1:
            matrix = self._matrix(weight)
            u, v = (autograd.randn(n, dtype=weight.dtype) for n in matrix.shape)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        """The weight with ``dim`` as rows."""
        return weight.movedim(self.dim, 0).flatten(1)

    @no_grad()
    def _iterate(self, matrix: Tensor, times: int) -> None:
        for _ in range(times):
            self._u.copy_(F.normalize(matrix.mv(self._v), dim=0, eps=self.eps))
            self._v.copy_(F.normalize(matrix.T.mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # Copies: the next forward writes over u and v, which the graph of this one still needs.
        return weight / autograd.dot(self._u.clone(), matrix.mv(self._v.clone()))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value: w / sigma, sigma = u^T W v, W the weight as a matrix with axis
    ``dim`` as rows (by default the outputs: 0, or 1 of a transposed convolution).

    u and v are buffers, moved on by ``n_power_iterations`` steps u = W v / |W v|, v = W^T u / |W^T u| at every forward
    in training. A vector is divided by its norm. Returns ``module``; raises ValueError if it has no tensor of this name
    or without a positive number of steps (Miyato et al. 2018, https://arxiv.org/abs/1802.05957).

    >>> import nn
    >>> layer = spectral_norm(nn.Linear(20, 40))
    >>> autograd.linalg.matrix_norm(layer.weight, 2).allclose(autograd.tensor(1.0), rtol=0.1)
    True
    """
    weight = _tensor("spectral_norm", module, name)
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight.detach(), n_power_iterations, eps, dim))


# --- orthogonal -------------------------------------------------------------------------------------------------------


def _skew(x: Tensor) -> Tensor:
    """L - L^T, L the lower triangle of the columns given and zeros."""
    rows, columns = x.shape[-2:]
    lower = x.tril()
    if rows != columns:
        lower = autograd.cat([lower, lower.new_zeros(*x.shape[:-1], rows - columns)], dim=-1)
    return lower - lower.mT


def _exponential(x: Tensor) -> Tensor:
    return autograd.matrix_exp(_skew(x))[..., : x.shape[-1]]


def _cayley(x: Tensor) -> Tensor:
    half = _skew(x) / 2
    one = autograd.eye(x.shape[-2], dtype=x.dtype)
    return autograd.linalg.solve(one - half, one + half)[..., : x.shape[-1]]


def _householder(x: Tensor) -> Tensor:
    """H_1 H_2 ... H_k, H_i = 1 - 2 v v^T / v^T v, v column i below the diagonal with a 1 on it; the diagonal of x says
    which columns change sign.

    The product is 1 - V T V^T with the inverse of T upper triangular: V^T V above the diagonal, half of it on it
    (Joffrain et al. 2006, https://doi.org/10.1145/1141885.1141886).
    """
    rows, columns = x.shape[-2:]
    one = autograd.eye(rows, columns, dtype=x.dtype)
    v = x.tril(-1) + one
    gram = v.mT @ v
    inverse = gram.triu(1) + autograd.diag_embed(gram.diagonal(dim1=-2, dim2=-1)) / 2
    product = one - v @ autograd.linalg.solve_triangular(inverse, v[..., :columns, :].mT, upper=True)
    return product * x.detach().diagonal(dim1=-2, dim2=-1).trunc().unsqueeze(-2)


_MAPS: dict[str, Callable[[Tensor], Tensor]] = {
    "matrix_exp": _exponential,
    "cayley": _cayley,
    "householder": _householder,
}


def _reflections(matrix: Tensor) -> Tensor:
    """What `_householder` makes the orthogonal factor of ``matrix`` of, the signs those that R's diagonal is positive
    with.
    """
    h, tau = (np.asarray(a) for a in np.linalg.qr(matrix.numpy(), mode="raw"))
    columns = np.swapaxes(h, -1, -2).copy()
    at = np.arange(tau.shape[-1])
    # A reflection with tau = 0 is the identity, which `_householder` cannot say but by the sign of the column.
    columns[..., at, at] = np.where(columns[..., at, at] < 0, -1, 1) * np.where(tau == 0, -1, 1)
    return Tensor(columns.astype(matrix.dtype))


def _is_orthogonal(matrix: Tensor) -> bool:
    one = autograd.eye(matrix.shape[-1], dtype=matrix.dtype)
    tolerance = 10 * matrix.shape[-2] * float(np.finfo(matrix.dtype).eps)
    return autograd.allclose(matrix.mT @ matrix, one, atol=tolerance)


class _Orthogonal(Module):
    """A matrix with orthonormal columns, or rows where these are fewer, made from any by one of the maps; times
    ``base`` if there is one: the original then says how far to turn away from it.
    """

    base: Tensor | None

    def __init__(self, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)
        else:
            self.base = None

    def forward(self, x: Tensor) -> Tensor:
        transposed = x.shape[-2] < x.shape[-1]
        q = _MAPS[self.orthogonal_map](x.mT if transposed else x)
        if self.base is not None:
            q = self.base @ q
        return q.mT if transposed else q

    @no_grad()
    def right_inverse(self, value: Tensor) -> Tensor:
        transposed = value.shape[-2] < value.shape[-1]
        q = value.detach().mT if transposed else value.detach()
        rows, columns = q.shape[-2:]
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    f"orthogonal: without use_trivialization only the map 'householder' has an inverse; "
                    f"got {self.orthogonal_map!r}"
                )
            x = _reflections(q)
            return x.mT if transposed else x
        whole = q
        if rows != columns:
            random = autograd.randn(*q.shape[:-1], rows - columns, dtype=q.dtype)
            whole = autograd.cat([q, random], dim=-1)
        if rows != columns or not _is_orthogonal(q):
            whole = _householder(_reflections(whole))
        self.base = whole.clone()
        # Every map is the identity here: the exponential and Cayley's skip the diagonal, a reflection it turns back.
        x = -autograd.eye(rows, columns, dtype=q.dtype).expand(*q.shape).clone()
        return x.mT if transposed else x


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a weight (*, n, k) orthogonal: Q^T Q = 1, or Q Q^T = 1 where n < k.

    With A = L - L^T, L the lower triangle of the original, Q is B exp(A) ("matrix_exp"), B (1 - A/2)^-1 (1 + A/2)
    ("cayley"), or B times a product of reflections ("householder"); by default the first for square matrices, else the
    last. B, the buffer ``base``, is the orthogonal matrix the training starts from: the weight as it is, made
    orthogonal, and there is none without ``use_trivialization``. Returns ``module``; raises ValueError if it has no
    tensor of this name, for a vector, and for another map (Lezcano-Casado 2019, https://arxiv.org/abs/1909.09501).

    >>> import nn
    >>> layer = orthogonal(nn.Linear(20, 40))
    >>> autograd.allclose(layer.weight.T @ layer.weight, autograd.eye(20), atol=1e-5)
    True
    """
    weight = _tensor("orthogonal", module, name)
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: a tensor with 2 or more axes is needed; got shape {tuple(weight.shape)}")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(f"orthogonal: orthogonal_map must be one of {', '.join(_MAPS)}; got {orthogonal_map!r}")
    made = _Orthogonal(orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
