"""What a visitor of the page Sweeps chooses: plain parameters, no Panel."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import param

from qfl_explore.dashboards.parameters import State, word_of
from qfl_explore.dashboards.sweeps.presets import NOTHING, PRESETS, Preset
from qfl_explore.errors import check_option, invalid

if TYPE_CHECKING:
    from qfl_explore.plots.sweeps import Shape
    from qfl_explore.sweeps import Grid

#: Rows of one sweep on the page; the command and the package go further.
MAX_ROWS = 600
MAX_QUBITS = 12
MAX_TEXT = 200
_RANGE = re.compile(r"(-?\d+)\s*\.\.\s*(-?\d+)")
_FIRST = PRESETS["polynomial"]


def settings_of(experiment: str) -> list[str]:
    """Names of all settings that can be swept, dotted; the seed has its own control."""
    from qfl_explore.sweeps import get
    from qfl_explore.sweeps.grid import settings_of as all_settings

    return [name for name in all_settings(get(experiment).config_class) if name != "seed"]


def has_seed(experiment: str) -> bool:
    """Whether a run has one seed; others average over seeds of their own."""
    from qfl_explore.sweeps import get

    return "seed" in get(experiment).config_class.__dataclass_fields__


class SweepsState(State):
    """Experiment, axes and what is drawn."""

    experiment = param.Selector(
        default="polynomial", objects={preset.title: name for name, preset in PRESETS.items()}, doc="Experiment"
    )
    x = param.Selector(default=_FIRST.x, objects=[_FIRST.x], doc="Along x")
    x_values = param.String(default=_FIRST.x_values, doc="Its values")
    lines = param.Selector(default=_FIRST.lines, objects=[_FIRST.lines], doc="A line for each")
    lines_values = param.String(default=_FIRST.lines_values, doc="Its values")
    panels = param.Selector(default=_FIRST.panels, objects=[_FIRST.panels], doc="A picture for each")
    panels_values = param.String(default=_FIRST.panels_values, doc="Its values")
    seeds = param.Integer(default=_FIRST.seeds, bounds=(1, 10), doc="Seeds, from 0")
    settings = param.String(default=_FIRST.settings, doc="Other settings, as name = value; name = value")
    y = param.Selector(default=_FIRST.measures[0], objects=list(_FIRST.measures), doc="What is drawn")
    log = param.Boolean(default=_FIRST.log, doc="Logarithmic axis")

    URL = {
        "experiment": "experiment",
        "x": "x",
        "x_values": "xs",
        "lines": "lines",
        "lines_values": "each_line",
        "panels": "pictures",
        "panels_values": "each_picture",
        "seeds": "seeds",
        "settings": "settings",
        "y": "y",
        "log": "log",
    }
    #: These choose what is drawn of the rows.
    DRAWN = ("y", "log")

    def __init__(self, **params: Any) -> None:
        super().__init__()
        self.use(params.pop("experiment", "polynomial"))
        self.param.update(**params)
        self.param.watch(lambda event: self.use(event.new), "experiment")

    def use(self, experiment: str) -> None:
        """Takes an experiment with its settings, axes and measures as they are at first."""
        preset = PRESETS[check_option("experiment", experiment, PRESETS)]
        names = settings_of(experiment)
        with param.parameterized.batch_call_watchers(self):
            self.param.x.objects = names
            for name in ("lines", "panels"):
                self.param[name].objects = [NOTHING, *names]
            self.param.y.objects = list(preset.measures)
            self.param.update(experiment=experiment, **_first_values(preset))

    def to_query(self) -> dict[str, str]:
        """What differs from how the experiment looks at first, as URL words."""
        first = {"experiment": "polynomial", **_first_values(PRESETS[self.experiment])}
        values = {name: getattr(self, name) for name in self.URL}
        return {self.URL[name]: word_of(value) for name, value in values.items() if value != first[name]}

    def apply_query(self, query: Mapping[str, str]) -> list[str]:
        """As `State.apply_query`; the experiment is taken first, because the rest depends on it."""
        problems = super().apply_query({word: text for word, text in query.items() if word == "experiment"})
        return problems + super().apply_query({word: text for word, text in query.items() if word != "experiment"})

    def grid(self) -> Grid:
        """What is to be computed: seeds outermost, so that every picture is soon complete in outline.

        Raises:
            ValueError: a text cannot be read, a setting is unknown, or the grid is too large for the page.
            TypeError: a setting is of the wrong kind.
        """
        from qfl_explore.sweeps import Grid

        axes: dict[str, list[Any]] = {}
        if has_seed(self.experiment) and self.seeds > 1:
            axes["seed"] = list(range(self.seeds))
        for name, text in self._chosen():
            axes[name] = parse_values(name, text)
        grid = Grid(experiment=self.experiment, base=parse_settings(self.settings), axes=axes)
        if grid.size > MAX_ROWS:
            raise invalid("the grid is too large for the page", f"at most {MAX_ROWS} rows", f"{grid.size} rows")
        _refuse_large(grid)
        return grid

    def shape(self) -> Shape:
        """Which axis goes where.

        Raises:
            ValueError: a setting is used twice, or there are too many lines or pictures.
        """
        from qfl_explore.plots.sweeps import Shape

        values = {name: parse_values(name, text) for name, text in self._chosen()}
        parts = {part: "" if getattr(self, part) == NOTHING else getattr(self, part) for part in ("lines", "panels")}
        return Shape(x=self.x, y=self.y, log=self.log, values=values, **parts)

    def _chosen(self) -> list[tuple[str, str]]:
        """Settings of the axes with the texts of their values; the slowest one first."""
        parts = [(getattr(self, name), getattr(self, f"{name}_values")) for name in ("panels", "lines", "x")]
        return [(name, text) for name, text in parts if name != NOTHING]


def _first_values(preset: Preset) -> dict[str, Any]:
    values = {field.name: getattr(preset, field.name) for field in dataclasses.fields(preset)}
    del values["title"]
    return values | {"y": values.pop("measures")[0]}


def _refuse_large(grid: Grid) -> None:
    for config in grid.configs():
        n_qubits = getattr(getattr(config, "fusion", None), "n_qubits", 0)
        if n_qubits > MAX_QUBITS:
            expected = f"at most {MAX_QUBITS} qubits on this page; the command qfl-explore sweep goes further"
            raise invalid("a circuit of the grid is too large", expected, f"{n_qubits} qubits")


def parse_values(name: str, text: str) -> list[Any]:
    """The values of an axis: ``1, 2, 3`` or ``1..8`` or words.

    Raises:
        ValueError: the text holds no value, too many, or is too long.

    >>> parse_values("noise", "0, 0.5"), parse_values("fusion.degree", "1..3, 8")
    ([0, 0.5], [1, 2, 3, 8])
    """
    if len(text) > MAX_TEXT:
        raise invalid(f"the values of {name} are too long", f"at most {MAX_TEXT} characters", f"{len(text)} characters")
    values: list[Any] = []
    for part in filter(None, map(str.strip, text.split(","))):
        span = _RANGE.fullmatch(part)
        if span:
            first, last = map(int, span.groups())
            if not 0 <= last - first < MAX_ROWS:
                raise invalid(f"the values of {name} cannot be read", "a range such as 1..8, upwards", repr(part))
            values += range(first, last + 1)
        else:
            values.append(parse_value(part))
    if not values:
        raise invalid(f"{name} has no values", "values such as 1, 2, 3 or 1..8", repr(text))
    return values


def parse_settings(text: str) -> dict[str, Any]:
    """Settings that stay: ``n_steps = 200; target.kind = chebyshev``, or one a line.

    Raises:
        ValueError: a part is not ``name = value``.

    >>> parse_settings("n_steps = 200; target.kind = chebyshev; learning_rates = [0.1, 0.3]")
    {'n_steps': 200, 'target.kind': 'chebyshev', 'learning_rates': [0.1, 0.3]}
    """
    found: dict[str, Any] = {}
    for part in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value:
            raise invalid("the other settings cannot be read", "name = value; name = value", repr(part))
        if name in found:
            raise invalid("a setting is given twice", "each once", repr(name))
        inner = value[1:-1] if value[0] + value[-1] in ("[]", "()") else None
        found[name] = parse_value(value) if inner is None else parse_values(name, inner)
    return found


def parse_value(text: str) -> Any:
    """A number, a truth value or a word.

    >>> [parse_value(text) for text in ("3", "0.5", "true", "'ry'", "ry")]
    [3, 0.5, True, 'ry', 'ry']
    """
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip("'\"")
