"""Neural networks on `autograd`: `nn.X` is what `torch.nn.X` is.

>>> import nn
>>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
>>> sum(p.numel() for p in model.parameters())
67
"""

from . import functional, init, utils
from .activation import *  # noqa: F403
from .attention import MultiheadAttention
from .containers import ModuleDict, ModuleList, Sequential
from .conv import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .flatten import *  # noqa: F403
from .fold import *  # noqa: F403
from .layer_norm import *  # noqa: F403
from .linear import *  # noqa: F403
from .losses import *  # noqa: F403
from .margin_losses import *  # noqa: F403
from .mlp import MLP
from .module import Module
from .norm import *  # noqa: F403
from .padding import *  # noqa: F403
from .parameter import Parameter, UninitializedParameter
from .parameter_containers import ParameterDict, ParameterList
from .pooling import *  # noqa: F403
from .rectifiers import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .recurrent_cells import GRUCell, LSTMCell, RNNCell
from .shuffle import *  # noqa: F403
from .softmax import *  # noqa: F403
from .transformer import *  # noqa: F403
from .upsample import *  # noqa: F403
