"""The teaching material: complete, with words that the pages know, and in step with the document."""

import re
from itertools import chain
from pathlib import Path

import pytest

from qfl_explore.dashboards.link import words_of
from qfl_explore.dashboards.pages import PAGES, get_page
from qfl_explore.teaching import content
from qfl_explore.teaching.document import markdown
from qfl_explore.teaching.handout import worksheet
from qfl_explore.teaching.model import Step, plain

ROOT = Path(__file__).resolve().parents[3]
TAUGHT = [page.name for page in PAGES if page.name != "teach"]
PRESETS = list(chain.from_iterable(content.presets().values()))
STEPS = [(tour, number, step) for tour in content.tours().values() for number, step in enumerate(tour.steps, 1)]
ACTIVITIES = {activity.title: activity for lesson in content.lessons().values() for activity, _ in lesson.parts}
TAGS = re.compile(r"</?(?!sub>|sup>|i>)[a-z]")


def problems(page: str, words) -> list[str]:
    """What the page's settings say against the words, and words that no setting took."""
    known = words_of(page)
    found = [f"{word} is no word of {page}" for word in words if word not in known]
    for kind in get_page(page).state_classes():
        found += kind().apply_query(words)
    return found


def test_every_page_has_presets_and_a_tour():
    assert set(content.presets()) == set(content.tours()) == set(TAUGHT)
    named = {preset.name for preset in PRESETS}
    assert {"the wall", "the plateau", "six queries", "the collapse"} <= named
    for page, found in content.presets().items():
        assert 3 <= len(found) <= 6 and len({preset.name for preset in found}) == len(found), page
    for page, tour in content.tours().items():
        assert 4 <= len(tour.steps) <= 6, page


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: f"{preset.page}-{preset.name}")
def test_a_preset_sets_what_its_page_can_run(preset):
    assert problems(preset.page, preset.words) == []
    assert preset.see.endswith(".") and len(preset.see) > 40
    kind = get_page(preset.page).state_classes()[0]
    state = kind()
    state.apply_query(preset.words)
    for name in ("config", "polynomial_config", "queries_config", "learning_config", "rank_config", "grid", "shape"):
        if hasattr(state, name):
            getattr(state, name)()  # raises where the combination is not possible


def test_steps_of_tours_fit_their_pages_and_are_complete():
    for tour, number, step in STEPS:
        where = f"{tour.page}, step {number}"
        assert problems(tour.page, step.words or {}) == [], where
        for field in ("title", "look", "question", "answer", "limit"):
            text = getattr(step, field)
            assert text and not TAGS.search(text), f"{where}: {field}"
        assert step.question.endswith("?"), where
        assert (0 < step.right <= len(step.choices)) if step.choices else step.right == 0, where
        assert all(plain(choice) == choice for choice in step.choices), where
        assert not step.predict or step.choices, where


def test_a_tour_has_a_last_word_on_what_it_does_not_show():
    for tour in content.tours().values():
        last = tour.steps[-1]
        assert len(last.limit) > 60 and "not" in f"{last.title} {last.limit}", tour.page


def test_lessons_have_their_length_and_their_links_fit():
    assert {lesson.minutes for lesson in content.lessons().values()} == {45, 90}
    for lesson in content.lessons().values():
        assert lesson.minutes == int(lesson.name)
        rows = lesson.timed()
        assert rows[0][0] == 0 and rows[-1][1] == lesson.minutes
        assert all(before[1] == after[0] for before, after in zip(rows, rows[1:], strict=False))
    for activity in ACTIVITIES.values():
        assert activity.do and activity.question and activity.see and activity.tasks, activity.title
        if activity.page:
            assert problems(activity.page, activity.words) == [], activity.title
            assert set(filter(None, activity.shown.split(","))) <= set(words_of(activity.page)), activity.title
            assert activity.tour <= len(content.tours()[activity.page].steps), activity.title


def test_every_control_is_explained_or_says_it_itself():
    known, missing = content.control_terms(), []
    for page in TAUGHT:
        for kind in get_page(page).state_classes():
            short = kind.__name__.removesuffix("State").lower()
            missing += [f"{short}.{n}" for n in kind.URL if n not in known and f"{short}.{n}" not in known]
    assert set(missing) <= SELF_EXPLAINING, sorted(set(missing) - SELF_EXPLAINING)
    named = {n for page in TAUGHT for kind in get_page(page).state_classes() for n in kind.URL}
    assert {control.rpartition(".")[2] for control in known} <= named


#: A count, a view, or a sentence: nothing technical in the label.
SELF_EXPLAINING = set(
    "polynomial.formula polynomial.n_steps polynomial.n_train polynomial.pace qsim.what qsim.n_samples qsim.threads "
    "qsim.device realdata.dataset realdata.methods realdata.change realdata.tab realdata.sample realdata.label "
    "systems.task systems.methods systems.reach gradientvariance.view gradientvariance.n_steps "
    "gradientvariance.n_starts separation.part separation.n_trials separation.step separation.n_train "
    "separation.n_outcomes separation.n_steps separation.wall_samples separation.wall_steps separation.scale "
    "measurement.task measurement.n_train measurement.n_steps encoding.view encoding.task encoding.n_train "
    "encoding.n_steps encoding.at noise.task noise.n_train noise.n_steps sweeps.x_values sweeps.lines_values "
    "sweeps.panels_values sweeps.settings sweeps.y sweeps.log".split()
)


def test_the_glossary_is_unambiguous_and_short():
    forms = [form for term in content.glossary() for form in {term.name, *term.forms}]
    assert len(forms) == len(set(forms)) and len(content.glossary()) > 60
    anchors = [term.anchor for term in content.glossary()]
    assert len(set(anchors)) == len(anchors) and all(anchors)
    for term in content.glossary():
        assert 15 < len(term.means) < 330 and term.formula and term.source, term.name
        assert not TAGS.search(term.means + term.formula), term.name
    required = (
        "degree P, modality, observable, ansatz, data re-uploading, gradient variance, barren plateau, separable, "
    )
    required += (
        "ceiling, macro F1, AUC, repetitions, entangler, encoding, Pauli plane, trajectories, depolarising, QCNN, "
    )
    required += "cross-attention"
    assert set(required.split(", ")) <= {term.name for term in content.glossary()}


def test_the_document_is_what_the_data_make():
    assert (ROOT / "docs" / "workshop.md").read_text(encoding="utf-8") == markdown(), (
        "run: python -m qfl_explore.teaching > docs/workshop.md"
    )


def test_the_worksheet_stands_alone_and_only_the_key_has_answers():
    for lesson in content.lessons().values():
        sheet, key = worksheet(lesson), worksheet(lesson, answers=True, address="http://room:5006/app")
        assert not re.search(r'(src|href)="|url\(|@import', sheet + key)
        answers = [task.answer for activity, _ in lesson.parts for task in activity.tasks]
        assert sheet.count('class="line"') == sum(task.lines for a, _ in lesson.parts for task in a.tasks)
        assert key.count('class="answer"') == len(answers) and 'class="line"' not in key
        assert not any(plain(answer) in plain(sheet) for answer in answers)
        assert "http://room:5006/app?page=polynomial&amp;tour=1" in key


def test_a_wrong_field_is_named():
    with pytest.raises(ValueError, match="did you mean 'look'"):
        content.record(Step, {"title": "x", "lok": "y"}, "step 1")
    with pytest.raises(ValueError, match=r"step 1 is not complete[\s\S]*the field look"):
        content.record(Step, {"title": "x"}, "step 1")


def test_rows_that_others_computed_answer_no_question_of_a_tour():
    first = content.tours()["sweeps"].steps[:2]  # the page draws at once what anybody computed before
    assert all(step.predict and step.words for step in first) and "lines" in first[0].title
