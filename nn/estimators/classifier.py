"""`MLPClassifier`."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from .perceptron import Perceptron, has_steps

__all__ = ["MLPClassifier"]


class MLPClassifier(ClassifierMixin, Perceptron):
    """A multilayer perceptron that minimises the cross-entropy, in the place of `sklearn.neural_network.MLPClassifier`.

        mean over the rows of -log p(y | x)  +  alpha / (2 rows) * |weights|^2

    with p the softmax of the outputs for y (rows,) of more than two classes, the sigmoid of one output for two, and
    one of its own for each column where y (rows, labels) is an indicator matrix.

    ``hidden_layer_sizes``: the number of units in each hidden layer. ``activation``: relu, tanh, logistic, identity, or
    another one that `nn.MLP` knows. ``solver``: adam or sgd on batches, lbfgs on all rows at once. ``alpha``: the L2
    penalty. ``batch_size``: rows in a batch; auto is 200. ``learning_rate``: of sgd, constant, invscaling (``/ (rows
    seen)^power_t``) or adaptive (a fifth when the loss no longer falls). ``max_iter``: epochs. ``tol`` and
    ``n_iter_no_change``: training ends when the loss has not fallen by so much for so many epochs, or with
    ``early_stopping`` the accuracy on ``validation_fraction`` of the rows has not risen; then the best epoch is kept.
    ``verbose`` shows a progress bar.

    Ours: ``dropout`` (the probability) and ``batch_norm`` in every hidden layer; ``compile`` makes one program of a
    step, which takes some seconds the first time and pays in long trainings.

    Afterwards ``network_`` is the network, an `nn.MLP` in evaluation mode, and ``classes_``, ``loss_``,
    ``loss_curve_``, ``best_loss_``, ``validation_scores_``, ``n_iter_``, ``coefs_``, ``intercepts_`` and so on are what
    they are in scikit-learn.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MLPClassifier((16,), learning_rate_init=0.05, random_state=0))
    >>> model.fit(X, y).score(X, y) > 0.95
    True
    """

    def _learn_classes(self, y: Any) -> None:
        check_classification_targets(y)
        self._labels = LabelBinarizer().fit(y)
        self.classes_ = self._labels.classes_

    def _encode(self, y: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, str]:
        if self.loss not in ("auto", "log_loss"):
            raise ValueError(f"MLPClassifier: loss must be 'auto' or 'log_loss'; got {self.loss!r}")
        check_classification_targets(y)
        if len(unknown := np.setdiff1d(unique_labels(y), self.classes_)):
            raise ValueError(f"MLPClassifier: y must have the classes {self.classes_} alone; got {unknown} too")
        hot = self._labels.transform(y)
        if self._labels.y_type_ == "multiclass":
            return hot.argmax(1), "softmax"
        return hot.astype(dtype), "logistic"

    @available_if(has_steps)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """One epoch over these rows, going on from where the last one ended. The first call must name all
        ``classes`` that there will be.
        """
        if not hasattr(self, "network_"):
            if classes is None:
                raise ValueError("MLPClassifier: classes must be passed on the first call to partial_fit; got None")
            self._learn_classes(y if type_of_target(y).startswith("multilabel") else unique_labels(classes))
        elif classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(
                f"MLPClassifier: classes must be those of the first call to partial_fit, {self.classes_}; got {classes}"
            )
        return self._fit_more(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, (rows,), or the labels that are more probable than not."""
        said = self._outputs(X)
        return self._labels.inverse_transform(said.ravel() if said.shape[1] == 1 else said)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, (rows, classes)."""
        said = self._outputs(X)
        return np.hstack([1 - said, said]) if said.shape[1] == 1 else said

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _rate(self, said: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        guess = said.argmax(1) if self.out_activation_ == "softmax" else (said > 0.5).astype(int)
        return float(accuracy_score(y.astype(int), guess, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
