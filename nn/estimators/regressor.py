"""`MLPRegressor`."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from .perceptron import Perceptron

__all__ = ["MLPRegressor"]


class MLPRegressor(RegressorMixin, Perceptron):
    """A multilayer perceptron for values, in the place of `sklearn.neural_network.MLPRegressor`. It minimises

        mean over the rows of |f(x) - y|^2 / 2  +  alpha / (2 rows) * |weights|^2

    for y (rows,) or (rows, outputs), or with ``loss="poisson"`` half of the Poisson deviance of counts y >= 0, whose
    logarithm is what the network computes. ``loss`` is passed by name. The other parameters and attributes are those of
    `MLPClassifier`; the score is R2.

    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MLPRegressor((16,), learning_rate_init=0.1, random_state=0))
    >>> model.fit(X, y).score(X, y) > 0.5
    True
    """

    def _encode(self, y: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, str]:
        if self.loss not in ("auto", "squared_error", "poisson"):
            raise ValueError(f"MLPRegressor: loss must be 'auto', 'squared_error' or 'poisson'; got {self.loss!r}")
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(f"MLPRegressor: with loss='poisson' y must be 0 or more; got {y.min()}")
        return y.astype(dtype).reshape(len(y), -1), "exp" if self.loss == "poisson" else "identity"

    def predict(self, X: Any) -> np.ndarray:
        """The value of each row, (rows,) or (rows, outputs)."""
        said = self._outputs(X)
        return said.ravel() if self.n_outputs_ == 1 else said

    def _rate(self, said: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        return float(r2_score(y, said, sample_weight=weight))
