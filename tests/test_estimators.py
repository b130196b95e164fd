"""The estimators beside those of scikit-learn: its own checks, the course of trainings, and what is ours."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn import datasets, neural_network
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autograd
import nn
from nn import estimators
from nn.estimators import MLPClassifier, MLPRegressor

ROOT = Path(__file__).parent.parent

unsettled = pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.ConvergenceWarning")


# --- scikit-learn's own checks ----------------------------------------------------------------------------------------

QUICK = {"hidden_layer_sizes": (20,), "max_iter": 100, "learning_rate_init": 0.01}


def expected_to_fail(estimator):
    if not estimator.dropout:
        return {}
    reason = "what dropout drops, and what a batch shows batch norm, depends on the number of rows"
    kinds = ("dense", "sparse")
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in kinds}


@parametrize_with_checks(
    [MLPClassifier(**QUICK), MLPRegressor(**QUICK), MLPClassifier(**QUICK, dropout=0.1, batch_norm=True)],
    expected_failed_checks=expected_to_fail,
)
@unsettled
def test_scikit_learns_checks(estimator, check):
    check(estimator)


# --- the same course of training --------------------------------------------------------------------------------------

IRIS = datasets.load_iris()
X = StandardScaler().fit_transform(IRIS.data)
CLASSES = IRIS.target
PAIR = np.where(CLASSES > 0, "other", "setosa")
LABELS = np.stack([CLASSES > 0, CLASSES > 1], 1).astype(int)
VALUES = X @ [1.0, -2.0, 0.5, 0.0] + np.sin(X[:, 0])
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2, len(X))

# Adam adds epsilon to the root of the corrected mean here, as in the paper, and to that of the other in scikit-learn:
# with a tiny one the two are the same.
ADAM = {"solver": "adam", "epsilon": 1e-15}
SGD = {"solver": "sgd", "learning_rate_init": 0.1}

COURSES = {
    "adam": (CLASSES, {**ADAM}),
    "adam, two layers, tanh, batches with a rest": (
        CLASSES, {**ADAM, "hidden_layer_sizes": (9, 5), "activation": "tanh", "batch_size": 32, "alpha": 0.1},
    ),
    "adam's betas": (CLASSES, {**ADAM, "beta_1": 0.5, "beta_2": 0.9}),
    "sgd": (CLASSES, SGD),
    "sgd, plain": (CLASSES, {**SGD, "momentum": 0.0, "activation": "identity"}),
    "sgd, momentum": (CLASSES, {**SGD, "nesterovs_momentum": False, "batch_size": 64, "activation": "logistic"}),
    "sgd, falling rate": (CLASSES, {**SGD, "learning_rate": "invscaling", "power_t": 0.3}),
    "sgd, adaptive rate": (
        CLASSES, {**SGD, "learning_rate": "adaptive", "learning_rate_init": 0.5, "tol": 1e-2, "max_iter": 300},
    ),
    "in order": (CLASSES, {**SGD, "shuffle": False, "batch_size": 40}),
    "early stopping": (CLASSES, {**SGD, "early_stopping": True, "max_iter": 60, "n_iter_no_change": 3}),
    "early stopping of two classes": (PAIR, {**ADAM, "early_stopping": True, "validation_fraction": 0.3}),
    "settles": (CLASSES, {**SGD, "learning_rate_init": 0.5, "tol": 1e-3, "max_iter": 300}),
    "two classes": (PAIR, {**SGD, "batch_size": 50}),
    "labels": (LABELS, {**SGD, "batch_size": 50}),
    "values": (VALUES, {**SGD, "learning_rate_init": 0.01}),
    "values, adam": (VALUES, {**ADAM, "batch_size": 40}),
    "values, early stopping": (VALUES, {**ADAM, "early_stopping": True}),
    "two values": (np.stack([VALUES, VALUES**2], 1), {**SGD, "learning_rate_init": 0.001}),
    "counts": (np.round(np.abs(VALUES)), {**SGD, "loss": "poisson", "learning_rate_init": 0.01}),
}  # fmt: skip


def both(y, options):
    """scikit-learn's estimator and ours, with these options."""
    name = "MLPRegressor" if y.dtype == np.float64 else "MLPClassifier"
    options = {"random_state": 5, "max_iter": 15, **options}
    return getattr(neural_network, name)(**options), getattr(estimators, name)(**options)


def answers(model, x):
    return model.predict_proba(x) if hasattr(model, "predict_proba") else model.predict(x)


@unsettled
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["", "weights"])
@pytest.mark.parametrize("course", COURSES)
def test_every_epoch_is_that_of_scikit_learn(course, weight):
    y, options = COURSES[course]
    theirs, ours = both(y, options)
    theirs.fit(X, y, sample_weight=weight)
    ours.fit(X, y, sample_weight=weight)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    np.testing.assert_allclose(answers(ours, X), answers(theirs, X), rtol=1e-6, atol=1e-9)
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-9)
    for name in ("loss_", "best_loss_", "best_validation_score_", "validation_scores_"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert (mine is None) == (other is None), name
        if other is not None:
            np.testing.assert_allclose(mine, other, rtol=1e-8)
    for name in ("t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y))
    if hasattr(theirs, "classes_"):
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-5, atol=1e-8)


@unsettled
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["", "weights"])
@pytest.mark.parametrize("y", [CLASSES, PAIR, LABELS, VALUES], ids=["classes", "pair", "labels", "values"])
def test_lbfgs_takes_the_first_steps_of_scikit_learn(y, weight):
    # Later ones part: what rounds differently, line searches make larger.
    theirs, ours = both(y, {"solver": "lbfgs", "max_iter": 5, "alpha": 0.1})
    theirs.fit(X, y, sample_weight=weight)
    ours.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-8)
    np.testing.assert_allclose(answers(ours, X), answers(theirs, X), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("y", [CLASSES, PAIR, LABELS, VALUES], ids=["classes", "pair", "labels", "values"])
def test_partial_fit_goes_on_as_in_scikit_learn(y):
    theirs, ours = both(y, {**SGD, "learning_rate_init": 0.01, "batch_size": 20})
    first = {} if y is VALUES else {"classes": np.unique(y)}
    for part in (slice(0, None, 3), slice(1, None, 3), slice(2, None, 3)):
        theirs.partial_fit(X[part], y[part], **first)
        ours.partial_fit(X[part], y[part], **first)
        first = {}
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    np.testing.assert_allclose(answers(ours, X), answers(theirs, X), rtol=1e-8)


@unsettled
def test_warm_start_goes_on():
    theirs, ours = both(CLASSES, {**SGD, "warm_start": True, "max_iter": 4})
    for _ in range(3):
        theirs.fit(X, CLASSES)
        ours.fit(X, CLASSES)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    assert len(ours.loss_curve_) == 12


# --- kinds of rows ----------------------------------------------------------------------------------------------------


@unsettled
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array], ids=["csr", "csc"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_rows_are_those_they_stand_for(form, solver):
    dense = np.where(np.abs(X) > 0.7, X, 0)
    model = MLPClassifier((8,), solver=solver, max_iter=10, random_state=0)
    expected = clone(model).fit(dense, CLASSES).predict_proba(dense)
    found = model.fit(form(dense), CLASSES).predict_proba(form(dense))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@unsettled
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_computes_in_the_dtype_of_the_rows(dtype):
    model = MLPClassifier(max_iter=5, random_state=0).fit(X.astype(dtype), CLASSES)
    assert {c.dtype for c in model.coefs_ + model.intercepts_} == {np.dtype(dtype)}
    assert model.predict_proba(X).dtype == dtype
    assert model.predict_proba(X.astype(np.float32)).dtype == dtype
    model.set_params(warm_start=True).fit(X, CLASSES)
    assert model.coefs_[0].dtype == dtype


# --- what is ours -----------------------------------------------------------------------------------------------------


@unsettled
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "batch_norm": True}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("y", [CLASSES, VALUES], ids=["classes", "values"])
def test_a_compiled_training_is_the_same(options, y):
    kind = MLPRegressor if y is VALUES else MLPClassifier
    options = {"hidden_layer_sizes": (8,), "max_iter": 6, "random_state": 0, "batch_size": 64, **options}
    eager, compiled = (kind(**options, compile=flag).fit(X, y) for flag in (False, True))
    np.testing.assert_allclose(compiled.loss_, eager.loss_, rtol=1e-9)
    np.testing.assert_allclose(answers(compiled, X), answers(eager, X), rtol=1e-7)


@unsettled
def test_dropout_is_repeatable_and_leaves_the_stream_of_others_alone():
    autograd.manual_seed(1)
    expected = autograd.rand(3)
    autograd.manual_seed(1)
    model = MLPClassifier(dropout=0.5, max_iter=5, random_state=0)
    first, second = model.fit(X, CLASSES).loss_curve_, clone(model).fit(X, CLASSES).loss_curve_
    assert first == second
    assert first != clone(model).set_params(random_state=1).fit(X, CLASSES).loss_curve_
    assert first != clone(model).set_params(dropout=0).fit(X, CLASSES).loss_curve_
    assert autograd.equal(autograd.rand(3), expected)


@unsettled
def test_threads_side_by_side_train_as_each_alone():
    def train(seed):
        return MLPClassifier((8,), dropout=0.5 * (seed % 2), max_iter=5, random_state=seed).fit(X, CLASSES).loss_curve_

    expected = [train(seed) for seed in range(6)]
    autograd.manual_seed(1)
    drawn = autograd.rand(3)
    autograd.manual_seed(1)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(train, range(6))) == expected
    assert autograd.equal(autograd.rand(3), drawn)


@unsettled
@pytest.mark.parametrize("activation", ["gelu", "SiLU", "leaky_relu", nn.Mish])
def test_the_activations_of_mlp(activation):
    model = MLPClassifier((7, 6), activation, max_iter=3, batch_norm=True, dropout=0.2).fit(X, CLASSES)
    names = [type(layer).__name__ for layer in model.network_]
    assert names[:4] == ["Linear", "BatchNorm1d", names[2], "Dropout"]
    assert names[2].lower() == (activation if isinstance(activation, str) else "mish").lower().replace("_", "")
    assert not model.network_.training


@unsettled
def test_early_stopping_keeps_the_best_epoch(monkeypatch):
    from nn.estimators import perceptron

    parts = []
    hold_out = perceptron.hold_out
    monkeypatch.setattr(perceptron, "hold_out", lambda *args: parts.append(hold_out(*args)) or parts[-1])
    model = MLPClassifier(early_stopping=True, learning_rate_init=0.3, max_iter=40, random_state=1, batch_norm=True)
    model.fit(X, CLASSES)
    assert model.n_iter_ == len(model.validation_scores_) == len(model.loss_curve_)
    x, y, _ = parts[0][1]
    assert model.validation_scores_[-1] < model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(x, y) == model.best_validation_score_


@unsettled
def test_what_may_change_when_a_training_goes_on():
    model = MLPClassifier((6,), max_iter=3, warm_start=True, random_state=0).fit(X, CLASSES)
    model.set_params(early_stopping=True).fit(X, CLASSES)
    assert len(model.validation_scores_) == 3
    model.set_params(early_stopping=False, solver="lbfgs", warm_start=False).fit(X, CLASSES)
    before = model.predict_proba(X)
    model.set_params(solver="adam").partial_fit(X, CLASSES)
    assert not np.array_equal(model.predict_proba(X), before)


@unsettled
def test_an_interrupted_epoch_leaves_the_network_in_evaluation_mode(monkeypatch):
    from nn.estimators.descent import Descent

    model = MLPClassifier((6,), dropout=0.5, batch_size=20).partial_fit(X, CLASSES, classes=[0, 1, 2])

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Descent, "_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, CLASSES)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))


def test_the_network_is_a_module_whose_weights_the_estimator_shows():
    model = MLPRegressor((5,), solver="lbfgs", random_state=0).fit(X, X[:, 0])
    said = model.network_(autograd.from_numpy(X)).detach().numpy().ravel()
    np.testing.assert_allclose(model.predict(X), said)
    with autograd.no_grad():
        model.network_[-1].bias.add_(1)
    np.testing.assert_allclose(model.predict(X), said + 1)


@unsettled
def test_it_works_in_pipelines_searches_and_processes():
    pipe = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=20, learning_rate_init=0.05, random_state=0))
    search = GridSearchCV(pipe, {"mlpclassifier__dropout": [0.0, 0.2]}, cv=2, n_jobs=2)
    search.fit(IRIS.data, CLASSES)
    assert search.best_score_ > 0.8


def test_a_pickled_estimator_answers_and_goes_on():
    model = MLPClassifier(**SGD, batch_size=20, random_state=0).partial_fit(X, CLASSES, classes=[0, 1, 2])
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(
        copy.partial_fit(X, CLASSES).predict_proba(X), model.partial_fit(X, CLASSES).predict_proba(X)
    )


def test_an_interrupted_training_keeps_what_was_learnt(monkeypatch):
    from nn.estimators.descent import Descent

    epoch = Descent.epoch

    def interrupted(self, *args):
        if self.seen >= 3 * len(X):
            raise KeyboardInterrupt
        return epoch(self, *args)

    monkeypatch.setattr(Descent, "epoch", interrupted)
    model = MLPClassifier(random_state=0)
    with pytest.warns(UserWarning, match=r"^MLPClassifier: interrupted in epoch 4; it ends with epoch 3$"):
        model.fit(X, CLASSES)
    assert len(model.loss_curve_) == model.n_iter_ == 3
    assert not model.network_.training
    assert model.predict(X).shape == CLASSES.shape


@unsettled
def test_verbose_shows_a_bar(capsys):
    MLPClassifier(max_iter=2, verbose=True).fit(X, CLASSES)
    assert "2/2" in capsys.readouterr().err
    MLPClassifier(max_iter=2).fit(X, CLASSES)
    assert capsys.readouterr().err == ""


def test_what_has_not_settled_is_told():
    message = r"^MLPClassifier: the loss has not settled after max_iter=2 epochs; raise max_iter$"
    with pytest.warns(ConvergenceWarning, match=message):
        MLPClassifier(max_iter=2).fit(X, CLASSES)
    with pytest.warns(ConvergenceWarning, match="^MLPRegressor: lbfgs has not converged after 1 steps"):
        MLPRegressor(solver="lbfgs", max_iter=1).fit(X, VALUES)


def test_nn_alone_loads_no_scikit_learn():
    code = "import sys, nn; print('sklearn' in sys.modules, hasattr(nn, 'estimators'))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip() == "False False"


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSED_OPTIONS = {
    "alpha": (-1, "a number, 0 or more"),
    "solver": ("adagrad", "one of 'lbfgs', 'sgd', 'adam'"),
    "batch_size": (0, "'auto' or a count, 1 or more"),
    "learning_rate": ("slow", "one of 'constant', 'invscaling', 'adaptive'"),
    "learning_rate_init": (0, "a number above 0"),
    "power_t": ("a", "a number, 0 or more"),
    "max_iter": (0, "a count, 1 or more"),
    "shuffle": (1, "True or False"),
    "tol": (-1e-3, "a number, 0 or more"),
    "momentum": (1.5, "a number in [0, 1]"),
    "validation_fraction": (1.0, "a number in [0, 1)"),
    "beta_1": (1.0, "a number in [0, 1)"),
    "epsilon": (0.0, "a number above 0"),
    "n_iter_no_change": (0.5, "a count, 1 or more, or infinity"),
    "dropout": (1.0, "a number in [0, 1)"),
    "hidden_layer_sizes": ((5, 0), "counts, 1 or more"),
    "compile": ("yes", "True or False"),
}


@pytest.mark.parametrize("option", REFUSED_OPTIONS)
def test_an_option_that_makes_no_sense(option):
    value, rule = REFUSED_OPTIONS[option]
    with pytest.raises(ValueError) as error:  # noqa: PT011
        MLPRegressor(**{option: value}).fit(X, VALUES)
    assert str(error.value) == f"MLPRegressor: {option} must be {rule}; got {value!r}"


REFUSALS = {
    "MLPClassifier: loss must be 'auto' or 'log_loss'; got 'hinge'": lambda: MLPClassifier(loss="hinge").fit(
        X, CLASSES
    ),
    "MLPRegressor: loss must be 'auto', 'squared_error' or 'poisson'; got 'log'": lambda: MLPRegressor(loss="log").fit(
        X, VALUES
    ),
    "MLPRegressor: with loss='poisson' y must be 0 or more; got -1.0": lambda: MLPRegressor(loss="poisson").fit(
        X, -np.ones(150)
    ),
    "MLPClassifier: lbfgs needs a loss that is the same at every look; got dropout or batch_norm; use 'adam'": lambda: (
        MLPClassifier(solver="lbfgs", dropout=0.1).fit(X, CLASSES)
    ),
    "MLPClassifier: partial_fit is one epoch, which can't stop early; got early_stopping=True": lambda: MLPClassifier(
        early_stopping=True
    ).partial_fit(X, CLASSES, classes=[0, 1, 2]),
    "MLPClassifier: classes must be passed on the first call to partial_fit; got None": lambda: (
        MLPClassifier().partial_fit(X, CLASSES)
    ),
    "MLPClassifier: y must have the classes [0 1] alone; got [2] too": lambda: MLPClassifier().partial_fit(
        X, CLASSES, classes=[0, 1]
    ),
    "MLPClassifier: classes must be those of the first call to partial_fit, [0 1 2]; got [0, 1]": lambda: (
        MLPClassifier().partial_fit(X, CLASSES, classes=[0, 1, 2]).partial_fit(X, CLASSES, classes=[0, 1])
    ),
    "MLPRegressor: y must have 1 outputs, as before; got 2": lambda: (
        MLPRegressor().partial_fit(X, VALUES).partial_fit(X, np.stack([VALUES, VALUES], 1))
    ),
    "MLPClassifier: a network that goes on keeps its hidden_layer_sizes, activation, dropout and batch_norm, ((100,), 'relu', 0.0, False); got ((100,), 'relu', 0.2, False)": lambda: (
        MLPClassifier().partial_fit(X, CLASSES, classes=[0, 1, 2]).set_params(dropout=0.2).partial_fit(X, CLASSES)
    ),
    "MLPClassifier: sample_weight must have a value that is not zero; got zeros": lambda: MLPClassifier().fit(
        X, CLASSES, sample_weight=np.zeros(150)
    ),
    "MLPClassifier: batch_norm learns from 2 rows or more; got n_samples=150, batch_size=1": lambda: MLPClassifier(
        batch_norm=True, batch_size=1
    ).fit(X, CLASSES),
    "MLPClassifier: early stopping needs 2 rows or more for validation; got 1 of 5; raise validation_fraction": lambda: (
        MLPClassifier(early_stopping=True).fit(X[[0, 1, 60, 61, 120]], CLASSES[[0, 1, 60, 61, 120]])
    ),
    "MLPRegressor: the loss is no longer finite in epoch 2; got learning_rate_init=1e+200; try a smaller one, and scale the columns of X": lambda: (
        MLPRegressor(learning_rate_init=1e200, solver="sgd").fit(X, VALUES)
    ),
}


@pytest.mark.parametrize("message", REFUSALS)
def test_refusals(message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        REFUSALS[message]()
    assert str(error.value) == message


def test_there_is_no_partial_fit_for_lbfgs():
    message = "MLPRegressor: partial_fit takes steps on batches; got solver='lbfgs'; use 'adam' or 'sgd'"
    for model in (MLPRegressor(solver="lbfgs"), MLPClassifier(solver="lbfgs")):
        assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as error:
        MLPRegressor(solver="lbfgs").partial_fit
    assert str(error.value.__cause__) == message


def test_nothing_is_predicted_before_a_training():
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)
    assert not hasattr(MLPClassifier(), "coefs_")


def test_a_refused_call_leaves_the_model_as_it_was():
    model = MLPClassifier(**SGD, random_state=0).partial_fit(X, CLASSES, classes=[0, 1, 2])
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="alone; got"):
        model.partial_fit(X, CLASSES + 1)
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :2], CLASSES)
    np.testing.assert_array_equal(model.predict_proba(X), before)
