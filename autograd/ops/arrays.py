"""What numpy makes of the values of tensors, as one operation: seen by whoever looks on, and outside the graph."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..door import apply
from ..tensor import Tensor
from .op import op

__all__ = ["of_arrays"]


@op()
def _of_arrays(*arrays, function):
    made = function(*arrays)
    return np.empty(0) if made is None else made


def of_arrays(function: Callable[..., Any], *tensors: Tensor) -> Any:
    """``function`` of the arrays of tensors, which returns an array, a tuple of them, or None if it only checks. There
    is no gradient. What reads values should read them here: a compiled function, say, then reads them at every run.

    >>> of_arrays(lambda x: x[x > 1], Tensor([1.0, 2.0, 3.0]))
    tensor([2., 3.])
    """
    return apply(_of_arrays, [Tensor(t.array) if t._requires_grad else t for t in tensors], {"function": function})
