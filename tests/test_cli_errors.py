"""Every error of the command line in full: one line, exit status 2, nothing written."""

import os
import sys
from pathlib import Path

import pytest
from cli_runs import QUICK, blobs, run, write
from cli_runs import folder as folder  # a fixture

import autograd
from nn.cli import main

pytestmark = pytest.mark.usefixtures("folder")

# --- errors -----------------------------------------------------------------------------------------------------------

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
        ("x,y\n1,a\nNA,b\n", "--target y", "data.csv, line 3: column 'x' must be a number; got 'NA'" + IGNORE),
        ("x,y\n1,a\n1\n", "--target y", "data.csv, line 3: column 'y' must have a value; got an empty cell"),
        ("x,y\n1,1\n1,2\n1,n/a\n", "--target y", "data.csv, line 4: column 'y' must have a value; got 'n/a'"),
        ("x,y\n1,None\n1\n", "--target y", "data.csv, line 3: column 'y' must have a value; got an empty cell"),
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
        ("--layers 128,x", "--layers: whole numbers from 1 to 1000000 between commas; got '128,x'; 256,128 say"),
        ("--layers 0", "--layers: whole numbers from 1 to 1000000 between commas; got '0'; 256,128 say"),
        ("--layers 99999999999",
         "--layers: whole numbers from 1 to 1000000 between commas; got '99999999999'; 256,128 say"),
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
)  # fmt: skip
def test_options_that_make_no_sense(options, message, capsys):
    assert run(capsys, "train", *options.split()) == (2, "", f"jitgrad train: {message}{SEE}\n")


def test_an_option_that_does_not_exist(capsys):
    assert run(capsys, "train", "--epoch", "5") == (
        2, "", "jitgrad: unrecognized arguments: --epoch 5; see jitgrad --help\n"
    )  # fmt: skip


def test_a_network_that_does_not_fit_the_memory(capsys, monkeypatch):
    def build(architecture):
        raise MemoryError("Unable to allocate 3.64 TiB")

    monkeypatch.setattr("nn.cli.predictor.Architecture.build", build)
    message = (
        "jitgrad train: out of memory; Unable to allocate 3.64 TiB; try smaller --layers or a smaller --batch-size\n"
    )
    assert run(capsys, "train", "--layers", "1000000,1000000") == (2, "", message)


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


# --- predicting -------------------------------------------------------------------------------------------------------


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
