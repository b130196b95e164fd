"""The command line, as its users meet it: training, tables, predictions, help."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_runs import EASY, FILES, QUICK, blobs, jitgrad, line, metrics, run, write
from cli_runs import folder as folder  # a fixture

from nn.cli import main
from nn.cli.data import split

pytestmark = pytest.mark.usefixtures("folder")

# --- training ---------------------------------------------------------------------------------------------------------


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


# --- CSV files --------------------------------------------------------------------------------------------------------


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


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="Unix has it")
@pytest.mark.parametrize("out", ["/dev/stdout", "/dev/fd/1", "log.txt", "link"])
def test_a_file_that_the_shell_has_open_is_written_on(out, capsys):
    write(blobs())
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    write("x,y\n1,2\n", "new.csv")
    said = run(capsys, "predict", "runs/data", "new.csv")[1]
    os.symlink("/dev/stdout", "link")
    with open("log.txt", "wb") as log:
        log.write(b"before\n")
        log.flush()
        done = jitgrad("predict", "runs/data", "new.csv", "--out", out, stdout=log)
        assert (done.wait(60), done.stderr.read()) == (0, b"")
        done.stderr.close()
        os.write(log.fileno(), b"after\n")
    assert Path("log.txt").read_text(encoding="utf-8") == f"before\n{said}after\n"


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


def test_classes_may_be_called_what_elsewhere_stands_for_nothing(capsys):
    names = ["NA", "None", "n/a"]
    write(blobs(names=names))
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    assert metrics()["classes"] == sorted(names)
    _, out, err = run(capsys, "predict", "runs/data", "data.csv")
    assert {answer.split(",")[0] for answer in out.splitlines()[1:]} == set(names)
    assert err == "accuracy 1.0000 by the column 'kind'\n"


def test_large_whole_numbers_are_told_apart():
    names = ["100000000000000000", "100000000000000001", "3e0"]
    write(blobs(names=names))
    assert main(["train", "--data", "data.csv", *EASY]) == 0
    assert metrics()["classes"] == ["3", *names[:2]]


# --- help -------------------------------------------------------------------------------------------------------------


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
