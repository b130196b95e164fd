"""`jitgrad predict`."""

import argparse
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from .errors import CommandError, need
from .folder import MODEL
from .predictor import Predictor
from .table import Table, read_csv


def predict(args: argparse.Namespace) -> None:
    """Print or write a line for each row of a CSV file. CommandError for what the user can mend."""
    need("pandas")
    import pandas as pd

    run = Path(args.run)
    if not (run / MODEL).is_file():
        raise CommandError(f"{args.run}: not the folder of a run; there is no {MODEL} in it")
    predictor = Predictor.load(run / MODEL)
    table = read_csv(args.file)
    table.require(predictor.columns)
    x = table.numbers(predictor.columns)
    if predictor.classes is None:
        said = predictor.values(x)
        frame = pd.DataFrame({"prediction": said})
    else:
        probabilities = predictor.probabilities(x)
        said = np.array(predictor.classes)[probabilities.argmax(1)]
        frame = pd.DataFrame({"prediction": said, "probability": probabilities.max(1)})
    text = frame.to_csv(index=False, float_format="%.7g", lineterminator="\n")
    if args.out is None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at the end
            if not isinstance(error, BrokenPipeError):  # `jitgrad predict ... | head` has seen enough
                raise CommandError(f"the predictions can't be printed; {error.strerror}; try --out") from None
            return
    else:
        _write(args, text)
    if score := _score(predictor, table, said):
        print(score, file=sys.stderr)


def _score(predictor: Predictor, table: Table, said: np.ndarray) -> str:
    """How good the predictions are, if the table tells; else ""."""
    if predictor.target not in table.columns:
        return ""
    try:
        if predictor.classes is not None:
            labels = table.labels(predictor.target)
            if not np.isin(labels, predictor.classes).any():  # the classes have other names there
                return ""
            accuracy = float(np.mean(labels == said))
            return f"accuracy {accuracy:.4f} by the column {predictor.target!r}"
        y = table.numbers([predictor.target])[:, 0]
    except CommandError:  # not known for every row
        return ""
    rmse = float(np.sqrt(np.mean((said - y) ** 2)))
    return f"RMSE {rmse:.4g} by the column {predictor.target!r}"


def _write(args: argparse.Namespace, text: str) -> None:
    """Put the text into the file as a whole or not at all; into what is a stream, say /dev/stdout, behind the rest."""
    out = Path(args.out)
    draft = None
    try:
        if out.exists() and out.samefile(args.file):
            raise CommandError(f"--out: {args.out!r} is the file to predict for; name another")
        if (stream := _open_already(out)) is not None:
            # Opened anew it would begin at its start, and replaced, what others write to it would be lost.
            with open(os.dup(stream), "w", encoding="utf-8", newline="") as file:
                file.write(text)
        elif out.exists() and not out.is_file():  # a device must not be replaced
            out.write_text(text, encoding="utf-8", newline="")
        else:
            out = Path(os.path.realpath(out))  # a symbolic link stays one
            draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
            draft.write_text(text, encoding="utf-8", newline="")
            os.replace(draft, out)
    except BaseException as error:
        if draft is not None:
            with suppress(OSError):
                draft.unlink()
        if isinstance(error, OSError):
            raise CommandError(f"--out: {args.out!r} can't be written; {error.strerror}; name another file") from None
        raise


def _open_already(path: Path) -> int | None:
    """The descriptor, other than that of the input, at which this process has the file open: a shell opened it."""
    if not path.exists():
        return None
    for name in sorted(os.listdir("/dev/fd"), key=int) if os.path.isdir("/dev/fd") else ["1", "2"]:
        with suppress(OSError):  # the one that listed the others is closed
            if int(name) and os.path.samestat(os.fstat(int(name)), path.stat()):
                return int(name)
    return None
