"""The registry of pages: what the app offers, imported only when a visitor opens it.

A page is a folder of this package whose module ``page`` has a factory ``create(session) -> View``. To add one, write
``dashboards/<name>/page.py`` and append a `Page` to ``PAGES``.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import param

from qfl_explore.dashboards.runs.in_order import keep_order
from qfl_explore.dashboards.state import PolynomialState, State
from qfl_explore.errors import check_option

if TYPE_CHECKING:
    from qfl_explore.dashboards.hiding import Hiding


class Session(param.Parameterized):
    """What the app hands to every page of one visitor.

    Args:
        query: the URL's parameters when the visitor came, ``{name: text}``.

    Attributes:
        polynomial: the settings that the pages Polynomial and Circuit share.
        page: name of the page that is open.
        view: of that page; ``None`` before the first is open.
        visited: every page that was opened, in that order.
    """

    dark = param.Boolean(default=False, doc="Whether the visitor looks at the dark theme.")
    notice = param.String(default="", doc="A message for the visitor, shown above the page.")
    notice_kind = param.Selector(default="warning", objects=["info", "warning", "error"])
    moved = param.Event(doc="The link of what the visitor sees may have changed; see `touch`.")

    def __init__(self, query: dict[str, str] | None = None, **params: Any) -> None:
        super().__init__(**params)
        keep_order()
        self.query = dict(query or {})
        self.page, self.view = PAGES[0].name, None
        self._hidings: dict[tuple[str, ...], Any] = {}
        self.polynomial = PolynomialState()
        self.polynomial.hiding = self.hiding_of(self.page)
        self._carried: dict[str, Callable[[], str]] = {}
        self.visited: list[tuple[str, View]] = []
        self._watched: list[State] = []
        self._problems: list[str] = []
        self.carry("theme", lambda: "dark" if self.dark else "")
        self.param.watch(lambda _: self.touch(), "dark")

    def carry(self, word: str, text: Callable[[], str]) -> None:
        """Puts a word of the whole app into every link; the word has to stand in `link.APP_WORDS`.

        Args:
            word: in the link.
            text: what it says at present; empty: it is left out. Call `touch` when that changed.
        """
        self._carried[word] = text

    def touch(self) -> None:
        """Says that the link of what the visitor sees may have changed."""
        self.param.trigger("moved")

    def hiding_of(self, page: str) -> Hiding:
        """What a link hides of a page; pages that share their settings share it."""
        from qfl_explore.dashboards.hiding import Frame, Hiding

        key = next((one.states[:1] for one in PAGES if one.name == page), (page,))
        if key not in self._hidings:
            others = list(self._hidings.values())
            made = self._hidings[key] = Hiding(page, others[0].frame if others else Frame())
            made.param.watch(lambda *_: self.touch(), "hidden")
            if not others:
                made.frame.param.watch(lambda *_: self.touch(), ["extras", "only"])
        found = self._hidings[key]
        found.page = page
        return found

    def opened(self, page: str, view: View) -> None:
        """The visitor sees another page; from now on the link follows its settings."""
        self.page, self.view = page, view
        if not any(view is known for _, known in self.visited):
            self.visited.append((page, view))
        for state in states_of(view):
            if not any(state is known for known in self._watched):
                self._watched.append(state)
                state.param.watch(lambda *_: self.touch(), list(state.URL))
        self.touch()

    def link_words(self, page: str, words: Mapping[str, str]) -> dict[str, str]:
        """Everything that a link to a page says, in its order.

        Args:
            page: name in the registry.
            words: of the page's settings.
        """
        from qfl_explore.dashboards.link import first_word

        carried = {word: text() for word, text in self._carried.items()}
        hidden = self.hiding_of(page or PAGES[0].name).to_query()
        return first_word(page) | dict(words) | {word: text for word, text in carried.items() if text} | hidden

    def address(self) -> str:
        """The query of the page that is open, ``?page=noise&P=2``, or nothing where all is at its default.

        Opening the app with it restores what the visitor sees, on this server or on another.
        """
        from qfl_explore.dashboards.link import query_of

        return query_of(self.link_words(self.page, self.view.query() if self.view is not None else {}))

    def notify(self, text: str, kind: str = "warning") -> None:
        """Shows ``text`` above the page until the next notice; an empty text clears it.

        What was wrong with the link stays in front of an error, until the visitor closes it.
        """
        said = " ".join(self._problems)
        if text and kind == "error" and said and self.notice.startswith(said):
            text = f"{said} {text}"
        self.param.update(notice_kind=kind, notice=text)

    def complain(self, problems: list[str]) -> None:
        """Shows what was wrong with the link, after what was wrong with it before."""
        self._problems += problems
        if self._problems:
            self.notify(" ".join(self._problems))

    def settle(self) -> None:
        """Clears an error, because what caused it is gone; other notices stay."""
        if self.notice_kind == "error":
            self.notify("")


class View(Protocol):
    """What a page's factory returns.

    Attributes:
        sidebar: Panel objects for the drawer on the left.
        main: Panel objects for the body.
    """

    sidebar: list[Any]
    main: list[Any]

    def query(self) -> dict[str, str]:
        """The state that differs from the default, as URL parameters."""
        ...

    def show(self) -> None:
        """The visitor opened the page: start or resume."""
        ...

    def hide(self) -> None:
        """The visitor went to another page: pause."""
        ...

    def close(self) -> None:
        """The session ended: stop everything."""
        ...


def states_of(view: View) -> tuple[State, ...]:
    """The states whose settings are a page's words in a link: ``view.states``, or ``view.state`` alone."""
    return tuple(getattr(view, "states", None) or (view.state,))  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True)
class Page:
    """One entry of the registry.

    Attributes:
        name: the word in the URL (``?page=name``).
        title: the text of the tab.
        module: where the factory lives; imported on first opening.
        factory: its name; ``factory(session) -> View``.
        summary: one line for tooltips and tables of contents.
        states: its `State` classes, whose ``URL`` has the page's words, as ``module:class`` in this package.
    """

    name: str
    title: str
    module: str
    factory: str = "create"
    summary: str = ""
    states: tuple[str, ...] = ()

    def create(self, session: Session) -> View:
        """Imports the module and builds the page for one visitor."""
        return getattr(importlib.import_module(self.module), self.factory)(session)

    def state_classes(self) -> list[type[State]]:
        """The classes that ``states`` names."""
        pairs = (place.split(":") for place in self.states)
        return [getattr(importlib.import_module(f"qfl_explore.dashboards.{module}"), name) for module, name in pairs]


#: In the order of the tabs; the first one opens where the URL names none.
PAGES: tuple[Page, ...] = (
    Page(
        "polynomial",
        "Polynomial",
        "qfl_explore.dashboards.polynomial.page",
        summary="Watch a layer learn a function, and meet the wall at degree P.",
        states=("state:PolynomialState",),
    ),
    Page(
        "circuit",
        "Circuit",
        "qfl_explore.dashboards.circuit.page",
        summary="The circuit of the current settings: diagram, registers, counts, spectrum.",
        states=("state:PolynomialState", "circuit.qsim_state:QSimState"),
    ),
    Page(
        "real_data",
        "Real data",
        "qfl_explore.dashboards.real_data.page",
        summary="The quantum layer against classical fusions on equal terms: tumours, hearts, roads, images.",
        states=("real_data.state:RealDataState",),
    ),
    Page(
        "systems",
        "Systems",
        "qfl_explore.dashboards.systems.page",
        summary="Three quantum fusion systems side by side: scores, attention, parts of a decision, cost.",
        states=("systems.state:SystemsState",),
    ),
    Page(
        "gradient_variance",
        "Gradient variance",
        "qfl_explore.dashboards.gradient_variance.page",
        summary="How fast gradients vanish with modalities and degree, angle by angle and during training.",
        states=("gradient_variance.state:GradientVarianceState",),
    ),
    Page(
        "separation",
        "Separation",
        "qfl_explore.dashboards.separation.page",
        summary="Joint against separate queries: certainty with six, what can be learned, and what it does not show.",
        states=("separation.state:SeparationState",),
    ),
    Page(
        "measurement_bases",
        "Measurement bases",
        "qfl_explore.dashboards.measurement_bases.page",
        summary="Four ways to read one circuit: scores, ranks, and the price in repetitions.",
        states=("measurement_bases.state:MeasurementState",),
    ),
    Page(
        "encoding",
        "Encoding",
        "qfl_explore.dashboards.encoding.page",
        summary="Features scaled, shifted, clipped, spoiled or turned: scores, bounds, and where they land.",
        states=("encoding.state:EncodingState",),
    ),
    Page(
        "noise",
        "Noise",
        "qfl_explore.dashboards.noise.page",
        summary="Does a layer survive noise? Strength against degree, exact curves, and classical rivals.",
        states=("noise.state:NoiseState",),
    ),
    Page(
        "sweeps",
        "Sweeps",
        "qfl_explore.dashboards.sweeps.page",
        summary="A grid of settings over an experiment: rows as they arrive, small multiples, Python and TOML.",
        states=("sweeps.state:SweepsState",),
    ),
    Page(
        "teach",
        "Teach",
        "qfl_explore.dashboards.teach.page",
        summary="For instructors: lesson plans with links, a worksheet to print, all tours, presets and words.",
        states=("teach.state:TeachState",),
    ),
)


def get_page(name: str) -> Page:
    """The page of that name.

    Raises:
        ValueError: no page has it.
    """
    names = [page.name for page in PAGES]
    return PAGES[names.index(check_option("page", name, names))]
