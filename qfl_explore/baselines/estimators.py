"""Scikit-learn models on the same features; none of them has encoders or a fusion."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from qfl_explore.errors import check_int
from qfl_explore.training import Features, Part, focal_loss


class LogisticRegression:
    """Scikit-learn's logistic regression on the concatenated features.

    It minimises cross-entropy with an L2 penalty to convergence (LBFGS); it has no epochs.

    Args:
        inverse_penalty: C, the inverse strength of the penalty; more than 0.
    """

    def __init__(self, inverse_penalty: float = 1.0) -> None:
        from sklearn.linear_model import LogisticRegression as Estimator

        self._estimator = Estimator(C=inverse_penalty, max_iter=5000)

    def fit(self, features: Features, labels: np.ndarray) -> LogisticRegression:
        """Fits to M arrays [n, d_m] and labels [n]."""
        self._estimator.fit(np.hstack(features), labels)
        return self

    def logits(self, features: Features) -> np.ndarray:
        """Logits [n, 1] or [n, C]."""
        return _columns(self._estimator.decision_function(np.hstack(features)))

    @property
    def n_parameters(self) -> int:
        """Coefficients and intercepts."""
        return self._estimator.coef_.size + self._estimator.intercept_.size


class _Boosting:
    """What classes and forecasts share: the number of trees is chosen on the validation part."""

    def __init__(self, estimator: Any, n_trees: int) -> None:
        self.n_trees = self.n_kept = n_trees
        self._estimator = estimator

    def _choose(self, losses: list[float]) -> None:
        self.n_kept = int(np.argmin(losses)) + 1

    def _staged(self, features: Features) -> Iterator[np.ndarray]:
        staged = getattr(self._estimator, "staged_decision_function", None) or self._estimator.staged_predict
        return map(_columns, staged(np.hstack(features)))

    def logits(self, features: Features) -> np.ndarray:
        """Logits [n, 1] or [n, C] (forecasts: values [n, 1]) of the trees that were kept.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        return next(itertools.islice(self._staged(features), self.n_kept - 1, None))

    @property
    def n_parameters(self) -> int:
        """Numbers that the kept trees hold: two a split (feature, threshold), one a leaf."""
        rounds = self._estimator._predictors[: self.n_kept]
        leaves = [tree.get_n_leaf_nodes() for trees in rounds for tree in trees]
        return sum(3 * n - 2 for n in leaves)


class GradientBoosting(_Boosting):
    """Scikit-learn's histogram gradient boosting on the concatenated features.

    The number of trees is the one with the lowest loss on the validation part, as early
    stopping does for the networks.

    Args:
        learning_rate: more than 0.
        n_trees: at most so many rounds, 1 or more.
        n_leaves: at most so many in a tree, 2 or more.
        seed: of the estimator; 0 or more.

    Raises:
        TypeError: a setting is of the wrong kind.
        ValueError: a setting is out of range.
    """

    def __init__(self, learning_rate: float = 0.1, n_trees: int = 100, n_leaves: int = 15, seed: int = 0) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier as Estimator

        super().__init__(Estimator(**_boosting_settings(learning_rate, n_trees, n_leaves, seed)), n_trees)

    def fit(self, features: Features, labels: np.ndarray, validation: Part | None = None) -> GradientBoosting:
        """Fits to M arrays [n, d_m] and labels [n]; with a validation part, keeps its best number of trees.

        The loss that is compared is the cross-entropy.
        """
        self._estimator.fit(np.hstack(features), labels)
        if validation is not None:
            held_out, held = validation
            self._choose([float(focal_loss(values, held, 0.0).mean()) for values in self._staged(held_out)])
        return self


class BoostedForecast(_Boosting):
    """The same for one number: histogram gradient boosting of the squared error.

    Arguments as in `GradientBoosting`.
    """

    def __init__(self, learning_rate: float = 0.1, n_trees: int = 100, n_leaves: int = 15, seed: int = 0) -> None:
        from sklearn.ensemble import HistGradientBoostingRegressor as Estimator

        super().__init__(Estimator(**_boosting_settings(learning_rate, n_trees, n_leaves, seed)), n_trees)

    def fit(self, features: Features, targets: np.ndarray, validation: Part | None = None) -> BoostedForecast:
        """Fits to M arrays [n, d_m] and targets [n]; samples whose target is NaN are left out."""
        known = np.isfinite(targets)
        self._estimator.fit(np.hstack(features)[known], targets[known])
        if validation is not None:
            held_out, held = validation
            self._choose([float(np.nanmean(np.square(values[:, 0] - held))) for values in self._staged(held_out)])
        return self


def _boosting_settings(learning_rate: float, n_trees: int, n_leaves: int, seed: int) -> dict[str, Any]:
    return {
        "learning_rate": learning_rate,
        "max_iter": check_int("n_trees", n_trees, 1),
        "max_leaf_nodes": check_int("n_leaves", n_leaves, 2),
        "early_stopping": False,
        "random_state": check_int("seed", seed, 0),
    }


def _columns(values: np.ndarray) -> np.ndarray:
    return values[:, None] if values.ndim == 1 else values
