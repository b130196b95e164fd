"""The one error of the command line, and the check for what an extra brings."""

import difflib
import importlib.util
from collections.abc import Iterable

_DISTRIBUTIONS = {"sklearn": "scikit-learn"}


class CommandError(Exception):
    """What the user can mend. Its text is one line: what is wrong, with the row or column, and a hint."""


def need(*modules: str) -> None:
    """Raise CommandError if one of the modules, which the extra ``train`` installs, is not there."""
    missing = [_DISTRIBUTIONS.get(m, m) for m in modules if importlib.util.find_spec(m) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise CommandError(f'{" and ".join(missing)} {verb} not installed; pip install "jitgrad[train]"')


def suggest(name: str, known: Iterable[str]) -> str:
    """A hint: the known name most like ``name``, or else all of them."""
    names = list(known)
    if close := difflib.get_close_matches(name, names, 1):
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(map(repr, names[:8])) + (", ..." if len(names) > 8 else "")
    return f"there are {shown}"
