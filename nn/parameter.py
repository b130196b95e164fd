"""The tensor that a module learns."""

from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["Parameter", "UninitializedParameter"]


class Parameter(Tensor):
    """A tensor that, assigned to a module, is one of its `parameters`; it requires a gradient unless told otherwise.

    ``data`` is a tensor, whose memory is shared, or anything `autograd.Tensor` takes.

    >>> import autograd
    >>> Parameter(autograd.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any = (), requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class UninitializedParameter(Parameter):
    """A parameter whose shape is not known yet; `materialize` gives it one and makes it a Parameter."""

    __slots__ = ()

    def materialize(self, shape: tuple[int, ...]) -> None:
        """Become a Parameter of this shape, with values that are not set."""
        self.array = np.empty(shape, self.array.dtype)
        self.__class__ = Parameter  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<UninitializedParameter>"
