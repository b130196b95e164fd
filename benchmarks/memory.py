"""The peak of a process's resident memory over a stretch of time, as Linux keeps it; nothing elsewhere."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from pathlib import Path


def _status(key: str) -> int | None:
    """A size in bytes from the process's status."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":")), None)


def resident() -> int | None:
    """The memory in use, after what is free has been given back to the system."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # glibc's alone
        ctypes.CDLL(None).malloc_trim(0)
    return _status("VmRSS")


def reset_peak() -> bool:
    """Start the peak afresh from the memory in use now; False where the system can't."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak() -> int | None:
    """The highest memory in use since the last reset."""
    return _status("VmHWM")
