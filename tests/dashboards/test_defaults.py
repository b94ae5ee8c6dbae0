"""What is remembered for a class is what param and Panel would have answered, and a page is sent as by Bokeh."""

import copy

import panel_material_ui as pmui
import pytest
from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.document.events import ModelChangedEvent
from bokeh.models import Div, Row
from panel.custom import ReactiveESM
from panel.reactive import Syncable
from panel.viewable import Viewable
from panel_material_ui.base import MaterialComponent
from param import parameterized

from qfl_explore.dashboards.frame.shell import Shell
from qfl_explore.dashboards.runs import defaults
from qfl_explore.plots import bokeh_defaults

# taken when the tests are collected: before any of them could have put ours in their place
COPIED = parameterized._instantiate_param_obj
PROPERTIES = [(kind, name, vars(kind)[name]) for kind, name in (
    (Syncable, "_synced_params"), (MaterialComponent, "_synced_params"), (MaterialComponent, "_linked_properties"),
)]  # fmt: skip
CHILDREN = ReactiveESM._get_children


@pytest.fixture(scope="module")
def page():
    """A visitor's page and the models that it sends."""
    shell, document = Shell({"P": "2"}), Document()
    root = shell.page.get_root(document)
    yield shell.page, root
    shell.close()


def test_what_is_sent_of_a_page_is_the_same(page):
    found = page[1].references()
    assert len(found) > 300
    for model in found:
        ours, theirs = (
            values(model, include_defaults=False) for values in (bokeh_defaults._values, bokeh_defaults._bokehs_values)
        )
        assert list(ours) == list(theirs), model
        assert all(ours[name] is theirs[name] or ours[name] == theirs[name] for name in ours)


def test_parameters_of_an_instance_are_copied_as_before(page):
    for widget in {type(one): one for one in page[0].select(Viewable)}.values():
        for name, parameter in widget.param.objects(instance=False).items():
            ours, theirs = defaults._own_parameter(parameter, widget), COPIED(parameter, widget)
            for slot in type(parameter)._all_slots_:
                mine, his, origin = (getattr(one, slot, None) for one in (ours, theirs, parameter))
                assert mine is his or mine == his, (widget, name, slot)
                assert (mine is origin) == (his is origin) or isinstance(mine, dict), (widget, name, slot)


def test_lists_of_a_class_are_those_of_each_of_its_instances(page):
    for kind, name, theirs in PROPERTIES:
        ours = defaults._once_a_class(theirs)
        for widget in page[0].select(kind):
            assert ours.fget(widget) == theirs.fget(widget), (widget, name)
            assert ours.fget(widget) is ours.fget(copy.copy(widget))


def test_the_same_components_are_children(page):
    known = lambda self, child, *_: (child, [])  # noqa: E731
    for widget in page[0].select(ReactiveESM):
        asked_for = [*([None] * 5)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(widget), "_get_child_model", known)
            assert defaults._children(widget, *asked_for) == CHILDREN(widget, *asked_for)


def test_a_named_layout_keeps_names_and_objects_without_empty_panes(monkeypatch):
    monkeypatch.setattr(
        "panel_material_ui.layout.base.MaterialNamedListLike._to_objects_and_names", defaults._objects_and_names
    )
    tabs = pmui.Tabs(("one", "a"), ("two", "b"))
    assert (tabs._names, tabs._headers, len(tabs)) == (["one", "two"], [], 2)
    tabs[:] = [("three", "c")]
    assert (tabs._names, tabs._headers, len(tabs)) == (["three"], [], 1)
    assert pmui.Tabs((pmui.Button(label="x"), "a"))._headers[0].label == "x"


def test_a_message_is_written_as_by_bokeh():
    document, known = Document(), [Div(text="a"), Div(text="b")]
    box = Row(children=[*known])
    document.add_root(box)
    new = Row(children=[known[1], Div(text="c")])
    event = ModelChangedEvent(document, box, "children", [known[0], new, new])
    synced = {box, *known}
    ours, theirs = (kind(references=synced) for kind in (defaults.LookingUp, Serializer))
    assert ours.encode([event]) == theirs.encode([event])
    assert all(ours.has_ref(model) == theirs.has_ref(model) for model in (box, *known, new, Div()))
    assert defaults.LookingUp().encode(known[0]) == Serializer().encode(known[0])
