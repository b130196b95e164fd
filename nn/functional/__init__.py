"""The functions behind the modules, without parameters of their own: `nn.functional.X` is `torch.nn.functional.X`."""

from .activation import *  # noqa: F403
from .cross_entropy import *  # noqa: F403
from .ctc import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .linear import *  # noqa: F403
from .loss import *  # noqa: F403
from .margin_loss import *  # noqa: F403
from .norm import *  # noqa: F403
from .softmax import *  # noqa: F403
