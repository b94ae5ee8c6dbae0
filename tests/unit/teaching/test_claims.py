"""What the main presets say is what comes out, at small sizes."""

import pytest

from qfl_explore.dashboards.pages import get_page
from qfl_explore.teaching.content import preset
from qfl_explore.theory.counts import circuit_counts
from qfl_explore.theory.spectrum import count_frequencies


def state_of(page: str, name: str, **changes):
    """The page's settings with the preset's words, some of them smaller."""
    state = get_page(page).state_classes()[0]()
    assert state.apply_query(preset(page, name).words) == []
    state.param.update(**changes)
    return state


@pytest.mark.parametrize(
    ("name", "ceiling", "reached"), [("the wall", 0.0, (-0.1, 0.1)), ("over the wall", 1.0, (0.99, 1.0))]
)
def test_the_wall_is_where_it_is_said_to_be(name, ceiling, reached):
    from qfl_explore.experiments.polynomial import run

    found = run(state_of("polynomial", name, n_steps=150).polynomial_config()).summary()
    assert found["ceiling"] == pytest.approx(ceiling, abs=1e-9)
    assert reached[0] <= found["test_r2"] <= reached[1]


def test_a_large_degree_learns_noise_by_heart():
    from qfl_explore.experiments.polynomial import run

    found = run(state_of("polynomial", "learned by heart").polynomial_config()).summary()
    assert found["train_r2"] > 0.9 and found["test_r2"] < 0.7


def test_the_circuits_have_the_sizes_that_are_said():
    configs = {name: state_of("circuit", name).fusion_config() for name in CIRCUITS}
    assert {name: (config.n_qubits, count_frequencies(config)) for name, config in configs.items()} == CIRCUITS
    assert circuit_counts(configs["half frequencies"]).n_parameters == 46
    assert circuit_counts(configs["one feature"]).n_parameters == 16


CIRCUITS = {"one feature": (1, 7), "twelve leads": (5, 369_305), "half frequencies": (3, 85), "phase signal": (3, 37)}


def test_a_qubit_for_each_is_a_qubit_for_each():
    assert state_of("circuit", "a qubit for each").fusion_config().n_qubits == 12


def test_the_plateau_falls_exponentially_in_one_encoding_and_slower_in_the_other():
    from qfl_explore.experiments.gradient_variance_sweep import fits_of, run_sweep

    result = run_sweep(state_of("gradient_variance", "the plateau", precision=0.1, largest=7).config())
    laws = fits_of(result.table, "n_modalities")
    per_feature = laws["qubit_per_feature"]["exponential"]
    assert per_feature.low > 0.3, "the rate's interval is far from 0"
    rows = result.table.set_index(["encoding", "n_modalities"])["variance"]
    fall = {name: rows[name, 2] / rows[name, 7] for name in ("qubit_efficient", "qubit_per_feature")}
    assert fall["qubit_per_feature"] > 3 * fall["qubit_efficient"] > 3


def test_the_mean_over_angles_hides_those_that_never_move():
    from qfl_explore.experiments.gradient_variance import run

    state = state_of("gradient_variance", "angle by angle", precision=0.1)
    found = run(state.config()).estimate.per_angle
    assert found.size == 48 and (found < 1e-12).sum() == 13


def test_the_plan_says_where_the_register_grows():
    from qfl_explore.teaching.content import lessons

    tasks = [task.answer for activity, _ in lessons()["90"].parts for task in activity.tasks]
    assert any("At M = 16" in answer and "at M = 17" in answer for answer in tasks)
    sizes = {
        m: state_of("circuit", "twelve leads").fusion_config().replace(n_modalities=m).n_qubits for m in range(1, 18)
    }
    assert [m for m in range(2, 18) if sizes[m] > sizes[m - 1]] == [2, 4, 8, 16] and sizes[16] == 6
    assert (
        state_of("circuit", "twelve leads", constant_slot=False).fusion_config().replace(n_modalities=16).n_qubits == 5
    )


def test_six_queries_are_certain_and_separate_ones_are_not():
    from qfl_explore.experiments.separation import run

    config = state_of("separation", "six queries", n_trials=200).queries_config()
    found = run(config.replace(n_starts=2)).summary()
    assert config.n_queries == 6 and found["joint"] == 1.0
    assert 0.75 < found["separable"] < 0.83
    assert state_of("separation", "a smaller angle").queries_config().n_queries == 12


def test_the_collapse_is_a_matter_of_the_start():
    from qfl_explore.experiments.low_rank_collapse import CollapseConfig, run

    state = state_of("real_data", "the collapse")
    assert state.tab == "collapse"
    settings = {"feature_dim": state.feature_dim, "rank": state.rank, "n_modalities": (12, 50, 207), "n_draws": 40}
    table = run(CollapseConfig(**settings)).table.set_index(["start", "n_modalities"])
    assert table.loc[("reference", 207), "log10_product"] < -100
    assert table.loc[("reference", 50), "share_zero"] > 0
    assert abs(table.loc[("near_one", 207), "log10_product"]) < 1 and table.loc[("near_one", 207), "share_zero"] == 0


def test_noise_takes_the_certain_decision_below_the_separable_one():
    from qfl_explore.experiments.noise import run

    state = state_of("noise", "six noisy queries", n_seeds=3)
    rows = {
        (row["strength"], row["model"]): row["mean"]
        for row in run(state.config().replace(degrees=(6,), strengths=(0.0, 0.5, 1.0))).summary()["rows"]
    }
    assert rows[0.0, "joint"] == pytest.approx(1.0, abs=1e-6)
    assert rows[0.5, "joint"] > rows[0.5, "separable"] == pytest.approx(0.815, abs=0.002)
    assert rows[1.0, "joint"] < rows[1.0, "separable"]


def test_whole_turns_change_nothing_where_frequencies_are_whole():
    from qfl_explore.experiments.encoding import run

    config = state_of("encoding", "turns unseen", n_seeds=2, n_steps=50).config()
    rows = [row for row in run(config.replace(models=("quantum", "mlp"))).summary()["rows"] if row["when"] == "test"]
    scores = {name: [row["mean"] for row in rows if row["model"] == name] for name in ("quantum", "mlp")}
    assert max(scores["quantum"]) - min(scores["quantum"]) < 1e-6
    assert max(scores["mlp"]) - min(scores["mlp"]) > 0.1


def test_a_small_factor_is_a_matter_of_training_and_a_large_one_of_the_ceiling():
    from qfl_explore.experiments.encoding import run

    config = state_of("encoding", "scaled", n_seeds=2, n_steps=60).config()
    config = config.replace(models=("quantum",), strengths=(0.1, 1.0, 10.0))
    rows = {row["strength"]: row for row in run(config).summary()["rows"] if row["when"] == "both"}
    assert rows[0.1]["ceiling"] > 0.99 > 0.5 > rows[0.1]["mean"]
    assert rows[1.0]["mean"] > 0.8 and rows[10.0]["ceiling"] < 0.5
