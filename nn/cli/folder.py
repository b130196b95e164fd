"""A run's folder: replaced as a whole once the run has succeeded, or left as it was."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import CommandError

MODEL, METRICS, CURVES, GRAPH = "model.safetensors", "metrics.json", "learning_curves.png", "backprop.svg"
_OURS = {MODEL, METRICS, CURVES, GRAPH, "backprop.dot"}


@contextmanager
def replaced(name: str) -> Iterator[Path]:
    """A new folder beside the one named, to write into; at the end of the ``with`` block it takes the other's place.

    After an error or an interruption nothing has changed. CommandError if the folder can't be written, or holds files
    that no run wrote.
    """
    folder = Path(os.path.realpath(name))
    _check(folder, name)
    draft = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    made = [parent for parent in folder.parents if not parent.exists()]
    try:
        draft.mkdir(parents=True)
        yield draft
        _swap(draft, folder)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or error
            raise CommandError(f"--out: {name!r} can't be written; {reason}; name another folder") from error
        raise


def _check(folder: Path, name: str) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CommandError(f"--out: {name!r} is a file; name a folder")
    if folder.samefile(os.curdir):
        raise CommandError(f"--out: {name!r} is the current folder, which can't be replaced; name one in it")
    try:
        others = sorted(set(os.listdir(folder)) - _OURS)
    except OSError as error:
        raise CommandError(f"--out: {name!r} can't be read; {error.strerror}; name another folder") from None
    if others:
        raise CommandError(f"--out: {name!r} holds {others[0]!r}, which no run wrote; name another folder")


def _swap(draft: Path, folder: Path) -> None:
    old = draft.with_name(f"{draft.name}-old")
    try:
        if folder.exists():
            os.rename(folder, old)
        os.rename(draft, folder)
    except BaseException:
        if old.exists() and not folder.exists():
            os.rename(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
