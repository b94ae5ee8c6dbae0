"""Pictures of the separation study: the live figure shows what the notebook's picture shows."""

import numpy as np
import pytest

from qfl_explore.experiments import rank_wall, separation, separation_learn, signal_processing
from qfl_explore.plots import separation as plots
from qfl_explore.plots import separation_learn as learned
from qfl_explore.plots.layers import Layer, live, put
from qfl_explore.plots.style import COLOURS

LISTS = {
    "ladder": plots.LADDER,
    "sphere": plots.SPHERE,
    "learned": learned.LEARNED,
    "wall": learned.WALL,
    "sizes": learned.SIZES,
    "response": learned.RESPONSE,
    "phases": learned.PHASES,
}


@pytest.mark.parametrize("name", LISTS)
def test_layers_have_distinct_names_and_known_colours(name):
    names = [layer.name for layer in LISTS[name]]
    assert len(set(names)) == len(names)
    assert {layer.role for layer in LISTS[name]} <= set(COLOURS)


def test_the_ladder_has_axes_intervals_and_both_strategies():
    table = separation.run(separation.SeparationConfig(n_trials=100, separable_rounds=4)).table
    figure = plots.live_ladder()
    plots.put_ladder(figure, table, 8)
    assert figure.figure.xaxis[0].axis_label == "queries in all (count)"
    assert "probability" in figure.figure.yaxis[0].axis_label
    bars = figure.sources["interval"].data
    assert list(bars["x0"]) == [2, 4, 6] and (np.asarray(bars["y1"]) >= np.asarray(bars["y0"])).all()
    assert list(figure.sources["separable dots"].data["x"]) == [2, 4, 6, 8]
    drawn = plots.ladder(table)
    assert len(drawn) == len(plots.LADDER)


def test_arcs_stay_on_the_sphere_and_end_where_the_path_does():
    circuit = separation.protocol(3, 0.7)
    path = separation.bloch_path(circuit, separation.example_angles(3, 0.7, 1, 0.9))
    for step in range(1, len(path)):
        points = plots.arcs(path, step)
        ends = path.loc[[step - 1, step], ["x", "y", "z"]].to_numpy()
        assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(len(points)), abs=1e-6)
        assert points[[0, -1]] == pytest.approx(ends, abs=1e-6)


def test_a_sphere_shows_the_state_of_its_step():
    path = separation.bloch_path(separation.protocol(), np.array([0.4, 0.4]))
    figure = plots.live_sphere()
    put(figure, plots.SPHERE, plots.sphere_columns(path, 12))
    assert [figure.sources["state"].data[name][0] for name in ("x", "y")] == pytest.approx(plots.project([0, 0, 1])[0])
    assert len(figure.sources["path"].data["x"]) == 12 * 24
    assert len(plots.sphere_columns(None)) == 4
    assert np.linalg.norm(plots.project(np.eye(3)), axis=1).max() <= 1.0


def test_study_pictures_take_unfinished_tables():
    empty = separation_learn.collect(separation_learn.LearnConfig(), []).table
    figure = learned.live_learned()
    learned.put_learned(figure, empty, [], separation_learn.references(separation_learn.LearnConfig()))
    assert list(figure.sources["joint"].data["x"]) == [0, 2, 4, 6]
    walls = rank_wall.collect(rank_wall.RankWallConfig(), []).table
    wall = learned.live_rank_wall()
    learned.put_rank_wall(wall, walls, 4)
    least = np.asarray(wall.sources["least"].data["y"])
    assert least == pytest.approx([0.75, 0.5, 0.25, 1e-14, 1e-14, 1e-14])
    learned.put_sizes(learned.live_sizes(), [])


def test_response_and_phases():
    result = signal_processing.run(signal_processing.SignalConfig(polynomial="0.3 + 0.5*x", n_points=9))
    figure = learned.live_response()
    learned.put_response(figure, result.table)
    assert len(figure.sources["response"].data["x"]) == 9
    stems = learned.live_phases()
    learned.put_phases(stems, result.phases())
    assert len(stems.sources["even"].data["x"]) == 1 and len(stems.sources["odd"].data["x"]) == 2
    assert learned.phase_stems(result.phases()) is not None and learned.response(result.table) is not None


def test_live_bars_keep_their_corners():
    layers = (Layer("a", "bars", "model"),)
    figure = live(layers, "x", "y")
    put(figure, layers, {"a": ([1.0], [2.0], [3.0], [4.0])})
    data = figure.sources["a"].data
    assert [data[name][0] for name in ("x0", "y0", "x1", "y1")] == [1.0, 2.0, 3.0, 4.0]
    figure.set_dark(True)
    assert figure.renderers["a"].glyph.line_color == COLOURS["model"][1]
