"""Networks as scikit-learn's estimators: `MLPClassifier` and `MLPRegressor` take the place of those in
`sklearn.neural_network`. Parameters, attributes and defaults are theirs, and so is the course of a training: the same
``random_state`` gives the same first weights and the same batches, so the losses of every epoch are scikit-learn's up
to rounding, and under ``adam`` to where epsilon stands. What is more: dropout, batch norm, every activation of
`nn.MLP`, and steps compiled to one program.

They need scikit-learn, which the extra ``train`` installs. The pages in their order: `options` says what a parameter
may be, `objectives` and `penalty` what is minimised, `randomness` what is drawn, `descent` and `quasi_newton` how to
get down, and `perceptron` what the two estimators share.
"""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ModuleNotFoundError(
        'nn.estimators: scikit-learn is needed; got no module sklearn; pip install "jitgrad[train]"', name="sklearn"
    )

from .classifier import MLPClassifier
from .regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
