"""Large registers on the page Circuit, in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_a_circuit_of_sixteen_qubits_is_predicted_run_and_cancelled(page, server):
    page.goto(f"{server}/app?page=circuit&P=1&M=8&D=2&encoding=qubit_per_feature")
    page.get_by_text("On qsim, the engine for large registers").wait_for(timeout=60_000)
    page.get_by_text(re.compile(r"^16 qubits(: |, 1 circuit: about )\d")).wait_for()
    page.get_by_role("button", name="Predict", exact=True).click()
    page.get_by_text(re.compile(r"^16 qubits, 1 circuit: about .* and .* of memory\.$")).wait_for(timeout=60_000)
    page.get_by_role("button", name="Run", exact=True).click()
    said = page.get_by_text(
        re.compile(r"^It took .* times the prediction.* First values of the first sample: .*seed 0")
    )
    said.wait_for(timeout=60_000)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text(re.compile(r"^Running in a process of its own")).wait_for(timeout=20_000)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("Cancelled.", exact=True).wait_for()
