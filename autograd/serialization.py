"""Saving and loading: nested dicts, lists and tuples of tensors and plain values, as safetensors files.

The tensors stand in the file side by side under dotted names, so that any safetensors reader finds them; how they
were nested, and the plain values, stand as JSON in the file's metadata. Nothing is ever executed on loading.
"""

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from .tensor import Tensor

__all__ = ["load", "save"]

_KEY = "jitgrad"  # our one entry in the metadata: more would be written in an order that changes from run to run
_START = '{"sha256": "'  # tells our entry even if its key was altered
_DTYPES = {"BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "F32", "F64"}


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write tensors, and the dicts, lists and tuples they are in, to a safetensors file.

    ``obj`` may hold tensors of any shape and dtype, numbers, strings, bools and None: the state of a model, an
    optimizer, a schedule. A flat dict of tensors gives a file with exactly its keys. The file is complete or it is not
    there: it is written beside ``path`` and renamed, so a crash leaves what was there before. A tensor that occurs
    twice is written twice; NumPy's numbers come back as Python's, and subclasses of dict as dict.

    Raises TypeError for what can't be saved, with its place, before anything is written, and OSError for a file that
    can't be written.

    >>> save({"model": {"weight": Tensor([1.0, 2.0])}, "epoch": 3}, "checkpoint.safetensors")
    """
    from safetensors.numpy import save as to_bytes  # here, since most processes neither save nor load

    target = Path(os.path.realpath(_path("save", path)))  # a symbolic link stays one
    if target.is_dir():
        raise IsADirectoryError(f"save: a file is needed; got the folder {str(path)!r}")
    if target.exists() and not target.is_file():  # the rename would put a file in the place of /dev/null
        raise OSError(f"save: a regular file is needed; got the device or pipe {str(path)!r}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"save: the folder must exist; got {str(path)!r}; make {str(target.parent)!r} first")
    tensors: dict[str, np.ndarray] = {}
    try:
        structure = _pack(obj, "obj", "", tensors)
        text = json.dumps({"sha256": _digest(structure, tensors), "structure": structure})
    except RecursionError:
        raise ValueError("save: the nesting must end; got an object that contains itself, or is too deep") from None
    _write(target, to_bytes(tensors, {_KEY: text}))


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote; a file that other programs wrote is a flat dict of its tensors.

    The tensors are new, need no gradient and share nothing with the file. Raises FileNotFoundError if there is no such
    file, and ValueError, with the file's name and what is wrong, for one that is cut short, altered or of another kind.

    >>> save({"model": {"weight": Tensor([1.0, 2.0])}, "epoch": 3}, "checkpoint.safetensors")
    >>> load("checkpoint.safetensors")
    {'model': {'weight': tensor([1., 2.])}, 'epoch': 3}
    """
    from safetensors import SafetensorError, safe_open

    file = Path(_path("load", path))
    name = repr(str(path))
    if not file.is_file():
        raise _missing(file, name)
    try:
        with safe_open(file, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            names = list(opened.keys())
            for key in names:
                if (dtype := opened.get_slice(key).get_dtype()) not in _DTYPES:
                    raise ValueError(
                        f"load: {name} holds a dtype that tensors here don't have; got {dtype} for {key!r}; "
                        "convert it to float32 where it was written"
                    )
            tensors = {key: opened.get_tensor(key) for key in names}
    except SafetensorError:
        raise ValueError(f"load: {name} is not a whole safetensors file; got {_diagnose(file)}") from None
    ours = [text for key, text in metadata.items() if key == _KEY or text.startswith(_START)]
    if not ours:
        return {key: Tensor(array) for key, array in tensors.items()}
    try:
        described = json.loads(ours[0])
        structure = described["structure"]
        intact = described["sha256"] == _digest(structure, tensors)
        result = _unpack(structure, tensors) if intact else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        intact = False
    if not intact:
        raise ValueError(f"load: {name} was altered after it was saved; got contents its checksum does not fit")
    return result


def _path(op: str, path: Any) -> str:
    try:
        return os.fsdecode(path)
    except TypeError:
        raise TypeError(f"{op}: the path of a file is needed; got {type(path).__name__}") from None


# --- nesting ---------------------------------------------------------------------------------------------------------
# In JSON an object with one member marks what JSON has no word for: {"tensor": name}, {"dict": {...}},
# {"items": [[key, value], ...]} for a dict with keys other than strings, {"tuple": [...]}, {"float": "nan"}.


def _pack(obj: Any, place: str, name: str, tensors: dict[str, np.ndarray]) -> Any:
    """The JSON for ``obj``; its arrays are added to ``tensors`` under names that begin with ``name``."""
    if isinstance(obj, Tensor):
        key = _free(name or "tensor", tensors)
        tensors[key] = np.ascontiguousarray(obj.detach().numpy()).reshape(obj.shape)  # 0-d became 1-d
        return {"tensor": key}
    if isinstance(obj, np.generic):
        obj = obj.item()
    kind = type(obj)
    if kind is float and not math.isfinite(obj):
        return {"float": repr(obj)}
    if obj is None or kind in (bool, int, float, str):
        return obj
    if kind in (list, tuple):
        packed = [_pack(x, f"{place}[{i}]", _join(name, i), tensors) for i, x in enumerate(obj)]
        return packed if kind is list else {"tuple": packed}
    if isinstance(obj, dict):
        items = [[_key(k, place), _pack(v, f"{place}[{k!r}]", _join(name, k), tensors)] for k, v in obj.items()]
        if all(type(key) is str for key, _ in items):
            return {"dict": dict(items)}
        return {"items": items}
    hint = "use autograd.from_numpy" if kind is np.ndarray else "leave it out"
    raise TypeError(
        "save: tensors, numbers, strings, bools and None can be saved, in dicts, lists and tuples; "
        f"got {kind.__name__} at {place}; {hint}"
    )


def _key(key: Any, place: str) -> Any:
    plain = key.item() if isinstance(key, np.generic) else key
    kind = type(plain)
    if not (plain is None or kind in (bool, int, str) or (kind is float and math.isfinite(plain))):
        raise TypeError(f"save: a key must be a string, number, bool or None; got {kind.__name__} {key!r} at {place}")
    return plain


def _join(name: str, key: Any) -> str:
    text = str(key).encode("utf-8", "backslashreplace").decode()  # a lone surrogate is no UTF-8
    return f"{name}.{text}" if name else text


def _free(name: str, tensors: dict[str, np.ndarray]) -> str:
    """``name``, or if it is taken (``{"a": {"b": x}, "a.b": y}``) or the format's own, one like it that is free."""
    count, free = 1, name
    while free in tensors or free == "__metadata__":
        count += 1
        free = f"{name}~{count}"
    return free


def _unpack(packed: Any, tensors: dict[str, np.ndarray]) -> Any:
    if isinstance(packed, list):
        return [_unpack(x, tensors) for x in packed]
    if not isinstance(packed, dict):
        return packed
    ((mark, value),) = packed.items()
    match mark:
        case "tensor":
            return Tensor(tensors[value])
        case "dict":
            return {key: _unpack(x, tensors) for key, x in value.items()}
        case "items":
            return {key: _unpack(x, tensors) for key, x in value}
        case "tuple":
            return tuple(_unpack(x, tensors) for x in value)
        case "float":
            return float(value)
    raise ValueError(f"unknown mark {mark!r}")


def _digest(structure: Any, tensors: dict[str, np.ndarray]) -> str:
    import hashlib

    digest = hashlib.sha256(json.dumps(structure).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


# --- files -----------------------------------------------------------------------------------------------------------


def _write(target: Path, data: bytes) -> None:
    """Put ``data`` into the file as a whole or not at all."""
    import secrets

    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(draft, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # the rename must not reach the disk before what it names
        os.replace(draft, target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    if os.name == "posix":  # the rename itself; other systems can't open a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _missing(file: Path, name: str) -> OSError:
    if file.is_dir():
        return IsADirectoryError(f"load: a file is needed; got the folder {name}")
    try:
        others = [x.name for x in file.parent.iterdir() if x.suffix == ".safetensors"]
    except OSError:
        others = []
    import difflib

    close = difflib.get_close_matches(file.name, others, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return FileNotFoundError(f"load: no such file; got {name}{hint}")


def _diagnose(file: Path) -> str:
    """What a file that safetensors refuses looks like."""
    with open(file, "rb") as opened:
        start = opened.read(8)
    if not start:
        return "an empty file"
    if start.startswith((b"PK\x03\x04", b"\x80")):
        return "a pickle, as torch.save writes; write it with safetensors.torch.save_file instead"
    return f"{file.stat().st_size:,} bytes that were cut short, altered, or are of another kind"
