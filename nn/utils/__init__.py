"""What stands beside the layers, as `torch.nn.utils`.

gradients         norms, clipping, constraints and penalties
vectors           all parameters as one vector
fusion            batch norm folded into the layer before it
rnn               sequences of different lengths
parametrize       parameters computed from others
parametrizations  weight norm, spectral norm, orthogonal matrices
prune             weights and units masked, taken out, and what that saves
"""

from . import parametrizations, parametrize, prune, rnn
from .fusion import fuse_conv_bn_eval, fuse_conv_bn_weights, fuse_linear_bn_eval, fuse_linear_bn_weights
from .gradients import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
    l1_penalty,
    l2_penalty,
    max_norm_,
    unit_norm_,
)
from .vectors import parameters_to_vector, vector_to_parameters
