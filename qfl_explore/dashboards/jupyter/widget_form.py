"""A page as a plain form of ipywidgets with still pictures: for Colab, VS Code and others without Panel's extension."""

from __future__ import annotations

import html
import time
from typing import Any

import ipywidgets
import param

from qfl_explore.dashboards.jupyter.notebook import NotebookPage
from qfl_explore.dashboards.pages import get_page, states_of
from qfl_explore.dashboards.parameters import State
from qfl_explore.dashboards.parts.layout import plain_name
from qfl_explore.dashboards.runs.live import message
from qfl_explore.dashboards.share.take_along import TABLE_STYLE, table_html
from qfl_explore.errors import invalid
from qfl_explore.plots import static

#: Settings that are always in sight; the others are in a part that folds.
N_FIRST = 7
#: Seconds between two pictures of a run; one takes some tenths of a second to draw.
PICTURE_S = 1.5
MAX_PICTURES = 6
_WIDE = {"description_width": "46%"}
_LAYOUT = {"width": "340px"}


def form(name: str, link: str = "", /, **settings: Any) -> Form:
    """A page as ipywidgets.

    Args:
        name: of the page, such as ``"polynomial"``.
        link: of the app, with settings; may be empty.
        **settings: by the parameter's name or by its word in links.

    Raises:
        ValueError: there is no such page or setting, a value is not possible, or the page computes nothing.
    """
    return Form(name, link, **settings)


class Form:
    """Settings, Run, Stop, progress, pictures and table; what runs is the app's own page, only not drawn by Panel.

    Args:
        name: of the page.
        link: with settings.
        **settings: by name or word.

    Raises:
        ValueError: as `form` says.

    Attributes:
        page: the `NotebookPage` behind it: ``page.table()``, ``page.config()``, ``page.wait()``.
        widgets: parameter name -> widget.
    """

    def __init__(self, name: str, link: str = "", /, **settings: Any) -> None:
        self.page = NotebookPage(name, link, None, settings, shown=False)
        if not hasattr(self.page.part, "headline"):
            self.page.close()
            raise invalid("this page has no plain form", "a page that computes something", repr(name))
        self.page.drawn = self._refresh
        self._drawn_at, self._drawn_state = 0.0, ()
        self.widgets: dict[str, Any] = {}
        for state in states_of(self.page.view):
            for setting in state.URL:
                self.widgets[setting] = self._widget(state, setting)
            state.param.watch(lambda event, state=state: self._follow(state), list(state.URL))
        self.run_button = ipywidgets.Button(description="Run", icon="play", button_style="primary")
        self.stop_button = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        self.progress = ipywidgets.IntProgress(0, 0, 100, layout={"width": "220px"})
        self.status, self.headline, self.rows = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "100%", "visibility": "hidden"})
        self.run_button.on_click(lambda _: self.run())
        self.stop_button.on_click(lambda _: self.stop())
        self._box = self._arranged()

    def _arranged(self) -> Any:
        widgets = list(self.widgets.values())
        more = ipywidgets.Accordion([ipywidgets.VBox(widgets[N_FIRST:])], titles=("More settings",))
        side = ipywidgets.VBox(
            [*widgets[:N_FIRST], *([more] if widgets[N_FIRST:] else [])], layout={"min_width": "370px"}
        )
        bar = ipywidgets.HBox([self.run_button, self.stop_button, self.progress, self.status])
        result = ipywidgets.VBox([bar, self.headline, self.picture, self.rows], layout={"width": "100%"})
        title = ipywidgets.HTML(f"<b>{html.escape(get_page(self.page.name).title)}</b>")
        return ipywidgets.VBox([title, ipywidgets.HBox([side, result])])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self._box._repr_mimebundle_(**options)

    # settings

    def _widget(self, state: State, name: str) -> Any:
        parameter, value = state.param[name], getattr(state, name)
        look = {
            "description": parameter.doc or name,
            "style": _WIDE,
            "layout": _LAYOUT,
            "tooltip": parameter.doc or name,
        }
        ends = dict(zip(("min", "max"), getattr(parameter, "bounds", None) or (), strict=False))
        if isinstance(parameter, param.Boolean):
            widget = ipywidgets.Checkbox(value, indent=False, **look)
        elif isinstance(parameter, param.List):
            widget = ipywidgets.SelectMultiple(options=state.ITEMS[name], value=tuple(value), **look)
        elif isinstance(parameter, param.Selector):
            widget = ipywidgets.Dropdown(options=_options(parameter), value=value, **look)
        elif isinstance(parameter, param.Integer):
            widget = ipywidgets.IntSlider(value, continuous_update=False, **ends, **look)
        elif isinstance(parameter, param.Number):
            look |= {"step": parameter.step or 0.01, "readout_format": ".3g"}
            widget = ipywidgets.FloatSlider(value, continuous_update=False, **ends, **look)
        else:
            widget = ipywidgets.Text(value, continuous_update=False, **look)
        widget.observe(lambda change: self._choose(state, name, change["new"]), "value")
        return widget

    def _choose(self, state: State, name: str, value: Any) -> None:
        value = list(value) if isinstance(value, tuple) else value
        if value == getattr(state, name):
            return
        self.page.view.hide()  # the run of the old settings ends; the next waits for Run
        try:
            self.page.set(**{name: value})
        except (ValueError, TypeError) as error:
            self._say(message(error), error=True)
            self._follow(state)
            return
        self._say("settings changed: press Run")
        self.stop_button.disabled = True

    def _follow(self, state: State) -> None:
        """The widgets show what the state has; some options depend on other settings."""
        for name in state.URL:
            widget, value = self.widgets.get(name), getattr(state, name)
            if widget is None:
                continue
            if isinstance(widget, ipywidgets.Dropdown) and list(widget.options) != _options(state.param[name]):
                widget.options = _options(state.param[name])
            widget.value = tuple(value) if isinstance(value, list) else value

    # the run

    def run(self) -> None:
        """Starts with the present settings, from the beginning."""
        self._drawn_at, self._drawn_state = 0.0, ()
        self.stop_button.disabled = False
        if self.page.begun and self.page.state not in ("queued", "running"):
            restart = getattr(self.page.part, "start", None)
            self.page.view.show()
            if restart is not None and self.page.state in ("done", "failed", "cancelled"):
                restart()
        else:
            self.page.start()
        self._refresh()

    def stop(self) -> None:
        """Stops; what was found stays."""
        cancel = getattr(self.page.part, "cancel", self.page.view.hide)
        cancel()
        self._refresh()

    def close(self) -> None:
        """Stops everything and takes the form away."""
        self.page.close()
        self._box.close()

    # what the run brings, on the kernel's loop

    def _say(self, text: str, error: bool = False) -> None:
        colour = ";color:#B03A00" if error else ""
        self.status.value = f'<span style="font-size:13px{colour}">{html.escape(text)}</span>'

    def _refresh(self) -> None:
        part, state = self.page.part, self.page.state
        controls = getattr(part, "controls", None)
        error = self.page.session.notice if self.page.session.notice_kind == "error" else ""
        self._say(error or (controls.status.object if controls is not None else ""), error=bool(error))
        self.headline.value = f'<p style="font-size:15px">{html.escape(part.headline.object)}</p>'
        fraction = part.fraction() if hasattr(part, "fraction") else None
        self.progress.value = round(100 * min(1.0, max(0.0, fraction or 0.0)))
        self.stop_button.disabled = state not in ("queued", "running", "paused")
        now, shows = time.monotonic(), (state, part, _n_rows(part), self.headline.value)
        if shows == self._drawn_state:
            return
        if now - self._drawn_at > PICTURE_S or (state,) != self._drawn_state[:1]:
            self._drawn_at, self._drawn_state = now, shows
            self._draw(part)
        else:  # nothing may come after this, and the picture has to show it
            self.page.later(lambda: None, PICTURE_S)

    def _draw(self, part: Any) -> None:
        figures = [figure for figure in part.figures.values() if not figure.is_empty][:MAX_PICTURES]
        titles = [(figure.frame.title if figure.frame is not None else "") or plain_name(figure) for figure in figures]
        data = static.png(figures, titles)
        if data:
            self.picture.value, self.picture.layout.visibility = data, "visible"
        table = self.page.table()
        shown = table_html(table, 30) if table is not None and len(table) else ""
        self.rows.value = f"<style>{TABLE_STYLE}</style>{shown}" if shown else ""


def _n_rows(part: Any) -> int:
    """Of all that a page's figures show."""
    sources = (source for figure in part.figures.values() for source in figure.sources.values())
    return sum(len(next(iter(source.data.values()), ())) for source in sources)


def _options(parameter: Any) -> list[tuple[str, Any]]:
    return [(str(label), value) for label, value in parameter.get_range().items()]
