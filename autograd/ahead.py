"""`warmup`: kernels are compiled before they are needed."""

import os
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .dtypes import float16, float32, is_float, to_dtype
from .kernels.loader import cache_folder
from .kernels.threads import get_num_threads
from .ops import activation, arithmetic, exponential, losses, selection, trigonometric
from .ops.formula import Elementwise

__all__ = ["compile_rows", "warmup"]

_ROOMS = (activation, arithmetic, exponential, losses, selection, trigonometric)
_REHEARSAL = "nn.cli.rehearsal"
_MOST = 8  # processes; each takes some 300 MB


def warmup(dtypes: Sequence[npt.DTypeLike] = (float32,)) -> None:
    """Compile ahead what the training of typical models needs, for these floating dtypes.

    A kernel is compiled the first time that it is used on a machine, which takes some tenths of a second, or seconds
    if it is for several threads. This compiles the kernels of the usual elementwise operations and their gradients, of
    linear, convolutional, recurrent and attention layers, pooling, normalisation, dropout, embeddings and losses, and
    of the optimizers, in as many processes as there are threads (eight at most). They are kept on disk for this and
    all later processes. It takes a minute or two, and a few seconds when all is there. What a model of your own needs
    beside that, one training step compiles.

    >>> import autograd
    >>> autograd.warmup()  # doctest: +SKIP
    >>> autograd.warmup(["float32", "float64"])  # doctest: +SKIP
    """
    import subprocess  # here, for who never asks for this

    if isinstance(dtypes, (str, np.dtype, type)):
        dtypes = [dtypes]
    chosen = [to_dtype(d) for d in dtypes]
    for dtype in chosen:
        if not is_float(dtype):
            raise TypeError(f"warmup: models are trained in floating dtypes; got {dtype}")
    count = get_num_threads()
    parts = min(count, _MOST)
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        "JITGRAD_CACHE_DIR": str(cache_folder()),
        "JITGRAD_QUIET": "1",
        "OMP_NUM_THREADS": str(count),
    }
    names = dict.fromkeys("float32" if dtype == float16 else dtype.name for dtype in chosen)  # halves are computed so
    commands = [[sys.executable, "-m", _REHEARSAL, str(part), str(parts), *names] for part in range(parts)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) for command in commands]
    try:
        said = [process.communicate()[1].strip() for process in started]
    except BaseException:  # an interruption, say
        for process in started:
            process.kill()
        raise
    for process, text in zip(started, said, strict=True):
        if process.returncode:
            reason = text.splitlines()[-1] if text else f"exit status {process.returncode}"
            raise RuntimeError(f"warmup: a process that compiles kernels failed; got {reason}")


def compile_rows(dtype: np.dtype) -> list:
    """Functions that compile the usual elementwise operations and their gradients, one each."""
    rows = [row for room in _ROOMS for row in map(vars(room).get, room.__all__) if isinstance(row, Elementwise)]
    return [lambda row=row: row.compile(dtype) for row in dict.fromkeys(rows)]
