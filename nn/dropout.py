"""Dropout layers: active while training, the identity in evaluation."""

from autograd import Tensor

from . import functional as F
from .functional.dropout import check_probability
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout", "Zoneout"]


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


class Dropout1d(_Dropout):
    """Whole channels 0 with probability p; (n, c, l) or (c, l) -> the same
    (Tompson et al. 2014, https://arxiv.org/abs/1411.4280).
    """

    def forward(self, input: Tensor) -> Tensor:
        """``input`` without some channels while training."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Whole channels 0 with probability p; (n, c, h, w) -> the same."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` without some channels while training."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Whole channels 0 with probability p; (n, c, d, h, w) or (c, d, h, w) -> the same."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` without some channels while training."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1, for SELU networks; (*) -> (*)
    (Klambauer et al. 2017, https://arxiv.org/abs/1706.02515).
    """

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with random lowest values while training."""
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels; (n, c, *) -> the same."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some channels at the lowest value while training."""
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)


class Zoneout(Module):
    """Each element of a recurrent state stays as it was with probability p; in evaluation the state moves a part 1 - p
    of the way. Called with the new and the previous state; (*), (*) -> (*)
    (Krueger et al. 2016, https://arxiv.org/abs/1606.01305).

    >>> import autograd
    >>> Zoneout(0.25).eval()(autograd.ones(2), autograd.zeros(2))
    tensor([0.7500, 0.7500])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        check_probability("Zoneout", p)
        self.p = p

    def forward(self, input: Tensor, previous: Tensor) -> Tensor:
        """``input`` with some of ``previous``."""
        return F.zoneout(input, previous, self.p, self.training)

    def extra_repr(self) -> str:
        """Its argument."""
        return f"p={self.p}"
