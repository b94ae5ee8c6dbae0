"""Scikit-learn models on the same features; none of them has encoders or a fusion."""

from __future__ import annotations

from typing import Any

import numpy as np

from qfl_explore.errors import check_int, invalid
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


class GradientBoosting:
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

        self.n_trees = check_int("n_trees", n_trees, 1)
        self._estimator = Estimator(
            learning_rate=learning_rate,
            max_iter=self.n_trees,
            max_leaf_nodes=check_int("n_leaves", n_leaves, 2),
            early_stopping=False,
            random_state=check_int("seed", seed, 0),
        )
        self.n_kept = self.n_trees

    def fit(self, features: Features, labels: np.ndarray, validation: Part | None = None) -> GradientBoosting:
        """Fits to M arrays [n, d_m] and labels [n]; with a validation part, keeps its best number of trees.

        The loss that is compared is the cross-entropy.
        """
        self._estimator.fit(np.hstack(features), labels)
        if validation is not None:
            held_out, held_labels = validation
            losses = [float(focal_loss(values, held_labels, 0.0).mean()) for values in self._staged(held_out)]
            self.n_kept = int(np.argmin(losses)) + 1
        return self

    def logits(self, features: Features) -> np.ndarray:
        """Logits [n, 1] or [n, C] of the trees that were kept."""
        for number, values in enumerate(self._staged(features), start=1):
            if number == self.n_kept:
                return values
        raise invalid("the trees are not fitted", "fit first", "no tree", RuntimeError)

    def _staged(self, features: Features) -> Any:
        return map(_columns, self._estimator.staged_decision_function(np.hstack(features)))

    @property
    def n_parameters(self) -> int:
        """Numbers that the kept trees hold: two a split (feature, threshold), one a leaf."""
        rounds = self._estimator._predictors[: self.n_kept]
        leaves = [tree.get_n_leaf_nodes() for trees in rounds for tree in trees]
        return sum(3 * n - 2 for n in leaves)


def _columns(values: np.ndarray) -> np.ndarray:
    return values[:, None] if values.ndim == 1 else values
