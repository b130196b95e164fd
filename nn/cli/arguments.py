"""The options of the command line, and what they accept."""

import argparse
import importlib.metadata
from collections.abc import Callable
from typing import Any, NoReturn

BUILT_IN = ("digits", "iris", "wine", "breast_cancer", "diabetes")
_WIDEST = 1_000_000  # a layer of so many units has more weights than any table can teach
LEARNING_RATES = {"adam": 0.001, "adamw": 0.001, "sgd": 0.05}

_EXAMPLES = """\
examples:
  jitgrad train                                          handwritten digits, into runs/digits
  jitgrad train --data houses.csv --target price         a table of your own, into runs/houses
  jitgrad predict runs/houses new.csv --out prices.csv   what the network says about other rows
"""

_TRAIN = """\
Train a multilayer perceptron on a table: 70 % of the rows for training, 15 % to choose the best epoch by, 15 % to
test it. Columns are scaled by what the training rows show. The folder holds in the end

  model.safetensors     the network and what it needs to predict
  metrics.json          settings, test results, and the course of the training
  learning_curves.png   loss and score by epoch
  backprop.svg          the graph that backpropagation walks
"""

_TRAIN_EXAMPLES = """\
examples:
  jitgrad train --epochs 30 --layers 512,256 --dropout 0.3
  jitgrad train --data wine --optimizer sgd --momentum 0.9
  jitgrad train --data houses.csv --target price --ignore id --ignore street
"""

_PREDICT = """\
Print what a trained network says about the rows of a CSV file: the class and its probability, or the value. The
columns are found by name, in any order. If the file has the target's column too, the score is printed as well.
"""

_PREDICT_EXAMPLES = """\
example:
  jitgrad predict runs/houses new.csv --out prices.csv
"""


class _Parser(argparse.ArgumentParser):
    """Errors in one line; descriptions and examples as they are written here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **kwargs)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message.removeprefix('argument ')}; see {self.prog} --help\n")


class _Help(argparse.RawDescriptionHelpFormatter):
    """One line for an option, on a terminal that is wide enough."""

    def __init__(self, prog: str, **kwargs: Any) -> None:
        kwargs["max_help_position"] = 32
        super().__init__(prog, **kwargs)


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *args: Any) -> NoReturn:
        try:
            version = importlib.metadata.version("jitgrad")
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"jitgrad {version}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; the subcommand's name is in ``command``."""
    top = _Parser(
        prog="jitgrad",
        usage="%(prog)s COMMAND [options]",
        description="Train neural networks on tables, and predict with them.",
        epilog=_EXAMPLES,
    )
    top.add_argument("--version", action=_Version, nargs=0, dest=argparse.SUPPRESS, help="show the version and exit")
    commands = top.add_subparsers(dest="command", title="commands", metavar="COMMAND", prog="jitgrad")
    _train(
        commands.add_parser(
            "train",
            usage="jitgrad train [options]",
            help="train a network on a table, and save it with its learning curves",
            description=_TRAIN,
            epilog=_TRAIN_EXAMPLES,
        )
    )
    _predict(
        commands.add_parser(
            "predict",
            usage="jitgrad predict RUN FILE.csv [options]",
            help="say what a trained network makes of other rows",
            description=_PREDICT,
            epilog=_PREDICT_EXAMPLES,
        )
    )
    return top


def _train(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("data").add_argument
    add("--data", default="digits", metavar="NAME", help=f"{', '.join(BUILT_IN)}, or a CSV file (default: digits)")
    add("--target", metavar="COLUMN", help="the column of the CSV file to predict")
    add("--ignore", metavar="COLUMN", action="append", default=[], help="a column to leave out; may be repeated")
    add("--task", type=_one_of("classification", "regression"), metavar="TASK",
        help="classification or regression (default: text and few integers are classes)")  # fmt: skip
    add("--scaling", type=_one_of("column", "shared"), metavar="HOW",
        help="a scale for each column, or one shared by all (default: shared for digits)")  # fmt: skip

    add = parser.add_argument_group("network").add_argument
    add("--layers", type=_layers, default=(256, 128), metavar="N,N,...",
        help="sizes of the hidden layers; none for a linear model (default: 256,128)")  # fmt: skip
    add("--activation", type=_one_of("relu", "tanh", "sigmoid", "gelu"), default="relu", metavar="NAME",
        help="relu, tanh, sigmoid or gelu (default: %(default)s)")  # fmt: skip
    add("--dropout", type=_number(0, below=1), default=0.2, metavar="P",
        help="share of the hidden units to drop (default: %(default)s)")  # fmt: skip
    add("--batch-norm", action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS,
        help="batch norm in the hidden layers (default: yes)")  # fmt: skip
    parser.set_defaults(batch_norm=True)

    add = parser.add_argument_group("training").add_argument
    rates = ", ".join(f"{rate} for {name}" for name, rate in LEARNING_RATES.items())
    add("--optimizer", type=_one_of(*LEARNING_RATES), default="adam", metavar="NAME",
        help="adam, adamw or sgd (default: %(default)s)")  # fmt: skip
    add("--lr", type=_number(0, above=True), metavar="RATE", help=f"learning rate (default: {rates})")
    add("--schedule", type=_one_of("cosine", "constant"), default="cosine", metavar="NAME",
        help="cosine, down to nothing, or constant (default: %(default)s)")  # fmt: skip
    add("--momentum", type=_number(0, below=1), metavar="M", help="for sgd (default: 0.9)")
    add("--weight-decay", type=_number(0), default=0.0, metavar="W", help="(default: 0)")
    add("--label-smoothing", type=_number(0, below=1), metavar="S", help="for classification (default: 0.1)")
    add("--epochs", type=_whole(1), default=100, metavar="N", help="passes over the rows (default: %(default)s)")
    add("--batch-size", type=_whole(1), metavar="N", help="rows a step (default: 64, fewer if there are few rows)")
    add("--seed", type=_whole(0, 2**32 - 1), default=1, metavar="N",
        help="of the split, the first weights and the order of the rows (default: %(default)s)")  # fmt: skip

    add = parser.add_argument_group("output").add_argument
    add("--out", metavar="FOLDER", help="replaced as a whole in the end (default: runs/NAME)")
    add("--quiet", action="store_true", help="print nothing but errors")


def _predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder that jitgrad train wrote")
    parser.add_argument("file", metavar="FILE.csv", help="the rows to predict for")
    parser.add_argument("--out", metavar="FILE", help="where the predictions go (default: they are printed)")


def _one_of(*options: str) -> Callable[[str], str]:
    """In place of ``choices``, whose error is not the same in all versions of Python."""

    def convert(value: str) -> str:
        if value not in options:
            raise argparse.ArgumentTypeError(f"one of {', '.join(options)}; got {value!r}")
        return value

    return convert


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    rule = f"a whole number from {least}" + (f" to {most}" if most else "")

    def convert(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least or (most and number > most):
            raise argparse.ArgumentTypeError(f"{rule}; got {value!r}")
        return number

    return convert


def _number(least: float, above: bool = False, below: float = float("inf")) -> Callable[[str], float]:
    rule = f"a number {'above' if above else 'from'} {least}" + (f" and below {below}" if below < float("inf") else "")

    def convert(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not least <= number < below or (above and number == least):  # nan is neither
            raise argparse.ArgumentTypeError(f"{rule}; got {value!r}")
        return number

    return convert


def _layers(value: str) -> tuple[int, ...]:
    try:
        sizes = () if value == "none" else tuple(int(size) for size in value.split(","))
    except ValueError:
        sizes = (0,)
    if min(sizes, default=1) < 1 or max(sizes, default=1) > _WIDEST:
        raise argparse.ArgumentTypeError(
            f"whole numbers from 1 to {_WIDEST} between commas; got {value!r}; 256,128 say"
        )
    return sizes
