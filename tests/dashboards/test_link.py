"""Links: every state survives its own, wrong words are named and the rest kept, the address follows the visitor."""

import urllib.parse

import param
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qfl_explore.dashboards.link import APP_WORDS, query_of, unknown_words, words_of
from qfl_explore.dashboards.pages import PAGES
from qfl_explore.dashboards.parameters import MAX_TEXT, shown
from qfl_explore.dashboards.real_data.state import METHODS, RealDataState
from tests.dashboards.waiting import wait_for

CLASSES = list(dict.fromkeys(cls for page in PAGES for cls in page.state_classes()))
#: Parameters that a link does not carry, and why.
NOT_IN_LINKS = {}
#: Values that a link does not carry, and why.
LEFT_OUT = {"table": "a visitor's own file stays on the visitor's machine"}


def values_of(state, name):
    parameter = state.param[name]
    if isinstance(parameter, param.Boolean):
        return st.booleans()
    if isinstance(parameter, param.Selector):
        return st.sampled_from([value for value in parameter.objects if value not in LEFT_OUT])
    if isinstance(parameter, param.List):
        items = state.ITEMS[name]
        return st.sets(st.sampled_from(items)).map(lambda chosen: [item for item in items if item in chosen])
    if isinstance(parameter, param.Integer):
        return st.integers(*parameter.bounds)
    if isinstance(parameter, param.Number):
        return st.floats(*parameter.bounds)
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_TEXT)


def through_a_browser(words):
    """The words as the server gets them."""
    return dict(urllib.parse.parse_qsl(query_of(words)[1:], keep_blank_values=True, strict_parsing=bool(words)))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_state_survives_its_link(cls, data):
    state, other = cls(), cls()
    assert state.to_query() == {}
    for name in cls.URL:  # one after the other: the choices of some depend on others
        setattr(state, name, data.draw(values_of(state, name), label=name))
    words = state.to_query()
    assert other.apply_query(through_a_browser(words)) == []
    assert {name: getattr(other, name) for name in cls.URL} == {name: getattr(state, name) for name in cls.URL}
    assert set(words) <= set(cls.URL.values()) and other.to_query() == words


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_link_carries_every_parameter(cls):
    assert set(cls.param) - {"name", *NOT_IN_LINKS} == set(cls.URL)
    assert len(set(cls.URL.values())) == len(cls.URL) and not set(cls.URL.values()) & set(APP_WORDS)
    assert set(cls.DRAWN) <= set(cls.URL)


def test_words_of_a_page_are_its_own():
    for page in PAGES:
        n_words = sum(len(cls.URL) for cls in page.state_classes())
        assert len(words_of(page.name)) == n_words  # no word twice


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CLASSES), st.data(), st.text(max_size=30))
def test_any_text_is_taken_or_named(cls, data, text):
    state = cls()
    word = data.draw(st.sampled_from(list(cls.URL.values())))
    problems = state.apply_query({word: text})
    assert all(" in the link was ignored: " in problem and "<" not in problem for problem in problems)


def test_one_bad_method_leaves_the_others():
    state = RealDataState()
    (problem,) = state.apply_query({"methods": "linear,quantm,mlp"})
    assert state.methods == ["linear", "mlp"]
    assert problem.startswith("methods=quantm in the link was ignored") and "did you mean quantum?" in problem
    (problem,) = state.apply_query({"methods": "a,b"})
    assert state.methods == ["linear", "mlp"] and "nothing of the list is an option" in problem
    assert state.apply_query({"methods": "none"}) == [] and state.methods == []
    assert state.apply_query({"methods": ",".join(METHODS)}) == [] and state.to_query() == {}


@pytest.mark.parametrize(
    ("page", "word", "said"),
    [
        ("noise", "degree", "the page Noise has no such word; did you mean P?"),
        ("noise", "stength", "did you mean strength?"),
        ("noise", "p", "did you mean P?"),
        ("circuit", "them", "did you mean theme?"),
        ("noise", "xs", "it belongs to the page Sweeps, not to Noise"),
        ("sweeps", "blocks", "it belongs to the pages Polynomial, Circuit, Real data, others, not to Sweeps"),
        ("sweeps", "zzzz", "no page has such a word"),
        ("", "<img src=x>", "A word of the link was ignored: it is not a word that any page has"),
    ],
)
def test_a_word_that_the_page_does_not_have(page, word, said):
    (problem,) = unknown_words(["P" if page != "sweeps" else "x", "page", "theme", word], page)
    assert said in problem and "<" not in problem and len(problem) < 140


def test_a_link_of_many_strangers_is_not_read_out():
    *_, last = unknown_words([f"zz{i}" for i in range(400)])
    assert last == "395 more words of the link are unknown, too."
    assert shown("<b>`x`" + "y" * 99) == "bx" + "y" * 58 + "…"


def test_the_address_follows_the_visitor(shell):
    made = shell(page="circuit", P="2", qsim_B="4", qsim="gradient", theme="dark", steps="no")
    assert made.session.address() == "?page=circuit&P=2&qsim_B=4&theme=dark"
    assert "qsim=gradient" in made.session.notice and "steps=no" in made.session.notice  # one does not hide the other
    bar = made.address.bar
    assert bar.search == made.session.address()
    made.session.dark = False
    made.session.polynomial.degree = 4
    assert bar.search == "?page=circuit&P=4&qsim_B=4"
    made.open("separation")
    view = made._views["separation"]
    view.state.param.update(part="signal", polynomial="x^2 + 1")
    assert bar.search == "?page=separation&part=signal&poly=x%5E2+%2B+1"
    made.open("polynomial")
    made.session.polynomial.param.update(degree=3, pace=None)
    assert bar.search == "?pace=none"
    made.session.polynomial.pace = 100.0
    assert bar.search == ""


def test_the_last_step_of_the_protocol_needs_no_word(shell):
    made = shell(page="separation", step="4")
    part = made._views["separation"].part
    wait_for(lambda: "Step 4 of 12" in part.caption.object)
    assert part.step.value == 4
    part.step.value = 12
    assert made.session.address() == "?page=separation"
    part.step.value = 7
    part.state.delta_degrees = 45
    wait_for(lambda: part.step.end != 12)
    assert part.step.value == 7 and made.session.address() == "?page=separation&delta=45&step=7"
