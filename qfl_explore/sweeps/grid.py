"""A grid of configs: one experiment, settings that stay, axes that vary."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qfl_explore.errors import check_option, invalid
from qfl_explore.results import run_key
from qfl_explore.sweeps import registry
from qfl_explore.sweeps.registry import Experiment

#: More points than this are a slip of the keyboard.
MAX_POINTS = 1_000_000
#: What a TOML file may say; TOML has no word for None, so settings that take it may say "none".
TOML_KEYS = ("experiment", "base", "axes")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """Every combination of the axes' values, the last axis fastest.

    Args:
        experiment: a name of `registry.names`, or an `Experiment` of one's own.
        base: settings that differ from the config's defaults, by dotted name, for example
            ``{"fusion.n_modalities": 3}``.
        axes: settings that vary, each with its values. ``"a, b"`` varies two together; each
            of its values is then a pair.

    Raises:
        TypeError: an axis is no sequence.
        ValueError: experiment or setting is unknown, an axis is empty or has a value twice.

    >>> grid = Grid(experiment="polynomial", base={"n_steps": 50}, axes={"fusion.degree": [1, 2, 3], "seed": range(5)})
    >>> grid.size
    15
    >>> [(config.fusion.degree, config.seed) for config in grid.configs()][:2]
    [(1, 0), (1, 1)]
    """

    experiment: str | Experiment
    base: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    axes: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.experiment, Experiment):
            registry.get(self.experiment)
        for name in ("base", "axes"):
            if not isinstance(getattr(self, name), Mapping):
                expected = "a table of settings by dotted name"
                raise invalid(f"{name} is of the wrong kind", expected, f"{name}={getattr(self, name)!r}", TypeError)
        object.__setattr__(self, "base", dict(self.base))
        object.__setattr__(self, "axes", {name: _axis(name, values) for name, values in self.axes.items()})
        if self.size > MAX_POINTS:
            raise invalid("the grid is too large", f"at most {MAX_POINTS} points", f"{self.size} points")
        self._check_names()

    def _check_names(self) -> None:
        known = settings_of(self.definition.config_class)
        swept = [part for name in self.axes for part in _parts(name)]
        for name in (*self.base, *swept):
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                raise invalid(f"{self.name} has no setting of that name", "one of " + ", ".join(known), name + hint)
        twice = [name for name in swept if name in self.base or swept.count(name) > 1]
        if twice:
            raise invalid("a setting is given twice", "each in base or on one axis", f"{twice[0]!r}")

    @property
    def definition(self) -> Experiment:
        """The experiment itself."""
        return self.experiment if isinstance(self.experiment, Experiment) else registry.get(self.experiment)

    @property
    def name(self) -> str:
        """Of the experiment."""
        return self.definition.name

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(len(values) for values in self.axes.values())

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Settings that vary, by dotted name."""
        return tuple(part for name in self.axes for part in _parts(name))

    def points(self) -> Iterator[dict[str, Any]]:
        """The varied settings of each point, by dotted name."""
        parts = [_parts(name) for name in self.axes]
        for values in itertools.product(*self.axes.values()):
            point: dict[str, Any] = {}
            for names, value in zip(parts, values, strict=True):
                point |= dict(zip(names, value if len(names) > 1 else (value,), strict=True))
            yield point

    def configs(self) -> list[Any]:
        """The config of every point.

        Raises:
            ValueError: a point is not possible; the message says which and why.
            TypeError: a setting is of the wrong kind.
        """
        return [self._config(point) for point in self.points()]

    def _config(self, point: Mapping[str, Any]) -> Any:
        try:
            return build(self.definition.config_class, {**self.base, **point})
        except (ValueError, TypeError) as error:
            place = ", ".join(f"{name}={value!r}" for name, value in point.items())
            raise type(error)(f"{error} (at the grid's point {place or 'of base'})") from error

    def keys(self) -> list[str]:
        """The store's key of every point."""
        return [run_key(self.name, config.run_id) for config in self.configs()]

    def replace(self, **changes: Any) -> Grid:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    @classmethod
    def from_toml(cls, path: str | Path) -> Grid:
        """Reads a grid from a TOML file.

        The file says ``experiment = "polynomial"``, a table ``[base]`` and a table ``[axes]``;
        dotted names are written as they are or as nested tables. An axis may be
        ``{start = 1, stop = 8, step = 1}`` (both ends belong to it).

        Raises:
            ValueError: the file cannot be read or says something unknown.
        """
        data = _read_toml(Path(path))
        for name in data:
            check_option(f"a key of {Path(path).name}", name, TOML_KEYS)
        if "experiment" not in data:
            raise invalid(f"{Path(path).name} names no experiment", 'experiment = "polynomial", say', "none")
        axes = {name: _axis_of_toml(name, value) for name, value in _dotted(data.get("axes", {})).items()}
        return cls(experiment=data["experiment"], base=_dotted(data.get("base", {})), axes=axes)


def settings_of(config_class: type) -> list[str]:
    """Dotted names of all settings of a config class."""
    return list(_default_values(config_class()))


def _default_values(config: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found |= {f"{field.name}.{name}": inner for name, inner in _default_values(value).items()}
        else:
            found[field.name] = value
    return found


def build(config_class: type, values: Mapping[str, Any]) -> Any:
    """A config with some settings changed from their defaults.

    Args:
        config_class: a frozen dataclass whose fields all have defaults.
        values: by dotted name; lists become tuples.
    """
    return _changed(config_class(), values)


def _changed(config: Any, values: Mapping[str, Any]) -> Any:
    changes: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    annotations = {field.name: str(field.type) for field in dataclasses.fields(config)}
    for name, value in values.items():
        first, _, rest = name.partition(".")
        if rest:
            inner.setdefault(first, {})[rest] = value
        else:
            none = value == "none" and "None" in annotations.get(first, "")
            changes[first] = None if none else _tuples(value)
    for name, some in inner.items():
        changes[name] = _changed(getattr(config, name), some)
    return dataclasses.replace(config, **changes)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


def _parts(name: str) -> list[str]:
    return [part.strip() for part in name.split(",")]


def _axis(name: str, values: Any) -> tuple[Any, ...]:
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise invalid(f"the axis {name} is of the wrong kind", "a list of values", repr(values), TypeError)
    found = tuple(_tuples(value) for value in values)
    n_parts = len(_parts(name))
    if n_parts > 1 and any(not isinstance(value, tuple) or len(value) != n_parts for value in found):
        raise invalid(f"the axis {name} varies {n_parts} settings", f"{n_parts} values a point", repr(found))
    if not found or any(value in found[:number] for number, value in enumerate(found)):
        raise invalid(f"the axis {name} is not usable", "one or more different values", repr(found))
    return found


def _dotted(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, Mapping) and not set(value) <= {"start", "stop", "step"}:
            found |= _dotted(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _axis_of_toml(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if not {"start", "stop"} <= set(value) or not all(isinstance(v, int) for v in value.values()):
        raise invalid(f"the axis {name} is not usable", "whole numbers start and stop (and step)", repr(value))
    step = value.get("step", 1)
    if step < 1:
        raise invalid(f"the axis {name} goes backwards", "a step of 1 or more", f"step={step}")
    return list(range(value["start"], value["stop"] + 1, step))


def _read_toml(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pyright: ignore[reportMissingImports]
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        expected = 'a TOML file with experiment = "…", [base] and [axes]'
        raise invalid(f"{path} cannot be read as a sweep", expected, str(error)) from error
