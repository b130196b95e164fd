"""How many threads work on one call, and whether this call may use them.

There is one pool of threads, that of numba's OpenMP layer, and kernels with a ``prange`` run on it. Two pools would
fight: the workers of each wait for their next task by spinning, on the cores that the other's want. numba's workqueue
layer is never used, because it ends the process when two Python threads enter it at once; where OpenMP is missing,
everything runs on the calling thread.

A call takes the pool with `enter`, and runs serially when it does not get it:

- what is small never asks, since waking a thread costs more than it saves;
- while another Python thread is in the pool, the machine has its work;
- while other programs want the cores: a region ends when its last thread does, and one that waits for a core holds up
  the others by 20 ms. After two regions like that in a row the next calls run serially, then it is tried again;
- in a process forked from one that had started the pool, threads that OpenMP believes in do not exist.
"""

import ctypes
import math
import os
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = [
    "GRAIN",
    "OPTIONS",
    "elements",
    "enter",
    "get_num_threads",
    "leave",
    "options",
    "pool_size",
    "set_num_threads",
    "strained",
]

GRAIN = 2**18
"""At least this much work is shared out, in numbers read from a cache: some 20 us. A region of the pool costs 4 us with
all that is around it, and half of what it works on has to come from the cache of another core, now or afterwards.
"""


def elements(work: int) -> int:
    """From how many elements on a loop is shared out: for each, ``work`` is how many numbers are read or written, and
    two for a function like exp.
    """
    return math.ceil(GRAIN / work)


def _initial_count() -> int:
    """What ``OMP_NUM_THREADS`` or ``NUMBA_NUM_THREADS`` says, else the cores this process may use."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        first = os.environ.get(variable, "").partition(",")[0].strip()
        if first.isdecimal() and int(first):
            return int(first)
    return cores


# Of what numba can make parallel only the loops that say so; others would be regions of their own. A kernel on the pool
# lets other Python threads run meanwhile.
_PARTS = ("comprehension", "fusion", "inplace_binop", "numpy", "reduction", "setitem", "stencil")
OPTIONS = f'nogil=True, parallel={{"prange": True, {", ".join(f"{part!r}: False" for part in _PARTS)}}}'
"""What `njit` is told for a kernel on the pool."""


def options(parallel: bool) -> str:
    """The text of what `njit` is told besides other things, for a kernel that may be one for the pool."""
    return f", {OPTIONS}" if parallel else ""


count = _initial_count()
"""How many threads a large call uses."""

COUNT, BUSY, SHARE, START, REST, WATCHED, NEXT = range(7)
state = (ctypes.c_ssize_t * 7)(count)
"""The same for compiled code that asks by itself (`share`): the number of threads, whether the pool is in use, the
function that runs a loop in parts, the one that is called to have it made, until when calls are to run serially,
whether its last region was slow, and for how long calls are to run serially if the next one waits too.
"""

SLOW = 4_000_000
"""A region that takes more nanoseconds than this may have waited for a core; the next one is watched."""
FIRST_REST, LONGEST_REST = 20_000_000, 640_000_000
"""After how many nanoseconds the pool is tried again: after twice as many each time that was in vain, half as many
after a region that was not slow. Trying in vain costs some milliseconds.
"""

rests = True
"""Whether calls run serially for a while where that is faster; who compiles ahead wants the kernels of the pool too."""

_most = count  # that have been in use
_serial = False
_taken = threading.Lock()
_pool: "_Pool | None" = None


def _use(n: int) -> None:
    global count, _most
    count = state[COUNT] = n
    _most = max(_most, n)
    state[REST] = 0


def get_num_threads() -> int:
    """How many threads a large operation uses: at first as many as there are cores for this process, or as
    ``OMP_NUM_THREADS`` or ``NUMBA_NUM_THREADS`` says.
    """
    return count


def set_num_threads(n: int) -> None:
    """Use ``n`` threads for large operations from now on; small ones always run on the calling thread.

    The number holds for all Python threads of the process, as in PyTorch. A process forked from one that has used
    several threads, or one without OpenMP, stays with one.

    >>> import autograd
    >>> before = autograd.get_num_threads()
    >>> autograd.set_num_threads(1)
    >>> autograd.get_num_threads()
    1
    >>> autograd.set_num_threads(before)
    """
    if isinstance(n, bool) or not hasattr(type(n), "__index__"):
        raise TypeError(f"set_num_threads: the number of threads is an integer; got {type(n).__name__}")
    if n < 1:
        raise RuntimeError(f"set_num_threads: the number of threads must be positive; got {n}")
    if not _serial:
        _use(int(n))


class _Pool:
    """numba's functions that read and set how many threads a region started by the calling thread has."""

    def __init__(self, get: Callable[[], int], set_: Callable[[int], Any]) -> None:
        self.get, self.set = get, set_
        self.before = self.now = 0
        self.began, self.began_running = 0, 0
        self.watched = False
        self.rest = FIRST_REST

    def begin(self) -> None:
        """Note the time, and if the last region was slow, the time that this thread has run."""
        self.began_running = time.thread_time_ns() if self.watched else 0
        self.began = time.monotonic_ns()

    def end(self) -> None:
        """Rest if this region was slow, and this thread did not run for most of it."""
        took = time.monotonic_ns() - self.began
        watched, self.watched = self.watched, took > SLOW
        if not self.watched:
            self.rest = max(self.rest // 2, FIRST_REST)
        elif watched:
            self.judge(took, time.thread_time_ns() - self.began_running)

    def judge(self, took: int, ran: int) -> None:
        """Rest the longer, the more often trying was in vain."""
        if 2 * ran < took:
            state[REST] = time.monotonic_ns() + self.rest
            self.rest = min(2 * self.rest, LONGEST_REST)
        else:
            self.rest = FIRST_REST


def _start() -> "_Pool | None":
    """Start numba's pool unless it runs already; None if it is one that can't be used."""
    import numba
    from numba.np.ufunc import parallel

    config: Any = numba.config
    chosen = config.THREADING_LAYER
    try:
        if chosen == "default":
            config.THREADING_LAYER = "omp"
        parallel._launch_threads()
    except (ImportError, ValueError):  # no OpenMP runtime
        return None
    finally:
        config.THREADING_LAYER = chosen
    if parallel.threading_layer() == "workqueue":
        return None
    return _Pool(parallel._get_num_threads, parallel._set_num_threads)


def enter() -> bool:
    """Take the pool for this call; False if it must run serially. `leave` gives it back."""
    global _pool
    if state[REST] and rests:
        if time.monotonic_ns() < state[REST]:
            return False
        state[REST] = 0
    if count == 1 or state[BUSY] or not _taken.acquire(blocking=False):
        return False
    pool = _pool
    if pool is None:
        pool = _pool = _start()
        if pool is None:
            _stay_serial()
            _taken.release()
            return False
    state[BUSY] = 1
    pool.before, pool.now = pool.get(), count
    if pool.before != pool.now:
        pool.set(pool.now)
    pool.begin()
    return True


def run(kernel_of: Callable[[bool], Callable], worth: bool, *arguments: Any) -> None:
    """Call ``kernel_of(True)`` on the pool if it is ``worth`` that and may have it, else ``kernel_of(False)``."""
    if worth and enter():
        try:
            kernel_of(True)(*arguments)
        finally:
            leave()
    else:
        kernel_of(False)(*arguments)


def leave() -> None:
    """Give the pool back, set as it was found: other users of numba have their own number of threads."""
    assert _pool is not None
    _pool.end()
    if _pool.before != _pool.now:
        _pool.set(_pool.before)
    state[BUSY] = 0
    _taken.release()


def pool_size() -> int:
    """How many threads the pool has, whatever number is in use now; 1 where there is none."""
    if _pool is None or _serial:
        return 1
    import numba

    config: Any = numba.config
    return max(_most, config.NUMBA_NUM_THREADS)


def strained() -> None:
    """The last region took much longer than others of its kind: others want the cores, so rest."""
    assert _pool is not None
    _pool.judge(1, 0)


def _stay_serial() -> None:
    global _serial
    _serial = True
    _use(1)


def _after_fork() -> None:
    """The threads of the parent are not here. GNU's OpenMP ends a child that tries to use them."""
    global _taken
    import sys

    parallel = sys.modules.get("numba.np.ufunc.parallel")
    _taken = threading.Lock()  # another thread of the parent may have held it
    state[BUSY] = 0
    if parallel is not None and parallel._is_initialized:
        _stay_serial()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
