"""The words of the page Measurement bases: headline, table, snippet, what it does not show. Pure functions."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qfl_explore.dashboards.parts import look
from qfl_explore.dashboards.parts.wording import grouped, number
from qfl_explore.dashboards.share.code import TABLES, config_lines

if TYPE_CHECKING:
    import pandas as pd

    from qfl_explore.experiments.measurement_bases import Progress
    from qfl_explore.experiments.measurement_bases_config import MeasurementConfig

ABOUT = """
**Paper** (arXiv:2510.06938): the layer is read with *random Pauli-plane observables*, called informationally
complete. The exact definition is not known to us.

**Our construction**: everything else here. Our reading of "random Pauli plane": observable k sits on qubit k mod n
and is cos α · P + sin α · P′ with a random plane (P, P′) and angle α, drawn once and fixed for training. In this
reading K observables have rank min(K, 3n) and are **never** informationally complete for two qubits or more. A
product of plane directions on *all* qubits reaches rank 3ⁿ; on *random subsets* of the qubits, with enough of them,
4ⁿ − 1: complete. Notebook 04 shows all three.

**How it is done.** Every basis starts from the same weights, gets three learning rates, and the one with the lowest
validation loss meets the test set. A seed draws target (or split), samples, start and planes. "Readout only" leaves
the circuit at its random weights. Intervals: Student t over seeds, 95 %; repeated splits of the breast cancer data
share samples, which widens theirs. The verdict holds for all comparisons together (Bonferroni). Error bars of
estimates: Wilson (bit strings); normal with the exact variance (3^w − ⟨O⟩²)/T (shadows); the median of means pays
π/2 of that variance, and gains only against rare outliers.

**What it does not show.** The readouts differ in size (the table has the parameters), so "more observables" also
means "more parameters". The circuit's angles are trained with exact values; only the readout can be fitted to
sampled ones (all readouts get the same three penalties). Repetitions are counted for one circuit, without noise of
a device and without the time to switch bases. Breast cancer enters through fixed principal components (scaled by
tanh to angles), not through trained encoders as on the page Real data, so scores are not those.
"""
TABLE_STYLE = (
    look.TABLE_STYLE
    + """
@media (max-width: 1200px) { table { font-size: calc(12px * var(--qfl-scale, 1)); } }
th, td { padding: 4px min(6px, 0.5vw); }
"""
)
_SCORE = {"polynomial": "R²", "breast_cancer": "accuracy"}


def headline(
    summary: Mapping[str, Any],
    config: MeasurementConfig,
    repetitions: int,
    readout: str,
    sampled_pairs: list[dict[str, Any]] | None = None,
) -> str:
    """What the seeds so far say: exact values, differences, the price of finite repetitions, the classical rival."""
    exact = {
        row["basis"]: row for row in summary["rows"] if row["model"] == "trained" and math.isnan(row["repetitions"])
    }
    plane = exact.get("random_pauli_plane")
    if plane is None:
        return ""
    n_seeds, planned, score = plane["n_seeds"], len(config.seeds), _SCORE[config.task]
    start = config.seeds[0]
    count = f"{n_seeds} of {planned}" if n_seeds < planned else f"all {planned}"
    after = f"After {count} seeds (from {start} on)"
    text = f"{after}, with exact expectation values, the random plane has test {score} {_with_ends(plane)}. "
    text += _differences(summary["paired"], n_seeds)
    text += _sampled(summary, repetitions, readout)
    text += _differences(sampled_pairs or [], n_seeds) if n_seeds > 2 else ""
    best = next((row for row in summary["rows"] if row["basis"] == summary["best_classical"]), None)
    if best is not None:
        text += f"Best classical ({_controls()[best['basis']]}): {number(best['mean'])}."
    return text


def _differences(paired: list[dict[str, Any]], n_seeds: int) -> str:
    if not paired:
        return ""
    if n_seeds < 3:
        return "One or two seeds say nothing about differences. "
    words = {"better": "Above", "worse": "Below"}
    told = [row for row in paired if row["outcome"] != "undecided"]
    if not told:
        return "No other basis can be told apart from the random plane yet. "
    return "".join(
        f"{words[row['outcome']]} the random plane: {_name(row['basis'])}, by {number(abs(row['mean']))} "
        f"(difference {number(row['low'])} to {number(row['high'])}). "
        for row in told
    )


def _sampled(summary: Mapping[str, Any], repetitions: int, readout: str) -> str:
    rows = [row for row in summary["rows"] if (row["repetitions"], row["model"]) == (repetitions, readout)]
    if not rows:
        return ""
    listed = ", ".join(f"{_name(row['basis'])} {number(row['mean'])}" for row in rows)
    how = "a readout fitted to such values" if readout == "refitted" else "the readout as trained on exact values"
    return f"With T = {grouped(repetitions)} repetitions of each circuit and {how}: {listed}. "


def table_html(
    facts: pd.DataFrame, summary: Mapping[str, Any], config: MeasurementConfig, repetitions: int, readout: str
) -> str:
    """A row a basis: what its observables span, what they cost, what was learned."""
    score = _SCORE[config.task]
    heads = (
        "Basis",
        "K",
        "Rank of the set, of 4ⁿ − 1",
        "Functions: now / by training / reachable",
        "Effective rank",
        "Condition number",
        "Settings",
        "Repetitions for ± 0.05: bit strings / shadows",
        "Parameters",
        f"Test {score}, exact",
        f"Test {score}, T = {grouped(repetitions)}",
    )
    body = "".join(f"<tr>{_line(row, summary, repetitions, readout)}</tr>" for row in facts.to_dict("records"))
    caption = (
        "Effective rank and condition number at random weights (10 draws; mean with 95 % interval, geometric mean). "
        "Functions: how many independent ones a readout combines, at one setting of the weights and at all of them. "
        "Repetitions: every standard error 0.05 at most, worst case. Scores: mean with 95 % interval."
    )
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<p>{caption}</p><div class="wide" tabindex="0">{table}</div>'


def _line(row: Mapping[str, Any], summary: Mapping[str, Any], repetitions: int, readout: str) -> str:
    mine = [r for r in summary["rows"] if r["basis"] == row["basis"]]
    exact = next((r for r in mine if r["model"] == "trained" and math.isnan(r["repetitions"])), None)
    sampled = next((r for r in mine if (r["model"], r["repetitions"]) == (readout, repetitions)), None)
    union = row["function_union"]
    unknown = union is None or union != union
    complete = " (complete)" if row["complete"] else ""
    effective = "{effective_rank:.1f} <small>({effective_rank_low:.1f} to {effective_rank_high:.1f})</small>"
    cells = (
        str(row["n_observables"]),
        f"{row['rank_of_set']} of {row['needed_rank']}{complete}",
        f"{row['function_rank']} / {'–' if unknown else int(union)} / {row['n_reachable']}",
        effective.format(**row),
        f"{10 ** row['log10_condition']:.2g}",
        str(row["n_settings"]),
        f"{grouped(row['repetitions_grouped'])} / {grouped(row['repetitions_shadows'])}",
        "–" if exact is None else str(exact["n_parameters"]),
        "–" if exact is None else _cell(exact),
        "–" if sampled is None else _cell(sampled),
    )
    name = html.escape(_name(row["basis"]))
    return f'<th scope="row">{name}</th>' + "".join(f"<td>{cell}</td>" for cell in cells)


def _cell(row: Mapping[str, Any]) -> str:
    if math.isnan(row["low"]):
        return number(row["mean"])
    return f"{number(row['mean'])} <small>({number(row['low'])} to {number(row['high'])})</small>"


def _with_ends(row: Mapping[str, Any]) -> str:
    if math.isnan(row["low"]):
        return number(row["mean"])
    return f"{number(row['mean'])} (95 % interval {number(row['low'])} to {number(row['high'])})"


def reading_note(table: pd.DataFrame, n_shown: int) -> str:
    """Under the error bars: what was read, and how many intervals hold the exact value."""
    total = int(table["repetitions"].iloc[0])
    held = table.groupby("method", sort=False)["covered"].agg(["sum", "size"])
    words = {"grouped": "bit strings", "shadows": "shadows, mean", "shadows_median": "shadows, median"}
    shares = ", ".join(f"{words[m]} {int(row['sum'])} of {int(row['size'])}" for m, row in held.iterrows())
    promise = float(table["guaranteed_error"].max())
    n_all, n_settings = int(held["size"].iloc[0]), int(table["n_settings"].iloc[0])
    few = f"{n_shown} of {n_all} observables are drawn. " if n_shown < n_all else ""
    return (
        f"{few}One state (seed {int(table['seed'].iloc[0])}), T = {grouped(total)} repetitions: bit strings in "
        f"{n_settings} setting{'s' if n_settings > 1 else ''}, or one random Pauli basis a repetition. "
        f"Exact value inside the 95 % error bar: {shares}. "
        f"The theorem of shadows promises only ± {promise:.2g} for all at once."
    )


def status(item: Progress | None, config: MeasurementConfig) -> str:
    """What the run is busy with."""
    if item is None:
        return ""
    where = f"seed {config.seeds.index(item.seed) + 1} of {len(config.seeds)} · {_name(item.basis)}"
    if item.stage != "training":
        return where
    rate = f"rate {config.learning_rates[item.trial]:g} ({item.trial + 1} of {config.n_trials})"
    return f"{where} · {rate} · step {item.step} of {config.n_steps}"


def snippet(config: MeasurementConfig, basis: str, repetitions: int) -> str:
    """Python source that repeats what the page shows."""
    package = "qfl_explore.experiments.measurement_bases"
    return "\n".join(
        [
            "import pandas as pd",
            "",
            f"from {package} import MeasurementConfig, run",
            f"from {package}_features import feature_table",
            f"from {package}_repetitions import estimates",
            "",
            *config_lines(config),
            "facts = feature_table(config)  # ranks, conditioning, settings and repetitions of every basis",
            f"errors = estimates(config, {basis!r}, {repetitions})  # one state, three estimators",
            "result = run(config)  # ten seconds or more",
            "print(result.table)",
            *TABLES,
        ]
    )


def _name(base: str) -> str:
    from qfl_explore.experiments.measurement_bases_config import BASES

    return BASES.get(base) or _controls()[base]


def _controls() -> dict[str, str]:
    from qfl_explore.experiments.measurement_bases import CONTROLS

    return CONTROLS
