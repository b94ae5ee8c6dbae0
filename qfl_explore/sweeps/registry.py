"""Which experiments a sweep can run, by name; their modules are imported when first needed."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from qfl_explore.errors import check_option, invalid

_PLACE = "qfl_explore.experiments"


@dataclasses.dataclass(frozen=True)
class Spread:
    """Makes columns of a summary's list of rows, so that tables and grids have them.

    Args:
        name: of the list in the summary.
        labels: keys whose values begin the column's name.
        values: keys whose values become columns, named ``label.label.value``.
        missing: only rows in which these keys have no value.

    >>> Spread("models", ("model",), ("score",)).columns({"models": [{"model": "mlp", "score": 0.5, "n": 3}]})
    {'mlp.score': 0.5}
    """

    name: str
    labels: tuple[str, ...]
    values: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def columns(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """From a summary in plain values."""
        found: dict[str, Any] = {}
        for row in summary.get(self.name) or ():
            if all(row.get(name) is None or row[name] != row[name] for name in self.missing):
                label = ".".join(str(row[name]) for name in self.labels)
                found |= {f"{label}.{value}": row[value] for value in self.values if value in row}
        return found


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A config class and the function that runs it.

    Args:
        name: in TOML files, tables and keys.
        config: a frozen dataclass with defaults and ``run_id``, or where it is:
            ``"module:name"``.
        run: config -> result with ``summary()`` (and ``table``, if it has one), or where it is.
        title: one line for people.
        spreads: lists of the summary that become columns.
    """

    name: str
    config: str | type
    run: str | Callable[[Any], Any]
    title: str = ""
    spreads: tuple[Spread, ...] = ()

    @property
    def config_class(self) -> type:
        """The config class itself."""
        return _found(self.config)

    def columns(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """What `spreads` make of a summary in plain values."""
        return {name: value for spread in self.spreads for name, value in spread.columns(summary).items()}

    @property
    def function(self) -> Callable[[Any], Any]:
        """The run function itself."""
        return _found(self.run)


def _found(place: Any) -> Any:
    if not isinstance(place, str):
        return place
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _ours(
    name: str, module: str, config: str, title: str, spread: Spread | None = None, run: str = "run"
) -> Experiment:
    spreads = () if spread is None else (spread,)
    return Experiment(name, f"{_PLACE}.{module}:{config}", f"{_PLACE}.{module}:{run}", title, spreads)


_ENDS = ("mean", "low", "high")
_BASES = Spread("rows", ("basis", "model"), _ENDS, missing=("repetitions",))
_LEARN = Spread("models", ("model", "n_queries"), ("success", "low", "high"))
_RANKS = Spread("models", ("model", "size"), ("median", *_ENDS))
_FUSIONS = Spread(
    "methods",
    ("method",),
    tuple(f"{score}{end}" for score in ("auc", "f1", "accuracy", "mae") for end in ("", "_low", "_high")),
)
_SYSTEMS = Spread("methods", ("method",), ("f1", "f1_low", "f1_high", "n_parameters"))
_SPOILED = Spread("rows", ("label",), _ENDS)
_NOISE = Spread("rows", ("degree", "strength", "model", "training"), _ENDS)
_STARTS = Spread("starts", ("start",), ("log10_product", "share_zero"))
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
            run="run_training",
        ),
        _ours("measurement_bases", "measurement_bases", "MeasurementConfig", "one circuit, read in four ways", _BASES),
        _ours("separation", "separation", "SeparationConfig", "query ladders, joint and separable"),
        _ours("separation_learn", "separation_learn", "LearnConfig", "is the separation learned?", _LEARN),
        _ours("rank_wall", "rank_wall", "RankWallConfig", "the rank that low-rank fusion needs", _RANKS),
        _ours("signal_processing", "signal_processing", "SignalConfig", "a typed polynomial as phases"),
        _ours("multimodal", "multimodal", "MultimodalConfig", "fusions on equal terms", _FUSIONS),
        _ours("systems", "systems", "SystemsConfig", "three quantum fusion systems side by side", _SYSTEMS),
        _ours("encoding", "encoding", "EncodingConfig", "features scaled, shifted, clipped, spoiled", _SPOILED),
        _ours("noise", "noise", "NoiseConfig", "does a layer survive noise?", _NOISE),
        _ours("low_rank_collapse", "low_rank_collapse", "CollapseConfig", "low-rank products vanish", _STARTS),
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
