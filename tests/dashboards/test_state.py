"""The pages' state: URL words, bounds, configs; and the sentences under the pictures."""

import dataclasses
import math

import numpy as np
import pytest

from qfl_explore.dashboards.parts import wording
from qfl_explore.dashboards.polynomial.code import compare_with_tfq, history_table, snippet
from qfl_explore.dashboards.state import TARGETS, PolynomialState
from qfl_explore.experiments.polynomial import prepare, run
from qfl_explore.experiments.targets import TARGETS as KNOWN_TARGETS
from qfl_explore.theory.spectrum import Ceiling


def test_defaults_leave_the_link_bare():
    assert PolynomialState().to_query() == {}


def test_every_parameter_survives_the_link():
    state = PolynomialState(
        degree=5,
        n_modalities=2,
        feature_dim=2,
        n_blocks=2,
        encoding="qubit_per_feature",
        signal="phase",
        constant_slot=True,
        measurement="computational",
        entangler="ring",
        seed=7,
        target="formula",
        target_degree=4,
        formula="cos(x1)*x2 + 1",
        engine="cirq",
        initializer="small_angle",
        optimizer="lbfgs",
        learning_rate=0.2,
        n_steps=50,
        early_stop=True,
        n_train=64,
        noise=0.25,
        pace=None,
    )
    query = state.to_query()
    assert set(query) == set(PolynomialState.URL.values())
    other = PolynomialState()
    assert other.apply_query(query) == []
    assert {name: getattr(other, name) for name in PolynomialState.URL} == {
        name: getattr(state, name) for name in PolynomialState.URL
    }


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("P", "99", "out of range. Expected: a number from 1 to 8. Received: 99"),
        ("P", "two", "not a whole number. Expected: a number from 1 to 8. Received: two"),
        ("noise", "nan", "out of range"),
        ("engine", "gpu", "not an option. Expected: one of batched, tfq, qsim, cirq. Received: gpu"),
        ("constant", "yes", "not a switch. Expected: 0 or 1. Received: yes"),
        ("rate", "0.06", "not an option"),
        ("rate", "fast", "not an option. Expected: one of 0.005, 0.01, 0.02, 0.05, 0.1, 0.2. Received: fast"),
        ("pace", "warp", "one of 20.0, 100.0, 300.0, none"),
        ("target", "table", "a link cannot carry a table"),
        ("formula", "x" * 201, "too long. Expected: at most 200 characters. Received: 201 characters"),
    ],
)
def test_invalid_words_are_named_and_the_rest_kept(word, text, expected):
    state = PolynomialState()
    (problem,) = state.apply_query({"k": "2", word: text, "M": "3", "page": "circuit", "unknown": "1"})
    assert problem.startswith(f"{word}={text[:60]}") and " in the link was ignored: " in problem and expected in problem
    assert (state.target_degree, state.n_modalities) == (2, 3)


def test_page_and_experiment_know_the_same_targets():
    assert set(TARGETS.values()) == set(KNOWN_TARGETS)


def test_too_large_a_circuit_is_refused_in_three_parts():
    state = PolynomialState(n_modalities=12, feature_dim=2, encoding="qubit_per_feature")
    with pytest.raises(ValueError, match="too many qubits for a live page.*Expected: at most 12.*Received: 24 qubits"):
        state.polynomial_config()
    state = PolynomialState(n_modalities=12, feature_dim=4, encoding="qubit_per_feature")
    with pytest.raises(ValueError, match="Expected: at most 30 qubits"):
        state.polynomial_config()


def facts(state, **changes):
    state.param.update(**changes)
    return wording.gather_facts(prepare(state.polynomial_config()))


def test_sentences_tell_the_wall():
    below = facts(PolynomialState(), degree=2)
    text = wording.reach_sentence(below)
    assert text.startswith("P = 2 < 3: no model of degree 2 can fit cos(3x)") and "R² = 0.00" in text
    assert "a larger P will" in wording.result_sentence(below, 0.01, -0.02, 600, True)
    assert "by heart" in wording.result_sentence(below, 0.12, -0.16, 600, True)
    above = facts(PolynomialState(), degree=3)
    assert "P = 3 reaches every frequency of cos(3x) (it takes P ≥ 3)" in wording.reach_sentence(above)
    assert "has learned it" in wording.result_sentence(above, 1.0, 0.999, 600, True)
    gap = wording.result_sentence(above, 0.9, 0.9, 600, True)
    assert "not the spectrum's: training is not there yet" in gap
    heart = wording.result_sentence(above, 0.95, 0.27, 600, True)
    assert "by heart" in heart and "R² = 0.950" in heart and "more steps do not" in heart
    few = dataclasses.replace(above, n_parameters=3)
    assert "3 parameters for 7 frequencies may be too few" in wording.result_sentence(few, 0.9, 0.9, 600, True)
    assert wording.result_sentence(above, 0.9, -0.5, 20, False) == "So far, after 20 steps: test R² = −0.500."


def test_sentences_for_a_part_and_for_never():
    partly = facts(PolynomialState(), target="formula", formula="cos(x1) + cos(4*x1)", degree=3)
    assert 0.45 < partly.ceiling.r2 < 0.55
    assert "no model of degree 3 can fully fit" in wording.reach_sentence(partly)
    assert "That is the ceiling" in wording.result_sentence(partly, 0.5, partly.ceiling.r2 - 0.01, 600, True)
    never = dataclasses.replace(partly, needed=math.inf)
    assert "never reaches, at any degree" in wording.reach_sentence(never)
    unknown = dataclasses.replace(partly, ceiling=Ceiling(None, 9999, "not computed: 9999 frequencies"))
    assert "not computed: 9999 frequencies" in wording.reach_sentence(unknown)


def test_small_words():
    assert wording.number(-0.02) == "−0.020" and wording.number(-0.0001) == "0.000"
    assert wording.grouped(117649) == "117\u202f649" and wording.grouped(5**30) == "9.31e+20"
    assert wording.spectrum_note(np.array([[0.5]])) and not wording.spectrum_note(np.array([[1.0]]))
    assert wording.spectrum_note(None) == ""


def test_csv_holds_every_step_and_the_tests_there_are():
    text = history_table([(0, 1.5, -0.5), (1, 1.25, -0.25)], {1: -0.3}).to_csv(index=False)
    assert text == "step,loss,train_r2,test_r2\n0,1.5,-0.5,\n1,1.25,-0.25,-0.3\n"


def test_the_snippet_repeats_the_run():
    config = PolynomialState(n_steps=10, degree=2).polynomial_config()
    code = snippet(config)
    scope: dict = {}
    exec(compile(code.replace("print(", "summary = ("), "snippet", "exec"), scope)
    assert scope["config"] == config
    assert scope["summary"]["test_r2"] == pytest.approx(run(config).final.test_r2)


def test_tfq_check_answers_with_small_deviations_or_says_what_is_missing():
    pytest.importorskip("tensorflow_quantum")
    config = PolynomialState(n_modalities=2, constant_slot=True).polynomial_config()
    *before, answer = compare_with_tfq(config, n_samples=3)
    assert before[0].startswith("Loading TensorFlow Quantum")
    deviations = [float(word.rstrip(",.")) for word in answer.split() if "e-" in word]
    assert len(deviations) == 3 and max(deviations) < 2e-5
