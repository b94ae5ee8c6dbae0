"""The workshop as a document in Markdown: plans, activities, presets, tours; ``python -m qfl_explore.teaching``."""

from __future__ import annotations

from collections.abc import Iterable

from qfl_explore.teaching.content import glossary, lessons, presets, tours
from qfl_explore.teaching.model import Activity, Lesson

HEAD = """# A workshop

Two lesson plans, written out from the same data that the app's page Teach shows (`qfl_explore/teaching/data`); nothing
here is edited by hand: `python -m qfl_explore.teaching > docs/workshop.md` writes it. A link below is what to append to
the address of your app, for example `http://localhost:5006/app?page=polynomial&tour=1`. The page Teach has the same
links to click, a worksheet to print and an answer key.

**What is the paper's, and what is ours.** The layer, its registers and its random Pauli planes are arXiv:2510.06938, as
far as we know it; its open questions (noise, gradients, encoding) are its own. The targets, the ceiling and the wall,
the oracle problem, the protocols, the controls and every number are our construction. Nothing here shows a quantum
advantage: everything is simulated on an ordinary computer.

**Before the lesson.** Serve the app for the room (`docs/serving.md`). Open it under the address that you write on the
board, not as `localhost`: worksheets, copied links and exercise links carry the address of your address bar. Open each
link once, and set the font scale (A+) for the projector. Open activities marked *one screen* on the instructor's
computer only: they are talks, or train for minutes.
"""


def markdown() -> str:
    """The whole document."""
    used = {activity.title: activity for lesson in lessons().values() for activity, _ in lesson.parts}
    parts = [
        HEAD,
        *(_plan(lesson) for lesson in lessons().values()),
        "## Activities\n",
        *(_activity(activity) for activity in used.values()),
        _presets(),
        _tours(),
        f"## Words\n\nThe app explains {len(glossary())} technical words in place; the page Teach lists them.\n",
    ]
    return "\n".join(parts)


def _plan(lesson: Lesson) -> str:
    rows = [
        (f"{begin}–{end}", activity.title, _code(activity.link), _who(activity))
        for begin, end, activity in lesson.timed()
    ]
    return f"## {lesson.title}\n\n{lesson.aim}\n\n" + _table(("minutes", "activity", "link", "who"), rows)


def _who(activity: Activity) -> str:
    return "talk" if not activity.page else "everybody" if activity.everybody else "one screen"


def _activity(activity: Activity) -> str:
    lines = [f"### {activity.title}", "", activity.do, ""]
    if activity.exercise:
        lines += [f"*As an exercise, with all other controls hidden:* {_code(activity.exercise)}", ""]
    for name, words in (("Ask", activity.question), ("They should see", activity.see)):
        if words:
            lines += [f"**{name}:** {words}", ""]
    lines += [f"- *“{belief}”* {answer}" for belief, answer in activity.beliefs.items()]
    return "\n".join(lines) + ("\n" if activity.beliefs else "")


def _presets() -> str:
    rows = [(page, one.name, _code(one.link), one.see) for page, found in presets().items() for one in found]
    return "## Presets\n\n" + _table(("page", "preset", "link", "what it shows"), rows)


def _tours() -> str:
    rows = [(tour.page, tour.title, str(len(tour.steps)), _code(tour.link(1))) for tour in tours().values()]
    return "## Guided tours\n\n" + _table(("page", "about", "steps", "link"), rows)


def _code(link: str) -> str:
    return f"`{link}`" if link else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
