"""What an exported notebook draws of each page: cells of Python after the page's own snippet, and the honest notes.

A cell uses what the snippet leaves (``config``, ``result`` and the like), and the functions of `qfl_explore.plots`
that the page's own pictures come from.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

#: Page -> module and names of its notes; a name that holds a mapping is read at the part that is open.
_NOTES: dict[str, tuple[str, tuple[str, ...]]] = {
    "polynomial": ("polynomial.page", ("WHOSE",)),
    "circuit": ("circuit.qsim", ("NOTE",)),
    "real_data": ("real_data.text", ("ABOUT",)),
    "systems": ("systems.text", ("ABOUT",)),
    "gradient_variance": ("gradient_variance.text", ("NOT_SHOWN", "WHOSE")),
    "separation": ("separation.text", ("NOT_SHOWN", "WHOSE")),
    "measurement_bases": ("measurement_bases.text", ("ABOUT",)),
    "encoding": ("encoding.text", ("ABOUT",)),
    "noise": ("noise.text", ("ABOUT",)),
    "sweeps": ("sweeps.text", ("NOT_SHOWN", "KEPT", "WHOSE")),
}


def notes(page: str, state: Any) -> list[str]:
    """What the page says about what it shows and what it does not, as Markdown."""
    module, names = _NOTES[page]
    texts = importlib.import_module(f"qfl_explore.dashboards.{module}")
    found = [getattr(texts, name) for name in names]
    return [(one[state.part] if isinstance(one, dict) else one).strip() for one in found]


def cells(page: str, state: Any) -> list[str]:
    """Python cells that draw what the page shows with these settings.

    Args:
        page: name in the registry.
        state: its settings.
    """
    return _CELLS[page](state)


def _polynomial(state: Any) -> list[str]:
    n_axes = min(2, state.n_modalities * state.feature_dim) if state.target != "table" else 0
    learning = """\
from qfl_explore.plots import fit, story

task, final, table = result.problem, result.final, result.table
tested = table.dropna(subset="test_r2")
ceiling = ([0, config.n_steps], [task.ceiling.r2] * 2) if task.ceiling.r2 is not None else ([], [])
picture = fit.learning_curve(
    (table["step"], table["train_r2"]), (tested["step"], tested["test_r2"]), ceiling
)
show(story.framed(picture, f"{task.label}, P = {config.fusion.degree}", ylim=fit.R2_RANGE))"""
    one = """\
data = (task.x_train.ravel(), task.mean + task.std * task.y_train)
picture = fit.fit_curve(task.grid.axes[0], task.grid_target, final.prediction, data)
show(story.framed(picture, f"Test R² {final.test_r2:.3f}"))"""
    two = """\
values = (task.grid_target, final.prediction)  # over two of the features
show(story.fit_maps(task.grid.axes, *(value.reshape(task.grid.shape) for value in values)))"""
    return [learning, *([], [one], [two])[n_axes]]


def _circuit(state: Any) -> list[str]:
    charts = """\
from qfl_explore.dashboards.circuit.page import CHARTS, count_table
from qfl_explore.plots import story
from qfl_explore.plots.circuit import counts_plot

counts = count_table(config)
pictures = [story.framed(counts_plot(counts[name], label), width=520) for name, label in CHARTS.items()]
pn.Column(*map(show, pictures))"""
    drawing = """\
from cirq.contrib.svg import SVGCircuit

pn.pane.SVG(SVGCircuit(layer.circuit)._repr_svg_())"""
    return [drawing, charts] if state.degree * state.n_blocks <= 6 else [charts]


def _real_data(state: Any) -> list[str]:
    return [
        """\
from qfl_explore.experiments.multimodal_curves import learning_curves
from qfl_explore.plots import real_data, real_data_scores, story

summary = result.summary()
show(story.framed(real_data_scores.scores(result.scores, summary), "Test score of every method", 820, 420))""",
        """\
paired = [row for row in summary["paired"]] if summary.get("paired") else []
if paired:  # the quantum layer took part beside others
    picture = real_data_scores.differences(result.scores, summary)
    display(show(story.framed(picture, "The quantum layer against each, paired by seed", 820, 420)))
show(story.framed(real_data_scores.sizes(summary), "Score against the number of parameters", 820, 380))""",
        """\
curves = learning_curves(result)
show(real_data.learning_grid(curves)) if len(curves) else print("Nothing here is trained in epochs.")""",
    ]


def _systems(state: Any) -> list[str]:
    return [
        """\
from qfl_explore.experiments.systems_config import PAPER_F1
from qfl_explore.plots import story
from qfl_explore.plots import systems as plots

picture = plots.scores(result.scores, result.summary(), PAPER_F1.get(config.dataset))
show(story.framed(picture, "Macro F1 of every method", 820, 460))""",
        """\
from qfl_explore.experiments.systems_look import cost_table, mean_attention

for name, look in result.looks.items():
    if look.attention:
        table = mean_attention(look)
        table = table[table["direction"] == table["direction"].iloc[0]]
        display(show(story.framed(plots.attention(table), f"Attention: {plots.NAMES[name]}", 620, 400)))
show(story.framed(plots.cost(cost_table(config.entangled(2, 1))), "Feature entanglement: cost against modalities"))""",
    ]


def _gradient_variance(state: Any) -> list[str]:
    head = "from qfl_explore.plots import gradient_variance as plots\nfrom qfl_explore.plots import story\n\n"
    if state.view == "training":
        return [
            head
            + """\
picture = plots.layers_during_training(result.table)
show(story.framed(picture, "Gradient variance layer by layer", height=360))""",
            """\
losses = {"this run": result.table[result.table["layer"] == 0]}
show(story.framed(plots.losses(losses), "Loss, mean over the starts"))""",
        ]
    if state.view == "angles":
        return [
            head + 'show(story.framed(plots.angle_map(result.estimate.per_angle), "Angle by angle"))',
            'show(story.framed(plots.histogram(result.estimate), "Gradients of all angles and draws"))',
        ]
    return [
        head
        + """\
picture = plots.sweep(result.table, config.over, result.fits())
show(story.framed(picture, "Gradient variance, 95 % intervals", 760, 400))"""
    ]


def _separation(state: Any) -> list[str]:
    head = "from qfl_explore.plots import {module} as plots\nfrom qfl_explore.plots import story\n"
    learn = head.format(module="separation_learn")
    return {
        "queries": [
            head.format(module="separation")
            + '\nshow(story.framed(plots.ladder(result.table), "Success against queries", height=380))'
        ],
        "learning": [
            "from qfl_explore.experiments.separation_learn import means, references\n"
            + learn
            + """
picture = plots.learned(result.table, means(result.table), references(config))
show(story.framed(picture, "Success of what was learned", 760, 400))"""
        ],
        "rank": [
            "from qfl_explore.experiments.rank_wall import means\n"
            + learn
            + """\
from qfl_explore.theory.rank_wall import needed_rank

picture = plots.rank_wall(result.table, needed_rank(config.n_modalities))
show(story.framed(picture, "LMF: error against rank", legend_position="right"))""",
            'show(story.framed(plots.sizes(means(result.table)), "All models: error against size"))',
        ],
        "signal": [
            learn + '\nshow(story.framed(plots.response(result.table), "Response against the signal"))',
            'show(story.framed(plots.phase_stems(result.phases()), "Phases", height=240))',
        ],
    }[state.part]


def _measurement_bases(state: Any) -> list[str]:
    return [
        """\
from qfl_explore.experiments.measurement_bases_features import spectrum_table
from qfl_explore.plots import measurement_bases as plots
from qfl_explore.plots import measurement_bases_estimates as readings
from qfl_explore.plots import story

summary = result.summary()
show(story.framed(plots.scores(result.table, summary, config.task), "Exact expectation values", 680, 380))""",
        f"""\
picture = plots.repetitions(summary, config.task, {state.readout!r})
show(story.framed(picture, "Score against the number of repetitions", 680, 360))""",
        'show(story.framed(readings.estimates(errors), "Estimates of one state, 95 % error bars", 800))',
        """\
import pandas as pd

spectra = pd.concat([spectrum_table(config, base) for base in config.bases])
show(story.framed(plots.singular_values(spectra), "Feature map: singular values at random weights"))
facts""",
    ]


def _encoding(state: Any) -> list[str]:
    head = "from qfl_explore.plots import encoding as plots\nfrom qfl_explore.plots import story\n\n"
    parts = [
        head
        + f"""\
titles = {{"test": "Spoiled at test time only", "both": "Spoiled in training too"}}
pictures = [story.framed(plots.scores(result, {state.view!r}, when), titles[when], 760, 380) for when in titles]
pn.Column(*map(show, pictures))"""
    ]
    if state.view == "models":
        parts.append(
            'show(story.framed(plots.differences(result), "Quantum layer less the best classical model", 760))'
        )
    return parts


def _noise(state: Any) -> list[str]:
    return [
        """\
from qfl_explore.plots import noise as plots
from qfl_explore.plots import story

show(story.framed(plots.curve(line, config.task), "Through noise, exactly"))""",
        f"""\
summary = result.summary()
picture = plots.scores(summary, config, {state.shown_degree()})
show(story.framed(picture, "Against strength, 95 % intervals", 760, 380))""",
        'show(story.framed(plots.degrees(summary, config), "Every degree", 760, 380))',
    ]


def _sweeps(state: Any) -> list[str]:
    return ["show(picture)"]


_CELLS: dict[str, Callable[[Any], list[str]]] = {
    "polynomial": _polynomial,
    "circuit": _circuit,
    "real_data": _real_data,
    "systems": _systems,
    "gradient_variance": _gradient_variance,
    "separation": _separation,
    "measurement_bases": _measurement_bases,
    "encoding": _encoding,
    "noise": _noise,
    "sweeps": _sweeps,
}
#: Pages that a notebook can repeat.
DRAWN = tuple(_CELLS)
