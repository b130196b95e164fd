"""Transformations of functions: derivatives, and maps over an axis; `autograd.func.X` is what `torch.func.X` is.

tree          nests of tuples, lists and dictionaries
lanes         a tensor as one lane of a mapped function sees it
batching      how operations run on all lanes; rules_axes, rules_products: one rule a family
mapping       vmap
engine        running a function on fresh inputs and walking back
derivatives   grad and its relatives
modules       modules as functions of their parameters
"""

from .derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp
from .mapping import vmap
from .modules import functional_call, stack_module_state

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "stack_module_state", "vjp",
    "vmap",
]  # fmt: skip
