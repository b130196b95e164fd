"""The command line: ``jitgrad train`` and ``jitgrad predict``."""

import sys
from collections.abc import Sequence

from .arguments import parser
from .errors import CommandError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, that of the process unless ``argv`` is given; returns the exit status.

    0 for success, 2 for what the user can mend, which is one line on stderr, 130 for an interruption by Ctrl-C.

    >>> main(["train", "--data", "iris", "--epochs", "20", "--quiet"])
    0
    """
    args = parser().parse_args(argv)
    if args.command is None:
        parser().print_help()
        return 0
    try:
        if args.command == "train":
            from .train import train as command  # only now: these need the engine, the help does not
        else:
            from .predict import predict as command
        command(args)
    except CommandError as error:
        print(f"jitgrad {args.command}: {error}".replace("\n", " "), file=sys.stderr)
        return 2
    except MemoryError as error:
        hint = "smaller --layers or a smaller --batch-size" if args.command == "train" else "a file of fewer rows"
        print(f"jitgrad {args.command}: out of memory; {error or 'no more was to be had'}; try {hint}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"jitgrad {args.command}: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0
