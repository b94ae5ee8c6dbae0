"""The app's pages; in a notebook each of them is one call.

::

    from qfl_explore import dashboards

    page = dashboards.polynomial(P=3, target="cosine")  # the last line of a cell shows it
    dashboards.noise(theme="dark")
    dashboards.open("?page=noise&noise_kind=dephasing")  # a link of the app
    dashboards.polynomial(form=True)                      # ipywidgets, where Panel's extension is missing
    dashboards.polynomial.settings()                      # what may stand in the brackets

See `jupyter.notebook.open_page` for the arguments and `jupyter.notebook.NotebookPage` for what comes back.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Functions that are loaded when they are first asked for.
_HOMES = {"open": "jupyter.notebook", "form": "jupyter.widget_form"}


_HELP = """

In a notebook, as the last line of a cell::

    from qfl_explore import dashboards

    dashboards.{name}()  # theme="dark"; form=True for a plain form; settings as in the app's links

``dashboards.{name}.settings()`` lists the settings.
"""


class PageModule(types.ModuleType):
    """The package of a page, which can be called.

    ``qfl_explore.dashboards.polynomial`` is a package and stays one; Python lets a module have a class of its own.
    """

    def __call__(self, link: str = "", /, *, theme: str | None = None, form: bool = False, **settings: Any) -> Any:
        """Shows the page in a notebook; see `jupyter.notebook.open_page`."""
        from qfl_explore.dashboards.jupyter.notebook import open_page

        return open_page(self._page, link, theme=theme, form=form, **settings)

    @property
    def _page(self) -> str:
        return self.__name__.rpartition(".")[2]

    def settings(self) -> pd.DataFrame:
        """The page's settings.

        Returns:
            One row each: word (in links and in brackets), name (that stands for the same), default, values, meaning.
        """
        from qfl_explore.dashboards.jupyter.settings import settings_of

        return settings_of(self._page)


class _Package(types.ModuleType):
    """This package; whichever way a page's package is imported, Python sets it here, and it becomes callable."""

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) is types.ModuleType and any(
            Path(place, "page.py").is_file() for place in getattr(value, "__path__", ())
        ):
            value.__class__ = PageModule
            value.__doc__ = f"{value.__doc__ or ''}{_HELP.format(name=name)}"
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What completion offers: the pages, and the two ways to open any of them."""
    from qfl_explore.dashboards.pages import PAGES

    return sorted({*_HOMES, *(page.name for page in PAGES)})
