"""What the page Teach shows, as HTML: plan, presets, tours, words, and the buttons of the handout."""

from __future__ import annotations

import html
from collections.abc import Iterable

from qfl_explore.dashboards.pages import PAGES, get_page
from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.teaching_text import safe, scaled
from qfl_explore.teaching.handout import worksheet
from qfl_explore.teaching.markup import safe as unmarked
from qfl_explore.teaching.model import Activity, Lesson, Preset, Term, Tour

INTRO = (
    "For whoever stands in front of the class: a plan with times, a link for every part, what learners should see, "
    "and what they tend to believe. Every link opens exactly that state in a new tab; give it to the room. "
    "Links and worksheets carry the address of your address bar: open this page under the one on the board."
)
WHOSE = (
    "Say it at the beginning: the layer, its registers and its random Pauli planes are the paper's (arXiv:2510.06938), "
    "as far as we know it. The targets, the ceiling and the wall, the oracle problem, the controls and every number "
    "are our construction. Everything is simulated on an ordinary computer, and nothing here shows a quantum advantage."
)
STYLE = scaled("""
* { box-sizing: border-box; }
p { margin: 0 0 6px; line-height: 1.5; font-size: 14px; }
a { color: inherit; text-underline-offset: 3px; }
.part { display: grid; grid-template-columns: 92px 1fr; gap: 4px 16px; padding: 12px 0;
  border-top: 1px solid rgba(128, 128, 128, 0.4); }
.when { font-size: 15px; font-weight: 600; font-variant-numeric: tabular-nums; }
.when small { display: block; font-weight: 400; font-size: 12.5px; opacity: 0.85; }
h3 { font-size: 15px; margin: 0 0 4px; font-weight: 600; }
.links a { display: inline-block; border: 1px solid rgba(128, 128, 128, 0.7); border-radius: 6px; padding: 3px 11px;
  margin: 0 6px 6px 0; font-size: 13px; text-decoration: none; }
.links a:hover, .links a:focus-visible { text-decoration: underline; }
dl { margin: 0; font-size: 13.5px; line-height: 1.45; }
.pairs { display: grid; grid-template-columns: 128px 1fr; gap: 3px 12px; }
dt { font-weight: 600; } dd { margin: 0; }
ul { margin: 0; padding-left: 18px; font-size: 13.5px; line-height: 1.5; } li { margin-bottom: 3px; }
.words { columns: 2 360px; column-gap: 32px; }
.words div { break-inside: avoid; margin-bottom: 10px; }
.words .formula { font-size: 1.03em; padding: 2px 0; }
.words .source { opacity: 0.85; font-size: 12.5px; }
@media (max-width: 700px) { .part, .pairs { grid-template-columns: 1fr; } }
""")
BUTTON = (
    f"font:inherit;font-size:{px(13)};padding:6px 12px;margin:0 6px 6px 0;border-radius:6px;cursor:pointer;"
    "color:inherit;background:transparent;border:1px solid rgba(128,128,128,0.7)"
)
#: In the browser: the sheet gets the app's address, and is opened in a window of its own or saved as a file.
_SHEET = """
const place = location.origin + location.pathname;
const sheet = this.dataset.sheet.replaceAll('THIS-APP', place);
const url = window.URL.createObjectURL(new Blob([sheet], {type: 'text/html'}));
if (this.dataset.file) {
  const link = document.createElement('a');
  link.href = url;
  link.download = this.dataset.file;
  link.click();
} else {
  window.open(url, '_blank');
}
"""
_TITLES = {page.name: page.title for page in PAGES}


def plan(lesson: Lesson) -> str:
    """A lesson with its times."""
    return f"<p>{safe(lesson.aim)}</p>" + "".join(_part(*row) for row in lesson.timed())


def _part(begin: int, end: int, activity: Activity) -> str:
    who = "talk" if not activity.page else "everybody" if activity.everybody else "one screen"
    facts = [("Do", safe(activity.do)), ("Ask", safe(activity.question)), ("They should see", safe(activity.see))]
    beliefs = "".join(f"<li><i>“{safe(said)}”</i> {safe(answer)}</li>" for said, answer in activity.beliefs.items())
    if beliefs:
        facts.append(("They may say", f"<ul>{beliefs}</ul>"))
    listed = "".join(f"<dt>{name}</dt><dd>{words}</dd>" for name, words in facts if words)
    return (
        f'<div class="part"><div class="when">{begin}–{end} min<small>{who}</small></div><div>'
        f'<h3>{unmarked(activity.title)}</h3>{_links(activity)}<dl class="pairs">{listed}</dl></div></div>'
    )


def _links(activity: Activity) -> str:
    if not activity.page:
        return ""
    title = _TITLES[activity.page]
    words = f"Open {title}" + (f", tour, step {activity.tour}" if activity.tour else "")
    made = [_link(activity.link, words)]
    if activity.exercise:
        made.append(_link(activity.exercise, f"As an exercise: only {_left(activity)} can be changed"))
    return f'<div class="links">{"".join(made)}</div>'


def _left(activity: Activity) -> str:
    """The labels of the controls that an exercise leaves, in its order."""
    kinds = get_page(activity.page).state_classes()
    labels = {word: kind.param[name].doc or name for kind in kinds for name, word in kind.URL.items()}
    found = [labels[word].partition(":")[0] for word in activity.shown.split(",")]
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1])))


def _link(query: str, words: str) -> str:
    return f'<a href="{html.escape(query)}" target="_blank" rel="noopener">{html.escape(words)}</a>'


def listed_presets(found: Iterable[Preset]) -> str:
    """Presets with what they show."""
    rows = "".join(f"<li>{_link(one.link, f'{_TITLES[one.page]}: {one.name}')} {safe(one.see)}</li>" for one in found)
    return f"<ul>{rows}</ul>"


def listed_tours(found: Iterable[Tour]) -> str:
    """Tours with a link for every step."""
    rows = []
    for tour in sorted(found, key=lambda tour: list(_TITLES).index(tour.page)):
        steps = " · ".join(_link(tour.link(n), f"{n} {step.title}") for n, step in enumerate(tour.steps, 1))
        rows.append(f"<li><b>{html.escape(_TITLES[tour.page])}, “{unmarked(tour.title)}”:</b> {steps}</li>")
    return f"<ul>{''.join(rows)}</ul>"


def words(found: Iterable[Term]) -> str:
    """The glossary, or the part of it that was looked for."""
    entries = "".join(_entry(term) for term in found)
    return f'<dl class="words">{entries}</dl>' if entries else "<p>No word matches.</p>"


def _entry(term: Term) -> str:
    formula = f'<dd class="formula">{unmarked(term.formula)}</dd>' if term.formula else ""
    source = f'<dd class="source">{unmarked(term.source)}</dd>' if term.source else ""
    return f"<div><dt>{unmarked(term.name)}</dt><dd>{unmarked(term.means)}</dd>{formula}{source}</div>"


def sheets(lesson: Lesson) -> str:
    """Buttons that open or save the worksheet and its answer key, without a round trip to the server."""
    made = []
    for name, answers in (("worksheet", False), ("answer key", True)):
        sheet = html.escape(worksheet(lesson, answers, "THIS-APP"))
        file = f"{name.replace(' ', '_')}_{lesson.name}.html"
        for label, place in ((f"Print the {name}", ""), (f"Save the {name}", file)):
            made.append(
                f'<button type="button" style="{BUTTON}" data-sheet="{sheet}" data-file="{place}" '
                f'onclick="{html.escape(_SHEET)}">{label}</button>'
            )
    return "".join(made)
