"""What is remembered for a class of models is what Bokeh would have answered."""

import pytest
from bokeh import models
from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor, UnsetValueError

from qfl_explore.plots import bokeh_defaults

BOTH = (bokeh_defaults._values, bokeh_defaults._bokehs_values)


def bokeh_classes():
    return [cls for cls in HasProps.model_class_reverse_map.values() if cls.__module__.startswith("bokeh.models")]


def asked(get, model, name):
    try:
        return get(model.lookup(name), model)
    except (UnsetValueError, ValueError) as error:
        return type(error)


def test_every_default_of_every_model_is_bokehs():
    classes = bokeh_classes()
    assert len(classes) > 300
    for cls in classes:
        first, second = cls(), cls()
        for name in cls.properties(_with_props=True):
            if not isinstance(cls.lookup(name), PropertyDescriptor):  # another name for a property
                continue
            for _ in range(2):  # worked out, then remembered
                ours, theirs = asked(bokeh_defaults._get, first, name), asked(bokeh_defaults._bokehs_get, first, name)
                assert ours is theirs or ours == theirs or repr(ours) == repr(theirs) == "nan", (cls, name)
        kept = bokeh_defaults._constants.get(cls, {})
        changing = [
            name for name, value in kept.items() if repr(asked(bokeh_defaults._bokehs_get, second, name)) != repr(value)
        ]
        assert not changing, cls
        assert not any(isinstance(value, (list, dict, set)) for value in kept.values())


def test_a_new_model_has_the_same_defaults_of_its_own():
    for cls in bokeh_classes():
        ours, theirs = cls.__new__(cls), cls.__new__(cls)
        bokeh_defaults._new_model(ours)
        bokeh_defaults._bokehs_new(theirs)
        assert list(ours._unstable_default_values) == list(theirs._unstable_default_values), cls
        assert ours._initialized and ours._property_values == {}
    one, other = models.Plot(), models.Plot()
    assert one.renderers is not other.renderers, "lists are not shared"


def test_what_a_theme_says_is_sent_too():
    figure = models.Plot()
    figure.apply_theme({"width": 123, "styles": {"color": "red"}})
    ours, theirs = (values(figure, include_defaults=False) for values in BOTH)
    assert ours == theirs
    assert ours["width"] == bokeh_defaults._get(models.Plot.width, figure) == 123
    figure.unapply_theme()
    assert bokeh_defaults._get(models.Plot.width, figure) == models.Plot().width


def test_a_model_that_lacks_a_needed_value_is_refused_as_before():
    for values in BOTH:
        with pytest.raises(UnsetValueError):
            values(models.GlyphRenderer(), include_defaults=False)
