"""The pictures of the page Polynomial: built once for a visitor, then only their data change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from qfl_explore.dashboards.parts.layout import row, wrapping
from qfl_explore.dashboards.parts.wording import Facts
from qfl_explore.plots import fit
from qfl_explore.plots.style import MAP_DIFFERENCE, LiveFigure, Spares

if TYPE_CHECKING:
    from qfl_explore.experiments.polynomial import Frame, WallPoint
    from qfl_explore.experiments.problem import Problem

_AXIS = np.linspace(-np.pi, np.pi, 41)
SPARES = Spares(
    {
        "curve": fit.live_fit_curve,
        "learning": fit.live_learning_curve,
        "bars": fit.live_spectrum_bars,
        "wall": fit.live_wall,
        "map_target": lambda: fit.live_heat_map(_AXIS, "Target"),
        "map_model": lambda: fit.live_heat_map(_AXIS, "Model"),
        "map_difference": lambda: fit.live_heat_map(_AXIS, "|Model − target|", MAP_DIFFERENCE),
        "plane": fit.live_spectrum_plane,
    }
)
MAPS = ("map_target", "map_model", "map_difference")
#: A pinned run is drawn into the curve and the learning curve; beside these it is kept as a copy.
BESIDE = ("bars", "plane", "map_model", "map_difference")
#: Widths in pixels under which a row wraps: of a chart, of a map.
LEAST = (270, 220)


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """Everything of a frame that is drawn; computed in a worker."""

    problem: Problem
    step: int
    loss: float
    train_r2: float
    test_r2: float
    prediction: np.ndarray
    magnitudes: np.ndarray | None
    params: Any


def derive(frame: Frame) -> Picture:
    """A frame as a picture: prediction, test R² and spectrum; runs in a worker."""
    coefficients = frame.coefficients
    problem = frame.problem
    problem.grid_target  # noqa: B018 - cached here, so that the loop does not compute it
    magnitudes = None if coefficients is None else np.abs(coefficients)
    return Picture(
        problem, frame.step, frame.loss, frame.train_r2, frame.test_r2, frame.prediction, magnitudes, frame.params
    )


class Figures(Mapping[str, LiveFigure]):
    """All pictures of one visitor's page; each is made when it is asked for.

    Attributes:
        top: one feature: curve and learning curve; two: target, model, difference.
        bottom: spectrum (where it can be drawn), learning curve of two features, wall strip.
    """

    def __init__(self, dark: bool = False) -> None:
        self._figures: dict[str, LiveFigure] = {}
        self._dark = dark
        self._latest: Picture | None = None
        self._history: list[tuple[int, float]] = []
        self._largest = 1.0
        self.note = ""
        self.top = row(self._item("curve"), self._item("learning"))
        self.bottom = row(self._item("bars"), self._item("wall"))
        self._shown = ("curve", True)
        self["curve"].clear("target", "data", "pinned", "model")
        self["learning"].clear("ceiling", "pinned", "train", "test")
        self.unpin()

    def __getitem__(self, key: str) -> LiveFigure:
        if key not in self._figures:
            self._figures[key] = SPARES.take(key)
            self._figures[key].set_dark(self._dark)
        return self._figures[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def _item(self, key: str) -> Any:
        return self[key].frame.item if self[key].frame is not None else wrapping(self[key], LEAST[key in MAPS])

    def set_dark(self, dark: bool) -> None:
        """Recolours what is drawn."""
        self._dark = dark
        for figure in self._figures.values():
            figure.set_dark(dark)

    def begin(self, problem: Problem, n_steps: int) -> None:
        """A new run: axes, target, data; learning curve empty."""
        self._history = []
        self["learning"].clear("ceiling", "train", "test")
        self["learning"].set_range(x=(-0.01 * n_steps, 1.01 * n_steps))
        one = len(problem.grid.axes) == 1
        self._show("curve" if one else "maps", problem)
        (self._begin_curve if one else self._begin_maps)(problem)
        self.note = problem.grid.note

    def _show(self, kind: str, problem: Problem) -> None:
        drawable = problem.frequencies is not None
        if (kind, drawable) == self._shown:
            return
        self._shown = (kind, drawable)
        one = kind == "curve"
        spectrum = [("bars" if one else "plane")] if drawable else []
        height = 330 if one else 255
        self["learning"].set_height(height)
        self["learning"].frame.set_height(height)
        self.top[:] = [self._item(key) for key in (("curve", "learning") if one else MAPS)]
        self.bottom[:] = [self._item(key) for key in (*spectrum, *(() if one else ("learning",)), "wall")]

    def _begin_curve(self, problem: Problem) -> None:
        curve, x = self["curve"], problem.grid.axes[0]
        y_data = problem.mean + problem.std * problem.y_train
        known = problem.grid_target
        curve.put("target", *((x, known) if known is not None else ([], [])))
        curve.put("data", problem.x_train[:, 0], y_data)
        values = y_data if known is None else np.concatenate([y_data, known])
        low, high = float(values.min()), float(values.max())
        pad = 0.15 * (high - low) or 1.0
        curve.set_range(problem.domain, (low - pad, high + pad))

    def _begin_maps(self, problem: Problem) -> None:
        known, shape = problem.grid_target, problem.grid.shape
        low, high = problem.domain
        for key in MAPS:
            self[key].set_range(problem.domain, problem.domain)
            source = self[key].sources["map"]
            source.data = {**source.data, "x": [low], "y": [low], "dw": [high - low], "dh": [high - low]}
        if known is None:
            values = problem.mean + problem.std * problem.y_train
            self["map_target"].set_image("map", np.full(shape, np.nan))
        else:
            values = known
            self["map_target"].set_image("map", known.reshape(shape))
        for key in MAPS[:2]:
            fit.set_colours(self[key], float(values.min()), float(values.max()))
        fit.set_colours(self["map_difference"], 0.0, 0.5 * float(np.ptp(values)))

    def extend(self, records: list[tuple[int, float, float]]) -> None:
        """Appends (step, loss, train R²) to the learning curve."""
        if records:
            steps, _, r2 = zip(*records, strict=True)
            self["learning"].stream("train", steps, r2)

    def draw(self, picture: Picture) -> None:
        """Model and spectrum of the newest frame."""
        self._latest = picture
        self._history.append((picture.step, picture.test_r2))
        self["learning"].stream("test", picture.step, picture.test_r2)
        problem = picture.problem
        if len(problem.grid.axes) == 1:
            self["curve"].put("model", problem.grid.axes[0], picture.prediction)
        else:
            values = picture.prediction.reshape(problem.grid.shape)
            self["map_model"].set_image("map", values)
            if problem.grid_target is not None:
                difference = np.abs(picture.prediction - problem.grid_target).reshape(problem.grid.shape)
                self["map_difference"].set_image("map", difference)
        if picture.magnitudes is not None:
            self._draw_spectrum(problem.frequencies, picture.magnitudes)

    def _draw_spectrum(self, frequencies: np.ndarray, magnitudes: np.ndarray) -> None:
        if frequencies.shape[1] == 1:
            fit.put_spectrum_bars(self["bars"], frequencies[:, 0], magnitudes)
        else:
            sizes = fit.marker_sizes(magnitudes, self._largest)
            self["plane"].put("model", frequencies[:, 0], frequencies[:, 1], sizes)

    def state_facts(self, problem: Problem, facts: Facts, n_steps: int) -> None:
        """Ceiling and target spectrum, once they are known."""
        top = facts.ceiling.r2
        self["learning"].put("ceiling", *(([0, n_steps], [top, top]) if top is not None else ([], [])))
        if problem.frequencies is None:
            return
        magnitudes = facts.magnitudes if facts.magnitudes is not None else np.zeros(0)
        omega = facts.frequencies if facts.frequencies is not None else np.zeros((0, problem.frequencies.shape[1]))
        self._largest = float(magnitudes.max(initial=0.0)) or 1.0
        reach = np.abs(problem.frequencies).max()
        span = max(float(reach), float(np.abs(omega).max(initial=0.0)), 1.0) + 0.75
        if omega.shape[1] == 1:
            shown = magnitudes > 1e-6 * self._largest
            self["bars"].put("target", omega[shown, 0], magnitudes[shown])
            self["bars"].set_range((-span, span), (0.0, 1.35 * self._largest))
            fit.put_reach(self["bars"], float(reach), 1.35 * self._largest)
        else:
            plane = self["plane"]
            plane.put("support", problem.frequencies[:, 0], problem.frequencies[:, 1])
            plane.put("target", omega[:, 0], omega[:, 1], fit.marker_sizes(magnitudes, self._largest))
            plane.set_range((-span, span), (-span, span))

    def draw_wall(self, points: list[WallPoint], degree: int) -> None:
        """The wall strip as far as it is known."""
        wall = self["wall"]
        fit.put_current(wall, degree)
        low = fit.R2_RANGE[0] + 0.04
        wall.put("trained", [p.degree for p in points], [max(low, p.test_r2) for p in points])
        known = [p for p in points if p.ceiling is not None]
        wall.put("ceiling", [p.degree for p in known], [p.ceiling for p in known])

    def pin(self) -> bool:
        """Keeps the present run as the pinned one; ``False`` where there is none."""
        if self._latest is None:
            return False
        problem = self._latest.problem
        if len(problem.grid.axes) == 1:
            self["curve"].put("pinned", problem.grid.axes[0], self._latest.prediction)
            self["curve"].show_layer("pinned", True)
        self["learning"].put("pinned", *zip(*self._history, strict=True))
        self["learning"].show_layer("pinned", True)
        self._fold(True)
        return True

    def _fold(self, folded: bool) -> None:
        """One more entry makes two lines of the legends, so that they fit a narrow picture."""
        for key in ("curve", "learning"):
            for legend in self[key].figure.legend:
                legend.ncols = 2 if folded else "auto"

    def unpin(self) -> None:
        """Takes the pinned run away."""
        for key in ("curve", "learning"):
            self[key].clear("pinned")
            self[key].show_layer("pinned", False)
        self._fold(False)
