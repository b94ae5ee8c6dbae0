"""Grids: what they contain, how they are read, what they refuse."""

import pytest

from qfl_explore import sweeps
from qfl_explore.experiments.polynomial_config import PolynomialConfig
from qfl_explore.results import Record, table_of
from qfl_explore.sweeps import Grid
from qfl_explore.sweeps.grid import settings_of
from qfl_explore.sweeps.work import Batch, run_batch
from tests.unit.sweeps.toys import TOY, ToyConfig


def test_all_combinations_the_last_axis_fastest():
    grid = Grid(experiment=TOY, base={"seconds": 0.5}, axes={"inner.degree": [1, 2], "seed": (5, 6, 7)})
    configs = grid.configs()
    assert grid.size == len(configs) == 6
    assert [(c.inner.degree, c.seed) for c in configs] == [(1, 5), (1, 6), (1, 7), (2, 5), (2, 6), (2, 7)]
    assert {c.seconds for c in configs} == {0.5}
    assert grid.axis_names == ("inner.degree", "seed")
    assert len(set(grid.keys())) == 6


def test_without_axes_there_is_one_point():
    grid = Grid(experiment="polynomial")
    assert grid.configs() == [PolynomialConfig()]


def test_two_settings_on_one_axis():
    grid = Grid(experiment="polynomial", axes={"fusion.degree, target.degree": [(1, 1), [2, 2]], "seed": [0]})
    assert [(c.fusion.degree, c.target.degree) for c in grid.configs()] == [(1, 1), (2, 2)]
    assert grid.axis_names == ("fusion.degree", "target.degree", "seed")


def test_lists_become_tuples_and_none_can_be_written():
    values = {"n_observables": "none", "inner.shape": [3, 4]}
    (config,) = Grid(experiment=TOY, base=values).configs()
    assert config.n_observables is None
    assert config.inner.shape == (3, 4)


@pytest.mark.parametrize("name", sweeps.names())
def test_every_experiment_has_settings_and_a_run_function(name):
    experiment = sweeps.get(name)
    assert settings_of(experiment.config_class)
    assert callable(experiment.function)
    assert experiment.title
    (config,) = Grid(experiment=name).configs()
    assert len(config.run_id) == 12


def test_an_experiment_of_ones_own_can_be_registered():
    assert sweeps.register(TOY) is TOY
    assert sweeps.register(TOY) is TOY
    assert Grid(experiment="toy").configs() == [ToyConfig()]
    with pytest.raises(ValueError, match=r"exists. Expected: a new name. Received: name='toy'"):
        sweeps.register(sweeps.Experiment("toy", ToyConfig, print))


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"experiment": "polynomail"}, ValueError, "did you mean 'polynomial'"),
        ({"axes": {"inner.degre": [1]}}, ValueError, r"no setting of that name. Expected: one of .* 'inner.degree'\?"),
        ({"base": {"sede": 1}}, ValueError, r"did you mean 'seed'"),
        ({"axes": {"seed": 3}}, TypeError, r"the axis seed is of the wrong kind. Expected: a list of values."),
        ({"axes": {"seed": "012"}}, TypeError, "wrong kind"),
        ({"axes": {"seed": []}}, ValueError, r"not usable. Expected: one or more different values"),
        ({"axes": {"seed": [1, 2, 1]}}, ValueError, "not usable"),
        ({"axes": {"seed, seconds": [(1,)]}}, ValueError, "varies 2 settings. Expected: 2 values a point"),
        ({"base": {"seed": 1}, "axes": {"seed": [1]}}, ValueError, "given twice"),
        ({"axes": {"seed": range(2000), "seconds": range(2000)}}, ValueError, "too large. Expected: at most 1000000"),
        ({"base": [1]}, TypeError, "base is of the wrong kind. Expected: a table of settings"),
    ],
)
def test_what_a_grid_refuses(arguments, kind, message):
    with pytest.raises(kind, match=message):
        Grid(**({"experiment": TOY} | arguments))


def test_an_impossible_point_is_named():
    grid = Grid(experiment=TOY, axes={"seed": [0], "inner.degree": [1, 0]})
    with pytest.raises(ValueError, match=r"degree is out of range. .* \(at the grid's point seed=0, inner.degree=0\)"):
        grid.configs()


TOML = """
experiment = "polynomial"

[base]
n_steps = 50
fusion.n_modalities = 2

[base.target]
kind = "product"

[axes]
seed = {start = 0, stop = 4, step = 2}
fusion.degree = [1, 2]
"target.degree, n_train" = [[1, 16], [2, 32]]
"""


def test_a_grid_from_a_file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(TOML)
    grid = Grid.from_toml(path)
    assert grid.size == 12
    assert grid.axes["seed"] == (0, 2, 4)
    first = grid.configs()[0]
    assert (first.n_steps, first.fusion.n_modalities, first.target.kind, first.n_train) == (50, 2, "product", 16)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("experiment = ", "cannot be read as a sweep. Expected: a TOML file"),
        ("[axes]\nseed = [1]", "names no experiment"),
        ('experiment = "polynomial"\naxis = 1', "did you mean 'axes'"),
        ('experiment = "polynomial"\n[axes]\nseed = {start = 1}', "whole numbers start and stop"),
        ('experiment = "polynomial"\n[axes]\nseed = {start = 1, stop = 2, step = 0}', "a step of 1 or more"),
    ],
)
def test_what_a_file_must_not_say(text, message, tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        Grid.from_toml(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be read as a sweep. Expected: .* Received: .*No such file"):
        Grid.from_toml(tmp_path / "no.toml")


#: Small settings, a column of the table that says how it went.
SMALL = {
    "polynomial": ({"n_steps": 3, "n_train": 16}, "test_r2"),
    "gradient_variance": ({"precision": 0.9, "n_inputs": 1}, "variance"),
    "gradient_training": ({"n_steps": 1, "fusion.n_modalities": 2}, "loss"),
    "measurement_bases": (
        {"n_steps": 2, "seeds": [0], "learning_rates": [0.1], "penalties": [1.0], "repetitions": [1000], "n_train": 8},
        "random_pauli_plane.trained.mean",
    ),
    "separation": ({"n_trials": 10, "n_starts": 1, "separable_rounds": 1}, "joint"),
    "separation_learn": (
        {"n_steps": 2, "n_restarts": 1, "n_outcomes": 64, "seeds": [0], "degrees": [2], "outcome_rounds": [1]},
        "quantum.2.success",
    ),
    "rank_wall": (
        {"n_modalities": 2, "n_steps": 2, "seeds": [0], "ranks": [1], "degrees": [1], "widths": [2]},
        "lmf.1.median",
    ),
    "signal_processing": ({"n_points": 5, "polynomial": "x"}, "deviation"),
    "multimodal": ({"seeds": [0], "methods": ["linear"], "n_modalities": 1}, "linear.auc"),
    "systems": ({"seeds": [0], "methods": ["linear"], "dataset": "wine"}, "linear.f1"),
    "encoding": (
        {"n_steps": 2, "seeds": [0], "strengths": [2.0], "when": ["test"], "models": ["quantum"], "n_train": 16},
        "test.2.quantum.mean",
    ),
    "noise": ({"task": "separation", "degrees": [2], "seeds": [0]}, "2.0.01.joint.none.mean"),
    "low_rank_collapse": ({"n_modalities": [2], "n_draws": 10}, "near_one.log10_product"),
}


def test_every_experiment_has_small_settings():
    assert {*SMALL, "toy"} >= set(sweeps.names())


@pytest.mark.parametrize("name", SMALL)
def test_every_experiment_has_a_number_in_the_table(name):
    base, column = SMALL[name]
    grid = Grid(experiment=name, base=base)
    batch = Batch("small", grid.definition, ((0, grid.configs()[0]),), limit=False)
    ((_, fields),) = run_batch(batch).records
    record = Record.of(name, grid.configs()[0], **fields)
    assert record.ok, record.error
    assert float(table_of([record])[column].iloc[0]) == pytest.approx(record.summary[column])
    assert len(Record.from_json(record.to_json()).table) == len(record.rows) > 0
