"""The command line, as its users meet it: what it writes, what it prints, and every error in full."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import autograd
from nn.cli import main
from nn.cli.data import split

FILES = ["backprop.svg", "learning_curves.png", "metrics.json", "model.safetensors"]
QUICK = ["--epochs", "2", "--layers", "8", "--quiet"]
EASY = ["--target", "kind", "--epochs", "40", "--layers", "16", "--lr", "0.02", "--quiet"]  # for the blobs below


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


def run(capsys, *args):
    """Exit status, what was printed, and the errors."""
    try:
        status = main(args)
    except SystemExit as error:  # argparse's way
        status = error.code
    return status, *capsys.readouterr()


def jitgrad(*args, **options):
    """The same as a process of its own."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "  # ignored in some shells
        "from nn.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *args]
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, **options)


def metrics(folder="runs/data"):
    return json.loads(Path(folder, "metrics.json").read_text(encoding="utf-8"))


def write(text, name="data.csv"):
    Path(name).write_text(text, encoding="utf-8", newline="")


def blobs(rows=60, names=("cat", "dog", "eel")):
    """A table of classes that are easy to tell apart: the columns x, y and kind."""
    random = np.random.default_rng(0)
    lines = ["x,y,kind"]
    for i in range(rows):
        x, y = random.normal(size=2) + 6 * np.array([i % 3, (i + 1) % 3])
        lines.append(f"{x:.4f},{y:.4f},{names[i % 3]}")
    return "\n".join(lines) + "\n"


def line(rows=80):
    """A table of values: c = 200 + 30 a - 10 b."""
    a, b = np.random.default_rng(0).normal(size=(2, rows))
    return "a,b,c\n" + "".join(f"{x:.6f},{y:.6f},{200 + 30 * x - 10 * y:.6f}\n" for x, y in zip(a, b))


# --- training --------------------------------------------------------------------------------------------------------


def test_digits_with_the_default_settings(capsys):
    status, out, err = run(capsys, "train")
    assert (status, err) == (0, "")
    first, second, third, fourth = out.splitlines()
    assert first == "digits: 1,797 rows (1,257 train, 270 validation, 270 test), 64 columns, 10 classes"
    assert second == "network: 64-256-128-10, relu, batch norm, dropout 0.2; 51,594 parameters"
    assert third.startswith("test accuracy 9")
    assert fourth == f"runs/digits: {', '.join(FILES)}"
    assert metrics("runs/digits")["test"]["accuracy"] >= 0.975
    assert os.listdir("runs") == ["digits"] and sorted(os.listdir("runs/digits")) == FILES


def test_a_run_holds_what_it_says():
    """The pictures are pictures, the metrics agree with one another, the best epoch is the one that was kept."""
    assert main(["train", "--data", "iris", "--epochs", "30", "--layers", "16", "--quiet"]) == 0
    assert Path("runs/iris/learning_curves.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert "0.weight" in Path("runs/iris/backprop.svg").read_text(encoding="utf-8")
    found = metrics("runs/iris")
    assert found["rows"] == {"train": 106, "validation": 22, "test": 22}
    assert found["classes"] == ["setosa", "versicolor", "virginica"]
    history = found["history"]
    losses = history["validation_loss"]
    assert {len(history[name]) for name in history if name != "best_epoch"} == {30}
    assert losses[history["best_epoch"] - 1] == min(losses)
    assert found["validation"]["loss"] == pytest.approx(min(losses), abs=1e-5)  # the parameters of that epoch
    confusion = np.array(found["test"]["confusion"])
    assert confusion.sum() == 22 and confusion.trace() / 22 == pytest.approx(found["test"]["accuracy"])


@pytest.mark.parametrize(
    "options, network",
    [
        ("--data iris --layers none", "4-3"),
        ("--data iris --layers 8 --no-batch-norm --dropout 0", "4-8-3, relu"),
        ("--data wine --layers 8,4 --activation tanh --optimizer sgd --momentum 0.5", None),
        ("--data breast_cancer --layers 8 --optimizer adamw --weight-decay 0.1", None),
        ("--data breast_cancer --layers 8 --activation gelu --schedule constant", None),
        ("--data diabetes --layers 8 --activation sigmoid --dropout 0.5", "10-8-1, sigmoid, batch norm, dropout 0.5"),
        ("--data iris --layers 8 --batch-size 2 --lr 0.01 --ignore", None),
        ("--data iris --layers 8 --batch-size 1 --no-batch-norm", None),
    ],
)
def test_options(options, network, capsys):
    args = options.split()
    if args[-1] == "--ignore":
        args.append("petal width (cm)")
    status, out, err = run(capsys, "train", *args, "--epochs", "1")
    assert (status, err) == (0, "")
    if network:
        assert out.splitlines()[1].startswith(f"network: {network}; ")


def test_regression_in_the_unit_of_the_target(capsys):
    """Values around 200 are scaled inside; what is reported is in the table's own unit."""
    write(line())
    status, out, err = run(capsys, "train", "--data", "data.csv", "--target", "c", "--epochs", "150", "--lr", "0.01",
                           "--layers", "16", "--dropout", "0", "--no-batch-norm")  # fmt: skip
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "data.csv: 80 rows (56 train, 12 validation, 12 test), 2 columns, values of 'c'"
    found = metrics()
    assert found["task"] == "regression"
    assert found["test"]["r2"] > 0.97
    assert 0 < found["test"]["rmse"] < 6  # the values' standard deviation is about 32
    status, out, err = run(capsys, "predict", "runs/data", "data.csv")
    header, *values = out.splitlines()
    truth = [float(row.split(",")[2]) for row in line().splitlines()[1:]]
    assert header == "prediction" and status == 0
    rmse = np.sqrt(np.mean((np.array(values, dtype=float) - truth) ** 2))
    assert err == f"RMSE {rmse:.4g} by the column 'c'\n" and rmse < 6
    test = split(np.array(truth), stratify=False, seed=1)[2]
    error = np.array(values, dtype=float)[test] - np.array(truth)[test]
    assert found["test"]["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)


@pytest.mark.parametrize(
    "text, options",
    [
        ("x,y\n" + "".join(f"{i},{i % 5}\n" for i in range(15)), ""),  # three of each class
        ("x,y\n" + "".join(f"{i},{i / 7}\n" for i in range(10)), ""),  # the fewest values
        ("x,y\n" + "".join(f"{i},{i / 7}\n" for i in range(13)), "--batch-size 2"),  # 9 rows: none may be left alone
        ("x,one,y\n" + "".join(f"{i},1,{i % 2}\n" for i in range(20)), ""),  # a column that is always the same
        ("x,y\n" + "".join(f"{1e9 + i},{i % 2}\n" for i in range(20)), ""),  # far from 0, and still apart
    ],
)
def test_small_and_awkward_tables(text, options, capsys):
    write(text)
    assert run(capsys, "train", "--data", "data.csv", "--target", "y", *QUICK, *options.split()) == (0, "", "")
    said = run(capsys, "predict", "runs/data", "data.csv")[1].splitlines()[1:]
    assert len(said) == text.count("\n") - 1
    assert np.isfinite([float(number) for answer in said for number in answer.split(",")]).all()
    assert len({answer.split(",")[-1] for answer in said}) > 1


def test_digits_share_one_scale_unless_told_otherwise():
    for name, options in [("a", []), ("b", ["--scaling", "shared"]), ("c", ["--scaling", "column"])]:
        args = ["--epochs", "1", "--layers", "none", "--quiet"]
        assert main(["train", "--out", name, *args, *options]) == 0
    a, b, c = (metrics(name)["history"] for name in "abc")
    assert a == b and a != c


@pytest.mark.parametrize(
    "target, options, task",
    [
        (["a", "b"] * 20, [], "classification"),
        (["yes", "1"] * 20, [], "classification"),
        ([3, 5] * 20, [], "classification"),
        (["1.0", "2"] * 20, [], "classification"),
        ([0.5, 1.5] * 20, [], "regression"),
        (range(40), [], "regression"),
        ([3, 5] * 20, ["--task", "regression"], "regression"),
        ([0.5, 1.5] * 20, ["--task", "classification"], "classification"),
    ],
)
def test_the_task_is_seen_from_the_target(target, options, task):
    write("x,y\n" + "".join(f"{i % 7},{y}\n" for i, y in enumerate(target)))
    assert main(["train", "--data", "data.csv", "--target", "y", *QUICK, *options]) == 0
    assert metrics()["task"] == task


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    for name, seed in [("a", "1"), ("b", "1"), ("c", "2")]:
        assert main(["train", "--data", "iris", "--seed", seed, "--out", name, *QUICK]) == 0
    a, b, c = (metrics(name)["history"] for name in "abc")
    assert a == b and a != c


def test_a_bar_to_watch_on_a_terminal_only(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["train", "--data", "iris", "--epochs", "2", "--layers", "8"]) == 0
    err = capsys.readouterr().err
    assert "epoch 2/2 |" in err and "train loss " in err and "validation " in err
    assert main(["train", "--data", "iris", *QUICK]) == 0
    assert capsys.readouterr() == ("", "")


# --- CSV files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace(",", ", "),
        lambda text: text.replace("\n", "\n\n", 9) + ",,\n\n",
        lambda text: text.replace("cat", '"a, ""cat"""'),
    ],
    ids=["plain", "mark", "windows", "semicolons", "tabs", "spaces", "blank lines", "quotes"],
)
def test_dialects(change, capsys):
    write(change(blobs()))
    status, out, err = run(capsys, "train", "--data", "data.csv", "--target", "kind", "--epochs", "2", "--layers", "8")
    assert (status, err) == (0, "")
    assert out.startswith("data.csv: 60 rows (42 train, 9 validation, 9 test), 2 columns, 3 classes\n")


def test_predictions_on_the_training_data_reproduce_the_accuracy(capsys):
    """In another order of columns, with one more, with the target and without."""
    write(blobs())
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    rows = [row.split(",") for row in blobs().splitlines()]
    write("".join(f"{kind},note,{y},{x}\n" for x, y, kind in rows).replace("kind,note", "kind,memo", 1), "new.csv")
    status, out, err = run(capsys, "predict", "runs/data", "new.csv")
    header, *lines = out.splitlines()
    said, sure = zip(*(answer.split(",") for answer in lines))
    right = np.mean([kind == guess for (_, _, kind), guess in zip(rows[1:], said)])
    found = metrics()
    parts = [(found["rows"][part], found[part]["accuracy"]) for part in ("validation", "test")]
    assert header == "prediction,probability" and status == 0
    assert right == 1 and [accuracy for _, accuracy in parts] == [1, 1]
    assert err == "accuracy 1.0000 by the column 'kind'\n"
    assert all(1 / 3 < float(p) <= 1 for p in sure)
    write("".join(f"{y},{x}\n" for x, y, _ in rows), "new.csv")
    assert run(capsys, "predict", "runs/data", "new.csv") == (0, out, "")
    assert run(capsys, "predict", "runs/data", "new.csv", "--out", "said.csv") == (0, "", "")
    assert Path("said.csv").read_text(encoding="utf-8") == out


def test_the_accuracy_of_predictions_that_are_not_all_right(capsys):
    write(blobs())
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    write(blobs().replace("cat", "dog", 6), "new.csv")
    assert run(capsys, "predict", "runs/data", "new.csv")[2] == "accuracy 0.9000 by the column 'kind'\n"


def test_no_accuracy_where_the_classes_have_other_names(capsys):
    write(blobs())
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    write("x,y,kind\n1,2,Katze\n", "new.csv")
    assert run(capsys, "predict", "runs/data", "new.csv")[2] == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_device_is_written_to_and_not_replaced(capsys):
    write(blobs())
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    write("x,y\n1,2\n", "new.csv")
    message = "jitgrad predict: --out: '/dev/full' can't be written; No space left on device; name another file\n"
    assert run(capsys, "predict", "runs/data", "new.csv", "--out", "/dev/full") == (2, "", message)
    assert not os.path.isfile("/dev/full")
    with open("/dev/full", "w") as full:
        done = jitgrad("predict", "runs/data", "new.csv", stdout=full)
    message = b"jitgrad predict: the predictions can't be printed; No space left on device; try --out\n"
    assert (done.wait(60), done.stderr.read()) == (2, message)
    done.stderr.close()


def test_a_reader_may_stop_early():
    """As head does."""
    write(blobs())
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    write("x,y\n" + "1,2\n" * 50_000, "new.csv")
    process = jitgrad("predict", "runs/data", "new.csv", stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"prediction,probability\n"
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (0, b"")
    process.stderr.close()


def test_what_was_measured_is_what_predict_says(capsys):
    """On a problem that can't be solved, the rows of each part: nothing is scaled, coded or switched in two ways."""
    labels = np.random.default_rng(0).integers(0, 2, 200)
    write("x,y\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels)))
    assert main(["train", "--data", "data.csv", "--target", "y", "--epochs", "5", "--layers", "8", "--quiet"]) == 0
    said = run(capsys, "predict", "runs/data", "data.csv")[1].splitlines()[1:]
    right = np.array([int(answer.split(",")[0]) for answer in said]) == labels
    _, validation, test = split(labels, stratify=True, seed=1)
    assert metrics()["test"]["accuracy"] == pytest.approx(right[test].mean())
    assert metrics()["validation"]["accuracy"] == pytest.approx(right[validation].mean())
    assert 0.3 < right.mean() < 0.8


def test_whole_numbers_name_the_same_class_however_they_are_written(capsys):
    write("x,y\n" + "".join(f"{i % 2},{i % 2 * 10}\n" for i in range(40)))
    assert main(["train", "--data", "data.csv", "--target", "y", "--epochs", "30", "--layers", "8", "--quiet"]) == 0
    assert metrics()["classes"] == ["0", "10"]
    write("x,y\n0,0.0\n1,10.0\n", "new.csv")
    _, out, err = run(capsys, "predict", "runs/data", "new.csv")
    assert [answer.split(",")[0] for answer in out.splitlines()] == ["prediction", "0", "10"]
    assert err == "accuracy 1.0000 by the column 'y'\n"


# --- errors ----------------------------------------------------------------------------------------------------------

TOO_FEW = "at least 3 are needed, for training, validation and test"
IGNORE = "; --ignore leaves a column out"


@pytest.mark.parametrize(
    "text, options, message",
    [
        # the file
        (None, "--data no.csv --target y",
         "no.csv: no such file; the data is digits, iris, wine, breast_cancer, diabetes or a CSV file"),
        (None, "--data . --target y", ".: can't be read; Is a directory"),
        ("", "--target y", "data.csv: the file is empty; a line of column names and a line for each row are needed"),
        ("\n\n", "--target y", "data.csv, line 1: no column names; the first line must have them"),
        ("x,y\n", "--target y", "data.csv: there are column names, but no rows below them"),
        ("x,y\n\n,\n", "--target y", "data.csv: there are column names, but no rows below them"),
        ("x,,y\n1,2,3\n", "--target y", "data.csv, line 1: column 2 has no name; every column needs one"),
        ("x,y,x\n1,2,3\n", "--target y", "data.csv, line 1: column 'x' occurs twice; names must differ"),
        ("x,y\n1,2\n1,2,3\n", "--target y",
         "data.csv, line 3: 3 values for 2 columns; a value with a comma in it needs quotes"),
        ('x,y\n1,2\n1,"2\n', "--target y", "data.csv, line 3: a quoted value does not end"),
        ("x,y\n1,caf\udce9\n", "--target y", "data.csv: not UTF-8 text; got byte 0xe9; save it as UTF-8"),
        ("caf\udce9,y\n1,2\n", "--target y", "data.csv: not UTF-8 text; got byte 0xe9; save it as UTF-8"),
        # the columns
        ("x,y\n1,2\n", "", "--target: name the column of data.csv to predict; there are 'x', 'y'"),
        ("x,kind\n1,2\n", "--target knid", "data.csv: no column 'knid'; did you mean 'kind'?"),
        ("x,y\n1,2\n", "--target zzz", "data.csv: no column 'zzz'; there are 'x', 'y'"),
        ("x,y\n1,2\n", "--target y --ignore zzz", "data.csv: no column 'zzz'; there are 'x', 'y'"),
        ("x,y\n1,2\n", "--target y --ignore y", "--ignore: 'y' is the target"),
        ("x,y\n1,2\n", "--target y --ignore x",
         "data.csv: no columns beside 'y'; there is nothing to predict it from"),
        # the cells
        ("x,y\n1,a\n\nold,b\n", "--target y", "data.csv, line 4: column 'x' must be a number; got 'old'" + IGNORE),
        ("x,y\n1,a\n,b\n", "--target y", "data.csv, line 3: column 'x' must be a number; got an empty cell" + IGNORE),
        ("x,y\n1,a\nNA,b\n", "--target y", "data.csv, line 3: column 'x' must be a number; got an empty cell" + IGNORE),
        ("x,y\n1,a\n1\n", "--target y", "data.csv, line 3: column 'y' must have a value; got an empty cell"),
        ("x,y\n1,a\ninf,b\n", "--target y",
         "data.csv, line 3: column 'x' must be a number up to 1e+30; got 'inf'" + IGNORE),
        ('t,x,y\n"two\nlines",1,a\nt,?,b\n', "--target y --ignore t",
         "data.csv, line 4: column 'x' must be a number; got '?'" + IGNORE),
        ("x,y\n1,a\n2,b\n", "--target y --task regression",
         "data.csv, line 2: column 'y' must be a number; got 'a'; for classes, --task classification"),
        ("x,y\n" + "".join(f"1,{i}\n" for i in range(30)) + "1,many\n", "--target y",
         "data.csv, line 32: column 'y' must be a number; got 'many'; for classes, --task classification"),
        # the target
        ("x,y\n1,a\n2,b\n3,a\n4,a\n", "--target y",
         f"data.csv, line 3: column 'y' has one example of class 'b'; {TOO_FEW}"),
        ("x,y\n1,a\n2,b\n3,a\n4,a\n5,b\n", "--target y",
         f"data.csv, line 3: column 'y' has 2 examples of class 'b'; {TOO_FEW}"),
        ("x,y\n1,1\n2,2\n3,1\n4,1\n5,2\n", "--target y",
         f"data.csv, line 3: column 'y' has 2 examples of class '2'; {TOO_FEW}; for values, --task regression"),
        ("x,y\n1,a\n2,a\n3,a\n", "--target y",
         "data.csv: column 'y' is 'a' in every row; there is nothing to learn"),
        ("x,y\n1,0.5\n2,0.5\n", "--target y",
         "data.csv: column 'y' is '0.5' in every row; there is nothing to learn"),
        ("x,y\n1,0.5\n2,0.6\n", "--target y", "data.csv: 2 rows are too few; at least 10 are needed"),
        # the options, alone and together
        (None, "--data iris --target y", "--target: only for a CSV file; iris has its own"),
        (None, "--momentum 0.5", "--momentum: only for sgd; got --optimizer adam"),
        (None, "--batch-size 1", "--batch-size: batch norm needs 2 rows or more; got 1; or --no-batch-norm"),
        (None, "--data diabetes --label-smoothing 0.2",
         "--label-smoothing: only for classification; the column 'target' has values"),
        (None, "--data iris --optimizer sgd --lr 1e30 --no-batch-norm",
         "--lr: the loss is no longer finite in epoch 1; got 1e+30; try a smaller one"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained(text, options, message, capsys):
    """One line, exit status 2, and not a file more than before."""
    if text is not None:
        Path("data.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
        options = f"--data data.csv {options}"
    before = os.listdir()
    assert run(capsys, "train", "--quiet", *options.split()) == (2, "", f"jitgrad train: {message}\n")
    assert os.listdir() == before


SEE = "; see jitgrad train --help"


@pytest.mark.parametrize(
    "options, message",
    [
        ("--layers 128,x", "--layers: whole numbers above 0 between commas; got '128,x'; 256,128 say"),
        ("--layers 0", "--layers: whole numbers above 0 between commas; got '0'; 256,128 say"),
        ("--dropout 1", "--dropout: a number from 0 and below 1; got '1'"),
        ("--lr 0", "--lr: a number above 0; got '0'"),
        ("--lr nan", "--lr: a number above 0; got 'nan'"),
        ("--weight-decay -1", "--weight-decay: a number from 0; got '-1'"),
        ("--epochs 0", "--epochs: a whole number from 1; got '0'"),
        ("--epochs 1.5", "--epochs: a whole number from 1; got '1.5'"),
        ("--seed -1", "--seed: a whole number from 0 to 4294967295; got '-1'"),
        ("--optimizer adm", "--optimizer: one of adam, adamw, sgd; got 'adm'"),
        ("--task sorting", "--task: one of classification, regression; got 'sorting'"),
        ("--epochs", "--epochs: expected one argument"),
    ],
)
def test_options_that_make_no_sense(options, message, capsys):
    assert run(capsys, "train", *options.split()) == (2, "", f"jitgrad train: {message}{SEE}\n")


def test_an_option_that_does_not_exist(capsys):
    assert run(capsys, "train", "--epoch", "5") == (
        2, "", "jitgrad: unrecognized arguments: --epoch 5; see jitgrad --help\n"
    )  # fmt: skip


@pytest.mark.parametrize("missing", ["pandas", "sklearn", "matplotlib"])
def test_what_the_extra_brings_is_named_when_it_is_missing(missing, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    name = {"sklearn": "scikit-learn"}.get(missing, missing)
    message = f'jitgrad train: {name} is not installed; pip install "jitgrad[train]"\n'
    assert run(capsys, "train") == (2, "", message)


def test_without_graphviz_the_graph_is_left_as_text(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    status, out, err = run(capsys, "train", "--data", "iris", "--epochs", "1", "--layers", "8")
    assert (status, err) == (0, "")
    *_, files, note = out.splitlines()
    assert files == "runs/iris: backprop.dot, learning_curves.png, metrics.json, model.safetensors"
    assert note.startswith("backprop.dot instead of backprop.svg: ")
    assert main(["train", "--data", "iris", *QUICK]) == 0  # a folder with a .dot is a run's too


# --- predicting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args, message",
    [
        ("nowhere new.csv", "nowhere: not the folder of a run; there is no model.safetensors in it"),
        ("runs/data no.csv",
         "no.csv: no such file; the data is digits, iris, wine, breast_cancer, diabetes or a CSV file"),
        ("runs/data lacks.csv", "lacks.csv: no column 'x' and 1 more; there are 'a', 'b'"),
        ("runs/data text.csv", "text.csv, line 3: column 'y' must be a number; got 'high'"),
        ("runs/data new.csv --out no/said.csv",
         "--out: 'no/said.csv' can't be written; No such file or directory; name another file"),
        ("runs/data new.csv --out new.csv/said.csv",
         "--out: 'new.csv/said.csv' can't be written; Not a directory; name another file"),
        ("runs/data new.csv --out runs", "--out: 'runs' can't be written; Is a directory; name another file"),
        ("runs/data new.csv --out new.csv", "--out: 'new.csv' is the file to predict for; name another"),
        ("damaged new.csv", "load: 'damaged/model.safetensors' was altered after it was saved; got contents its "
                            "checksum does not fit"),
        ("short new.csv", "load: 'short/model.safetensors' is not a whole safetensors file; got 100 bytes that were cut "
                          "short, altered, or are of another kind"),
        ("other new.csv", "other/model.safetensors: not a network that jitgrad train wrote"),
    ],
)  # fmt: skip
def test_what_cannot_be_predicted(args, message, capsys):
    write(blobs())
    assert main(["train", "--data", "data.csv", "--target", "kind", *QUICK]) == 0
    write("x,y\n1,2\n", "new.csv")
    write("a,b\n1,2\n", "lacks.csv")
    write("x,y\n1,2\n1,high\n", "text.csv")
    whole = Path("runs/data/model.safetensors").read_bytes()
    for name, content in [("damaged", whole[:-1] + bytes([whole[-1] ^ 1])), ("short", whole[:100]), ("other", whole)]:
        os.mkdir(name)
        Path(name, "model.safetensors").write_bytes(content)
    autograd.save({"weight": autograd.ones(2)}, "other/model.safetensors")
    before = sorted(os.listdir())
    assert run(capsys, "predict", *args.split()) == (2, "", f"jitgrad predict: {message}\n")
    assert sorted(os.listdir()) == before
    assert Path("new.csv").read_text(encoding="utf-8") == "x,y\n1,2\n"


# --- the folder of a run ---------------------------------------------------------------------------------------------


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture
def old_run():
    """A run's files, to be compared with what is there later."""
    assert main(["train", "--data", "iris", *QUICK]) == 0
    return contents("runs/iris")


def test_a_run_takes_the_place_of_an_older_one(old_run):
    assert main(["train", "--data", "iris", "--seed", "2", *QUICK]) == 0
    assert os.listdir("runs") == ["iris"]
    assert contents("runs/iris")["model.safetensors"] != old_run["model.safetensors"]


@pytest.mark.parametrize("where", ["fit.fit", "predictor.Predictor.save", "report.draw_curves", "folder.os.rename"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk full")], ids=["interrupt", "error"])
def test_the_old_run_survives(where, error, old_run, capsys, monkeypatch):
    """Whatever goes wrong, and wherever: in training, in saving, in drawing, in changing places."""
    calls = []

    def fail(*args, **kwargs):
        calls.append(args)
        if where == "folder.os.rename" and len(calls) != 2:  # the second of the two: the old folder is away already
            return rename(*args)
        raise error

    rename = os.rename
    target = "nn.cli.train.fit" if where == "fit.fit" else f"nn.cli.{where}"
    monkeypatch.setattr(target, fail)
    expected = (130, "", "jitgrad train: interrupted; nothing was written\n")
    if isinstance(error, OSError):
        expected = (2, "", "jitgrad train: --out: 'runs/iris' can't be written; disk full; name another folder\n")
    assert run(capsys, "train", "--data", "iris", *QUICK) == expected
    assert calls
    assert os.listdir("runs") == ["iris"]
    assert contents("runs/iris") == old_run


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_leaves_the_old_run(old_run):
    """A real process and a real signal, in the midst of training."""
    process = jitgrad("train", "--data", "iris", "--epochs", "1000000", "--layers", "8", stdout=subprocess.PIPE)
    for _ in range(600):
        if len(os.listdir("runs")) == 2:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"jitgrad train: interrupted; nothing was written\n")
    assert os.listdir("runs") == ["iris"]
    assert contents("runs/iris") == old_run


def test_nothing_is_left_where_nothing_was(capsys, monkeypatch):
    monkeypatch.setattr("nn.cli.report.write_metrics", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run(capsys, "train", "--data", "iris", "--out", "a/b/c", *QUICK)[0] == 130
    assert os.listdir() == []


@pytest.mark.parametrize(
    "out, message",
    [
        ("file", "--out: 'file' is a file; name a folder"),
        ("file/run", "--out: 'file/run' can't be written; Not a directory; name another folder"),
        (".", "--out: '.' is the current folder, which can't be replaced; name one in it"),
        ("mine", "--out: 'mine' holds 'thesis.tex', which no run wrote; name another folder"),
    ],
)
def test_folders_that_are_not_for_a_run(out, message, capsys):
    write("", "file")
    os.mkdir("mine")
    write("by hand", "mine/thesis.tex")
    assert run(capsys, "train", "--data", "iris", "--out", out, *QUICK) == (2, "", f"jitgrad train: {message}\n")
    assert sorted(os.listdir()) == ["file", "mine"] and os.listdir("mine") == ["thesis.tex"]


def test_a_link_to_a_folder_stays_one():
    os.mkdir("there")
    os.symlink("there", "here")
    assert main(["train", "--data", "iris", "--out", "here", *QUICK]) == 0
    assert os.path.islink("here") and sorted(os.listdir("there")) == FILES


# --- help ------------------------------------------------------------------------------------------------------------


def test_help(capsys):
    status, out, err = run(capsys, "--help")
    assert (status, err) == (0, "")
    assert run(capsys) == (0, out, "")  # no command: what commands there are
    assert "train a network on a table" in out and "say what a trained network makes of other rows" in out
    for command, words in [
        ("train", ["--data NAME", "data:", "network:", "training:", "output:", "examples:", "(default: adam)"]),
        ("predict", ["RUN", "FILE.csv", "example:"]),
    ]:
        status, out, err = run(capsys, command, "--help")
        assert (status, err) == (0, "")
        assert [word for word in words if word not in out] == []
        assert max(map(len, out.splitlines())) <= 120


def test_every_option_of_train_is_explained(capsys):
    out = run(capsys, "train", "--help")[1]
    options = [row for row in out.splitlines() if row.startswith("  --")]
    bare = [row for row in options if "  " not in row.strip() and "no-batch-norm" not in row]
    assert len(options) == 20 and bare == []


def test_version(capsys, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", {"jitgrad": "1.2.3"}.get)
    assert run(capsys, "--version") == (0, "jitgrad 1.2.3\n", "")


def test_python_runs_the_package_and_help_needs_no_engine():
    code = "import sys; from nn.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'numba', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules), 'too much for a help text'"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
    done = subprocess.run([sys.executable, "-m", "nn.cli"], check=True, capture_output=True, env=environment)
    assert done.stdout.startswith(b"usage: jitgrad COMMAND")
