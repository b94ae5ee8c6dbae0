"""What the page Real data says, in words. Pure functions, so that the sentences can be tested."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts import look
from qfl_explore.dashboards.share.code import changed, config_lines

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.datasets import MultimodalData
    from qfl_explore.experiments.multimodal import MultimodalConfig, Step
    from qfl_explore.experiments.multimodal_curves import Band

INTRO = (
    "Does fusing modalities in a quantum circuit help on a real task? All methods have the same data and number "
    "of trials; all fusions the same encoders, epochs and at least the quantum model's parameters. Linear models, "
    "boosting and the MLP see the measures as they are."
)
SYNTHETIC = "Synthetic: these numbers were computed, not measured. A score here says nothing about the world."
NAMES = {"auc": "AUC", "f1": "macro F1", "accuracy": "accuracy", "mae": "mean absolute error"}
ABOUT = """
**What is the paper's.** The chain encoders → layer → head, the focal loss, early stopping and the question itself:
arXiv:2510.06938. **What is ours** ("our construction"): data sets and splits where the paper names none, the encoders,
the sizes, the tuning, the controls of matched size, the intervals and tests. The paper's own settings are not known to
us, so no number here confirms or refutes one of the paper's.

- Each method tries the same number of settings on each seed. The one with the lowest loss on the validation part is
  kept, and only that one meets the test part, once.
- Dots are seeds, diamonds are means. Dark bars are Student's 95 % intervals over seeds, widened where splits share
  samples (Nadeau and Bengio 2003). Broad pale bars are 95 % intervals over resampled test samples (bootstrap).
- P-values of the paired tests are adjusted by Holm's method over all classical methods that are shown. "Best
  classical" is picked by the same test scores, which flatters that method a little.
- Circuits of these sizes are simulated on an ordinary computer. Nothing here is a quantum advantage.
"""
NOTES = {
    "training": "Loss against the epoch in the trial that was kept: validation solid, training dashed, mean and 95 % "
    "band over seeds; where a seed stopped early, it counts on with the loss of the weights that were kept, so a line "
    "can step there; the thin line is the trial of now, the dotted one the quantum layer's validation loss.",
    "scores": "Diamonds are means over seeds; dark bars 95 % intervals over seeds; broad pale bars 95 % intervals over "
    "resampled test samples, drawn when the study is finished. An arrow at the edge: the dark bar goes on beyond it.",
    "curves": "Means over seeds with 95 % bands over {n_draws} resamplings of the test samples (seed 0), drawn for the "
    "quantum layer and the best classical method. Where splits share samples, bands are somewhat too narrow.",
    "ablation": "One setting is varied, all others stay; the same methods, seeds and epochs as in the study.",
    "collapse": "Median and quartiles of low-rank fusion's products before any training, 200 drawn models for every M "
    "(seed 0); fine dots are the closed form of the mean logarithm. The reference start is that of the authors' "
    "published code; the other two are ours. A method that loses because its products are 0 at the start has not "
    "lost for want of expressivity: the study trains both starts.",
}


def number(value: float, digits: int = 3) -> str:
    """With a true minus sign; a dash for what is not known."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """With its sign."""
    return ("+" if value > 0 else "") + number(value, digits)


def p_word(value: float) -> str:
    """A p-value."""
    return "p is not known" if math.isnan(value) else "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


#: Outcome against the best classical method -> how the headline begins.
OUTCOMES = {
    "wins": "The quantum layer wins here: ",
    "loses": "The quantum layer loses here: ",
    "undecided": "Undecided here: ",
}


def headline(summary: Mapping[str, Any], config: MultimodalConfig, title: str, synthetic: bool, unit: str = "") -> str:
    """Who is ahead and how sure that is; where the quantum layer loses, that comes first.

    Args:
        summary: of a `MultimodalResult`.
        config: of the study.
        title: of the data set.
        synthetic: whether the data were computed.
        unit: of an error.
    """
    rows = {row["method"]: row for row in summary["methods"]}
    pair = next((row for row in summary["paired"] if row["method"] == summary["best_classical"]), None)
    if "quantum" not in rows or pair is None:
        return ""
    n, primary, best = pair["n_seeds"], summary["primary"], rows[summary["best_classical"]]
    count = f"over all {n} seeds" if n == len(config.seeds) else f"after {n} of {len(config.seeds)} seeds"
    if n == 1:
        count = "on one seed" if len(config.seeds) == 1 else count
    of = f" {unit}" if unit and primary == "mae" else ""
    ours = rows["quantum"][primary]
    scores = (
        f"{count} on {title}{' (synthetic)' if synthetic else ''}, test {NAMES[primary]} {number(ours)}{of} for the "
        f"quantum layer ({_parameters(rows['quantum'])}) and {number(ours - pair['difference'])}{of} for the best "
        f"classical method, {best['title']} ({_parameters(best)})"
    )
    if n < 2:
        return f"{scores[0].upper()}{scores[1:]}. One seed says nothing about the difference."
    low, high = pair["difference_low"], pair["difference_high"]
    sure = (
        f"difference {signed(pair['difference'])}{of}, 95 % interval {signed(low)} to {signed(high)}, "
        f"{p_word(pair['p_adjusted'])} after Holm's correction"
    )
    shared = " All seeds share one official test part." if summary["same_test_part"] else ""
    return f"{OUTCOMES[pair['outcome']]}{scores}: {sure}.{_tally(summary['paired'])}{shared}"


def _tally(pairs: Sequence[Mapping[str, Any]]) -> str:
    """How often the quantum layer wins and loses against all that took part."""
    if len(pairs) < 2:
        return ""
    wins, losses, open_ = (sum(row["outcome"] == word for row in pairs) for word in OUTCOMES)
    return f" Against all {len(pairs)} classical methods: {wins} won, {losses} lost, {open_} undecided."


def _parameters(row: Mapping[str, Any]) -> str:
    count = row["n_parameters"]
    return f"{count:,} parameter{'' if count == 1 else 's'}"


def status(step: Step | None, config: MultimodalConfig) -> str:
    """Where a study is."""
    from qfl_explore.experiments.multimodal_config import METHODS

    if step is None:
        return ""
    if step.stage == "loading":
        return "loading TensorFlow, a few seconds once per server"
    place = f"seed {config.seeds.index(step.seed) + 1} of {len(config.seeds)} · {METHODS[step.method]}"
    if step.stage == "building":
        return f"{place} · building"
    if step.stage == "skipped":
        return f"{place} · cannot take part"
    settings = config.settings_of(step.method)
    word = {"linear": "C", "persistence": "setting"}.get(step.method, "rate")
    tried = f"{word} {step.setting:g} ({step.trial + 1} of {len(settings)})"
    return f"{place} · {tried}" + (f" · epoch {step.epoch}" if step.epoch > 0 else "")


def facts(data: MultimodalData) -> str:
    """A data set in one line: size, task, split, source, licence."""
    parts = ", ".join(f"{len(rows)} {part}" for part, rows in data.split.items())
    most = {"classification": "classes", "multilabel": "labels", "regression": "targets"}[data.task]
    line = f"{data.title}: {data.n_samples} samples ({parts}), {data.n_modalities} modalities, {data.n_classes} {most}."
    left = f" {len(data.problems)} records left out." if data.problems else ""
    return f"{line}{left} Source: {data.source}. Licence: {data.licence}."


TABLE_STYLE = (
    look.TABLE_STYLE
    + """
td.why { text-align: left; }
"""
)


def table_html(summary: Mapping[str, Any], unit: str = "") -> str:
    """Scores, parameters, seconds and paired tests of every method; those that cannot take part with their reason."""
    from qfl_explore.experiments.multimodal_config import METHODS

    rows = summary["methods"]
    metrics = [name for name in NAMES if any(name in row for row in rows)]
    minutes = sorted({row["minutes"] for row in summary.get("horizons", ())})
    ahead = {(row["method"], row["minutes"]): row["mae"] for row in summary.get("horizons", ())}
    heads = ["method"]
    heads += [
        f"test {NAMES[name]}" + (f" ({unit or 'unit of the target'})" if name == "mae" else "") for name in metrics
    ]
    heads += [f"MAE at {at} min" for at in minutes]
    heads += ["parameters", "seconds a seed", "quantum minus it", "p (Holm)", "the quantum layer"]
    pairs = {row["method"]: row for row in summary["paired"]}
    lines = []
    for row in reversed(rows):
        cells = [_ends(row, name) for name in metrics]
        cells += [number(ahead.get((row["method"], at), math.nan), 2) for at in minutes]
        cells += [f"{row['n_parameters']:,}", f"{row['seconds']:.1f}", *_pair(pairs.get(row["method"]))]
        lines.append(_line(row["title"], cells))
    for row in summary["skipped"]:
        why = html.escape(" ".join(row["reason"].split()))
        title = html.escape(METHODS[row["method"]])
        lines.append(
            f'<tr><th scope="row">{title}</th><td class="why" colspan="{len(heads) - 1}">not run: {why}</td></tr>'
        )
    seeds = max((row["n_seeds"] for row in rows), default=0)
    caption = f"Mean over {seeds} seed{'' if seeds == 1 else 's'} with 95 % interval; differences are paired by seed."
    if summary.get("same_test_part"):
        caption += " All seeds share one official test part: these intervals tell about the starts of training only."
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads)
    return (
        f'<div class="wide" tabindex="0"><table><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _line(title: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{html.escape(title)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _ends(row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        return "–"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return number(row[name]) + ("" if math.isnan(low) else f" <small>({number(low)} to {number(high)})</small>")


def _pair(row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return ["", "", ""]
    low, high = row["difference_low"], row["difference_high"]
    ends = "" if math.isnan(low) else f" <small>({signed(low)} to {signed(high)})</small>"
    adjusted = row["p_adjusted"]
    word = "one seed" if row["n_seeds"] < 2 else row["outcome"]
    p = "–" if math.isnan(adjusted) else "&lt; 0.001" if adjusted < 0.001 else f"{adjusted:.3f}"
    return [signed(row["difference"]) + ends, p, word]


def areas(bands: Mapping[str, Band], kind: str) -> str:
    """Areas under the curves with their intervals.

    Args:
        bands: by method.
        kind: ``roc`` or ``pr``.
    """
    from qfl_explore.plots.real_data import LOOKS

    word = "AUC" if kind == "roc" else "Average precision"
    found = [
        f"{LOOKS[method][3]} {number(band.area)} ({number(band.area_low)} to {number(band.area_high)})"
        for method, band in bands.items()
    ]
    return f"{word}: {'; '.join(found)}." if found else ""


def collapse_line(summary: Mapping[str, Any]) -> str:
    """What the measurement found at the largest M."""
    names = {"reference": "the reference start", "unit_variance": "mean square 1", "near_one": "start near 1"}
    said = []
    for row in summary["starts"]:
        zero = row["first_zero"]
        when = f"exact zeros from M = {zero} on" if zero else "no exact zero"
        said.append(f"{names[row['start']]}: median 10^{number(row['log10_product'], 1)}, {when}")
    sizes = f"D = {summary['feature_dim']}, R = {summary['rank']}, {summary['n_draws']} draws, seed {summary['seed']}"
    return f"At M = {summary['n_modalities']} ({sizes}): {'; '.join(said)}."


#: Setting -> what a sentence calls it.
SETTINGS = {"n_modalities": "M", "degree": "P", "n_train": "training samples", "measurement": "basis", "rank": "R"}


def ablation_line(table: pd.DataFrame, metric: str) -> str:
    """How far an ablation is, and who leads at its last value."""
    if not len(table):
        return ""
    last = table[table["value"] == table["value"].iloc[-1]]
    ordered = last.sort_values("score", ascending=metric == "mae")
    top, quantum = ordered.iloc[0], last[last["method"] == "quantum"]
    ours = f"; the quantum layer {number(float(quantum['score'].iloc[0]))}" if len(quantum) else ""
    from qfl_explore.experiments.multimodal_config import METHODS

    name, value = METHODS[str(top["method"])], str(top["value"]).replace("_", " ")
    lead = f"{number(float(top['score']))} ({name})"
    return f"At {SETTINGS[str(top['setting'])]} = {value}: best test {NAMES[metric]} {lead}{ours}."


def snippet(config: MultimodalConfig) -> str:
    """Python source that repeats the study."""
    lines = [
        "from qfl_explore.experiments.multimodal import MultimodalConfig, run",
        "",
        *config_lines(config),
        "result = run(config)      # a minute or more",
        "print(result.scores)      # one row for each seed and method",
        "print(result.summary())   # means, 95 % intervals, paired tests",
    ]
    return "\n".join([*lines, ""])


def ablation_snippet(config: MultimodalConfig, ablation: str) -> str:
    """Python source that repeats an ablation as a sweep."""
    base = changed(config)
    lines = [
        "from qfl_explore.experiments.multimodal_ablations import axes",
        "from qfl_explore.sweeps import Grid, run",
        "",
        f"base = {base!r}",
        f"vary = axes({ablation!r}, {config.dataset!r})",
        "base = {name: value for name, value in base.items() if name not in vary}",
        'table = run(Grid(experiment="multimodal", base=base, axes=vary))  # minutes; kept, so only once',
        'print(table.filter(regex="auc$|mae$"))  # one row a value, one column a method',
    ]
    return "\n".join([*lines, ""])
