"""`jitgrad train`."""

import argparse
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

import autograd

from . import folder, report
from .arguments import BUILT_IN, LEARNING_RATES
from .data import Rows, Scaling, class_target, split, value_target
from .errors import CommandError, need, suggest
from .fit import History, Objective, Options, fit, outputs
from .predictor import Architecture, Predictor
from .progress import Progress
from .table import Table, built_in, read_csv


def train(args: argparse.Namespace) -> None:
    """Read the data, train, and leave a run's folder. CommandError for what the user can mend."""
    need("pandas", "sklearn", "matplotlib")
    start = time.perf_counter()
    _check(args)
    table, target = _read(args)
    autograd.manual_seed(args.seed)
    predictor, parts = _prepare(args, table, target)
    if not args.quiet:
        print(_describe(table, predictor, parts))
    objective = Objective(predictor.classes is not None, args.label_smoothing)
    options = Options(**{field.name: getattr(args, field.name) for field in fields(Options)})
    with folder.replaced(args.out) as draft:
        with Progress(args.epochs, objective, args.quiet) as progress:
            history = fit(predictor.model, objective, parts["train"], parts["validation"], options, progress)
        metrics = {name: _measure(predictor, objective, parts[name]) for name in ("test", "validation")}
        seconds = round(time.perf_counter() - start, 2)
        predictor.save(draft / folder.MODEL)
        report.write_metrics(_summary(args, predictor, parts, history, seconds) | metrics, draft / folder.METRICS)
        result = _result(objective, metrics["test"])
        report.draw_curves(history, objective, f"{table.source}: test {result}", draft / folder.CURVES)
        note = report.draw_graph(predictor, objective, parts["train"].batches(8)[0], draft / folder.GRAPH)
        names = sorted(path.name for path in draft.iterdir())
    if not args.quiet:
        print(f"test {result} (the parameters of epoch {history.best_epoch}, the best in validation)")
        print(f"{args.out}: {', '.join(names)}")
        print(note, end="\n" if note else "")


def _check(args: argparse.Namespace) -> None:
    """Refuse options that don't go together, and set the defaults that depend on others."""
    own = args.data not in BUILT_IN
    if args.target is not None and not own:
        raise CommandError(f"--target: only for a CSV file; {args.data} has its own")
    if args.momentum is not None and args.optimizer != "sgd":
        raise CommandError(f"--momentum: only for sgd; got --optimizer {args.optimizer}")
    if args.batch_norm and args.batch_size == 1 and args.layers:
        raise CommandError("--batch-size: batch norm needs 2 rows or more; got 1; or --no-batch-norm")
    args.momentum = 0.9 if args.momentum is None else args.momentum
    args.lr = LEARNING_RATES[args.optimizer] if args.lr is None else args.lr
    args.scaling = args.scaling or ("shared" if args.data == "digits" else "column")
    args.out = args.out or str(Path("runs") / (Path(args.data).stem if own else args.data))


def _read(args: argparse.Namespace) -> tuple[Table, str]:
    """The table, without the columns to ignore, and the name of the target."""
    if args.data in BUILT_IN:
        table, target = built_in(args.data)
    else:
        table, target = read_csv(args.data), args.target
        if target is None:
            raise CommandError(f"--target: name the column of {args.data} to predict; {suggest('', table.columns)}")
    table.require([target, *args.ignore])
    if target in args.ignore:
        raise CommandError(f"--ignore: {target!r} is the target")
    table = table.without(args.ignore)
    if len(table.columns) < 2:
        raise CommandError(f"{table.source}: no columns beside {target!r}; there is nothing to predict it from")
    return table, target


def _prepare(args: argparse.Namespace, table: Table, target: str) -> tuple[Predictor, dict[str, Rows]]:
    """A fresh network, and the rows to train, to validate and to test it with."""
    columns = [name for name in table.columns if name != target]
    x = table.numbers(columns, "; --ignore leaves a column out")
    args.task = args.task or table.infer_task(target)
    if args.label_smoothing is not None and args.task == "regression":
        raise CommandError(f"--label-smoothing: only for classification; the column {target!r} has values")
    args.label_smoothing = 0.1 if args.label_smoothing is None else args.label_smoothing
    classes, target_scaling = None, None
    y: np.ndarray
    if args.task == "classification":
        y, classes = class_target(table, target)
        parts = split(y, True, args.seed)
    else:
        y = value_target(table, target)
        parts = split(y, False, args.seed)
        target_scaling = Scaling.of(y[parts[0]])
        y = target_scaling.apply(y)
    args.batch_size = args.batch_size or min(64, max(16, len(parts[0]) // 4))
    scaling = Scaling.of(x[parts[0]], args.scaling == "shared")
    rows = Rows(scaling.apply(x), y)
    sizes = [len(columns), *args.layers, len(classes) if classes else 1]
    architecture = Architecture(sizes, args.activation, args.dropout, args.batch_norm)
    predictor = Predictor(architecture, columns, target, scaling, classes, target_scaling)
    return predictor, {name: rows.take(part) for name, part in zip(("train", "validation", "test"), parts)}


def _describe(table: Table, predictor: Predictor, parts: dict[str, Rows]) -> str:
    """Two lines: the data, and the network."""
    kind = f"{len(predictor.classes)} classes" if predictor.classes else f"values of {predictor.target!r}"
    shares = ", ".join(f"{len(rows):,} {name}" for name, rows in parts.items())
    parameters = sum(p.numel() for p in predictor.model.parameters())
    return (
        f"{table.source}: {len(table):,} rows ({shares}), {len(predictor.columns)} columns, {kind}\n"
        f"network: {predictor.architecture}; {parameters:,} parameters"
    )


def _measure(predictor: Predictor, objective: Objective, rows: Rows) -> dict[str, Any]:
    """Loss and accuracy, with who was taken for whom; or loss, R2 and the error in the target's own unit."""
    said = outputs(predictor.model, rows.x)
    loss, score = objective.measure(said, rows.y)
    if predictor.target_scaling is None:
        from sklearn.metrics import confusion_matrix

        confusion = confusion_matrix(rows.y, said.argmax(1), labels=range(said.shape[1]))
        return {"loss": loss, "accuracy": score, "confusion": confusion.tolist()}
    rmse = float(np.sqrt(np.mean((said - rows.y) ** 2)) * predictor.target_scaling.scale[0])
    return {"loss": loss, "r2": score, "rmse": rmse}


def _result(objective: Objective, metrics: dict[str, Any]) -> str:
    if objective.classification:
        return f"accuracy {objective.show(metrics['accuracy'])}"
    return f"{objective.show(metrics['r2'])}, RMSE {metrics['rmse']:.4g}"


def _summary(
    args: argparse.Namespace, predictor: Predictor, parts: dict[str, Rows], history: History, seconds: float
) -> dict[str, Any]:
    """All of metrics.json but the measures themselves."""
    return {
        "task": args.task,
        "target": predictor.target,
        "classes": predictor.classes,
        "rows": {name: len(rows) for name, rows in parts.items()},
        "seconds": seconds,
        "settings": {name: value for name, value in vars(args).items() if name not in ("command", "quiet")},
        "history": {name: np.round(value, 6).tolist() for name, value in asdict(history).items()},
    }
