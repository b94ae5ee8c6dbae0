"""What param and Panel work out again for every widget, though it is the same for all of a class.

A page has some hundred components with up to ninety parameters each:

- param copies a parameter for every instance that is asked for it, through two layers of attribute access for each
  slot. Here the slots are copied directly.
- Panel's components list their parameters, children and links anew for each parameter of each instance.
- A layout with names makes an empty pane for each name that is a plain text.
- For every message Bokeh writes a dictionary of all models that the browser knows, some thousand, to look up a few.

What Bokeh works out again for each of its models is in `plots.bokeh_defaults`. All of this is private to these
libraries; tests/dashboards/test_defaults.py compares the answers with theirs.
"""

from __future__ import annotations

import copy
import functools
import importlib
from typing import Any

from bokeh.core.serialization import Ref, Serializer
from bokeh.model import Model
from panel.custom import ReactiveESM
from panel.reactive import Syncable
from panel.viewable import is_viewable_param
from panel_material_ui.base import MaterialComponent
from panel_material_ui.layout.base import MaterialNamedListLike
from param import parameterized
from param._utils import MUTABLE_TYPES

from qfl_explore.plots.style import use_bokeh

_panels_names = MaterialNamedListLike._to_objects_and_names


def remember_defaults() -> None:
    """Puts all of it in place; called once, before the first visitor."""
    use_bokeh()
    parameterized._instantiate_param_obj = _own_parameter
    Syncable._synced_params = _once_a_class(Syncable._synced_params)
    MaterialComponent._synced_params = _once_a_class(MaterialComponent._synced_params)
    MaterialComponent._linked_properties = _once_a_class(MaterialComponent._linked_properties)
    ReactiveESM._get_children = _children
    MaterialNamedListLike._to_objects_and_names = _objects_and_names
    importlib.import_module("bokeh.protocol.messages.patch_doc").Serializer = LookingUp


def _own_parameter(parameter: Any, owner: Any = None) -> Any:
    """`param.parameterized._instantiate_param_obj`: a parameter of an instance, copied from that of its class."""
    cls = type(parameter)
    made = cls.__new__(cls)  # pyright: ignore[reportCallIssue]
    put = object.__setattr__
    for slot in cls._all_slots_:
        value = getattr(parameter, slot)
        if slot != "default" and isinstance(value, MUTABLE_TYPES):
            value = copy.copy(value)
        put(made, slot, value)
    put(made, "watchers", {})
    put(made, "owner", owner)
    return made


def _once_a_class(found: Any) -> property:
    """A property that is the same for all instances of a class."""
    known: dict[type, Any] = {}

    def answer(self: Any) -> Any:
        cls = type(self)
        if cls not in known:
            known[cls] = found.fget(self)
        return known[cls]

    return property(answer)


@functools.cache
def _child_names(cls: type[ReactiveESM]) -> list[str]:
    """Parameters that hold further components."""
    mapping = cls._property_mapping
    found = cls.param.objects(instance=False)
    return [name for name, one in found.items() if is_viewable_param(one) and mapping.get(name, "") is not None]


def _children(self: ReactiveESM, data_model: Any, doc: Any, root: Any, parent: Any, comm: Any) -> tuple[dict, list]:
    """`ReactiveESM._get_children`: models of the components in it, and those that were there before."""
    children, old = {}, []
    for name in _child_names(type(self)):
        children[name], known = self._get_child_model(getattr(self, name), doc, root, parent, comm)
        old += known
    return children, old


def _objects_and_names(self: MaterialNamedListLike, items: Any) -> tuple[list[Any], ...]:
    """Objects, panes of their headers, names; no pane where there is a name."""
    objects, *headers, names = _panels_names(self, items)
    return objects, *([] if not any(found) else found for found in headers), names


class LookingUp(Serializer):
    """Bokeh's serializer of a message: asks whether the browser knows a model when it comes to that model."""

    def __init__(self, *, references: set[Model] = frozenset(), **options: Any) -> None:
        super().__init__(**options)
        self._known = references

    def has_ref(self, obj: Any) -> bool:
        return self.get_ref(obj) is not None

    def get_ref(self, obj: Any) -> Ref | None:
        found = super().get_ref(obj)
        return obj.ref if found is None and isinstance(obj, Model) and obj in self._known else found
