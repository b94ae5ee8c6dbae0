"""The drawer that experiments share: table, CSV, Python source, link, and notices instead of errors."""

import numpy as np
import pandas as pd
import pytest

from qfl_explore.dashboards.share.take_along import MAX_ROWS, NOTHING_YET, TakeAlong, table_html
from qfl_explore.errors import invalid


def make(table=lambda: pd.DataFrame({"n": [1, 2], "variance": [0.2, np.nan]}), snippet=lambda: "print(1)"):
    notices = []
    taken = TakeAlong(
        table=table,
        filename="numbers.csv",
        snippet=snippet,
        query=lambda: {"M": "3"},
        notify=lambda text, kind: notices.append((text, kind)),
        page="somewhere",
    )
    return taken, notices


def press(taken, name):
    taken.buttons[name].clicks += 1


def test_one_thing_at_a_time_and_closed_by_pressing_again():
    taken, _ = make()
    assert not taken.drawer.visible
    press(taken, "code")
    press(taken, "table")
    assert taken.drawer.visible and len(taken.drawer) == 1 and "variance" in taken.drawer[0].object
    press(taken, "table")
    assert not taken.drawer.visible


def test_csv_and_link():
    taken, _ = make()
    assert pd.read_csv(taken.csv())["n"].tolist() == [1, 2]
    assert taken.link_view()[0].value.endswith("?page=somewhere&M=3")


def test_without_a_result_there_is_a_sentence():
    taken, notices = make(table=lambda: None)
    press(taken, "table")
    assert NOTHING_YET in taken.drawer[0].object
    assert taken.csv().read() == "" and notices == [(NOTHING_YET, "info")]


def test_an_error_becomes_a_notice():
    def refuse():
        raise invalid("too large", "12 qubits", "40")

    taken, notices = make(snippet=refuse)
    press(taken, "code")
    assert not taken.drawer.visible
    assert notices == [("too large. Expected: 12 qubits. Received: 40.", "error")]


def test_refresh_draws_the_open_view_anew():
    rows = [1]
    taken, _ = make(table=lambda: pd.DataFrame({"x": rows}))
    taken.refresh()
    assert not taken.drawer.visible
    press(taken, "table")
    rows.append(77)
    taken.refresh()
    assert "77" in taken.drawer[0].object


@pytest.mark.parametrize(("n_rows", "says"), [(1, "1 row"), (MAX_ROWS, f"{MAX_ROWS} rows"), (900, "of 900 rows")])
def test_table_is_cut_and_escaped(n_rows, says):
    text = table_html(pd.DataFrame({"<b>": ["<script>"] * n_rows, "x": 1 / 3, "missing": np.nan}))
    assert says in text and "<script>" not in text and '<th scope="col">&lt;b&gt;' in text
    assert text.count("<tr>") == min(n_rows, MAX_ROWS) + 1
    assert "0.33333<" in text and "nan" not in text
