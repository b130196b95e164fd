"""What the two estimators share: parameters, and the course of a training."""

import math
import warnings
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_consistent_length, check_random_state, column_or_1d, gen_batches, shuffle
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data
from tqdm import tqdm

import autograd
import nn

from .descent import Descent, rows_of
from .objectives import OBJECTIVES, Objective
from .options import check_options, hidden_sizes
from .penalty import linear_layers
from .quasi_newton import minimise
from .randomness import draw_weights, hold_out, random_numbers_of

__all__ = ["Perceptron", "has_steps"]

AT_ONCE = 4096
"""So many rows are predicted together."""

_ACTIVATIONS: dict[str, Any] = {"logistic": "sigmoid", "identity": nn.Identity}


def has_steps(estimator: Any) -> bool:
    """Whether there is a partial_fit; an error that says why not."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            f"{type(estimator).__name__}: partial_fit takes steps on batches; got solver='lbfgs'; use 'adam' or 'sgd'"
        )
    return True


class Perceptron(BaseEstimator, ABC):
    """A network of linear layers as an estimator. The parameters are those of scikit-learn's, and after them ours."""

    network_: nn.MLP
    out_activation_: str
    n_outputs_: int
    classes_: Any
    _descent: Descent | None = None

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        loss: str = "auto",
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        batch_norm: bool = False,
        compile: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.compile = compile

    # --- what the two differ in ---------------------------------------------------------------------------------------

    def _learn_classes(self, y: Any) -> None:
        """Take note of the classes there are."""

    @abstractmethod
    def _encode(self, y: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, str]:
        """The targets as the loss takes them, classes (rows,) or (rows, outputs), and the activation of the output."""

    @abstractmethod
    def _rate(self, said: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
        """How good the activated outputs are for encoded targets: accuracy or R2."""

    # --- training -----------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X (rows, columns), dense or sparse, float32 or float64 (in which it computes), and y (rows,) or
        (rows, outputs), each row counting ``sample_weight`` (rows,) times; from fresh weights unless ``warm_start``.
        """
        anew = not (self.warm_start and hasattr(self, "network_"))
        X, y, weight, random = self._begin(X, y, sample_weight, anew, learn_classes=anew)
        if self.solver == "lbfgs":
            self._fit_at_once(X, y, weight)
            return self
        self._descent = Descent(self, self.network_, self.out_activation_)
        with self._numbers_of_dropout(random):
            self._descend(self._descent, X, y, weight, random)
        return self

    @available_if(has_steps)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows, going on from where the last one ended."""
        return self._fit_more(X, y, sample_weight)

    def _fit_more(self, X: Any, y: Any, sample_weight: Any) -> Self:
        name = type(self).__name__
        if self.early_stopping:
            raise ValueError(f"{name}: partial_fit is one epoch, which can't stop early; got early_stopping=True")
        anew = not hasattr(self, "network_")
        X, y, weight, random = self._begin(X, y, sample_weight, anew, learn_classes=False)
        descent = self._descent or Descent(self, self.network_, self.out_activation_)
        self._descent = descent
        order = np.arange(X.shape[0])
        if self.shuffle:
            order = shuffle(order, random_state=random)
        with self._numbers_of_dropout(random):
            self._end_epoch(descent, descent.epoch(X, y, weight, order, self._batch_size(len(order))), len(order))
        self._is_best(None)
        self.n_iter_ = 1
        return self

    def _begin(self, X: Any, y: Any, sample_weight: Any, anew: bool, learn_classes: bool) -> tuple:
        """Checked rows, targets and weights, and the source of random numbers; a fresh network if ``anew``."""
        check_options(self)
        if not anew and self._architecture() != self._built_as:
            raise ValueError(
                f"{type(self).__name__}: a network that goes on keeps its hidden_layer_sizes, activation, dropout and "
                f"batch_norm, {self._built_as}; got {self._architecture()}"
            )
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32), reset=anew
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if sample_weight is not None:
            sample_weight = column_or_1d(check_array(sample_weight, ensure_2d=False, dtype=X.dtype))
            check_consistent_length(X, sample_weight)
            if not sample_weight.any():
                raise ValueError(f"{type(self).__name__}: sample_weight must have a value that is not zero; got zeros")
        if not anew:
            X = X.astype(self.network_[0].weight.dtype, copy=False)
        if learn_classes:
            self._learn_classes(y)
        y, activation = self._encode(y, X.dtype)
        outputs = y.shape[1] if y.ndim == 2 else len(self.classes_)
        if not anew and outputs != self.n_outputs_:
            raise ValueError(f"{type(self).__name__}: y must have {self.n_outputs_} outputs, as before; got {outputs}")
        self.out_activation_, self.n_outputs_ = activation, outputs
        random = check_random_state(self.random_state)
        if anew:
            self._build(X, random)
        return X, y, sample_weight, random

    def _architecture(self) -> tuple:
        return tuple(hidden_sizes(self.hidden_layer_sizes)), self.activation, self.dropout, self.batch_norm

    def _build(self, X: Any, random: np.random.RandomState) -> None:
        """A network with the first weights of Glorot and Bengio (2010), as scikit-learn draws them."""
        sizes = [X.shape[1], *hidden_sizes(self.hidden_layer_sizes), self.n_outputs_]
        activation = self.activation
        if isinstance(activation, str):
            activation = _ACTIVATIONS.get(activation, activation)
        with random_numbers_of(0):
            network = nn.MLP(sizes, activation, dropout=self.dropout, batch_norm=self.batch_norm).to(X.dtype)
        draw_weights(network.eval(), 2 if self.activation == "logistic" else 6, random)
        self.network_, self._descent, self._built_as = network, None, self._architecture()
        self.n_layers_ = len(sizes)
        self.n_iter_ = self.t_ = 0
        self.loss_curve_: list[float] = []
        self.best_loss_: float | None = None if self.early_stopping else math.inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_: float | None = -math.inf if self.early_stopping else None
        self._idle = 0  # epochs without progress

    def _fit_at_once(self, X: Any, y: np.ndarray, weight: np.ndarray | None) -> None:
        everything = rows_of(X, np.arange(X.shape[0]))
        w = None if weight is None else autograd.from_numpy(weight)
        found = minimise(self, self.network_, self._objective, everything, autograd.from_numpy(y), w)
        self.loss_, self.n_iter_ = float(found.fun), int(found.nit)
        if not found.success:
            self._warn(f"lbfgs has not converged after {found.nit} steps ({found.message})")

    def _descend(
        self, descent: Descent, X: Any, y: np.ndarray, weight: np.ndarray | None, random: np.random.RandomState
    ) -> None:
        held = None
        if self.early_stopping:
            stratify = self.out_activation_ == "logistic" and self.n_outputs_ == 1
            (X, y, weight), held = hold_out(self.validation_fraction, (X, y, weight), random, stratify)
            if len(held[1]) < 2:
                raise ValueError(
                    f"{type(self).__name__}: early stopping needs 2 rows or more for validation; got {len(held[1])} "
                    f"of {len(y) + len(held[1])}; raise validation_fraction"
                )
        order, size = np.arange(X.shape[0]), self._batch_size(X.shape[0])
        self.n_iter_ = 0
        best: dict = {}
        try:
            with tqdm(total=self.max_iter, unit="epoch", disable=not self.verbose) as bar:
                for epoch in range(1, self.max_iter + 1):
                    if self.shuffle:
                        order = shuffle(order, random_state=random)
                    self._end_epoch(descent, descent.epoch(X, y, weight, order, size), len(order))
                    self.n_iter_ = epoch
                    if self._is_best(held) and held is not None:
                        best = {name: tensor.clone() for name, tensor in self.network_.state_dict().items()}
                    bar.set_postfix_str(f"loss {self.loss_:.6g}", refresh=False)
                    bar.update()
                    if self._idle > self.n_iter_no_change:
                        if descent.gives_up():
                            break
                        self._idle = 0
                else:
                    self._warn(f"the loss has not settled after max_iter={self.max_iter} epochs")
        except KeyboardInterrupt:
            done = self.n_iter_
            warnings.warn(
                f"{type(self).__name__}: interrupted in epoch {done + 1}; it ends with epoch {done}", stacklevel=3
            )
        if best:
            self.network_.load_state_dict(best)

    def _end_epoch(self, descent: Descent, loss: float, rows: int) -> None:
        if not math.isfinite(loss):
            raise ValueError(
                f"{type(self).__name__}: the loss is no longer finite in epoch {len(self.loss_curve_) + 1}; got "
                f"learning_rate_init={self.learning_rate_init:g}; try a smaller one, and scale the columns of X"
            )
        self.loss_ = loss
        self.loss_curve_.append(loss)
        self.t_ += rows
        descent.end_epoch(rows)

    def _is_best(self, held: tuple | None) -> bool:
        """Whether this epoch was the best so far, by its loss or by the score of what was held out for that."""
        if held is None:
            least = self.best_loss_ if self.best_loss_ is not None else math.inf
            self._idle = self._idle + 1 if self.loss_ > least - self.tol else 0
            self.best_loss_ = min(least, self.loss_)
            return self.loss_ < least
        X, y, weight = held
        score = self._rate(self._say(X), y, weight)
        best = -math.inf if self.best_validation_score_ is None else self.best_validation_score_
        self._idle = self._idle + 1 if score < best + self.tol else 0
        self.validation_scores_ = [*(self.validation_scores_ or []), score]
        self.best_validation_score_ = max(best, score)
        return score > best

    def _batch_size(self, rows: int) -> int:
        name = type(self).__name__
        wanted = 200 if self.batch_size == "auto" else int(self.batch_size)
        if self.batch_size != "auto" and wanted > rows:
            warnings.warn(f"{name}: batch_size is larger than the {rows} rows; got {wanted}", stacklevel=4)
        if self.batch_norm and min(wanted, rows) < 2:
            raise ValueError(
                f"{name}: batch_norm learns from 2 rows or more; got n_samples={rows}, batch_size={self.batch_size}"
            )
        return min(wanted, rows)

    def _numbers_of_dropout(self, random: np.random.RandomState) -> AbstractContextManager:
        return random_numbers_of(random.randint(2**31)) if self.dropout else nullcontext()

    def _warn(self, text: str) -> None:
        warnings.warn(f"{type(self).__name__}: {text}; raise max_iter", ConvergenceWarning, stacklevel=4)

    # --- use ----------------------------------------------------------------------------------------------------------

    @property
    def _objective(self) -> Objective:
        return OBJECTIVES[self.out_activation_]

    def _outputs(self, X: Any) -> np.ndarray:
        """What the network says of checked rows."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False)
        return self._say(X.astype(self.network_[0].weight.dtype, copy=False))

    def _say(self, X: Any) -> np.ndarray:
        said = []
        with autograd.no_grad():
            for batch in gen_batches(X.shape[0], AT_ONCE):
                z = self.network_(rows_of(X, np.arange(batch.start, batch.stop)))
                said.append(self._objective.activate(z).numpy())
        return np.concatenate(said)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, (inputs, outputs); views of those of ``network_``."""
        return [layer.weight.array.T for layer in linear_layers(self.network_)]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer, (outputs,); views of those of ``network_``."""
        return [bias.array for layer in linear_layers(self.network_) if (bias := layer.bias) is not None]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
