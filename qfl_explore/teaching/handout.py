"""The worksheet and its answer key as HTML that stands alone and prints on A4; no request leaves it."""

from __future__ import annotations

import html

from qfl_explore.teaching.markup import safe
from qfl_explore.teaching.model import Activity, Lesson, Task

STYLE = """
@page { size: A4; margin: 16mm 16mm 18mm; }
* { box-sizing: border-box; }
body { font: 11pt/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #111; background: #fff;
  max-width: 180mm; margin: 0 auto; padding: 8mm 4mm; }
h1 { font-size: 17pt; line-height: 1.2; margin: 0 0 2mm; }
h2 { font-size: 12.5pt; margin: 6mm 0 1.5mm; border-bottom: 0.5pt solid #888; padding-bottom: 0.8mm;
  break-after: avoid; }
p { margin: 0 0 2mm; }
section > p { break-after: avoid; }
.who { display: flex; gap: 8mm; margin: 3mm 0 4mm; }
.who span { flex: 1; border-bottom: 0.5pt solid #555; padding-bottom: 1mm; color: #444; }
.where { color: #333; font-size: 9.5pt; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 9pt; overflow-wrap: anywhere; }
ol { margin: 1.5mm 0 0; padding-left: 6mm; }
li { margin-bottom: 3mm; break-inside: avoid; }
.line { border-bottom: 0.4pt solid #999; height: 8mm; }
.answer { background: #eef4f8; border-left: 2.5pt solid #0072B2; padding: 1.5mm 3mm; margin-top: 1.5mm; }
.foot { margin-top: 7mm; border-top: 0.5pt solid #888; padding-top: 2mm; font-size: 9pt; color: #333; }
section { break-inside: auto; }
button { font: inherit; padding: 4px 14px; margin-bottom: 4mm; cursor: pointer; }
@media print { body { padding: 0; max-width: none; } button { display: none; } }
"""
FOOT = (
    "The layer and its registers: arXiv:2510.06938, as far as it is known to us. Targets, ceiling, wall, oracle "
    "problem, controls and all numbers: our construction. Everything is simulated on an ordinary computer; nothing "
    "here shows a quantum advantage."
)


def worksheet(lesson: Lesson, answers: bool = False, address: str = "") -> str:
    """A page of HTML.

    Args:
        lesson: whose tasks are asked.
        answers: prints the answers instead of empty lines.
        address: of the app, up to the question mark; empty: links are given without it.
    """
    title = f"{'Answer key' if answers else 'Worksheet'}, {lesson.title}"
    who = "" if answers else '<div class="who"><span>Name</span><span>Date</span></div>'
    parts = "".join(_part(activity, answers, address) for activity, _ in lesson.parts if activity.tasks)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>"
        '<button type="button" onclick="window.print()">Print</button>'
        f"<h1>{html.escape(title)}</h1>{who}<p>Aim: {html.escape(lesson.aim[0].lower() + lesson.aim[1:])}</p>{parts}"
        f'<p class="foot">{html.escape(FOOT)}</p></body></html>'
    )


def _part(activity: Activity, answers: bool, address: str) -> str:
    link = activity.link if activity.everybody else ""  # what is on the instructor's screen need not be typed
    where = f'<p class="where">Open: <code>{html.escape(address + link)}</code></p>' if link else ""
    question = f"<p><i>{safe(activity.question)}</i></p>" if activity.question else ""
    tasks = "".join(_task(task, answers) for task in activity.tasks)
    return f"<section><h2>{html.escape(activity.title)}</h2>{where}{question}<ol>{tasks}</ol></section>"


def _task(task: Task, answers: bool) -> str:
    below = f'<div class="answer">{safe(task.answer)}</div>' if answers else '<div class="line"></div>' * task.lines
    return f"<li>{safe(task.ask)}{below}</li>"
