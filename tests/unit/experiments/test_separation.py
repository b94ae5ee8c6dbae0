"""The query ladders, what is learned, the rank wall and typed polynomials, as small studies."""

import math

import numpy as np
import pandas as pd
import pytest

from qfl_explore.experiments import rank_wall, separation, separation_learn, signal_processing
from qfl_explore.experiments.circuit_engines import TOLERANCES, circuit_expectations
from qfl_explore.experiments.fusion_models import (
    LowRankFusion,
    SmallNetwork,
    TensorFusion,
    loss_and_cotangents,
    train,
)
from qfl_explore.theory.separation import joint_success

DELTA = math.pi / 6


@pytest.fixture(scope="module")
def ladder():
    return separation.run(separation.SeparationConfig(n_trials=500, separable_rounds=3))


def test_the_ladder_says_six_and_815(ladder):
    summary = ladder.summary()
    assert summary["n_queries"] == 6
    assert summary["joint"] == 1.0
    assert 0.99 < summary["joint_low"] < 1.0
    assert summary["separable"] == pytest.approx(0.815, abs=5e-4)
    joint = ladder.table[ladder.table["strategy"] == "joint"]
    assert joint["exact"].tolist() == pytest.approx([0.75, (2 + 3**0.5) / 4, 1.0])
    assert joint["deviation"].max() < 1e-12
    assert ((joint["low"] <= joint["exact"] + 1e-9) & (joint["exact"] <= joint["high"] + 1e-9)).all()


def test_the_same_seed_gives_the_same_table(ladder):
    again = separation.run(separation.SeparationConfig(n_trials=500, separable_rounds=3))
    pd.testing.assert_frame_equal(ladder.table, again.table)


@pytest.mark.parametrize("engine", ["cirq", "batched", "qsim", "tfq"])
def test_every_engine_is_certain(engine):
    if engine == "tfq":
        pytest.importorskip("tensorflow_quantum")
    found = separation.on_engine(engine, separation.protocol(), DELTA)
    assert found["equal"] == pytest.approx(1.0, abs=TOLERANCES[engine])
    assert found["different"] == pytest.approx(0.0, abs=TOLERANCES[engine])
    assert found["spread"] < TOLERANCES[engine]


def test_plain_readout_errs_on_one_side():
    assert [separation.p0_different(r, DELTA) for r in (1, 2, 3)] == pytest.approx([0.75, 0.25, 0.0], abs=1e-12)
    config = separation.SeparationConfig(readout="z", n_trials=200, separable_rounds=1)
    table = separation.run(config).table
    assert table["deviation"].max() < 1e-12
    assert table["exact"].tolist()[:3] == pytest.approx([0.625, 0.875, 1.0])


@pytest.mark.parametrize(("n_oracles", "delta"), [(2, DELTA), (3, 0.5), (5, 1.0)])
def test_drawn_angles_keep_the_promise(n_oracles, delta):
    theta, labels = separation.draw_angles(n_oracles, delta, 40, seed=3)
    sign = 1 - 2 * (np.arange(n_oracles) % 2)
    assert np.exp(1j * (theta @ sign - labels * delta)) == pytest.approx(np.ones(40))
    both = [separation.example_angles(n_oracles, delta, label, 0.4) for label in (0, 1)]
    assert both[0][:-1] == pytest.approx(both[1][:-1])


@pytest.mark.parametrize(("n_oracles", "delta"), [(2, DELTA), (3, 0.7)])
def test_the_path_ends_where_it_should(n_oracles, delta):
    circuit = separation.protocol(n_oracles, delta)
    for label, z in ((0, 1.0), (1, -1.0)):
        path = separation.bloch_path(circuit, separation.example_angles(n_oracles, delta, label, 1.1))
        assert path["z"].iloc[-1] == pytest.approx(z, abs=1e-9)
        assert path["n_queries"].iloc[-1] == circuit.n_queries
        assert np.linalg.norm(path[["x", "y", "z"]], axis=1) == pytest.approx(np.ones(len(path)))


def test_share_interval():
    whole = separation.share_interval(100, 100)
    assert (whole.mean, whole.high) == (1.0, 1.0)
    assert whole.low == pytest.approx(0.025 ** (1 / 100))
    half = separation.share_interval(50, 100)
    assert (half.low, half.high) == pytest.approx((0.3983, 0.6017), abs=1e-4)


@pytest.fixture(scope="module")
def learned():
    config = separation_learn.LearnConfig(seeds=(0, 1), n_steps=250, n_restarts=2, outcome_rounds=(1, 3, 6))
    return separation_learn.run(config)


def test_the_layer_reaches_the_bound_and_outcomes_their_ceiling(learned):
    rows = {(row["model"], row["n_queries"]): row for row in separation_learn.means(learned.table)}
    for queries in (2, 4, 6):
        best = learned.table.query("model == 'quantum' and n_queries == @queries")["success"].max()
        bound = joint_success(queries // 2, DELTA)
        assert bound - 0.02 < best <= bound + 1e-4
    for model in ("lmf", "tfn", "mlp"):
        for queries in (2, 6, 12):
            row = rows[model, queries]
            assert row["success"] <= row["ceiling"] + 1e-9
            assert row["success"] > row["ceiling"] - 0.02
        assert rows[f"{model}_angles", 0]["success"] > 0.99
    assert len(learned.table) == learned.config.n_rows
    assert learned.summary()["n_seeds"] == 2


def test_references_are_ordered(learned):
    wide = separation_learn.references(learned.config).pivot(index="n_queries", columns="kind", values="success")
    wide = wide.dropna()
    assert (wide["outcomes"] <= wide["separable"] + 1e-9).all()
    assert (wide["separable"] <= wide["joint"]).all()


@pytest.mark.parametrize("model", [LowRankFusion(3, 2, 2), TensorFusion(3, 2), SmallNetwork(6, 4)])
@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_gradients_of_the_classical_models(model, loss):
    rng = np.random.default_rng(0)
    h, targets, weights = rng.normal(size=(7, 3, 2)), (np.arange(7) % 2).astype(float), np.full(7, 1 / 7)
    params = model.initial(rng)
    assert sum(p.size for p in params.values()) == model.n_parameters
    outputs, pull = model.forward(params, h)
    grads = pull(loss_and_cotangents(outputs, targets, weights, loss)[1])
    for name, value in params.items():
        for at in np.ndindex(*value.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {**params, name: value.copy()}
                moved[name][at] += step
                ends.append(loss_and_cotangents(model.forward(moved, h)[0], targets, weights, loss)[0])
            assert grads[name][at] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_low_rank_starts_keep_their_size():
    h = np.random.default_rng(1).choice([-1.0, 1.0], (4000, 10, 1))
    sizes = []
    for seed in range(40):
        model = LowRankFusion(10, 1, 8, bias=False)
        sizes.append(np.mean(model.forward(model.initial(np.random.default_rng(seed)), h)[0] ** 2))
    assert 0.2 < np.mean(sizes) < 5.0


def test_training_lowers_the_loss():
    rng = np.random.default_rng(0)
    h = rng.normal(size=(50, 2, 1))
    steps = list(train(LowRankFusion(2, 1, 2), h, h[:, 0, 0] * h[:, 1, 0], rng, 60, "squared"))
    assert steps[-1].loss < 1e-4 < steps[0].loss


@pytest.fixture(scope="module")
def walls():
    return rank_wall.run(
        rank_wall.RankWallConfig(seeds=(0, 1), degrees=(2,), widths=(5,), ranks=(1, 3, 4), n_train=256)
    )


def test_lmf_meets_its_wall(walls):
    rows = {(row["model"], row["size"]): row for row in walls.summary()["models"]}
    for rank in (1, 3):
        row = rows["lmf", rank]
        assert row["least_error"] <= row["best"] < row["least_error"] + 0.05
    assert rows["lmf", 4]["best"] < 1e-5
    assert rows["quantum", 2]["best"] < 0.1
    assert rows["mlp", 5]["best"] < 0.1
    assert len(walls.table) == walls.config.n_rows == 10


@pytest.mark.parametrize("text", ["0.9*T(5, x)", "0.5*x^3 - 0.2*x", "x^2", "exp(x)/3", "cos(4*x)", "0.4"])
def test_typed_polynomials_become_responses(text):
    result = signal_processing.run(signal_processing.SignalConfig(polynomial=text, n_points=15))
    summary = result.summary()
    assert summary["deviation"] < 1e-9
    assert summary["factor"] <= 1.0
    assert result.table["response"].abs().max() <= 1.0
    assert len(result.phases()) == sum(len(sequence.phases) for sequence in result.sequences)


def test_a_response_on_tensorflow_quantum():
    pytest.importorskip("tensorflow_quantum")
    result = signal_processing.run(signal_processing.SignalConfig(backend="tfq", n_points=9))
    assert result.summary()["deviation"] < 2e-5


def test_boolean_table():
    table = signal_processing.boolean_table()
    assert len(table) == 12
    assert (table["p0"] - table["expected"]).abs().max() < 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: separation.SeparationConfig(delta=0.01), "delta is too small. Expected: .* Received: delta=0.01"),
        (lambda: separation.SeparationConfig(n_oracles=9), "n_oracles is out of range. Expected: .* Received:"),
        (lambda: separation.SeparationConfig(readout="best1"), "did you mean 'best'"),
        (lambda: separation.share_interval(5, 3), "n_right is out of range. Expected: .* Received: n_right=5"),
        (lambda: separation_learn.LearnConfig(delta=0.1), "too small to learn live. Expected: .* Received:"),
        (lambda: separation_learn.LearnConfig(seeds=(1, 1)), r"seeds are not usable. Expected: .* Received: seeds="),
        (lambda: separation_learn.LearnConfig(outcome_rounds=(4,)), "cannot be grouped. Expected: .* Received: 4"),
        (lambda: rank_wall.RankWallConfig(n_modalities=5), "must be even.*Expected: .* Received: 5"),
        (lambda: rank_wall.RankWallConfig(n_modalities=10), "too large to train live. Expected: .* Received: 10"),
        (lambda: TensorFusion(13, 1), "would be too large. Expected: at most 4096 products. Received: 8192"),
        (lambda: signal_processing.chebyshev_of("abs(x)"), "is not a polynomial of degree 60.*Expected: .* Received:"),
        (lambda: signal_processing.chebyshev_of("x - x"), "polynomial is zero. Expected: .* Received:"),
        (
            lambda: signal_processing.run(signal_processing.SignalConfig(polynomial="2*x", scale=False)),
            r"too large\. Expected: .* Received: max",
        ),
        (lambda: circuit_expectations("cirq", None, [], [], [1.0], []), "wrong shape. Expected: .* Received:"),
    ],
)
def test_errors_have_three_parts(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_run_ids_leave_defaults_out():
    configs = [separation.SeparationConfig(), separation_learn.LearnConfig(), rank_wall.RankWallConfig()]
    assert len({config.run_id for config in configs}) == 3
    assert separation.SeparationConfig(seed=1).run_id != configs[0].run_id
    assert configs[0].replace(n_oracles=3).n_queries == 9
