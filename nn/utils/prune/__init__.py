"""Pruning: weights and whole units masked, taken out, and the result measured; as `torch.nn.utils.prune`, and more.

base     what every method shares; one of your own is a `BasePruningMethod`
methods  masks at random, by magnitude, over a whole model, or given
units    units masked for what they do on data, or for doing what another does
shrink   the masked units really taken out
report   accuracy, bytes, multiply-adds and time before and after
"""

from .base import BasePruningMethod, PruningContainer
from .methods import (
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    RandomStructured,
    RandomUnstructured,
    custom_from_mask,
    global_unstructured,
    identity,
    is_pruned,
    l1_unstructured,
    ln_structured,
    random_structured,
    random_unstructured,
    remove,
)
from .report import Measured, Report, report
from .shrink import shrink
from .units import activation_structured, redundancy_structured
