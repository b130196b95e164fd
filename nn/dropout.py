"""Dropout layers: active while training, the identity in evaluation."""

from autograd import Tensor

from . import functional as F
from .functional.dropout import check_probability
from .module import Module

__all__ = ["Dropout"]


class _Dropout(Module):
    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Its arguments."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Each element 0 with probability p, else x / (1 - p); (*) -> (*)
    (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html).

    >>> import autograd
    >>> Dropout(0.5).eval()(autograd.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with random zeros while training."""
        return F.dropout(input, self.p, self.training, self.inplace)
