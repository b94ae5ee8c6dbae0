"""The page Real data: the Quantum Fusion Layer against classical fusions on equal terms, on a data set of choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from qfl_explore.dashboards.hiding import control
from qfl_explore.dashboards.pages import Session
from qfl_explore.dashboards.parts.layout import framed
from qfl_explore.dashboards.parts.settings import fraction, number, section, select, slider, switch
from qfl_explore.dashboards.parts.text import Text
from qfl_explore.dashboards.real_data import text
from qfl_explore.dashboards.real_data.ablation import AblationTab, CollapseTab
from qfl_explore.dashboards.real_data.look import Getter, LookTab
from qfl_explore.dashboards.real_data.state import DATASETS, METHODS, TABS, RealDataState, modality_options
from qfl_explore.dashboards.real_data.tabs import SPARES, CurvesTab, ScoresTab, Tab, TrainingTab
from qfl_explore.dashboards.real_data.work import Picture, look, study
from qfl_explore.dashboards.run_page import RunPage, from_link
from qfl_explore.dashboards.runs.live import Update
from qfl_explore.dashboards.runs.shared_runs import shared
from qfl_explore.errors import invalid
from qfl_explore.plots.style import LiveFigure

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.datasets import MultimodalData
    from qfl_explore.experiments.multimodal import MultimodalConfig, Step

KINDS: dict[str, type[Tab]] = {
    "data": LookTab,
    "training": TrainingTab,
    "scores": ScoresTab,
    "curves": CurvesTab,
    "ablation": AblationTab,
    "collapse": CollapseTab,
}


def create(session: Session) -> RealDataPage:
    """The registry's factory."""
    return RealDataPage(session)


class RealDataPage(RunPage):
    """One visitor's page; its parts are built when they are first opened.

    Attributes:
        picture: what the study has found, or ``None``.
        data: of the first seed, or ``None`` until they are loaded.
    """

    name, filename, running = "real_data", "real_data.csv", "training"

    def __init__(self, session: Session) -> None:
        state = from_link(session, self.name, RealDataState())
        super().__init__(session, state)
        self.picture: Picture | None = None
        self.data: MultimodalData | None = None
        self._step: Step | None = None
        self._tabs: dict[str, Tab] = {}
        self.looker = self.side_run(self._looked, lasting=True)
        self.getter = Getter(self)
        names = list(TABS)
        self.tabs = pmui.Tabs(
            *((title, pn.Spacer(height=0)) for title in TABS.values()), active=names.index(state.tab), margin=(0, 4)
        )
        control(state, "tab", self.tabs)
        self._body = pn.Column(sizing_mode="stretch_width")
        about = section("What this shows, and what it does not", pn.pane.Markdown(text.ABOUT, margin=(0, 12)))
        self.main = self.body(
            Text(text.INTRO, size=14),
            self.getter.main,
            self.controls,
            self.headline,
            self.tabs,
            self._body,
            Text("Take the study along:", size=12, margin=(8, 10, 0, 10)),
            self.take_along,
            about,
        )
        self.sidebar = _sidebar(state)
        self.tabs.param.watch(lambda event: state.param.update(tab=names[event.new]), "active")
        state.param.watch(self._turned, "tab")
        state.param.watch(lambda _: self.open_tab.draw(), ["metric", "sample", "label", "of"])
        state.param.watch(self._varied, "vary")
        self._body[:] = [self.open_tab.main]
        SPARES.fill_later()  # the other parts' figures, for when they are opened

    @property
    def open_tab(self) -> Tab:
        """The part that is open, built the first time."""
        name = self.state.tab
        if name not in self._tabs:
            self._tabs[name] = KINDS[name](self)
        return self._tabs[name]

    @property
    def task(self) -> str:
        """``classification``, ``multilabel`` or ``regression``."""
        from qfl_explore.datasets import DATASETS as ENTRIES

        return self.data.task if self.data is not None else ENTRIES[self.state.dataset].task

    @property
    def target(self) -> int:
        """Index of the class, label or target that curves are drawn for: the positive one of two, else the first."""
        n = self.data.n_classes if self.data is not None else 1
        first = int(n == 2 and self.task == "classification")
        return self.state.label if 0 <= self.state.label < n else first

    @property
    def unit(self) -> str:
        """Of a forecast's targets."""
        return self.data.label_unit if self.data is not None else ""

    def adopt(self, figure: LiveFigure) -> None:
        """A figure of a part follows the page's theme."""
        self.figures[f"{len(self.figures)}"] = figure
        figure.set_dark(self.session.dark)

    def pinned_figures(self) -> list[LiveFigure] | None:
        """Those of every part that was opened, so that they are there whichever is open."""
        if self.picture is None:
            return None
        parts = [tab.main for name, tab in self._tabs.items() if name != "data"]
        return [figure for figure in framed(self.figures.values(), parts) if not figure.is_empty]

    def _turned(self, event: Any) -> None:
        self.tabs.active = list(TABS).index(event.new)
        self._body[:] = [self.open_tab.main]
        self.open_tab.draw()

    def _varied(self, _: Any) -> None:
        if isinstance(tab := self._tabs.get("ablation"), AblationTab):
            tab.turned()

    # what the base asks for

    def config(self) -> MultimodalConfig:
        """The study's config; persistence takes part in forecasts only.

        Raises:
            MissingData: the files are not here.
        """
        from qfl_explore.datasets import DATASETS as ENTRIES
        from qfl_explore.datasets import MissingData, is_here

        self.getter.look()
        config, entry = self.state.config(), ENTRIES[self.state.dataset]
        if entry.task != "regression" and set(config.methods) != {"persistence"}:
            config = config.replace(methods=tuple(name for name in config.methods if name != "persistence"))
        if not is_here(config.dataset):
            how = "your files in its folder" if config.dataset == "own_folder" else "the button Get data"
            raise invalid(f"{entry.title} is not on this machine", how, "no files", MissingData)
        return config

    def work(self, config: MultimodalConfig) -> Iterator[Any]:
        """Steps, with a picture whenever a method is finished on a seed."""
        from qfl_explore.datasets import DATASETS

        if DATASETS[config.dataset].needs_files:  # which may be fetched, or fetched anew, between two runs
            return study(config)
        return shared(("real data", config), lambda: study(config))

    def starting(self, config: MultimodalConfig) -> None:
        """The data are looked at beside the study."""
        if self.data is not None and self.data.name != config.dataset:
            self.data = None
        self.looker.start(lambda: look(config))

    def begin(self) -> None:
        """Forgets the old study."""
        self.picture, self._step = None, None
        self.headline.object = ""
        for tab in self._tabs.values():
            tab.begin()

    def draw(self, update: Update) -> None:
        """Hands what came to the part that is open."""
        steps = [step for step, _ in update.items]
        self._step = steps[-1] if steps else self._step
        if isinstance(training := self._tabs.get("training"), TrainingTab):
            training.follow(steps)
        pictures = [picture for _, picture in update.items if picture is not None]
        if pictures:
            self.picture = pictures[-1]
            self._say()
            self.open_tab.draw()

    def _say(self) -> None:
        from qfl_explore.datasets import DATASETS as ENTRIES

        if self.picture is None or self.current is None:
            return
        entry = ENTRIES[self.current.dataset]
        title = entry.title.split(" (computed")[0]
        self.headline.object = text.headline(
            self.picture.summary, self.current, title.removeprefix("Synthetic "), entry.synthetic, self.unit
        )

    def _looked(self, update: Update) -> None:
        for data in update.items:
            self.data = data
            self.open_tab.draw()
            self._say()

    def where(self, update: Update) -> str:
        """Seed, method, trial and epoch."""
        return "" if update.state == "done" or self.current is None else text.status(self._step, self.current)

    def fraction(self) -> float | None:
        """Of all trials."""
        return self._step.n_done / self._step.n_total if self._step is not None and self._step.n_total else 0.0

    def table(self) -> pd.DataFrame | None:
        """One row for each seed and method."""
        return self.picture.result.scores if self.picture is not None and len(self.picture.result.scores) else None

    def snippet(self) -> str:
        """Python source of the study."""
        return text.snippet(self.config())

    def new_seed(self) -> None:
        """Other seeds; the change restarts the study."""
        self.state.first_seed = (self.state.first_seed + self.state.n_seeds) % 9990


def _sidebar(state: RealDataState) -> list[Any]:
    tight = {"margin": (10, 12, 2, 12)}
    return [
        section("Data", _dataset_select(state), _modalities_select(state), *_forecast_widgets(state)),
        section("Methods", _method_boxes(state)),
        section(
            "Quantum Fusion Layer",
            *(slider(state, name) for name in ("degree", "feature_dim", "n_blocks")),
            *(select(state, name, **tight) for name in ("measurement", "signal", "initializer", "engine")),
        ),
        section(
            "Study",
            slider(state, "n_seeds"),
            select(state, "n_trials", **tight),
            *(slider(state, name) for name in ("epochs", "patience", "rank")),
            number(state, "n_train", **tight),
            select(state, "encoder", **tight),
            number(state, "first_seed", **tight),
            fraction(state, "gamma", margin=(2, 12)),
            collapsed=True,
        ),
    ]


def _dataset_select(state: RealDataState) -> pmui.Select:
    """All data sets; another one begins with all of its modalities and samples."""
    from qfl_explore.datasets import DATASETS as ENTRIES

    options = {ENTRIES[name].title + (" (to fetch)" if ENTRIES[name].needs_files else ""): name for name in DATASETS}
    widget = pmui.Select(
        label="Data set",
        options=options,
        value=state.dataset,
        size="small",
        margin=(10, 12, 2, 12),
        sizing_mode="stretch_width",
    )

    def choose(event: Any) -> None:
        if event.new != state.dataset:
            state.param.update(dataset=event.new, n_modalities=0, n_train=0, label=-1, sample=0)

    widget.param.watch(choose, "value")
    state.param.watch(lambda event: widget.param.update(value=event.new), "dataset")
    return control(state, "dataset", widget)


def _modalities_select(state: RealDataState) -> pmui.Select:
    """How many modalities, of those usual for the data set."""
    from qfl_explore.datasets import DATASETS as ENTRIES

    def options() -> dict[str, int]:
        most = 0 if state.dataset == "synthetic_traffic" else ENTRIES[state.dataset].n_modalities
        known = modality_options(state.dataset, most)
        extra = {} if state.n_modalities in known.values() else {str(state.n_modalities): state.n_modalities}
        return known | extra

    widget = pmui.Select(
        label="Modalities M",
        options=options(),
        value=state.n_modalities,
        size="small",
        margin=(10, 12, 2, 12),
        sizing_mode="stretch_width",
    )
    widget.param.watch(lambda event: state.param.update(n_modalities=event.new), "value")
    state.param.watch(
        lambda *_: widget.param.update(options=options(), value=state.n_modalities), ["dataset", "n_modalities"]
    )
    return control(state, "n_modalities", widget)


def _forecast_widgets(state: RealDataState) -> list[Any]:
    """What only forecasts have."""
    widgets = [select(state, "target", margin=(10, 12, 6, 12)), switch(state, "change", margin=(2, 12, 6, 12))]

    def reveal(*_: Any) -> None:
        for widget in widgets:
            widget.visible = state.dataset in ("metr_la", "synthetic_traffic")

    reveal()
    state.param.watch(reveal, "dataset")
    return widgets


def _method_boxes(state: RealDataState) -> pmui.CheckBoxGroup:
    from qfl_explore.experiments.multimodal_config import METHODS as TITLES

    widget = pmui.CheckBoxGroup(
        label="", options={TITLES[name]: name for name in METHODS}, value=list(state.methods), margin=(2, 12)
    )

    def choose(event: Any) -> None:
        chosen = [name for name in METHODS if name in event.new]
        if chosen != state.methods:
            state.methods = chosen

    widget.param.watch(choose, "value")
    state.param.watch(lambda event: widget.param.update(value=list(event.new)), "methods")
    return control(state, "methods", widget)
