"""Pictures of the systems comparison show the numbers that they are given."""

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments.systems_look import cost_table
from qfl_explore.plots import systems as plots

SUMMARY = {
    "methods": [
        {"method": name, "f1": f1, "f1_low": f1 - 0.02, "f1_high": f1 + 0.02}
        for name, f1 in (("mlp", 0.9), ("cross_attention", 0.8), ("entanglement_none", 0.7), ("quantum", 0.85))
    ]
}
TABLE = pd.DataFrame(
    [
        {"seed": seed, "method": row["method"], "f1": row["f1"] + 0.01 * seed}
        for seed in (0, 1)
        for row in SUMMARY["methods"]
    ]
)
PARTS = pd.DataFrame({"part": ["constant", "left", "product", "joint term"], "value": [0.1, -0.4, 0.2, 0.5]})
ATTENTION = pd.DataFrame({"query": list("aabb"), "token": list("uvuv"), "weight": [0.2, 0.8, 0.5, 0.5]})
COSTS = cost_table(largest=6)


def test_every_method_has_a_row_in_its_groups_look_and_the_paper_a_line():
    columns = plots.score_columns(TABLE, SUMMARY, 0.95)
    assert plots.score_rows(SUMMARY)[0] == "quantum"
    np.testing.assert_allclose(columns["quantum"][0], [0.85, 0.86])
    np.testing.assert_allclose(columns["mean"][1], [0, 1, 2, 3])
    assert [len(columns[name][0]) for name in plots.GROUPS] == [2, 2, 2, 2]
    assert columns["paper"][0] == [0.95, 0.95]
    assert "paper" not in plots.score_columns(TABLE, SUMMARY)
    assert plots.group_of("cross_dense_tokens") == plots.group_of("linear") == "classical"
    low, high = plots.score_span(columns)
    assert low < 0.7 and high > 0.95


def test_the_parts_of_a_decision_are_bars_that_add_up():
    columns = plots.one_columns(PARTS)
    np.testing.assert_allclose(columns["sum"][2], [0.4])
    np.testing.assert_allclose(columns["joint"][2], [0.5])
    np.testing.assert_allclose(columns["parts"][2], [0.1, -0.4, 0.2])


def test_attention_is_a_map_with_its_numbers():
    columns, tokens, queries = plots.attention_columns(ATTENTION)
    assert (tokens, queries) == (["u", "v"], ["a", "b"])
    np.testing.assert_allclose(columns["weights"][4], [0.2, 0.8, 0.5, 0.5])
    np.testing.assert_allclose(columns["weights"][1], [0.5, 0.5, -0.5, -0.5])
    assert sorted([*columns["pale"][2], *columns["deep"][2]]) == ["0.20", "0.50", "0.50", "0.80"]


def test_cost_is_counted_up_to_the_largest_register():
    table = cost_table(largest=12)
    assert list(table["n_modalities"]) == list(range(2, 13))
    assert table["tensor"].iloc[-1] == 2**12
    assert table["full"].iloc[-1] > 2 * table["two_qubit_gates"].iloc[-1]


@pytest.mark.parametrize(
    ("static", "live", "put"),
    [
        (lambda: plots.scores(TABLE, SUMMARY, 0.95), plots.live_scores, lambda f: plots.put_scores(f, TABLE, SUMMARY)),
        (lambda: plots.attention(ATTENTION, "who"), plots.live_attention, lambda f: plots.put_attention(f, ATTENTION)),
        (lambda: plots.one_decision(PARTS), plots.live_one, lambda f: plots.put_one(f, PARTS)),
        (
            lambda: plots.part_sizes(PARTS.assign(mean=0.2, low=0.1, high=0.3)),
            plots.live_sizes,
            lambda f: plots.put_sizes(f, PARTS.assign(mean=0.2, low=0.1, high=0.3)),
        ),
        (
            lambda: plots.cost(cost_table(largest=6)),
            plots.live_cost,
            lambda f: plots.put_cost(f, cost_table(largest=6)),
        ),
    ],
)
def test_every_picture_is_drawn_static_and_live(static, live, put):
    import holoviews as hv

    hv.renderer("bokeh").get_plot(static())
    figure = live()
    put(figure)
    figure.set_dark(True)
    assert all(axis.axis_label for axis in figure.figure.axis)
