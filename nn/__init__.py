"""Neural networks on `autograd`: `nn.X` is what `torch.nn.X` is.

>>> import nn
>>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
>>> sum(p.numel() for p in model.parameters())
67
"""

from . import functional, init, utils
from .activation import *
from .attention import MultiheadAttention
from .containers import ModuleDict, ModuleList, Sequential
from .conv import *
from .distance import *
from .dropout import *
from .embedding import *
from .flatten import *
from .fold import *
from .layer_norm import *
from .linear import *
from .losses import *
from .margin_losses import *
from .mlp import MLP
from .module import Module
from .norm import *
from .padding import *
from .parameter import Parameter, UninitializedParameter
from .parameter_containers import ParameterDict, ParameterList
from .pooling import *
from .rectifiers import *
from .recurrent import *
from .recurrent_cells import GRUCell, LSTMCell, RNNCell
from .shuffle import *
from .softmax import *
from .transformer import *
from .upsample import *
