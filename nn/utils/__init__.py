"""What stands beside the layers, as `torch.nn.utils`.

rnn   sequences of different lengths
"""

from . import rnn

__all__ = ["rnn"]
