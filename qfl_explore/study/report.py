"""The report: from what the store has to Markdown, pictures and a table of all scores."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from qfl_explore.baselines.starts import STARTS
from qfl_explore.datasets import DATASETS
from qfl_explore.experiments.multimodal_config import METHODS
from qfl_explore.results import Record, ResultStore
from qfl_explore.study import texts, words
from qfl_explore.study.compute import collapse_keys
from qfl_explore.study.figures import draw
from qfl_explore.study.gather import Point, gathered, records_of, versions
from qfl_explore.study.plan import SECTIONS, Part
from qfl_explore.study.tables import ablation_table, gradient_table, horizon_table, main_table, markdown
from qfl_explore.sweeps import duration

#: Columns of the table of all scores.
SCORES = ("auc", "f1", "accuracy", "mae", "mae_15", "mae_30", "mae_60")
KEPT = ("seed", "method", *SCORES, "setting", "n_parameters", "n_epochs", "seconds", "n_train", "n_test")


def write(out: Path, planned: Sequence[Part], store: ResultStore, preset: str, words_given: Sequence[str]) -> None:
    """Writes the report, and pictures and scores into a folder of its name beside it.

    Args:
        out: the Markdown file.
        planned: all parts of the preset; those without results are listed with a reason.
        store: what was kept.
        preset: of the plan.
        words_given: of the command.
    """
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    found = {part.name: gathered(part, store) for part in planned}
    collapse = collapse_table(store, preset == "quick")
    draw(folder, planned, found, collapse)
    scores_of(planned, found).to_csv(folder / "scores.csv", index=False, float_format="%.5g")
    records = list({record.key: record for part in planned for record in records_of(part, store)}.values())
    text = _text(planned, found, collapse, records, preset, folder.name, _command(words_given))
    out.write_text(text, encoding="utf-8")


def collapse_table(store: ResultStore, quick: bool) -> pd.DataFrame:
    """How low-rank products vanish, of both widths; empty where it is not computed."""
    pairs = [(config, store.get(key)) for config, key in collapse_keys(quick)]
    tables = [record.table.assign(n_outputs=config.n_outputs) for config, record in pairs if record and record.ok]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def scores_of(planned: Sequence[Part], found: Mapping[str, Sequence[Point]]) -> pd.DataFrame:
    """One row a table, setting, seed and method."""
    rows = []
    for part in planned:
        for point in found[part.name]:
            if point.n_seeds:
                mine = point.scores[[name for name in KEPT if name in point.scores]]
                rows.append(mine.assign(table=part.name, varied=json.dumps(point.values) if point.values else ""))
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["table", "varied", *KEPT])
    columns = ["table", "varied", *(name for name in KEPT if name in table)]
    return pd.DataFrame(table, columns=columns).dropna(axis=1, how="all")


def _command(given: Sequence[str]) -> str:
    """The command without folders of this machine."""
    hidden, kept, skip = {"--data": "DATA", "--store": "STORE", "--out": ""}, [], False
    for word in given:
        name, _, _ = word.partition("=")
        if skip:
            skip = False
        elif name in hidden:
            skip = "=" not in word
            kept += [name, hidden[name]] if hidden[name] else []
        elif word != "--report":
            kept.append(word)
    return " ".join(["qfl-explore study", *kept])


def _text(
    planned: Sequence[Part],
    found: Mapping[str, Sequence[Point]],
    collapse: pd.DataFrame,
    records: Sequence[Record],
    preset: str,
    folder: str,
    command: str,
) -> str:
    parts = [
        texts.INTRODUCTION.format(command=command, preset=texts.PRESET_NOTES[preset]),
        f"## What came out\n\n{words.headline(planned, found)}\n\n{words.overview(planned, found)}",
        f"![Quantum minus classical, by data set]({folder}/differences.svg)",
        f"{texts.HEAD_TO_HEAD}\n\n{words.head_to_head(planned, found)}",
        _conclusions(planned, found),
        texts.READING,
        *(_section(section, planned, found, folder) for section in SECTIONS),
        _collapse(collapse, planned, found, folder),
        texts.PUBLISHED,
        _how(planned, found, records, command),
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _conclusions(planned: Sequence[Part], found: Mapping[str, Sequence[Point]]) -> str:
    lines = words.conclusions(planned, found)
    return "## What we conclude, and what we cannot\n\n" + "\n".join(f"- {line}" for line in lines) + texts.CANNOT


def _section(section: str, planned: Sequence[Part], found: Mapping[str, Sequence[Point]], folder: str) -> str:
    mine = [part for part in planned if part.section == section]
    blocks = [_main(part, found[part.name][0]) if section == "main" else _ablation(part, found) for part in mine]
    blocks = [block for block in blocks if block]
    if not blocks:
        return ""
    pictures = {"main": "sizes", "modalities": "modalities", "few_shot": "few_shot", "size": "blocks"}
    picture = f"![{SECTIONS[section]}]({folder}/{pictures[section]}.svg)" if section in pictures else ""
    extra = words.effort(planned, found) if section == "effort" else ""
    return "\n\n".join(filter(None, (f"## {SECTIONS[section]}", texts.SECTIONS[section], picture, extra, *blocks)))


def _main(part: Part, point: Point) -> str:
    if not point.n_seeds:
        return ""
    about, n = point.about, point.about["parts"]
    shape = (
        f"{about['n_modalities']} modalities of {_range(about['n_measures'])} measures, D = {_dim(part)}, "
        f"{about['n_qubits']} qubits, {about['n_observables']} observables; {n['train']} training, "
        f"{n['validation']} validation and {n['test']} test samples; {_seeds(point)}. "
        f"Licence: {about['licence']}."
    )
    notes = " ".join(filter(None, (part.note, *about["notes"])))
    skipped = [f"- {METHODS[row['method']]} took no part: {row['reason']}" for row in about["skipped"]]
    skipped = [line for line in skipped if about["task"] == "regression" or "persistence" not in line]
    official = texts.OFFICIAL if point.summary.get("same_test_part") else ""
    gradients = f"<details><summary>Gradient norms at every step</summary>\n\n{gradient_table(point)}\n\n</details>"
    synthetic = "**Synthetic data.**" if about["synthetic"] else ""
    head = " ".join(filter(None, (synthetic, shape, notes, official)))
    blocks = (f"### {part.title}", head, main_table(point), horizon_table(point), "\n".join(skipped), gradients)
    return "\n\n".join(block for block in blocks if block)


def _ablation(part: Part, found: Mapping[str, Sequence[Point]]) -> str:
    points = [point for point in found[part.name] if point.n_seeds]
    if not points:
        return ""
    samples = f"{points[0].about['title']}: {points[0].about['parts']['test']} test samples."
    head = " ".join(filter(None, (f"D = {_dim(part)}.", part.note, samples)))
    if not part.axes:
        return "\n\n".join((f"### {part.title}", head, main_table(points[0])))
    lines = [f"- {line}" for line in words.about_ablation(part, points)]
    skipped = {row["reason"] for p in points for row in p.about["skipped"] if row["method"] != "persistence"}
    lines += [f"- Took no part: {reason}" for reason in sorted(skipped)]
    return "\n\n".join((f"### {SECTIONS[part.section]}: {part.title}", head, ablation_table(points), "\n".join(lines)))


def _collapse(table: pd.DataFrame, planned: Sequence[Part], found: Mapping[str, Sequence[Point]], folder: str) -> str:
    if table.empty:
        return ""
    rows = []
    for key, mine in table.groupby(["n_outputs", "start"], sort=False):
        width, start = key  # pyright: ignore[reportGeneralTypeIssues]
        of = mine.set_index("n_modalities")
        cells = [
            f"{of.loc[m, 'log10_product']:.1f} ({of.loc[m, 'share_zero']:.0%})" for m in (3, 12, 207) if m in of.index
        ]
        rows.append([STARTS[str(start)], f"{width}", *cells])
    header = ["start", "outputs o", "M = 3", "M = 12", "M = 207"]
    trained = "\n".join(f"- {line}" for line in words.low_rank(planned, found))
    n, seed = int(table["n_draws"].iloc[0]), int(table["seed"].iloc[0])
    said = texts.COLLAPSE.format(n_draws=n, seed=seed)
    return "\n\n".join((said, f"![Low-rank products]({folder}/collapse.svg)", markdown(header, rows), trained))


def _how(planned: Sequence[Part], found: Mapping[str, Sequence[Point]], records: Sequence[Record], command: str) -> str:
    done = [record for record in records if record.ok]
    seconds = sum(record.seconds for record in done)
    known = versions(done) | _keras_versions(found)
    lines = [f"- {name}: {', '.join(values)}" for name, values in known.items()]
    absent = []
    for part in planned:
        points = found[part.name]
        here = sum(point.n_seeds for point in points)
        wanted = sum(point.n_wanted for point in points)
        errors = [error for point in points for error in point.errors]
        if here < wanted:
            why = f" ({errors[0]})" if errors else ""
            absent.append(f"- {SECTIONS[part.section]}, {part.title}: {here} of {wanted} runs{why}")
    text = texts.HOW.format(
        command=command,
        n_runs=len(done),
        time=duration(seconds),
        date=datetime.date.today().isoformat(),
        sources="\n".join(f"- {line}" for line in _sources(planned, found)),
        versions="\n".join(lines),
    )
    return text + ("\n\nNot all that was planned is there:\n\n" + "\n".join(absent) if absent else "")


def _keras_versions(found: Mapping[str, Sequence[Point]]) -> dict[str, list[str]]:
    known: dict[str, set[str]] = {}
    for point in (point for points in found.values() for point in points):
        for name, version in point.about.get("versions", {}).items():
            known.setdefault(name, set()).add(version)
    return {name: sorted(values) for name, values in known.items()}


def _sources(planned: Sequence[Part], found: Mapping[str, Sequence[Point]]) -> list[str]:
    known: dict[str, str] = {}
    for part in planned:
        for point in found[part.name]:
            if point.about:
                known[DATASETS[part.dataset].title] = f"{point.about['source']} ({point.about['licence']})"
    return [f"{title}: {source}" for title, source in known.items()]


def _range(values: Sequence[int]) -> str:
    return f"{values[0]}" if len(set(values)) == 1 else ", ".join(map(str, values))


def _dim(part: Part) -> Any:
    return part.base.get("feature_dim", 2)


def _seeds(point: Point) -> str:
    return f"seeds {', '.join(map(str, sorted(point.scores['seed'].unique())))}"
