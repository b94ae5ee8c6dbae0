"""Adam against Keras, L-BFGS as a generator."""

import threading

import numpy as np
import pytest

from qfl_explore.optimizers import Adam, check_positive, lbfgs


def bowl(params):
    """A quadratic with condition 100 in two arrays; its minimum is at 1 and -2."""
    a, b = params["a"] - 1.0, params["b"] + 2.0
    scales = np.linspace(1.0, 100.0, a.size).reshape(a.shape)
    return float((scales * a**2).sum() + b**2), {"a": 2.0 * scales * a, "b": 2.0 * b}


def start():
    return {"a": np.zeros((2, 3)), "b": np.array(5.0)}


@pytest.fixture
def helpers():
    """Tells which helper threads live that did not when the test began (pages of other tests may hold paused runs)."""
    others = set(threading.enumerate())
    return lambda: [thread for thread in threading.enumerate() if thread.name == "lbfgs" and thread not in others]


def test_adam_is_keras_adam_step_by_step():
    tf = pytest.importorskip("tensorflow")
    keras = pytest.importorskip("tf_keras")
    settings = {"learning_rate": 0.03, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-5}
    theirs, ours = keras.optimizers.Adam(**settings), Adam(**settings)
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(2, 3)), "b": np.array(0.5)}
    variables = {name: tf.Variable(value, dtype=tf.float64) for name, value in params.items()}
    state = ours.init(params)
    for _ in range(25):
        grads = {name: rng.normal(size=value.shape) for name, value in params.items()}
        theirs.apply_gradients([(tf.constant(grads[name]), variables[name]) for name in params])
        params, state = ours.step(params, grads, state)
        for name, value in params.items():
            # Keras holds its settings in float32, so agreement ends there.
            np.testing.assert_allclose(value, variables[name].numpy(), rtol=0, atol=1e-6)


def test_adam_leaves_its_arguments_alone():
    adam, params = Adam(), start()
    state = adam.init(params)
    adam.step(params, bowl(params)[1], state)
    assert (params["a"] == 0).all() and state.step == 0 and (state.first["a"] == 0).all()


def test_adam_takes_a_rate_for_one_step():
    adam, params = Adam(learning_rate=0.1), start()
    grads, state = bowl(params)[1], adam.init(params)
    full = adam.step(params, grads, state)[0]
    half = adam.step(params, grads, state, learning_rate=0.05)[0]
    np.testing.assert_allclose(full["a"], 2 * half["a"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate is out of range. Expected: a finite number above 0. Received"),
        ({"learning_rate": float("nan")}, "learning_rate is out of range"),
        ({"epsilon": -1.0}, "epsilon is out of range"),
        ({"beta_1": 1.0}, "beta_1 is out of range. Expected: a number from 0 to below 1. Received: beta_1=1.0"),
    ],
)
def test_adam_refuses_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Adam(**settings)


def test_adam_refuses_gradients_of_another_shape():
    adam, params = Adam(), start()
    with pytest.raises(ValueError, match=r"grads do not fit params\. Expected: .* Received"):
        adam.step(params, {"a": np.zeros(3), "b": np.zeros(())}, adam.init(params))


def test_check_positive_wants_a_number():
    with pytest.raises(TypeError, match="noise must be a number"):
        check_positive("noise", "1")


def test_lbfgs_reaches_the_minimum_and_ends(helpers):
    steps = list(lbfgs(bowl, start(), 200))
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    losses = [bowl(start())[0], *(step.loss for step in steps)]
    assert all(after <= before for before, after in zip(losses, losses[1:], strict=False))
    np.testing.assert_allclose(steps[-1].params["a"], 1.0, atol=1e-5)
    assert steps[-1].params["b"] == pytest.approx(-2.0, abs=1e-5)
    assert not helpers()


def test_lbfgs_is_scipy_with_its_memory_kept():
    from scipy.optimize import minimize

    flat = minimize(
        lambda x: (lambda loss, grads: (loss, np.append(grads["a"].ravel(), grads["b"])))(
            *bowl({"a": x[:6].reshape(2, 3), "b": x[6]})
        ),
        np.append(np.zeros(6), 5.0),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 6, "maxcor": 10, "ftol": 1e-10, "gtol": 1e-10},
    )
    last = list(lbfgs(bowl, start(), 6))[-1]
    assert (last.step, last.loss, last.n_evaluations) == (6, flat.fun, flat.nfev)


def test_lbfgs_can_be_closed_between_iterations(helpers):
    calls = []

    def counted(params):
        calls.append(1)
        return bowl(params)

    steps = lbfgs(counted, start(), 200)
    next(steps)
    before = len(calls)
    steps.close()
    assert len(calls) == before
    assert not helpers()


def test_lbfgs_raises_what_the_objective_raised(helpers):
    def broken(params):
        raise ZeroDivisionError("no loss")

    with pytest.raises(ZeroDivisionError, match="no loss"):
        next(lbfgs(broken, start(), 5))
    assert not helpers()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_iterations": 0}, "max_iterations is out of range"),
        ({"memory": 0}, "memory is out of range"),
        ({"tolerance": 0.0}, "tolerance is out of range"),
    ],
)
def test_lbfgs_refuses_bad_settings_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        lbfgs(bowl, start(), **arguments)
