"""A reverse-mode autograd engine with tensor operations on numpy and numba: `autograd.X` is what `torch.X` is.

>>> import autograd
>>> x = autograd.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

import typing as _typing

from . import methods as _methods
from . import numpy_protocol as _numpy_protocol  # tells numpy what its functions are here
from . import saved as _saved
from . import linalg, viz
from .utils import checkpoint as _checkpoint  # so that autograd.utils.checkpoint is there
from .creation import as_tensor, asarray, from_dlpack, from_numpy, tensor
from .dtypes import (
    can_cast, finfo, float16, float32, float64, get_default_dtype, iinfo, int8, int16, int32, int64, promote_types,
    result_type, set_default_dtype, uint8,
)  # fmt: skip
from .dtypes import bool_ as bool
from .dtypes import float16 as half
from .dtypes import float32 as float
from .dtypes import float64 as double
from .dtypes import int32 as int
from .dtypes import int64 as long
from .filled import (
    arange, empty, empty_like, eye, full, full_like, linspace, logspace, ones, ones_like, zeros, zeros_like,
)  # fmt: skip
from .tracing import decides, each_run, in_one_piece, tally
from .compiler import compile
from .ahead import warmup
from .anomaly import detect_anomaly, is_anomaly_check_nan_enabled, is_anomaly_enabled, set_detect_anomaly
from .function import Function
from .gradcheck import gradcheck, gradgradcheck
from .modes import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled
from .kernels.denormals import set_flush_denormal
from .kernels.memory import empty_cache
from .kernels.threads import get_num_threads, set_num_threads
from .ops.activation import *
from .ops.arithmetic import *
from .ops.bags import *
from .ops.comparison import *
from .ops.exponential import *
from .ops.rounding import *
from .ops.selection import *
from .ops.special import *
from .ops.trigonometric import *
from .ops.arrays import *
from .ops.attention import *
from .ops.conv import *
from .ops.convert import *
from .ops.diagonal import *
from .ops.distance import *
from .ops.dropout import *
from .ops.flip import *
from .ops.gather import *
from .ops.grid import *
from .ops.index import *
from .ops.join import *
from .ops.linalg import *
from .ops.linear import *
from .ops.losses import *
from .ops.normalize import *
from .ops.pad import *
from .ops.pool import *
from .ops.recurrent import *
from .ops.reduce import *
from .ops.repeat import *
from .ops.scan import *
from .ops.scatter import *
from .ops.search import *
from .ops.shape import *
from .ops.softmax import *
from .ops.sort import *
from .ops.split import *
from .ops.statistics import *
from .ops.strided import *
from .ops.update import update
from .ops.windows import overlap_add, placements, windows
from .ops.write import *
from .printing import set_printoptions
from .random import (
    Generator, default_generator, get_rng_state, initial_seed, manual_seed, rand, rand_like, randint, randint_like,
    randn, randn_like, randperm, seed, set_rng_state,
)  # fmt: skip
from .sampling import bernoulli, multinomial, normal, poisson
from .serialization import load, save
from .backprop import grad
from .tensor import Tensor

if _typing.TYPE_CHECKING:
    from . import func, functional
    from .func import vmap


def __getattr__(name: str) -> _typing.Any:
    """`func`, `functional` and `vmap` are imported when they are first named: most processes do without."""
    from importlib import import_module

    if name in ("func", "functional"):
        return import_module(f"{__name__}.{name}")  # which makes it an attribute
    if name == "vmap":
        return globals().setdefault(name, import_module(f"{__name__}.func").vmap)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "func", "functional", "vmap"})
