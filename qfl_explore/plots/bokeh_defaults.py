"""What Bokeh works out again for every model, though it is the same for all of a class.

A page has some five hundred models with up to ninety properties each, of which hardly ten are set. Most of the time
that it took to build and to send a page, and about a fifth of that in which a notebook runs, went into the others:

- Bokeh makes a default anew whenever a property that was not set is read: it merges the overrides of all base
  classes, copies the default and validates it. Here a default that cannot change is remembered for its class.
- A new model asks every property whether its default has to be made for it alone. That is a list for each class.
- A model that is sent to the browser reads all its properties and keeps those that were set. Here only these are
  read, and those that may have no value at all, which is an error.

All of this is private to Bokeh; tests/unit/plots/test_bokeh_defaults.py compares the answers with its own.
"""

from __future__ import annotations

import enum
import functools
from typing import Any

from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.core.property.singletons import Intrinsic, Undefined
from bokeh.core.property.wrappers import PropertyValueContainer

#: A default of these types is the same object for every model.
_CONSTANT = (str, bytes, int, float, bool, enum.Enum, type(None), type(Undefined))
_constants: dict[type, dict[str, Any]] = {}
_bokehs_get = PropertyDescriptor._get
_bokehs_new = HasProps.__init__
_bokehs_values = HasProps.properties_with_values


def remember_bokehs_defaults() -> None:
    """Puts all of it in place; a second call changes nothing."""
    PropertyDescriptor._get = _get  # type: ignore[method-assign]
    HasProps.__init__ = _new_model  # type: ignore[method-assign]
    HasProps.properties_with_values = _values  # type: ignore[method-assign]


def _get(self: PropertyDescriptor, obj: HasProps) -> Any:
    """The value of a property, or its default."""
    name, own = self.name, obj.__dict__
    values, themed = own.get("_property_values"), own.get("__themed_values__")
    if values is None or (themed is not None and name in themed):
        return _bokehs_get(self, obj)
    if name in values:
        return values[name]
    unstable = obj._unstable_default_values
    if name in unstable:
        return unstable[name]
    known = _constants.setdefault(type(obj), {})
    if name in known:
        return known[name]
    value = _bokehs_get(self, obj)
    if isinstance(value, _CONSTANT) and not self.has_unstable_default(obj):
        known[name] = value
    return value


def _new_model(self: HasProps, **properties: Any) -> None:
    """`HasProps.__init__`: sets what is given and makes the defaults that are this model's own."""
    super(HasProps, self).__init__()
    self._property_values, self._unstable_default_values, self._unstable_themed_values = {}, {}, {}
    for name, value in properties.items():
        if value is not Undefined and value is not Intrinsic:
            setattr(self, name, value)
    for name, descriptor in _made_for_each(type(self)):
        if name not in properties:
            descriptor._get(self)
    self._initialized = True


@functools.cache
def _made_for_each(cls: type[HasProps]) -> list[tuple[str, PropertyDescriptor]]:
    """Properties whose default is made for each model."""
    found = [(name, cls.lookup(name)) for name in cls.properties(_with_props=True)]
    return [(name, descriptor) for name, descriptor in found if descriptor.has_unstable_default(cls)]


def _values(self: HasProps, *, include_defaults: bool = True, include_undefined: bool = False) -> dict[str, Any]:
    """`HasProps.properties_with_values`: without defaults, only what was set is read."""
    if include_defaults or include_undefined:
        return _bokehs_values(self, include_defaults=include_defaults, include_undefined=include_undefined)
    values, unstable, themed = self._property_values, self._unstable_default_values, self.themed_values() or {}
    result = {}
    for name, descriptor, may_be_unset in _sent(type(self)):
        if name in values or name in unstable or name in themed or may_be_unset:
            value = descriptor.get_value(self)  # raises where there is none
            if name in themed or name not in unstable or not isinstance(value, PropertyValueContainer):
                result[name] = value
    return result


@functools.cache
def _sent(cls: type[HasProps]) -> list[tuple[str, PropertyDescriptor, bool]]:
    """Properties that are sent to the browser: name, descriptor, and whether it may have no value."""
    found = [(name, cls.lookup(name)) for name in cls.properties(_with_props=True)]
    return [
        (name, one, not one.has_unstable_default(cls) and one.class_default(cls) is Undefined)  # type: ignore[arg-type]
        for name, one in found
        if one.serialized
    ]
