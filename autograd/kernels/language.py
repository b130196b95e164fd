"""The names that hand-written kernels use, for the eyes of people and linters. A kernel is compiled from its text,
where `F` is its number type and the scalar functions are the printer's; nothing here runs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["F", "I", "exp", "expm1", "log", "log1p", "prange", "tanh"]

F: Any = np.float64
I: Any = np.int64
prange: Any = range
exp: Callable = np.exp
expm1: Callable = np.expm1
log: Callable = np.log
log1p: Callable = np.log1p
tanh: Callable = np.tanh
