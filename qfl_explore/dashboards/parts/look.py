"""How every page looks: one theme, one style of tables, and sizes that follow the font scale.

Sizes of text are `px`, which multiplies by the CSS variable ``--qfl-scale``; the page's frame sets it, and it reaches
into every part. Widgets take their sizes from `theme`, figures theirs from `plots.sizes`.
"""

from __future__ import annotations

import math
from typing import Any

#: Font scales in percent; the larger ones are for a projector, or for a room's last row.
SCALES = (100, 125, 150)


def px(size: float) -> str:
    """A length in CSS that follows the font scale.

    >>> px(13)
    'calc(13px * var(--qfl-scale, 1))'
    """
    return f"calc({size:g}px * var(--qfl-scale, 1))"


#: The colour of errors: MUI's where there is a theme (it differs in the dark), else one that reads on white.
ERROR = "var(--danger-bg-color, #C92A2A)"
#: Tables in the page's own colours. ``wide`` scrolls sideways, ``rows`` downwards, too.
TABLE_STYLE = f"""
.wide {{ overflow-x: auto; }}
.rows {{ max-height: {px(340)}; overflow: auto; border: 1px solid rgba(128, 128, 128, 0.35); }}
.wide:focus-visible, .rows:focus-visible {{ outline: 2px solid currentColor; outline-offset: 2px; }}
table {{ border-collapse: collapse; border: 0; width: 100%; color: inherit; font-size: {px(13)};
  font-variant-numeric: tabular-nums; }}
caption, p {{ text-align: left; opacity: 0.85; font-size: {px(13)}; margin: 8px 0 0; padding: 4px 0 6px; }}
th, td {{ text-align: right; border: 0; padding: 4px min(10px, 0.7vw);
  border-bottom: 1px solid rgba(128, 128, 128, 0.35); }}
th {{ font-weight: 600; }}
thead th {{ vertical-align: bottom; }}
th:first-child {{ text-align: left; white-space: nowrap; }}
small {{ opacity: 0.8; white-space: nowrap; font-size: 0.92em; }}
"""

#: Of a box for an integer (``sx``): its two buttons have no name; the keys ↑ and ↓ and typing do the same.
NUMBER = {".MuiInputAdornment-root": {"display": "none"}, ".MuiInputBase-input": {"paddingLeft": "12px"}}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_PALETTES = {
    "light": {"primary": {"main": "#0072B2"}, "secondary": {"main": "#B84F00"}},
    "dark": {"primary": {"main": "#56B4E9"}, "secondary": {"main": "#F08A3C"}},
}
#: A ring that is seen on every ground, for whatever has the keyboard's attention.
_RING = {"outline": "2px solid currentColor", "outlineOffset": "2px"}


#: What a finger has to hit is 44 pixels high where the screen is touched.
_FINGER = {"@media (pointer: coarse)": {"minHeight": "44px"}}
_TOUCHED = {name: {"styleOverrides": {"root": _FINGER}} for name in ("MuiButton", "MuiToggleButton", "MuiMenuItem")}
#: The toolkit's own size of labels grows less than everything else; on the frame they stand as at the smallest scale.
_LABEL = {
    "fontSize": f"{px(13)} !important",
    "&.MuiInputLabel-shrink": {"transform": f"translate(14px, {px(-9)}) scale(0.75)"},
}
_TOUCHED["MuiInputLabel"] = {"styleOverrides": {"root": _LABEL}}
_TOUCHED["MuiIconButton"] = {
    "styleOverrides": {"root": {"@media (pointer: coarse)": {"minWidth": "44px", "minHeight": "44px"}}}
}


def theme(scale: int = 100) -> dict[str, Any]:
    """The theme of the widgets, light and dark, from system fonts: everything comes from this server.

    Args:
        scale: of the fonts, in percent.
    """
    # the theme's size counts twice: in rem, and as the size of one rem
    size = 13 * math.sqrt(scale / 100)
    common = {"typography": {"fontFamily": _FONT, "fontSize": size}, "shape": {"borderRadius": 6}}
    return {name: {**common, "components": _TOUCHED, "palette": palette} for name, palette in _PALETTES.items()}


#: For people who use the Tab key: past the tabs and the drawer to the sentence that states the page's result, or to
#: the page where there is none. Everything lies in shadow trees, where an ordinary link finds nothing.
_SKIP = """
let root = this.getRootNode();
while (root.host && !root.querySelector('main')) root = root.host.getRootNode();
const find = (node) => {
  for (const child of node.querySelectorAll('*')) {
    if (child.matches('[role=status]') && child.textContent.trim()) return child;
    const inner = child.shadowRoot && find(child.shadowRoot);
    if (inner) return inner;
  }
  return null;
};
const page = root.querySelector('main');
const goal = find(page) || page;
goal.tabIndex = -1;
goal.focus();
goal.scrollIntoView({block: 'center'});
"""
SKIP = f'<button type="button" onclick="{_SKIP}">To the result</button>'
#: It is seen only while it has the keyboard's attention.
SKIP_STYLE = f"""
button {{ position: absolute; left: -9999px; }}
button:focus {{ position: fixed; left: 12px; top: 12px; z-index: 2000; padding: 10px 16px; border: 2px solid #FFFFFF;
  border-radius: 6px; background: #FFFFFF; color: #0B3A5B; font: 600 {px(15)} {_FONT}; cursor: pointer; }}
"""
#: Of a tab's text; at the top there is less room for large letters than elsewhere.
_TAB_SIZE = "calc(14px * (0.4 + 0.6 * var(--qfl-scale, 1)))"


def tabs(scale: int = 100) -> dict[str, Any]:
    """The style of the tabs in the bar at the top.

    They stand in one row, or on a narrower screen in two low ones; where that is too narrow, or where fingers need
    higher ones, they scroll. A line under the chosen tab replaces the indicator, which knows one row only.

    Args:
        scale: of the fonts, in percent.
    """
    wrapping = f"@media (min-width: {901 + 6 * (scale - 100)}px) and (pointer: fine)"
    return {
        ".MuiTabs-root, .MuiTab-root": {"minHeight": "32px"},
        ".MuiTab-root": {
            "textTransform": "none",
            "fontSize": _TAB_SIZE,
            "minWidth": 0,
            "padding": "4px 11px",
            "color": "inherit",
            "opacity": 1,
            "borderBottom": "2px solid transparent",
            "@media (pointer: coarse)": {"minHeight": "44px"},
        },
        ".MuiTab-root.Mui-selected": {"color": "inherit", "fontWeight": 600, "borderBottomColor": "currentColor"},
        ".MuiTab-root.Mui-focusVisible": {"outline": "2px solid currentColor", "outlineOffset": "-2px"},
        ".MuiTabs-indicator": {"display": "none"},
        wrapping: {".MuiTabs-list": {"flexWrap": "wrap"}},
    }


#: Of the app's name; a phone needs its place for the tabs.
_TITLE = {"fontSize": px(20), "@media (max-width: 600px)": {"display": "none"}}


def frame(scale: int = 100) -> dict[str, Any]:
    """The style of the whole page (``sx``): bar at the top, font scale, focus.

    Args:
        scale: of the fonts, in percent.
    """
    return {
        "--qfl-scale": f"{scale / 100:g}",
        ".MuiAppBar-root": {"backgroundColor": "#0B3A5B", "color": "#FFFFFF", ".title": _TITLE},
        ".MuiToolbar-root": {"minHeight": px(64)},
        ".MuiToolbar-root > .MuiBox-root + .MuiBox-root": {"minWidth": 0},
        ".MuiAppBar-root > .MuiLinearProgress-root": {"display": "none"},  # of the page itself: never in use
        ".MuiIconButton-root.Mui-focusVisible": _RING,
    }
