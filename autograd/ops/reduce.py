"""Reductions: one number out of many, over some axes or all. This page gathers them."""
# ruff: noqa: F403

from . import extremum, totals
from .extremum import *
from .totals import *

__all__ = totals.__all__ + extremum.__all__
