"""The sentences and the table of the page Real data; pure functions."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qfl_explore.experiments.classification import ClassificationConfig, Progress

ABOUT = """
**The question.** 569 tumours are described by ten measures of their cell nuclei, each given as mean, standard error
and worst value: three modalities. Is the tumour benign or malignant? Four models answer.

- **Quantum Fusion Layer**: one dense layer a modality (the encoder) turns ten measures into D angles, the circuit
  fuses them, a linear head reads the observables. The chain, focal loss and early stopping follow arXiv:2510.06938;
  this encoder (dense, tanh · π) and this data set are our construction.
- **Same encoders, dense layer**: the circuit is replaced by a dense layer, all else is equal. The difference to the
  model above is what the circuit adds.
- **MLP on all measures**: one hidden layer on all 30 measures, no encoders.
- **Logistic regression**: 30 weights and a bias.

The two classical networks get at least as many parameters as the quantum model.

**How it is done.** A seed decides the split (60 % training, 20 % validation, 20 % test, equal class shares), the
initial weights and the order of the samples. Every model gets three trials a seed: learning rates 0.01, 0.03 and 0.1
for the networks, C = 0.1, 1 and 10 for logistic regression. The trial with the lowest focal loss on the validation
part is kept, and only that one meets the test part. Standardisation uses the training part only. The random
measurement is the same for all seeds. The networks minimise the focal loss, logistic regression the cross-entropy.

**Intervals** are 95 % t-intervals over the seeds, widened because the splits share samples (Nadeau and Bengio 2003).
One test part has 113 tumours, so a single tumour is 0.9 points of accuracy. The best classical model is named by its
test accuracy, which favours the classical side a little.

**What this shows:** a small circuit trains end to end with its encoders, and whether it then does better or worse
than simple classical models of its size. **What it does not show:** any quantum advantage. The data set is easy (a
linear model is near the top), its modalities describe the same nuclei, the encoders can do much of the work, and
the circuit is simulated, without noise or sampling. It is no medical advice.

Data: W. Wolberg, O. Mangasarian, N. Street and W. Street, UCI Machine Learning Repository, doi:10.24432/C5DW2B,
CC BY 4.0, as shipped with scikit-learn.
"""


def status(item: Progress | None, config: ClassificationConfig) -> str:
    """Where the study is, for the line beside the buttons."""
    from qfl_explore.experiments.classification import MODELS

    if item is None:
        return ""
    if item.stage == "loading":
        return "loading TensorFlow (5 to 20 seconds, once)"
    where = f"seed {config.seeds.index(item.seed) + 1} of {len(config.seeds)} · {MODELS[item.model]}"
    if item.stage == "building":
        return f"{where} · building the model"
    if item.stage == "tested":
        return f"{where} · tested"
    setting = "C" if item.model == "logistic_regression" else "rate"
    text = f"{where} · {setting} {item.setting:g} ({item.trial + 1} of {config.n_trials})"
    return text if item.model == "logistic_regression" else f"{text} · epoch {item.epoch}"


def verdict(summary: Mapping[str, Any], n_planned: int) -> str:
    """Who is ahead in accuracy, with the interval, and whether these seeds can tell."""
    models = {row["model"]: row for row in summary["models"]}
    best = summary["best_classical"]
    row = next((r for r in summary["paired"] if r["model"] == best and r["metric"] == "accuracy"), None)
    if row is None:
        return ""
    n_seeds = row["n_seeds"]
    after = f"After {n_seeds} of {n_planned} seeds" if n_seeds < n_planned else f"After all {n_seeds} seeds"
    if n_planned == 1:
        after = "After one seed"
    quantum = models["quantum_fusion"]
    text = (
        f"{after} the quantum layer has {percent(quantum['accuracy'])} test accuracy, and the best classical model "
        f"({models[best]['title']}) {percent(models[best]['accuracy'])}. "
    )
    if n_seeds == 1:
        return text + "One seed says nothing about the difference."
    low, high = (points(row[f"difference_{end}"]) for end in ("low", "high"))
    text += f"Quantum minus classical is {points(row['difference'])} points, 95 % interval {low} to {high}: "
    return (
        text
        + {
            "wins": "the quantum layer wins here.",
            "loses": "the quantum layer loses here.",
            "undecided": "these seeds show no difference either way.",
        }[row["outcome"]]
    )


def percent(value: float) -> str:
    """A share as a percentage with one digit."""
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return "–" if math.isnan(value) else f"{100 * value:+.1f}".replace("-", "−")


def table_html(summary: Mapping[str, Any]) -> str:
    """The summary as an HTML table: a row a model."""
    heads = ("Model", "Parameters", "Accuracy", "AUC", "Macro F1", "Quantum − this (points)", "Training a seed")
    paired = {row["model"]: row for row in summary["paired"] if row["metric"] == "accuracy"}
    lines = ["".join(f'<th scope="col">{head}</th>' for head in heads)]
    for row in summary["models"]:
        cells = [str(row["n_parameters"]), *(_with_ends(row, metric) for metric in ("accuracy", "auc", "f1"))]
        cells += [_difference(paired.get(row["model"])), f"{row['seconds']:.1f} s"]
        name = f'<th scope="row">{html.escape(row["title"])}</th>'
        lines.append(name + "".join(f"<td>{cell}</td>" for cell in cells))
    body = "".join(f"<tr>{line}</tr>" for line in lines[1:])
    caption = "Test scores: mean over the seeds and 95 % interval"
    return f"<table><caption>{caption}</caption><thead><tr>{lines[0]}</tr></thead><tbody>{body}</tbody></table>"


def _with_ends(row: Mapping[str, Any], metric: str) -> str:
    mean, low, high = row[metric], row[f"{metric}_low"], row[f"{metric}_high"]
    if math.isnan(low):
        return percent(mean)
    return f"{percent(mean)} <small>({100 * low:.1f} to {100 * high:.1f})</small>"


def _difference(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    text = points(row["difference"])
    if math.isnan(row["difference_low"]):
        return text
    return f"{text} <small>({points(row['difference_low'])} to {points(row['difference_high'])})</small>"


def snippet(config: ClassificationConfig) -> str:
    """Python source that repeats the study."""
    changed = [
        f"    {field.name}={getattr(config, field.name)!r},"
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != field.default
    ]
    call = ["config = ClassificationConfig(", *changed, ")"] if changed else ["config = ClassificationConfig()"]
    return "\n".join(
        [
            "from qfl_explore.experiments.classification import ClassificationConfig, run",
            "",
            *call,
            "result = run(config)      # a quarter of a minute or more",
            "print(result.scores)      # one row for each seed and model",
            "print(result.summary())   # means, 95 % intervals, paired differences",
            "",
        ]
    )
