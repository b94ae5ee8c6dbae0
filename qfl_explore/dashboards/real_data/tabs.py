"""The parts of the page Real data that draw its study: Training, Scores and Curves. Each is built when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control
from qfl_explore.dashboards.parts.layout import row, titled
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.settings import select
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.real_data import text
from qfl_explore.dashboards.real_data.work import CloseUp, Picture, close_up
from qfl_explore.plots import real_data as plots
from qfl_explore.plots import real_data_ablation as ablation_plots
from qfl_explore.plots import real_data_curves as curve_plots
from qfl_explore.plots import real_data_scores as score_plots
from qfl_explore.plots import real_data_signals as signal_plots
from qfl_explore.plots.style import LiveFigure, Spares

if TYPE_CHECKING:
    from qfl_explore.dashboards.real_data.page import RealDataPage
    from qfl_explore.dashboards.runs.live import Update

SPARES = Spares(
    {
        "data learning": lambda: plots.live_learning("mlp"),
        "data norms": plots.live_gradient_norms,
        "data forest": score_plots.live_forest,
        "data sizes": score_plots.live_sizes,
        "data roc": lambda: curve_plots.live_curves("roc"),
        "data pr": lambda: curve_plots.live_curves("pr"),
        "data confusion": curve_plots.live_confusion,
        "data forecast": curve_plots.live_forecast,
        "data ablation": lambda: ablation_plots.live_ablation(log=False),
        "data ablation log": lambda: ablation_plots.live_ablation(log=True),
        "data collapse": ablation_plots.live_collapse,
        "data ecg": signal_plots.live_ecg,
        "data map": signal_plots.live_map,
        "data pieces": signal_plots.live_pieces,
        "data profile": signal_plots.live_profile,
    }
)
_SMALL = {"size": 12, "margin": (2, 10)}
#: As many panels of the same width side by side as there is room for.
_GRID = {
    "display": "grid",
    "grid-template-columns": f"repeat(auto-fill, minmax(min({px(270)}, 100%), 1fr))",
    "gap": "8px",
}


class Tab:
    """One part; subclasses build ``main`` and draw what the page has.

    Args:
        page: whose part it is.

    Attributes:
        main: to be shown.
    """

    def __init__(self, page: RealDataPage) -> None:
        self.page = page
        self.main: Any = None

    def take(self, key: str) -> LiveFigure:
        """A figure that follows the page's theme."""
        figure = SPARES.take(key)
        self.page.adopt(figure)
        return figure

    def begin(self) -> None:
        """A new study begins: forget the old one."""

    def draw(self) -> None:
        """Draws what the page has; called when it is opened and when there is something new."""

    def column(self, *objects: Any) -> pmui.Column:
        """Objects below each other."""
        return pmui.Column(*objects, sizing_mode="stretch_width")


class TrainingTab(Tab):
    """Learning curves side by side, and gradient norms."""

    def __init__(self, page: RealDataPage) -> None:
        super().__init__(page)
        self.panels: dict[str, LiveFigure] = {}
        self._boxes: dict[str, Any] = {}
        self._trial: dict[str, list[tuple[float, float]]] = {}
        self.grid = pn.Column(styles=_GRID, sizing_mode="stretch_width")
        self.norms = self.take("data norms")
        self.main = self.column(
            self.grid,
            Text(text.NOTES["training"], **_SMALL),
            titled("Gradient norm at every step of the kept trial, median over seeds", self.norms),
        )
        self.begin()

    def begin(self) -> None:
        """A panel for each chosen network, empty."""
        self._trial = {}
        config = self.page.current
        chosen = [name for name in plots.NETWORKS if config is None or name in config.methods]
        for method in chosen:
            if method not in self.panels:
                self._make(method)
        self.grid[:] = [self._boxes[method] for method in chosen]
        for figure in self.panels.values():
            figure.clear(*figure.sources)
            figure.set_range(x=(0, config.epochs if config is not None else 40))
            figure.figure.yaxis[0].axis_label = plots.LOSSES[self.page.task]
        self.norms.clear(*self.norms.sources)

    def _make(self, method: str) -> None:
        figure = self.take("data learning")
        figure.roles |= dict.fromkeys(("validation", "validation band"), plots.LOOKS[method][0])
        figure.renderers["validation"].glyph.line_dash = plots.LOOKS[method][2]
        figure.set_dark(self.page.session.dark)
        self.panels[method] = figure
        self._boxes[method] = titled(plots.LOOKS[method][3], figure, least=270)

    def _excuse(self, reasons: dict[str, str]) -> None:
        """A method that cannot take part has its reason in place of a picture."""
        shown = {method: box for method, box in self._boxes.items() if box in list(self.grid)}
        for method in set(reasons) & set(shown):
            name, why = f"{plots.LOOKS[method][3]}: cannot take part", Text(reasons[method], size=13)
            at = list(self.grid).index(shown[method])
            self.grid[at] = self.column(Text(name, size=14, weight=600), why)

    def follow(self, steps: list[Any]) -> None:
        """Draws the trial that is being trained."""
        touched = set()
        for step in steps:
            if step.stage == "training" and step.method in self.panels:
                if step.epoch == 0:
                    self._trial[step.method] = []
                self._trial.setdefault(step.method, []).append((float(step.epoch), step.values["validation", "loss"]))
                touched.add(step.method)
        for method in touched:  # replaced as a whole: clearing and streaming in one flush would draw points twice
            self.panels[method].put("now", *zip(*self._trial[method], strict=True))
        if touched and self.page.picture is None:
            self._fit()

    def _fit(self) -> None:
        now = [y for trial in self._trial.values() for _, y in trial]
        curves = self.page.picture.curves if self.page.picture else None
        span = plots.loss_range(curves, now) if curves is not None else (0.7 * min(now), 1.4 * max(now))
        for figure in self.panels.values():
            figure.set_range(y=span)

    def draw(self) -> None:
        """Lines and bands of what is finished."""
        picture = self.page.picture
        if picture is None:
            return
        for method, figure in self.panels.items():
            plots.put_learning(figure, picture.curves, method)
        self._excuse({row["method"]: row["reason"] for row in picture.summary["skipped"]})
        if len(picture.curves):
            self._fit()
        if len(picture.result.gradients):
            plots.put_gradient_norms(self.norms, picture.result.gradients)


class ScoresTab(Tab):
    """Scores, paired differences, parameters against the score, and the table."""

    def __init__(self, page: RealDataPage) -> None:
        super().__init__(page)
        self.scores, self.differences = self.take("data forest"), self.take("data forest")
        self.sizes = self.take("data sizes")
        self.table = pn.pane.HTML("", stylesheets=[text.TABLE_STYLE], sizing_mode="stretch_width", margin=(4, 12))
        self.metric = select(page.state, "metric", sizing_mode=None, width=320)
        self.main = self.column(
            self.metric,
            row(
                titled("Test score of every method", self.scores, least=420),
                titled("The quantum layer against each, paired by seed", self.differences, least=420),
            ),
            titled("Score against the number of parameters (bars: 95 % intervals over seeds)", self.sizes),
            Text(text.NOTES["scores"], **_SMALL),
            self.table,
        )

    def begin(self) -> None:
        """Empties the pictures."""
        for figure in (self.scores, self.differences, self.sizes):
            figure.clear(*figure.sources)
        self.table.object = ""

    def draw(self) -> None:
        """Everything anew, in the chosen score."""
        picture = self.page.picture
        self.metric.visible = self.page.task != "regression"
        if picture is None or not picture.summary["methods"]:
            return
        summary, unit = picture.summary, self.page.unit
        known = any(self.page.state.metric in row for row in summary["methods"])
        metric = self.page.state.metric if known else ""
        scores = picture.result.scores
        score_plots.put_scores(self.scores, scores, summary, metric, unit)
        score_plots.put_differences(self.differences, scores, summary, unit)
        score_plots.put_sizes(self.sizes, summary, metric, unit)
        height = 84 + 30 * max(4, len(summary["methods"]))
        self.scores.set_height(height)
        self.differences.set_height(height)
        self.table.object = text.table_html(summary, unit)


class CurvesTab(Tab):
    """ROC, precision and recall, confusion; of a forecast its course and its errors on the map."""

    def __init__(self, page: RealDataPage) -> None:
        super().__init__(page)
        self.run = page.side_run(self._received)
        self.roc, self.pr, self.confusion = (self.take(f"data {name}") for name in ("roc", "pr", "confusion"))
        self.forecast, self.map = self.take("data forecast"), self.take("data map")
        self.label = pmui.Select(label="Class", options={}, size="small", width=260, margin=(8, 12))
        control(page.state, "label", self.label)
        self.of = select(page.state, "of", "Confusion and errors of", sizing_mode=None, width=260)
        self.of.options = {plots.LOOKS[name][3]: name for name in plots.LOOKS}
        self.label.param.watch(lambda event: self._chosen(event.new), "value")
        self.areas = Text("", **_SMALL)
        self.note = Text("", **_SMALL)
        self._classes = row(
            titled("ROC", self.roc, least=380),
            titled("Precision and recall", self.pr, least=380),
        )
        self._classes = self.column(self._classes, self._narrow(self.confusion))
        self._map = titled("Error on the map (15 minutes ahead)", self.map)
        self._forecast = self.column(titled("The first day of the test part, first seed", self.forecast), self._map)
        self.main = self.column(row(self.label, self.of), self.areas, self._classes, self._forecast, self.note)
        self._shown: CloseUp | None = None
        self._names()

    def _narrow(self, figure: LiveFigure) -> Any:
        """Cells of a wide page would be wide, too."""
        box = titled("Confusion: share of the true class, and counts over all seeds", figure)
        box.styles = {**box.styles, "max-width": "680px"}
        return row(box)

    def begin(self) -> None:
        """Empties the pictures."""
        self._shown = None
        for figure in (self.roc, self.pr, self.confusion, self.forecast, self.map):
            figure.clear(*figure.sources)
        self.areas.object = self.note.object = ""
        self._names()

    def _names(self) -> None:
        data = self.page.data
        regression = self.page.task == "regression"
        self._classes.visible, self._forecast.visible = not regression, regression
        if data is None:
            return
        words = {"classification": "Class", "multilabel": "Label", "regression": "Target"}
        options = {name: i for i, name in enumerate(data.class_names)}
        self.label.param.update(label=words[data.task], options=options, value=self.page.target)

    def _chosen(self, value: Any) -> None:
        if value is not None and value != self.page.target:
            self.page.state.label = int(value)

    def draw(self) -> None:
        """Asks a worker for the curves of what is finished."""
        picture, data, state = self.page.picture, self.page.data, self.page.state
        if picture is None or data is None or not picture.result.outputs:
            return
        if not self.label.options or len(self.label.options) != data.n_classes:
            self._names()
        result, names, label, of = picture.result, data.class_names, self.page.target, state.of
        self.run.start(lambda: close_up(result, names, label, of))

    def _received(self, update: Update) -> None:
        for shown in update.items:
            self._shown = shown
            self._put(shown, self.page.picture)

    def _put(self, shown: CloseUp, picture: Picture | None) -> None:
        best = curve_plots.shown_methods(picture.summary) if picture else []
        if shown.forecast is not None:
            known = [name for name in (*best, "persistence") if name in shown.forecast]
            curve_plots.put_forecast(self.forecast, shown.forecast, known)
            self._put_map(shown)
            return
        curve_plots.put_curves(self.roc, shown.roc, best)
        curve_plots.put_curves(self.pr, shown.pr, best)
        if shown.confusion is not None:
            curve_plots.put_confusion(self.confusion, shown.confusion)
        found = [text.areas({m: bands[m] for m in best if m in bands}, k) for k, bands in self._kinds(shown)]
        self.areas.object = " ".join(found)
        draws = next((band.n_draws for band in shown.roc.values()), 0)
        whose = f"Confusion of {plots.LOOKS[shown.method][3]}"
        missing = "" if shown.method == self.page.state.of else ", because the chosen method has not been tested"
        self.note.object = f"{whose}{missing}. {text.NOTES['curves'].format(n_draws=draws)}"

    def _kinds(self, shown: CloseUp) -> tuple[tuple[str, Any], ...]:
        return ("roc", shown.roc), ("pr", shown.pr)

    def _put_map(self, shown: CloseUp) -> None:
        """Errors by sensor, where every sensor is forecast."""
        data = self.page.data
        fits = data is not None and data.positions is not None and len(shown.errors) % data.n_modalities == 0
        self._map.visible = bool(
            fits and len(shown.errors) >= data.n_modalities > 1 and self.page.state.target == "all"
        )
        if self._map.visible:
            errors = shown.errors[: data.n_modalities]
            signal_plots.put_map(self.map, data.positions, errors, data.graph, signal_plots.ERROR)
        self.note.object = (
            f"Mean absolute error of {plots.LOOKS[shown.method][3]} over the test part and all seeds, by sensor."
            if self._map.visible
            else "Choose “Every sensor” as the target to see errors on the map."
        )
