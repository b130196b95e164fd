"""The functions behind the modules, without parameters of their own: `nn.functional.X` is `torch.nn.functional.X`."""

from autograd import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
    pad,
)  # fmt: skip

from .activation import *
from .attention import *
from .cross_entropy import *
from .ctc import *
from .distance import *
from .dropout import *
from .embedding import *
from .fold import *
from .interpolate import *
from .linear import *
from .loss import *
from .margin_loss import *
from .norm import *
from .shuffle import *
from .softmax import *
