"""All parameters as one vector, and back."""

from collections.abc import Iterable

import autograd
from autograd import Tensor, no_grad

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other.

    >>> parameters_to_vector([autograd.ones(2), autograd.zeros(1, 1)])
    tensor([1., 1., 0.])
    """
    listed = [p.reshape(-1) for p in parameters]
    if not listed:
        raise ValueError("parameters_to_vector: one parameter at least is needed; got none")
    return autograd.cat(listed)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the parameters, in their order.

    >>> weight = autograd.zeros(1, 2)
    >>> vector_to_parameters(autograd.tensor([1.0, 2.0]), [weight])
    >>> weight
    tensor([[1., 2.]])
    """
    listed = list(parameters)
    count = sum(p.numel() for p in listed)
    if tuple(vec.shape) != (count,):
        raise RuntimeError(
            f"vector_to_parameters: the parameters have {count} elements; got a vector {tuple(vec.shape)}"
        )
    start = 0
    with no_grad():
        for p in listed:
            p.copy_(vec[start : start + p.numel()].reshape(p.shape))
            start += p.numel()
