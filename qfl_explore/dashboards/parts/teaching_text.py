"""What tours say, as HTML; the material's own tags stay, everything else is escaped."""

from __future__ import annotations

import re

from qfl_explore.dashboards.parts.look import px
from qfl_explore.dashboards.parts.terms import mark
from qfl_explore.teaching.markup import safe as unmarked
from qfl_explore.teaching.model import Step, Tour

_CARD_STYLE = """
p { margin: 0 0 4px; font-size: 14px; line-height: 1.45; }
h2, h3 { margin: 0 0 3px; font-size: 15px; line-height: 1.4; font-weight: 600; }
h2 span { font-weight: 400; opacity: 0.85; }
.answer { border-top: 1px solid rgba(128, 128, 128, 0.45); margin-top: 4px; padding-top: 5px; }
.limit { opacity: 0.9; font-size: 13px; }
"""


def scaled(css: str) -> str:
    """CSS whose sizes of text follow the visitor's font scale.

    >>> scaled("p { font-size: 14px }")
    'p { font-size: calc(14px * var(--qfl-scale, 1)) }'
    """
    return re.sub(r"font-size: ([\d.]+)px", lambda match: f"font-size: {px(float(match[1]))}", css)


CARD_STYLE = scaled(_CARD_STYLE)


def safe(text: str) -> str:
    """Text of the material as HTML, with technical words marked."""
    return mark(unmarked(text))


def head(tour: Tour, number: int) -> str:
    """Where the learner is."""
    step = tour.steps[number - 1]
    where = f"Step {number} of {len(tour.steps)}"
    rest = f"<span>· {where} · tour “{unmarked(tour.title)}”</span>"
    return f'<div role="status"><h2>{unmarked(step.title)} {rest}</h2></div>'


def look(step: Step) -> str:
    """What to look at."""
    return f"<h3>Look</h3><p>{safe(step.look)}</p>"


def question(step: Step, waits: bool = True) -> str:
    """The question.

    Args:
        step: of the tour.
        waits: whether it is not answered yet; then it says that the page waits.
    """
    said = " <i>(The page below is hidden and waits for your answer.)</i>" if step.predict and waits else ""
    word = "Predict first" if step.predict else "Question"
    return f"<h3>{word}</h3><p>{safe(step.question)}{said}</p>"


def answer(step: Step, chosen: int) -> str:
    """The answer and its limits, after what the learner chose.

    Args:
        step: of the tour.
        chosen: from 1; 0 where the learner only asked for the answer.
    """
    verdict = ""
    if step.choices and chosen:
        verdict = "That is right. " if chosen == step.right else f"The answer is: {step.choices[step.right - 1]}. "
    elif step.choices:
        verdict = f"The answer is: {step.choices[step.right - 1]}. "
    return (
        f'<div class="answer" role="status"><p><b>{unmarked(verdict)}</b>{safe(step.answer)}</p>'
        f'<p class="limit"><b>What this does not show.</b> {safe(step.limit)}</p></div>'
    )
