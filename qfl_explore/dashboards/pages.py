"""The registry of pages: what the app offers, imported only when a visitor opens it.

A page is a module with a factory ``create(session) -> View``. To add one, write
``dashboards/<name>.py`` and append a `Page` to ``PAGES``.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any, Protocol

import param

from qfl_explore.dashboards.state import PolynomialState
from qfl_explore.errors import check_option


class Session(param.Parameterized):
    """What the app hands to every page of one visitor.

    Args:
        query: the URL's parameters when the visitor came, ``{name: text}``.

    Attributes:
        polynomial: the settings that the pages Polynomial and Circuit share.
    """

    dark = param.Boolean(default=False, doc="Whether the visitor looks at the dark theme.")
    notice = param.String(default="", doc="A message for the visitor, shown above the page.")
    notice_kind = param.Selector(default="warning", objects=["info", "warning", "error"])

    def __init__(self, query: dict[str, str] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.query = dict(query or {})
        self.polynomial = PolynomialState()

    def notify(self, text: str, kind: str = "warning") -> None:
        """Shows ``text`` above the page until the next notice; an empty text clears it."""
        self.param.update(notice_kind=kind, notice=text)

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


@dataclasses.dataclass(frozen=True)
class Page:
    """One entry of the registry.

    Attributes:
        name: the word in the URL (``?page=name``).
        title: the text of the tab.
        module: where the factory lives; imported on first opening.
        factory: its name; ``factory(session) -> View``.
        summary: one line for tooltips and tables of contents.
    """

    name: str
    title: str
    module: str
    factory: str = "create"
    summary: str = ""

    def create(self, session: Session) -> View:
        """Imports the module and builds the page for one visitor."""
        return getattr(importlib.import_module(self.module), self.factory)(session)


#: In the order of the tabs; the first one opens where the URL names none.
PAGES: tuple[Page, ...] = (
    Page(
        "polynomial",
        "Polynomial",
        "qfl_explore.dashboards.polynomial",
        summary="Watch a layer learn a function, and meet the wall at degree P.",
    ),
    Page(
        "circuit",
        "Circuit",
        "qfl_explore.dashboards.circuit",
        summary="The circuit of the current settings: diagram, registers, counts, spectrum.",
    ),
    Page(
        "real_data",
        "Real data",
        "qfl_explore.dashboards.real_data",
        summary="The quantum layer against classical fusions on equal terms: tumours, hearts, roads, images.",
    ),
    Page(
        "systems",
        "Systems",
        "qfl_explore.dashboards.systems",
        summary="Three quantum fusion systems side by side: scores, attention, parts of a decision, cost.",
    ),
    Page(
        "gradient_variance",
        "Gradient variance",
        "qfl_explore.dashboards.gradient_variance",
        summary="How fast gradients vanish with modalities and degree, angle by angle and during training.",
    ),
    Page(
        "separation",
        "Separation",
        "qfl_explore.dashboards.separation",
        summary="Joint against separate queries: certainty with six, what can be learned, and what it does not show.",
    ),
    Page(
        "measurement_bases",
        "Measurement bases",
        "qfl_explore.dashboards.measurement_bases",
        summary="Four ways to read one circuit: scores, ranks, and the price in repetitions.",
    ),
    Page(
        "encoding",
        "Encoding",
        "qfl_explore.dashboards.encoding",
        summary="Features scaled, shifted, clipped, spoiled or turned: scores, bounds, and where they land.",
    ),
    Page(
        "noise",
        "Noise",
        "qfl_explore.dashboards.noise",
        summary="Does a layer survive noise? Strength against degree, exact curves, and classical rivals.",
    ),
    Page(
        "sweeps",
        "Sweeps",
        "qfl_explore.dashboards.sweeps",
        summary="A grid of settings over an experiment: rows as they arrive, small multiples, Python and TOML.",
    ),
)


def get_page(name: str) -> Page:
    """The page of that name.

    Raises:
        ValueError: no page has it.
    """
    names = [page.name for page in PAGES]
    return PAGES[names.index(check_option("page", name, names))]
