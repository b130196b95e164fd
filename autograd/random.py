"""Random numbers: generators, the default one, and tensors drawn from them."""

import math
import os
import threading
from typing import Any

import numpy as np

from .creation import check_device
from .dtypes import float16, float32, get_default_dtype, is_float, to_dtype
from .filled import as_size
from .kernels.noise import normal
from .modes import state
from .tensor import Tensor
from .tracing import each_run

__all__ = [
    "Generator", "default_generator", "draw_stream", "get_rng_state", "initial_seed", "manual_seed", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip


MANY = 4096
"""At least this many normal numbers a kernel computes, from two numbers of the stream."""


class Generator:
    """A stream of random numbers of its own: the same seed gives the same numbers.

    >>> a, b = Generator().manual_seed(7), Generator().manual_seed(7)
    >>> bool((rand(3, generator=a) == rand(3, generator=b)).all())
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        check_device("Generator", device)
        self._lock = threading.Lock()
        self._begun: np.random.Generator | None = None
        self.seed()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def manual_seed(self, seed: int) -> "Generator":
        """Begin the stream of this seed."""
        self._seed = int(seed) % 2**64  # a negative seed is read as an unsigned number, as in PyTorch
        self._begun = None
        return self

    @property
    def _stream(self) -> "np.random.Generator":
        # Begun when it is first drawn from, because numpy.random takes a while to import.
        if self._begun is None:
            self._begun = np.random.Generator(np.random.PCG64(self._seed))
        return self._begun

    @property
    def numpy(self) -> "np.random.Generator":
        """The stream, to draw from."""
        for told in state.on_draw:
            told()
        return self._stream

    def seed(self) -> int:
        """Begin a stream nobody can foretell; returns its seed."""
        self.manual_seed(int.from_bytes(os.urandom(8)) >> 1)
        return self._seed

    def initial_seed(self) -> int:
        """The seed this stream began with."""
        return self._seed

    def get_state(self) -> Tensor:
        """Where the stream is, as a tensor of bytes."""
        at = self._stream.bit_generator.state
        words = [at["state"]["state"], at["state"]["inc"], at["has_uint32"], at["uinteger"], self._seed]
        return Tensor(np.frombuffer(b"".join(w.to_bytes(16, "little") for w in words), np.uint8).copy())

    def set_state(self, new_state: Tensor) -> "Generator":
        """Go on from where a stream was when ``get_state`` was called."""
        data = new_state.array.tobytes()
        if len(data) != 80:
            raise RuntimeError(f"set_state: a state is 80 bytes; got {len(data)}; pass what get_state() returned")
        words = [int.from_bytes(data[i : i + 16], "little") for i in range(0, 80, 16)]
        self.manual_seed(words[4])
        self._stream.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": words[0], "inc": words[1]},
            "has_uint32": words[2],
            "uinteger": words[3],
        }
        return self


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Begin the stream of this seed in the default generator; the same program then draws the same numbers."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Begin a stream nobody can foretell in the default generator; returns its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed the default generator began with."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Where the default generator is."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator where it was."""
    default_generator.set_state(new_state)


def _draw(
    op: str, kind: str, shape: tuple, dtype: Any, device: Any, generator: Generator | None, requires_grad: bool
) -> Tensor:
    check_device(op, device)
    found = get_default_dtype() if dtype is None else to_dtype(dtype)
    if not is_float(found):
        raise RuntimeError(f"{op}: the dtype is a floating one; got {found}")
    return Tensor(draw(generator, kind, shape, found), requires_grad=requires_grad)


def draw(generator: Generator | None, kind: str, shape: tuple, dtype: np.dtype) -> np.ndarray:
    """An array from numpy's method of this name, "random" or "standard_normal" say, by a generator or the default."""
    source = generator or default_generator
    half = dtype == float16  # numpy draws none

    def run() -> np.ndarray:
        kept = float32 if half else dtype
        with source._lock:
            if kind == "standard_normal" and math.prod(shape) >= MANY:
                array = np.empty(shape, kept)
                normal(array.reshape(-1), source.numpy.bit_generator.random_raw(2))
            else:
                array = np.asarray(getattr(source.numpy, kind)(shape, kept))
        if half and kind == "random":
            array = np.floor(array * 2048) / 2048  # rounded to the nearest, the largest would become 1
        return array.astype(dtype, copy=False)

    return each_run(run)


def draw_stream(generator: Generator | None = None) -> np.ndarray:
    """The key of a stream of its own: two numbers (uint64) by a generator or the default, from which an operation
    computes as many random bits as it needs, in any order and again in backward.

    It is an input of such an operation like others. To run a recorded operation once more with other random numbers,
    draw another key; to run it with the same, hand it the same key.
    """
    source = generator or default_generator

    def draw() -> np.ndarray:
        with source._lock:
            return source.numpy.bit_generator.random_raw(2)

    return each_run(draw)


def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Numbers drawn uniformly from [0, 1)."""
    return _draw("rand", "random", as_size("rand", size), dtype, device, generator, requires_grad)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Numbers drawn from the standard normal distribution."""
    return _draw("randn", "standard_normal", as_size("randn", size), dtype, device, generator, requires_grad)


def rand_like(
    input: Tensor, *, dtype: Any = None, generator: Generator | None = None, requires_grad: bool = False
) -> Tensor:
    """`rand` of the shape and dtype of ``input``."""
    return rand(input.shape, dtype=dtype or input.dtype, generator=generator, requires_grad=requires_grad)


def randn_like(
    input: Tensor, *, dtype: Any = None, generator: Generator | None = None, requires_grad: bool = False
) -> Tensor:
    """`randn` of the shape and dtype of ``input``."""
    return randn(input.shape, dtype=dtype or input.dtype, generator=generator, requires_grad=requires_grad)


def randint(
    low: int = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Integers drawn uniformly from low (0 if left out) up to but without high: ``randint(10, (2, 3))``."""
    if size is None:
        low, high, size = 0, low, high
    if size is None:
        raise TypeError(f"randint: high and size are needed; got {high!r} and {size!r}")
    if high <= low:
        raise RuntimeError(f"randint: low must be below high; got low={low}, high={high}")
    check_device("randint", device)
    source = generator or default_generator
    found = np.dtype("int64") if dtype is None else to_dtype(dtype)

    def draw() -> np.ndarray:
        with source._lock:
            array = source.numpy.integers(low, high, as_size("randint", (size,)))
        return np.asarray(array).astype(found, copy=False)

    return Tensor(each_run(draw))


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: Any = None) -> Tensor:
    """`randint` of the shape and dtype of ``input``."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, dtype=dtype or input.dtype)


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The integers 0 to n - 1 in random order."""
    check_device("randperm", device)
    source = generator or default_generator
    found = np.dtype("int64") if dtype is None else to_dtype(dtype)

    def draw() -> np.ndarray:
        with source._lock:
            return source.numpy.permutation(*as_size("randperm", (n,))).astype(found, copy=False)

    return Tensor(each_run(draw))
