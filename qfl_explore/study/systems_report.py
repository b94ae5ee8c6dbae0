"""The report of `study.systems`: from kept records to Markdown and a table of all scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from qfl_explore.datasets.registry import is_here
from qfl_explore.experiments.systems_config import (
    CROSS,
    CROSS_ABLATION,
    ENTANGLED,
    ENTANGLED_ABLATION,
    PAPER_F1,
    QUANTUM,
    QUANTUM_SYSTEMS,
    SYSTEMS,
    TASKS,
    WITH_CIRCUIT,
)
from qfl_explore.experiments.systems_summary import OWN_CONTROLS
from qfl_explore.results import Record
from qfl_explore.study.systems import settings
from qfl_explore.study.tables import ends, markdown, number, p_value, with_ends

INTRODUCTION = """# Three quantum fusion systems beside classical methods

Made by `qfl-explore study systems --data DATA --store STORE`; nothing here is edited by hand. Every score is in
`{folder}/scores.csv`.

The Quantum Fusion Layer (arXiv:2510.06938), cross-attention mid-fusion (arXiv:2512.19180) and the feature-entanglement
network (arXiv:2601.07856) on the same tasks. The two siblings are built from descriptions; sizes, encoders, splits and
budgets are our construction. All methods have the same data, the same encoders, at most {epochs} epochs and
{n_trials} trials (the one with the lowest validation loss meets the test part), {n_seeds} seeds. The layer's
parameters are the budget: each sibling is the smallest of its kind with at least as many, where its own minimum allows.

Scores are test macro F1: the mean over seeds and a 95 % interval of Student's t, widened where the seeds' splits
share samples. The best classical method is chosen by its mean on the test part, which favours it. The paper's figure
is the best fusion of arXiv:2512.19180, for context: other splits, sizes and tuning."""
QUICK_NOTE = "**Computed with `--quick`: two epochs and two seeds, to see whether everything works. It says nothing.**"
CANNOT = """## What this does not show

- Five seeds: a difference that is undecided is not shown to be zero.
- Small samples, a short budget and two trials a method: larger ones may rank otherwise.
- The siblings' published code and settings are not known to us: these are results of our construction of them.
- Everything ran on a simulator without noise; nothing here says how a device would do."""
REACH_NOTE = """## What a choice of ours is worth: the angles of features

Features become angles by tanh, up to ±π/2 in all three systems. With ±π the two ends are one state for a rotation that
nothing controls, so that an encoder that saturates says nothing: a sibling built like that looks worse than it is. The
layer's rotations are controlled, and its ends remain apart. The reach was set by that argument for the siblings and
then given to all; both are scored below on the same test parts, so a choice between them by score is optimistic."""
ONE_MODALITY = "One modality: there is nothing to join, and the network is its own control."
OUTCOMES = {"higher": "higher", "lower": "lower", "undecided": "undecided"}


def write(out: Path, records: Mapping[str, Record], quick: bool, whole: Mapping[str, Record] | None = None) -> None:
    """Writes the report, and the scores into a folder of its name beside it.

    Args:
        out: the Markdown file.
        records: task -> what was kept.
        quick: whether they come from the quick preset.
        whole: task -> what was kept with angles up to π.
    """
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    done = {task: record for task, record in records.items() if record.ok}
    scores = [pd.DataFrame(record.rows).assign(task=task) for task, record in done.items()]
    if scores:
        table = pd.concat(scores, ignore_index=True)
        table = table[["task", *(name for name in table if name != "task")]].dropna(axis=1, how="all")
        table.to_csv(folder / "scores.csv", index=False, float_format="%.5g")
    out.write_text(report(records, quick, folder.name, whole or {}), encoding="utf-8")


def report(records: Mapping[str, Record], quick: bool, folder: str, whole: Mapping[str, Record]) -> str:
    """The Markdown."""
    turned = {task: dict(record.summary) for task, record in whole.items() if record.ok}
    done = {task: dict(record.summary) for task, record in records.items() if record.ok}
    base = settings("wine", quick)
    numbers = {"epochs": base["epochs"], "n_trials": len(base["learning_rates"]), "n_seeds": len(base["seeds"])}
    parts = [
        INTRODUCTION.format(folder=folder, **numbers),
        QUICK_NOTE if quick else "",
        f"## Task by task\n\n{overview(done)}" if done else "Nothing has been computed yet.",
        f"## Who differs from whom\n\n{counts(done)}" if done else "",
        f"{REACH_NOTE}\n\n{_reach(done, turned)}" if turned and done else "",
        *(_task(task, summary) for task, summary in done.items()),
        _absent(records),
        CANNOT,
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def overview(done: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a task: the best classical method, the three systems, and the paper's figure."""
    header = ["task", "best classical", *(SYSTEMS[name] for name in QUANTUM_SYSTEMS), "arXiv:2512.19180"]
    rows = []
    for task, summary in done.items():
        title, changes = TASKS[task]
        found = {row["method"]: row for row in summary["methods"]}
        best = summary["best_classical"]
        classical = f"{with_ends(found[best], 'f1')}, {SYSTEMS[best]}" if best in found else "–"
        systems = [with_ends(found[name], "f1") if name in found else "–" for name in QUANTUM_SYSTEMS]
        rows.append([title, classical, *systems, number(PAPER_F1.get(changes["dataset"], math.nan))])
    return markdown(header, rows)


def counts(done: Mapping[str, Mapping[str, Any]]) -> str:
    """In how many tasks a system is higher or lower than the best classical method, its control and the layer."""
    pairs = [pair for summary in done.values() for pair in summary["pairs"]]
    best = {task: summary["best_classical"] for task, summary in done.items()}
    lines = []
    for name in QUANTUM_SYSTEMS:
        mine = [
            pair
            for task, summary in done.items()
            for pair in summary["pairs"]
            if (pair["first"], pair["second"]) == (name, best[task])
        ]
        lines.append((name, "the best classical method of the task", mine))
    for first, second in (*OWN_CONTROLS, (CROSS, QUANTUM), (ENTANGLED, QUANTUM)):
        mine = [pair for pair in pairs if (pair["first"], pair["second"]) == (first, second)]
        lines.append((first, SYSTEMS[second], mine))
    header = ["system", "against", "tasks", *OUTCOMES.values(), "ahead in the mean"]
    return markdown(header, [[SYSTEMS[name], other, *_counted(mine)] for name, other, mine in lines])


def _reach(done: Mapping[str, Mapping[str, Any]], turned: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for task in [task for task in done if task in turned]:
        half, whole = ({row["method"]: row for row in found[task]["methods"]} for found in (done, turned))
        cells = [with_ends(found[name], "f1") if name in found else "–" for name in QUANTUM_SYSTEMS
                 for found in (half, whole)]  # fmt: skip
        rows.append([TASKS[task][0], *cells])
    names = (f"{SYSTEMS[name]}, {reach}" for name in QUANTUM_SYSTEMS for reach in ("±π/2", "±π"))
    return markdown(["task", *names], rows)


def _counted(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    outcomes = [sum(pair["outcome"] == name for pair in pairs) for name in OUTCOMES]
    return [str(value) for value in (len(pairs), *outcomes, sum(pair["difference"] > 0 for pair in pairs))]


def _task(task: str, summary: Mapping[str, Any]) -> str:
    title, _ = TASKS[task]
    known = list(summary["methods"])
    main = [row for row in known if row["method"] not in (*CROSS_ABLATION, *ENTANGLED_ABLATION)]
    main += [row for row in known if row["method"] in (CROSS, ENTANGLED)]
    blocks = [
        f"## {title}",
        ONE_MODALITY if _is_alone(summary["pairs"]) else "",
        _table(main),
        f"Cross-attention, with parts left out or turned around:\n\n{_table(_of(known, CROSS_ABLATION))}",
        f"Feature entanglement, with parts left out:\n\n{_table(_of(known, ENTANGLED_ABLATION))}",
        f"Paired over the seeds, adjusted by Holm's method:\n\n{_pairs(summary['pairs'])}",
    ]
    if skipped := summary.get("skipped"):
        blocks.append("\n".join(f"- Not here: {SYSTEMS[row['method']]}. {row['reason']}" for row in skipped))
    return "\n\n".join(block for block in blocks if block)


def _is_alone(pairs: Iterable[Mapping[str, Any]]) -> bool:
    """Whether joining changes nothing at all, because there is one modality."""
    names = ENTANGLED, "entanglement_none"
    found = [pair for pair in pairs if (pair["first"], pair["second"]) == names]
    return bool(found) and all(pair["difference_low"] == 0 == pair["difference_high"] for pair in found)


def _of(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [row for row in rows if row["method"] in names]


def _table(rows: Iterable[dict[str, Any]]) -> str:
    header = ["method", "circuit", "macro F1", "AUC", "parameters", "seconds a seed"]
    return markdown(
        header,
        (
            [
                SYSTEMS[row["method"]],
                "yes" if row["method"] in WITH_CIRCUIT else "no",
                with_ends(row, "f1"),
                number(row.get("auc", math.nan)),
                str(row["n_parameters"]),
                f"{row['seconds']:.1f}",
            ]
            for row in rows
        ),
    )


def _pairs(pairs: Iterable[Mapping[str, Any]]) -> str:
    header = ["first", "second", "difference", "95 %", "higher in seeds", "p adjusted", "first is"]
    return markdown(
        header,
        (
            [
                SYSTEMS[pair["first"]],
                SYSTEMS[pair["second"]],
                number(pair["difference"]),
                ends(pair["difference_low"], pair["difference_high"]),
                f"{pair['n_higher']} of {pair['n_seeds']}",
                p_value(math.nan if pair["p_adjusted"] is None else pair["p_adjusted"]),
                OUTCOMES[pair["outcome"]],
            ]
            for pair in pairs
        ),
    )


def _absent(records: Mapping[str, Record]) -> str:
    lines = []
    for task, (title, changes) in TASKS.items():
        if task not in records:
            why = "not computed" if is_here(changes["dataset"]) else "its data are not here"
            lines.append(f"- {title}: {why}.")
        elif not records[task].ok:
            lines.append(f"- {title}: failed. {records[task].error}")
    return "## Left out\n\n" + "\n".join(lines) if lines else ""
