"""What the figures were measured on: processor, cores, SIMD flags, versions, and the BLAS libraries in a process."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIMD = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512", "amx", "asimd", "bf16", "sve")


@dataclass(frozen=True)
class Blas:
    """An OpenBLAS that a process has loaded: which package's copy, its kernels, its threads."""

    package: str
    core: str
    threads: int
    config: str

    def __str__(self) -> str:
        version = " ".join(self.config.split()[:2])
        return f"{self.package}'s copy: {version}, {self.core} kernels"


def cores() -> int:
    """The processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def output(*command: str) -> str:
    """What a program prints; nothing when it isn't there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor() -> tuple[str, list[str]]:
    """The processor's model, and those of its flags that say what SIMD it has (Linux alone lists them)."""
    if platform.system() == "Darwin":
        return output("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine(), []
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine(), []
    fields = {}
    for line in text.split("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        fields[key.strip()] = value.strip()
    name = fields.get("model name", platform.machine())
    if "cpu family" in fields:
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    present = (fields.get("flags") or fields.get("Features") or "").split()
    return name, [flag for flag in present if flag.startswith(SIMD)]


def revision() -> str:
    """The checkout's commit, with a mark if files differ from it."""
    return output("git", "-C", str(ROOT), "describe", "--always", "--dirty=, changed", "--abbrev=10") or "unknown"


def describe() -> list[tuple[str, str]]:
    """Names and values that describe the machine."""
    model, flags = processor()
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    lines = [
        ("processor", model),
        ("cores", f"{cores()} usable of {os.cpu_count()}"),
        ("SIMD", " ".join(flags) or "unknown"),
        ("system", f"{system}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}".rstrip(", ")),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("jitgrad", f"checkout {revision()}"),
    ]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        lines.insert(3, ("memory", f"{memory / 2**30:.0f} GiB"))
    return lines


def busy() -> str | None:
    """A warning when other programs had the processor before the run began."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load < 0.3:
        return None
    return f"load average {load:.1f} on {cores()} cores before the run: other programs disturb these figures"


def _loaded_openblas() -> list[Path]:
    """The shared libraries with OpenBLAS in their name that this process has mapped."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return []
    return sorted({Path(fields[5]) for line in lines if "openblas" in line and len(fields := line.split()) > 5})


def _call(library: ctypes.CDLL, name: str, restype: type) -> object:
    """Call the library's function under whichever prefix and suffix this build gave it; None without one."""
    for prefix in ("scipy_", ""):
        for suffix in ("64_", "_64", ""):
            function = getattr(library, f"{prefix}openblas_{name}{suffix}", None)
            if function is not None:
                function.restype, function.argtypes = restype, []
                return function()
    return None


def blas_libraries() -> list[dict[str, object]]:
    """Every OpenBLAS in this process, by asking it: the kernels it chose, its number of threads, its build."""
    found = []
    for path in _loaded_openblas():
        library = ctypes.CDLL(str(path))
        core, config = (_call(library, name, ctypes.c_char_p) for name in ("get_corename", "get_config"))
        threads = _call(library, "get_num_threads", ctypes.c_int)
        package = path.parent.name.partition(".libs")[0]
        texts = [value.decode() if isinstance(value, bytes) else "unknown" for value in (core, config)]
        found.append(asdict(Blas(package, texts[0], threads if isinstance(threads, int) else 0, texts[1])))
    return found
