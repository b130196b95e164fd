"""Text -> compiled module. The text of a kernel is written to the cache folder under a name that holds a hash of the
text and of the versions of numba, numpy and Python; numba keeps the machine code beside it. So an edited formula is
never served from an old entry, and a second process loads a kernel in a few milliseconds instead of compiling it.

The folder is the user's, not that of the library, and any number of processes may use it at once. What can't be kept,
on a disk that is full or may not be written to, is compiled by each process for itself. A line on stderr tells about
that, and about the first time on a machine, which takes long; ``JITGRAD_QUIET=1`` keeps it silent.
"""

import contextlib
import functools
import importlib.util
import itertools
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .memory import keep_freed

__all__ = ["cache_folder", "load"]

_WHOLE_REGISTERS = """from numba import types
from numba.extending import intrinsic


@intrinsic
def whole_registers(context):
    def generate(context, builder, signature, values):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


"""
"""On Intel's processors LLVM makes loops with half of each register, as was good for the first ones that had AVX-512.
`whole_registers` tells it to use all, in the function that calls it: gelu of a million numbers, forward and backward,
takes 1.6 ms then, not 2.5.
"""
_FUNCTION = re.compile(r"^@(?:njit|cfunc)\((?!\*\*INSIDE)[^@]*?^def [^:]*:\n", re.MULTILINE)
_SHARED_LOOP = re.compile(r"^( *)for \w+ in prange\(.*\):\n", re.MULTILINE)

_lock = threading.RLock()
_loaded: dict[str, ModuleType] = {}
_said: set[str] = set()

_MANY = 3
"""After this many new kernels, if there were none before, the user is told what takes the time."""
_TIME = 10**9
"""When the texts were written, as the system is told. numba compares it with what it was when the machine code was
made, and two processes that write one text at once do so at different times.
"""


@functools.cache
def cache_folder() -> Path:
    """Where kernels are kept: ``$JITGRAD_CACHE_DIR``, else the user's cache folder, else a temporary one."""
    import tempfile

    try:
        folder = _wanted_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        reason = f"{folder} can't be written to ({error.strerror})"
    except RuntimeError:  # from Path.home()
        reason = "the user has no home folder"
    _say(f"{reason}: this process compiles its kernels for itself; JITGRAD_CACHE_DIR may name another folder")
    return _temporary_folder()


def _wanted_folder() -> Path:
    if chosen := os.environ.get("JITGRAD_CACHE_DIR"):
        return Path(chosen).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "jitgrad"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "jitgrad" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jitgrad"


def _temporary_folder() -> Path:
    """A folder for this process alone."""
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="jitgrad-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _say(text: str) -> None:
    """One line on stderr, once, unless the user wants none."""
    if text in _said or sys.stderr is None or os.environ.get("JITGRAD_QUIET", "0") not in ("", "0"):
        return
    _said.add(text)
    over = "\r\x1b[K" if sys.stderr.isatty() else ""  # a progress bar may stand there
    sys.stderr.write(f"{over}jitgrad: {text}\n")
    sys.stderr.flush()


def _say_unkept(error: OSError) -> None:
    _say(f"kernels can't be kept in {cache_folder()} ({error.strerror}): this process compiles them for itself")


@functools.cache
def _versions() -> str:
    # Imported here, as all that only a kernel needs: `import autograd` must be quick.
    import importlib.metadata
    import platform

    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("numba", "numpy")]
    return " ".join([platform.python_implementation(), platform.python_version(), *packages])


def load(name: str, text: str) -> ModuleType:
    """The module with this text, loaded once per process; ``name`` makes the file findable for a person."""
    import hashlib

    text = _in_whole_registers(text)
    digest = hashlib.sha256(f"{_versions()}\n{text}".encode()).hexdigest()[:24]
    keep_freed()
    with _lock:
        if digest not in _loaded:
            _loaded[digest] = _find(f"{name}_{digest}", text)
        return _loaded[digest]


def _in_whole_registers(text: str) -> str:
    """The text with a call of `whole_registers` in each function, and in loops that become functions of their own."""
    text = _FUNCTION.sub(r"\g<0>    whole_registers()\n", text)
    return _WHOLE_REGISTERS + _SHARED_LOOP.sub(r"\g<0>\1    whole_registers()\n", text)


def _find(name: str, text: str) -> ModuleType:
    path = cache_folder() / f"{name}.py"
    try:
        _write(path, text)
        return _import(path)
    except OSError as error:
        _say_unkept(error)
    return _import_unkept(name, text)


def _write(path: Path, text: str) -> None:
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    import tempfile

    _tell_first_time(path.parent)
    # Renaming makes the file appear whole, also when two processes print the same kernel at once.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
        try:
            file.write(text)
            file.close()
            os.utime(file.name, (_TIME, _TIME))
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise


@functools.cache
def _new_kernels(folder: Path) -> Iterator[int]:
    """Counts the kernels that this process adds to the folder, from 1 if it was empty."""
    with os.scandir(folder) as entries:
        was_empty = not any(entry.name.endswith(".py") for entry in entries)
    return itertools.count(1 if was_empty else _MANY + 1)


def _tell_first_time(folder: Path) -> None:
    if next(_new_kernels(folder)) == _MANY and not _said:
        _say(f"compiling kernels, this first time on this machine; they are kept in {folder}")


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"jitgrad_kernel_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    # numba finds the module of cached code by its name.
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    with _our_cache():
        spec.loader.exec_module(module)
    return module


def _import_unkept(name: str, text: str) -> ModuleType:
    """The module without a file; its kernels are compiled."""
    module = sys.modules[f"jitgrad_kernel_{name}"] = ModuleType(f"jitgrad_kernel_{name}")
    _prepare_to_compile()
    exec(text.replace("cache=True", "cache=False"), vars(module))
    return module


@functools.cache
def _prepare_to_compile() -> None:
    """Import what numba compiles with, but not SciPy's BLAS: it only looks whether there is one, and loading that one
    takes 0.1 s, memory and a thread.
    """
    from numba.np import linalg

    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        import numba.np.arraymath  # noqa: F401 (which looks)
    finally:
        linalg.ensure_blas = look


@contextlib.contextmanager
def _our_cache() -> Iterator[None]:
    """Have numba keep the functions that are made meanwhile by `_cache_type`."""
    from numba.core import ccallback, dispatcher

    makers: list[Any] = [ccallback, dispatcher]
    kept = [maker.FunctionCache for maker in makers]
    for maker in makers:
        maker.FunctionCache = _cache_type()
    try:
        yield
    finally:
        for maker, cache in zip(makers, kept, strict=True):
            maker.FunctionCache = cache


@functools.cache
def _cache_type() -> type:
    from numba.core.caching import FunctionCache
    from numba.core.runtime import rtsys
    from numba.core.sigutils import normalize_signature

    class Cache(FunctionCache):
        """numba's cache of one function, which does without when something is wrong with its files.

        numba numbers the machine code for different arguments. Two processes that compile for different ones at once
        may take the same number, and then one finds the code of the other under it.
        """

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            try:
                # numba's own method has the context learn all that can be compiled first, which takes 0.1 s. What is
                # loaded needs the functions of the runtime.
                rtsys.initialize(target_context)
                with self._guard_against_spurious_io_errors():
                    found = self._load_overload(sig, target_context)
            except Exception:  # a file was cut off
                found = None
                with contextlib.suppress(OSError):
                    self.flush()
            if found is not None and found.signature.args == normalize_signature(sig)[0]:
                return found
            _prepare_to_compile()
            return None

        def save_overload(self, sig: Any, data: Any) -> None:
            try:
                super().save_overload(sig, data)
            except OSError as error:
                _say_unkept(error)

    return Cache
