"""Which experiments a sweep can run, by name; their modules are imported when first needed."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

from qfl_explore.errors import check_option, invalid

_PLACE = "qfl_explore.experiments"


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A config class and the function that runs it.

    Args:
        name: in TOML files, tables and keys.
        config: a frozen dataclass with defaults and ``run_id``, or where it is:
            ``"module:name"``.
        run: config -> result with ``summary()`` (and ``table``, if it has one), or where it is.
        title: one line for people.
    """

    name: str
    config: str | type
    run: str | Callable[[Any], Any]
    title: str = ""

    @property
    def config_class(self) -> type:
        """The config class itself."""
        return _found(self.config)

    @property
    def function(self) -> Callable[[Any], Any]:
        """The run function itself."""
        return _found(self.run)


def _found(place: Any) -> Any:
    if not isinstance(place, str):
        return place
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _ours(name: str, module: str, config: str, title: str, run: str = "run") -> Experiment:
    return Experiment(name, f"{_PLACE}.{module}:{config}", f"{_PLACE}.{module}:{run}", title)


_EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        _ours("polynomial", "polynomial", "PolynomialConfig", "a fusion circuit learns a target"),
        _ours("gradient_variance", "gradient_variance", "GradientVarianceConfig", "variance of gradients at random"),
        _ours(
            "gradient_training",
            "gradient_variance_training",
            "TrainingConfig",
            "variance of gradients in training",
            "run_training",
        ),
        _ours("measurement_bases", "measurement_bases", "MeasurementConfig", "one circuit, read in four ways"),
        _ours("separation", "separation", "SeparationConfig", "query ladders, joint and separable"),
        _ours("separation_learn", "separation_learn", "LearnConfig", "is the separation learned?"),
        _ours("rank_wall", "rank_wall", "RankWallConfig", "the rank that low-rank fusion needs"),
        _ours("signal_processing", "signal_processing", "SignalConfig", "a typed polynomial as phases"),
        _ours("classification", "classification", "ClassificationConfig", "the layer against classical models"),
    )
}


def names() -> tuple[str, ...]:
    """All experiments that are known."""
    return tuple(_EXPERIMENTS)


def get(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        ValueError: there is none.
    """
    return _EXPERIMENTS[check_option("experiment", name, _EXPERIMENTS)]


def register(experiment: Experiment) -> Experiment:
    """Makes an experiment of one's own known by its name (a sweep takes it without that, too).

    Raises:
        ValueError: the name is taken by another experiment.
    """
    known = _EXPERIMENTS.setdefault(experiment.name, experiment)
    if known != experiment:
        raise invalid("an experiment of that name exists", "a new name", f"name={experiment.name!r}")
    return experiment
