"""Pictures of gradient variance: what they draw, how they are redrawn, and that nothing leaves the frame."""

import numpy as np
import pandas as pd
import pytest

from qfl_explore.config import FusionConfig
from qfl_explore.experiments.gradient_variance import GradientVarianceConfig, SweepConfig, run
from qfl_explore.experiments.gradient_variance_sweep import run_sweep
from qfl_explore.experiments.gradient_variance_training import TrainingConfig, run_training
from qfl_explore.plots import gradient_variance as plots
from qfl_explore.plots.style import COLOURS

SMALL = FusionConfig(n_modalities=2, degree=2, measurement="local_z")


@pytest.fixture(scope="module")
def result():
    return run_sweep(SweepConfig(base=GradientVarianceConfig(fusion=SMALL, precision=0.2), values=(2, 3, 4)))


@pytest.fixture(scope="module")
def estimate():
    return run(GradientVarianceConfig(fusion=SMALL, precision=0.2)).estimate


def test_sweep_has_named_axes_a_log_scale_and_both_encodings(result):
    overlay = plots.sweep(result.table, "n_modalities", result.fits())
    labels = [layer.label for layer in overlay if layer.label]
    assert labels == ["qubit-efficient", "qubit per feature"]
    options = overlay.opts.get("plot").kwargs
    assert options["logy"] and options["xlabel"] == "modalities M (count)" and "1/rad²" in options["ylabel"]


def test_the_live_sweep_shows_points_bars_fits_and_exact_values(result):
    figure = plots.live_sweep()
    plots.put_sweep(figure, result.table, "n_modalities", result.fits(), (2, 3, 4))
    for encoding in plots.LOOKS:
        rows = result.table[result.table["encoding"] == encoding]
        data = {name: figure.sources[f"{encoding} {name}"].data for name in plots._SWEEP_LAYERS}
        np.testing.assert_allclose(data["points"]["y"], rows["variance"])
        np.testing.assert_allclose(data["bars"]["y0"], rows["low"])
        np.testing.assert_allclose(data["bars"]["y1"], rows["high"])
        np.testing.assert_allclose(data["exact"]["y"], rows["exact"])
        assert len(data["fit"]["x"]) == 60 and len(data["two_design"]["y"]) == 3
    low, high = figure.figure.y_range.start, figure.figure.y_range.end
    assert low < result.table["low"].min() and result.table["high"].max() < high
    figure.set_dark(True)
    assert figure.renderers["qubit_efficient points"].glyph.fill_color == COLOURS["model"][1]
    plots.put_sweep(figure, result.table.iloc[:0], "degree", {}, (1, 2))
    assert len(figure.sources["qubit_efficient points"].data["x"]) == 0


def test_the_law_that_is_drawn():
    assert plots.drawn_law("qubit_per_feature", "n_modalities") == "exponential"
    assert {plots.drawn_law("qubit_efficient", over) for over in plots.SWEPT} == {"power"}


def test_the_map_has_a_cell_for_every_angle_and_the_first_qubit_on_top(estimate):
    values = plots._cells(estimate.per_angle)
    assert values.shape == (9, 3)
    assert values[4, 2] == estimate.per_angle[1, 0, 0, 1]  # U1, RY, qubit 0
    figure = plots.live_angle_map()
    plots.put_angle_map(figure, estimate.per_angle)
    assert figure.sources["map"].data["image"][0].shape == (3, 9)
    assert figure.figure.xaxis[0].major_label_overrides == {1.5: "U0", 4.5: "U1", 7.5: "U2"}
    assert figure.figure.yaxis[0].major_label_overrides == {2.5: "0", 1.5: "1", 0.5: "2"}


def test_the_histogram_is_a_density(estimate):
    (x, y), (_, normal) = plots._densities(estimate)
    assert 0.95 < np.sum(y[::2] * np.diff(estimate.edges)) <= 1.0
    assert normal.max() == pytest.approx(1 / np.sqrt(2 * np.pi * estimate.variance), rel=1e-6)
    figure = plots.live_histogram()
    plots.put_histogram(figure, estimate)
    assert len(figure.sources["steps"].data["x"]) == len(x)


def test_layers_and_losses_during_training():
    table = run_training(TrainingConfig(fusion=SMALL, n_starts=4, n_samples=2, n_steps=3)).table
    assert len(plots.layers_during_training(table)) == 6
    figure = plots.live_layers()
    plots.put_layers(figure, table, 3, 3)
    assert [figure.renderers[f"U{layer}"].visible for layer in range(4)] == [True, True, True, False]
    losses = plots.live_losses()
    now = table[table["layer"] == 0][["step", "loss"]]
    plots.put_losses(losses, now, pd.DataFrame({"step": [], "loss": []}), 3)
    assert len(losses.sources["now"].data["x"]) == 4 and not losses.renderers["before"].visible
