"""Text -> compiled module. The text of a kernel is written to the cache folder under a name that holds a hash of the
text and of the versions of numba, numpy and Python; numba keeps the machine code beside it. So an edited formula is
never served from an old entry, and a second process loads a kernel in a few milliseconds instead of compiling it.
"""

import functools
import importlib.util
import os
import sys
import threading
from pathlib import Path
from types import ModuleType

from .memory import keep_freed

__all__ = ["cache_folder", "load"]

_lock = threading.RLock()
_loaded: dict[str, ModuleType] = {}


@functools.cache
def cache_folder() -> Path:
    """Where kernels are kept: ``$JITGRAD_CACHE_DIR``, else the user's cache folder, else a temporary one."""
    import tempfile

    if chosen := os.environ.get("JITGRAD_CACHE_DIR"):
        candidates = [Path(chosen)]
    elif sys.platform == "darwin":
        candidates = [Path.home() / "Library" / "Caches" / "jitgrad"]
    elif sys.platform == "win32":
        candidates = [Path(os.environ.get("LOCALAPPDATA", Path.home())) / "jitgrad" / "cache"]
    else:
        candidates = [Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jitgrad"]
    for folder in candidates:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="jitgrad-"))


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

    digest = hashlib.sha256(f"{_versions()}\n{text}".encode()).hexdigest()[:24]
    keep_freed()
    with _lock:
        if digest not in _loaded:
            _loaded[digest] = _import(_write(cache_folder() / f"{name}_{digest}.py", text))
        return _loaded[digest]


def _write(path: Path, text: str) -> Path:
    # Renaming makes the file appear whole, also when two processes print the same kernel at once.
    if not path.exists():
        import tempfile

        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(text)
        os.replace(file.name, path)
    return path


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"jitgrad_kernel_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    # numba finds the module of cached code by its name.
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
