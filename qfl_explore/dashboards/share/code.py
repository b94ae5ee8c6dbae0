"""Python source that makes a config."""

from __future__ import annotations

import dataclasses
from typing import Any

#: The end of a snippet whose ``result.summary()`` has rows and paired differences; it needs pandas as ``pd``.
TABLES = (
    "summary = result.summary()",
    'print(pd.DataFrame(summary["rows"]).to_string())  # means over seeds with 95 % intervals',
    'print(pd.DataFrame(summary["paired"]).to_string())  # differences, paired by seed',
)


def changed(config: Any) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    values = {field.name: (getattr(config, field.name), field.default) for field in dataclasses.fields(config)}
    return {name: value for name, (value, default) in values.items() if value != default}


def config_lines(config: Any) -> list[str]:
    """Python source that makes a config, as lines of ``config = …``."""
    name, settings = type(config).__name__, arguments(config)
    return [f"config = {name}(", *(f"    {text}," for text in settings), ")"] if settings else [f"config = {name}()"]


def arguments(config: Any, skip: tuple[str, ...] = ()) -> list[str]:
    """``name=value`` for each field that differs from its default."""
    return [f"{name}={value!r}" for name, value in changed(config).items() if name not in skip]
