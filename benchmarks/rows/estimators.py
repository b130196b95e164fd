"""Whole trainings with an estimator, beside scikit-learn's of the same name."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contenders import Builder, Step
from benchmarks.rows.row import Row, labels, normal


def training(estimator: str, x: np.ndarray, y: np.ndarray, **options: Any) -> dict[str, Builder]:
    """For each contender a function that builds the step: one `fit` from the start, which returns the last loss."""

    def build(module: str, **more: Any) -> Step:
        model = getattr(import_module(module), estimator)(
            **options, **more, tol=0, n_iter_no_change=np.inf, random_state=0
        )

        def step() -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it has not settled
                return model.fit(x, y).loss_

        return step

    return {
        "jitgrad": lambda lib: build("nn.estimators"),
        "compiled": lambda lib: build("nn.estimators", compile=True),
        "scikit-learn": lambda lib: build("sklearn.neural_network"),
    }


def row(name: str, title: str, **training_of: Any) -> Row:
    """A row beside scikit-learn. After hundreds of steps in float32 what rounds differently has parted the losses by a
    hundredth.
    """
    return Row(name, title, others=training(**training_of), baseline="scikit-learn", check_steps=1, tolerance=2e-2)


ROWS = (
    row(
        "fit-digits",
        "MLPClassifier as it is, 1,797 rows of 64 in float64, 100 epochs",
        estimator="MLPClassifier",
        x=normal(1797, 64).astype(np.float64),
        y=labels(1797, 10),
        max_iter=100,
    ),
    row(
        "fit-deep",
        "MLPClassifier (128, 64), 10,000 rows of 64, batch 64, 20 epochs",
        estimator="MLPClassifier",
        x=normal(10_000, 64),
        y=labels(10_000, 10),
        hidden_layer_sizes=(128, 64),
        batch_size=64,
        max_iter=20,
    ),
    row(
        "fit-wide",
        "MLPClassifier (512, 512), 10,000 rows of 784, batch 256, 5 epochs",
        estimator="MLPClassifier",
        x=normal(10_000, 784),
        y=labels(10_000, 10),
        hidden_layer_sizes=(512, 512),
        batch_size=256,
        max_iter=5,
    ),
    row(
        "fit-lbfgs",
        "MLPRegressor (50,), 442 rows of 10 in float64, 100 steps of lbfgs",
        estimator="MLPRegressor",
        x=normal(442, 10).astype(np.float64),
        y=normal(442, seed=3).astype(np.float64),
        hidden_layer_sizes=(50,),
        solver="lbfgs",
        max_iter=100,
    ),
)
