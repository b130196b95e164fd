"""Elementwise operations, one row each: the formula, and the derivative where it is worth stating.

``g`` stands inside a rule: ``where(x > 0, g, 0)`` is exact where ``g * mask`` would make ``0 * inf``. The rows are
sorted by subject; this page gathers them.
"""

# ruff: noqa: F403

from . import activation, arithmetic, comparison, exponential, rounding, selection, special, trigonometric
from .activation import *
from .arithmetic import *
from .comparison import *
from .exponential import *
from .rounding import *
from .selection import *
from .special import *
from .trigonometric import *

__all__ = [
    name
    for page in (activation, arithmetic, comparison, exponential, rounding, selection, special, trigonometric)
    for name in page.__all__
]
